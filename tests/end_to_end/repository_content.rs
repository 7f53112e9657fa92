//! What clients make of a closed server's channels: documents in zstd and without open checksums, advisories, mirrors.

use std::path::Path;
use std::process::Command;

use crate::program::{Ran, pkg, run};
use crate::root::Root;
use crate::server::Server;
use crate::shop;

/// Above it a document has no open checksum, bytes of XML.
const LARGE: usize = 2 << 20;
const TOKEN: &str = "pkg_of_a_test_that_nobody_else_knows";
const CHANNELS: [&str; 2] = ["gz", "zst"];

const ADVISORY: &str = "id = 'SHOP-2026:7'\ntitle = 'shop: orders of others could be read'\ntype = 'security'\n\
    severity = 'Important'\nissued = '2026-02-03'\ndescription = 'Upgrade and restart.'\n\
    packages = ['shop-2-1.noarch']\n[[references]]\ntype = 'cve'\nid = 'CVE-2026-1234'\n\
    url = 'https://cve.example.org/CVE-2026-1234'\n";

/// A server that only tokens may read, with two channels of the same content: two versions of a signed application with
/// an advisory, and a package with so many names that primary.xml and filelists.xml are large.
struct Hosting {
    directory: tempfile::TempDir,
    server: Server,
}

impl Hosting {
    #[track_caller]
    fn begin() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        std::fs::write(path.join("token"), TOKEN).unwrap();
        std::fs::write(path.join("advisory.toml"), ADVISORY).unwrap();
        let mut serve = pkg(path);
        serve.args(["serve", "--store", "store", "--listen", "127.0.0.1:0", "--read", "tokens"]);
        let server = Server::start(serve.args(["--token-file", "token"]));
        let mut files = vec![large(path), twin(path, 0), twin(path, 1)];
        for version in ["1", "2"] {
            files.extend(shop::build(path, version, &[]).iter().map(|file| file.display().to_string()));
        }
        let hosting = Self { directory, server };
        for (channel, compression) in CHANNELS.into_iter().zip(["gzip", "zstd"]) {
            hosting.pkg(&["channel", "create", channel, "--compression", compression, "--signatures", "door"]).ok();
            let files = files.iter().map(String::as_str);
            hosting.pkg(&["publish", "--to", channel].into_iter().chain(files).collect::<Vec<_>>()).ok();
            hosting.pkg(&["attach", channel, "--advisory", "advisory.toml"]).ok();
        }
        hosting
    }

    fn pkg(&self, arguments: &[&str]) -> Ran {
        let mut command = pkg(self.directory.path());
        run(command.env("PKG_SERVER", &self.server.url).env("PKG_TOKEN", TOKEN).args(arguments))
    }

    /// Brings up a root that has a channel, with the token as the password.
    #[track_caller]
    fn root(&self, suite: &str, channel: &str) -> Root {
        let root = Root::up(suite, self.directory.path());
        let url = &self.server.url;
        let repository = format!(
            "[it]\nname=it\nbaseurl={url}/{channel}/\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\nusername=host\n\
             password={TOKEN}\ngpgkey={url}/keys/repository.asc\nmetadata_expire=0\nskip_if_unavailable=0"
        );
        root.sh(&format!("cat >/etc/yum.repos.d/it.repo <<'END'\n{repository}\nEND")).ok();
        root
    }
}

/// Builds a package with 24,000 provides and 12,000 files.
#[track_caller]
fn large(directory: &Path) -> String {
    let many: String =
        (0..24_000).map(|number| format!("Provides: a-rather-long-name-of-a-thing({number}) = 1\n")).collect();
    let spec = format!(
        "Name: large\nVersion: 1\nRelease: 1\nSummary: Large\nLicense: MIT\nBuildArch: noarch\n{many}\
         %description\nLarge.\n%install\nmkdir -p %{{buildroot}}/opt/large\ncd %{{buildroot}}/opt/large\n\
         seq -f '{}-%05g' 12000 | xargs touch\n%files\n/opt/large\n",
        "n".repeat(200)
    );
    std::fs::write(directory.join("large.spec"), spec).unwrap();
    let folder = format!("_topdir {}/rpmbuild", directory.display());
    let mut build = Command::new("rpmbuild");
    build.args(["-bb", "--quiet", "--define", &folder, "--define", "_binary_payload w1.gzdio", "large.spec"]);
    run(build.current_dir(directory)).ok();
    "rpmbuild/RPMS/noarch/large-1-1.noarch.rpm".to_owned()
}

/// Builds a package with an epoch.
#[track_caller]
fn twin(directory: &Path, epoch: u32) -> String {
    let spec = format!(
        "Name: twin\nEpoch: {epoch}\nVersion: 1\nRelease: 1\nSummary: Twin\nLicense: MIT\nBuildArch: noarch\n\
         %description\nTwin.\n%files\n"
    );
    std::fs::write(directory.join("twin.spec"), spec).unwrap();
    let (folder, file) = (format!("_rpmdir {}", directory.display()), format!("twin-{epoch}.rpm"));
    let mut build = Command::new("rpmbuild");
    build.args(["-bb", "--quiet", "--define", &folder, "--define", &format!("_rpmfilename {file}"), "twin.spec"]);
    run(build.current_dir(directory)).ok();
    file
}

