//! `pkg key`: the keys that sign the repository's metadata.

use std::path::PathBuf;

use repo_server::KeyDirectory;
use serde_json::json;

use super::connection::read_token;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Show and change the keys of a repository server.
///
/// Works on the server's directory of keys, on its machine; a running server follows within seconds. A key changes in
/// three steps: announce the next one, and clients get it together with the one that signs; rotate, once they have had time
/// to, and it signs; retire the one before, once nothing that it signed is needed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    /// The directory of the keys.
    #[arg(long, global = true, value_name = "DIR", env = "PKG_SERVE_KEY_DIR", default_value = "repository.keys")]
    key_dir: PathBuf,
    /// A file whose first line is the keys' passphrase; PKG_SIGNING_PASSPHRASE holds the passphrase itself.
    #[arg(long, global = true, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  pkg key list --key-dir /etc/pkg/keys
  pkg key announce --key-dir /etc/pkg/keys
  pkg key announce --from gpg:0123456789ABCDEF0123456789ABCDEF01234567
  pkg key rotate --key-dir /etc/pkg/keys
  pkg key retire 0123456789ABCDEF0123456789ABCDEF01234567 --key-dir /etc/pkg/keys";

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the keys.
    List,
    /// Announce the key that will sign.
    Announce {
        /// A file that holds it, or gpg:FINGERPRINT for one that gpg holds [default: a new key].
        #[arg(long, value_name = "KEY")]
        from: Option<String>,
    },
    /// Let the announced key sign.
    Rotate,
    /// Tell clients no longer of a key that signed earlier.
    Retire {
        /// Its fingerprint.
        fingerprint: String,
    },
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let passphrase = read_token(args.passphrase_file.as_ref(), "PKG_SIGNING_PASSPHRASE")?;
    let directory = KeyDirectory::new(&args.key_dir, passphrase);
    // Making a key takes a second of pure computing.
    let is_list = matches!(args.command, Command::List);
    let lines =
        tokio::task::spawn_blocking(move || carry_out(args.command, &directory)).await.map_err(Failure::failed)?;
    let lines = lines.map_err(Failure::failed)?;
    if is_list && lines.is_empty() {
        let place = args.key_dir.display();
        printer.talk(&format!(
            "there are no keys in {place}; `--key-dir` names the server's, by default its store's with `.keys`"
        ));
    }
    for (fingerprint, standing) in lines {
        if printer.is_json() {
            printer.json(&json!({ "fingerprint": fingerprint, "standing": standing }));
        } else {
            printer.data(&format!("{fingerprint}  {standing}"));
        }
    }
    Ok(Exit::Done)
}

type Lines = Vec<(String, &'static str)>;

fn carry_out(command: Command, directory: &KeyDirectory) -> Result<Lines, repo_server::KeyDirectoryError> {
    Ok(match command {
        Command::List => return list(directory),
        Command::Announce { from } => vec![(directory.announce(from.as_deref())?.fingerprint().to_owned(), "next")],
        Command::Rotate => vec![(directory.rotate()?.fingerprint().to_owned(), "signs")],
        Command::Retire { fingerprint } => {
            directory.retire(&fingerprint)?;
            vec![(fingerprint.to_ascii_uppercase(), "retired")]
        }
    })
}

fn list(directory: &KeyDirectory) -> Result<Lines, repo_server::KeyDirectoryError> {
    let signs = directory.current()?.map(|key| key.fingerprint().to_owned());
    let mut lines: Lines = signs.iter().map(|fingerprint| (fingerprint.clone(), "signs")).collect();
    lines.extend(directory.next()?.map(|key| (key.fingerprint().to_owned(), "next")));
    for (keys, standing) in [(directory.public()?, "earlier"), (directory.retired()?, "retired")] {
        let fingerprints = keys.iter().flat_map(|keys| keys.fingerprints()).map(str::to_owned).collect::<Vec<_>>();
        let fingerprints = fingerprints.into_iter().filter(|one| Some(one) != signs.as_ref());
        lines.extend(fingerprints.map(|fingerprint| (fingerprint, standing)));
    }
    Ok(lines)
}
