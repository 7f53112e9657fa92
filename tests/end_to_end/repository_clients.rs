//! Clients of four generations against one server: by base URL, mirror list and metalink, with all signatures checked.

use std::path::Path;
use std::process::Command;

use crate::program::{pkg, run};
use crate::root::Root;
use crate::server::Server;
use crate::shop;

const WAYS: [(&str, &str); 3] = [("baseurl", ""), ("mirrorlist", "mirrorlist"), ("metalink", "metalink")];

/// Two versions of signed packages, and a server that has them.
struct Hosting {
    directory: tempfile::TempDir,
    server: Server,
}

impl Hosting {
    #[track_caller]
    fn begin() -> Self {
        let directory = tempfile::tempdir().unwrap();
        shop::make_key(directory.path(), "rsa2048");
        let server =
            Server::start(pkg(directory.path()).args(["serve", "--store", "store", "--listen", "127.0.0.1:0"]));
        let hosting = Self { directory, server };
        hosting.publish("1");
        hosting.publish("2");
        hosting
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    #[track_caller]
    fn publish(&self, version: &str) {
        let built = shop::build(self.path(), version, &[("--sign", "private.asc")]);
        let mut publish = pkg(self.path());
        publish.env("PKG_SERVER", &self.server.url).args(["publish", "--to", "dev"]).args(built);
        run(&mut publish).ok();
    }

    #[track_caller]
    fn get(&self, path: &str) -> String {
        let url = format!("{}/{path}", self.server.url);
        run(Command::new("curl").args(["-fsS", "--noproxy", "*", &url])).ok().to_owned()
    }

    /// How many requests of a kind were answered.
    #[track_caller]
    fn answered(&self, route: &str) -> u64 {
        let start = format!("pkg_http_requests_total{{route=\"{route}\"");
        let metrics = self.get("metrics");
        let lines = metrics.lines().filter(|line| line.starts_with(&start));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }

    /// Brings up a root that trusts the builder's key and has the repository by one way alone.
    #[track_caller]
    fn root(&self, suite: &str, (option, path): (&str, &str)) -> Root {
        let root = Root::up(suite, self.path());
        root.sh(&format!("rpm --import {}/public.asc", self.path().display())).ok();
        let url = &self.server.url;
        let repository = format!(
            "[dev]\nname=dev\n{option}={url}/dev/{path}\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\n\
             gpgkey={url}/keys/repository.asc\nmetadata_expire=0\nskip_if_unavailable=0"
        );
        root.sh(&format!("cat >/etc/yum.repos.d/dev.repo <<'END'\n{repository}\nEND")).ok();
        root
    }
}

#[track_caller]
fn reads(suite: &str) {
    let hosting = Hosting::begin();
    for way in WAYS {
        let root = hosting.root(suite, way);
        let dnf = |arguments: &[&str]| run(root.command("dnf").args(["-y", "-q"]).args(arguments)).ok().to_owned();
        let installed = || root.sh("rpm -q shop").ok().to_owned();
        let what = format!("{suite} by {}", way.0);

        let mut known: Vec<String> = dnf(&["repoquery", "shop"]).lines().map(str::to_owned).collect();
        known.sort();
        assert_eq!(known, ["shop-0:1-1.noarch", "shop-0:2-1.noarch"], "{what}");
        assert!(dnf(&["search", "shop"]).contains("shop-docs"), "{what}");
        assert!(dnf(&["list", "--available"]).contains("shop-config-prod"), "{what}");
        let owner = dnf(&["provides", "/usr/share/shop/current"]);
        assert!(owner.contains("shop-1-1") || owner.contains("shop-2-1"), "{what}: {owner}");

        dnf(&["install", "shop-1-1", "shop-config-prod-1-1"]);
        assert_eq!(installed(), "shop-1-1.noarch", "{what}");
        dnf(&["upgrade", "shop"]);
        assert_eq!(installed(), "shop-2-1.noarch", "{what}");
        dnf(&["downgrade", "shop-1-1"]);
        assert_eq!(installed(), "shop-1-1.noarch", "{what}");

        // Where nothing is new, a metalink is all that is asked for.
        dnf(&["--refresh", "makecache"]);
        let before = (hosting.answered("metadata"), hosting.answered("repomd"));
        dnf(&["--refresh", "makecache"]);
        let after = (hosting.answered("metadata"), hosting.answered("repomd"));
        assert_eq!(before.0, after.0, "{what}: documents");
        if way.0 == "metalink" {
            assert_eq!(before.1, after.1, "{what}: repomd.xml");
        }
    }
    let root = hosting.root(suite, WAYS[2]);
    hosting.publish("3");
    let newest = run(root.command("dnf").args(["-y", "-q", "--refresh", "repoquery", "--latest-limit=1", "shop"]));
    assert_eq!(newest.ok(), "shop-0:3-1.noarch", "{suite}");
}

#[test]
fn dnf_4_5_reads() {
    reads("bullseye");
}

#[test]
fn dnf_4_14_reads() {
    reads("bookworm");
}

#[test]
fn dnf_4_23_reads() {
    reads("trixie");
}

#[test]
fn dnf_5_reads() {
    reads("sid");
}
