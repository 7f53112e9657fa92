//! Packages of ours under four generations of rpm and dnf: each installs, upgrades, downgrades and erases them for
//! real, by rpm and by dnf from a repository of ours, and all of them leave the same behind.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{pkg, run};
use crate::root::Root;
use crate::server::Server;
use crate::shop;

/// A move from what is installed to something else, and what it must leave.
struct Move {
    name: &'static str,
    rpm: &'static [&'static str],
    dnf: &'static [&'static str],
    /// What somebody does on the host afterwards, and after all is noted.
    then: &'static str,
    /// What the scriptlets and triggers noted.
    notes: &'static str,
    /// Every file of the package, what is in it, and what `rpm -V` says.
    files: &'static str,
}

const MOVES: [Move; 4] = [
    Move {
        name: "install",
        rpm: &["-U", "shop-1-1", "shop-config-prod-1-1", "shop-docs-2-1"],
        dnf: &["install", "shop-1-1", "shop-config-prod-1-1"],
        then: "echo edited | tee /etc/shop.d/plain /etc/shop.d/kept /etc/shop/shop.properties;\
               rm /etc/shop.d/optional; echo running >/var/lib/shop/state;\
               chown tomcat /var/lib/shop/state",
        notes: "1 pretrans 1, 1 pre 1, 1 post 1, 1 triggerin 1 1, 1 posttrans 1, \
                1 transfiletriggerin /usr/share/shop-docs/index",
        files: "/etc/shop.d/kept: 1, /etc/shop.d/optional: 1, /etc/shop.d/plain: 1, /etc/shop/shop.properties: 1, \
                /usr/share/shop/code: 1, /usr/share/shop/current: 1, \
                /usr/share/shop/tree/Größe und Maß: 1, /usr/share/shop/tree/only-1: 1",
    },
    Move {
        name: "upgrade",
        rpm: &["-U", "shop-2-1", "shop-config-prod-2-1"],
        dnf: &["upgrade", "shop"],
        then: "rm /etc/shop.d/plain.rpmsave",
        notes: "2 pretrans 2, 2 pre 2, 2 post 2, 2 triggerin 2 1, 1 preun 1, 1 postun 1, 2 posttrans 2, \
                2 transfiletriggerin /usr/share/shop-docs/index",
        files: "/etc/shop.d/kept: edited, /etc/shop.d/kept.rpmnew: 2, \
                /etc/shop.d/plain: 2, /etc/shop.d/plain.rpmsave: edited, \
                /etc/shop/shop.properties: edited, /etc/shop/shop.properties.rpmnew: 2, \
                /usr/share/shop/code: 2, /usr/share/shop/current: 2, \
                /usr/share/shop/tree/Größe und Maß: 2, /usr/share/shop/tree/only-2: 2, /var/lib/shop/state: running, \
                S.5....T.  c /etc/shop.d/kept",
    },
    Move {
        name: "downgrade",
        rpm: &["-U", "--oldpackage", "shop-1-1", "shop-config-prod-1-1"],
        dnf: &["downgrade", "shop-1-1"],
        then: "",
        notes: "1 pretrans 2, 1 pre 2, 1 post 2, 1 triggerin 2 1, 2 preun 1, 2 postun 1, 1 posttrans 2, \
                1 transfiletriggerin /usr/share/shop-docs/index",
        files: "/etc/shop.d/kept: edited, /etc/shop.d/kept.rpmnew: 1, /etc/shop.d/plain: 1, \
                /etc/shop/shop.properties: edited, /etc/shop/shop.properties.rpmnew: 1, \
                /usr/share/shop/code: 1, /usr/share/shop/current: 1, \
                /usr/share/shop/tree/Größe und Maß: 1, /usr/share/shop/tree/only-1: 1, /var/lib/shop/state: running, \
                S.5....T.  c /etc/shop.d/kept",
    },
    Move {
        name: "erase",
        rpm: &["-e", "shop", "shop-config-prod", "shop-docs"],
        dnf: &["remove", "shop", "shop-config-prod", "shop-docs"],
        then: "",
        notes: "1 preun 0, 1 postun 0",
        files: "/etc/shop.d/kept.rpmnew: 1, /etc/shop.d/kept.rpmsave: edited, \
                /etc/shop/shop.properties.rpmnew: 1, /etc/shop/shop.properties.rpmsave: edited",
    },
];

