//! Whether a package is signed by a key that is trusted: cryptographically, over its header and its payload.

use std::io::{self, Read};

use openpgp::{Signer, TrustedKeys, VerifyError};
use rpm_header::{PackageHeader, ReadHeaderError, Signature};
use sha2::{Digest, Sha256, Sha512};

use super::header_index::{Tag, read_tags};

/// PAYLOADDIGEST: hexadecimal, of the payload as it is in the file.
const PAYLOAD_DIGEST: u32 = 5092;
/// PAYLOADDIGESTALGO: an OpenPGP number of a hash.
const PAYLOAD_DIGEST_ALGORITHM: u32 = 5093;
/// PAYLOADSHA256 and PAYLOADSHA512 of rpm 6.
const PAYLOAD_SHA256: u32 = 5092;
const PAYLOAD_SHA512: u32 = 5121;
const SHA256: u64 = 8;
const SHA512: u64 = 10;
/// Signatures of the header alone, of which everything else hangs by digests.
const OF_THE_HEADER: [&str; 3] = ["OPENPGP", "RSAHEADER", "DSAHEADER"];

/// Says why a package's signature does not do.
#[derive(Debug, thiserror::Error)]
pub enum PackageSignatureError {
    /// The headers can't be read.
    #[error("its headers can't be read")]
    Header(#[from] ReadHeaderError),
    /// The file can't be read.
    #[error("it can't be read")]
    Read(#[from] io::Error),
    /// There is no signature.
    #[error("it is not signed")]
    Unsigned,
    /// No signature holds.
    #[error("its signature does not hold")]
    Signature(#[source] VerifyError),
    /// What is signed says nothing of the payload.
    #[error("its header holds no SHA-256 or SHA-512 digest of its payload, as rpm writes it since 4.14")]
    NoPayloadDigest,
    /// The payload is another one.
    #[error("its payload is not the one that was signed: the header says `{expected}`, it has `{found}`")]
    Payload {
        /// What the header says.
        expected: String,
        /// What the file has.
        found: String,
    },
}

/// What comes before a package's payload, parsed and as it is in the file.
#[derive(Debug)]
pub(crate) struct PackageHead {
    pub(crate) parsed: PackageHeader,
    /// Lead, signature header with its padding, main header.
    bytes: Vec<u8>,
}

impl PackageHead {
    /// Reads it; the reader is left where the payload begins.
    pub(crate) fn read(reader: &mut impl Read) -> Result<Self, ReadHeaderError> {
        let mut copied = Copied { reader, bytes: Vec::new() };
        let parsed = PackageHeader::read(&mut copied)?;
        Ok(Self { parsed, bytes: copied.bytes })
    }

    /// Tells whether one of these keys signed the header.
    pub(crate) fn signed_by(&self, trusted: &TrustedKeys) -> bool {
        let of_header = self.parsed.signatures.iter().filter(|signature| OF_THE_HEADER.contains(&signature.tag));
        of_header.into_iter().any(|signature| trusted.verify(&signature.packet, self.main_header()).is_ok())
    }

    /// Finds who made a signature of the header, of those who are trusted; `None` where it is another kind of signature.
    pub(crate) fn signer(&self, signature: &Signature, trusted: &TrustedKeys) -> Option<Result<Signer, VerifyError>> {
        let is_of_header = OF_THE_HEADER.contains(&signature.tag);
        is_of_header.then(|| trusted.verify(&signature.packet, self.main_header()))
    }

    /// How many bytes it has in the file.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The lead: 96 bytes.
    pub(super) fn lead(&self) -> &[u8] {
        &self.bytes[..self.bytes.len().min(96)]
    }

    /// The signature header, padding included.
    pub(super) fn signature_header(&self) -> &[u8] {
        self.bytes.get(96..self.main_start()).unwrap_or_default()
    }

    /// The main header.
    pub(crate) fn main_header(&self) -> &[u8] {
        self.bytes.get(self.main_start()..).unwrap_or_default()
    }

    fn main_start(&self) -> usize {
        usize::try_from(self.parsed.header_start).unwrap_or(usize::MAX)
    }
}

/// Keeps what is read.
struct Copied<'a, R> {
    reader: &'a mut R,
    bytes: Vec<u8>,
}

impl<R: Read> Read for Copied<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.bytes.extend_from_slice(&buffer[..count]);
        Ok(count)
    }
}

