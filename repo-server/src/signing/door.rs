//! Signing packages at the door: the same package with the server's signature.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use openpgp::{KeyAlgorithm, PrivateKey, PrivateKeyError};

use super::header_index::{Tag, read_tags, write_header};
use super::package_signature::PackageHead;

const HEADER_SIGNATURES: u32 = 62;
const DSAHEADER: u32 = 267;
const RSAHEADER: u32 = 268;
const OPENPGP: u32 = 278;
const RESERVED_SPACE: u32 = 1008;
/// RPMFORMAT of the main header: 6 where rpm 6 wrote it.
const RPM_FORMAT: u32 = 5114;
/// Signatures that were there, and the space kept for one: the server's takes their place. Those over header and payload
/// (SIGPGP, SIGGPG, SIGPGP5) go too: rpm asks for the keys of all that it finds.
const REPLACED: [u32; 7] = [DSAHEADER, RSAHEADER, OPENPGP, 1002, 1005, 1006, RESERVED_SPACE];

/// Gives what a package begins with once the key has signed it, up to where its payload begins. The main header and the
/// payload stay as they are. The same key and package give the same bytes.
pub(crate) fn signed_prefix(head: &PackageHead, key: &PrivateKey, now: u32) -> Result<Vec<u8>, PrivateKeyError> {
    let main = head.main_header();
    // As of the package's own time, so that a second server, or a second try, gives the same bytes.
    let time = head.parsed.build_time.and_then(|time| u32::try_from(time).ok()).unwrap_or(0).min(now);
    let packet = key.sign(main, time)?;
    let mut tags = read_tags(head.signature_header());
    tags.retain(|tag| !REPLACED.contains(&tag.number));
    let is_version_6 = read_tags(main).iter().any(|tag| tag.number == RPM_FORMAT && tag.number() >= Some(6));
    tags.push(match key.algorithm() {
        _ if is_version_6 => Tag::texts(OPENPGP, &[BASE64_STANDARD.encode(packet)]),
        KeyAlgorithm::Rsa => Tag::binary(RSAHEADER, packet),
        // All but RSA stands under the tag that was DSA's.
        KeyAlgorithm::EdDsa | KeyAlgorithm::Ecdsa => Tag::binary(DSAHEADER, packet),
    });
    let mut prefix = head.lead().to_vec();
    prefix.append(&mut write_header(HEADER_SIGNATURES, tags));
    prefix.resize(prefix.len().next_multiple_of(8), 0);
    prefix.extend_from_slice(main);
    Ok(prefix)
}
