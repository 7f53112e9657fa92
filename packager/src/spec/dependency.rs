//! One entry of `requires`, `provides` and their like.

use nevra::Evr;
use rpm_header::Dependency;

use super::{ValueError, rich_dependency};

/// Reads what may be asked for: `name`, `name >= [epoch:]version[-release]`, or a rich dependency in parentheses.
pub(super) fn capability(text: &str) -> Result<Dependency, ValueError> {
    if text.starts_with('(') {
        let name = rich_dependency::normal_form(text).ok_or_else(|| ValueError::RichDependency(text.to_owned()))?;
        return Ok(Dependency { name, flags: 0, version: String::new() });
    }
    package(text)
}

/// Reads what packages may be named by: as [`capability`], but not rich.
pub(super) fn package(text: &str) -> Result<Dependency, ValueError> {
    let words: Vec<_> = text.split_whitespace().collect();
    simple(&words).ok_or_else(|| ValueError::Requirement(text.to_owned()))
}

/// Reads what a package gives: `name`, or `name = [epoch:]version[-release]`.
pub(super) fn provision(text: &str) -> Result<Dependency, ValueError> {
    match package(text) {
        Ok(dependency) if matches!(dependency.flags, 0 | Dependency::EQUAL) => Ok(dependency),
        _ => Err(ValueError::Provision(text.to_owned())),
    }
}

/// Reads `[epoch:]version[-release]`.
pub(super) fn version(text: &str) -> Result<String, ValueError> {
    if is_version(text) { Ok(text.to_owned()) } else { Err(ValueError::Version(text.to_owned())) }
}

/// Reads the beginning of a path, for file triggers.
pub(super) fn path_prefix(text: &str) -> Result<Dependency, ValueError> {
    if text.starts_with('/') && !text.chars().any(char::is_control) {
        Ok(Dependency { name: text.to_owned(), flags: 0, version: String::new() })
    } else {
        Err(ValueError::PathPrefix(text.to_owned()))
    }
}

/// Reads one or three words.
pub(super) fn simple(words: &[&str]) -> Option<Dependency> {
    let (name, flags, version) = match words {
        [name] => (*name, 0, ""),
        [name, comparison, version] if is_version(version) => (*name, sense(comparison)?, *version),
        _ => return None,
    };
    is_name(name).then(|| Dependency { name: name.to_owned(), flags, version: version.to_owned() })
}

fn is_name(name: &str) -> bool {
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphanumeric() || "/_".contains(c));
    let fits = |c: char| c.is_ascii_alphanumeric() || "._+-/():~^@".contains(c);
    begins_well && name.chars().all(fits) && !name.starts_with("rpmlib(")
}

/// Tells whether a text is `[epoch:]version[-release]`.
fn is_version(text: &str) -> bool {
    text.parse::<Evr>().is_ok() || format!("{text}-1").parse::<Evr>().is_ok()
}

/// RPMSENSE flags of a comparison (rpm's `include/rpm/rpmds.h`).
fn sense(comparison: &str) -> Option<u32> {
    Some(match comparison {
        "<" => Dependency::LESS,
        "<=" => Dependency::LESS | Dependency::EQUAL,
        "=" => Dependency::EQUAL,
        ">=" => Dependency::GREATER | Dependency::EQUAL,
        ">" => Dependency::GREATER,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        for (text, flags, version) in [
            ("java-headless >= 1:17", Dependency::GREATER | Dependency::EQUAL, "1:17"),
            ("tomcat", 0, ""),
            ("/bin/sh", 0, ""),
            ("perl(Foo::Bar)", 0, ""),
            ("a = 1.0-2", Dependency::EQUAL, "1.0-2"),
            ("a  <  2~rc1", Dependency::LESS, "2~rc1"),
            ("libx.so.1()(64bit)", 0, ""),
        ] {
            let dependency = capability(text).unwrap();
            assert_eq!((dependency.flags, dependency.version.as_str()), (flags, version), "{text}");
            assert!(text.starts_with(&dependency.name));
        }
        assert_eq!(capability("( a  or  b )").unwrap().name, "(a or b)");
    }

    #[test]
    fn refuses() {
        for bad in
            ["", "a b", "a >= ", "a => 1", "a >= 1-2-3", "a >= 1 b", "-a", "a,b", "rpmlib(X)", "a >= -", "%{x}", "(a"]
        {
            assert!(capability(bad).is_err(), "{bad}");
        }
        for bad in ["a >= 1", "(a or b)", "a <= 1"] {
            assert!(provision(bad).is_err(), "{bad}");
        }
        assert!(provision("a = 1").is_ok());
        assert!(package("(a or b)").is_err());
        assert!(path_prefix("usr/share").is_err());
    }
}
