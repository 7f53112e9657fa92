//! createrepo_c's answer on the same packages is what repodata has to say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use repo_server::{FileIdentity, Fragments};
use rpm_header::{Dependency, PackageHeader, ReadHeaderError};

use crate::support::{rpmbuild, run};
use crate::surgery::Patient;
use crate::xml_tree::Element;
use crate::zoo;

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

pub(crate) const FEATURES: &str = "\
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
Requires(pretrans): before-all
Requires(posttrans): after-all
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
touch %{buildroot}/etc/features/ghost
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
    for (name, spec) in [("plain", PLAIN), ("features", FEATURES)] {
        let folder = directory.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(rpmbuild(&folder, spec).len(), 2);
    }
    assert_eq!(compare(directory.path()).described.len(), 4);
}

#[test]
fn strange_packages_are_described_as_createrepo_describes_them() {
    let directory = tempfile::tempdir().unwrap();
    let built = rpmbuild(directory.path(), FEATURES);
    let healthy = built.iter().find(|path| path.to_string_lossy().ends_with("noarch.rpm")).unwrap();
    let healthy = Patient::open(&std::fs::read(healthy).unwrap());
    let folder = directory.path().join("zoo");
    std::fs::create_dir(&folder).unwrap();
    let mut names = Vec::new();
    for (name, bytes) in zoo::packages(&healthy) {
        std::fs::write(folder.join(format!("{name}.rpm")), bytes).unwrap();
        names.push(format!("{name}.rpm"));
    }
    let compared = compare(&folder);
    // It refuses these packages, and of those it writes what nobody can read.
    names.retain(|name| !compared.described.contains(name));
    assert_eq!(names, ["text-control-characters.rpm"]);
    assert!(compared.unreadable.iter().all(|name| name.starts_with("text-")), "{:?}", compared.unreadable);
    strict_parsers_read(&folder);
}

#[test]
fn corpus_is_described_as_createrepo_describes_it() {
    let Some(corpus) = std::env::var_os("RPM_CORPUS").map(PathBuf::from) else { return };
    assert!(!compare(&corpus).described.is_empty());
}

/// Which packages createrepo_c described, by their paths.
#[derive(Default)]
struct Compared {
    described: BTreeSet<String>,
    /// In XML that is none, and with which nobody can read anything of the whole repository.
    unreadable: BTreeSet<String>,
}

/// Compares what is rendered of all packages below a directory with what createrepo_c says.
fn compare(directory: &Path) -> Compared {
    let output = tempfile::tempdir().unwrap();
    let mut command = Command::new("createrepo_c");
    command.args(["--no-database", "--general-compress-type", "gz", "--simple-md-filenames", "--quiet"]);
    run(command.arg("--outputdir").arg(output.path()).arg(directory));
    let [primary, filelists, other] = KINDS.map(|kind| by_package(output.path(), kind));
    let mut differences = Vec::new();
    let mut compared = Compared::default();
    for (sha256, primary) in primary {
        let href = between(&primary, "<location href=\"", "\"");
        let href = quick_xml::escape::unescape(href).unwrap().into_owned();
        let theirs = [&primary, &filelists[&sha256], &other[&sha256]];
        let around_transactions = around_transactions(&directory.join(&href));
        let rendered = match render(&directory.join(&href), &sha256, &href) {
            Ok(rendered) => rendered,
            Err(error) => {
                differences.push(format!("{href}: {error}"));
                continue;
            }
        };
        for ((mut ours, theirs), kind) in rendered.into_iter().zip(theirs).zip(KINDS) {
            let Ok(mut theirs) = Element::try_parse(theirs) else {
                compared.unreadable.insert(href.clone());
                continue;
            };
            accept(&mut ours, &mut theirs);
            accept_transactions(&mut ours, &mut theirs, &around_transactions);
            let found = ours.differences(&theirs);
            differences.extend(found.into_iter().map(|text| format!("{href}: {kind}: {text}")));
        }
        compared.described.insert(href);
    }
    assert!(differences.is_empty(), "{} packages\n{}", compared.described.len(), differences.join("\n"));
    compared
}

