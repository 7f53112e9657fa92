//! Whether a package sorts below what is there already.

use nevra::Nevra;

/// Says that a package sorts below one that is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{package}` sorts below `{newest}`, which is there already: dnf would take it for a downgrade")]
pub struct OrderError {
    /// The package.
    pub package: Nevra,
    /// The newest that is there.
    pub newest: Nevra,
}

/// Checks that a package does not sort below any of the same name; the same version and release may be built again.
///
/// # Errors
/// [`OrderError`] with the newest package that is there.
pub fn not_below(package: &Nevra, there: &[Nevra]) -> Result<(), OrderError> {
    let same = there.iter().filter(|other| other.name == package.name);
    let newest = same.max_by(|left, right| left.evr.cmp(&right.evr));
    match newest {
        Some(newest) if package.evr.compare(&newest.evr).is_lt() => {
            Err(OrderError { package: package.clone(), newest: newest.clone() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders() {
        let nevra = |text: &str| text.parse::<Nevra>().unwrap();
        let there: Vec<_> = ["shop-1.4.0-57.noarch", "shop-1.10.0-60.noarch", "other-9-1.noarch"].map(nevra).into();
        for (package, newest) in [
            ("shop-1.10.0-60.noarch", None),
            ("shop-1.10.0-61.noarch", None),
            ("shop-2.0~rc1-1.noarch", None),
            ("new-0.1-1.noarch", None),
            ("shop-1.10.0-59.noarch", Some("shop-1.10.0-60.noarch")),
            ("shop-1.10.0~rc1-99.noarch", Some("shop-1.10.0-60.noarch")),
        ] {
            let error = not_below(&nevra(package), &there).err();
            assert_eq!(error.map(|error| error.newest), newest.map(nevra), "{package}");
        }
    }
}
