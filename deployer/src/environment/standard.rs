//! What every host is to have before anything is deployed to it: `pkg hosts prepare` brings it about.

use serde::Deserialize;

use super::EnvironmentProblem;
use super::reader::{Checked, Reader, Text, at};

/// The standard set-up of a host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standard {
    /// The yum repositories, each a file below /etc/yum.repos.d.
    pub repositories: Vec<StandardRepository>,
    /// Packages as dnf names them, with their versions where they are pinned.
    pub packages: Vec<String>,
    /// Directories.
    pub directories: Vec<StandardDirectory>,
    /// Services that start with the host.
    pub services: Vec<String>,
    /// The login that may become root without a password.
    pub sudo_user: Option<String>,
}

/// A yum repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardRepository {
    /// Its id, and the name of its file.
    pub id: String,
    /// Its base URL.
    pub url: String,
    /// Its keys.
    pub keys: Vec<StandardKey>,
    /// Whether the packages' signatures are checked; by default, where there are keys.
    pub gpgcheck: bool,
    /// Whether the metadata's signature is checked, which covers the packages' digests.
    pub repo_gpgcheck: bool,
}

/// An OpenPGP key, pinned: what is fetched must be the one with this fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardKey {
    /// Where it is fetched from, as it stands in the repository's file.
    pub url: String,
    /// Its fingerprint: 40 hexadecimal digits, or 64.
    pub fingerprint: String,
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandardDirectory {
    /// Its path.
    pub path: String,
    /// Its owner; root by default.
    pub owner: String,
    /// Its group; root by default.
    pub group: String,
    /// Its mode; 0755 by default.
    pub mode: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStandard {
    #[serde(default)]
    repositories: Vec<RawRepository>,
    #[serde(default)]
    packages: Vec<Text>,
    #[serde(default)]
    directories: Vec<RawDirectory>,
    #[serde(default)]
    services: Vec<Text>,
    sudo_user: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRepository {
    id: Text,
    url: Text,
    #[serde(default)]
    keys: Vec<RawKey>,
    gpgcheck: Option<bool>,
    #[serde(default)]
    repo_gpgcheck: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    url: Text,
    fingerprint: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDirectory {
    path: Text,
    owner: Option<Text>,
    group: Option<Text>,
    mode: Option<Text>,
}

impl Standard {
    /// Whether the file says nothing of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Reader<'_> {
    pub(super) fn standard(&self, raw: &RawStandard) -> Checked<Standard> {
        let words =
            |field, texts: &[Text]| texts.iter().map(|text| self.word(field, text)).collect::<Checked<Vec<_>>>();
        Ok(Standard {
            repositories: raw.repositories.iter().map(|raw| self.standard_repository(raw)).collect::<Checked<_>>()?,
            packages: raw.packages.iter().map(|text| self.package(text)).collect::<Checked<_>>()?,
            directories: raw.directories.iter().map(|raw| self.standard_directory(raw)).collect::<Checked<_>>()?,
            services: words("services", &raw.services)?,
            sudo_user: raw.sudo_user.as_ref().map(|text| self.word("sudo_user", text)).transpose()?,
        })
    }

    fn standard_repository(&self, raw: &RawRepository) -> Checked<StandardRepository> {
        let key = |key: &RawKey| {
            Ok(StandardKey { url: self.url(&key.url)?, fingerprint: self.fingerprint(&key.fingerprint)? })
        };
        Ok(StandardRepository {
            id: self.word("id", &raw.id)?,
            url: self.url(&raw.url)?,
            keys: raw.keys.iter().map(key).collect::<Checked<_>>()?,
            gpgcheck: raw.gpgcheck.unwrap_or(!raw.keys.is_empty()),
            repo_gpgcheck: raw.repo_gpgcheck,
        })
    }

    fn standard_directory(&self, raw: &RawDirectory) -> Checked<StandardDirectory> {
        let name = |field, text: Option<&Text>| match text {
            Some(text) => self.word(field, text),
            None => Ok("root".to_owned()),
        };
        let mode = match &raw.mode {
            None => "0755".to_owned(),
            Some(text) => {
                let value = self.text(text)?;
                if !(3..=4).contains(&value.len()) || !value.chars().all(|c| ('0'..='7').contains(&c)) {
                    let rule = "not a mode such as `0755`";
                    return Err(at(text, EnvironmentProblem::Text { field: "mode", value, rule }));
                }
                format!("{value:0>4}")
            }
        };
        let (owner, group) = (name("owner", raw.owner.as_ref())?, name("group", raw.group.as_ref())?);
        Ok(StandardDirectory { path: self.absolute("path", &raw.path)?, owner, group, mode })
    }

    /// A package as dnf's arguments name one; `~` and `^` are of versions.
    fn package(&self, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "._:+~^-".contains(c);
        if value.starts_with(|c: char| c.is_ascii_alphanumeric()) && value.chars().all(fits) {
            return Ok(value);
        }
        let rule = "not a package such as `tomcat-9.0.85-1.el9`";
        Err(at(text, EnvironmentProblem::Text { field: "packages", value, rule }))
    }

    fn url(&self, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        let begins = ["http://", "https://", "file:///"].iter().any(|scheme| value.starts_with(scheme));
        if begins && value.chars().all(|c| c.is_ascii_graphic() && !"'\"\\`".contains(c)) {
            return Ok(value);
        }
        let rule = "not a URL that begins with `https://`, `http://` or `file:///`";
        Err(at(text, EnvironmentProblem::Text { field: "url", value, rule }))
    }

    fn fingerprint(&self, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        let digits: String = value.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        if [40, 64].contains(&digits.len()) && digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Ok(digits.to_ascii_uppercase());
        }
        let rule = "not a fingerprint of 40 or 64 hexadecimal digits";
        Err(at(text, EnvironmentProblem::Text { field: "fingerprint", value, rule }))
    }
}
