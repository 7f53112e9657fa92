//! The version in a pom.xml (<https://maven.apache.org/pom.html>), with the properties of CI-friendly versions.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use quick_xml::Reader;
use quick_xml::events::Event;

use super::VersionError;

/// Larger files are no pom.xml that a person wrote.
const SIZE_LIMIT: u64 = 16 << 20;
/// Parents, and properties within properties.
const DEPTH_LIMIT: usize = 10;

/// What is read of a pom.xml.
#[derive(Debug, Default)]
struct Pom {
    version: Option<String>,
    parent_version: Option<String>,
    /// Where the parent is; none without a parent, and empty where it is in no file.
    parent_path: Option<String>,
    properties: BTreeMap<String, String>,
}

/// Reads the version of a project, or else that of its parent, and puts its properties in.
pub(super) fn version(file: &Path) -> Result<String, VersionError> {
    let pom = Pom::read(file)?;
    let written = pom.version.clone().or_else(|| pom.parent_version.clone());
    let mut text = written.ok_or_else(|| VersionError::NotInFile(file.to_owned()))?;
    for _ in 0..DEPTH_LIMIT {
        let Some((before, rest)) = text.split_once("${") else { return Ok(text) };
        let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
        let value = pom.property(name, file)?;
        text = format!("{before}{value}{after}");
    }
    Err(VersionError::Property { file: file.to_owned(), property: text })
}

impl Pom {
    fn read(file: &Path) -> Result<Self, VersionError> {
        let text = read_text(file, SIZE_LIMIT)?;
        let wrong = |source| VersionError::Xml { file: file.to_owned(), source };
        let mut reader = Reader::from_str(&text);
        let mut path: Vec<String> = Vec::new();
        let mut pom = Self::default();
        loop {
            match reader.read_event().map_err(wrong)? {
                Event::Start(start) => {
                    path.push(start.local_name().as_ref().to_owned());
                    if path == ["project", "parent"] {
                        pom.parent_path.get_or_insert_with(|| "../pom.xml".to_owned());
                    }
                    pom.declare(&path);
                }
                Event::Empty(start)
                    if path == ["project", "parent"] && start.local_name().as_ref() == "relativePath" =>
                {
                    pom.parent_path = Some(String::new());
                }
                Event::Empty(start) => {
                    path.push(start.local_name().as_ref().to_owned());
                    pom.declare(&path);
                    path.pop();
                }
                Event::End(_) => drop(path.pop()),
                Event::Text(value) => pom.take(&path, value.trim()),
                Event::CData(value) => pom.take(&path, value.trim()),
                Event::Eof if path.is_empty() => return Ok(pom),
                Event::Eof => {
                    let open = path.pop().unwrap_or_default();
                    return Err(wrong(quick_xml::errors::IllFormedError::MissingEndTag(open).into()));
                }
                _ => {}
            }
        }
    }

    /// A property without a text is empty, and defined.
    fn declare(&mut self, path: &[String]) {
        if let [project, properties, name] = path
            && project == "project"
            && properties == "properties"
        {
            self.properties.insert(name.clone(), String::new());
        }
    }

    fn take(&mut self, path: &[String], value: &str) {
        if value.is_empty() {
            return;
        }
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["project", "version"] => self.version = Some(value.to_owned()),
            ["project", "parent", "version"] => self.parent_version = Some(value.to_owned()),
            ["project", "parent", "relativePath"] => self.parent_path = Some(value.to_owned()),
            ["project", "properties", name] => drop(self.properties.insert((*name).to_owned(), value.to_owned())),
            _ => {}
        }
    }

    /// Looks a property up, in the parents as well as far as they lie in files.
    fn property(&self, name: &str, file: &Path) -> Result<String, VersionError> {
        let undefined = || VersionError::Property { file: file.to_owned(), property: name.to_owned() };
        match name {
            "project.parent.version" => return self.parent_version.clone().ok_or_else(undefined),
            _ if self.properties.contains_key(name) => return Ok(self.properties[name].clone()),
            _ => {}
        }
        let mut below = file.to_owned();
        let mut parent = self.parent_file(file);
        for _ in 0..DEPTH_LIMIT {
            let Some(path) = parent.filter(|path| path.is_file()) else { break };
            let pom = Self::read(&path)?;
            if let Some(value) = pom.properties.get(name) {
                return Ok(value.clone());
            }
            parent = pom.parent_file(&path).filter(|next| *next != below);
            below = path;
        }
        Err(undefined())
    }

    fn parent_file(&self, file: &Path) -> Option<PathBuf> {
        let relative = self.parent_path.as_deref().filter(|path| !path.is_empty())?;
        let path = file.parent()?.join(relative);
        Some(if path.is_dir() { path.join("pom.xml") } else { path })
    }
}

