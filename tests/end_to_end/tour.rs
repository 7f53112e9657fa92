//! The README's tour of five minutes: build, inspect, serve, publish, promote, list, and what clients see of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::{pkg, repository_file, run};
use crate::server::Server;

/// A directory with `hello` built in two versions, and a server.
struct Tour {
    directory: tempfile::TempDir,
    server: Server,
}

impl Tour {
    #[track_caller]
    fn begin() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (version, release) in [("1.0", "1"), ("1.1", "2")] {
            build_hello(directory.path(), version, release);
        }
        let server =
            Server::start(pkg(directory.path()).args(["serve", "--store", "store", "--listen", "127.0.0.1:0"]));
        Self { directory, server }
    }

    fn pkg(&self) -> Command {
        let mut command = pkg(self.directory.path());
        command.env("PKG_SERVER", &self.server.url);
        command
    }

    /// Asks dnf what it sees of a channel; the format's fields are separated by `|`.
    #[track_caller]
    fn dnf(&self, channel: &str, arguments: &[&str]) -> String {
        let mut command = Command::new("dnf");
        let cache = self.directory.path().join("dnf");
        command.args(["-q", "--refresh", "--releasever=9", "--repo=tour"]);
        command.arg(format!("--repofrompath=tour,{}/{channel}", self.server.url));
        command.arg(format!("--setopt=cachedir={}", cache.display())).args(arguments);
        run(&mut command).ok().to_owned()
    }
}

fn build_hello(directory: &Path, version: &str, release: &str) -> PathBuf {
    let spec = repository_file("specs/hello.toml");
    let built = run(pkg(directory).arg("build").arg(spec).args(["--version", version, "--release", release]));
    directory.join(built.ok())
}

#[test]
fn what_is_published_is_there_when_the_command_returns() {
    let tour = Tour::begin();
    assert_eq!(tour.dnf("dev", &["repoquery"]), "");

    let published = run(tour.pkg().args(["publish", "dist/hello-1.0-1.noarch.rpm", "--to", "dev"]));
    assert!(published.ok().starts_with("hello-1.0-1.noarch"), "{}", published.stdout);
    assert_eq!(tour.dnf("dev", &["repoquery"]), "hello-0:1.0-1.noarch");

    run(tour.pkg().args(["publish", "dist/hello-1.1-2.noarch.rpm", "--to", "dev"])).ok();
    assert_eq!(tour.dnf("dev", &["repoquery"]), "hello-0:1.0-1.noarch\nhello-0:1.1-2.noarch");
    assert_eq!(tour.dnf("qa", &["repoquery"]), "");

    run(tour.pkg().args(["promote", "hello-1.0-1", "--from", "dev", "--to", "qa"])).ok();
    assert_eq!(tour.dnf("qa", &["repoquery"]), "hello-0:1.0-1.noarch");

    let listed = run(tour.pkg().args(["list", "qa", "--json"]));
    let listed: Value = serde_json::from_str(listed.ok()).unwrap();
    assert_eq!(listed["packages"][0]["nevra"], "hello-1.0-1.noarch");

    run(tour.pkg().args(["withdraw", "hello-1.0-1", "--from", "qa"])).ok();
    assert_eq!(tour.dnf("qa", &["repoquery"]), "");
    assert_eq!(tour.dnf("dev", &["repoquery"]), "hello-0:1.0-1.noarch\nhello-0:1.1-2.noarch");
}

/// dnf's view of the package, told by our repodata, is what rpm reads in the file.
#[test]
fn what_dnf_sees_is_what_was_built() {
    let tour = Tour::begin();
    run(tour.pkg().args(["publish", "dist/hello-1.1-2.noarch.rpm", "--to", "dev"])).ok();
    let file = tour.directory.path().join("dist/hello-1.1-2.noarch.rpm");
    let rpm = |arguments: &[&str]| run(Command::new("rpm").args(arguments).arg(&file)).ok().to_owned();
    let sorted = |text: String| {
        let mut lines: Vec<String> =
            text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
        lines.sort();
        lines.dedup();
        lines
    };

    let fields =
        ["NAME", "EPOCHNUM", "VERSION", "RELEASE", "ARCH", "SUMMARY", "LICENSE", "SIZE", "BUILDTIME", "SOURCERPM"];
    let asked = fields.map(|field| format!("%{{{field}}}")).join("|");
    let seen =
        "%{name}|%{epoch}|%{version}|%{release}|%{arch}|%{summary}|%{license}|%{installsize}|%{buildtime}|%{sourcerpm}";
    let told = tour.dnf("dev", &["repoquery", "--qf", seen, "hello"]);
    let built = rpm(&["-qp", "--qf", &asked]);
    let (told, built): (Vec<&str>, Vec<&str>) = (told.trim().split('|').collect(), built.split('|').collect());
    for ((field, told), built) in fields.iter().zip(told).zip(built) {
        // dnf prints the time as a date.
        if *field != "BUILDTIME" {
            assert_eq!(told, built, "{field}");
        }
    }
    // Repodata says nothing of rpm's own features, nor of what a package requires and provides itself.
    let provided = sorted(rpm(&["-qp", "--provides"]));
    let external = |lines: Vec<String>| {
        lines.into_iter().filter(|line| !line.starts_with("rpmlib(") && !provided.contains(line)).collect::<Vec<_>>()
    };
    assert_eq!(
        external(sorted(tour.dnf("dev", &["repoquery", "--requires", "hello"]))),
        external(sorted(rpm(&["-qp", "--requires"])))
    );
    for asked in ["--provides", "--list"] {
        assert_eq!(sorted(tour.dnf("dev", &["repoquery", asked, "hello"])), sorted(rpm(&["-qp", asked])), "{asked}");
    }
}

