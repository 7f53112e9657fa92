//! Any bytes at all as an RPM: `PackageHeader::read` gives a header or an error, and the header's texts can be asked for.
//! Bytes in memory are read as those of a stream.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use rpm_header::PackageHeader;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { fuzz::mutate(data, size, max_size, seed) });

fuzz_target!(|bytes: &[u8]| {
    match PackageHeader::read(&mut &bytes[..]) {
        Ok(header) => {
            assert!(header.header_start < header.header_end && header.header_end <= bytes.len() as u64);
            for signature in &header.signatures {
                let _ = signature.info().map(|info| format!("{info:?}"));
            }
            let _ = format!("{header:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let streamed = PackageHeader::read_for_repodata(&mut &bytes[..]);
    let parsed = PackageHeader::parse_for_repodata(bytes);
    assert_eq!(streamed.map_err(|error| error.to_string()), parsed.map_err(|error| error.to_string()));
});
