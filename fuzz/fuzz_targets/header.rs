//! Any bytes at all as an RPM: `PackageHeader::read` gives a header or an error, and the header's texts can be asked for.

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
});
