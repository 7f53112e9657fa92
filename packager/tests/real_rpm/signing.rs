//! Signatures of gpg's keys, checked by the real rpmkeys.

use std::path::{Path, PathBuf};

use openpgp::{PrivateKey, PrivateKeyError};
use packager::BuiltPackage;
use tempfile::TempDir;

use crate::workshop::{Workshop, attempt, run};

/// A home of gpg with one key, exported as CI systems have them.
struct Key {
    directory: TempDir,
    passphrase: &'static str,
}

const USER: &str = "Builder <builder@shop.example>";

impl Key {
    /// A primary key that signs.
    fn new(algorithm: &str, passphrase: &'static str) -> Self {
        let key = Self::home(passphrase);
        key.gpg(&["--quick-generate-key", USER, algorithm, "sign", "never"]);
        key.export("--export-secret-keys");
        key
    }

    /// A primary key that certifies, and a subkey that signs.
    fn with_subkey(algorithm: &str) -> Self {
        let key = Self::home("");
        key.gpg(&["--quick-generate-key", USER, algorithm, "cert", "never"]);
        key.gpg(&["--quick-add-key", &key.fingerprints()[0], algorithm, "sign", "never"]);
        key
    }

    fn home(passphrase: &'static str) -> Self {
        Self { directory: tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap(), passphrase }
    }

    fn gpg(&self, arguments: &[&str]) -> String {
        let common = ["--homedir", self.directory.path().to_str().unwrap(), "--batch", "--quiet"];
        let passphrase = ["--pinentry-mode", "loopback", "--passphrase", self.passphrase];
        run("gpg", &[&common[..], &passphrase, arguments].concat())
    }

    /// Of the primary key, then of the subkeys.
    fn fingerprints(&self) -> Vec<String> {
        let listing = self.gpg(&["--with-colons", "--list-secret-keys"]);
        let lines = listing.lines().filter(|line| line.starts_with("fpr:"));
        lines.map(|line| line.split(':').nth(9).unwrap().to_owned()).collect()
    }

