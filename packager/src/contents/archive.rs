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
