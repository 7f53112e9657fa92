//! The validation of single values that have no type of their own elsewhere.

use nevra::{ParseEvrError, ParseNameError};

/// Says why a value does not hold; what it is the value of is said around it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Empty.
    #[error("is empty")]
    Empty,
    /// A text holds a control character (a description may hold line breaks and tabs).
    #[error("holds the control character {0:?}")]
    Control(char),
    /// No package name.
    #[error(transparent)]
    Name(#[from] ParseNameError),
    /// No version or no release.
    #[error(transparent)]
    Evr(#[from] ParseEvrError),
    /// The release does not begin with the build's number.
    #[error("the release `{0}` does not begin with the build's number, as in `57` or `57.gabc123`")]
    BuildNumber(String),
    /// No context path.
    #[error(
        "`{0}` is not a context path; allowed are `/` and paths such as `/shop` or `/shop/admin` of letters, digits \
         and `. _ ~ -`"
    )]
    Context(String),
    /// No requirement.
    #[error("`{0}` is not a requirement; allowed are `name` and `name >= [epoch:]version[-release]` with < <= = >= >")]
    Requirement(String),
    /// No name of an account or of a service.
    #[error("`{0}` is not a {1}; allowed are letters, digits, `_` and `-`, beginning with a letter or `_`")]
    Account(String, &'static str),
    /// The configuration would be mixed with Tomcat's own.
    #[error("`{0}` is also the package's name, so that its configuration would lie in Tomcat's own `/etc/{0}`")]
    InstanceIsPackage(String),
    /// No payload compression that is supported.
    #[error(
        "`{0}` is not a compression; allowed are `zstd`, `gzip`, `xz`, each also with a level as in `zstd:19`, and `none`"
    )]
    Compression(String),
    /// No target that is known.
    #[error("`{0}` is not a target; allowed are `el7`, `el8`, `el9` and `el10`")]
    Target(String),
}

/// Checks a text of one line.
pub(super) fn line(text: &str) -> Result<String, ValueError> {
    match text.chars().find(|c| c.is_control()) {
        Some(control) => Err(ValueError::Control(control)),
        None => Ok(text.trim().to_owned()),
    }
}

/// Checks a text of several lines and takes the line breaks off its ends.
pub(super) fn paragraphs(text: &str) -> Result<String, ValueError> {
    match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Some(control) => Err(ValueError::Control(control)),
        None => Ok(text.trim().to_owned()),
    }
}

/// Checks the name of a user's group or of a service; `what` says which.
pub(super) fn account(text: &str, what: &'static str) -> Result<String, ValueError> {
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins_well && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
        Ok(text.to_owned())
    } else {
        Err(ValueError::Account(text.to_owned(), what))
    }
}

/// Reads the number that a release begins with.
pub(super) fn build_number(release: &str) -> Result<u64, ValueError> {
    let digits = release.find(|c: char| !c.is_ascii_digit()).map_or(release, |end| &release[..end]);
    digits.parse().map_err(|_| ValueError::BuildNumber(release.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_numbers() {
        for (release, number) in [("57", 57), ("57.gabc", 57), ("0.rc1", 0), ("20260101123456", 20_260_101_123_456)] {
            assert_eq!(build_number(release).unwrap(), number);
        }
        for bad in ["", "rc1", ".5", "99999999999999999999999"] {
            assert!(build_number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn texts() {
        assert_eq!(line(" a "), Ok("a".to_owned()));
        assert_eq!(line("a\nb"), Err(ValueError::Control('\n')));
        assert_eq!(paragraphs("a\n\n\tb\n"), Ok("a\n\n\tb".to_owned()));
        assert_eq!(paragraphs("a\0"), Err(ValueError::Control('\0')));
        assert!(account("tomcat10", "group").is_ok());
        for bad in ["", "10", "a/b", "..", "a b"] {
            assert!(account(bad, "group").is_err(), "{bad}");
        }
    }
}
