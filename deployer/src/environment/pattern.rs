//! Patterns for many names in one text: `web[01-20].example.com`, `db[a,b]`, `r[1-2]n[1-4]`.

use super::EnvironmentProblem;

/// More than anybody has; less than a slip of the finger would make.
const LIMIT: usize = 10_000;

/// Gives all names that a pattern stands for, in order; a text without brackets stands for itself.
///
/// `[01-20]` counts and keeps the width, `[a,b]` lists; both can be mixed (`[1-3,7]`) and be there more than once.
pub(super) fn expand_pattern(pattern: &str) -> Result<Vec<String>, EnvironmentProblem> {
    let wrong = |why| EnvironmentProblem::Pattern { pattern: pattern.to_owned(), why };
    let mut names = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('[') {
        let (inside, after) = after.split_once(']').ok_or_else(|| wrong("it has `[` without `]`"))?;
        let mut alternatives = Vec::new();
        for part in inside.split(',') {
            alternatives.extend(part_of(part).ok_or_else(|| wrong("`[…]` holds numbers `01-20`, or words `a,b`"))?);
        }
        if names.len() * alternatives.len() > LIMIT {
            return Err(wrong("it stands for more than 10,000 names"));
        }
        let joined = names.iter().flat_map(|name| alternatives.iter().map(move |part| format!("{name}{before}{part}")));
        names = joined.collect();
        rest = after;
    }
    if rest.contains(']') {
        return Err(wrong("it has `]` without `[`"));
    }
    for name in &mut names {
        name.push_str(rest);
    }
    Ok(names)
}

/// `01-20`, or a word.
fn part_of(part: &str) -> Option<Vec<String>> {
    let is_word = !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    if is_word {
        return Some(vec![part.to_owned()]);
    }
    let (first, last) = part.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.len() <= 9 && text.chars().all(|c| c.is_ascii_digit());
    if !digits(first) || !digits(last) {
        return None;
    }
    let width = if first.starts_with('0') && first.len() > 1 { first.len() } else { 0 };
    let (from, to): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
    if from > to || to - from >= LIMIT {
        return None;
    }
    Some((from..=to).map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_names() {
        for (pattern, expected) in [
            ("web1", &["web1"][..]),
            (
                "web[08-11].example.com",
                &["web08.example.com", "web09.example.com", "web10.example.com", "web11.example.com"],
            ),
            ("web[9-10]", &["web9", "web10"]),
            ("db[a,b]", &["dba", "dbb"]),
            ("n[1-2,7]", &["n1", "n2", "n7"]),
            ("r[1-2]n[1-2]", &["r1n1", "r1n2", "r2n1", "r2n2"]),
            ("10.0.0.[11-12]", &["10.0.0.11", "10.0.0.12"]),
        ] {
            assert_eq!(expand_pattern(pattern).unwrap(), expected, "{pattern}");
        }
        for bad in ["web[", "web]", "web[]", "web[2-1]", "web[a-c]", "web[1-]", "web[1-99999]", "a[0-999]b[0-999]"] {
            assert!(matches!(expand_pattern(bad), Err(EnvironmentProblem::Pattern { .. })), "{bad}");
        }
    }
}