#[track_caller]
fn reads(hosting: &Hosting, suite: &str) {
    let file = format!("/opt/large/{}-12000", "n".repeat(200));
    for channel in CHANNELS {
        let what = format!("{suite} {channel}");
        let root = hosting.root(suite, channel);
        let dnf = |arguments: &[&str]| run(root.command("dnf").args(["-y", "-q"]).args(arguments)).ok().to_owned();
        let found = dnf(&["repoquery", "--whatprovides", "a-rather-long-name-of-a-thing(23999)"]);
        assert_eq!(found, "large-0:1-1.noarch", "{what}");
        dnf(&["install", &file, "shop-1-1", "shop-config-prod-1-1"]);
        root.sh(&format!("rpm -q large shop-1-1 && test -f {file}")).ok();

        // They differ in their epochs alone.
        for epoch in ["0", "1"] {
            dnf(&["install", &format!("twin-{epoch}:1-1")]);
            assert_eq!(root.sh("rpm -q --qf '%{epochnum}' twin").ok(), epoch, "{what}");
        }

        // dnf lists it with its severity, of the installed package's update.
        let listed = dnf(&["updateinfo", "list"]);
        let line =
            listed.lines().find(|line| line.starts_with("SHOP-2026:7")).unwrap_or_else(|| panic!("{what}: {listed}"));
        assert!(line.contains("Important") && line.contains("shop-2-1.noarch"), "{what}: {listed}");
        let told = dnf(&["updateinfo", "info", "SHOP-2026:7"]);
        for part in ["shop: orders of others could be read", "CVE-2026-1234", "Upgrade and restart."] {
            assert!(told.contains(part), "{what}: no `{part}` in {told}");
        }
        dnf(&["upgrade", "--security"]);
        root.sh("rpm -q shop-2-1").ok();
        assert!(!dnf(&["updateinfo", "list"]).contains("SHOP"), "{what}");
    }
}

/// A mirror with the metadata as it is: all packages, and a signature that holds.
#[track_caller]
fn mirrors(hosting: &Hosting, suite: &str) {
    let root = hosting.root(suite, "zst");
    root.sh("mkdir /mirror").ok();
    // It wants to know where it is, which is not plain to a process that has entered a root.
    let mirror = "dnf -y -q --setopt=plugins=1 reposync --repoid=it --download-metadata --download-path=/mirror";
    root.sh(&format!("cd /mirror; {mirror}")).ok();
    let script = "cd /mirror/it; sha256sum Packages/*.rpm | cut -c1-64 | sort";
    let there: Vec<String> = root.sh(script).ok().lines().map(str::to_owned).collect();
    let list: serde_json::Value = serde_json::from_str(hosting.pkg(&["list", "zst", "--json"]).ok()).unwrap();
    let packages = list["packages"].as_array().unwrap();
    let mut listed: Vec<_> = packages.iter().map(|package| package["sha256"].as_str().unwrap().to_owned()).collect();
    listed.sort();
    assert_eq!(there, listed, "{suite}");
    let only = ["-y", "-q", "--repofrompath=mirror,file:///mirror/it", "--repo=mirror"];
    let found = run(root.command("dnf").args(only).args(["repoquery", "large"]));
    assert_eq!(found.ok(), "large-0:1-1.noarch", "{suite}");
}

#[track_caller]
fn zypper_reads(hosting: &Hosting) {
    for channel in CHANNELS {
        let directory = tempfile::tempdir().unwrap();
        let zypper = |arguments: &[&str]| {
            let mut command = Command::new("zypper");
            command.arg("--root").arg(directory.path()).args(["--non-interactive", "--gpg-auto-import-keys"]);
            run(command.args(arguments))
        };
        let url = hosting.server.url.replace("http://", &format!("http://host:{TOKEN}@"));
        zypper(&["addrepo", "--gpgcheck", &format!("{url}/{channel}"), "it"]).ok();
        zypper(&["refresh"]).ok();
        let found = zypper(&["search", "--provides", "--match-exact", "a-rather-long-name-of-a-thing(23999)"]);
        assert!(found.ok().contains("large"), "{channel}: {}", found.stdout);
        zypper(&["install", "--no-recommends", "large"]).ok();
    }
}

#[test]
fn large_documents_advisories_and_mirrors_of_a_closed_server() {
    let hosting = Hosting::begin();
    for channel in CHANNELS {
        let url = format!("{}/{channel}/repodata/repomd.xml", hosting.server.url);
        let get = |options: &[&str]| run(Command::new("curl").args(["-fsS", "--noproxy", "*", &url]).args(options));
        get(&[]).exits(22);
        let repomd = get(&["--user", &format!("host:{TOKEN}")]).ok().to_owned();
        for kind in ["primary", "filelists"] {
            let start = repomd.find(&format!("<data type=\"{kind}\">")).unwrap();
            let record = &repomd[start..start + repomd[start..].find("</data>").unwrap()];
            let size = record.split("<open-size>").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
            assert!(size.parse::<usize>().unwrap() > LARGE && !record.contains("open-checksum"), "{record}");
            assert!(record.contains(if channel == "zst" { ".zst\"" } else { ".gz\"" }), "{record}");
        }
    }
    for suite in ["bookworm", "trixie", "sid"] {
        reads(&hosting, suite);
    }
    for suite in ["trixie", "sid"] {
        mirrors(&hosting, suite);
    }
    zypper_reads(&hosting);
}
