//! Looking twice before a package goes anywhere: lint, `--check`, and `inspect --against` with files and URLs.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;

use crate::program::{Ran, pkg, run};
use crate::server::Server;

/// The shop with configuration, in a project of its own.
fn project(directory: &Path, properties: &str, keys: &str) {
    for folder in ["app", "config"] {
        std::fs::create_dir_all(directory.join(folder)).unwrap();
    }
    std::fs::write(directory.join("app/index.html"), "<html/>\n").unwrap();
    for name in ["a.properties", "b.properties"] {
        std::fs::write(directory.join("config").join(name), properties).unwrap();
    }
    let spec = format!(
        "name = 'shop'\nlicense = 'MIT'\nrelease = '1'\nsummary = 'The shop'\n{keys}\n\
         [tomcat]\nwar = 'app'\n[configuration]\ndirectory = 'config'\n"
    );
    std::fs::write(directory.join("shop.toml"), spec).unwrap();
}

#[track_caller]
fn build(directory: &Path, version: &str, arguments: &[&str]) -> Ran {
    run(pkg(directory).args(["build", "shop.toml", "--version", version]).args(arguments).env("TZ", "UTC"))
}

fn packages(directory: &Path) -> usize {
    std::fs::read_dir(directory.join("dist")).into_iter().flatten().count()
}

#[test]
fn lint_refuses_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    project(directory, "db.password = tiger7\n", "");
    let refused = build(directory, "1", &[]);
    refused.exits(2);
    refused.says(&["denied: shop-1-1.noarch: password: `/etc/shop/a.properties`, line 1, key `db.password`", "mend:"]);
    assert!(!refused.stderr.contains("tiger7"), "{}", refused.stderr);
    assert_eq!(packages(directory), 0);
    build(directory, "1", &["--lint-allow", "password"]).ok();
    project(directory, "db.password = tiger7\n", "lint = { allow = ['password'], deny = ['empty-description'] }");
    let refused = build(directory, "2", &[]);
    refused.exits(2);
    refused.says(&["denied: shop-2-1.noarch: empty-description"]);
    let built = build(directory, "2", &["--lint-allow", "empty-description", "--json"]);
    let json: Value = serde_json::from_str(built.ok()).unwrap();
    assert_eq!(json["findings"], serde_json::json!([]));
    project(directory, "", "lint = { allow = ['pasword'] }");
    let refused = build(directory, "3", &[]);
    refused.exits(2);
    refused.says(&["shop.toml:5: `lint.allow`: `pasword` is not a lint; allowed are `system-directory`"]);
}

#[test]
fn what_is_built_twice_comes_out_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    project(directory, "a = 1\n", "");
    let built = build(directory, "1", &["--check"]);
    built.ok();
    built.says(&["shop-1-1.noarch comes out the same when built again"]);
    assert_eq!(packages(directory), 1);
    project(directory, "a = 1\n", "description = 'Built at ${TZ}'");
    let refused = build(directory, "2", &["--check"]);
    refused.exits(1);
    refused.says(&["`shop-2-1.noarch` comes out different", "DESCRIPTION: \"Built at UTC\" and \"Built at Pacific/"]);
    assert_eq!(packages(directory), 1);
}

#[test]
fn what_a_rollback_would_lose_is_told_from_files_and_urls() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    project(directory, "a = 1\n", "");
    let libraries = directory.join("app/WEB-INF/lib");
    std::fs::create_dir_all(&libraries).unwrap();
    for jar in ["same-1.jar", "core-1.jar"] {
        std::fs::write(libraries.join(jar), jar).unwrap();
    }
    let old = build(directory, "1", &[]).ok().to_owned();
    std::fs::remove_file(directory.join("config/b.properties")).unwrap();
    std::fs::write(directory.join("config/a.properties"), "a = 2\n").unwrap();
    std::fs::write(libraries.join("core-1.jar"), "built again under its old version").unwrap();
    let new = build(directory, "2", &[]).ok().to_owned();
    let bytes = std::fs::read(directory.join(&old)).unwrap();
    for ranges in [true, false] {
        let url = serve(bytes.clone(), ranges);
        for against in [&old, &url] {
            let told = run(pkg(directory).args(["inspect", &new, "--against", against, "--json", "--lint"]));
            let told: Value = serde_json::from_str(told.ok()).unwrap();
            assert_eq!((&told["old"], &told["forward"]["direction"]), (&"shop-1-1.noarch".into(), &"upgrade".into()));
            let lost =
                serde_json::json!({"path": "/etc/shop/b.properties", "kept_as": "/etc/shop/b.properties.rpmsave"});
            assert!(told["edits_lost_by_rollback"].as_array().unwrap().contains(&lost), "{told}");
            let edited = told["forward"]["configuration"].as_array().unwrap().iter();
            let fates: Vec<_> = edited.map(|change| format!("{} {}", change["path"], change["edited"])).collect();
            assert!(fates.contains(&"\"/etc/shop/a.properties\" \"kept-beside-new\"".to_owned()), "{fates:?}");
            let lints: Vec<_> = told["findings"].as_array().unwrap().iter().map(|one| &one["lint"]).collect();
            assert!(lints.contains(&&Value::from("dropped-configuration")), "{lints:?}");
            let jars: Vec<_> = told["jars"].as_array().unwrap().iter().map(Value::to_string).collect();
            assert!(
                matches!(&jars[..], [jar] if jar.contains("core") && jar.contains("\"other_bytes\":true")),
                "{jars:?}"
            );
        }
    }
    let refused = run(pkg(directory).args(["inspect", &new, "--against", "http://127.0.0.1:1/x.rpm"]));
    refused.exits(2);
    refused.says(&["could not inspect `http://127.0.0.1:1/x.rpm`"]);
}

