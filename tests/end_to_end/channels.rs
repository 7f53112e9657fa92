//! Channels administered from the command line: settings, tags, differences, history, keys.

use std::path::Path;

use serde_json::Value;

use crate::program::{Ran, pkg, run};
use crate::server::Server;

struct Site {
    directory: tempfile::TempDir,
    server: Server,
}

impl Site {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let server = Server::start(pkg(directory.path()).args(["serve", "--listen", "127.0.0.1:0"]));
        Self { directory, server }
    }

    fn pkg(&self, line: &str) -> Ran {
        run(pkg(self.directory.path()).env("PKG_SERVER", &self.server.url).args(line.split_whitespace()))
    }

    fn json(&self, line: &str) -> Value {
        serde_json::from_str(self.pkg(&format!("{line} --json")).ok()).unwrap()
    }

    /// Builds a version with rpmbuild and publishes it.
    fn publish(&self, version: &str, channel: &str) -> Ran {
        let file = rpm(self.directory.path(), version);
        self.pkg(&format!("publish {file} --to {channel}"))
    }
}

fn rpm(directory: &Path, version: &str) -> String {
    let spec = "Name: app\nVersion: %{v}\nRelease: 1\nSummary: App\nLicense: MIT\nBuildArch: noarch\n\
                %description\nApp.\n%files\n";
    std::fs::write(directory.join("app.spec"), spec).unwrap();
    let mut command = std::process::Command::new("rpmbuild");
    command.current_dir(directory).args(["-bb", "--quiet", "--define"]);
    command.arg(format!("_topdir {}/rpmbuild", directory.display()));
    run(command.arg("--define").arg(format!("v {version}")).arg("app.spec")).ok();
    format!("rpmbuild/RPMS/noarch/app-{version}-1.noarch.rpm")
}

#[test]
fn channels_from_the_command_line() {
    let site = Site::new();
    site.pkg("channel create el9 --compression zstd --signatures door --keep-last 2").ok();
    site.pkg("channel create el9").exits(1);
    site.pkg("channel create Bad").exits(2);
    site.pkg("channel set el9 --signatures required").exits(2);
    for version in ["1.0", "1.1", "1.2"] {
        site.publish(version, "el9").ok();
    }
    site.pkg("tag create june --why release").ok();
    let would = site.json("channel retain el9 --dry-run");
    assert_eq!(would["held"][0]["by"][0], "tag june");
    site.pkg("tag remove june").ok();
    assert_eq!(site.pkg("channel retain el9").ok(), "app-1.0-1.noarch  withdrawn");
    let commit = site.json("list")["commit"].as_u64().unwrap();
    site.pkg("promote app-1.1-1 app-1.2-1 --from el9 --to qa --to prod --why CHG-1").ok();
    assert_eq!(site.pkg("list qa").ok().lines().count(), 2);
    assert_eq!(site.pkg(&format!("list qa --at {commit}")).ok(), "");
    assert_eq!(site.pkg(&format!("list qa@{commit}")).ok(), "");
    assert_eq!(site.pkg("withdraw app-1.2-1 --from prod").exits(0).lines().count(), 1);
    assert_eq!(site.pkg("diff prod qa").ok(), "up      app.noarch  1.1-1 -> 1.2-1  +1.2-1");
    site.pkg("diff qa nope").exits(2);
    site.pkg("channel set prod --promotions-from qa").ok();
    site.publish("2.0", "prod").says(&["channel `prod` takes packages by promotion alone from `qa`"]);

    let log = site.json("log qa");
    assert_eq!(log["entries"][0]["why"], "CHG-1");
    assert_eq!(log["entries"][0]["channels"], serde_json::json!(["qa", "prod"]));
    let shown = site.json("channel show el9");
    assert_eq!((&shown["packages"], &shown["settings"]["signatures"]), (&Value::from(2), &Value::from("door")));
}

#[test]
fn keys_from_the_command_line() {
    let site = Site::new();
    site.pkg("key list --key-dir nowhere").says(&["there are no keys in nowhere"]);
    let first = site.pkg("key list").ok().to_owned();
    let next = site.pkg("key announce").ok().replace("  next", "");
    site.pkg("key announce").exits(1);
    site.pkg("key rotate").ok();
    assert!(site.pkg("key list").ok().starts_with(&format!("{next}  signs\n")));
    let begun = std::time::Instant::now();
    while !site.pkg("log --limit 1").ok().contains("signed-anew") {
        assert!(begun.elapsed().as_secs() < 20, "the server does not follow");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    site.pkg(&format!("key retire {}", first.replace("  signs", ""))).ok();
    site.pkg(&format!("key retire {next}")).exits(1);
}
