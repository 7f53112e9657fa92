//! The header's tags, held against those of rpmbuild for the same package.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::workshop::{Root, Workshop, run};

/// Tags that rightly differ from rpmbuild's, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("Buildhost", "the builder's host is nobody's business and would change the bytes"),
    ("Buildtime", "rpmbuild's is the clock"),
    ("Classdict", "libmagic's guesses, used by rpmbuild itself only"),
    ("Fileclass", "as Classdict"),
    ("Filecolors", "ELF's word size: nothing of it in a noarch package"),
    ("Filemtimes", "rpmbuild's are the clock"),
    ("Optflags", "a compiler's flags"),
    ("Payloaddigest", "times are in the payload"),
    ("Payloaddigestalt", "times are in the payload"),
    ("Platform", "rpmbuild's names the distribution"),
    ("Rpmversion", "what built it"),
    ("Sha1header", "follows from the others"),
    ("Sha256header", "follows from the others"),
    ("Sigmd5", "covers header and payload in one go; rpm has used the payload's sha256 instead since 4.14"),
    ("Sigsize", "follows from the others"),
];

/// What differs besides for targets before el9.
const OLDER_TARGET: &[(&str, &str)] =
    &[("Payloaddigestalt", "rpm before 4.16 does not know the digest of the archive, which costs a quarter of all")];

#[test]
fn tags_are_those_of_rpmbuild() {
    let workshop = Workshop::new();
    workshop.spec("");
    let ours = workshop.build("1.4.0", "57");
    let script = |tag| run("rpm", &["-qp", "--qf", tag, ours.path.to_str().unwrap()]);
    let theirs = rpmbuild(&workshop, [&script("%{postun}"), &script("%{posttrans}")], &ours.path);
    assert_differ("the shop", &tags(&ours.path), &tags(&theirs), &[], OLDER_TARGET);
}

/// Asserts that just those tags differ that rightly do, all but `missing`, and those of `more` besides.
pub(crate) fn assert_differ(
    name: &str,
    ours: &BTreeMap<String, String>,
    theirs: &BTreeMap<String, String>,
    missing: &[&str],
    more: &[(&str, &str)],
) {
    let all: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let differing: Vec<_> = all.into_iter().filter(|tag| ours.get(*tag) != theirs.get(*tag)).collect();
    let expected: BTreeSet<_> = DIFFERENCES.iter().chain(more).map(|(tag, _)| *tag).collect();
    let expected: Vec<_> = expected.into_iter().filter(|tag| !missing.contains(tag)).collect();
    let show = |tag: &&String| format!("{tag}\n  ours {:?}\n  theirs {:?}\n", ours.get(*tag), theirs.get(*tag));
    assert_eq!(differing, expected, "{name}: {}", differing.iter().map(show).collect::<String>());
}

/// Packs the files that our package installs once more, with rpmbuild.
fn rpmbuild(workshop: &Workshop, [postun, posttrans]: [&str; 2], package: &Path) -> std::path::PathBuf {
    let top = workshop.path("rpmbuild");
    let root = Root::new();
    root.install(package);
    let files = root.path("/");
    let drop_ins = "/usr/lib/systemd/system/tomcat10.service.d";
    let spec = format!(
        "Name: shop\nVersion: 1.4.0\nRelease: 57\nSummary: The shop\nLicense: MIT\nBuildArch: noarch\n\
         Requires: java-headless >= 1:17\nRequires: tomcat\n%description\nThe shop\n\
         %install\nmkdir -p %{{buildroot}}\ncd {}\n\
         cp -a --parents etc/shop etc/tomcat10 usr/share usr/lib/systemd %{{buildroot}}/\n%postun\n{postun}\n%posttrans\n{posttrans}\n%files\n\
         %dir %attr(0750,root,web) /etc/shop\n%dir %attr(0750,root,web) /etc/shop/sub\n\
         %config(noreplace) %attr(0640,root,web) /etc/shop/app.properties\n\
         %config(noreplace) %attr(0640,root,web) /etc/shop/sub/b.xml\n\
         %config %attr(0644,root,root) /etc/tomcat10/Catalina/localhost/shop.xml\n\
         %dir %attr(0755,root,root) {drop_ins}\n%attr(0644,root,root) {drop_ins}/shop.conf\n\
         %dir %attr(0755,root,root) /usr/share/shop\n%attr(0644,root,root) /usr/share/shop/build.properties\n\
         %attr(0644,root,root) /usr/share/shop/sbom.cdx.json\n%attr(0644,root,root) /usr/share/shop/shop.war\n",
        files.display()
    );
    std::fs::write(workshop.path("shop.spec"), spec).unwrap();
    let define = |name: &str, value: &str| ["--define".to_owned(), format!("{name} {value}")];
    let defines = [
        define("_topdir", top.to_str().unwrap()),
        define("_binary_payload", "w3.zstdio"),
        define("__os_install_post", "%{nil}"),
    ];
    let defines: Vec<_> = defines.iter().flatten().map(String::as_str).collect();
    run("rpmbuild", &[&["-bb", workshop.path("shop.spec").to_str().unwrap()], &defines[..]].concat());
    top.join("RPMS/noarch/shop-1.4.0-57.noarch.rpm")
}

/// Reads `rpm --xml`: each tag with its values, the types included.
pub(crate) fn tags(package: &Path) -> BTreeMap<String, String> {
    let xml = run("rpm", &["-qp", "--xml", package.to_str().unwrap()]);
    let mut tags = BTreeMap::new();
    for block in xml.split("<rpmTag name=\"").skip(1) {
        let (name, rest) = block.split_once("\">").unwrap();
        let (values, _) = rest.split_once("</rpmTag>").unwrap();
        tags.insert(name.to_owned(), values.trim().to_owned());
    }
    tags
}
