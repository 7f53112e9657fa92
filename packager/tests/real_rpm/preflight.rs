//! What the preflight says of two versions, held against what rpm does with them.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use packager::lint::{Lint, Subject};
use packager::preflight::{EditFate, Preflight, compare};
use rpm_header::PackageHeader;

use crate::workshop::{Root, run};

const EDITED: &str = "edited\n";

/// What a package of the tests holds at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    Text(&'static str),
    Link(&'static str),
    Ghost,
}

/// Packs files, each with what a .spec file's list of files says of it, as a version of the package `c`.
fn pack(directory: &Path, version: &str, files: &[(String, Kind, &str)]) -> PathBuf {
    let (mut install, mut list) = (String::new(), String::new());
    for (path, kind, attributes) in files {
        let make = match kind {
            Kind::Directory => format!("mkdir -p %{{buildroot}}{path}"),
            Kind::Text(text) => format!("echo '{text}' > %{{buildroot}}{path}"),
            Kind::Link(target) => format!("ln -s {target} %{{buildroot}}{path}"),
            Kind::Ghost => format!("touch %{{buildroot}}{path}"),
        };
        let directive = match kind {
            Kind::Directory => "%dir ",
            Kind::Ghost => "%ghost ",
            Kind::Text(_) | Kind::Link(_) => "",
        };
        install += &format!("{make}\n");
        list += &format!("{directive}{attributes} {path}\n");
    }
    let spec = format!(
        "Name: c\nVersion: {version}\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%description\nd\n\
         %install\nmkdir -p %{{buildroot}}/etc/c %{{buildroot}}/opt\n{install}%files\n{list}"
    );
    rpmbuild(directory, &spec);
    directory.join(format!("top/RPMS/noarch/c-{version}-1.noarch.rpm"))
}

fn rpmbuild(directory: &Path, spec: &str) {
    let file = directory.join("x.spec");
    std::fs::write(&file, spec).unwrap();
    let top = format!("_topdir {}", directory.join("top").display());
    run("rpmbuild", &["-bb", "--quiet", "--define", &top, file.to_str().unwrap()]);
}

fn preflight(old: &Path, new: &Path) -> Preflight {
    compare(&PackageHeader::read_file(old).unwrap(), &PackageHeader::read_file(new).unwrap()).unwrap()
}

/// Moves to a package, whatever is installed; an error is what rpm said.
fn move_to(root: &Root, package: &Path) -> Result<(), String> {
    let flags = ["-U", "--oldpackage", "--replacepkgs", "--force-debian", "--nodeps", "--nosignature"];
    let (succeeded, _, stderr) = root.rpm(&[&flags[..], &[package.to_str().unwrap()]].concat());
    if succeeded { Ok(()) } else { Err(stderr) }
}

/// Every way in which a file can be in a version: not at all, or as text, link or ghost, as configuration or not.
fn shapes() -> Vec<Option<(Kind, &'static str)>> {
    let mut shapes = vec![None];
    for attributes in ["", "%config", "%config(noreplace)", "%config(missingok)"] {
        let kinds = [Kind::Text("a"), Kind::Text("b"), Kind::Link("a"), Kind::Ghost];
        shapes.extend(kinds.map(|kind| Some((kind, attributes))));
    }
    shapes
}

/// What became of a file that was edited.
fn observed(path: &Path) -> Option<EditFate> {
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", path.display())).symlink_metadata().is_ok();
    let is_edited = match path.read_link() {
        Ok(target) => target == Path::new("edited"),
        Err(_) => std::fs::read_to_string(path).is_ok_and(|text| text == EDITED),
    };
    let is_there = path.symlink_metadata().is_ok();
    Some(match (is_edited, beside(".rpmnew"), beside(".rpmsave"), beside(".rpmorig")) {
        (true, false, false, false) => EditFate::Kept,
        (true, true, false, false) => EditFate::KeptBesideNew,
        (false, false, true, false) if is_there => EditFate::Replaced,
        (false, false, true, false) => EditFate::Removed,
        (false, false, false, true) if is_there => EditFate::ReplacedAsOriginal,
        _ => return None,
    })
}

