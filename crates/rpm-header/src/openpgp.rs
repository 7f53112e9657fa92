//! What an OpenPGP signature packet says of itself (RFC 4880 sections 4.2, 5.2; RFC 9580 for version 6). Nothing is
//! verified here.

use crate::Signature;

const PACKET_SIGNATURE: u8 = 2;
const SUBPACKET_CREATED: u8 = 2;
const SUBPACKET_ISSUER_KEY_ID: u8 = 16;
const SUBPACKET_ISSUER_FINGERPRINT: u8 = 33;

/// What a signature packet says of itself: claims, until someone verifies the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureInfo {
    /// The packet's version: 3, 4 or 6.
    pub version: u8,
    /// The public-key algorithm, such as `RSA`, `EdDSA`; `unknown` for what was not known here.
    pub algorithm: &'static str,
    /// The hash, such as `SHA256`; `unknown` for what was not known here.
    pub hash: &'static str,
    /// The issuer's key id, 16 hexadecimal digits.
    pub key_id: Option<String>,
    /// The issuer's fingerprint, 40 or 64 hexadecimal digits.
    pub fingerprint: Option<String>,
    /// When it was made, seconds since 1970.
    pub created: Option<u32>,
}

impl Signature {
    /// Reads what the packet says of itself; `None` for what is no signature packet of a known version.
    #[must_use]
    pub fn info(&self) -> Option<SignatureInfo> {
        let mut body = signature_packet(&self.packet)?;
        let version = body.byte()?;
        match version {
            2 | 3 => version_3(body, version),
            4 | 6 => version_4(body, version),
            _ => None,
        }
    }
}

/// Bytes that are taken from the front.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(size)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn number(&mut self, size: usize) -> Option<usize> {
        Some(self.take(size)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn sized(&mut self, size_of_size: usize) -> Option<Cursor<'a>> {
        let size = self.number(size_of_size)?;
        self.take(size).map(Cursor)
    }
}

/// The body of the first packet, which has to be a signature.
fn signature_packet(bytes: &[u8]) -> Option<Cursor<'_>> {
    let mut cursor = Cursor(bytes);
    let header = cursor.byte()?;
    let (kind, size) = match header {
        0xc0.. => (header & 0x3f, new_length(&mut cursor, 224)?),
        0x80.. => {
            let size = match header & 0b11 {
                0 => cursor.number(1)?,
                1 => cursor.number(2)?,
                2 => cursor.number(4)?,
                _ => cursor.0.len(),
            };
            (header >> 2 & 0xf, size)
        }
        _ => return None,
    };
    (kind == PACKET_SIGNATURE).then_some(())?;
    cursor.take(size).map(Cursor)
}

/// A length in one, two or five bytes. Two bytes begin with 192 and end before `two_byte_end`: 224 for packets, above
/// which lengths are partial (not allowed in signatures), 255 for subpackets.
fn new_length(cursor: &mut Cursor<'_>, two_byte_end: usize) -> Option<usize> {
    match usize::from(cursor.byte()?) {
        first @ 0..192 => Some(first),
        first if first < two_byte_end => Some(((first - 192) << 8) + cursor.number(1)? + 192),
        255 => cursor.number(4),
        _ => None,
    }
}

fn version_3(mut body: Cursor<'_>, version: u8) -> Option<SignatureInfo> {
    let mut hashed = body.sized(1)?;
    let _kind = hashed.byte()?;
    let created = u32::try_from(hashed.number(4)?).ok();
    let key_id = Some(hex(body.take(8)?));
    let (algorithm, hash) = (algorithm(body.byte()?), hash(body.byte()?));
    Some(SignatureInfo { version, algorithm, hash, key_id, fingerprint: None, created })
}

fn version_4(mut body: Cursor<'_>, version: u8) -> Option<SignatureInfo> {
    let _kind = body.byte()?;
    let (algorithm, hash) = (algorithm(body.byte()?), hash(body.byte()?));
    let mut info = SignatureInfo { version, algorithm, hash, key_id: None, fingerprint: None, created: None };
    let size_of_size = if version == 6 { 4 } else { 2 };
    let (hashed, unhashed) = (body.sized(size_of_size)?, body.sized(size_of_size)?);
    read_subpackets(hashed, &mut info)?;
    read_subpackets(unhashed, &mut info)?;
    Some(info)
}

