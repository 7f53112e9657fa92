//! What is admitted becomes repodata that every client can read, whatever its header holds.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use repo_server::{FileIdentity, Fragments};
use rpm_header::PackageHeader;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { fuzz::mutate(data, size, max_size, seed) });

fuzz_target!(|bytes: &[u8]| {
    let Ok(header) = PackageHeader::read(&mut &bytes[..]) else { return };
    let href = format!("Packages/{}", header.nevra.file_name());
    let sha256 = "0".repeat(64);
    let file = FileIdentity { sha256: &sha256, size: bytes.len() as u64, time: 0, href: &href };
    let fragments = Fragments::render(&header, &file);
    for fragment in [&fragments.primary, &fragments.filelists, &fragments.other] {
        fuzz::assert_well_formed(fragment);
    }
    assert_eq!(Fragments::decode(&fragments.encode()).as_ref(), Ok(&fragments));
});