#[test]
fn configuration_fares_as_predicted() {
    let directory = tempfile::tempdir().unwrap();
    let (mut old, mut new) = (vec![], vec![]);
    let mut cases = Vec::new();
    for before in shapes() {
        for after in shapes() {
            let path = format!("/etc/c/{:04}", cases.len());
            let is_link = matches!(before.or(after), Some((Kind::Link(_), _)));
            old.extend(before.map(|(kind, attributes)| (path.clone(), kind, attributes)));
            new.extend(after.map(|(kind, attributes)| (path.clone(), kind, attributes)));
            cases.push((path, is_link, format!("{before:?} → {after:?}")));
        }
    }
    let (old, new) = (pack(directory.path(), "1", &old), pack(directory.path(), "2", &new));
    let preflight = preflight(&old, &new);
    let root = Root::new();
    move_to(&root, &old).unwrap();
    std::fs::create_dir_all(root.path("/etc/c")).unwrap();
    for (path, is_link, _) in &cases {
        let path = root.path(path);
        let _ = std::fs::remove_file(&path);
        if *is_link { symlink("edited", &path).unwrap() } else { std::fs::write(&path, EDITED).unwrap() }
    }
    move_to(&root, &new).unwrap();
    let mut wrong = Vec::new();
    for (path, _, case) in &cases {
        let predicted = preflight.forward.configuration.iter().find(|change| change.path == *path);
        let Some(predicted) = predicted.map(|change| change.edited) else { continue };
        let observed = observed(&root.path(path));
        if observed != Some(predicted) {
            wrong.push(format!("{case}: {predicted:?} instead of {observed:?}"));
        }
    }
    assert!(preflight.forward.configuration.len() > 200);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    move_to(&root, &old).unwrap();
    for lost in &preflight.edits_lost_by_rollback {
        let is_edited = std::fs::read_to_string(root.path(&lost.path)).is_ok_and(|text| text == EDITED);
        assert!(!is_edited, "{lost:?}");
        assert!(root.path(&lost.kept_as).symlink_metadata().is_ok(), "{lost:?}");
    }
    let lost = |path: &str| preflight.edits_lost_by_rollback.iter().any(|lost| lost.path == path);
    for change in preflight.forward.configuration.iter().filter(|change| !lost(&change.path)) {
        let case = cases.iter().find(|(path, ..)| *path == change.path).unwrap();
        let stays = matches!(change.edited, EditFate::Kept | EditFate::KeptBesideNew);
        let back = preflight.back.configuration.iter().find(|back| back.path == change.path).unwrap();
        if stays && matches!(back.edited, EditFate::Kept | EditFate::KeptBesideNew) && !case.1 {
            assert_eq!(std::fs::read_to_string(root.path(&change.path)).unwrap(), EDITED, "{}", case.2);
        }
    }
}

#[test]
fn refusals_are_those_of_rpm() {
    let directory = tempfile::tempdir().unwrap();
    let (file, folder) = (Kind::Text("x"), Kind::Directory);
    let kinds: [(&str, Vec<(&str, Kind)>); 6] = [
        ("nothing", vec![]),
        ("file", vec![("/opt/p", file)]),
        ("empty directory", vec![("/opt/p", folder)]),
        ("directory", vec![("/opt/p", folder), ("/opt/p/x", file)]),
        ("link to a file", vec![("/opt/p", Kind::Link("q")), ("/opt/q", file)]),
        ("link to a directory", vec![("/opt/p", Kind::Link("r")), ("/opt/r", folder)]),
    ];
    let built = kinds.map(|(name, files)| {
        let files: Vec<_> = files.into_iter().map(|(path, kind)| (path.to_owned(), kind, "")).collect();
        let place = directory.path().join(name.replace(' ', "-"));
        std::fs::create_dir(&place).unwrap();
        (name, pack(&place, "1", &files), pack(&place, "2", &files))
    });
    for (before, old, _) in &built {
        for (after, _, new) in &built {
            let preflight = preflight(old, new);
            let root = Root::new();
            move_to(&root, old).unwrap();
            let refusals = &preflight.forward.refusals;
            let moved = move_to(&root, new);
            assert_eq!(moved.is_ok(), refusals.is_empty(), "{before} → {after}: {refusals:?}, {moved:?}");
        }
    }
}