/// The accepted differences between the generations, and why.
fn notes_of(suite: &str, notes: &str) -> String {
    match suite {
        // rpm before 4.17 counts the instances for %posttrans when the others are gone already.
        "bullseye" => notes.replace("posttrans 2", "posttrans 1"),
        _ => notes.to_owned(),
    }
}

/// Two versions of the packages, signed, and a server that has them.
struct Shop {
    directory: tempfile::TempDir,
    server: Server,
}

impl Shop {
    #[track_caller]
    fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        shop::make_key(directory.path(), "rsa2048");
        let packages = ["1", "2"].map(|version| shop::build(directory.path(), version, &[("--sign", "private.asc")]));
        let server =
            Server::start(pkg(directory.path()).args(["serve", "--store", "store", "--listen", "127.0.0.1:0"]));
        let mut publish = pkg(directory.path());
        publish.env("PKG_SERVER", &server.url).args(["publish", "--to", "dev"]).args(packages.concat());
        run(&mut publish).ok();
        Self { directory, server }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Brings up a root that trusts the builder's key and has the repository, signatures checked all over.
    #[track_caller]
    fn root(&self, suite: &str) -> Root {
        let root = Root::up(suite, self.path());
        let directory = self.path().display();
        root.sh(&format!("rpm --import {directory}/public.asc")).ok();
        let repository = run(Command::new("curl").args(["-fsS", &format!("{}/dev/dev.repo", self.server.url)]));
        let repository = repository.ok().replace("\ngpgcheck=0", "\ngpgcheck=1");
        assert!(repository.contains("gpgcheck=1\ngpgcheck=1"), "{repository}");
        root.sh(&format!("cat >/etc/yum.repos.d/dev.repo <<'END'\n{repository}\nEND")).ok();
        root
    }

    fn package(&self, nevr: &str) -> PathBuf {
        self.path().join(format!("dist/{nevr}.noarch.rpm"))
    }
}

/// What the scriptlets noted since the last time.
#[track_caller]
fn notes(root: &Root) -> String {
    let notes = root.sh("touch /var/log/shop; cat /var/log/shop; rm /var/log/shop");
    notes.ok().lines().collect::<Vec<_>>().join(", ")
}

