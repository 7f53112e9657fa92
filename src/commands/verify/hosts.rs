//! What hosts say of their packages, held against the repository's files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use deployer::{Installed, InstalledPackage, Ssh, Transport};
use futures::future::join_all;
use nevra::{Name, Nevra};

use super::deployments::Deployments;
use super::link::{Link, short};
use super::subject::Subject;

/// How many differing files are named.
const NAMED: usize = 5;

/// What a host says, or why it says nothing.
pub(super) enum Asked {
    Answered(Installed),
    Silent(String),
}

/// Asks all hosts side by side for what is deployed to them.
pub(super) async fn ask(subject: &Subject, deployments: &Deployments) -> BTreeMap<String, Asked> {
    let Some(environment) = &subject.file else {
        let known = deployments.hosts().into_iter();
        let asked = known.filter(|host| subject.only.as_ref().is_none_or(|only| only == host));
        let silent = |host| (host, Asked::Silent("it was not asked: no file of its environment is here".to_owned()));
        return asked.map(silent).collect();
    };
    let ssh: Arc<dyn Transport> = match Ssh::of(environment) {
        Ok(ssh) => Arc::new(ssh),
        Err(error) => {
            let silent = |host: &deployer::Host| (host.name().to_string(), Asked::Silent(error.to_string()));
            return subject.hosts().into_iter().map(silent).collect();
        }
    };
    let asked = join_all(subject.hosts().into_iter().map(|host| {
        let names: BTreeSet<Name> = deployments.left_with(host.name().as_str()).into_keys().collect();
        let ssh = Arc::clone(&ssh);
        async move {
            let answer = match Installed::of(host, &names, &*ssh).await {
                Ok(installed) => Asked::Answered(installed),
                Err(error) => Asked::Silent(format!("{:#}", anyhow::Error::from(error))),
            };
            (host.name().to_string(), answer)
        }
    }))
    .await;
    ssh.close().await;
    asked.into_iter().collect()
}

impl Asked {
    /// What it has.
    pub(super) fn packages(&self) -> impl Iterator<Item = &Nevra> {
        let packages = match self {
            Self::Answered(installed) => installed.packages.as_slice(),
            Self::Silent(_) => &[],
        };
        packages.iter().map(|package| &package.nevra)
    }

    /// The keys in its rpm database.
    pub(super) fn keys(&self) -> &str {
        match self {
            Self::Answered(installed) => &installed.keys,
            Self::Silent(_) => "",
        }
    }

    /// Why it says nothing.
    pub(super) fn failure(&self) -> Option<Link> {
        match self {
            Self::Answered(_) => None,
            Self::Silent(why) => Some(Link::not_proven("host", why.clone())),
        }
    }

    /// Whether a package is there as it was packaged, and is the repository's.
    pub(super) fn links(&self, host: &str, nevra: &Nevra, header: Option<&str>) -> Vec<Link> {
        let Self::Answered(installed) = self else { return Vec::new() };
        match installed.packages.iter().find(|package| package.nevra == *nevra) {
            None => vec![Link::not_proven("files", format!("rpm on {host} says that it is not installed"))],
            Some(package) => vec![files(host, package), installed_header(host, package, header)],
        }
    }
}

fn files(host: &str, package: &InstalledPackage) -> Link {
    let against = format!("rpm -V on {host}");
    if package.differs.is_empty() {
        return Link::proven("files", format!("all {} files are as packaged", package.files), against);
    }
    let named: Vec<String> =
        package.differs.iter().take(NAMED).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let more = package.differs.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Link::not_proven("files", format!("files differ: {}{more}", named.join("; "))).against(against)
}

/// Two packages of one name and version are one only if their headers are.
fn installed_header(host: &str, package: &InstalledPackage, expected: Option<&str>) -> Link {
    const LINK: &str = "installed";
    let found = &package.header_sha256;
    match expected {
        Some(expected) if expected == found => {
            let text = format!("the header in the rpm database of {host} is that of the repository's file");
            Link::proven(LINK, text, format!("sha256 {}, computed of both", short(found)))
        }
        Some(expected) => {
            let text = format!("{host} has another package of this name and version: header {}", short(found));
            Link::not_proven(LINK, text).against(format!("header {} of the repository's file", short(expected)))
        }
        None => Link::not_proven(LINK, "there is no file to compare its header with"),
    }
}
