//! The small languages inside an environment file's texts: variables, times, nearest keys.

use std::time::Duration;

use super::EnvironmentProblem;

/// Looks a variable of the process's environment up.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces `${NAME}` and `${NAME:-default}`.
pub(super) fn expand(text: &str, variables: Variables<'_>) -> Result<String, EnvironmentProblem> {
    let shape = || EnvironmentProblem::VariableShape(text.to_owned());
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (reference, after) = after.split_once('}').ok_or_else(shape)?;
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(shape());
        }
        let value = variables(name).filter(|value| !value.is_empty()).or_else(|| default.map(str::to_owned));
        expanded.push_str(before);
        expanded.push_str(&value.ok_or_else(|| EnvironmentProblem::Variable(name.to_owned()))?);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Reads `250ms`, `30s` or `2m`.
pub(super) fn parse_time(text: &str) -> Result<Duration, EnvironmentProblem> {
    let wrong = || EnvironmentProblem::Time(text.to_owned());
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u32 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = match &text[digits..] {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        _ => return Err(wrong()),
    };
    if number == 0 { Err(wrong()) } else { Ok(unit * number) }
}

/// Finds the key that was probably meant in serde's text for an unknown field or variant.
pub(super) fn nearest_key(message: &str) -> Option<String> {
    let (unknown, expected) = message.strip_prefix("unknown ")?.split_once(", expected ")?;
    let unknown = unknown.split('`').nth(1)?;
    nearest_of(unknown, expected.split('`').skip(1).step_by(2))
}

/// Finds the key that was probably meant.
pub(super) fn nearest_of<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|key| (strsim::damerau_levenshtein(unknown, key), key))
        .filter(|(distance, key)| *distance <= 1 + key.len() / 3)
        .min()
        .map(|(_, key)| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_or_refused() {
        let variables = |name: &str| (name == "DIR").then(|| "/x".to_owned());
        for (text, expected) in [
            ("plain {address}", "plain {address}"),
            ("${DIR}/a", "/x/a"),
            ("a${DIR}b${DIR}", "a/xb/x"),
            ("${NONE:-/y}/z", "/y/z"),
            ("${DIR:-/y}", "/x"),
        ] {
            assert_eq!(expand(text, &variables).unwrap(), expected, "{text}");
        }
        assert_eq!(expand("${NONE}", &variables), Err(EnvironmentProblem::Variable("NONE".to_owned())));
        for bad in ["${", "${}", "${a b}", "x${DIR"] {
            assert!(matches!(expand(bad, &variables), Err(EnvironmentProblem::VariableShape(_))), "{bad}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(parse_time("250ms").unwrap(), Duration::from_millis(250));
        assert_eq!(parse_time("2m").unwrap(), Duration::from_secs(120));
        for bad in ["", "5", "s", "0s", "-1s", "1h", "99999999999s", "1.5s"] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }
}