/// Adds what the subpackets say and is not known yet: what is hashed is read first, and wins.
fn read_subpackets(mut area: Cursor<'_>, info: &mut SignatureInfo) -> Option<()> {
    while !area.0.is_empty() {
        let size = new_length(&mut area, 255)?;
        let mut subpacket = Cursor(area.take(size)?);
        match subpacket.byte()? & 0x7f {
            SUBPACKET_CREATED if info.created.is_none() => {
                info.created = u32::try_from(subpacket.number(4)?).ok();
            }
            SUBPACKET_ISSUER_KEY_ID if info.key_id.is_none() => info.key_id = Some(hex(subpacket.take(8)?)),
            SUBPACKET_ISSUER_FINGERPRINT if info.fingerprint.is_none() => read_fingerprint(subpacket, info)?,
            _ => {}
        }
    }
    Some(())
}

/// The key id is the fingerprint's end, or its beginning since version 6.
fn read_fingerprint(mut subpacket: Cursor<'_>, info: &mut SignatureInfo) -> Option<()> {
    let key_version = subpacket.byte()?;
    let fingerprint = subpacket.0;
    let key_id = match key_version {
        4 if fingerprint.len() == 20 => &fingerprint[12..],
        6 if fingerprint.len() == 32 => &fingerprint[..8],
        _ => return Some(()),
    };
    info.key_id.get_or_insert_with(|| hex(key_id));
    info.fingerprint = Some(hex(fingerprint));
    Some(())
}

fn algorithm(number: u8) -> &'static str {
    match number {
        1..=3 => "RSA",
        17 => "DSA",
        19 => "ECDSA",
        22 => "EdDSA",
        27 => "Ed25519",
        28 => "Ed448",
        30 => "ML-DSA-65+Ed25519",
        31 => "ML-DSA-87+Ed448",
        _ => "unknown",
    }
}

fn hash(number: u8) -> &'static str {
    match number {
        1 => "MD5",
        2 => "SHA1",
        3 => "RIPEMD160",
        8 => "SHA256",
        9 => "SHA384",
        10 => "SHA512",
        11 => "SHA224",
        12 => "SHA3-256",
        14 => "SHA3-512",
        _ => "unknown",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_ID: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

    fn info(packet: &[u8]) -> Option<SignatureInfo> {
        Signature { tag: "RSAHEADER", packet: packet.to_vec() }.info()
    }

    /// A subpacket with a length of one byte.
    fn subpacket(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[body.len() as u8 + 1, kind], body].concat()
    }

    fn version_3() -> Vec<u8> {
        [&[0x88, 19, 3, 5, 0], [0, 0, 1, 0].as_slice(), &KEY_ID, &[17, 2, 0xab, 0xcd]].concat()
    }

    fn version_4() -> Vec<u8> {
        let fingerprint = [&[4], [9; 12].as_slice(), &KEY_ID].concat();
        let hashed = [subpacket(2, &[0, 0, 1, 0]), subpacket(33, &fingerprint)].concat();
        let unhashed = subpacket(16, &[0xff; 8]);
        let body = [&[4, 0, 1, 8, 0, hashed.len() as u8], hashed.as_slice(), &[0, unhashed.len() as u8], &unhashed];
        let body = body.concat();
        [&[0xc2, body.len() as u8], body.as_slice()].concat()
    }

    fn version_6() -> Vec<u8> {
        let fingerprint = [&[6], KEY_ID.as_slice(), &[9; 24]].concat();
        // A length of five bytes, and the bit that makes a subpacket critical.
        let hashed = [&[255, 0, 0, 0, 34, 33 | 0x80], fingerprint.as_slice()].concat();
        let body = [&[6, 0, 27, 10, 0, 0, 0, hashed.len() as u8], hashed.as_slice(), &[0, 0, 0, 0], &[0; 200]].concat();
        [&[0xc2, 192, (body.len() - 192) as u8], body.as_slice()].concat()
    }

    #[test]
    fn versions_and_issuers() {
        for (packet, version, algorithm, hash, created, fingerprint) in [
            (version_3(), 3, "DSA", "SHA1", Some(256), None),
            (version_4(), 4, "RSA", "SHA256", Some(256), Some("09".repeat(12) + "0102030405060708")),
            (version_6(), 6, "Ed25519", "SHA512", None, Some("0102030405060708".to_owned() + &"09".repeat(24))),
        ] {
            let key_id = Some("0102030405060708".to_owned());
            assert_eq!(info(&packet), Some(SignatureInfo { version, algorithm, hash, key_id, fingerprint, created }));
        }
    }

    #[test]
    fn damaged_packets_are_unknown() {
        for packet in [version_3(), version_4(), version_6()] {
            for size in 0..packet.len() {
                assert_eq!(info(&packet[..size]), None, "cut to {size} bytes");
            }
        }
        // Another packet, a partial length, a version that nobody knows, no packet at all.
        for packet in [[0xc1, 1, 4].as_slice(), &[0xc2, 224, 4], &[0xc2, 1, 9], &[0x02, 1, 4]] {
            assert_eq!(info(packet), None, "{packet:?}");
        }
    }
}
