//! Holds what is read against what rpm and createrepo_c read from the same packages, and against hostile input.
//!
//! The packages are made with rpmbuild; those below the directory that `RPM_CORPUS` names, if it is set, come on top.

mod builder;
mod createrepo;
mod hostile;
mod rpm_query;

use std::path::{Path, PathBuf};

use rpm_header::PackageHeader;

#[test]
fn built_packages_read_as_rpm_and_createrepo_read_them() {
    let directory = tempfile::tempdir().unwrap();
    builder::build_samples(directory.path());
    let packages = rpms_below(directory.path());
    assert_eq!(packages.len(), 4, "{packages:?}");
    assert_agrees(directory.path(), &packages);
}

#[test]
fn corpus_reads_as_rpm_and_createrepo_read_it() {
    let Some(corpus) = std::env::var_os("RPM_CORPUS").map(PathBuf::from) else { return };
    let packages = rpms_below(&corpus);
    assert!(!packages.is_empty(), "no RPM below {}", corpus.display());
    assert_agrees(&corpus, &packages);
}

fn assert_agrees(directory: &Path, packages: &[PathBuf]) {
    let listed = createrepo::list(directory);
    let mut differences = Vec::new();
    for path in packages {
        let name = path.strip_prefix(directory).unwrap().to_str().unwrap();
        match PackageHeader::read_file(path) {
            Ok(header) => {
                let found = rpm_query::differences(path, &header).into_iter();
                differences.extend(found.map(|difference| format!("{name}: rpm: {difference}")));
                let found = listed[name].differences(&header).into_iter();
                differences.extend(found.map(|difference| format!("{name}: createrepo_c: {difference}")));
            }
            Err(error) => differences.push(format!("{name}: {error}")),
        }
    }
    assert!(differences.is_empty(), "{} packages\n{}", packages.len(), differences.join("\n"));
}

fn rpms_below(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rpms_below(&path));
        } else if path.extension().is_some_and(|extension| extension == "rpm") {
            found.push(path);
        }
    }
    found.sort();
    found
}
