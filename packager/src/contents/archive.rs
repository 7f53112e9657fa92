//! Reads archives: .tar with its compressions, and .zip.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use tar::EntryType;
use tempfile::TempDir;
use zip::ZipArchive;

use super::contents_error::ContentsProblem;
use super::listing::Item;
use super::unpacked::{Choice, Unpacked};

/// Unpacks what a filter takes into a temporary directory, and lists it sorted by name.
///
/// No name of the archive ever becomes a path on this machine: the files are numbered.
pub(super) fn unpack(path: &Path, choice: &Choice<'_>) -> Result<(TempDir, Vec<Item>), ContentsProblem> {
    let file = match fs_err::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ContentsProblem::Missing(path.to_owned()));
        }
        Ok(metadata) if !metadata.is_file() => return Err(ContentsProblem::NotFile(path.to_owned())),
        _ => fs_err::File::open(path).map_err(ContentsProblem::Read)?.into_parts().0,
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let mut unpacked = Unpacked::new(path, choice)?;
    let bytes = BufReader::with_capacity(BUFFER_SIZE, file);
    if ends(&[".tar.gz", ".tgz"]) {
        untar(MultiGzDecoder::new(bytes), &mut unpacked)?;
    } else if ends(&[".tar.xz", ".txz"]) {
        untar(XzDecoder::new_multi_decoder(bytes), &mut unpacked)?;
    } else if ends(&[".tar.zst"]) {
        let decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(|error| unpacked.failed(error))?;
        untar(decoder, &mut unpacked)?;
    } else if ends(&[".tar"]) {
        untar(bytes, &mut unpacked)?;
    } else if ends(&[".zip"]) {
        unzip(bytes, &mut unpacked)?;
    } else {
        return Err(ContentsProblem::Format(path.to_owned()));
    }
    unpacked.finish()
}

const BUFFER_SIZE: usize = 128 * 1024;

fn untar(bytes: impl Read, unpacked: &mut Unpacked<'_>) -> Result<(), ContentsProblem> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().map_err(|error| unpacked.failed(error))?;
    for entry in entries {
        let mut entry = entry.map_err(|error| unpacked.failed(error))?;
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let name = text(&entry.path_bytes(), unpacked)?;
        let link = match entry.link_name_bytes() {
            Some(link) => text(&link, unpacked)?,
            None => String::new(),
        };
        let mode = entry.header().mode().map_err(|error| unpacked.failed(error))?;
        match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                unpacked.file(&name, mode, &mut entry)?;
            }
            EntryType::Directory => unpacked.directory(&name)?,
            EntryType::Symlink => unpacked.symlink(&name, link)?,
            EntryType::Link => unpacked.hard_link(&name, &link)?,
            _ => return Err(unpacked.refused(&name, "is a device, a pipe or unknown")),
        }
    }
    Ok(())
}

fn unzip(bytes: BufReader<File>, unpacked: &mut Unpacked<'_>) -> Result<(), ContentsProblem> {
    let mut archive = ZipArchive::new(bytes).map_err(|error| unpacked.failed(error.into()))?;
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).map_err(|error| unpacked.failed(error.into()))?;
        let name = text(member.name_raw(), unpacked)?;
        if member.is_dir() {
            unpacked.directory(&name)?;
        } else if member.is_symlink() {
            let mut target = String::new();
            let read = member.by_ref().take(PATH_LIMIT).read_to_string(&mut target);
            read.map_err(|error| unpacked.failed(error))?;
            unpacked.symlink(&name, target)?;
        } else {
            let mode = member.unix_mode().unwrap_or(0o644);
            unpacked.file(&name, mode, &mut member)?;
        }
    }
    Ok(())
}

/// Linux's PATH_MAX.
const PATH_LIMIT: u64 = 4096;

