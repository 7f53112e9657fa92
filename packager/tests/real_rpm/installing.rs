//! Installing, upgrading, downgrading and erasing with the real rpm.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::workshop::{Root, Workshop, attempt, run};

#[test]
fn what_is_installed_verifies() {
    for compression in ["zstd", "gzip", "none"] {
        let workshop = Workshop::new();
        workshop.spec(&format!("compression = '{compression}'"));
        let root = Root::new();
        root.install(&workshop.build("1.4.0", "57").path);
        assert_eq!(root.rpm(&["-V", "--nodeps", "shop"]), (true, String::new(), String::new()));
        let file = std::fs::metadata(root.path("/etc/shop/app.properties")).unwrap();
        assert_eq!((file.mode() & 0o7777, file.uid(), file.gid()), (0o640, 0, 4711));
        let war = std::fs::read(root.path("/usr/share/shop/shop.war")).unwrap();
        assert!(war == std::fs::read(workshop.path("shop.war")).unwrap());
        let (_, owner, _) = root.rpm(&["-qf", "/etc/shop/sub"]);
        assert_eq!(owner, "shop-1.4.0-57.noarch\n");
        assert!(root.rpm(&["-e", "--force-debian", "--noscripts", "shop"]).0);
        assert!(!root.path("/etc/shop").exists() && !root.path("/usr/share/shop").exists());
    }
}

#[test]
fn every_build_has_a_war_of_its_own_time() {
    let workshop = Workshop::new();
    workshop.spec("");
    let root = Root::new();
    let mtime = || std::fs::metadata(root.path("/usr/share/shop/shop.war")).unwrap().mtime();
    for (version, release, expected) in
        [("1.0", "57", 57), ("1.0", "58", 58), ("2.0", "59.gabc", 59), ("1.0", "58", 58)]
    {
        root.install(&workshop.build(version, release).path);
        assert_eq!(mtime(), 1_700_000_000 + expected);
    }
}

#[test]
fn edited_configuration_stays_through_upgrade_and_rollback() {
    let workshop = Workshop::new();
    workshop.spec("");
    let old = workshop.build("1.0", "1");
    std::fs::write(workshop.path("config/app.properties"), "a=2\n").unwrap();
    let new = workshop.build("2.0", "2");
    let root = Root::new();
    let read = |name: &str| std::fs::read_to_string(root.path(name)).unwrap();
    root.install(&old.path);
    std::fs::write(root.path("/etc/shop/app.properties"), "a=edited\n").unwrap();
    let flags = ["-U", "--force-debian", "--nodeps", "--noscripts", new.path.to_str().unwrap()];
    assert!(root.rpm(&flags).0);
    assert_eq!(read("/etc/shop/app.properties"), "a=edited\n");
    assert_eq!(read("/etc/shop/app.properties.rpmnew"), "a=2\n");
    let flags = ["-U", "--oldpackage", "--force-debian", "--nodeps", "--noscripts", old.path.to_str().unwrap()];
    assert!(root.rpm(&flags).0);
    assert_eq!(read("/etc/shop/app.properties"), "a=edited\n");
}

#[test]
fn only_an_erase_removes_what_tomcat_unpacked() {
    let workshop = Workshop::new();
    workshop.spec("");
    let package = workshop.build("1.0", "1");
    let script = run("rpm", &["-qp", "--qf", "%{postun}", package.path.to_str().unwrap()]);
    let scripts = run("rpm", &["-qp", "--scripts", package.path.to_str().unwrap()]);
    assert!(scripts.starts_with("postuninstall scriptlet (using /bin/sh):\n"), "{scripts}");
    assert_eq!(scripts.matches("scriptlet (using").count(), 2);
    let webapps = workshop.path("webapps");
    let script = script.replace("/var/lib/tomcat10/webapps", webapps.to_str().unwrap());
    let erase = |argument: &str| assert!(attempt("/bin/sh", &["-c", &script, "sh", argument]).0);
    let unpacked = webapps.join("shop");
    let unpack = |file: &str| {
        let file = unpacked.join(file);
        std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(file, "").unwrap();
    };
    erase("0");
    unpack("index.html");
    erase("0");
    assert!(unpacked.exists(), "not unpacked by Tomcat");
    unpack("META-INF/war-tracker");
    erase("1");
    assert!(unpacked.exists(), "an upgrade or downgrade");
    erase("0");
    assert!(!unpacked.exists() && webapps.exists());
}
