//! dnf, zypper and gpg against a server on loopback.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Running, author, channel, rpm, rpmbuild, run};

const SPEC: &str = "\
Name: hello
Version: 1.1
Release: 1
Epoch: 2
Summary: Greets & leaves
License: MIT
BuildArch: noarch
Provides: greeting = 7
%description
Greets.
%install
mkdir -p %{buildroot}/etc/hello %{buildroot}/usr/share/hello
echo a > %{buildroot}/etc/hello/a.conf
echo b > %{buildroot}/usr/share/hello/b
%files
/etc/hello/a.conf
/usr/share/hello/b
%changelog
* Mon Jan 01 2024 Ana <ana@example.org> - 1.1-1
- first & last
";

/// A client's root with the channel's own `.repo` file.
struct Root(tempfile::TempDir);

impl Root {
    async fn new(server: &Running, repos: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let text = reqwest_text(&format!("{}/dev/dev.repo", server.url)).await;
        for directory in [repos, "var/log"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        std::fs::write(root.path().join(repos).join("dev.repo"), text).unwrap();
        Self(root)
    }

    fn dnf(&self, arguments: &[&str]) -> String {
        let mut command = without_proxy("dnf");
        command.args(["--quiet", "--assumeyes", "--noplugins", "--releasever=9", "--forcearch=x86_64"]);
        command.arg("--setopt=cachedir=/cache").arg("--installroot").arg(self.0.path()).args(arguments);
        String::from_utf8(run(&mut command).stdout).unwrap()
    }

    fn zypper(&self, arguments: &[&str]) -> String {
        let mut command = without_proxy("zypper");
        command.arg("--root").arg(self.0.path()).args(["--non-interactive", "--gpg-auto-import-keys"]).args(arguments);
        String::from_utf8(run(&mut command).stdout).unwrap()
    }
}

fn without_proxy(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("no_proxy", "*").env("LC_ALL", "C.UTF-8");
    command
}

async fn reqwest_text(url: &str) -> String {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.get(url).send().await.unwrap().text().await.unwrap()
}

fn hello(directory: &Path) -> Vec<u8> {
    let built: Vec<PathBuf> = rpmbuild(directory, SPEC);
    std::fs::read(built.iter().find(|path| path.to_string_lossy().ends_with("noarch.rpm")).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn dnf_sees_every_commit_at_once() {
    let server = Running::new().await;
    let root = Root::new(&server, "etc/yum.repos.d").await;
    assert_eq!(root.dnf(&["repoquery"]), "", "an empty channel is valid");

    let bytes = hello(server.lab.directory.path());
    server.lab.publish("dev", vec![bytes.clone(), rpm("app", "1.0~rc1^7+x", "a")]).await;
    assert_eq!(root.dnf(&["--refresh", "repoquery"]), "app-0:1.0~rc1^7+x-1.noarch\nhello-2:1.1-1.noarch\n");
    assert_eq!(root.dnf(&["repoquery", "--list", "hello"]), "/etc/hello/a.conf\n/usr/share/hello/b\n");
    assert_eq!(root.dnf(&["repoquery", "--whatprovides", "greeting >= 7"]), "hello-2:1.1-1.noarch\n");
    assert_eq!(root.dnf(&["repoquery", "--file", "/usr/share/hello/b"]), "hello-2:1.1-1.noarch\n");
    assert!(root.dnf(&["repoquery", "--changelogs", "hello"]).contains("- first & last"));
    let downloads = tempfile::tempdir().unwrap();
    let to = format!("--downloaddir={}", downloads.path().display());
    root.dnf(&["install", "--downloadonly", &to, "hello", "app"]);
    assert!(std::fs::read(downloads.path().join("hello-1.1-1.noarch.rpm")).unwrap() == bytes);
    assert!(downloads.path().join("app-1.0~rc1^7+x-1.noarch.rpm").exists());

    let query = ["hello-1.1-1".parse().unwrap()];
    server.lab.repository.withdraw(&channel("dev"), &query, author()).await.unwrap();
    assert_eq!(root.dnf(&["--refresh", "repoquery"]), "app-0:1.0~rc1^7+x-1.noarch\n");
    let mirrors = format!("--setopt=pkg-dev.mirrorlist={}/dev/mirrorlist", server.url);
    let arguments = ["--refresh", &mirrors, "--setopt=pkg-dev.baseurl=", "repoquery"];
    assert_eq!(root.dnf(&arguments), "app-0:1.0~rc1^7+x-1.noarch\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn dnf_refuses_what_the_key_did_not_sign() {
    let server = Running::new().await;
    server.lab.publish("dev", vec![rpm("app", "1.0", "a")]).await;
    let root = Root::new(&server, "etc/yum.repos.d").await;
    let other = tempfile::tempdir().unwrap();
    let other_key = other.path().join("other.asc");
    let key = repo_server::KeyRing::open_or_make(&other.path().join("keys")).unwrap();
    std::fs::write(&other_key, key.keys().public()).unwrap();
    let mut command = without_proxy("dnf");
    command.args(["--quiet", "--assumeyes", "--noplugins", "--releasever=9", "--setopt=cachedir=/cache"]);
    command.arg(format!("--setopt=pkg-dev.gpgkey=file://{}", other_key.display()));
    let output = command.arg("--installroot").arg(root.0.path()).arg("repoquery").output().unwrap();
    assert!(!output.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn zypper_sees_every_commit() {
    let server = Running::new().await;
    let root = Root::new(&server, "etc/zypp/repos.d").await;
    server.lab.publish("dev", vec![rpm("app", "1.0", "a")]).await;
    root.zypper(&["refresh"]);
    assert!(root.zypper(&["search", "--details", "app"]).contains("1.0-1"));
    server.lab.publish("dev", vec![rpm("app", "1.1", "b")]).await;
    root.zypper(&["refresh", "--force"]);
    let found = root.zypper(&["search", "--details", "app"]);
    assert!(found.contains("1.0-1") && found.contains("1.1-1"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn gpg_accepts_the_signature() {
    let server = Running::new().await;
    let home = tempfile::Builder::new().prefix("gpg").tempdir().unwrap();
    let mut paths = Vec::new();
    for path in ["keys/repository.asc", "dev/repodata/repomd.xml", "dev/repodata/repomd.xml.asc"] {
        let file = home.path().join(path.rsplit('/').next().unwrap());
        std::fs::write(&file, reqwest_text(&format!("{}/{path}", server.url)).await).unwrap();
        paths.push(file);
    }
    let gpg = || {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--no-autostart", "--homedir"]).arg(home.path());
        command
    };
    run(gpg().arg("--import").arg(&paths[0]));
    run(gpg().arg("--verify").arg(&paths[2]).arg(&paths[1]));
}
