//! Wrong input and what it gets: a message that says what, where and what is allowed, the documented exit code, and
//! nothing changed.

use std::path::Path;
use std::process::Command;

use crate::program::{Ran, pkg, repository_file, run};
use crate::server::Server;

#[track_caller]
fn build(directory: &Path, spec: &str) -> Ran {
    std::fs::write(directory.join("shop.toml"), spec).unwrap();
    let ran = run(pkg(directory).args(["build", "shop.toml", "--out", "dist"]));
    let left: Vec<_> = std::fs::read_dir(directory.join("dist")).into_iter().flatten().flatten().collect();
    assert!(left.is_empty(), "{left:?} was left behind");
    ran
}

const SPEC: &str = "name = \"shop\"\nversion = \"1.0\"\nrelease = \"1\"\nsummary = \"A shop\"\nlicense = \"MIT\"\n\n[tomcat]\nwar = \"shop.war\"\n";

#[test]
fn a_spec_that_does_not_hold() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    for (spec, said) in [
        (SPEC.replace("license", "licence"), &["shop.toml", "5", "`licence`", "`license`"][..]),
        (SPEC.replace("version = \"1.0\"\n", ""), &["shop.toml", "version"]),
        (SPEC.replace("1.0", "1/0"), &["shop.toml:2", "`1/0`", "`/`"]),
        (SPEC.replace("1.0", "${NOT_SET_ANYWHERE}"), &["NOT_SET_ANYWHERE", "2"]),
        (SPEC.replace("[tomcat]", "[tomcat"), &["shop.toml", "7"]),
    ] {
        let ran = build(directory, &spec);
        ran.exits(2);
        ran.says(said);
    }
}

#[test]
fn a_missing_war_and_one_that_is_none() {
    let directory = tempfile::tempdir().unwrap();
    let ran = build(directory.path(), SPEC);
    ran.exits(2);
    ran.says(&["shop.war"]);
    std::fs::write(directory.path().join("shop.war"), "this is no zip").unwrap();
    let ran = build(directory.path(), SPEC);
    ran.exits(2);
    ran.says(&["shop.war", "zip"]);
}

#[test]
fn a_file_that_is_no_package() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("x.rpm"), "no package").unwrap();
    run(pkg(directory.path()).args(["inspect", "x.rpm"])).exits(2);
    let ran = run(pkg(directory.path()).args(["inspect", "missing.rpm"]));
    ran.exits(2);
    ran.says(&["missing.rpm"]);
}

#[test]
fn a_publish_that_can_not_be() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    std::fs::write(directory.join("x.rpm"), "no package").unwrap();
    let hello = repository_file("specs/hello.toml");
    run(pkg(directory).arg("build").arg(&hello).args(["--version", "1.0", "--release", "1"])).ok();
    let nobody = run(pkg(directory).args([
        "publish",
        "dist/hello-1.0-1.noarch.rpm",
        "--to",
        "dev",
        "--server",
        "http://127.0.0.1:9",
    ]));
    nobody.exits(1);
    nobody.says(&["http://127.0.0.1:9", "hint:"]);

    let server = Server::start(pkg(directory).args(["serve", "--store", "store", "--listen", "127.0.0.1:0"]));
    let publish = |file: &str, channel: &str| {
        run(pkg(directory).env("PKG_SERVER", &server.url).args(["publish", file, "--to", channel]))
    };
    let commits = || std::fs::read_dir(directory.join("store/ledgers/repository")).unwrap().count();
    let before = commits();
    for (file, channel, said) in [
        ("missing.rpm", "dev", &["missing.rpm"][..]),
        ("x.rpm", "dev", &["x.rpm"]),
        ("dist/hello-1.0-1.noarch.rpm", "staging", &["`staging`", "dev"]),
    ] {
        let ran = publish(file, channel);
        ran.exits(2);
        ran.says(said);
    }
    assert_eq!(commits(), before);

    publish("dist/hello-1.0-1.noarch.rpm", "dev").ok();
    let page = directory.join("other.toml");
    let other = std::fs::read_to_string(&hello).unwrap().replace("says hello", "says goodbye");
    std::fs::write(&page, other.replace("hello/", &format!("{}/", repository_file("specs/hello").display()))).unwrap();
    run(pkg(directory).args(["build", "other.toml", "--version", "1.0", "--release", "1", "--out", "other"])).ok();
    let conflict = publish("other/hello-1.0-1.noarch.rpm", "dev");
    conflict.exits(1);
    conflict.says(&["hello-1.0-1.noarch"]);
    assert_eq!(commits(), before + 1);
}

#[test]
fn an_environment_that_does_not_hold() {
    let directory = tempfile::tempdir().unwrap();
    let ran = run(pkg(directory.path()).args(["status", "nowhere"]));
    ran.exits(2);
    ran.says(&["nowhere.toml"]);
    std::fs::write(directory.path().join("shop.toml"), "name = \"shop\"\naproval = \"none\"\n").unwrap();
    let ran = run(pkg(directory.path()).args(["status", "./shop.toml"]));
    ran.exits(2);
    ran.says(&["shop.toml", "2", "`aproval`", "`approval`"]);
}

#[test]
fn a_failure_is_json_too() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, code) in [
        (&["list", "--server", "http://127.0.0.1:9"][..], 1),
        (&["status", "nowhere"], 2),
        (&["build", "nowhere.toml"], 2),
        (&["inspect", "nowhere.rpm"], 2),
    ] {
        let ran = run(pkg(directory.path()).args(arguments).arg("--json"));
        ran.exits(code);
        let failure: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(failure["error"]["exit_code"], code, "{failure}");
        assert!(failure["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{failure}");
    }
}

#[test]
fn wrong_usage_exits_2() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [&["buidl"][..], &["build"], &["publish", "x.rpm"], &["list", "--no-such-flag"]] {
        run(pkg(directory.path()).args(arguments)).exits(2);
    }
    run(&mut Command::new(crate::program::PKG)).exits(2);
}