/// Has expat, which libsolv reads repodata with, read what is rendered of all packages in a directory.
fn strict_parsers_read(directory: &Path) {
    let document = tempfile::NamedTempFile::new().unwrap();
    let mut xml = b"<metadata xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">".to_vec();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let Ok(header) = PackageHeader::read_file(&path) else { continue };
        let href = format!("Packages/{}", header.nevra.file_name());
        let fragments = Fragments::render(&header, &FileIdentity { sha256: "0", size: 0, time: 0, href: &href });
        xml.extend([&fragments.primary[..], &fragments.filelists, &fragments.other].concat());
    }
    xml.extend(b"</metadata>");
    std::fs::write(document.path(), xml).unwrap();
    let parse = "import sys, xml.parsers.expat as expat; expat.ParserCreate().ParseFile(open(sys.argv[1], 'rb'))";
    run(Command::new("python3").args(["-c", parse]).arg(document.path()));
}

/// Makes differences equal in which createrepo_c 0.17 is wrong.
fn accept(ours: &mut Element, theirs: &mut Element) {
    // It does not know the 64-bit tag in which format 6 says the payload's size.
    if let (Some(ours), Some(theirs)) = (ours.child_mut("size"), theirs.child_mut("size"))
        && theirs.attributes["archive"] == "0"
    {
        ours.attributes.insert("archive".to_owned(), "0".to_owned());
    }
    // It lists no files of a package that does not say their modes and flags.
    let has_files = |element: &Element| element.children.iter().any(|child| child.name == "file");
    for place in [&[][..], &["format"]] {
        let (Some(ours), Some(theirs)) = (ours.at(place), theirs.at(place)) else { continue };
        if !has_files(theirs) {
            ours.children.retain(|child| child.name != "file");
        }
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

/// The names that a package requires for its scriptlets around a transaction.
fn around_transactions(path: &Path) -> BTreeSet<String> {
    let requires = PackageHeader::read_file(path).map(|header| header.requires).unwrap_or_default();
    let of_scriptlets = requires.into_iter().filter(|entry| entry.flags & Dependency::TRANSACTION != 0);
    of_scriptlets.map(|entry| entry.name).collect()
}

/// createrepo_c before 1.1.1 does not say that these are needed before the package; what is then there twice, it lists
/// twice.
fn accept_transactions(ours: &mut Element, theirs: &mut Element, names: &BTreeSet<String>) {
    for element in [ours, theirs] {
        let Some(requires) = element.at(&["format", "rpm:requires"]) else { continue };
        let mut seen = BTreeSet::new();
        requires.children.retain_mut(|entry| {
            if !names.contains(&entry.attributes["name"]) {
                return true;
            }
            entry.attributes.remove("pre");
            seen.insert(entry.clone())
        });
    }
}

/// It loses U+0080 to U+00BF when it decodes Latin-1, which shows only in texts that hold nothing beyond Latin-1.
fn lose_latin_1(text: &mut String) {
    if text.chars().all(|character| character <= '\u{ff}') {
        text.retain(|character| !('\u{80}'..='\u{bf}').contains(&character));
    }
}

fn render(path: &Path, sha256: &str, href: &str) -> Result<[Element; 3], ReadHeaderError> {
    let header = PackageHeader::read_file(path)?;
    let metadata = std::fs::metadata(path).unwrap();
    let time = metadata.modified().unwrap().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let identity = FileIdentity { sha256, size: metadata.len(), time, href };
    let fragments = Fragments::render(&header, &identity);
    let shorter = PackageHeader::read_for_repodata(&mut std::fs::File::open(path).unwrap())?;
    assert_eq!(Fragments::render(&shorter, &identity), fragments, "{href}");
    let fragments = [fragments.primary, fragments.filelists, fragments.other];
    Ok(fragments.map(|fragment| Element::parse(std::str::from_utf8(&fragment).unwrap())))
}

/// The XML of each package, by its sha256.
fn by_package(output: &Path, kind: &str) -> BTreeMap<String, String> {
    let file = std::fs::File::open(output.join(format!("repodata/{kind}.xml.gz"))).unwrap();
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    // What is no UTF-8 becomes a character that no XML may have.
    let mut xml = String::new();
    for chunk in bytes.utf8_chunks() {
        xml.push_str(chunk.valid());
        xml.extend(chunk.invalid().first().map(|_| '\u{fffe}'));
    }
    let packages = xml.split_inclusive("</package>").filter_map(|text| Some(&text[text.find("<package ")?..]));
    packages
        .map(|package| {
            let (before, after) = if kind == "primary" { ("pkgid=\"YES\">", "<") } else { ("pkgid=\"", "\"") };
            (between(package, before, after).to_owned(), package.to_owned())
        })
        .collect()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0
}
