//! The payload's archive format: cpio "newc" (`man 5 cpio`, New ASCII Format), with rpm's `./` before every path.

use std::io::{self, Write};

use crate::Entry;

const TRAILER: &str = "TRAILER!!!";

/// Writes the header of an entry; its content follows, then [`write_padding`]. `inode` tells entries apart.
pub(super) fn write_entry(out: &mut impl Write, entry: &Entry, inode: u32) -> io::Result<()> {
    write_header(
        out,
        &format!(".{}", entry.path),
        [inode, u32::from(entry.mode()), entry.mtime, u32::try_from(entry.size()).unwrap_or(u32::MAX)],
    )
}

/// Writes the end of the archive.
pub(super) fn write_trailer(out: &mut impl Write) -> io::Result<()> {
    write_header(out, TRAILER, [0, 0, 0, 0])
}

/// Pads to four bytes after `length` bytes.
pub(super) fn write_padding(out: &mut impl Write, length: u64) -> io::Result<()> {
    let count = (4 - length % 4) % 4;
    out.write_all(&[0; 4][..usize::from(count as u8)])
}

fn write_header(out: &mut impl Write, name: &str, [inode, mode, mtime, size]: [u32; 4]) -> io::Result<()> {
    let (links, name_size) = (1, name.len() as u64 + 1);
    let header = format!(
        "070701{inode:08x}{mode:08x}{uid:08x}{gid:08x}{links:08x}{mtime:08x}{size:08x}\
         {dev:08x}{dev:08x}{dev:08x}{dev:08x}{name_size:08x}{check:08x}{name}\0",
        uid = 0,
        gid = 0,
        dev = 0,
        check = 0,
    );
    out.write_all(header.as_bytes())?;
    write_padding(out, header.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntryKind, Source};

    #[test]
    fn headers_are_aligned() {
        for length in 1..9 {
            let kind = EntryKind::File(Source::Text("abc".to_owned()));
            let entry = Entry::new("/".repeat(length), kind, 0o644, 0x6553_f100);
            let mut out = Vec::new();
            write_entry(&mut out, &entry, 7).unwrap();
            assert_eq!(out.len() % 4, 0);
            let head = "07070100000007000081a4000000000000000000000001";
            assert!(out.starts_with(format!("{head}6553f10000000003").as_bytes()));
        }
    }

    #[test]
    fn pads_to_four() {
        for (length, padding) in [(0, 0), (1, 3), (2, 2), (3, 1), (4, 0)] {
            let mut out = Vec::new();
            write_padding(&mut out, length).unwrap();
            assert_eq!(out.len(), padding);
        }
    }
}
