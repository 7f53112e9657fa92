//! The standard set-up for machines that are yet to be made: cloud-init's user data and a kickstart's parts.

use std::fmt::Write;

use super::Item;

/// The user data of cloud-init (its modules `write_files`, `packages` and `runcmd`).
///
/// Files are written in the module's first stage, packages follow, and what needs both comes last. Texts are YAML's
/// double-quoted scalars, which JSON's strings are.
#[must_use]
pub fn cloud_init(items: &[Item]) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = "#cloud-config\n".to_owned();
    let files: Vec<_> = items.iter().filter_map(file).collect();
    if !files.is_empty() {
        text.push_str("write_files:\n");
    }
    for (path, mode, content) in files {
        let _ = writeln!(
            text,
            "  - path: {}\n    permissions: {}\n    owner: root:root\n    content: {}",
            quoted(path),
            quoted(mode),
            quoted(content)
        );
    }
    let packages: Vec<&String> = items.iter().filter_map(package).collect();
    if !packages.is_empty() {
        text.push_str("packages:\n");
    }
    for name in packages {
        let _ = writeln!(text, "  - {}", quoted(name));
    }
    let commands: Vec<Vec<String>> = items.iter().flat_map(commands).collect();
    if !commands.is_empty() {
        text.push_str("runcmd:\n");
    }
    for command in commands {
        let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
        let _ = writeln!(text, "  - [{}]", words.join(", "));
    }
    text
}

/// The parts of a kickstart file: `%packages`, and a `%post` that does the rest.
///
/// The installer does not know the repositories yet when it installs packages; so pinned ones come in `%post`, too.
#[must_use]
pub fn kickstart(items: &[Item]) -> String {
    let mut text = "%post --erroronfail\nset -e\numask 022\n".to_owned();
    for (number, (path, mode, content)) in items.iter().filter_map(file).enumerate() {
        let end = format!("END_OF_FILE_{number}");
        let directory = path.rsplit_once('/').map_or("/", |(directory, _)| directory);
        let newline = if content.ends_with('\n') { "" } else { "\n" };
        let _ =
            write!(text, "mkdir -p {directory}\ncat >{path} <<'{end}'\n{content}{newline}{end}\nchmod {mode} {path}\n");
    }
    let packages: Vec<&str> = items.iter().filter_map(package).map(String::as_str).collect();
    if !packages.is_empty() {
        let _ = writeln!(text, "dnf -y install {}", packages.join(" "));
    }
    for command in items.iter().flat_map(commands) {
        let _ = writeln!(text, "{}", command.join(" "));
    }
    text.push_str("%end\n");
    text
}

fn file(item: &Item) -> Option<(&str, &str, &str)> {
    match item {
        Item::File { path, mode, text } => Some((path, mode, text)),
        _ => None,
    }
}

fn package(item: &Item) -> Option<&String> {
    match item {
        Item::Package(name) => Some(name),
        _ => None,
    }
}

/// Commands whose words hold nothing that a shell or YAML would touch.
fn commands(item: &Item) -> Vec<Vec<String>> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match item {
        Item::Directory { path, mode, owner } => {
            vec![words(&["mkdir", "-p", path]), words(&["chown", owner, path]), words(&["chmod", mode, path])]
        }
        Item::Service(name) => vec![words(&["systemctl", "enable", name])],
        Item::File { .. } | Item::Package(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::items;
    use super::*;
    use crate::environment::{Standard, StandardDirectory, StandardKey, StandardRepository};

    fn standard() -> Vec<Item> {
        let fingerprint = "AB".repeat(20);
        let standard = Standard {
            repositories: vec![StandardRepository {
                id: "pkg-prod".to_owned(),
                url: "https://rpm.example.org/prod/$basearch".to_owned(),
                keys: vec![StandardKey {
                    url: "https://rpm.example.org/k".to_owned(),
                    fingerprint: fingerprint.clone(),
                }],
                gpgcheck: true,
                repo_gpgcheck: true,
            }],
            packages: vec!["tomcat-9.0.85-1.el9".to_owned()],
            directories: vec![StandardDirectory {
                path: "/etc/shop".to_owned(),
                owner: "root".to_owned(),
                group: "tomcat".to_owned(),
                mode: "0750".to_owned(),
            }],
            services: vec!["tomcat".to_owned()],
            sudo_user: Some("j.doe".to_owned()),
        };
        items(&standard, &BTreeMap::from([(fingerprint, "-----BEGIN PGP\n\"x\" $y\n".to_owned())]))
    }

    #[test]
    fn the_repository_trusts_the_pinned_key_alone() {
        let texts: Vec<String> =
            standard().iter().filter_map(file).map(|(path, _, text)| format!("{path}\n{text}")).collect();
        assert!(texts[0].starts_with("/etc/pki/rpm-gpg/RPM-GPG-KEY-pkg-abab"), "{texts:?}");
        assert!(texts[1].contains("baseurl=https://rpm.example.org/prod/$basearch\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-pkg-abab"), "{texts:?}");
        assert_eq!(texts[2], "/etc/sudoers.d/pkg-j_doe\nj.doe ALL=(root) NOPASSWD: ALL\n");
    }

    #[test]
    fn images_hold_the_same() {
        let cloud = cloud_init(&standard());
        for part in [
            "#cloud-config\nwrite_files:\n",
            "    content: \"-----BEGIN PGP\\n\\\"x\\\" $y\\n\"\n",
            "    permissions: \"0440\"\n",
            "packages:\n  - \"tomcat-9.0.85-1.el9\"\nruncmd:\n  - [\"mkdir\", \"-p\", \"/etc/shop\"]\n",
            "  - [\"systemctl\", \"enable\", \"tomcat\"]\n",
        ] {
            assert!(cloud.contains(part), "{part}\n{cloud}");
        }
        let kickstart = kickstart(&standard());
        for part in [
            "%post --erroronfail\nset -e\n",
            "<<'END_OF_FILE_0'\n-----BEGIN PGP\n\"x\" $y\nEND_OF_FILE_0\n",
            "chmod 0440 /etc/sudoers.d/pkg-j_doe\n",
            "dnf -y install tomcat-9.0.85-1.el9\nmkdir -p /etc/shop\nchown root:tomcat /etc/shop\n",
        ] {
            assert!(kickstart.contains(part), "{part}\n{kickstart}");
        }
    }
}
