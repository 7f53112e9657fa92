//! createrepo_c's answer on the same packages is what repodata has to say.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use repo_server::{FileIdentity, Fragments};
use rpm_header::PackageHeader;

use crate::support::{rpmbuild, run};
use crate::xml_tree::Element;

const KINDS: [&str; 3] = ["primary", "filelists", "other"];

const PLAIN: &str = "\
Name: plain
Version: 1.0
Release: 1
Summary: Nothing special
License: MIT
BuildArch: noarch
%description
Plain.
%files
";

const FEATURES: &str = "\
Name: features
Epoch: 3
Version: 1.0~rc1^git7
Release: 2.el9
Summary: Every <kind> of \"thing\" & more: grüße 🎉
License: MIT and 'others'
Group: Applications/Internet
URL: https://example.org/?a=1&b=2
Vendor: A & B
Packager: Ana <ana@example.org>
BuildArch: noarch
AutoReqProv: no
Requires: bash >= 4, (java-headless or jre), java < 2:22-3
Requires: /usr/bin/own, /usr/share/own, own-capability
Requires: libc.so.6(GLIBC_2.4)(64bit), libc.so.6()(64bit), libc.so.6(GLIBC_2.34)(64bit)
Requires(pre): shadow-utils
Requires(post): shadow-utils, coreutils = 8-1
Requires(postun): coreutils
Provides: own-capability = 1:2-3, other
Conflicts: enemy <= 0:1
Obsoletes: old-features < 3:1
Recommends: nice
Suggests: maybe > 1
Supplements: base
Enhances: (base and more)
%description
First line.

  Indented <b>line</b> ]]> with\ttab.
%pretrans
echo
%post
echo
%install
mkdir -p %{buildroot}/etc/features/d %{buildroot}/usr/bin %{buildroot}/usr/share/own %{buildroot}/var/lib/features
echo a > '%{buildroot}/etc/features/a&b <c>.conf'
echo b > %{buildroot}/usr/bin/own
ln -s own %{buildroot}/usr/bin/link
echo c > %{buildroot}/usr/share/own/grüße
%files
%dir /etc/features
%dir /etc/features/d
%config(noreplace) \"/etc/features/a&b <c>.conf\"
/usr/bin/*
/usr/share/own
%ghost /var/lib/features
%ghost /etc/features/ghost
%changelog
* Wed Jan 03 2024 Ana <ana@example.org> - 1.0-3
- third & <last>
* Tue Jan 02 2024 Ana <ana@example.org> - 1.0-2
- second on a day
* Tue Jan 02 2024 Ana <ana@example.org> - 1.0-1
- first on a day
* Mon Jan 01 2024 Ana <ana@example.org> - 0.9-1
- before
";

#[test]
fn built_packages_are_described_as_createrepo_describes_them() {
    let directory = tempfile::tempdir().unwrap();
    // %ghost needs the file to be there when it is built.
    let features = FEATURES.replace("%files\n", "touch %{buildroot}/etc/features/ghost\n%files\n");
    for (name, spec) in [("plain", PLAIN), ("features", &features)] {
        let folder = directory.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(rpmbuild(&folder, spec).len(), 2);
    }
    assert_eq!(compare(directory.path()), 4);
}

#[test]
fn corpus_is_described_as_createrepo_describes_it() {
    let Some(corpus) = std::env::var_os("RPM_CORPUS").map(PathBuf::from) else { return };
    assert!(compare(&corpus) > 0);
}

/// Compares what is rendered of all packages below a directory, and gives their number.
fn compare(directory: &Path) -> usize {
    let output = tempfile::tempdir().unwrap();
    let mut command = Command::new("createrepo_c");
    command.args(["--no-database", "--general-compress-type", "gz", "--simple-md-filenames", "--quiet"]);
    run(command.arg("--outputdir").arg(output.path()).arg(directory));
    let documents = KINDS.map(|kind| by_package(output.path(), kind));
    let mut differences = Vec::new();
    for (sha256, primary) in &documents[0] {
        let href = primary.child("location").unwrap().attributes["href"].clone();
        let rendered = render(&directory.join(&href), sha256, &href);
        for (index, ours) in rendered.into_iter().enumerate() {
            let (mut ours, mut theirs) = (ours, documents[index][sha256].clone());
            accept(&mut ours, &mut theirs);
            let found = ours.differences(&theirs);
            differences.extend(found.into_iter().map(|text| format!("{href}: {}: {text}", KINDS[index])));
        }
    }
    let packages = documents[0].len();
    assert!(differences.is_empty(), "{packages} packages\n{}", differences.join("\n"));
    packages
}

/// Makes differences equal in which createrepo_c 0.17 is wrong.
fn accept(ours: &mut Element, theirs: &mut Element) {
    // It does not know the 64-bit tag in which format 6 says the payload's size.
    if let (Some(ours), Some(theirs)) = (ours.child_mut("size"), theirs.child_mut("size"))
        && theirs.attributes["archive"] == "0"
    {
        ours.attributes.insert("archive".to_owned(), "0".to_owned());
    }
    // librpm adds to packages of format 3 that they provide themselves, also where their header says so.
    let provides = theirs.child_mut("format").and_then(|format| format.child_mut("rpm:provides"));
    let said = ours.child("format").and_then(|format| format.child("rpm:provides")).map_or(0, |all| all.children.len());
    if let Some(provides) = provides
        && provides.children.len() == said + 1
        && provides.children[..said].contains(&provides.children[said])
    {
        provides.children.pop();
    }
    ours.for_each_text(&lose_latin_1);
    theirs.for_each_text(&lose_latin_1);
}

/// It loses U+0080 to U+00BF when it decodes Latin-1, which shows only in texts that hold nothing beyond Latin-1.
fn lose_latin_1(text: &mut String) {
    if text.chars().all(|character| character <= '\u{ff}') {
        text.retain(|character| !('\u{80}'..='\u{bf}').contains(&character));
    }
}

fn render(path: &Path, sha256: &str, href: &str) -> [Element; 3] {
    let header = PackageHeader::read_file(path).unwrap();
    let metadata = std::fs::metadata(path).unwrap();
    let time = metadata.modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let fragments = Fragments::render(&header, &FileIdentity { sha256, size: metadata.len(), time, href });
    [fragments.primary, fragments.filelists, fragments.other]
        .map(|fragment| Element::parse(std::str::from_utf8(&fragment).unwrap()))
}

fn by_package(output: &Path, kind: &str) -> BTreeMap<String, Element> {
    let file = std::fs::File::open(output.join(format!("repodata/{kind}.xml.gz"))).unwrap();
    let mut xml = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut xml).unwrap();
    let packages = Element::parse(&xml).children.into_iter();
    packages
        .map(|package| {
            let checksum = package.child("checksum").map(|checksum| checksum.text.clone());
            (checksum.unwrap_or_else(|| package.attributes["pkgid"].clone()), package)
        })
        .collect()
}
