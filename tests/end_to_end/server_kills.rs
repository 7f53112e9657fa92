//! A server that is killed in the middle of its work, again and again: what it acknowledged is there when it comes back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::program::{Ran, pkg, repository_file, run};
use crate::server::Server;

const ROUNDS: u64 = 8;

/// What the channels list, by the names of packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Listed {
    dev: BTreeSet<String>,
    prod: BTreeSet<String>,
}

#[track_caller]
fn packages(folder: &Path) -> Vec<PathBuf> {
    let mut command = std::process::Command::new(repository_file("bench/make-rpms"));
    run(command.arg(folder).args(["200", "--payload", "512"])).ok();
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

struct Site<'a> {
    folder: &'a Path,
    url: &'a str,
}

impl Site<'_> {
    fn pkg(&self, arguments: &[&str]) -> Ran {
        run(pkg(self.folder).env("PKG_SERVER", self.url).arg("--json").args(arguments))
    }

    #[track_caller]
    fn listed(&self) -> Listed {
        let names = |channel| {
            let list: serde_json::Value = serde_json::from_str(self.pkg(&["list", channel]).ok()).unwrap();
            let packages = list["packages"].as_array().unwrap().iter();
            packages.map(|package| package["nevra"].as_str().unwrap().to_owned()).collect()
        };
        Listed { dev: names("dev"), prod: names("prod") }
    }

    /// Makes one change, the `number`th; gives what is listed after it.
    fn change(&self, number: usize, file: &Path, before: &Listed) -> (Ran, Listed) {
        let mut after = before.clone();
        if let Some(package) = before.dev.difference(&before.prod).next().filter(|_| number % 3 == 1) {
            after.prod.insert(package.clone());
            return (self.pkg(&["promote", package, "--from", "dev", "--to", "prod"]), after);
        }
        if let Some(package) = before.prod.first().filter(|_| number % 5 == 4) {
            after.prod.remove(package);
            return (self.pkg(&["withdraw", package, "--from", "prod"]), after);
        }
        let header = rpm_header::PackageHeader::read_file(file).unwrap();
        after.dev.insert(header.nevra.to_string());
        (self.pkg(&["publish", file.to_str().unwrap(), "--to", "dev"]), after)
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let mut files = packages(&directory.path().join("rpms")).into_iter();
    let (mut acknowledged, mut uncertain, mut changes) = (Listed::default(), None, 0);
    for round in 0..ROUNDS {
        let mut serve = pkg(directory.path());
        let server = Server::start(serve.args(["serve", "--store", "store", "--listen", "127.0.0.1:0"]));
        let url = server.url.clone();
        let site = Site { folder: directory.path(), url: &url };
        let listed = site.listed();
        assert!(listed == acknowledged || Some(&listed) == uncertain.as_ref(), "round {round}: {listed:?}");
        acknowledged = listed;
        let dead = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(400 + 173 * round % 600));
                // SIGKILL, as it is dropped.
                drop(server);
                dead.store(true, Ordering::Relaxed);
            });
            while !dead.load(Ordering::Relaxed) {
                // Whoever asks a server that is gone asks again for long.
                let (ran, after) = site.change(changes, &files.next().unwrap(), &acknowledged);
                changes += 1;
                if ran.code != 0 {
                    uncertain = Some(after);
                    break;
                }
                acknowledged = after;
            }
        });
        run(pkg(directory.path()).args(["fsck", "--store", "store"])).ok();
    }
    assert!(acknowledged.dev.len() > 5, "{acknowledged:?}");
}
