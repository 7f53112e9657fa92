//! Notes that somebody wrote as a whole, in Markdown or text: what can be told apart in them is.

use crate::{Change, Kind, Line, Mentions, Numbers, Prose, ReleaseNotes, Rules};

/// What headings may be called; anything else stays prose.
const HEADINGS: [(&str, Kind); 25] = [
    ("upgrade", Kind::UpgradeNote),
    ("upgrade notes", Kind::UpgradeNote),
    ("upgrading", Kind::UpgradeNote),
    ("breaking changes", Kind::UpgradeNote),
    ("security", Kind::Security),
    ("security fixes", Kind::Security),
    ("features", Kind::Feature),
    ("new", Kind::Feature),
    ("new features", Kind::Feature),
    ("added", Kind::Feature),
    ("improvements", Kind::Improvement),
    ("improved", Kind::Improvement),
    ("enhancements", Kind::Improvement),
    ("changed", Kind::Improvement),
    ("fixes", Kind::Fix),
    ("fixed", Kind::Fix),
    ("bug fixes", Kind::Fix),
    ("bugfixes", Kind::Fix),
    ("fixed bugs", Kind::Fix),
    ("removed", Kind::Removal),
    ("deprecated", Kind::Removal),
    ("removed or deprecated", Kind::Removal),
    ("other changes", Kind::Other),
    ("known issues", Kind::KnownIssue),
    ("known problems", Kind::KnownIssue),
];

impl ReleaseNotes {
    /// Reads notes that somebody wrote: items below headings such as `New features` or `Fixed` are changes, with the
    /// numbers in them as references; everything else is the introduction.
    #[must_use]
    pub fn from_text(text: &str, rules: &Rules) -> Self {
        let (mut changes, mut introduction): (Vec<Change>, Vec<&str>) = (Vec::new(), Vec::new());
        let (mut kind, mut item): (Option<Kind>, Vec<&str>) = (None, Vec::new());
        for line in text.lines() {
            let trimmed = line.trim();
            let begins_item = ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark));
            let is_heading =
                trimmed.starts_with('#') || (trimmed.ends_with(':') && !begins_item && !line.starts_with(' '));
            if is_heading || begins_item || trimmed.is_empty() && item.is_empty() {
                changes.extend(kind.and_then(|kind| change(kind, &std::mem::take(&mut item), &rules.mentions)));
            }
            if is_heading {
                let name = trimmed.trim_matches(['#', ' ', ':']).to_lowercase();
                kind = HEADINGS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
            }
            let goes_on = !item.is_empty() && (trimmed.is_empty() || line.starts_with([' ', '\t']));
            match kind {
                Some(_) if is_heading => {}
                Some(_) if begins_item => item.push(&line[2..]),
                Some(_) if goes_on => item.push(trimmed),
                _ => introduction.push(line),
            }
        }
        changes.extend(kind.and_then(|kind| change(kind, &item, &rules.mentions)));
        for change in &mut changes {
            change.references = std::mem::take(&mut change.references).into_iter().map(|one| rules.link(one)).collect();
        }
        Self { introduction: Prose::new(&introduction.join("\n")), ..Self::new(changes) }
    }
}

/// An item: its first paragraph is what changed.
fn change(kind: Kind, lines: &[&str], mentions: &Mentions) -> Option<Change> {
    let (title, description) = Prose::new(&lines.join("\n"))?.title_and_rest();
    let mut change = Change::new(kind, Line::new(title.as_str()));
    mentions.find(title.as_str(), Numbers::Any).into_iter().for_each(|reference| change.refer(reference));
    change.description = description;
    Some(change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_tell_items_apart() {
        let text = "# Shop 1.4\n\nHello.\n\n## New features\n\n* Carts (SHOP-1)\n  are kept\n\n  More.\n* Tills\n\n\
                    Fixed:\n- It opens, #7\n\n## Thanks\n\n- to Ana";
        let notes = ReleaseNotes::from_text(text, &Rules::default());
        let row = |change: &Change| {
            let references: Vec<&str> = change.references.iter().map(|one| one.id.as_str()).collect();
            format!("{} {} [{}]", change.kind, change.title, references.join(","))
        };
        let rows: Vec<String> = notes.changes.iter().map(row).collect();
        assert_eq!(rows, ["feature Carts (SHOP-1) are kept [SHOP-1]", "feature Tills []", "fix It opens, #7 [#7]"]);
        assert_eq!(notes.changes[0].description.as_ref().unwrap().as_str(), "More.");
        assert_eq!(notes.introduction.unwrap().as_str(), "# Shop 1.4\n\nHello.\n\n## Thanks\n\n- to Ana");
        let plain = ReleaseNotes::from_text("just\nwords", &Rules::default());
        assert_eq!((plain.changes.len(), plain.introduction.unwrap().as_str()), (0, "just\nwords"));
    }
}
