//! Which environment file an argument means, and what a deployment works with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deployer::{
    AlwaysBackOut, Deployer, Entry, Environment, EnvironmentError, HostName, HttpProbe, Identity, Interrupt, Observer,
    Policy, Ssh, Tools,
};
use ledger::Ledger;
use repo_api::{Client, ServerLedger, TagName};
use tokio::sync::watch;

use super::super::connection::{self, read_token};
use crate::exit::Failure;

/// Reads the environment that an argument names: a path to a `.toml` file, or a name that is looked up.
pub(crate) fn environment(argument: &str) -> Result<Environment, Failure> {
    let places = places(argument, std::env::var_os("PKG_ENVIRONMENTS").map(PathBuf::from));
    match places.iter().find(|place| place.is_file()) {
        Some(file) => Environment::load(file).map_err(Failure::input),
        None => {
            let looked = places.iter().map(|place| format!("`{}`", place.display())).collect::<Vec<_>>().join(", ");
            let error = anyhow::anyhow!("environment `{argument}` is not there; looked at {looked}");
            Err(Failure::input(error).hint("set PKG_ENVIRONMENTS to the directory of your environment files"))
        }
    }
}

/// The environment files that are looked among for a name, those that can be read; an error of one hides no other.
pub(crate) fn known_environments() -> Vec<(PathBuf, Result<Environment, EnvironmentError>)> {
    let mut known = Vec::new();
    for directory in directories(std::env::var_os("PKG_ENVIRONMENTS").map(PathBuf::from)) {
        let Ok(entries) = fs_err::read_dir(&directory) else { continue };
        let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|end| end == "toml")).collect();
        files.sort();
        known.extend(files.into_iter().map(|file| (file.clone(), Environment::load(&file))));
    }
    known
}

/// Whether an argument names an environment file that is there.
pub(crate) fn is_environment(argument: &str) -> bool {
    places(argument, std::env::var_os("PKG_ENVIRONMENTS").map(PathBuf::from)).iter().any(|place| place.is_file())
}

/// Leaves hosts out of an environment, as a person wants it.
pub(crate) fn leave_out(environment: &mut Environment, hosts: &[HostName]) -> Result<(), Failure> {
    environment.leave_out(hosts).map_err(|unknown| {
        Failure::input(anyhow::anyhow!("environment `{}` has no host `{unknown}`", environment.name))
    })
}

fn places(argument: &str, directory: Option<PathBuf>) -> Vec<PathBuf> {
    let is_path = Path::new(argument).extension().is_some_and(|extension| extension == "toml");
    if is_path || argument.contains('/') {
        return vec![PathBuf::from(argument)];
    }
    let file = format!("{argument}.toml");
    directories(directory).map(|directory| directory.join(&file)).collect()
}

fn directories(first: Option<PathBuf>) -> impl Iterator<Item = PathBuf> {
    first.into_iter().chain([PathBuf::from("environments"), PathBuf::from("specs/environments")])
}

/// Opens an environment with the real tools.
pub(crate) async fn open(
    environment: Environment,
    observer: Arc<dyn Observer>,
    interrupt: watch::Receiver<Interrupt>,
) -> Result<Deployer, Failure> {
    open_with(environment, observer, Arc::new(AlwaysBackOut), interrupt).await
}

/// Opens an environment with the real tools, and what follows a step that fails.
pub(crate) async fn open_with(
    environment: Environment,
    observer: Arc<dyn Observer>,
    policy: Arc<dyn Policy>,
    interrupt: watch::Receiver<Interrupt>,
) -> Result<Deployer, Failure> {
    let ssh = Ssh::of(&environment).map_err(Failure::failed)?;
    let health = HttpProbe::new().map_err(Failure::failed)?;
    let tools = Tools { transport: Arc::new(ssh), health: Arc::new(health), observer, policy, interrupt };
    if !is_server(&environment.ledger) {
        return Deployer::open(environment, tools).await.map_err(super::failure);
    }
    let ledger = server_ledger(&environment).await?;
    Ok(Deployer::with_ledger(environment, ledger, tools))
}

/// Whether the repository server keeps a ledger.
pub(crate) fn is_server(ledger: &str) -> bool {
    ledger.starts_with("https://") || ledger.starts_with("http://")
}

/// The server that has the packages: it is named, or keeps the environment's ledger.
pub(crate) fn repository_server(environment: &Environment) -> Option<&str> {
    let keeper = Some(environment.ledger.as_str()).filter(|ledger| is_server(ledger));
    environment.repository_server.as_deref().or(keeper)
}

/// The client of the repository server that keeps a ledger; `None` where none does.
pub(crate) fn server_client(ledger: &str) -> Option<Result<Client, Failure>> {
    is_server(ledger).then(|| client(ledger))
}

fn client(server: &str) -> Result<Client, Failure> {
    let token = read_token(None, "PKG_TOKEN")?;
    Client::new(server, token.as_deref()).map_err(connection::failure)
}

/// Opens the ledger of an environment that the repository server keeps.
async fn server_ledger(environment: &Environment) -> Result<Ledger<Entry>, Failure> {
    let client = client(&environment.ledger)?;
    let name: TagName = environment.name.as_str().parse().map_err(Failure::input)?;
    let server = ServerLedger::open(client, name).await.map_err(connection::failure)?;
    Ok(Ledger::remote(Arc::new(server), &format!("environments/{}", environment.name)))
}

/// Says who deploys: what a CI system tells, or the login.
pub(crate) fn identity() -> Identity {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let machine = fs_err::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned());
    let machine = machine.unwrap_or_else(|_| "unknown".to_owned());
    let told = ["PKG_USER", "GITLAB_USER_LOGIN", "GITHUB_ACTOR"].into_iter().find_map(set);
    let who = told.unwrap_or_else(|| format!("{}@{machine}", connection::login()));
    Identity { who, from: format!("{machine} process {}", std::process::id()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_and_a_path_is_not() {
        let directory = Some(PathBuf::from("/etc/pkg"));
        for (argument, expected) in [
            ("lab", &["/etc/pkg/lab.toml", "environments/lab.toml", "specs/environments/lab.toml"][..]),
            ("./lab.toml", &["./lab.toml"]),
            ("lab.toml", &["lab.toml"]),
            ("a/b", &["a/b"]),
        ] {
            let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(places(argument, directory.clone()), expected, "{argument}");
        }
    }
}
