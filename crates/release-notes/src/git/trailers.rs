//! The trailers at a message's end (git-interpret-trailers(1)), read leniently: `Fixes: #12`, `Customer-note: …`.

/// A message without its trailers, and them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Split {
    /// The paragraphs of prose, after the title.
    pub(super) body: String,
    /// Keys, in lower case, with their values; a value may have several lines.
    pub(super) trailers: Vec<(String, String)>,
}

/// Keys whose values are prose: they may stand in any paragraph, and go on over lines that are not indented.
const PROSE_KEYS: [&str; 5] = ["breaking change", "breaking-change", "customer-note", "upgrade-note", "known-issue"];

/// Splits what follows a message's title.
pub(super) fn split(rest: &str) -> Split {
    let paragraphs: Vec<Vec<&str>> = paragraphs(rest);
    // Where the block of trailers at the end begins.
    let end = paragraphs.iter().rposition(|lines| !is_block(lines)).map_or(0, |last| last + 1);
    let mut split = Split::default();
    for (index, lines) in paragraphs.iter().enumerate() {
        let begins_prose = lines.first().and_then(|line| trailer(line)).is_some_and(|(key, _)| is_prose(&key));
        if index >= end || begins_prose {
            split.trailers.extend(values(lines));
        } else {
            if !split.body.is_empty() {
                split.body.push_str("\n\n");
            }
            split.body.push_str(&lines.join("\n"));
        }
    }
    split
}

fn paragraphs(text: &str) -> Vec<Vec<&str>> {
    let mut paragraphs = vec![Vec::new()];
    for line in text.lines() {
        match paragraphs.last_mut() {
            Some(last) if !line.trim().is_empty() => last.push(line.trim_end()),
            Some(last) if !last.is_empty() => paragraphs.push(Vec::new()),
            _ => {}
        }
    }
    paragraphs.retain(|lines| !lines.is_empty());
    paragraphs
}

/// Whether a paragraph is nothing but trailers.
fn is_block(lines: &[&str]) -> bool {
    let Some((key, _)) = lines.first().and_then(|line| trailer(line)) else { return false };
    is_prose(&key) || lines.iter().all(|line| line.starts_with([' ', '\t']) || trailer(line).is_some() || is_pick(line))
}

/// What `git cherry-pick -x` adds.
fn is_pick(line: &str) -> bool {
    line.starts_with("(cherry picked from commit ")
}

fn is_prose(key: &str) -> bool {
    PROSE_KEYS.contains(&key)
}

/// The trailers of a paragraph, each with the lines that go on.
fn values(lines: &[&str]) -> Vec<(String, String)> {
    let mut values: Vec<(String, String)> = Vec::new();
    for line in lines {
        match (trailer(line), values.last_mut()) {
            (Some((key, value)), _) => values.push((key, value.to_owned())),
            (None, Some((_, value))) if !is_pick(line) => {
                value.push('\n');
                value.push_str(line.trim());
            }
            (None, _) => {}
        }
    }
    values
}

/// `Key: value`, or Conventional Commits' `Key #value`.
fn trailer(line: &str) -> Option<(String, &str)> {
    for key in ["BREAKING CHANGE", "BREAKING-CHANGE"] {
        if let Some(value) = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(':')) {
            return Some((key.to_ascii_lowercase(), value.trim()));
        }
    }
    let end = line.find(|character: char| !character.is_ascii_alphanumeric() && character != '-')?;
    let (key, rest) = line.split_at(end);
    let value = rest.strip_prefix(':').filter(|value| value.is_empty() || value.starts_with([' ', '\t']));
    let value = value.or_else(|| rest.strip_prefix(' ').filter(|value| value.starts_with('#')))?;
    let is_key = key.starts_with(|first: char| first.is_ascii_alphabetic());
    is_key.then(|| (key.to_ascii_lowercase(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailers_are_the_last_paragraphs() {
        let text = "Some prose.\nNote: this is prose too\nand goes on.\n\nCustomer-note: Orders are\nfaster now.\n\n\
                    Fixes: #12\nRefs #13\nReviewed-by: A <a@b>\n  of C\n(cherry picked from commit abc)\n\nChange-Id: I1";
        let split = split(text);
        assert_eq!(split.body, "Some prose.\nNote: this is prose too\nand goes on.");
        let trailers: Vec<_> = split.trailers.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let expected = [
            ("customer-note", "Orders are\nfaster now."),
            ("fixes", "#12"),
            ("refs", "#13"),
            ("reviewed-by", "A <a@b>\nof C"),
            ("change-id", "I1"),
        ];
        assert_eq!(trailers, expected);
    }

    #[test]
    fn prose_stays_prose() {
        let one = split("Only prose: with a colon.\nNo trailer at all.");
        assert_eq!((one.body.lines().count(), one.trailers.len()), (2, 0));
        let breaking = split("BREAKING CHANGE: `a` is\ngone\n\nthe end, in prose");
        assert_eq!(breaking.trailers, [("breaking change".to_owned(), "`a` is\ngone".to_owned())]);
        assert_eq!(breaking.body, "the end, in prose");
        assert_eq!(split(""), Split::default());
    }
}