fn text(bytes: &[u8], unpacked: &Unpacked<'_>) -> Result<String, ContentsProblem> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(text.to_owned()),
        _ => Err(unpacked.refused(&String::from_utf8_lossy(bytes), "is not UTF-8 or holds control characters")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::PathBuf;

    use tar::{Builder, Header};

    use super::*;
    use crate::contents::PathFilter;
    use crate::contents::listing::ItemKind;

    /// One member of a tar: its type, its name, its link or content.
    type Member<'a> = (EntryType, &'a str, &'a str);

    const DISTRIBUTION: &[Member<'_>] = &[
        (EntryType::Directory, "top-1.0/", ""),
        (EntryType::Regular, "top-1.0/bin/run.sh", "run"),
        (EntryType::Symlink, "./top-1.0/bin/start", "run.sh"),
        (EntryType::Link, "top-1.0/bin/again", "top-1.0/bin/run.sh"),
        (EntryType::Directory, "top-1.0/conf/", ""),
        (EntryType::Regular, "top-1.0/conf/server.xml", "<x/>"),
        (EntryType::Symlink, "top-1.0/conf/up", "../bin/run.sh"),
    ];

    /// Writes names as they are, however wrong.
    fn tar(members: &[Member<'_>]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (kind, name, text) in members {
            let mut header = Header::new_ustar();
            let content = if *kind == EntryType::Regular { *text } else { "" };
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            if *kind != EntryType::Regular {
                header.as_old_mut().linkname[..text.len()].copy_from_slice(text.as_bytes());
            }
            header.set_entry_type(*kind);
            header.set_mode(if name.ends_with(".sh") { 0o755 } else { 0o644 });
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn zip() -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        for (name, text) in
            [("top-1.0/bin/run.sh", "run"), ("top-1.0/bin/again", "run"), ("top-1.0/conf/server.xml", "<x/>")]
        {
            let mode = if name.ends_with(".sh") || name.ends_with("again") { 0o755 } else { 0o644 };
            writer.start_file(name, options.unix_permissions(mode)).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.add_symlink("top-1.0/bin/start", "run.sh", options).unwrap();
        writer.add_symlink("top-1.0/conf/up", "../bin/run.sh", options).unwrap();
        writer.add_directory("top-1.0/conf", options).unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn archive(directory: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
        let path = directory.path().join(name);
        let mut out = Vec::new();
        let bytes = match name.rsplit_once('.').unwrap().1 {
            "gz" | "tgz" => {
                let mut encoder = flate2::write::GzEncoder::new(&mut out, flate2::Compression::fast());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap();
                &out
            }
            "xz" => {
                let mut encoder = liblzma::write::XzEncoder::new(&mut out, 0);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap();
                &out
            }
            "zst" => {
                out = zstd::encode_all(bytes, 1).unwrap();
                &out
            }
            _ => bytes,
        };
        fs_err::write(&path, bytes).unwrap();
        path
    }

    fn everything(path: &Path, strip_components: usize) -> Result<Vec<String>, ContentsProblem> {
        let choice = Choice { strip_components, filter: &PathFilter::default() };
        let (_directory, items) = unpack(path, &choice)?;
        let show = |item: &Item| match &item.kind {
            ItemKind::Directory => format!("{}/", item.name),
            ItemKind::Symlink { target } => format!("{} -> {target}", item.name),
            ItemKind::File { path, size, is_executable } => {
                assert_eq!(fs_err::read(path).unwrap().len() as u64, *size);
                format!("{} {size}{}", item.name, if *is_executable { " x" } else { "" })
            }
        };
        Ok(items.iter().map(show).collect())
    }

    #[test]
    fn unpacks_every_format() {
        let directory = tempfile::tempdir().unwrap();
        let expected = [
            "bin/again 3 x",
            "bin/run.sh 3 x",
            "bin/start -> run.sh",
            "conf/",
            "conf/server.xml 4",
            "conf/up -> ../bin/run.sh",
        ];
        for name in ["a.tar", "a.tar.gz", "a.tgz", "a.tar.xz", "a.tar.zst"] {
            let path = archive(&directory, name, &tar(DISTRIBUTION));
            assert_eq!(everything(&path, 1).unwrap(), expected, "{name}");
        }
        assert_eq!(everything(&archive(&directory, "a.zip", &zip()), 1).unwrap(), expected);
    }

    #[test]
    fn nothing_gets_out() {
        let directory = tempfile::tempdir().unwrap();
        let refused = |members: &[Member<'_>]| {
            let path = archive(&directory, "x.tar", &tar(members));
            everything(&path, 0).unwrap_err().to_string().replace(directory.path().to_str().unwrap(), "DIR")
        };
        for (member, expected) in [
            ((EntryType::Regular, "../x", ""), "would be installed outside of its destination"),
            ((EntryType::Regular, "a/../../x", ""), "would be installed outside of its destination"),
            ((EntryType::Directory, "/etc", ""), "would be installed outside of its destination"),
            ((EntryType::Symlink, "a", "/etc/passwd"), "is a link to an absolute path, or to nothing"),
            ((EntryType::Symlink, "a", ""), "is a link to an absolute path, or to nothing"),
            ((EntryType::Symlink, "a/b", "../../x"), "is a link out of the archive"),
            ((EntryType::Symlink, "a/b", "c/../../../x"), "is a link out of the archive"),
            ((EntryType::Link, "a", "/etc/passwd"), "would be installed outside of its destination"),
            ((EntryType::Link, "a", "never"), "is a hard link to something that is left out"),
            ((EntryType::Char, "a", ""), "is a device, a pipe or unknown"),
            ((EntryType::Fifo, "a", ""), "is a device, a pipe or unknown"),
            ((EntryType::Regular, "a\nb", ""), "is not UTF-8 or holds control characters"),
        ] {
            let error = refused(&[member]);
            assert!(error.starts_with("`DIR/x.tar` holds ") && error.ends_with(expected), "{error}");
        }
        let below_link = refused(&[(EntryType::Symlink, "a", "b"), (EntryType::Regular, "a/x", "")]);
        assert!(below_link.ends_with("lies below something that is no directory"), "{below_link}");
    }

    #[test]
    fn refuses_what_is_no_archive() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a.tar.gz", "a.tar.xz", "a.tar.zst", "a.zip", "a.tar"] {
            let path = directory.path().join(name);
            fs_err::write(&path, "no archive, and long enough to be one of some sort".repeat(20)).unwrap();
            assert!(matches!(everything(&path, 0), Err(ContentsProblem::Unpack { .. })), "{name}");
        }
        let truncated = archive(&directory, "t.tar.gz", &tar(DISTRIBUTION));
        let bytes = fs_err::read(&truncated).unwrap();
        fs_err::write(&truncated, &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(everything(&truncated, 0), Err(ContentsProblem::Unpack { .. })));
        assert!(matches!(everything(&directory.path().join("a.rar"), 0), Err(ContentsProblem::Missing(_))));
        let other = archive(&directory, "a.rar", b"");
        assert!(matches!(everything(&other, 0), Err(ContentsProblem::Format(_))));
        assert!(matches!(everything(directory.path(), 0), Err(ContentsProblem::NotFile(_))));
    }
}
