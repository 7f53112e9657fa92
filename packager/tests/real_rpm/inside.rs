//! What a package says of itself, as the real rpm reads it.

use std::io::{Cursor, Write};
use std::process::Command;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::workshop::{Workshop, run};

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn jar(group: &str, artifact: &str, version: &str) -> Vec<u8> {
    let pom = format!("groupId={group}\nartifactId={artifact}\nversion={version}\n");
    archive(&[(&format!("META-INF/maven/{group}/{artifact}/pom.properties"), pom.as_bytes())])
}

fn git(workshop: &Workshop, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.arg("-C").arg(workshop.path("")).args(["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]);
    assert!(git.args(arguments).status().unwrap().success(), "{arguments:?}");
}

#[test]
fn jars_and_provenance_are_in_tags_and_files() {
    let workshop = Workshop::new();
    let war = archive(&[
        ("WEB-INF/lib/guava-33.0-jre.jar", &jar("com.google.guava", "guava", "33.0-jre")),
        ("WEB-INF/lib/core-1.0-rc1.jar", &jar("org.example", "core", "1.0-rc1")),
        ("WEB-INF/lib/unknown-7.jar", &archive(&[("a", b"")])),
        ("WEB-INF/lib/broken.jar", b"no jar"),
    ]);
    std::fs::write(workshop.path("shop.war"), war).unwrap();
    workshop.spec("");
    git(&workshop, &["init", "--quiet"]);
    git(&workshop, &["remote", "add", "origin", "https://ci:secret@git.example.org/shop.git"]);
    git(&workshop, &["add", "."]);
    git(&workshop, &["commit", "--quiet", "--no-gpg-sign", "-m", "first"]);
    let commit = run("git", &["-C", workshop.path("").to_str().unwrap(), "rev-parse", "HEAD"]);
    let commit = commit.trim();

    let package = workshop.build("1.4.0", "57");
    assert_eq!(package.notices.len(), 1, "{:?}", package.notices);
    assert!(package.notices[0].to_string().starts_with("`WEB-INF/lib/broken.jar` of the WAR is no jar: "));
    let path = package.path.to_str().unwrap();
    let provides = run("rpm", &["-qp", "--provides", path]);
    let expected = format!(
        "build(commit) = {commit}\nbundled(maven:com.google.guava:guava) = 33.0.jre\n\
         bundled(maven:org.example:core) = 1.0~rc1\nconfig(shop) = 1.4.0-57\nshop = 1.4.0-57\n"
    );
    assert_eq!(provides, expected);
    let vcs = run("rpm", &["-qp", "--qf", "%{VCS}", path]);
    assert_eq!(vcs, format!("git+https://git.example.org/shop.git@{commit}"));

    let root = crate::workshop::Root::new();
    root.install(&package.path);
    let properties = std::fs::read_to_string(root.path("/usr/share/shop/build.properties")).unwrap();
    let sha256 = run("sha256sum", &[workshop.path("shop.war").to_str().unwrap()]);
    for line in [&format!("commit={commit}"), "version=1.4.0", "release=57", &format!("war.sha256={}", &sha256[..64])] {
        assert!(properties.lines().any(|other| other == line), "{line} is not in\n{properties}");
    }
    assert!(!properties.contains("secret"));
    let bom = std::fs::read_to_string(root.path("/usr/share/shop/sbom.cdx.json")).unwrap();
    let bom: serde_json::Value = serde_json::from_str(&bom).unwrap();
    let jars = bom["components"][0]["components"].as_array().unwrap();
    let names: Vec<_> = jars.iter().map(|jar| (jar["name"].as_str(), jar["purl"].as_str())).collect();
    assert_eq!(
        names,
        [
            (Some("broken"), None),
            (Some("core"), Some("pkg:maven/org.example/core@1.0-rc1?type=jar")),
            (Some("guava"), Some("pkg:maven/com.google.guava/guava@33.0-jre?type=jar")),
            (Some("unknown"), None),
        ]
    );
    let first = jars.iter().find(|jar| jar["name"] == "unknown").unwrap();
    assert_eq!(first["hashes"][0]["content"].as_str().map(str::len), Some(40));
}