/// A build is held against what is there: a package by its file or URL, a folder, a channel of a server.
#[test]
fn a_build_is_checked_as_the_successor_of_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    project(directory, "a = 1\n", "");
    let old = build(directory, "2", &[]).ok().to_owned();
    let mut serve_packages = pkg(directory);
    serve_packages.args(["serve", "--store", "store", "--listen", "127.0.0.1:0"]).env("PKG_SERVE_TOKEN", TOKEN);
    let server = Server::start(&mut serve_packages);
    let mut publish = pkg(directory);
    publish.env("PKG_SERVER", &server.url).env("PKG_TOKEN", TOKEN).args(["publish", "--to", "prod", &old]);
    run(&mut publish).ok();
    let package = serve(std::fs::read(directory.join(&old)).unwrap(), true);
    let channel = format!("{}/prod", server.url);
    std::fs::remove_file(directory.join("config/b.properties")).unwrap();
    for (index, against) in [old.as_str(), "dist", &package, &channel].into_iter().enumerate() {
        let out = format!("out{index}");
        let older = build(directory, "1", &["--out", &out, "--against", against]);
        older.exits(2);
        older.says(&["shop-1-1", "shop-2-1"]);
        let newer = build(directory, "3", &["--out", &out, "--against", against, "--json"]);
        let json: Value = serde_json::from_str(newer.ok()).unwrap();
        newer.says(&["shop-3-1.noarch after shop-2-1.noarch: dropped-configuration: `/etc/shop/b.properties`"]);
        assert!(json["findings"].to_string().contains("dropped-configuration"), "{against}: {json}");
        std::fs::remove_dir_all(directory.join(&out)).unwrap();
        let denied =
            build(directory, "3", &["--out", &out, "--against", against, "--lint-deny", "dropped-configuration"]);
        denied.exits(2);
        assert_eq!(std::fs::read_dir(directory.join(&out)).into_iter().flatten().count(), 0, "{against}");
    }
    let new = build(directory, "3", &["--out", "newer"]).ok().to_owned();
    for against in ["dist", &channel] {
        let told = run(pkg(directory).args(["inspect", &new, "--against", against, "--json"]));
        let told: Value = serde_json::from_str(told.ok()).unwrap();
        assert_eq!(told["old"], "shop-2-1.noarch", "{against}");
    }
    let refused = run(pkg(directory).args(["inspect", &new, "--against", &format!("{}/dev", server.url)]));
    refused.exits(2);
    // What was a directory becomes a link: rpm would refuse the upgrade.
    let link = "contents = [{ type = 'symlink', target = '/srv/shop', destination = '/var/lib/shop' }]";
    let folder = "contents = [{ type = 'directory', destination = '/var/lib/shop' }]";
    project(directory, "a = 1\n", folder);
    build(directory, "4", &[]).ok();
    project(directory, "a = 1\n", link);
    let refused = build(directory, "5", &["--against", "dist"]);
    refused.exits(2);
    refused.says(&["directory-becomes-other: `/var/lib/shop`"]);
    build(directory, "5", &["--against", "dist", "--lint-allow", "directory-becomes-other"]).ok();
}

const TOKEN: &str = "a-token-of-many-characters";

/// Serves bytes under any path; of a range, where it knows ranges, 1,000 at a time, however many are asked for.
fn serve(bytes: Vec<u8>, ranges: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/shop.rpm", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let range =
                head.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
            let first: Option<usize> = range.and_then(|range| range.split('-').next()?.parse().ok());
            let (status, body) = if let Some(first) = first.filter(|_| ranges) {
                let end = bytes.len().min(first + 1000);
                let range = format!("206 Partial Content\r\nContent-Range: bytes {first}-{}/{}", end - 1, bytes.len());
                (range, &bytes[first..end])
            } else {
                ("200 OK".to_owned(), &bytes[..])
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // A client that has what it needs goes away.
            let _ = connection.write_all(&[head.as_bytes(), body].concat());
        }
    });
    url
}
