//! What one commit's message says: Conventional Commits, trailers, references, what it takes back.

use super::trailers;
use crate::mentions::Numbers;
use crate::{Kind, Line, Prose, Reference, Rules};

/// A message, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// Whether the author said what it is, by a type or a trailer.
    pub(super) is_told: bool,
    pub(super) title: Line,
    pub(super) scope: Option<Line>,
    pub(super) breaking: bool,
    pub(super) description: Option<Prose>,
    pub(super) customer: Option<Prose>,
    pub(super) withheld: bool,
    pub(super) upgrade_notes: Vec<Prose>,
    pub(super) known_issues: Vec<Prose>,
    pub(super) references: Vec<Reference>,
    /// The commits, or beginnings of their ids, that it takes back.
    pub(super) reverts: Vec<String>,
    /// The commit that it is a copy of.
    pub(super) copy_of: Option<String>,
    /// Whether it is to be melted into another (`git rebase --autosquash`).
    pub(super) is_fixup: bool,
}

const REFERENCE_KEYS: [&str; 17] = [
    "fix",
    "fixes",
    "fixed",
    "close",
    "closes",
    "closed",
    "resolve",
    "resolves",
    "resolved",
    "ref",
    "refs",
    "references",
    "issue",
    "issues",
    "bug",
    "jira",
    "ticket",
];
const CLOSING_WORDS: [&str; 9] =
    ["fix", "fixes", "fixed", "close", "closes", "closed", "resolve", "resolves", "resolved"];

impl Message {
    /// Reads a message: its title, what follows it, and what besides may hold references, such as a branch's name.
    pub(super) fn read(title: &str, rest: &str, about: &str, rules: &Rules) -> Self {
        let split = trailers::split(rest);
        let header = Header::read(title.trim(), rules);
        let mut message = Self {
            kind: header.kind.or_else(|| Rules::kind_of_verb(header.text)).unwrap_or(Kind::Other),
            is_told: header.kind.is_some(),
            title: Line::new(&without_references(header.text)),
            scope: header.scope.map(Line::new).filter(|scope| !scope.is_empty()),
            breaking: header.breaking,
            description: Prose::new(&split.body),
            customer: None,
            withheld: false,
            upgrade_notes: Vec::new(),
            known_issues: Vec::new(),
            references: Vec::new(),
            reverts: reverts(title, &split.body),
            copy_of: copy_of(rest),
            is_fixup: ["fixup! ", "squash! ", "amend! "].iter().any(|prefix| title.starts_with(prefix)),
        };
        message.refer(title, Numbers::Any, rules);
        message.refer(about, Numbers::Any, rules);
        for (key, value) in &split.trailers {
            message.take_trailer(key, value, rules);
        }
        message.refer(&closing(&split.body), Numbers::Any, rules);
        message.refer(&split.body, Numbers::KeysOnly, rules);
        let is_vulnerability = |reference: &Reference| reference.kind == crate::ReferenceKind::Vulnerability;
        if message.references.iter().any(is_vulnerability) && matches!(message.kind, Kind::Fix | Kind::Other) {
            message.kind = Kind::Security;
        }
        if message.title.is_empty() {
            message.title = Line::new("(without a title)");
        }
        message
    }

    fn take_trailer(&mut self, key: &str, value: &str, rules: &Rules) {
        match key {
            "breaking change" | "breaking-change" => {
                self.breaking = true;
                self.upgrade_notes.extend(Prose::new(value));
            }
            "upgrade-note" => self.upgrade_notes.extend(Prose::new(value)),
            "known-issue" => self.known_issues.extend(Prose::new(value)),
            "customer-note" if matches!(value.to_ascii_lowercase().as_str(), "none" | "no" | "skip") => {
                self.withheld = true;
            }
            "customer-note" => self.customer = Prose::new(value),
            // GitLab's changelogs.
            "changelog" => {
                if let Ok(kind) = value.trim().parse() {
                    (self.kind, self.is_told) = (kind, true);
                }
            }
            "refs" if !self.reverts.is_empty() => {}
            _ if REFERENCE_KEYS.contains(&key) => self.refer(value, Numbers::Any, rules),
            "see" | "see-also" | "related" | "cve" => self.refer(value, Numbers::KeysOnly, rules),
            _ => {}
        }
    }

