//! Signatures of gpg's keys, checked by the real rpmkeys.

use std::path::{Path, PathBuf};

use packager::SigningKey;
use tempfile::TempDir;

use crate::workshop::{Workshop, attempt, run};

/// A key made by gpg, exported as CI systems have them.
struct Key {
    directory: TempDir,
}

impl Key {
    fn new(algorithm: &str, passphrase: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap();
        let home = directory.path().to_str().unwrap();
        let gpg = |arguments: &[&str]| {
            let common =
                ["--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase];
            run("gpg", &[&common[..], arguments].concat());
        };
        gpg(&["--quick-generate-key", "Builder <builder@shop.example>", algorithm, "sign", "never"]);
        for (flag, name) in [("--export", "public.asc"), ("--export-secret-keys", "private.asc")] {
            let file = directory.path().join(name);
            gpg(&["--armor", "--output", file.to_str().unwrap(), flag]);
        }
        attempt("gpgconf", &["--homedir", home, "--kill", "all"]);
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn check(&self, package: &Path) -> (bool, String, String) {
        let database = self.path("rpmdb");
        let database = database.to_str().unwrap();
        run("rpmkeys", &["--dbpath", database, "--import", self.path("public.asc").to_str().unwrap()]);
        attempt("rpmkeys", &["--dbpath", database, "-Kv", package.to_str().unwrap()])
    }
}

#[test]
fn rpmkeys_accepts_rsa_and_ed25519() {
    for (algorithm, passphrase, names) in
        [("rsa3072", "", "RSA/SHA256"), ("ed25519", "", "EdDSA/SHA256"), ("ed25519", "secret", "EdDSA/SHA256")]
    {
        let key = Key::new(algorithm, passphrase);
        let workshop = Workshop::new();
        workshop.spec("");
        let signing_key =
            SigningKey::load(&key.path("private.asc"), Some(passphrase).filter(|p| !p.is_empty())).unwrap();
        let package = workshop.try_build("1.0", "57", Some(&signing_key)).unwrap();
        let (succeeded, report, error) = key.check(&package.path);
        assert!(succeeded, "{report}{error}");
        assert!(report.contains(&format!("Header V4 {names} Signature, key ID")), "{report}");
        for line in ["Header SHA256 digest: OK", "Header SHA1 digest: OK", "Payload SHA256 digest: OK"] {
            assert!(report.contains(line), "{report}");
        }
        assert_eq!(workshop.try_build("1.0", "57", Some(&signing_key)).unwrap().sha256, package.sha256);
    }
}

#[test]
fn rpmkeys_notices_a_changed_byte() {
    let key = Key::new("ed25519", "");
    let workshop = Workshop::new();
    workshop.spec("");
    let signing_key = SigningKey::load(&key.path("private.asc"), None).unwrap();
    let package = workshop.try_build("1.0", "57", Some(&signing_key)).unwrap();
    let mut bytes = std::fs::read(&package.path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&package.path, bytes).unwrap();
    assert!(!key.check(&package.path).0);
}

#[test]
fn a_key_that_cannot_sign_is_refused_before_anything_is_built() {
    let key = Key::new("ed25519", "secret");
    for passphrase in [None, Some("wrong")] {
        let error = SigningKey::load(&key.path("private.asc"), passphrase).unwrap_err().to_string();
        assert!(error.contains("is its passphrase right?"), "{error}");
    }
    for (name, expected) in [("public.asc", "holds no armored OpenPGP private key"), ("none.asc", "could not read")] {
        let error = SigningKey::load(&key.path(name), None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    std::fs::write(key.path("junk.asc"), "junk").unwrap();
    assert!(SigningKey::load(&key.path("junk.asc"), None).is_err());
}
