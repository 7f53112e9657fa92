//! Advisories: what updates mend, one by one and as updateinfo.xml.
//!
//! The format is that of `createrepo_c`'s `updateinfo.xml`, which dnf and zypper read.

use nevra::Nevra;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use serde::Deserialize;

use super::xml::{push_attribute, push_element, push_number, push_text};

/// An advisory as it stands in updateinfo.xml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    /// Its id, such as `EX-2024:1`, of which a channel has one.
    pub id: String,
    /// Its `<update>` element.
    pub xml: String,
}

/// Says why a file holds no advisories.
#[derive(Debug, thiserror::Error)]
pub enum AdvisoryError {
    /// It is no UTF-8.
    #[error("it is not UTF-8")]
    Text(#[source] std::str::Utf8Error),
    /// It begins as XML and is not well-formed.
    #[error("it is no well-formed XML")]
    Xml(#[source] quick_xml::Error),
    /// It is XML, but no updateinfo.xml.
    #[error("it has no `updates` element with `update` elements that have an `id` each")]
    NoUpdates,
    /// It is no advisory in TOML or JSON.
    #[error("it is no updateinfo.xml, and no advisory in TOML")]
    Toml(#[source] toml::de::Error),
    /// The same in JSON.
    #[error("it is no advisory in JSON")]
    Json(#[source] serde_json::Error),
}

/// An advisory as people and CI write it, in TOML or JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvisoryFile {
    id: String,
    title: String,
    #[serde(rename = "type")]
    kind: AdvisoryKind,
    severity: Option<Severity>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    solution: String,
    #[serde(default)]
    rights: String,
    /// `YYYY-MM-DD HH:MM:SS`, or a part of it.
    issued: String,
    updated: Option<String>,
    #[serde(default = "default_from")]
    from: String,
    #[serde(default)]
    reboot_suggested: bool,
    #[serde(default)]
    references: Vec<Reference>,
    /// The packages that mend what it is about.
    packages: Vec<Nevra>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AdvisoryKind {
    Security,
    Bugfix,
    Enhancement,
    Newpackage,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Severity {
    Critical,
    Important,
    Moderate,
    Low,
    None,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    #[serde(rename = "type", default = "default_reference")]
    kind: String,
    id: String,
    #[serde(default)]
    title: String,
    url: String,
}

fn default_from() -> String {
    "pkg".to_owned()
}

fn default_reference() -> String {
    "self".to_owned()
}

impl Advisory {
    /// Reads the advisories of a file: those of an updateinfo.xml as they are, or one in TOML or JSON.
    ///
    /// # Errors
    /// [`AdvisoryError`]
    pub fn read_all(file: &[u8]) -> Result<Vec<Self>, AdvisoryError> {
        let text = std::str::from_utf8(file).map_err(AdvisoryError::Text)?;
        match text.trim_start().chars().next() {
            Some('<') => split(text),
            Some('{') => Ok(vec![serde_json::from_str::<AdvisoryFile>(text).map_err(AdvisoryError::Json)?.render()]),
            _ => Ok(vec![toml::from_str::<AdvisoryFile>(text).map_err(AdvisoryError::Toml)?.render()]),
        }
    }
}

/// Puts advisories together to an updateinfo.xml.
#[must_use]
pub fn updateinfo_xml<'a>(advisories: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut xml = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<updates>\n".to_vec();
    for advisory in advisories {
        xml.extend_from_slice(advisory);
        xml.push(b'\n');
    }
    xml.extend_from_slice(b"</updates>\n");
    xml
}

/// The packages that an `<update>` element names; what is no identity of a package is passed over.
#[must_use]
pub(crate) fn named_packages(advisory: &[u8]) -> Vec<Nevra> {
    let mut reader = Reader::from_str(std::str::from_utf8(advisory).unwrap_or_default());
    let mut packages = Vec::new();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(element) | Event::Empty(element) if element.local_name().as_ref() == "package" => {
                packages.extend(nevra_of(&element));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    packages
}

fn nevra_of(element: &BytesStart<'_>) -> Option<Nevra> {
    let attribute = |name: &str| {
        let attribute = element.try_get_attribute(name).ok()??;
        Some(unescape(&attribute.value).ok()?.into_owned())
    };
    let epoch = attribute("epoch").filter(|epoch| !epoch.is_empty()).unwrap_or_else(|| "0".to_owned());
    let [name, version, release, arch] = ["name", "version", "release", "arch"].map(attribute);
    format!("{}-{epoch}:{}-{}.{}", name?, version?, release?, arch?).parse().ok()
}

/// Cuts an updateinfo.xml into its advisories.
fn split(text: &str) -> Result<Vec<Advisory>, AdvisoryError> {
    let mut reader = Reader::from_str(text);
    let (mut advisories, mut path) = (Vec::new(), Vec::<String>::new());
    let (mut start, mut id) = (0, String::new());
    loop {
        let position = reader.buffer_position() as usize;
        match reader.read_event().map_err(AdvisoryError::Xml)? {
            Event::Start(element) => {
                path.push(element.local_name().as_ref().to_owned());
                if path == ["updates", "update"] {
                    (start, id) = (position, String::new());
                }
            }
            Event::Text(text) if path == ["updates", "update", "id"] => id.push_str(text.trim()),
            Event::End(_) => {
                if path == ["updates", "update"] {
                    let xml = text.get(start..reader.buffer_position() as usize).ok_or(AdvisoryError::NoUpdates)?;
                    if id.is_empty() {
                        return Err(AdvisoryError::NoUpdates);
                    }
                    advisories.push(Advisory { id: std::mem::take(&mut id), xml: xml.to_owned() });
                }
                path.pop();
            }
            Event::Eof if path.is_empty() => break,
            Event::Eof => return Err(AdvisoryError::NoUpdates),
            _ => {}
        }
    }
    if advisories.is_empty() { Err(AdvisoryError::NoUpdates) } else { Ok(advisories) }
}

impl AdvisoryFile {
    fn render(&self) -> Advisory {
        let mut xml = String::with_capacity(2048);
        xml.push_str("<update");
        push_attribute(&mut xml, "from", &self.from);
        push_attribute(&mut xml, "status", "final");
        push_attribute(&mut xml, "type", self.kind.name());
        push_attribute(&mut xml, "version", "1");
        xml.push_str(">\n");
        push_element(&mut xml, "  ", "id", &self.id);
        push_element(&mut xml, "  ", "title", &self.title);
        push_date(&mut xml, "issued", &self.issued);
        push_date(&mut xml, "updated", self.updated.as_ref().unwrap_or(&self.issued));
        push_element(&mut xml, "  ", "rights", &self.rights);
        if let Some(severity) = self.severity {
            push_element(&mut xml, "  ", "severity", severity.name());
        }
        push_element(&mut xml, "  ", "description", &self.description);
        push_element(&mut xml, "  ", "solution", &self.solution);
        xml.push_str("  <references>\n");
        for reference in &self.references {
            xml.push_str("    <reference");
            push_attribute(&mut xml, "href", &reference.url);
            push_attribute(&mut xml, "id", &reference.id);
            push_attribute(&mut xml, "type", &reference.kind);
            push_attribute(&mut xml, "title", &reference.title);
            xml.push_str("/>\n");
        }
        xml.push_str("  </references>\n  <pkglist>\n    <collection short=\"pkg\">\n      <name>pkg</name>\n");
        for package in &self.packages {
            self.push_package(&mut xml, package);
        }
        xml.push_str("    </collection>\n  </pkglist>\n</update>");
        Advisory { id: self.id.clone(), xml }
    }

    fn push_package(&self, xml: &mut String, package: &Nevra) {
        xml.push_str("      <package");
        push_attribute(xml, "name", package.name.as_str());
        push_attribute(xml, "version", package.evr.version());
        push_attribute(xml, "release", package.evr.release());
        push_number(xml, "epoch", u64::from(package.evr.epoch()));
        push_attribute(xml, "arch", package.arch.as_str());
        xml.push_str(">\n        <filename>");
        push_text(xml, &package.file_name());
        xml.push_str("</filename>\n");
        if self.reboot_suggested {
            xml.push_str("        <reboot_suggested>True</reboot_suggested>\n");
        }
        xml.push_str("      </package>\n");
    }
}

impl AdvisoryKind {
    fn name(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Bugfix => "bugfix",
            Self::Enhancement => "enhancement",
            Self::Newpackage => "newpackage",
        }
    }
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Critical => "Critical",
            Self::Important => "Important",
            Self::Moderate => "Moderate",
            Self::Low => "Low",
            Self::None => "None",
        }
    }
}

/// A date in the form that libsolv and dnf read: `YYYY-MM-DD HH:MM:SS`.
fn push_date(xml: &mut String, name: &str, date: &str) {
    const MIDNIGHT: &str = "0000-01-01 00:00:00";
    let mut date = date.replace('T', " ");
    date.truncate(MIDNIGHT.len());
    let rest = MIDNIGHT.get(date.len()..).unwrap_or_default();
    xml.push_str("  <");
    xml.push_str(name);
    push_attribute(xml, "date", &format!("{date}{rest}"));
    xml.push_str("/>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = "
id = 'EX-2024:1'
title = 'a <hole>'
type = 'security'
severity = 'Important'
issued = '2024-01-31'
packages = ['petclinic-1:1.4.0-57.noarch']
[[references]]
type = 'cve'
id = 'CVE-2024-1'
url = 'https://example.org/?a=1&b=2'
";

    #[test]
    fn one_in_toml_becomes_xml_and_stays_what_it_is() {
        let one = Advisory::read_all(TOML.as_bytes()).unwrap();
        assert_eq!((one.len(), one[0].id.as_str()), (1, "EX-2024:1"));
        for part in [
            "<title>a &lt;hole&gt;</title>",
            "<issued date=\"2024-01-31 00:00:00\"/>",
            "<package name=\"petclinic\" version=\"1.4.0\" release=\"57\" epoch=\"1\" arch=\"noarch\">",
            "href=\"https://example.org/?a=1&amp;b=2\" id=\"CVE-2024-1\" type=\"cve\"",
        ] {
            assert!(one[0].xml.contains(part), "{part}\n{}", one[0].xml);
        }
        let document = updateinfo_xml([one[0].xml.as_bytes(), b"<update><id>EX-2</id></update>"]);
        let read = Advisory::read_all(&document).unwrap();
        assert_eq!(read.iter().map(|each| each.id.as_str()).collect::<Vec<_>>(), ["EX-2024:1", "EX-2"]);
        assert_eq!(read[0], one[0]);
        assert_eq!(named_packages(one[0].xml.as_bytes()), ["petclinic-1:1.4.0-57.noarch".parse().unwrap()]);
        let strange = b"<update><package name='a' version='1' release='1' arch='noarch'/><package/></update>";
        assert_eq!(named_packages(strange), ["a-1-1.noarch".parse().unwrap()]);
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, expected) in [
            ("<comps/>", "it has no `updates` element"),
            ("<updates><update><title/></update></updates>", "it has no `updates` element"),
            ("<updates><update></updates>", "it is no well-formed XML"),
            ("{\"id\": 1}", "it is no advisory in JSON"),
            ("id = 'a'\ncolour = 'red'", "it is no updateinfo.xml, and no advisory in TOML"),
        ] {
            let error = Advisory::read_all(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
