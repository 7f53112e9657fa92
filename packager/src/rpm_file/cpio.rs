//! The payload's archive format: cpio "newc" (`man 5 cpio`, New ASCII Format), with rpm's `./` before every path; or, for
//! files too large for its 32 bits, rpm's own headers that hold nothing but a file's number (rpm's `lib/cpio.c`).

use crate::Entry;

const TRAILER: &str = "TRAILER!!!";

/// The form of an archive's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Everything, the size in 32 bits.
    Newc,
    /// The file's number in the package's header, which says the rest: rpm 4.12 and newer.
    Stripped,
}

/// Makes the header of the entry of this number, from 0; its content follows, then [`padding`].
pub(super) fn entry(form: Form, number: u32, entry: &Entry) -> Vec<u8> {
    match form {
        Form::Newc => {
            let size = u32::try_from(entry.size()).unwrap_or(u32::MAX);
            // Inodes tell entries apart.
            newc(&format!(".{}", entry.path), [number + 1, u32::from(entry.mode()), entry.mtime, size])
        }
        Form::Stripped => padded(format!("07070X{number:08x}")),
    }
}

/// Makes the end of the archive.
pub(super) fn trailer() -> Vec<u8> {
    newc(TRAILER, [0, 0, 0, 0])
}

/// Zeros to make `length` bytes a multiple of four.
pub(super) fn padding(length: u64) -> &'static [u8] {
    &[0; 4][..(length.next_multiple_of(4) - length) as usize]
}

fn newc(name: &str, [inode, mode, mtime, size]: [u32; 4]) -> Vec<u8> {
    let (links, name_size) = (1, name.len() as u64 + 1);
    padded(format!(
        "070701{inode:08x}{mode:08x}{uid:08x}{gid:08x}{links:08x}{mtime:08x}{size:08x}\
         {dev:08x}{dev:08x}{dev:08x}{dev:08x}{name_size:08x}{check:08x}{name}\0",
        uid = 0,
        gid = 0,
        dev = 0,
        check = 0,
    ))
}

fn padded(header: String) -> Vec<u8> {
    let mut header = header.into_bytes();
    header.extend(padding(header.len() as u64));
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntryKind, Source};

    #[test]
    fn headers_are_aligned() {
        for length in 1..9 {
            let kind = EntryKind::File(Source::Text("abc".to_owned()));
            let file = Entry::new("/".repeat(length), kind, 0o644, 0x6553_f100);
            let header = entry(Form::Newc, 6, &file);
            assert_eq!(header.len() % 4, 0);
            let head = "07070100000007000081a4000000000000000000000001";
            assert!(header.starts_with(format!("{head}6553f10000000003").as_bytes()));
            assert_eq!(entry(Form::Stripped, 18, &file), b"07070X00000012\0\0");
        }
    }

    #[test]
    fn pads_to_four() {
        for (length, expected) in [(0, 0), (1, 3), (2, 2), (3, 1), (4, 0), (u64::from(u32::MAX), 1)] {
            assert_eq!(padding(length).len(), expected);
        }
    }
}