/// Reads a package to its end and gives who signed it, of those who are trusted: its header, and by a digest in that its
/// payload, or both together.
///
/// # Errors
/// [`PackageSignatureError`] where nobody of them did, or it can't be read.
pub fn package_signer(package: &mut impl Read, trusted: &TrustedKeys) -> Result<Signer, PackageSignatureError> {
    let head = PackageHead::read(package)?;
    verify_package(&head, package, trusted)
}

/// Verifies the signature of a package whose head has been read; the rest of it is read from `payload`.
pub(crate) fn verify_package(
    head: &PackageHead,
    payload: &mut impl Read,
    trusted: &TrustedKeys,
) -> Result<Signer, PackageSignatureError> {
    let (of_header, of_all): (Vec<_>, Vec<_>) =
        head.parsed.signatures.iter().partition(|signature| OF_THE_HEADER.contains(&signature.tag));
    let digest = payload_digest(head.main_header());
    let mut refusal = PackageSignatureError::Unsigned;
    for signature in &of_header {
        match trusted.verify(&signature.packet, head.main_header()) {
            Ok(signer) => match &digest {
                Some(expected) => return expected.check(payload).map(|()| signer),
                None => refusal = PackageSignatureError::NoPayloadDigest,
            },
            Err(error) => refusal = PackageSignatureError::Signature(error),
        }
    }
    // Before rpm 4.14, only a signature of header and payload together covered the payload.
    match of_all.first() {
        Some(signature) => trusted
            .verify(&signature.packet, head.main_header().chain(payload))
            .map_err(PackageSignatureError::Signature),
        None => Err(refusal),
    }
}

/// Checks that a package's payload is the one of which its header speaks.
pub(crate) fn check_payload(head: &PackageHead, payload: &mut impl Read) -> Result<(), PackageSignatureError> {
    payload_digest(head.main_header()).ok_or(PackageSignatureError::NoPayloadDigest)?.check(payload)
}

/// What a header says of the payload.
enum PayloadDigest {
    Sha256(String),
    Sha512(String),
}

fn payload_digest(main: &[u8]) -> Option<PayloadDigest> {
    let tags = read_tags(main);
    // Of a tag that is there twice, the last counts, as in rpm.
    let find = |number: u32| tags.iter().rfind(|tag| tag.number == number);
    let text = |number: u32| find(number).and_then(Tag::text).filter(|text| !text.is_empty()).map(str::to_owned);
    if let Some(digest) = text(PAYLOAD_SHA512) {
        return Some(PayloadDigest::Sha512(digest));
    }
    match find(PAYLOAD_DIGEST_ALGORITHM).and_then(Tag::number) {
        Some(SHA256) => text(PAYLOAD_DIGEST).map(PayloadDigest::Sha256),
        Some(SHA512) => text(PAYLOAD_DIGEST).map(PayloadDigest::Sha512),
        Some(_) => None,
        None => text(PAYLOAD_SHA256).map(PayloadDigest::Sha256),
    }
}

impl PayloadDigest {
    fn check(&self, payload: &mut impl Read) -> Result<(), PackageSignatureError> {
        let (expected, found) = match self {
            Self::Sha256(expected) => (expected, hash(Sha256::new(), payload)?),
            Self::Sha512(expected) => (expected, hash(Sha512::new(), payload)?),
        };
        if expected.eq_ignore_ascii_case(&found) {
            return Ok(());
        }
        Err(PackageSignatureError::Payload { expected: expected.chars().take(128).collect(), found })
    }
}

fn hash(mut digest: impl Digest, payload: &mut impl Read) -> io::Result<String> {
    let mut buffer = vec![0; 1 << 18];
    loop {
        match payload.read(&mut buffer) {
            Ok(0) => return Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            Ok(count) => digest.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