    fn export(&self, what: &str) {
        for (flag, name) in [("--export", "public.asc"), (what, "private.asc")] {
            self.gpg(&["--yes", "--armor", "--output", self.path(name).to_str().unwrap(), flag]);
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn load(&self) -> Result<PrivateKey, PrivateKeyError> {
        PrivateKey::load(&self.path("private.asc"), Some(self.passphrase).filter(|text| !text.is_empty()))
    }

    fn refusal(&self) -> String {
        self.load().unwrap_err().to_string()
    }

    fn check(&self, package: &Path) -> (bool, String, String) {
        let database = self.path("rpmdb");
        let database = database.to_str().unwrap();
        run("rpmkeys", &["--dbpath", database, "--import", self.path("public.asc").to_str().unwrap()]);
        attempt("rpmkeys", &["--dbpath", database, "-Kv", package.to_str().unwrap()])
    }

    /// Checks that rpmkeys finds a package's signature and digests in order.
    fn assert_verifies(&self, package: &BuiltPackage, algorithm: &str) -> String {
        let (succeeded, report, error) = self.check(&package.path);
        assert!(succeeded, "{report}{error}");
        assert!(report.contains(&format!("Header V4 {algorithm}/SHA256 Signature, key ID")), "{report}");
        for line in ["Header SHA256 digest: OK", "Header SHA1 digest: OK", "Payload SHA256 digest: OK"] {
            assert!(report.contains(line), "{report}");
        }
        report
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        attempt("gpgconf", &["--homedir", self.directory.path().to_str().unwrap(), "--kill", "all"]);
    }
}

/// A workshop whose package is for a target.
fn workshop(target: &str) -> Workshop {
    let workshop = Workshop::new();
    workshop.spec(&format!("target = '{target}'\ncompression = 'gzip'"));
    workshop
}

#[test]
fn rpmkeys_accepts_rsa_and_ed25519() {
    for (algorithm, passphrase, name, target) in [
        ("rsa3072", "", "RSA", "el7"),
        ("rsa2048", "secret", "RSA", "el8"),
        ("ed25519", "", "EdDSA", "el9"),
        ("ed25519", "secret", "EdDSA", "el10"),
    ] {
        let key = Key::new(algorithm, passphrase);
        let signing_key = key.load().unwrap();
        assert_eq!(signing_key.signing_fingerprint(), key.fingerprints()[0]);
        let workshop = workshop(target);
        let package = workshop.try_build("1.0", "57", Some(&signing_key)).unwrap();
        let report = key.assert_verifies(&package, name);
        assert_eq!(report.contains("MD5 digest: OK"), target == "el7", "{report}");
        assert_eq!(
            workshop.try_build("1.0", "57", Some(&signing_key)).unwrap().sha256().unwrap(),
            package.sha256().unwrap()
        );
    }
}

#[test]
fn a_target_gets_no_signature_that_it_cannot_verify() {
    let (ed25519, ecdsa, subkey) = (Key::new("ed25519", ""), Key::new("nistp256", ""), Key::with_subkey("rsa2048"));
    subkey.export("--export-secret-keys");
    workshop("el10").try_build("1.0", "57", Some(&ecdsa.load().unwrap())).unwrap();
    for (key, target, expected) in [
        (&ed25519, "el8", "the rpm of target `el8` verifies no signatures by Ed25519 keys; allowed are RSA keys"),
        (&ed25519, "el7", "the rpm of target `el7` verifies no signatures by Ed25519 keys"),
        (&ecdsa, "el9", "the rpm of target `el9` verifies no signatures by ECDSA keys; allowed are RSA and Ed25519"),
        (&subkey, "el7", "the rpm of target `el7` verifies no signatures by subkeys"),
    ] {
        let workshop = workshop(target);
        let error = workshop.try_build("1.0", "57", Some(&key.load().unwrap())).unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert!(!workshop.path("out").exists());
    }
}

#[test]
fn the_newest_signing_subkey_signs_even_where_the_primary_key_is_a_stub() {
    let key = Key::with_subkey("ed25519");
    key.gpg(&[
        "--faked-system-time",
        "20400101T000000!",
        "--quick-add-key",
        &key.fingerprints()[0],
        "ed25519",
        "sign",
        "never",
    ]);
    key.gpg(&["--quick-add-key", &key.fingerprints()[0], "cv25519", "encr", "never"]);
    for export in ["--export-secret-keys", "--export-secret-subkeys"] {
        key.export(export);
        let signing_key = key.load().unwrap();
        assert_eq!(signing_key.signing_fingerprint(), key.fingerprints()[2]);
        let workshop = workshop("el9");
        let package = workshop.try_build("1.0", "57", Some(&signing_key)).unwrap();
        key.assert_verifies(&package, "EdDSA");
    }
}

#[test]
fn gpg_signs_with_what_its_agent_holds() {
    let key = Key::with_subkey("rsa2048");
    key.export("--export-secret-keys");
    let fingerprints = key.fingerprints();
    let home = Some(key.directory.path());
    let file = workshop("el8").try_build("1.0", "57", Some(&key.load().unwrap())).unwrap();
    for name in [&*fingerprints[0], &fingerprints[0][24..], &format!("{}!", fingerprints[1]), "builder@shop.example"] {
        let signing_key = PrivateKey::of_gpg(name, home).unwrap();
        assert_eq!(signing_key.signing_fingerprint(), fingerprints[1], "{name}");
        let workshop = workshop("el8");
        let package = workshop.try_build("1.0", "57", Some(&signing_key)).unwrap();
        key.assert_verifies(&package, "RSA");
        assert_eq!(
            workshop.try_build("1.0", "57", Some(&signing_key)).unwrap().sha256().unwrap(),
            package.sha256().unwrap()
        );
        assert_eq!(package.size, file.size);
    }
    for (name, expected) in [("nobody@shop.example", "gpg did not list the private key"), ("--version", "gpg did not")]
    {
        let error = PrivateKey::of_gpg(name, home).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    key.gpg(&["--quick-generate-key", "Builder the second <builder@shop.example>", "ed25519", "sign", "never"]);
    let error = PrivateKey::of_gpg("builder@shop.example", home).unwrap_err().to_string();
    assert!(error.contains("gpg knows 2 private keys by `builder@shop.example`"), "{error}");
}

#[test]
fn an_expired_or_revoked_key_does_not_sign() {
    let expired = Key::home("");
    let past = ["--faked-system-time", "20200101T000000!"];
    expired.gpg(&[&past[..], &["--quick-generate-key", USER, "ed25519", "sign", "1y"]].concat());
    expired.export("--export-secret-keys");
    let error = expired.refusal();
    let fingerprint = &expired.fingerprints()[0];
    assert!(error.contains(&format!("can sign: `{fingerprint}` expired on 2020-12-31")), "{error}");
    let error = PrivateKey::of_gpg(fingerprint, Some(expired.directory.path())).unwrap_err().to_string();
    assert!(error.contains("expired on 2020-12-31"), "{error}");

    let revoked = Key::new("ed25519", "");
    let fingerprint = &revoked.fingerprints()[0];
    let certificate = std::fs::read_to_string(revoked.path(&format!("openpgp-revocs.d/{fingerprint}.rev"))).unwrap();
    // A colon keeps it from being imported by mistake.
    std::fs::write(revoked.path("revocation.asc"), certificate.replace(":-----BEGIN", "-----BEGIN")).unwrap();
    revoked.gpg(&["--import", revoked.path("revocation.asc").to_str().unwrap()]);
    revoked.export("--export-secret-keys");
    let error = revoked.refusal();
    assert!(error.contains(&format!("`{fingerprint}` is revoked")), "{error}");

    let subkey = Key::home("");
    subkey.gpg(&[&past[..], &["--quick-generate-key", USER, "ed25519", "cert", "never"]].concat());
    subkey.gpg(&[&past[..], &["--quick-add-key", &subkey.fingerprints()[0], "ed25519", "sign", "1y"]].concat());
    let fingerprints = subkey.fingerprints();
    subkey.export("--export-secret-keys");
    let error = subkey.refusal();
    assert!(error.contains(&format!("`{}` is not for signing", fingerprints[0])), "{error}");
    assert!(error.contains(&format!("`{}` expired on", fingerprints[1])), "{error}");
}

#[test]
fn a_key_that_is_weak_or_elsewhere_does_not_sign() {
    let weak = Key::new("rsa1024", "");
    assert!(weak.refusal().contains("is RSA of 1024 bits, allowed are 2048 and more"), "{}", weak.refusal());
    let elsewhere = Key::new("ed25519", "");
    elsewhere.export("--export-secret-subkeys");
    let error = elsewhere.refusal();
    assert!(error.contains("holds no OpenPGP private key") || error.contains("has no private half here"), "{error}");
}

#[test]
fn rpmkeys_notices_a_changed_byte() {
    let key = Key::new("ed25519", "");
    let workshop = workshop("el9");
    let package = workshop.try_build("1.0", "57", Some(&key.load().unwrap())).unwrap();
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
        let error = PrivateKey::load(&key.path("private.asc"), passphrase).unwrap_err().to_string();
        assert!(error.contains("is its passphrase right?"), "{error}");
    }
    for (name, expected) in [("public.asc", "holds no OpenPGP private key"), ("none.asc", "could not read")] {
        let error = PrivateKey::load(&key.path(name), None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    for junk in ["", "junk", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n"] {
        std::fs::write(key.path("junk.asc"), junk).unwrap();
        assert!(PrivateKey::load(&key.path("junk.asc"), None).is_err());
    }
}
