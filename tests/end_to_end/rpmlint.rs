//! rpmlint over packages of ours. What it still finds is listed here, each with the reason why it stays.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{pkg, run};
use crate::shop;

const SPEC: &str = r#"
name = "petshop"
summary = "Sells pets"
description = "Sells pets of all kinds to customers of all ages."
license = "Apache-2.0"
url = "https://petshop.example/"
vendor = "Pets"
group = "Applications/Internet"
packager = "Pets <pets@petshop.example>"
version = "1.0"
release = "1"
requires = ["tomcat"]
contents = [{ type = "doc", source = "README" }]
changelog = [{ date = "2023-11-14", author = "Pets <pets@petshop.example>", version = "1.0-1", changes = ["Cats"] }]

[tomcat]
war = "application"

[environments.prod]
directory = "prod"

[[packages]]
name = "petshop-tools"
summary = "Feeds pets"
description = "Feeds the pets while the shop is closed."
contents = [
    { type = "file", source = "feed", destination = "/usr/bin/petshop-feed", mode = "0755" },
    { type = "config", source = "feed.conf", destination = "/etc/petshop-feed.conf", noreplace = true },
    { type = "doc", source = "README" },
]
"#;

/// What is found of which packages, and why it stays.
const ACCEPTED: [(&str, &str, &str); 15] = [
    ("petshop", "conffile-without-noreplace-flag", "the descriptor names this build's WAR and working directory"),
    ("petshop", "dangerous-command-in-%postun", "what Tomcat unpacked and compiled goes with the package"),
    ("petshop", "invalid-license", "Debian's rpmlint knows no licence at all"),
    ("petshop", "jar-not-indexed", "a WAR is no library: nothing looks for classes in it by an index"),
    ("petshop", "only-non-binary-in-usr-lib", "a drop-in for Tomcat's unit, whose place is there"),
    ("petshop", "requires-on-release", "the configuration is of exactly this build"),
    ("petshop-config-none", "invalid-license", "as above"),
    ("petshop-config-none", "no-documentation", "it is never installed"),
    ("petshop-config-prod", "invalid-license", "as above"),
    ("petshop-config-prod", "no-documentation", "it is configuration and nothing else"),
    ("petshop-config-prod", "non-readable", "configuration may hold passwords"),
    ("petshop-config-prod", "non-standard-dir-perm", "as above"),
    ("petshop-config-prod", "non-standard-gid", "Tomcat's group reads the configuration, and nobody else"),
    ("petshop-tools", "invalid-license", "as above"),
    ("petshop-tools", "no-manual-page-for-binary", "the spec brings none along"),
];

#[track_caller]
fn build(directory: &Path) -> Vec<PathBuf> {
    for (path, text) in [
        ("README", "Pets.\n"),
        ("feed", "#!/bin/sh\necho fed\n"),
        ("feed.conf", "when=daily\n"),
        ("prod/petshop.properties", "title=Pets\n"),
        ("application/index.html", "<p>Pets</p>\n"),
        ("application/WEB-INF/web.xml", "<web-app xmlns=\"https://jakarta.ee/xml/ns/jakartaee\" version=\"5.0\"/>\n"),
    ] {
        std::fs::create_dir_all(directory.join(path).parent().unwrap()).unwrap();
        std::fs::write(directory.join(path), text).unwrap();
    }
    std::fs::write(directory.join("petshop.toml"), SPEC).unwrap();
    shop::make_key(directory, "rsa2048");
    let built = run(pkg(directory).args(["build", "petshop.toml", "--sign", "private.asc"]));
    built.ok().lines().map(|path| directory.join(path)).collect()
}

#[test]
fn what_rpmlint_finds_is_accepted_with_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    let packages = build(directory.path());
    // With a home of its own for rpm's keys, and without the user's configuration.
    let home = |program: &str| {
        let mut command = Command::new(program);
        command.env("HOME", directory.path()).env("XDG_CONFIG_HOME", directory.path()).current_dir(directory.path());
        command
    };
    run(home("rpm").args(["--import", "public.asc"])).ok();
    let mut rpmlint = home("rpmlint");
    let ran = run(rpmlint.args(packages));
    let findings = ran.stdout.lines().filter_map(|line| {
        let (package, finding) = line.split_once(".noarch: ")?;
        let (_, finding) = finding.split_once(": ")?;
        Some((package, finding.split(' ').next()?))
    });
    let findings: BTreeSet<_> = findings.collect();
    let accepted: BTreeSet<_> = ACCEPTED.iter().map(|(package, finding, _)| (*package, *finding)).collect();
    assert!(ran.stdout.contains("4 packages and 0 specfiles checked"), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(findings, accepted, "{}", ran.stdout);
}
