//! Finds what people write in passing: `ABC-123`, `#12`, `owner/repository#12`, `!34`, `GH-12`, `CVE-2026-1234`.

use std::collections::BTreeSet;

use crate::{Reference, ReferenceKind};

/// What looks like a ticket's key and is none: standards, algorithms, systems.
const NO_PROJECTS: [&str; 30] = [
    "UTF", "UCS", "ISO", "RFC", "IEEE", "ANSI", "SHA", "MD", "AES", "RSA", "DES", "ECDSA", "CRC", "TLS", "SSL", "HTTP",
    "PKCS", "CP", "LATIN", "BASE", "ARM", "EL", "RHEL", "GPL", "LGPL", "MPL", "BSD", "CVE", "GH", "MIT",
];

/// Which references a text's words are.
#[derive(Debug, Clone, Default)]
pub struct Mentions {
    /// The projects whose tickets are meant; where there are none, all that look like it.
    pub projects: BTreeSet<String>,
}

/// What of a text counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Numbers of issues and merge requests as well.
    Any,
    /// Tickets' keys and vulnerabilities: in prose, `#12` may be anything.
    KeysOnly,
}

impl Mentions {
    /// Finds the references in a text, in its order, each once.
    #[must_use]
    pub fn find(&self, text: &str, numbers: Numbers) -> Vec<Reference> {
        let mut found: Vec<Reference> = Vec::new();
        let is_word =
            |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | '#' | '!' | '/' | '.');
        for word in text.split(|character: char| !is_word(character)) {
            let word = word.trim_matches(['-', '_', '.', '/']);
            for (kind, id) in self.of_word(word) {
                let wanted =
                    numbers == Numbers::Any || matches!(kind, ReferenceKind::Ticket | ReferenceKind::Vulnerability);
                if wanted && found.iter().all(|known| known.id.as_str() != id) {
                    found.push(Reference::new(kind, &id));
                }
            }
        }
        found
    }

    fn of_word(&self, word: &str) -> Vec<(ReferenceKind, String)> {
        if let Some((place, number)) = word.rsplit_once(['#', '!']) {
            let mark = &word[place.len()..=place.len()];
            let is_place = place.is_empty() || (place.contains('/') && place.split('/').all(is_path_part));
            if is_number(number) && is_place {
                let kind = if mark == "!" { ReferenceKind::MergeRequest } else { ReferenceKind::Issue };
                return vec![(kind, word.to_owned())];
            }
        }
        if let Some(number) = word.strip_prefix("GH-").filter(|number| is_number(number)) {
            return vec![(ReferenceKind::Issue, format!("#{number}"))];
        }
        // A branch's name: `feature/ABC-123-short-words`; a list: `ABC-1/ABC-2`.
        word.split(['/', '#', '.', '_']).filter_map(|part| self.key_at_start(part)).collect()
    }

    /// The key or the vulnerability that a word begins with.
    fn key_at_start(&self, word: &str) -> Option<(ReferenceKind, String)> {
        let mut parts = word.split('-');
        let (project, number) = (parts.next()?, parts.next()?);
        if project == "CVE" {
            let serial = parts.next()?;
            let fits = number.len() == 4 && is_number(number) && serial.len() >= 4 && is_number(serial);
            return fits.then(|| (ReferenceKind::Vulnerability, format!("CVE-{number}-{serial}")));
        }
        let is_known =
            if self.projects.is_empty() { !NO_PROJECTS.contains(&project) } else { self.projects.contains(project) };
        (is_project(project) && is_number(number) && is_known)
            .then(|| (ReferenceKind::Ticket, format!("{project}-{number}")))
    }
}

/// Tells whether a text is a ticket's key, `ABC-123`, and so may stand in a query and in a URL.
pub(crate) fn is_key(text: &str) -> bool {
    text.split_once('-').is_some_and(|(project, number)| is_project(project) && is_number(number))
}

/// Two capital letters or more, digits after the first (JIRA's default pattern for projects' keys).
fn is_project(text: &str) -> bool {
    let mut bytes = text.bytes();
    (2..=20).contains(&text.len())
        && bytes.next().is_some_and(|first| first.is_ascii_uppercase())
        && bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')
        || (text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_path_part(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, numbers: Numbers) -> Vec<String> {
        Mentions::default().find(text, numbers).into_iter().map(|reference| reference.id.to_string()).collect()
    }

    #[test]
    fn finds_what_people_write() {
        for (text, expected) in [
            ("ABC-123: x", &["ABC-123"][..]),
            ("[ABC-1][AB2-20] x, ABC-1", &["ABC-1", "AB2-20"]),
            ("Merge branch 'feature/ABC-9-short-words' into 'main'", &["ABC-9"]),
            ("abc-1 A-1 ABC-0 ABC-x XABC -ABC ABC-12345678901", &[]),
            ("UTF-8, SHA-256, RFC-2616, ISO-8601, EL-9", &[]),
            ("fix (#12), other/repo#7 and !34; a/b/c!5", &["#12", "other/repo#7", "!34", "a/b/c!5"]),
            ("GH-7 x#1 a#b #x ## !important C# 1!", &["#7"]),
            ("CVE-2026-12345 and CVE-26-1", &["CVE-2026-12345"]),
            ("see https://x.example/browse/ABC-5.", &["ABC-5"]),
            ("SHOP-1/SHOP-2", &["SHOP-1", "SHOP-2"]),
        ] {
            assert_eq!(found(text, Numbers::Any), expected, "{text}");
        }
        assert_eq!(found("the 2nd way (#2) of ABC-2", Numbers::KeysOnly), ["ABC-2"]);
    }

    #[test]
    fn knows_projects_where_they_are_named() {
        let mentions = Mentions { projects: ["EL".to_owned()].into() };
        let ids = mentions.find("EL-9 ABC-1", Numbers::Any);
        assert_eq!(ids.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["EL-9"]);
        assert!(is_key("AB1-9") && !is_key("AB1-9\"") && !is_key("a-9"));
    }
}
