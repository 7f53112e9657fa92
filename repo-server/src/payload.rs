//! Small files out of a package's payload: a cpio archive (`newc`, or rpm's own form for large files), compressed.
//!
//! The formats: cpio(5), and rpm's `lib/cpio.c` for `07070X`, whose entries name the file's number in the header.

use std::collections::BTreeMap;
use std::io::{self, Read};

use ledger::DigestBuilder;
use rpm_header::PackageHeader;

/// The largest file that is read, bytes.
pub(crate) const LARGEST: u64 = 256 << 10;
/// How far into the unpacked payload is looked, bytes.
const DEEPEST: u64 = 64 << 20;
/// The longest name, bytes.
const LONGEST_NAME: u64 = 64 << 10;

/// Reads the files of these paths that are small and stand not too deep in the payload; the reader is where the payload
/// begins. What is not found is left out.
pub(crate) fn small_files(
    packed: impl Read,
    header: &PackageHeader,
    paths: &[String],
) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut archive = Archive { reader: unpacked(packed, header.payload_compressor.as_deref())?.take(DEEPEST) };
    let mut found = BTreeMap::new();
    while found.len() < paths.len() {
        let Some((name, size)) = archive.next(header)? else { break };
        let path = name.strip_prefix('.').unwrap_or(&name);
        match paths.iter().find(|wanted| *wanted == path) {
            Some(path) if size <= LARGEST => {
                found.insert(path.clone(), archive.body(size)?);
            }
            _ => archive.skip(size)?,
        }
    }
    Ok(found)
}

/// Says why a payload can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the payload can't be read")]
pub struct PayloadError(#[from] io::Error);

/// A file of a payload as it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagedFile {
    /// Its path on the host.
    pub path: String,
    /// The sha256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Its bytes, if they were asked for and it is small.
    pub bytes: Option<Vec<u8>>,
}

/// Reads a payload to its end and gives all that is in it, in its order, with the bytes of the small files of a path that is
/// wanted; the reader is where the payload begins.
///
/// # Errors
/// [`PayloadError`] for what is damaged or of an unknown form.
pub fn packaged_files(
    packed: impl Read,
    header: &PackageHeader,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<PackagedFile>, PayloadError> {
    let mut archive = Archive { reader: unpacked(packed, header.payload_compressor.as_deref())? };
    let (mut files, mut buffer) = (Vec::new(), vec![0; 1 << 17]);
    while let Some((name, size)) = archive.next(header)? {
        let path = name.strip_prefix('.').unwrap_or(&name).to_owned();
        let keep = size <= LARGEST && wanted(&path);
        let (mut digest, mut bytes) = (DigestBuilder::new(), Vec::new());
        let mut left = size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let count = archive.reader.read(&mut buffer[..most])?;
            if count == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            digest.update(&buffer[..count]);
            if keep {
                bytes.extend_from_slice(&buffer[..count]);
            }
            left -= count as u64;
        }
        archive.padding(size)?;
        files.push(PackagedFile { path, sha256: digest.finish().to_string(), bytes: keep.then_some(bytes) });
    }
    Ok(files)
}

fn unpacked<'a>(packed: impl Read + 'a, compressor: Option<&str>) -> io::Result<Box<dyn Read + 'a>> {
    // Ancient packages don't name their gzip: what it is shows in its first bytes.
    let mut packed = io::BufReader::new(packed);
    let start = io::BufRead::fill_buf(&mut packed)?;
    Ok(match start {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::stream::read::Decoder::with_buffer(packed)?),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(packed)),
        [b'0', b'7', b'0', b'7', ..] => Box::new(packed),
        _ => return Err(io::Error::other(format!("a payload of `{}` is not read", compressor.unwrap_or("?")))),
    })
}

struct Archive<R> {
    reader: R,
}

impl<R: Read> Archive<R> {
    /// Reads the head of the next file: its name and size; `None` at the end.
    fn next(&mut self, header: &PackageHeader) -> io::Result<Option<(String, u64)>> {
        let mut magic = [0; 6];
        self.reader.read_exact(&mut magic)?;
        match &magic {
            b"070701" | b"070702" => self.next_file(),
            b"07070X" => {
                let file = usize::try_from(self.number()?).ok().and_then(|index| header.files.get(index));
                self.padding(14)?;
                let file = file.ok_or_else(|| io::Error::other("the payload names a file that the header has not"))?;
                // What is neither a file nor a link has a size in the header, and no bytes here.
                let has_bytes = matches!(file.mode & 0o170_000, 0o100_000 | 0o120_000);
                Ok(Some((file.path.clone(), if has_bytes { file.size } else { 0 })))
            }
            _ => Err(io::Error::other("the payload is no cpio archive of a known kind")),
        }
    }

