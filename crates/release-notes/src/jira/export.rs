//! What JIRA exports of a search: CSV ("all fields" or "current fields") and XML (its RSS form).

use std::io;
use std::path::{Path, PathBuf};

use quick_xml::Reader;
use quick_xml::events::Event;

use super::Ticket;
use super::html_text::text_of_html;
use crate::{Line, Prose, WebAddress, mentions};

/// Says why an export could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file could not be read.
    #[error("could not read JIRA's export")]
    Read(#[source] io::Error),
    /// It is longer than any export.
    #[error("{}: it has {size} bytes; allowed are {SIZE_LIMIT}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Bytes.
        size: u64,
    },
    /// It is no well-formed CSV.
    #[error("{}: it is no CSV", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Why, with the line.
        source: csv::Error,
    },
    /// It is no well-formed XML.
    #[error("{}: it is no well-formed XML", path.display())]
    Xml {
        /// The file.
        path: PathBuf,
        /// Why.
        source: quick_xml::Error,
    },
    /// It has no tickets' keys.
    #[error("{}: it is no export of JIRA: {missing}", path.display())]
    NoExport {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        missing: &'static str,
    },
}

const SIZE_LIMIT: u64 = 256 << 20;

/// Reads the tickets of an export, by what it begins with: `<` is XML, all else CSV. `customer_field` is the name of the
/// field that holds what customers read.
///
/// # Errors
/// [`ExportError`]
pub fn read_export(path: &Path, customer_field: Option<&str>) -> Result<Vec<Ticket>, ExportError> {
    let size = fs_err::metadata(path).map_err(ExportError::Read)?.len();
    if size > SIZE_LIMIT {
        return Err(ExportError::TooLong { path: path.to_owned(), size });
    }
    let bytes = fs_err::read(path).map_err(ExportError::Read)?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('<') { xml(path, text, customer_field) } else { csv(path, text, customer_field) }
}

fn csv(path: &Path, text: &str, customer_field: Option<&str>) -> Result<Vec<Ticket>, ExportError> {
    let wrong = |source| ExportError::Csv { path: path.to_owned(), source };
    let head = text.lines().next().unwrap_or_default();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|mark| head.bytes().filter(|byte| byte == mark).count());
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter.unwrap_or(b',')).flexible(true).from_reader(text.as_bytes());
    let columns: Vec<String> = reader.headers().map_err(wrong)?.iter().map(|name| name.trim().to_lowercase()).collect();
    let all = |names: &[&str]| -> Vec<usize> {
        (0..columns.len()).filter(|index| names.contains(&columns[*index].as_str())).collect()
    };
    let (keys, summaries) = (all(&["issue key", "key"]), all(&["summary"]));
    let (types, versions) = (all(&["issue type", "type"]), all(&["fix version/s", "fix versions", "fix version"]));
    let descriptions = all(&["description"]);
    let customer = customer_field.map(str::to_lowercase);
    let customers: Vec<usize> =
        customer.map(|name| all(&[&name, &format!("custom field ({name})")])).unwrap_or_default();
    if keys.is_empty() || summaries.is_empty() {
        let missing = "it has no columns `Issue key` and `Summary`";
        return Err(ExportError::NoExport { path: path.to_owned(), missing });
    }
    let mut tickets = Vec::new();
    for record in reader.records() {
        let record = record.map_err(wrong)?;
        let values = |columns: &[usize]| -> Vec<String> {
            let values = columns.iter().filter_map(|column| record.get(*column)).map(str::trim);
            values.filter(|value| !value.is_empty()).map(str::to_owned).collect()
        };
        let first = |columns: &[usize]| values(columns).into_iter().next().unwrap_or_default();
        let key = first(&keys);
        if mentions::is_key(&key) {
            tickets.push(Ticket {
                key,
                issue_type: first(&types),
                summary: Line::new(&first(&summaries)),
                description: Prose::new(&first(&descriptions)),
                customer: Prose::new(&first(&customers)),
                url: None,
                fix_versions: values(&versions),
            });
        }
    }
    Ok(tickets)
}

/// An item of the XML as far as it has been read.
#[derive(Default)]
struct Item {
    key: String,
    summary: String,
    issue_type: String,
    description: String,
    link: String,
    fix_versions: Vec<String>,
    field_name: String,
    customer: String,
}

