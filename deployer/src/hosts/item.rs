//! What the standard set-up is made of, item by item, in the order in which it is brought about.

use std::collections::BTreeMap;

use crate::environment::{Standard, StandardRepository};

/// One thing that a host is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A file of root's.
    File {
        /// Its path.
        path: String,
        /// Its mode, such as `0644`.
        mode: &'static str,
        /// All that is in it.
        text: String,
    },
    /// A package, as dnf's arguments name one.
    Package(String),
    /// A directory.
    Directory {
        /// Its path.
        path: String,
        /// Its mode, such as `0755`.
        mode: String,
        /// Its owner and group, such as `root:tomcat`.
        owner: String,
    },
    /// A service that starts with the host.
    Service(String),
}

impl std::fmt::Display for Item {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, .. } => write!(formatter, "file {path}"),
            Self::Package(name) => write!(formatter, "package {name}"),
            Self::Directory { path, .. } => write!(formatter, "directory {path}"),
            Self::Service(name) => write!(formatter, "service {name}"),
        }
    }
}

/// Lists what a standard set-up is made of. `keys` holds the armored key of each fingerprint that the set-up names; one
/// that is not in it is left to whoever asks, who must not go on then.
#[must_use]
pub fn items(standard: &Standard, keys: &BTreeMap<String, String>) -> Vec<Item> {
    let mut items = Vec::new();
    for repository in &standard.repositories {
        for key in &repository.keys {
            let text = keys.get(&key.fingerprint).cloned().unwrap_or_default();
            items.push(Item::File { path: key_path(&key.fingerprint), mode: "0644", text });
        }
        let path = format!("/etc/yum.repos.d/{}.repo", repository.id);
        items.push(Item::File { path, mode: "0644", text: repository_file(repository) });
    }
    if let Some(user) = &standard.sudo_user {
        // sudo passes over files with a `.` in their name (sudoers(5), @includedir).
        let path = format!("/etc/sudoers.d/pkg-{}", user.replace(['.', '@', ':'], "_"));
        items.push(Item::File { path, mode: "0440", text: format!("{user} ALL=(root) NOPASSWD: ALL\n") });
    }
    items.extend(standard.packages.iter().cloned().map(Item::Package));
    items.extend(standard.directories.iter().map(|directory| Item::Directory {
        path: directory.path.clone(),
        mode: directory.mode.clone(),
        owner: format!("{}:{}", directory.owner, directory.group),
    }));
    items.extend(standard.services.iter().cloned().map(Item::Service));
    items
}

fn key_path(fingerprint: &str) -> String {
    format!("/etc/pki/rpm-gpg/RPM-GPG-KEY-pkg-{}", fingerprint.to_lowercase())
}

/// The repository's file (dnf.conf(5), repository options). Its keys are files of the host's, so that nothing is fetched
/// that was not pinned.
fn repository_file(repository: &StandardRepository) -> String {
    let StandardRepository { id, url, keys, gpgcheck, repo_gpgcheck } = repository;
    let flag = |on: bool| u8::from(on);
    let mut text = format!(
        "# Written by `pkg hosts prepare`, which takes changes back.\n[{id}]\nname={id}\nbaseurl={url}\nenabled=1\n\
         gpgcheck={}\nrepo_gpgcheck={}\n",
        flag(*gpgcheck),
        flag(*repo_gpgcheck)
    );
    if !keys.is_empty() {
        let keys: Vec<String> = keys.iter().map(|key| format!("file://{}", key_path(&key.fingerprint))).collect();
        text.push_str(&format!("gpgkey={}\n", keys.join("\n       ")));
    }
    text
}
