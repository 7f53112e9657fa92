//! The lead: 96 bytes at the beginning that tell `file(1)` what it is (rpm's `docs/manual/format_lead.md`).

use nevra::Nevra;

/// Bytes of the lead.
pub(super) const LENGTH: usize = 96;

/// Bytes of the name, its closing zero included.
const NAME_LENGTH: usize = 66;

/// Makes the lead of a binary package.
pub(super) fn encode(nevra: &Nevra) -> [u8; LENGTH] {
    let name = format!("{}-{}-{}", nevra.name, nevra.evr.version(), nevra.evr.release());
    let mut name = name.into_bytes();
    name.resize(NAME_LENGTH - 1, 0);
    // Magic, version 3.0, a binary package (0) for the architecture that rpm numbers 1.
    let mut lead = vec![0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1];
    lead.extend(name);
    // The name's end, Linux (1), and signatures in a header (5).
    lead.extend([0, 0, 1, 0, 5]);
    lead.resize(LENGTH, 0);
    let mut bytes = [0; LENGTH];
    bytes.copy_from_slice(&lead);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_long_names() {
        for (name, expected) in [("a".to_owned(), "a-1-2"), ("n".repeat(80), &*"n".repeat(65))] {
            let nevra: Nevra = format!("{name}-1-2.noarch").parse().unwrap();
            let lead = encode(&nevra);
            let end = lead[10..76].iter().position(|byte| *byte == 0).unwrap();
            assert_eq!(&lead[10..10 + end], expected.as_bytes());
            assert_eq!(lead[76..80], [0, 1, 0, 5]);
        }
    }
}
