//! Builds packages and asks the real rpm what it thinks of them. Needs rpm, rpmbuild and gpg, and root for `rpm --root`.

mod against_rpmbuild;
mod bad_input;
mod feature_table;
mod inside;
mod installing;
mod layouts;
mod preflight;
mod signing;
mod specs;
mod versions;
mod workshop;
mod writing;

use workshop::{Workshop, run};

#[test]
fn rpm_agrees_whatever_the_compression() {
    for (compression, feature) in [("zstd", true), ("gzip", false), ("none", false)] {
        let workshop = Workshop::new();
        workshop.spec(&format!("compression = '{compression}'"));
        let package = workshop.build("1.4.0~rc1", "57");
        let path = package.path.to_str().unwrap();
        assert_eq!(run("rpm", &["-K", path]), format!("{path}: digests OK\n"), "{compression}");
        let requires = run("rpm", &["-qp", "--requires", path]);
        assert_eq!(requires.contains("rpmlib(PayloadIsZstd)"), feature, "{requires}");
        assert!(requires.contains("rpmlib(TildeInVersions)"), "{requires}");
        assert!(requires.contains("java-headless >= 1:17\n"), "{requires}");
        assert_eq!(run("sha256sum", &[path]), format!("{}  {path}\n", package.sha256().unwrap()));
        assert_eq!(std::fs::metadata(path).unwrap().len(), package.size);
    }
}

#[test]
fn rpm_lists_what_the_layout_says() {
    let workshop = Workshop::new();
    workshop.spec("url = 'https://shop.example/'\ndescription = \"First.\\n\\nSecond.\"");
    let package = workshop.build("1.4.0", "57.gabc");
    let path = package.path.to_str().unwrap();
    let query = "%{nevra}|%{summary}|%{description}|%{license}|%{url}|%{buildtime}|%{sourcerpm}|%{os}|%{encoding}\n";
    let expected = "shop-1.4.0-57.gabc.noarch|The shop|First.\n\nSecond.|MIT|https://shop.example/|1700000000|\
                    shop-1.4.0-57.gabc.src.rpm|linux|utf-8\n";
    assert_eq!(run("rpm", &["-qp", "--qf", query, path]), expected);
    assert!(run("rpm", &["-qip", path]).contains("Source RPM  : shop-1.4.0-57.gabc.src.rpm"));
    let dump = run("rpm", &["-qp", "--dump", path]);
    let rows: Vec<_> = dump.lines().map(|line| line.split(' ').collect::<Vec<_>>()).collect();
    // path size mtime digest mode owner group isconfig isdoc rdev symlink
    let columns: Vec<_> = rows.iter().map(|row| [row[0], row[2], row[4], row[5], row[6], row[7]].join(" ")).collect();
    assert_eq!(
        columns,
        [
            "/etc/shop 1700000000 040750 root web 0",
            "/etc/shop/app.properties 1700000000 0100640 root web 1",
            "/etc/shop/sub 1700000000 040750 root web 0",
            "/etc/shop/sub/b.xml 1700000000 0100640 root web 1",
            "/etc/tomcat10/Catalina/localhost/shop.xml 1700000000 0100644 root root 1",
            "/usr/lib/systemd/system/tomcat10.service.d 1 040755 root root 0",
            "/usr/lib/systemd/system/tomcat10.service.d/shop.conf 1 0100644 root root 0",
            "/usr/share/shop 1700000000 040755 root root 0",
            "/usr/share/shop/build.properties 1700000000 0100644 root root 0",
            "/usr/share/shop/sbom.cdx.json 1700000000 0100644 root root 0",
            "/usr/share/shop/shop.war 1700000057 0100644 root root 0",
        ]
    );
    let sha256 = run("sha256sum", &[workshop.path("shop.war").to_str().unwrap()]);
    assert_eq!(rows[10][3], &sha256[..64]);
}

#[test]
fn the_same_sources_give_the_same_bytes() {
    let workshop = Workshop::new();
    workshop.spec("");
    let first = workshop.build("1", "57");
    let bytes = std::fs::read(&first.path).unwrap();
    run("touch", &["-d", "2001-01-01", workshop.path("shop.war").to_str().unwrap()]);
    run("chmod", &["600", workshop.path("config/app.properties").to_str().unwrap()]);
    let second = workshop.build("1", "57");
    assert_eq!(first.sha256().unwrap(), second.sha256().unwrap());
    assert!(bytes == std::fs::read(&second.path).unwrap());
    assert_ne!(workshop.build("1", "58").sha256().unwrap(), first.sha256().unwrap());
}

#[test]
fn what_fails_leaves_nothing() {
    let workshop = Workshop::new();
    workshop.spec("");
    std::fs::write(workshop.path("shop.war"), "no zip").unwrap();
    let error = workshop.try_build("1", "57", None).unwrap_err();
    assert!(error.contains("is not a zip archive"), "{error}");
    assert!(!workshop.path("out").exists());
    workshop.war("again");
    std::fs::write(workshop.path("out"), "a file").unwrap();
    let error = workshop.try_build("1", "57", None).unwrap_err();
    assert!(error.contains("could not write to the directory"), "{error}");
    std::fs::remove_file(workshop.path("out")).unwrap();
    // A directory where the package should stand: found out at the very end.
    std::fs::create_dir_all(workshop.path("out/shop-1-57.noarch.rpm/x")).unwrap();
    workshop.try_build("1", "57", None).unwrap_err();
    assert_eq!(std::fs::read_dir(workshop.path("out")).unwrap().count(), 1);
}