/// Builds with rpmbuild what an empty root lacks, so that a package can be installed there.
fn build_base(directory: &Path) -> PathBuf {
    let spec = directory.join("base.spec");
    let text = "Name: base\nVersion: 1\nRelease: 1\nSummary: What a root has\nLicense: MIT\nBuildArch: noarch\n\
                Provides: /bin/sh\n%description\nBase.\n%files\n";
    std::fs::write(&spec, text).unwrap();
    let target = format!("_rpmdir {}", directory.display());
    let names = "_rpmfilename %%{NAME}.rpm";
    run(Command::new("rpmbuild").args(["-bb", "--quiet", "--define", &target, "--define", names]).arg(&spec)).ok();
    directory.join("base.rpm")
}

#[test]
fn zypper_lists_and_installs_what_was_published() {
    let tour = Tour::begin();
    let base = build_base(tour.directory.path());
    let files = ["dist/hello-1.0-1.noarch.rpm", "dist/hello-1.1-2.noarch.rpm", base.to_str().unwrap()];
    run(tour.pkg().arg("publish").args(files).args(["--to", "dev"])).ok();
    let root = tour.directory.path().join("root");
    let zypper = |arguments: &[&str]| {
        let mut command = Command::new("zypper");
        command.arg("--root").arg(&root).args(["--non-interactive", "--gpg-auto-import-keys"]);
        run(command.args(arguments))
    };
    zypper(&["addrepo", "--gpgcheck", &format!("{}/dev", tour.server.url), "tour"]).ok();
    zypper(&["refresh"]).ok();
    let found = zypper(&["search", "--details", "hello"]);
    assert!(found.ok().contains("1.1-2") && found.stdout.contains("1.0-1"), "{}", found.stdout);
    let installed = || run(Command::new("rpm").arg("--root").arg(&root).args(["-q", "hello"])).ok().to_owned();
    zypper(&["install", "--no-recommends", "hello-1.0-1"]).ok();
    assert_eq!(installed(), "hello-1.0-1.noarch");
}

#[test]
fn inspect_shows_what_was_built() {
    let directory = tempfile::tempdir().unwrap();
    let file = build_hello(directory.path(), "1.0", "1");
    let text = run(pkg(directory.path()).arg("inspect").arg(&file));
    for part in ["hello-1.0-1.noarch", "/etc/hello/hello.properties (noreplace)", "/usr/share/hello/hello.war"] {
        assert!(text.ok().contains(part), "{part}\n{}", text.stdout);
    }
    let json = run(pkg(directory.path()).args(["inspect", "--json"]).arg(&file));
    let json: Value = serde_json::from_str(json.ok()).unwrap();
    assert_eq!(json["nevra"], "hello-1.0-1.noarch");
    assert_eq!(json["digests"], serde_json::json!({ "header": "ok", "payload": "ok" }));
}

/// What was cut off, or changed on its way, is shown as far as it can be read, and is no success.
#[test]
fn inspect_tells_what_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let file = build_hello(directory.path(), "1.0", "1");
    let bytes = std::fs::read(directory.path().join(&file)).unwrap();
    let summary = bytes.windows(5).rposition(|window| window == b"hello").unwrap();
    let mut changed = bytes.clone();
    changed[summary] = b'j';
    for (bytes, says) in [
        (&bytes[..bytes.len() - 1], "is damaged: its payload is not what the digest in it says"),
        (&changed[..], "is damaged: its header is not what the digest in it says"),
        (&bytes[..bytes.len() / 3], "could not inspect `damaged.rpm`"),
    ] {
        std::fs::write(directory.path().join("damaged.rpm"), bytes).unwrap();
        let told = run(pkg(directory.path()).args(["inspect", "damaged.rpm"]));
        told.exits(2);
        told.says(&[says]);
    }
    run(std::process::Command::new("mkfifo").arg(directory.path().join("pipe"))).ok();
    let pipe = run(pkg(directory.path()).args(["inspect", "pipe"]));
    pipe.exits(2);
    pipe.says(&["it is a named pipe"]);
}

#[test]
fn a_published_version_survives_a_restart_of_the_server() {
    let Tour { directory, server } = Tour::begin();
    let publish = ["publish", "dist/hello-1.0-1.noarch.rpm", "--to", "dev"];
    run(pkg(directory.path()).env("PKG_SERVER", &server.url).args(publish)).ok();
    drop(server);
    let server = Server::start(pkg(directory.path()).args(["serve", "--store", "store", "--listen", "127.0.0.1:0"]));
    let tour = Tour { directory, server };
    assert_eq!(tour.dnf("dev", &["repoquery"]), "hello-0:1.0-1.noarch");
}
