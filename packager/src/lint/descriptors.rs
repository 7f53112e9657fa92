//! Tomcat's context descriptors: whether they name what the package holds.

use std::io::Read;

use fs_err::File;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::Source;

use super::{Finding, Lint, Subject};

/// A descriptor is hardly ever longer; a longer one is passed over.
const LIMIT: u64 = 1 << 20;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    if !subject.files.iter().any(|file| file.path.ends_with(".war")) {
        return Vec::new();
    }
    let descriptors = subject.files.iter().filter_map(|file| Some((file.path, base_name(file.path)?, file.content?)));
    let elsewhere = descriptors.filter_map(|(path, base_name, content)| {
        let doc_base = doc_base(&text(content)?)?;
        (!is_there(subject, doc_base.as_deref(), base_name)).then(|| match doc_base {
            Some(doc_base) => format!("`{path}`, docBase `{doc_base}`"),
            None => format!("`{path}`, without a docBase"),
        })
    });
    elsewhere.map(|place| Finding::new(Lint::DocBaseElsewhere, place)).collect()
}

/// The name of the context that a descriptor is for; none where the path is no descriptor's.
fn base_name(path: &str) -> Option<&str> {
    let (directory, name) = path.rsplit_once('/')?;
    let is_one = directory.contains("/Catalina/") || directory.ends_with("/Catalina");
    name.strip_suffix(".xml").filter(|name| is_one && !name.ends_with(".default"))
}

fn text(content: &Source) -> Option<String> {
    match content {
        Source::Text(text) => Some(text.clone()),
        Source::File(path, size) if *size <= LIMIT => {
            let mut text = String::new();
            File::open(path).ok()?.take(LIMIT).read_to_string(&mut text).ok()?;
            Some(text)
        }
        Source::File(..) => None,
    }
}

/// The docBase of a descriptor, if it has one; none where it is no descriptor at all, or names a host's own property.
fn doc_base(text: &str) -> Option<Option<String>> {
    let mut reader = Reader::from_str(text);
    let root = loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => break start,
            Event::Eof => return None,
            _ => {}
        }
    };
    if root.name().as_ref() != "Context" {
        return None;
    }
    let attribute = root.attributes().flatten().find(|attribute| attribute.key.as_ref() == "docBase");
    let Some(attribute) = attribute else { return Some(None) };
    let value = quick_xml::escape::unescape(attribute.value.as_ref()).ok()?.into_owned();
    if value.contains("${") { None } else { Some(Some(value)) }
}

/// Whether the package holds it: a relative docBase is below Tomcat's appBase, and without one it is what is named after
/// the context there.
fn is_there(subject: &Subject<'_>, doc_base: Option<&str>, base_name: &str) -> bool {
    let ends = |name: &str| subject.files.iter().any(|file| file.path.ends_with(&format!("/{name}")));
    match doc_base {
        Some(absolute) if absolute.starts_with('/') => subject.file(absolute).is_some(),
        Some(relative) => ends(relative),
        None => ends(&format!("webapps/{base_name}.war")) || ends(&format!("webapps/{base_name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::EntryKind;

    fn found(text: &str) -> Vec<String> {
        let mut layout = sample::layout();
        let descriptor = layout.entries.iter_mut().find(|entry| entry.path.ends_with("shop.xml")).unwrap();
        descriptor.kind = EntryKind::File(Source::Text(text.to_owned()));
        check(&Subject::of_layout(&layout)).into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn names_the_package_s_war() {
        let path = "`/etc/tomcat/Catalina/localhost/shop.xml`";
        for (text, expected) in [
            ("<Context docBase='/usr/share/shop/shop.war'/>", None),
            ("<?xml version='1.0'?><!-- a --><Context docBase=\"/usr/share/shop/shop.war\"><A/></Context>", None),
            ("<Context docBase='/usr/share/shop'/>", None),
            ("<Context docBase='${shop.base}/shop.war'/>", None),
            ("<Context docBase='shop.war'/>", None),
            ("<Context docBase='/srv/a&amp;b.war'/>", Some(format!("{path}, docBase `/srv/a&b.war`"))),
            ("<Context docBase='other.war'/>", Some(format!("{path}, docBase `other.war`"))),
            ("<Context/>", Some(format!("{path}, without a docBase"))),
            ("<Server/>", None),
            ("no XML", None),
            ("<Context docBase=", None),
        ] {
            assert_eq!(found(text), Vec::from_iter(expected), "{text}");
        }
    }
}