#[test]
fn scripts_run_in_the_order_told() {
    let directory = tempfile::tempdir().unwrap();
    let [old, new] = ["1", "2"].map(|version| scripted(directory.path(), version));
    let preflight = preflight(&old, &new);
    let root = Root::new();
    let log = root.path("/log");
    let move_and_read = |package: &Path| {
        let _ = std::fs::remove_file(&log);
        move_to(&root, package).unwrap();
        std::fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    move_and_read(&old);
    for (package, transition) in [(&new, &preflight.forward), (&old, &preflight.back)] {
        let log = move_and_read(package);
        let told = |trigger: bool| {
            let runs = transition.scripts.iter().filter(move |run| trigger || !run.script.contains("trigger"));
            runs.map(|run| format!("{} {}", run.package, run.script)).collect::<Vec<_>>()
        };
        let scriptlets: Vec<_> = log.iter().filter(|line| !line.contains("trigger")).cloned().collect();
        let arguments = transition.scripts.iter().filter_map(|run| Some((run, run.argument?)));
        let expected: Vec<_> = arguments.map(|(run, one)| format!("{} {} {one}", run.package, run.script)).collect();
        assert_eq!(scriptlets, expected);
        let mut rest = log.iter();
        for run in told(true) {
            assert!(rest.any(|line| line.starts_with(&run)), "{run} is not in its place in\n{}", log.join("\n"));
        }
    }
}

/// A package of which every script logs itself with its first argument.
fn scripted(directory: &Path, version: &str) -> PathBuf {
    let logging = |name: &str, of: &str| {
        format!(
            "%{name} -p <lua>{of}\nlocal f = io.open('/log', 'a') \
             f:write('s-{version}-1.noarch %%{name} ' .. tostring(arg and arg[2]) .. '\\n') f:close()\n"
        )
    };
    let mut spec = format!(
        "Name: s\nVersion: {version}\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n%description\nd\n\
         %install\nmkdir -p %{{buildroot}}/opt/s\ntouch %{{buildroot}}/opt/s/{version}\n%files\n/opt/s\n"
    );
    for name in ["pretrans", "pre", "post", "preun", "postun", "posttrans"] {
        spec += &logging(name, "");
    }
    for name in ["triggerprein", "triggerin", "triggerun", "triggerpostun"] {
        spec += &logging(name, " -- s");
    }
    for name in ["filetriggerin", "filetriggerun", "filetriggerpostun"] {
        spec += &logging(name, " -- /opt/s");
        spec += &logging(&format!("trans{name}"), " -- /opt/s");
    }
    rpmbuild(directory, &spec);
    directory.join(format!("top/RPMS/noarch/s-{version}-1.noarch.rpm"))
}

/// A package that rpmbuild makes asks for all features that it uses; one whose maker forgot one is told.
#[test]
fn features_are_those_that_rpmbuild_asks_for() {
    let directory = tempfile::tempdir().unwrap();
    let spec = "Name: f\nVersion: 1~rc1^git1\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n\
                Requires: (a or b)\nSupplements: (c and d)\n%define _binary_payload w3.zstdio\n%description\nd\n%files\n";
    rpmbuild(directory.path(), spec);
    let path = directory.path().join("top/RPMS/noarch/f-1~rc1^git1-1.noarch.rpm");
    let mut header = PackageHeader::read_file(&path).unwrap();
    let missing = |header: &PackageHeader| -> Vec<String> {
        let findings = packager::lint::check(&Subject::of_header(header)).into_iter();
        findings.filter(|finding| finding.lint == Lint::MissingRpmlib).map(|finding| finding.place).collect()
    };
    assert_eq!(missing(&header), Vec::<String>::new());
    header.requires.retain(|required| !required.name.starts_with("rpmlib("));
    let features = ["PayloadIsZstd", "RichDependencies", "TildeInVersions", "CaretInVersions"];
    assert_eq!(missing(&header), features.map(|feature| format!("`rpmlib({feature})`")));
}
