//! One entry of `requires`.

use std::fmt;
use std::str::FromStr;

use nevra::Evr;
use rpm_header::Dependency;

use super::ValueError;

/// A capability that must be installed: `name`, or `name >= [epoch:]version[-release]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The capability's name.
    pub name: String,
    /// The comparison and the version as written, where there is one.
    pub version: Option<(Comparison, String)>,
}

/// How a version is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl FromStr for Requirement {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ValueError::Requirement(text.to_owned());
        let (name, version) = match text.split_whitespace().collect::<Vec<_>>().as_slice() {
            [name] => (*name, None),
            [name, comparison, version] => {
                let comparison = Comparison::read(comparison).ok_or_else(refused)?;
                if !is_version(version) {
                    return Err(refused());
                }
                (*name, Some((comparison, (*version).to_owned())))
            }
            _ => return Err(refused()),
        };
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphanumeric() || "/_".contains(c));
        let fits = |c: char| c.is_ascii_alphanumeric() || "._+-/():~^".contains(c);
        if !begins_well || !name.chars().all(fits) || name.starts_with("rpmlib(") {
            return Err(refused());
        }
        Ok(Self { name: name.to_owned(), version })
    }
}

/// Tells whether a text is `[epoch:]version[-release]`.
fn is_version(text: &str) -> bool {
    text.parse::<Evr>().is_ok() || format!("{text}-1").parse::<Evr>().is_ok()
}

impl Comparison {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            "=" => Self::Equal,
            ">=" => Self::GreaterOrEqual,
            ">" => Self::Greater,
            _ => return None,
        })
    }
}

impl From<&Requirement> for Dependency {
    fn from(requirement: &Requirement) -> Self {
        let (flags, version) = match &requirement.version {
            None => (0, ""),
            Some((comparison, version)) => (comparison.flags(), version.as_str()),
        };
        Self { name: requirement.name.clone(), flags, version: version.to_owned() }
    }
}

impl Comparison {
    /// RPMSENSE flags (rpm's `include/rpm/rpmds.h`).
    fn flags(self) -> u32 {
        match self {
            Self::Less => Dependency::LESS,
            Self::LessOrEqual => Dependency::LESS | Dependency::EQUAL,
            Self::Equal => Dependency::EQUAL,
            Self::GreaterOrEqual => Dependency::GREATER | Dependency::EQUAL,
            Self::Greater => Dependency::GREATER,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        let requirement: Requirement = "java-headless >= 1:17".parse().unwrap();
        assert_eq!(requirement.name, "java-headless");
        assert_eq!(requirement.version, Some((Comparison::GreaterOrEqual, "1:17".to_owned())));
        for good in ["tomcat", "/bin/sh", "perl(Foo::Bar)", "a = 1.0-2", "libx.so.1()(64bit)"] {
            assert!(good.parse::<Requirement>().is_ok(), "{good}");
        }
    }

    #[test]
    fn refuses() {
        for bad in
            ["", "a b", "a >= ", "a => 1", "a >= 1-2-3", "a >= 1 b", "-a", "(a or b)", "a,b", "rpmlib(X)", "a >= -"]
        {
            assert!(bad.parse::<Requirement>().is_err(), "{bad}");
        }
    }
}