    fn next_file(&mut self) -> io::Result<Option<(String, u64)>> {
        let mut fields = [0; 13];
        for field in &mut fields {
            *field = self.number()?;
        }
        let (size, name_size) = (fields[6], fields[11]);
        if name_size == 0 || name_size > LONGEST_NAME {
            return Err(io::Error::other("a name in the payload is too long"));
        }
        let mut name = vec![0; name_size as usize];
        self.reader.read_exact(&mut name)?;
        self.padding(110 + name_size)?;
        name.pop();
        let name = String::from_utf8_lossy(&name).into_owned();
        Ok((name != "TRAILER!!!").then_some((name, size)))
    }

    fn body(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; size as usize];
        self.reader.read_exact(&mut bytes)?;
        self.padding(size)?;
        Ok(bytes)
    }

    fn skip(&mut self, size: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.reader.by_ref().take(size), &mut io::sink())?;
        if skipped < size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.padding(size)
    }

    fn padding(&mut self, after: u64) -> io::Result<()> {
        let mut padding = [0; 3];
        self.reader.read_exact(&mut padding[..(after.wrapping_neg() % 4) as usize])
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut digits = [0; 8];
        self.reader.read_exact(&mut digits)?;
        let text = std::str::from_utf8(&digits).map_err(io::Error::other)?;
        u64::from_str_radix(text, 16).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A header with these files and no more in it.
    fn header(files: &[(&str, u64)]) -> PackageHeader {
        let config = rpm::BuildConfig::v4().compression(rpm::CompressionType::None).source_date(1_700_000_000);
        let mut builder = rpm::PackageBuilder::new("a", "1", "MIT", "noarch", "a");
        builder.using_config(config);
        for (path, size) in files {
            let body = vec![b'x'; *size as usize];
            builder.with_file_contents(body.as_slice(), rpm::FileOptions::new(*path)).unwrap();
        }
        let mut bytes = Vec::new();
        builder.build().unwrap().write(&mut bytes).unwrap();
        PackageHeader::read(&mut bytes.as_slice()).unwrap()
    }

    fn entry(archive: &mut Vec<u8>, name: &str, body: &[u8]) {
        let mut fields = [0; 13];
        (fields[6], fields[11]) = (body.len(), name.len() + 1);
        archive.extend_from_slice(b"070701");
        fields.iter().for_each(|field| archive.extend_from_slice(format!("{field:08x}").as_bytes()));
        archive.extend_from_slice(name.as_bytes());
        archive.push(0);
        archive.resize(archive.len().next_multiple_of(4), 0);
        archive.extend_from_slice(body);
        archive.resize(archive.len().next_multiple_of(4), 0);
    }

    fn found(packed: &[u8], header: &PackageHeader, paths: &[&str]) -> io::Result<Vec<String>> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let found = small_files(packed, header, &paths)?;
        Ok(found.iter().map(|(path, body)| format!("{path}: {}", String::from_utf8_lossy(body))).collect())
    }

    #[test]
    fn files_of_every_compression() {
        let mut archive = Vec::new();
        entry(&mut archive, "./etc/a", b"one");
        entry(&mut archive, "./opt/large", &vec![0; LARGEST as usize + 1]);
        entry(&mut archive, "/etc/b", b"");
        entry(&mut archive, "TRAILER!!!", b"");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(&archive).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&archive).unwrap();
        let zstd = zstd::encode_all(archive.as_slice(), 1).unwrap();
        let header = header(&[]);
        for packed in [&archive, &gzip.finish().unwrap(), &xz.finish().unwrap(), &zstd] {
            let all = ["/etc/a", "/etc/b", "/opt/large", "/none"];
            assert_eq!(found(packed, &header, &all).unwrap(), ["/etc/a: one", "/etc/b: "]);
            assert_eq!(found(&packed[..packed.len() / 2], &header, &[]).unwrap(), [""; 0]);
        }
        let all = packaged_files(archive.as_slice(), &header, |path| path == "/etc/a").unwrap();
        let all: Vec<_> = all.iter().map(|file| (&*file.path, &file.sha256[..8], file.bytes.as_deref())).collect();
        let expected =
            [("/etc/a", "7692c3ad", Some(&b"one"[..])), ("/opt/large", "b27a0329", None), ("/etc/b", "e3b0c442", None)];
        assert_eq!(all, expected);
        assert!(packaged_files(&archive[..archive.len() / 2], &header, |_| false).is_err());
        for damaged in [&archive[..60], b"BZh9", b"070707aaaa", b""] {
            assert!(found(damaged, &header, &["/none"]).is_err());
        }
    }

    #[test]
    fn files_by_their_numbers() {
        let header = header(&[("/etc/a", 3), ("/etc/b", 5)]);
        let mut archive = Vec::new();
        for (number, body) in [(1, "xxxxx\0\0\0"), (0, "yyy\0")] {
            archive.extend_from_slice(format!("07070X{number:08x}\0\0{body}").as_bytes());
        }
        entry(&mut archive, "TRAILER!!!", b"");
        let both = ["/etc/a", "/etc/b"];
        assert_eq!(found(&archive, &header, &both).unwrap(), ["/etc/a: yyy", "/etc/b: xxxxx"]);
        assert!(found(b"07070X000000ff\0\0", &header, &both).is_err());
    }
}
