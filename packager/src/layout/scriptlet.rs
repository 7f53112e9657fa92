//! The scriptlets of a package: one, and it restarts nothing.

/// The shell scripts that rpm runs around a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scriptlet {
    /// `%postun`, run by `/bin/sh` after the package's files are gone.
    pub postun: String,
}

impl Scriptlet {
    /// Removes what Tomcat unpacked, when the package is erased (`$1` is 0) and not when it is upgraded or downgraded.
    ///
    /// `META-INF/war-tracker` is in every directory that Tomcat unpacked itself (its `ExpandWar`), and in no other.
    pub(super) fn removing(unpacked: &str) -> Self {
        let postun = format!(
            "if [ \"$1\" -eq 0 ] && [ -e '{unpacked}/META-INF/war-tracker' ]; then\n    rm -rf '{unpacked}'\nfi"
        );
        Self { postun }
    }
}