/// Reads a text file up to a limit; what is no UTF-8 is replaced.
pub(super) fn read_text(file: &Path, limit: u64) -> Result<String, VersionError> {
    let mut bytes = Vec::new();
    let source = fs_err::File::open(file).map_err(VersionError::Read)?;
    source.take(limit).read_to_end(&mut bytes).map_err(VersionError::Read)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, name: &str, inner: &str) -> PathBuf {
        let file = directory.join(name);
        fs_err::create_dir_all(file.parent().unwrap()).unwrap();
        let xml =
            format!("<?xml version='1.0'?>\n<project xmlns='http://maven.apache.org/POM/4.0.0'>{inner}</project>");
        fs_err::write(&file, xml).unwrap();
        file
    }

    #[test]
    fn reads_versions() {
        let directory = tempfile::tempdir().unwrap();
        for (inner, expected) in [
            ("<version>1.4.0-SNAPSHOT</version>", "1.4.0-SNAPSHOT"),
            (
                "<dependencies><dependency><version>9</version></dependency></dependencies><version> 1.4 </version>",
                "1.4",
            ),
            ("<parent><version>2.0</version></parent>", "2.0"),
            ("<parent><version>2.0</version></parent><version>3.0</version>", "3.0"),
            (
                "<version>${revision}${sha1}${changelist}</version><properties><revision>1.5</revision><sha1/>\
                 <changelist>-SNAPSHOT</changelist></properties>",
                "",
            ),
            ("<version>${revision}</version><properties><revision>${a}.5</revision><a>1</a></properties>", "1.5"),
            ("<version>${project.parent.version}</version><parent><version>7</version></parent>", "7"),
            ("<version><!-- c -->1.6</version>", "1.6"),
        ] {
            let result = version(&write(directory.path(), "pom.xml", inner));
            if expected.is_empty() {
                assert!(matches!(result, Ok(version) if version == "1.5-SNAPSHOT"));
            } else {
                assert_eq!(result.unwrap(), expected, "{inner}");
            }
        }
    }

    #[test]
    fn asks_the_parents_for_properties() {
        let directory = tempfile::tempdir().unwrap();
        write(
            directory.path(),
            "pom.xml",
            "<version>${revision}</version><properties><revision>4</revision></properties>",
        );
        let child = "<parent><version>${revision}</version></parent>";
        assert_eq!(version(&write(directory.path(), "war/pom.xml", child)).unwrap(), "4");
        let elsewhere = "<parent><version>${revision}</version><relativePath/></parent>";
        let error = version(&write(directory.path(), "war/pom.xml", elsewhere)).unwrap_err();
        assert!(matches!(error, VersionError::Property { property, .. } if property == "revision"));
    }

    #[test]
    fn refuses() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(version(&write(directory.path(), "p", "")), Err(VersionError::NotInFile(_))));
        let endless = "<version>${a}</version><properties><a>${a}</a></properties>";
        assert!(matches!(version(&write(directory.path(), "p", endless)), Err(VersionError::Property { .. })));
        assert!(matches!(version(&write(directory.path(), "p", "<version>")), Err(VersionError::Xml { .. })));
        assert!(matches!(version(&directory.path().join("no")), Err(VersionError::Read(_))));
        let selfish = "<parent><version>${x}</version><relativePath>pom.xml</relativePath></parent>";
        assert!(matches!(version(&write(directory.path(), "pom.xml", selfish)), Err(VersionError::Property { .. })));
    }
}
