//! What rpm on a host knows of the packages there, for whoever holds it against the repository.

use std::collections::BTreeSet;

use nevra::{Name, Nevra, ParseNevraError};

use crate::environment::Host;
use crate::transport::{ScriptError, run_checked};
use crate::{HostName, Script, Transport};

/// What a host says of some of its packages, and whose packages it takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Installed {
    /// The packages.
    pub packages: Vec<InstalledPackage>,
    /// The OpenPGP keys in rpm's database, armored, one block after the other.
    pub keys: String,
}

/// A package as a host has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPackage {
    /// Its whole identity.
    pub nevra: Nevra,
    /// The sha256 of its header, computed over what is in rpm's database, hexadecimal.
    pub header_sha256: String,
    /// How many files it has.
    pub files: u64,
    /// What `rpm -V` says of files that differ from what was packaged, a line each.
    pub differs: Vec<String>,
}

/// Says why a host's packages are not known.
#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    /// The host does not answer, or not well.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// What it answers can't be read.
    #[error("host `{host}` printed `{line}`, which can't be understood")]
    Line {
        /// The host.
        host: HostName,
        /// The line.
        line: String,
    },
    /// What it has is no NEVRA.
    #[error(transparent)]
    Nevra(#[from] ParseNevraError),
}

impl Installed {
    /// Asks a host for all that it has of these names.
    ///
    /// # Errors
    /// [`InstalledError`] where it can't be asked.
    pub async fn of(host: &Host, names: &BTreeSet<Name>, transport: &dyn Transport) -> Result<Self, InstalledError> {
        let script = Script::new("installed", &[include_str!("scripts/installed.sh")])
            .set_words("NAMES", names.iter().map(Name::to_string));
        let text = run_checked(transport, &host.endpoint, &script).await?;
        Self::parse(host.name(), &text)
    }

    fn parse(host: &HostName, text: &str) -> Result<Self, InstalledError> {
        let mut installed = Self::default();
        for line in text.lines() {
            let unknown = || InstalledError::Line { host: host.clone(), line: line.to_owned() };
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            match (key, installed.packages.last_mut()) {
                ("package", _) => {
                    let nevra = value.parse()?;
                    let (header_sha256, differs) = (String::new(), Vec::new());
                    installed.packages.push(InstalledPackage { nevra, header_sha256, files: 0, differs });
                }
                ("header", Some(package)) => package.header_sha256 = value.to_owned(),
                ("files", Some(package)) => package.files = value.parse().map_err(|_| unknown())?,
                ("differs", Some(package)) => package.differs.push(value.to_owned()),
                ("key", _) => {
                    installed.keys.push_str(value);
                    installed.keys.push('\n');
                }
                _ => return Err(unknown()),
            }
        }
        Ok(installed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_script_prints() {
        let host = "web1".parse().unwrap();
        let text = "package shop-0:1.0-1.noarch\nheader ab\nfiles 3\ndiffers S.5....T.  c /etc/a b\n\
                    package shop-1:1.1-1.noarch\nheader cd\nfiles 0\nkey -----BEGIN\nkey \nkey -----END\n";
        let installed = Installed::parse(&host, text).unwrap();
        assert_eq!(installed.packages.len(), 2);
        let first = &installed.packages[0];
        assert_eq!((first.nevra.to_string().as_str(), first.files), ("shop-1.0-1.noarch", 3));
        assert_eq!((first.header_sha256.as_str(), first.differs[0].as_str()), ("ab", "S.5....T.  c /etc/a b"));
        assert_eq!(installed.keys, "-----BEGIN\n\n-----END\n");
        for bad in ["header ab", "hello", "package shop\n", "package shop-1-1.noarch\nfiles many"] {
            assert!(Installed::parse(&host, bad).is_err(), "{bad}");
        }
    }
}
