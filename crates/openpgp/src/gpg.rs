//! A private key that gpg holds: in its agent, on a card or in a security module.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pgp::composed::{Deserializable, SignedPublicKey};

use crate::certificate::{self, Part};
use crate::private_key_error::PrivateKeyError;

/// A private key that gpg holds.
#[derive(Debug)]
pub(crate) struct GpgKey {
    gpg: Gpg,
    /// Of the part that signs.
    fingerprint: String,
}

/// What gpg lists of its private keys.
#[derive(Debug, Default, PartialEq, Eq)]
struct Listing {
    /// Fingerprints of the primary keys.
    primary: Vec<String>,
    /// Fingerprints of the parts whose private halves gpg can use.
    private: Vec<String>,
}

/// Finds a key by its fingerprint, its id or its owner, and the part of it that signs.
pub(crate) fn find(
    name: &str,
    home: Option<&Path>,
    now: u32,
) -> Result<(GpgKey, Part, SignedPublicKey), PrivateKeyError> {
    let gpg = Gpg { name: name.to_owned(), home: home.map(Path::to_owned) };
    let list = ["--with-colons", "--fixed-list-mode", "--with-fingerprint", "--with-subkey-fingerprint"];
    let listing = gpg.run("list the private key", &[&list[..], &["--list-secret-keys", "--", name]].concat(), b"")?;
    let listing = Listing::read(&String::from_utf8_lossy(&listing));
    let [primary] = listing.primary.as_slice() else {
        return Err(PrivateKeyError::Ambiguous { key: name.to_owned(), count: listing.primary.len() });
    };
    let certificate = gpg.run("export the public key", &["--export", "--", primary], b"")?;
    let certificate = SignedPublicKey::from_bytes(certificate.as_slice()).map_err(PrivateKeyError::Sign)?;
    // Asked for a subkey, take that one and no other.
    let asked = name.trim_start_matches("0x").trim_end_matches('!').to_ascii_uppercase();
    let is_subkey = |one: &&String| *one != primary && asked.len() >= 8 && one.ends_with(&asked);
    let only = listing.private.iter().find(is_subkey);
    let has_private =
        |fingerprint: &str| listing.private.iter().any(|one| one == fingerprint && only.is_none_or(|only| only == one));
    let part = certificate::choose(&certificate, now, &has_private)
        .map_err(|parts| PrivateKeyError::Unusable { key: format!("gpg:{name}"), parts })?;
    Ok((GpgKey { gpg, fingerprint: part.fingerprint.clone() }, part, certificate))
}

impl GpgKey {
    /// Signs, as of a time: the same sources give the same bytes.
    pub(crate) fn sign(&self, data: &[u8], time: u32) -> Result<Vec<u8>, PrivateKeyError> {
        let (time, part) = (format!("{time}!"), format!("{}!", self.fingerprint));
        let arguments = [
            "--no-armor",
            "--digest-algo",
            "SHA256",
            "--faked-system-time",
            &time,
            "--local-user",
            &part,
            "--output",
            "-",
            "--detach-sign",
        ];
        self.gpg.run("sign", &arguments, data)
    }
}

/// How gpg is run.
#[derive(Debug)]
struct Gpg {
    /// What the key was asked for by.
    name: String,
    home: Option<PathBuf>,
}

impl Gpg {
    /// Gives what gpg writes.
    fn run(&self, task: &'static str, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>, PrivateKeyError> {
        let missing = |source| PrivateKeyError::GpgMissing { key: self.name.clone(), source };
        let mut command = Command::new("gpg");
        if let Some(home) = &self.home {
            command.arg("--homedir").arg(home);
        }
        command.args(["--batch", "--quiet"]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(missing)?;
        // gpg writes nothing before it has read all; one that stops reading tells why at its end.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
        let Output { status, stdout, stderr } = child.wait_with_output().map_err(missing)?;
        if !status.success() || stdout.is_empty() {
            let message = String::from_utf8_lossy(&stderr).trim().replace('\n', "; ");
            return Err(PrivateKeyError::Gpg { key: self.name.clone(), task, message });
        }
        Ok(stdout)
    }
}

impl Listing {
    /// Reads `--with-colons` (gpg's `doc/DETAILS`): the fingerprint of a part follows it; its 15th field is `#` where the
    /// private half is missing, `+` or a card's number where it is not.
    fn read(text: &str) -> Self {
        let mut listing = Self::default();
        let mut part = ("", "");
        for line in text.lines() {
            let fields: Vec<_> = line.split(':').collect();
            let field = |number: usize| fields.get(number - 1).copied().unwrap_or_default();
            match field(1) {
                "sec" | "ssb" => part = (field(1), field(15)),
                "fpr" => {
                    let fingerprint = field(10).to_owned();
                    if part.0 == "sec" {
                        listing.primary.push(fingerprint.clone());
                    }
                    if part.1 != "#" {
                        listing.private.push(fingerprint);
                    }
                    part = ("", "#");
                }
                _ => {}
            }
        }
        listing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_gpg_lists() {
        let text = "tru::1:1700000000:0:3:1:5\n\
                    sec:u:255:22:0123456789ABCDEF:1700000000:::u:::cSC:::#:ed25519:::0:\n\
                    fpr:::::::::AAAA:\ngrp:::::::::1234:\nuid:u::::1700000000::HASH::Builder::::::::::0:\n\
                    ssb:u:3072:1:1111111111111111:1700000000::::::s:::+:::23:\nfpr:::::::::BBBB:\n\
                    ssb:u:3072:1:2222222222222222:1700000000::::::s:::D2760001240103:::23:\nfpr:::::::::CCCC:\n";
        let expected =
            Listing { primary: vec!["AAAA".to_owned()], private: vec!["BBBB".to_owned(), "CCCC".to_owned()] };
        assert_eq!(Listing::read(text), expected);
    }
}