/// All that there is of the package, and what rpm finds amiss.
#[track_caller]
fn files(root: &Root) -> String {
    let list = "for file in /etc/shop*/* /usr/share/shop/* /usr/share/shop/tree/* /var/lib/shop/*; do\n\
                if [ -f \"$file\" ]; then echo \"$file: $(cat \"$file\")\"; fi; done\n\
                if rpm -q --quiet shop; then rpm -V shop || true; fi";
    root.sh(list).ok().lines().collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn moves(suite: &str) {
    let shop = Shop::open();
    let by_rpm = shop.root(suite);
    let by_dnf = shop.root(suite);
    for step in MOVES {
        let words = step.rpm.iter().map(|word| {
            let file = shop.package(word);
            if file.exists() { file.display().to_string() } else { (*word).to_owned() }
        });
        run(by_rpm.command("rpm").args(words)).ok();
        run(by_dnf.command("dnf").args(["-y", "-q"]).args(step.dnf)).ok();
        for (root, tool) in [(&by_rpm, "rpm"), (&by_dnf, "dnf")] {
            assert_eq!(notes(root), notes_of(suite, step.notes), "{suite}: {tool} {}", step.name);
            assert_eq!(files(root), step.files, "{suite}: {tool} {}", step.name);
            root.sh(step.then).ok();
        }
    }
}

#[test]
fn rpm_4_16_and_dnf_4_5() {
    moves("bullseye");
}

#[test]
fn rpm_4_18_and_dnf_4_14() {
    moves("bookworm");
}

#[test]
fn rpm_4_20_and_dnf_4_23() {
    moves("trixie");
}

#[test]
fn rpm_6_and_dnf_5() {
    moves("sid");
}

const SUITES: [&str; 4] = ["bullseye", "bookworm", "trixie", "sid"];

/// One environment's configuration at a time. It is named, never picked, and changed by naming the other.
#[test]
fn environments_are_named_and_exclude_each_other() {
    let shop = Shop::open();
    for suite in SUITES {
        let root = shop.root(suite);
        let dnf = |arguments: &[&str]| run(root.command("dnf").args(["-y", "-q"]).args(arguments));
        let installed = || root.sh("rpm -qa 'shop-config*'").ok().to_owned();
        for unnamed in ["shop", "shop-1-1"] {
            let refused = dnf(&["install", unnamed]);
            refused.exits(1);
            refused.says(&[
                "/usr/share/shop/choose-one/shop-config-prod conflicts",
                "/usr/share/shop/choose-one/shop-config-test conflicts",
            ]);
        }
        root.sh("! rpm -q shop && ! rpm -qa | grep shop-config && ! test -e /usr/share/shop").ok();
        dnf(&["install", "shop-1-1", "shop-config-test-1-1"]).ok();
        assert_eq!(installed(), "shop-config-test-1-1.noarch");
        dnf(&["install", "shop-config-prod-1-1"]).exits(1);
        assert_eq!(installed(), "shop-config-test-1-1.noarch");
        dnf(&["swap", "shop-config-test", "shop-config-prod-1-1"]).ok();
        assert_eq!(installed(), "shop-config-prod-1-1.noarch");
        dnf(&["upgrade"]).ok();
        assert_eq!(installed(), "shop-config-prod-2-1.noarch");
        dnf(&["downgrade", "shop-1-1"]).ok();
        assert_eq!(installed(), "shop-config-prod-1-1.noarch");
        dnf(&["install", "--allowerasing", "shop-2-1", "shop-config-test-2-1"]).ok();
        assert_eq!(installed(), "shop-config-test-2-1.noarch");
    }
}

/// zypper asks what to do about the files that stand in each other's way, and unattended it leaves all as it was.
#[test]
fn zypper_picks_no_environment() {
    let shop = Shop::open();
    for suite in ["bullseye", "trixie"] {
        let root = shop.root(suite);
        root.sh(&format!("zypper -q ar -G {}/dev/ dev && zypper -n -q ref", shop.server.url)).ok();
        let install = |packages: &[&str]| run(root.command("zypper").args(["-n", "in"]).args(packages));
        let refused = install(&["shop=1-1"]);
        assert_ne!(refused.code, 0, "{suite}");
        let path = "/usr/share/shop/choose-one/shop-config-prod";
        assert!(refused.stdout.contains(path), "{suite}: {}", refused.stdout);
        root.sh("! rpm -q shop && ! test -e /usr/share/shop").ok();
        install(&["shop=1-1", "shop-config-prod=1-1"]).ok();
        run(root.command("zypper").args(["-n", "up"])).ok();
        assert_eq!(root.sh("rpm -qa 'shop-config*'").ok(), "shop-config-prod-2-1.noarch");
    }
}

/// Every compressor and every kind of key, checked and installed by every rpm.
#[test]
fn every_compression_and_signature() {
    let directory = tempfile::tempdir().unwrap();
    let mut packages = Vec::new();
    for (version, compression, target, key) in [
        ("1", "none", "el8", "rsa4096"),
        ("2", "gzip", "el8", "rsa3072"),
        ("3", "gzip:1", "el9", "ed25519"),
        ("4", "xz", "el9", "ed25519"),
        ("5", "zstd", "el8", "rsa2048"),
        ("6", "zstd:19", "el10", "ed25519"),
    ] {
        shop::make_key(directory.path(), key);
        std::fs::copy(directory.path().join("public.asc"), directory.path().join(format!("{version}.asc"))).unwrap();
        let (compression, target) = (format!("COMPRESSION={compression}"), format!("TARGET={target}"));
        let options = [("--sign", "private.asc"), ("--set", compression.as_str()), ("--set", target.as_str())];
        let built = shop::build(directory.path(), version, &options);
        packages.push((version, built));
    }
    for suite in SUITES {
        let root = Root::up(suite, directory.path());
        for (version, built) in &packages {
            let [application, _, other, ..] = &built[..] else { panic!("{built:?}") };
            let key = directory.path().join(format!("{version}.asc"));
            let check = || run(root.command("rpm").arg("-K").arg(application));
            check().exits(1);
            run(root.command("rpm").arg("--import").arg(key)).ok();
            assert!(check().ok().ends_with(": digests signatures OK"), "{suite}");
            run(root.command("rpm").arg("-U").args([application, other])).ok();
            assert_eq!(root.sh("cat '/usr/share/shop/tree/Größe und Maß'; rpm -V shop").ok(), *version, "{suite}");
        }
    }
}

/// A package that somebody changed, or that nobody signed, is refused by each where signatures are asked for.
#[test]
fn what_is_not_signed_is_refused() {
    let shop = Shop::open();
    let directory = shop.path();
    let mut bytes = std::fs::read(shop.package("shop-docs-1-1")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(directory.join("changed.rpm"), bytes).unwrap();
    let unsigned = shop::build(directory, "3", &[("--out", "unsigned")]).pop().unwrap();
    run(Command::new("createrepo_c").arg("-q").arg(directory.join("unsigned"))).ok();
    let repository = format!("[unsigned]\nname=unsigned\nbaseurl=file://{}/unsigned\ngpgcheck=1", directory.display());
    for suite in SUITES {
        let root = shop.root(suite);
        let changed = root.sh(&format!("rpm -K {}/changed.rpm", directory.display()));
        changed.exits(1);
        assert!(changed.stdout.contains("NOT OK"), "{suite}: {}", changed.stdout);
        root.sh(&format!("rpm -U {}/changed.rpm", directory.display())).exits(1);
        assert!(run(root.command("rpm").arg("-K").arg(&unsigned)).ok().ends_with(": digests OK"), "{suite}");
        root.sh(&format!("echo '{repository}' >/etc/yum.repos.d/unsigned.repo")).ok();
        let install = run(root.command("dnf").args(["-y", "-q", "install", "shop-docs-3-1"]));
        install.exits(1);
        install.says(&["shop-docs-3-1", "not signed"]);
        root.sh("rpm -q shop-docs").exits(1);
    }
}

/// Users are there before the first file that is theirs, with and without systemd; capabilities are set.
#[test]
fn users_come_before_their_files() {
    let directory = tempfile::tempdir().unwrap();
    let spec = "name = 'feeder'\nsummary = 'Feeds pets'\nlicense = 'MIT'\nversion = '1'\nrelease = '1'\n\
                users = [{ name = 'feeder', home = '/var/lib/feeder' }]\nsystemd = [{ source = 'feeder.service' }]\n\
                contents = [\n\
                { type = 'directory', destination = '/var/lib/feeder', owner = 'feeder', group = 'feeder' },\n\
                { type = 'file', source = 'feeder', destination = '/usr/bin/feeder', mode = '0755', \
                capabilities = 'cap_net_bind_service=ep' },\n]\n";
    for (name, text) in [
        ("feeder.toml", spec),
        ("feeder", "#!/bin/sh\necho fed\n"),
        ("feeder.service", "[Service]\nExecStart=/usr/bin/feeder\n"),
    ] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let built = run(pkg(directory.path()).args(["build", "feeder.toml"]));
    let package = directory.path().join(built.ok());
    for suite in SUITES {
        let root = Root::up(suite, directory.path());
        run(root.command("rpm").arg("-U").arg(&package)).ok();
        let owner = root.sh("stat -c '%U:%G' /var/lib/feeder; getent passwd feeder | cut -d: -f6; rpm -V feeder");
        assert_eq!(owner.ok(), "feeder:feeder\n/var/lib/feeder", "{suite}");
        root.sh("rpm -e feeder").ok();
        // The user stays: files elsewhere may be its.
        root.sh("getent passwd feeder; ! test -e /var/lib/feeder").ok();
    }
}