fn xml(path: &Path, text: &str, customer_field: Option<&str>) -> Result<Vec<Ticket>, ExportError> {
    let wrong = |source| ExportError::Xml { path: path.to_owned(), source };
    let mut reader = Reader::from_str(text);
    let (mut open, mut item): (Vec<String>, Item) = (Vec::new(), Item::default());
    let (mut tickets, mut value, mut is_rss) = (Vec::new(), String::new(), false);
    loop {
        match reader.read_event().map_err(wrong)? {
            Event::Start(start) => {
                open.push(start.local_name().as_ref().to_owned());
                value.clear();
                if open == ["rss", "channel", "item"] {
                    (item, is_rss) = (Item::default(), true);
                }
            }
            Event::Text(part) => value.push_str(&part),
            Event::CData(part) => value.push_str(&part),
            Event::GeneralRef(name) => value.push_str(&entity(&name)),
            Event::End(_) => {
                let path: Vec<&str> = open.iter().map(String::as_str).collect();
                if let ["rss", "channel", "item", inner @ ..] = path.as_slice() {
                    if inner.is_empty() {
                        tickets.extend(std::mem::take(&mut item).ticket());
                    } else {
                        item.take(inner, value.trim(), customer_field);
                    }
                }
                value.clear();
                open.pop();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if !is_rss && tickets.is_empty() {
        return Err(ExportError::NoExport {
            path: path.to_owned(),
            missing: "it has no `item` in `rss` and `channel`",
        });
    }
    Ok(tickets)
}

fn entity(name: &str) -> String {
    text_of_html(&format!("&{name};"))
}

impl Item {
    fn take(&mut self, path: &[&str], value: &str, customer_field: Option<&str>) {
        match path {
            ["key"] => value.clone_into(&mut self.key),
            ["summary"] => value.clone_into(&mut self.summary),
            ["type"] => value.clone_into(&mut self.issue_type),
            ["description"] => value.clone_into(&mut self.description),
            ["link"] => value.clone_into(&mut self.link),
            ["fixVersion"] => self.fix_versions.push(value.to_owned()),
            [.., "customfieldname"] => value.clone_into(&mut self.field_name),
            [.., "customfieldvalue"] if Some(self.field_name.as_str()) == customer_field => {
                value.clone_into(&mut self.customer);
            }
            _ => {}
        }
    }

    fn ticket(self) -> Option<Ticket> {
        mentions::is_key(&self.key).then(|| Ticket {
            summary: Line::new(&self.summary),
            // JIRA renders texts for its exports.
            description: Prose::new(&text_of_html(&self.description)),
            customer: Prose::new(&text_of_html(&self.customer)),
            url: WebAddress::try_from(self.link).ok(),
            key: self.key,
            issue_type: self.issue_type,
            fix_versions: self.fix_versions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Ticket>, ExportError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("export");
        fs_err::write(&path, text).unwrap();
        read_export(&path, Some("Customer note"))
    }

    #[test]
    fn csv_of_all_fields() {
        let text = "\u{feff}Summary,Issue key,Issue id,Issue Type,Fix Version/s,Fix Version/s,Description,Custom field (Customer note)\r\n\
                    \"A \"\"quoted\"\", <b>summary</b>\",SHOP-1,100,Bug,1.4,1.5,\"two\r\n\r\nparagraphs\",Works again.\r\n\
                    Short,SHOP-2,101,Story\r\nTotal,,,\r\n";
        for text in [
            text.to_owned(),
            "Issue key;Summary;Type\nSHOP-1;A \"quoted\", <b>summary</b>;Bug\nSHOP-2;Short;Story".to_owned(),
        ] {
            let tickets = read(&text).unwrap();
            let rows: Vec<_> =
                tickets.iter().map(|one| (one.key.as_str(), one.summary.as_str(), one.issue_type.as_str())).collect();
            assert_eq!(rows, [("SHOP-1", "A \"quoted\", <b>summary</b>", "Bug"), ("SHOP-2", "Short", "Story")]);
        }
        let tickets = read(text).unwrap();
        assert_eq!(tickets[0].fix_versions, ["1.4", "1.5"]);
        assert_eq!(tickets[0].description.as_ref().unwrap().as_str(), "two\n\nparagraphs");
        assert_eq!(tickets[0].customer.as_ref().unwrap().as_str(), "Works again.");
    }

    #[test]
    fn xml_of_a_search() {
        let text = "<!-- RSS generated by JIRA --><rss version=\"0.92\"><channel><title>JIRA</title>\
            <item><title>[SHOP-1] x</title><link>https://jira.example.org/browse/SHOP-1</link><key id=\"1\">SHOP-1</key>\
            <summary>a &lt;b&gt; &amp; &#xfc;</summary><type id=\"1\">Bug</type><fixVersion>1.4</fixVersion>\
            <description>&lt;p&gt;One &amp;amp; two&lt;/p&gt;&lt;script&gt;x&lt;/script&gt;</description>\
            <customfields><customfield><customfieldname>Customer note</customfieldname><customfieldvalues>\
            <customfieldvalue><![CDATA[<b>Works</b>.]]></customfieldvalue></customfieldvalues></customfield></customfields>\
            </item></channel></rss>";
        let tickets = read(text).unwrap();
        assert_eq!(tickets.len(), 1);
        let ticket = &tickets[0];
        assert_eq!((ticket.key.as_str(), ticket.summary.as_str()), ("SHOP-1", "a <b> & ü"));
        assert_eq!(ticket.description.as_ref().unwrap().as_str(), "One & two");
        assert_eq!(ticket.customer.as_ref().unwrap().as_str(), "Works.");
        assert_eq!(ticket.url.as_ref().unwrap().as_str(), "https://jira.example.org/browse/SHOP-1");
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, expected) in [
            ("a,b\n1,2\n", "it has no columns `Issue key` and `Summary`"),
            ("", "it has no columns"),
            ("<rss><channel></item>", "it is no well-formed XML"),
            ("<html/>", "it has no `item`"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
