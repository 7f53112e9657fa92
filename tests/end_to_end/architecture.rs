//! Holds the workspace against what ARCHITECTURE.md says of it, and its dependencies against the licences allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Licences that a dependency may be had under; none of them asks anything of programs that link it.
const ALLOWED_LICENSES: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Zlib",
    "bzip2-1.0.6",
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform"])
        .arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The arrows of the block in ARCHITECTURE.md that is marked `arrows`: `crate -> crate crate …` on each line.
fn arrows_shown() -> BTreeMap<String, BTreeSet<String>> {
    let text = include_str!("../../ARCHITECTURE.md");
    let block = text.split("```arrows\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    block
        .lines()
        .map(|line| {
            let (from, to) = line.split_once("->").unwrap_or((line, ""));
            (from.trim().to_owned(), to.split_whitespace().map(str::to_owned).collect())
        })
        .collect()
}

fn arrows_found(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let members: BTreeSet<&str> =
        metadata["workspace_members"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: Vec<&Value> =
        packages.iter().filter(|package| members.contains(package["id"].as_str().unwrap())).collect();
    let names: BTreeSet<&str> = ours.iter().map(|package| package["name"].as_str().unwrap()).collect();
    ours.iter()
        .map(|package| {
            let needs = package["dependencies"].as_array().unwrap().iter();
            let needs =
                needs.filter(|dependency| dependency["kind"] != "dev").map(|need| need["name"].as_str().unwrap());
            let needs = needs.filter(|name| names.contains(name)).map(str::to_owned).collect();
            (package["name"].as_str().unwrap().to_owned(), needs)
        })
        .collect()
}

#[test]
fn crates_depend_on_each_other_as_the_architecture_shows() {
    assert_eq!(arrows_found(&metadata()), arrows_shown(), "left: Cargo.toml files; right: ARCHITECTURE.md");
}

#[test]
fn every_dependency_has_a_license_that_is_allowed() {
    let metadata = metadata();
    let mut refused = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let license = package["license"].as_str().unwrap_or("none").replace('/', " OR ");
        let license = license.replace(['(', ')'], "");
        let fits = license
            .split(" OR ")
            .any(|choice| choice.split(" AND ").all(|part| ALLOWED_LICENSES.contains(&part.trim())));
        if !fits {
            refused.push(format!("{} {}: {license}", package["name"], package["version"]));
        }
    }
    assert!(refused.is_empty(), "not under {ALLOWED_LICENSES:?}:\n{}", refused.join("\n"));
}

#[test]
fn no_dependency_needs_a_newer_rust_than_the_workspace_says() {
    let version = |text: &str| text.split('.').map(|part| part.parse().unwrap()).collect::<Vec<u32>>();
    let ours = version(env!("CARGO_PKG_RUST_VERSION"));
    for package in metadata()["packages"].as_array().unwrap() {
        if let Some(theirs) = package["rust_version"].as_str() {
            assert!(version(theirs) <= [ours.clone(), vec![u32::MAX]].concat(), "{} needs {theirs}", package["name"]);
        }
    }
}
