//! The version that a WAR says it has.

use std::io::Read;
use std::path::Path;

use fs_err::File;
use zip::ZipReadOptions;
use zip::read::{Config, ZipFileEntry};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;

use super::VersionError;
use crate::inside::{PomProperties, java_properties, manifest};

/// What is read of a manifest or a pom.properties, bytes.
const SIZE_LIMIT: u64 = 64 * 1024;
/// As many pom.properties as are looked at.
const COUNT_LIMIT: usize = 100;

/// Reads the version of a WAR, or of the directory of one: that of its pom.properties, else of its manifest. Gives the
/// place as well.
///
/// A WAR may hold several pom.properties (those of overlays): the one whose artifact the WAR is named after counts.
pub(super) fn version(war: &Path) -> Result<(String, String), VersionError> {
    if !war.try_exists().unwrap_or(true) {
        return Err(VersionError::MissingWar(war.to_owned()));
    }
    let texts = if war.is_dir() { of_directory(war)? } else { of_archive(war)? };
    let poms: Vec<_> = texts.poms.iter().filter_map(|text| PomProperties::parse(text)).collect();
    let stem = war.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let own = match poms.as_slice() {
        [only] => Some(only),
        several => several.iter().filter(|pom| stem.starts_with(&pom.artifact)).max_by_key(|pom| pom.artifact.len()),
    };
    if let Some(pom) = own {
        return Ok((pom.version.clone(), format!("pom.properties in `{}`", war.display())));
    }
    let version = texts.manifest.as_deref().and_then(|text| manifest::attribute(text, "Implementation-Version"));
    match version.filter(|version| java_properties::is_version(version)) {
        Some(version) => Ok((version, format!("the manifest of `{}`", war.display()))),
        None => Err(VersionError::NotInWar(war.to_owned())),
    }
}

/// The files of a WAR that say what it is.
#[derive(Debug, Default)]
struct Texts {
    poms: Vec<String>,
    manifest: Option<String>,
}

fn of_directory(war: &Path) -> Result<Texts, VersionError> {
    let mut texts = Texts::default();
    let manifest = war.join("META-INF/MANIFEST.MF");
    if manifest.is_file() {
        texts.manifest = Some(super::pom::read_text(&manifest, SIZE_LIMIT)?);
    }
    let entries = walkdir::WalkDir::new(war.join("META-INF/maven")).min_depth(3).max_depth(3).sort_by_file_name();
    for entry in entries.into_iter().filter_map(Result::ok).take(COUNT_LIMIT) {
        if entry.file_name() == "pom.properties" && entry.file_type().is_file() {
            texts.poms.push(super::pom::read_text(entry.path(), SIZE_LIMIT)?);
        }
    }
    Ok(texts)
}

fn of_archive(war: &Path) -> Result<Texts, VersionError> {
    let file = File::open(war).map_err(VersionError::Read)?;
    read_archive(file).map_err(|source| VersionError::War { path: war.to_owned(), source })
}

fn read_archive(file: File) -> Result<Texts, ZipError> {
    let mut archive = ZipIterable::try_new(std::io::BufReader::new(file), Config::default())?;
    let files = archive.files()?;
    let (mut manifest, mut poms) = (None, Vec::new());
    for entry in files.by_ref() {
        let entry = entry?;
        match entry.name_raw() {
            b"META-INF/MANIFEST.MF" => manifest = Some(entry),
            name if java_properties::is_pom_properties(name) && poms.len() < COUNT_LIMIT => poms.push(entry),
            _ => {}
        }
    }
    let mut read = |entry: ZipFileEntry<'static>| -> Result<String, ZipError> {
        let mut bytes = Vec::new();
        let reader = files.reader_mut();
        entry.with_reader(reader, ZipReadOptions::new())?.take(SIZE_LIMIT).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Texts {
        manifest: manifest.map(&mut read).transpose()?,
        poms: poms.into_iter().map(&mut read).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inside::tests::archive;

    #[test]
    fn reads_archives() {
        let directory = tempfile::tempdir().unwrap();
        let war = directory.path().join("shop-web-1.4.war");
        let write = |entries: &[(&str, &str)]| fs_err::write(&war, archive(entries)).unwrap();
        let pom = |artifact: &str, version: &str| format!("groupId=a\nartifactId={artifact}\nversion={version}\n");
        let missing = version(&war).unwrap_err().to_string();
        assert!(
            missing.starts_with("there is no WAR at `") && missing.ends_with("; build it first, or give `--version`")
        );
        write(&[("index.html", "")]);
        assert!(matches!(version(&war), Err(VersionError::NotInWar(_))));
        let manifest = ("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nImplementation-Version: 1.2\r\n");
        write(&[manifest]);
        assert_eq!(version(&war).unwrap(), ("1.2".to_owned(), format!("the manifest of `{}`", war.display())));
        let (overlay, own) = (pom("shop", "9"), pom("shop-web", "1.3"));
        write(&[manifest, ("META-INF/maven/a/shop-web/pom.properties", &own)]);
        assert_eq!(version(&war).unwrap().1, format!("pom.properties in `{}`", war.display()));
        let overlay = ("META-INF/maven/a/shop/pom.properties", overlay.as_str());
        write(&[manifest, overlay, ("META-INF/maven/a/shop-web/pom.properties", &own)]);
        assert_eq!(version(&war).unwrap().0, "1.3");
        fs_err::write(&war, "no zip").unwrap();
        assert!(matches!(version(&war), Err(VersionError::War { .. })));
    }

    #[test]
    fn reads_directories() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(version(directory.path()), Err(VersionError::NotInWar(_))));
        let pom = directory.path().join("META-INF/maven/org.example/shop");
        fs_err::create_dir_all(&pom).unwrap();
        fs_err::write(pom.join("pom.properties"), "version=1.5\ngroupId=org.example\nartifactId=shop").unwrap();
        assert_eq!(version(directory.path()).unwrap().0, "1.5");
    }
}
