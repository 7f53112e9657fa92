//! Makes packages with rpmbuild and signs them with rpmsign.

use std::path::Path;
use std::process::Command;

const FEATURES: &str = include_str!("features.spec");
const PLAIN: &str = include_str!("plain.spec");

/// Builds `features` (binary and source, signed with RSA) and `plain` (binary and `nosrc`, signed with EdDSA).
pub(crate) fn build_samples(directory: &Path) {
    // A part in Latin-1, which a .spec file in UTF-8 can't hold.
    let features: Vec<u8> = FEATURES.chars().flat_map(encode).collect();
    rpmbuild(directory, "features", &features);
    rpmbuild(directory, "plain", PLAIN.as_bytes());
    let home = directory.join("gnupg");
    for (package, key) in [("features", "rsa2048"), ("plain", "ed25519")] {
        sign(directory, &home, package, key);
    }
    run(Command::new("gpgconf").env("GNUPGHOME", &home).args(["--kill", "all"]));
}

/// Builds `plain` alone, unsigned, and returns its bytes.
pub(crate) fn build_plain() -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    rpmbuild(directory.path(), "plain", PLAIN.as_bytes());
    std::fs::read(directory.path().join("noarch/plain-1-1.noarch.rpm")).unwrap()
}

/// `¤` stands for a `ü` in Latin-1, everything else for itself in UTF-8.
fn encode(character: char) -> Vec<u8> {
    match character {
        '¤' => vec![0xfc],
        other => other.to_string().into_bytes(),
    }
}

fn rpmbuild(directory: &Path, name: &str, spec: &[u8]) {
    let top = directory.join(format!("{name}.build"));
    std::fs::create_dir_all(top.join("SOURCES")).unwrap();
    std::fs::write(top.join("SOURCES/input.txt"), "input\n").unwrap();
    let spec_file = top.join(format!("{name}.spec"));
    std::fs::write(&spec_file, spec).unwrap();
    let definitions = [
        format!("_topdir {}", top.display()),
        format!("_rpmdir {}", directory.display()),
        format!("_srcrpmdir {}", directory.join("source").display()),
        "_invalid_encoding_terminates_build 0".to_owned(),
    ];
    let mut command = Command::new("rpmbuild");
    command.arg("-ba").arg(&spec_file);
    for definition in &definitions {
        command.args(["--define", definition]);
    }
    run(&mut command);
}

fn sign(directory: &Path, home: &Path, package: &str, key: &str) {
    std::fs::create_dir_all(home).unwrap();
    let mut generate = Command::new("gpg");
    generate.env("GNUPGHOME", home).args(["--batch", "--quiet", "--no-permission-warning", "--passphrase", ""]);
    run(generate.args(["--quick-generate-key", package, key, "sign", "never"]));
    let packages = crate::rpms_below(directory);
    let its_own = packages.iter().filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(package));
    let mut sign = Command::new("rpmsign");
    sign.env("GNUPGHOME", home).args(["--addsign", "--define", &format!("_gpg_name {package}")]);
    // Debian's rpm does not know where gpg is.
    sign.args(["--define", "__gpg /usr/bin/gpg"]);
    run(sign.args(its_own));
}

/// Runs a command that has to succeed.
fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