    fn refer(&mut self, text: &str, numbers: Numbers, rules: &Rules) {
        for reference in rules.mentions.find(text, numbers) {
            if self.references.iter().all(|known| known.id != reference.id) {
                self.references.push(rules.link(reference));
            }
        }
    }
}

/// `type(scope)!: text` (conventionalcommits.org 1.0.0), or `part: text`, whose part is taken for the scope.
struct Header<'a> {
    kind: Option<Kind>,
    scope: Option<&'a str>,
    breaking: bool,
    text: &'a str,
}

impl<'a> Header<'a> {
    fn read(title: &'a str, rules: &Rules) -> Self {
        // A key may go before: `ABC-1 feat: x`, `[ABC-1] feat: x`.
        let unkeyed = without_leading_keys(title);
        let nothing = Self { kind: None, scope: None, breaking: false, text: unkeyed };
        let Some((before, text)) = unkeyed.split_once(':').filter(|(_, text)| text.starts_with(' ')) else {
            return nothing;
        };
        let (before, breaking) = before.strip_suffix('!').map_or((before, false), |before| (before, true));
        let (name, scope) = match before.strip_suffix(')').and_then(|before| before.split_once('(')) {
            Some((name, scope)) => (name, Some(scope)),
            None => (before, None),
        };
        let text = text.trim();
        match rules.kind_of_type(name) {
            Some(kind) => Self { kind: Some(kind), scope, breaking, text },
            None if name == "revert" => Self { kind: Some(Kind::Other), scope, breaking, text: title },
            None if is_part(before) => Self { scope: Some(before), breaking, text, ..nothing },
            None => nothing,
        }
    }
}

/// `packager`, `tests/lab`: what a title may begin with to say where the change is.
fn is_part(text: &str) -> bool {
    let fits = |character: char| character.is_alphanumeric() || "/-_.,*".contains(character);
    (1..=40).contains(&text.chars().count()) && text.chars().all(fits) && !crate::mentions::is_key(text)
}

/// Takes keys off the beginning and numbers in parentheses off the end: they stand among the references.
fn without_references(title: &str) -> String {
    let mut text = without_leading_keys(title);
    while let Some((before, reference)) = text.strip_suffix(')').and_then(|text| text.rsplit_once('(')) {
        let is_reference = |word: &str| {
            let number = word.trim_start_matches("GH-").trim_start_matches(['#', '!']);
            let is_number = number.len() < word.len() && number.bytes().all(|byte| byte.is_ascii_digit());
            crate::mentions::is_key(word) || (is_number && !number.is_empty())
        };
        let mut words = reference.split([',', ' ']).filter(|word| !word.is_empty()).peekable();
        if words.peek().is_none() || !words.all(is_reference) || before.trim().is_empty() {
            break;
        }
        text = before.trim_end();
    }
    text.to_owned()
}

fn without_leading_keys(title: &str) -> &str {
    let mut text = title.trim();
    loop {
        let inner = text.strip_prefix(['[', '(']).unwrap_or(text);
        let end = inner.find(|character: char| !character.is_ascii_alphanumeric() && character != '-');
        let Some((key, rest)) = end.map(|end| inner.split_at(end)) else { return text };
        let rest = rest.trim_start_matches([']', ')', ':', ',', ' ', '-', '|']);
        if !crate::mentions::is_key(key) || rest.is_empty() {
            return text;
        }
        text = rest;
    }
}

/// The words after `fixes`, `closes` and the like in prose.
fn closing(body: &str) -> String {
    let words: Vec<&str> = body.split_whitespace().collect();
    let is_closing = |word: &str| CLOSING_WORDS.contains(&word.trim_end_matches(':').to_ascii_lowercase().as_str());
    let found = words.windows(2).filter(|pair| is_closing(pair[0])).map(|pair| pair[1]);
    found.collect::<Vec<_>>().join(" ")
}

