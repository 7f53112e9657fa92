//! What a package says of itself, as the real rpm reads it.

use std::io::{Cursor, Write};
use std::process::Command;

use packager::{Overrides, SpecFile, Variables};
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
    assert!(package.notices[0].to_string().starts_with("`WEB-INF/lib/broken.jar` in `/usr/share/shop/shop.war` is"));
    let path = package.path.to_str().unwrap();
    let provides = run("rpm", &["-qp", "--provides", path]);
    let broken = "cdaffe61b988ffaa8601ac7623e93a5331565311";
    let expected = format!(
        "build(commit) = {commit}\nbundled(jar:broken) = sha1.{broken}\nbundled(jar:unknown) = 7\nbundled(maven:com.google.guava:guava) = 33.0.jre\n\
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
    let header = rpm_header::PackageHeader::read_file(&package.path).unwrap();
    let embedded = packager::Provenance::embedded(&package.path, &header).unwrap();
    let written = embedded.iter().map(|(key, value)| format!("{key}={value}\n"));
    assert_eq!(written.collect::<String>(), properties);
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

/// An EAR with a WAR, libraries, a module and a resource adapter.
fn ear() -> Vec<u8> {
    let web = archive(&[("WEB-INF/lib/core-1.jar", &jar("org.example", "core", "1"))]);
    archive(&[
        ("shop.war", &web),
        ("lib/guava-33.jar", &jar("com.google.guava", "guava", "33")),
        ("orders-2.jar", &jar("org.example", "orders", "2")),
        ("adapter.rar", &archive(&[("adapter-impl-6.jar", &jar("org.example", "adapter-impl", "6"))])),
        ("META-INF/application.xml", b"<application/>"),
    ])
}

/// Writes a spec that installs a tree.
fn tree(workshop: &Workshop) {
    let spec = "name='shop'\nsummary='s'\nlicense='MIT'\n\
                [[contents]]\ntype='tree'\nsource='tree'\ndestination='/opt/shop'\n";
    std::fs::write(workshop.path("shop.toml"), spec).unwrap();
}

#[test]
fn a_damaged_war_in_an_ear_is_an_error_that_names_both() {
    let workshop = Workshop::new();
    let mut damaged = ear();
    let place = damaged.windows(8).position(|window| window == b"shop.war").unwrap();
    damaged[place + 40] ^= 0xff;
    std::fs::create_dir_all(workshop.path("tree")).unwrap();
    std::fs::write(workshop.path("tree/shop.ear"), damaged).unwrap();
    tree(&workshop);
    let error = workshop.try_build("1", "2", None).unwrap_err();
    assert!(error.starts_with("`shop.war` in") && error.contains("shop.ear` is damaged"), "{error}");
}

/// An EAR with its WARs and resource adapters, an executable jar, a WAR that is exploded into a tree, and the jars of a server's own lib.
#[test]
fn jars_are_found_wherever_they_lie() {
    let workshop = Workshop::new();
    let boot = archive(&[("BOOT-INF/lib/inner-3.jar", &jar("org.example", "inner", "3"))]);
    let driver = archive(&[("META-INF/lib/hidden-7.jar", &jar("org.example", "hidden", "7"))]);
    let files: [(&str, &[u8]); 6] = [
        ("tree/driver-8.jar", &driver),
        ("tree/shop.ear", &ear()),
        ("tree/boot.jar", &boot),
        ("tree/webapps/shop/WEB-INF/lib/exploded-4.jar", &jar("org.example", "exploded", "4")),
        ("tree/lib/catalina.jar", &archive(&[("a", b"")])),
        ("tree/lib/broken-5.jar", b"no jar"),
    ];
    for (name, content) in files {
        std::fs::create_dir_all(workshop.path(name).parent().unwrap()).unwrap();
        std::fs::write(workshop.path(name), content).unwrap();
    }
    tree(&workshop);
    let package = workshop.build("1", "1");
    let notices: Vec<_> = package.notices.iter().map(ToString::to_string).collect();
    assert!(
        matches!(notices.as_slice(), [one] if one.starts_with("`/opt/shop/lib/broken-5.jar` is no jar")),
        "{notices:?}"
    );
    let path = package.path.to_str().unwrap();
    let provides = run("rpm", &["-qp", "--provides", path]);
    let bundled: Vec<_> = provides.lines().filter(|line| line.starts_with("bundled(")).collect();
    let catalina = run("sha1sum", &[workshop.path("tree/lib/catalina.jar").to_str().unwrap()]);
    let catalina = format!("bundled(jar:catalina) = sha1.{}", &catalina[..40]);
    let expected = [
        "bundled(jar:broken) = 5",
        &catalina,
        "bundled(jar:driver) = 8",
        "bundled(maven:com.google.guava:guava) = 33",
        "bundled(maven:org.example:adapter-impl) = 6",
        "bundled(maven:org.example:core) = 1",
        "bundled(maven:org.example:exploded) = 4",
        "bundled(maven:org.example:hidden) = 7",
        "bundled(maven:org.example:inner) = 3",
        "bundled(maven:org.example:orders) = 2",
    ];
    assert_eq!(bundled, expected);
    let root = crate::workshop::Root::new();
    root.install(&package.path);
    let bom = std::fs::read_to_string(root.path("/usr/share/shop/sbom.cdx.json")).unwrap();
    let bom: serde_json::Value = serde_json::from_str(&bom).unwrap();
    let mut references = Vec::new();
    for component in bom["components"].as_array().unwrap() {
        references.push(component["bom-ref"].as_str().unwrap().to_owned());
        let inner = component["components"].as_array().into_iter().flatten();
        references.extend(inner.map(|inner| inner["bom-ref"].as_str().unwrap().to_owned()));
    }
    references.sort();
    let expected = [
        "boot.jar",
        "boot.jar!/BOOT-INF/lib/inner-3.jar",
        "driver-8.jar",
        "driver-8.jar#0",
        "lib/broken-5.jar",
        "lib/catalina.jar",
        "shop.ear",
        "shop.ear!/adapter.rar!/adapter-impl-6.jar",
        "shop.ear!/lib/guava-33.jar",
        "shop.ear!/orders-2.jar",
        "shop.ear!/shop.war!/WEB-INF/lib/core-1.jar",
        "webapps/shop/WEB-INF/lib/exploded-4.jar",
    ];
    assert_eq!(references, expected.map(|name| format!("/opt/shop/{name}")));
}

#[test]
fn release_notes_are_documentation_and_changelog() {
    let workshop = Workshop::new();
    std::fs::write(workshop.path("NOTES.md"), "# Shop 1.4\n\n* faster\n").unwrap();
    workshop.spec("notes = 'NOTES.md'\npackager = 'Ana <ana@example.org>'");
    let package = workshop.build("1.4.0-RC1", "57");
    let path = package.path.to_str().unwrap();
    let changelog = run("rpm", &["-qp", "--changelog", path]);
    assert_eq!(changelog.trim_end(), "* Tue Nov 14 2023 Ana <ana@example.org> - 1.4.0~rc1-57\nShop 1.4\n\n- faster");
    let directory = "/usr/share/doc/shop/RELEASE-NOTES";
    assert_eq!(run("rpm", &["-qpd", path]), format!("{directory}.json\n{directory}.md\n"));
}

#[test]
fn release_notes_come_out_as_they_went_in() {
    let workshop = Workshop::new();
    std::fs::write(workshop.path("NOTES.md"), "## Fixed\n\n* The till opens (SHOP-8)\n").unwrap();
    for compression in ["zstd", "gzip", "xz", "none"] {
        workshop.spec(&format!("notes = 'NOTES.md'\ncompression = '{compression}'"));
        let package = workshop.build("1.4.0", "57");
        let found = release_notes::EmbeddedNotes::read(&package.path).unwrap().unwrap();
        let (notes, change) = (&found.notes, &found.notes.changes[0]);
        assert_eq!(
            (notes.heading(), found.nevra),
            ("shop 1.4.0 (build 57)".to_owned(), package.nevra),
            "{compression}"
        );
        assert_eq!(change.references[0].id.as_str(), "SHOP-8");
        let bytes = std::fs::read(&package.path).unwrap();
        let payload = rpm_header::PackageHeader::read_file(&package.path).unwrap().header_end as usize;
        std::fs::write(workshop.path("cut.rpm"), &bytes[..payload + 20]).unwrap();
        assert!(release_notes::EmbeddedNotes::read(&workshop.path("cut.rpm")).is_err(), "{compression}");
    }
    workshop.spec("");
    assert!(release_notes::EmbeddedNotes::read(&workshop.build("1.5.0", "58").path).unwrap().is_none());
}

#[test]
fn a_war_that_changes_in_between_is_no_package() {
    let workshop = Workshop::new();
    workshop.spec("");
    let overrides = Overrides { version: Some("1".to_owned()), release: Some("1".to_owned()), ..Overrides::default() };
    let file = SpecFile::read(&workshop.path("shop.toml")).unwrap();
    let spec = file.resolve(&Variables::default(), &overrides).unwrap().remove(0);
    let date = packager::SourceDate::from_seconds(crate::workshop::SOURCE_DATE).unwrap();
    let planned = packager::plan(&spec, date).unwrap();
    let war = std::fs::read(workshop.path("shop.war")).unwrap();
    let changed: Vec<u8> = war.iter().map(|byte| if *byte == b'h' { b'j' } else { *byte }).collect();
    assert_eq!((war.len(), war == changed), (changed.len(), false));
    std::fs::write(workshop.path("shop.war"), changed).unwrap();
    let error = planned.write(&workshop.path("out"), None).unwrap_err().to_string();
    assert!(error.contains("shop.war` changed while the package was built"), "{error}");
    assert_eq!(std::fs::read_dir(workshop.path("out")).unwrap().count(), 0);
}

#[test]
fn what_a_repository_holds_is_not_gone_below() {
    let workshop = Workshop::new();
    workshop.spec("");
    let packages = [workshop.build("1.10", "58"), workshop.build("1.9", "57")];
    let names = [packages[0].nevra.name.clone()];
    let newest = |there: Vec<packager::ListedPackage>| -> Vec<_> {
        let there: Vec<_> = there.into_iter().map(|package| package.nevra).collect();
        packages.iter().map(|package| packager::not_below(&package.nevra, &there).is_ok()).collect()
    };
    let out = workshop.path("out");
    assert_eq!(newest(packager::listed(&out, &names).unwrap()), [true, false]);
    assert_eq!(newest(packager::listed(&packages[1].path, &names).unwrap()), [true, true]);
    for compression in ["gz", "xz"] {
        run("createrepo_c", &["--quiet", &format!("--general-compress-type={compression}"), out.to_str().unwrap()]);
        let there = packager::listed(&out, &names).unwrap();
        assert_eq!(there.len(), 2, "{compression}");
        assert_eq!(newest(there), [true, false]);
        std::fs::remove_dir_all(out.join("repodata")).unwrap();
    }
}

/// A jar that was built again under its old version: the headers of the two packages are alike in that.
#[test]
fn a_jar_of_other_bytes_under_the_same_version_is_told() {
    use packager::preflight::{JarDigests, compare};
    use rpm_header::PackageHeader;

    for compression in ["zstd", "gzip:9", "xz", "none"] {
        let workshop = Workshop::new();
        let same = jar("org.example", "same", "1");
        let pom = b"groupId=g\nartifactId=core\nversion=1\n";
        let core = archive(&[("META-INF/maven/g/core/pom.properties", pom)]);
        let other = archive(&[("META-INF/maven/g/core/pom.properties", pom), ("x", b"")]);
        let packages = [(core, "57"), (other, "58")].map(|(core, release)| {
            let war = archive(&[("WEB-INF/lib/core-1.jar", &core), ("WEB-INF/lib/same-1.jar", &same)]);
            std::fs::write(workshop.path("shop.war"), war).unwrap();
            workshop.spec(&format!("compression = '{compression}'"));
            workshop.build("1.4.0", release).path
        });
        let headers = packages.each_ref().map(|path| PackageHeader::read_file(path).unwrap());
        let mut preflight = compare(&headers[0], &headers[1]).unwrap();
        assert_eq!(preflight.jars, []);
        let digests = [0, 1].map(|index| JarDigests::read(&packages[index], &headers[index]).unwrap());
        preflight.add_changed_jars(&digests[0], &digests[1]);
        let changed: Vec<_> =
            preflight.jars.iter().map(|jar| (jar.component.as_str(), jar.after.clone(), jar.other_bytes)).collect();
        assert_eq!(changed, [("g:core", vec!["1".to_owned()], true)], "{compression}");
    }
}

#[test]
fn without_an_sbom_the_jars_are_not_looked_into() {
    let workshop = Workshop::new();
    let war = archive(&[("WEB-INF/lib/core-1.jar", &jar("org.example", "core", "1"))]);
    std::fs::write(workshop.path("shop.war"), war).unwrap();
    workshop.spec("sbom = false");
    let package = workshop.build("1.4.0", "57");
    let path = package.path.to_str().unwrap();
    assert_eq!(run("rpm", &["-qp", "--provides", path]), "config(shop) = 1.4.0-57\nshop = 1.4.0-57\n");
    let files = run("rpm", &["-qpl", path]);
    assert!(files.contains("/usr/share/shop/build.properties\n") && !files.contains("sbom"), "{files}");
    let root = crate::workshop::Root::new();
    root.install(&package.path);
    let properties = std::fs::read_to_string(root.path("/usr/share/shop/build.properties")).unwrap();
    let sha256 = run("sha256sum", &[workshop.path("shop.war").to_str().unwrap()]);
    assert!(properties.contains(&format!("war.sha256={}\n", &sha256[..64])), "{properties}");
}
