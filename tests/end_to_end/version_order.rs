//! The order of versions against rpm's own answers.

use std::cmp::Ordering;
use std::fmt::Write;
use std::process::Command;

use crate::program::run;

/// Parts that versions are made of, the odd ones included; every pair of their combinations is compared.
const PARTS: [&str; 12] = ["", "0", "1", "01", "10", "a", "b9", "~rc", "^git", ".", "_1", "+"];

fn versions() -> Vec<String> {
    let mut versions = Vec::new();
    for first in ["1", "1.0", "a"] {
        for second in PARTS {
            for third in PARTS {
                versions.push(format!("{first}{second}{third}"));
            }
        }
    }
    versions
}

#[test]
fn agrees_with_rpm_on_every_pair() {
    let versions = versions();
    let mut script = String::new();
    for left in &versions {
        for right in &versions {
            writeln!(script, "print(rpm.vercmp('{left}', '{right}'))").unwrap();
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("compare.lua");
    std::fs::write(&file, script.replace("print(", "say(")).unwrap();
    let load = format!("%{{lua: function say(n) print(n .. ' ') end dofile('{}')}}", file.display());
    let answers = run(Command::new("rpm").args(["--eval", &load]));
    let answers: Vec<i32> = answers.ok().split_whitespace().map(|answer| answer.parse().unwrap()).collect();
    assert_eq!(answers.len(), versions.len() * versions.len());

    let pairs = versions.iter().flat_map(|left| versions.iter().map(move |right| (left, right)));
    for ((left, right), answer) in pairs.zip(answers) {
        let ours = match nevra::rpmvercmp(left, right) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        };
        assert_eq!(ours, answer, "`{left}` against `{right}`");
    }
}
