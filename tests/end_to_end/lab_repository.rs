//! pkg's own RPM, made by pkg: installed on a host, its repository started by systemd, and another host that installs from
//! it.

use std::path::Path;
use std::process::Stdio;

use crate::lab::Lab;
use crate::program::{PKG, pkg, repository_file, run};

const URL: &str = "http://10.77.0.11:8080";

/// Builds the package of the program under test, with its man pages and the shells' completions.
#[track_caller]
fn build_pkg(directory: &Path) -> std::path::PathBuf {
    let documents = directory.join("documents");
    run(pkg(directory).args(["man", "documents/man"])).ok();
    for shell in ["bash", "zsh", "fish"] {
        let completions = run(pkg(directory).args(["completions", shell]));
        std::fs::write(documents.join(format!("pkg.{shell}")), completions.ok()).unwrap();
    }
    let mut build = pkg(directory);
    build.env("VERSION", "0.1.0").env("BUILD_NUMBER", "1").env("ARCH", std::env::consts::ARCH).env("PROGRAM", PKG);
    build.env("DOCUMENTS", &documents);
    directory.join(run(build.arg("build").arg(repository_file("specs/pkg.toml"))).ok())
}

#[track_caller]
fn copy(lab: &Lab, host: &str, file: &Path, to: &str) {
    let mut copy = lab.host_command(host, &["sh", "-c", &format!("cat >{to}")]);
    run(copy.stdin(Stdio::from(std::fs::File::open(file).unwrap()))).ok();
}

#[test]
fn the_package_of_pkg_is_a_repository() {
    let directory = tempfile::tempdir().unwrap();
    let package = build_pkg(directory.path());
    let hello = pkg(directory.path()).arg("build").arg(repository_file("specs/hello.toml")).output().unwrap();
    let hello = directory.path().join(String::from_utf8(hello.stdout).unwrap().trim());

    let lab = Lab::up("repository", "/", &["repo1=plain", "web1=plain"]);
    let on = |host: &str, script: &str| lab.host(host, &["sh", "-ec", script]).ok().to_owned();
    copy(&lab, "repo1", &package, "/root/pkg.rpm");
    on("repo1", "dnf -y -q --nogpgcheck install /root/pkg.rpm");
    let installed = on("repo1", "rpm -ql pkg");
    for file in ["man/man1/pkg-deploy.1", "man/man1/pkg-hosts-prepare.1", "zsh/site-functions/_pkg"] {
        assert!(installed.contains(file), "{file} is missing: {installed}");
    }
    let complete = ". /usr/share/bash-completion/completions/pkg; COMP_WORDS=(pkg roll) COMP_CWORD=1; _pkg pkg roll pkg; echo ${COMPREPLY[*]}";
    assert_eq!(lab.host("repo1", &["bash", "-c", complete]).ok(), "rollback");
    // Type=notify: it answers once systemd says that it has started.
    on("repo1", "systemctl enable --now pkg-repository");
    assert_eq!(on("repo1", "systemctl is-active pkg-repository"), "active");
    assert_eq!(on("repo1", "stat -c '%U %a' /var/lib/pkg-repository"), "pkg-repository 750");
    assert_eq!(on("repo1", "find /var/lib/pkg-repository/keys -name '*.key' ! -perm 600"), "");

    let as_server = "setpriv --reuid=pkg-repository --regid=pkg-repository --clear-groups pkg";
    let create = "token create ci --scope publish:dev --store /var/lib/pkg-repository/store";
    let token = on("repo1", &format!("{as_server} {create}"));
    let publish = |token: &str| {
        let mut publish = lab.pkg();
        publish.env("PKG_TOKEN", token).arg("publish").arg(&hello).args(["--to", "dev", "--server", URL]);
        run(&mut publish)
    };
    publish("pkg_0000000000000000").exits(1);
    publish(&token).ok();

    let repo_file = run(lab.controller("curl").args(["-sSf", &format!("{URL}/dev/dev.repo")]));
    assert!(repo_file.ok().contains(&format!("{URL}/dev/")), "{}", repo_file.stdout);
    std::fs::write(directory.path().join("dev.repo"), &repo_file.stdout).unwrap();
    copy(&lab, "web1", &directory.path().join("dev.repo"), "/etc/yum.repos.d/dev.repo");
    on("web1", "dnf -y -q install hello");
    assert_eq!(on("web1", "rpm -q hello"), "hello-1.0-1.noarch");

    // It goes on where it was after a reload and a restart, and a configuration that was changed outlives an upgrade.
    on("repo1", "systemctl reload pkg-repository; sed -i 's/\"text\"/\"json\"/' /etc/pkg/repository.toml");
    on("repo1", "dnf -y -q --nogpgcheck reinstall /root/pkg.rpm; systemctl restart pkg-repository");
    on("repo1", "grep -q '\"json\"' /etc/pkg/repository.toml");
    let ready = run(lab.controller("curl").args(["-sSf", &format!("{URL}/readyz")]));
    assert!(ready.ok().starts_with("ready"), "{}", ready.stdout);
    let log = on("repo1", "journalctl -o cat -u pkg-repository");
    assert!(!log.contains(&token) && log.contains("\"level\":\"INFO\""), "{log}");
    on("repo1", "systemctl stop pkg-repository");
    assert_eq!(on("repo1", "systemctl show -P Result pkg-repository"), "success");
}