/// `This reverts commit abc1234`, and after `revert: …` the commits of `Refs:` or in the prose.
fn reverts(title: &str, body: &str) -> Vec<String> {
    let is_revert = title.starts_with("Revert ") || title.to_ascii_lowercase().starts_with("revert:");
    let is_revert = is_revert || title.starts_with("Reapply ") || title.to_ascii_lowercase().starts_with("revert(");
    let after: Vec<&str> = body.split("reverts commit").skip(1).collect();
    if after.is_empty() && !is_revert {
        return Vec::new();
    }
    let texts = if after.is_empty() { vec![body] } else { after };
    let id = |word: &str| {
        let word = word.trim_matches(|character: char| !character.is_ascii_alphanumeric());
        ((7..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| word.to_ascii_lowercase())
    };
    texts
        .iter()
        .flat_map(|text| {
            text.split_whitespace().map_while(|word| match id(word) {
                Some(id) => Some(Some(id)),
                None if matches!(word, "and" | ",") => Some(None),
                None => None,
            })
        })
        .flatten()
        .collect()
}

fn copy_of(rest: &str) -> Option<String> {
    let (_, after) = rest.rsplit_once("(cherry picked from commit ")?;
    let (id, _) = after.split_once(')')?;
    id.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Message {
        let (title, rest) = text.split_once('\n').unwrap_or((text, ""));
        Message::read(title, rest, "", &Rules::default())
    }

    fn ids(message: &Message) -> Vec<&str> {
        message.references.iter().map(|reference| reference.id.as_str()).collect()
    }

    #[test]
    fn titles() {
        for (text, kind, scope, title, references) in [
            ("feat(cart)!: remember it (#12)", Kind::Feature, Some("cart"), "remember it", &["#12"][..]),
            ("FIX: a: b", Kind::Fix, None, "a: b", &[]),
            ("ABC-1 fix: x", Kind::Fix, None, "x", &["ABC-1"]),
            ("[ABC-1][ABC-2] Add x (ABC-3, !4)", Kind::Feature, None, "Add x", &["ABC-1", "ABC-2", "ABC-3", "!4"]),
            ("ABC-1: Orders are faster", Kind::Other, None, "Orders are faster", &["ABC-1"]),
            ("packager: reads ABC-9 again", Kind::Other, Some("packager"), "reads ABC-9 again", &["ABC-9"]),
            ("Fix CVE-2026-1234 in parser", Kind::Security, None, "Fix CVE-2026-1234 in parser", &["CVE-2026-1234"]),
            ("chore: CVE-2026-1234", Kind::Internal, None, "CVE-2026-1234", &["CVE-2026-1234"]),
            ("Note: see http://x: y", Kind::Other, Some("Note"), "see http://x: y", &[]),
            ("", Kind::Other, None, "(without a title)", &[]),
            ("ABC-1", Kind::Other, None, "ABC-1", &["ABC-1"]),
            ("(#12)", Kind::Other, None, "(#12)", &["#12"]),
        ] {
            let message = read(text);
            let scope_found = message.scope.as_ref().map(Line::as_str);
            assert_eq!((message.kind, scope_found, message.title.as_str()), (kind, scope, title), "{text}");
            assert_eq!(ids(&message), references, "{text}");
        }
        assert!(read("feat!: x").breaking);
    }

    #[test]
    fn bodies() {
        let message = read(
            "fix: y\n\nWhy, as in #99. It closes #7.\n\nCustomer-note: Orders\ncan be paid.\nFixes: ABC-1, #2\n\
             Changelog: added\nSigned-off-by: A <ABC-77@x>",
        );
        assert_eq!(ids(&message), ["ABC-1", "#2", "#7"]);
        assert_eq!(message.customer.unwrap().as_str(), "Orders\ncan be paid.");
        assert_eq!(message.description.unwrap().as_str(), "Why, as in #99. It closes #7.");
        assert_eq!(message.kind, Kind::Feature);
        let message = read("x\n\nCustomer-note: none\n\nBREAKING CHANGE: do this\n\nKnown-issue: that fails");
        assert!(message.withheld && message.breaking && message.customer.is_none());
        assert_eq!((message.upgrade_notes.len(), message.known_issues.len()), (1, 1));
    }

    #[test]
    fn what_is_taken_back() {
        for (text, expected) in [
            ("Revert \"x\"\n\nThis reverts commit ABCDEF1234567.", &["abcdef1234567"][..]),
            ("Back\n\nThis reverts commit abcdef1, reversing\nchanges made to 1234567.", &["abcdef1"]),
            ("Revert two\n\nabcdef1 and 1234567", &["abcdef1", "1234567"]),
            ("About a thing\n\nabcdef1", &[]),
        ] {
            assert_eq!(read(text).reverts, expected, "{text}");
        }
        assert_eq!(read("x\n\n(cherry picked from commit abc123)").copy_of.unwrap(), "abc123");
    }
}
