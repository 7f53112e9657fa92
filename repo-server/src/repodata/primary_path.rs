//! The files that primary lists.

use std::sync::LazyLock;

use memchr::memmem::Finder;

static BIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("bin/"));

/// Tells whether primary lists a file: what other packages usually require by path.
pub(super) fn is_primary_path(path: &str) -> bool {
    path.starts_with("/etc/") || BIN.find(path.as_bytes()).is_some() || path == "/usr/lib/sendmail"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primary_lists_what_is_required_by_path() {
        for path in ["/etc/motd", "/usr/bin/x", "/opt/a/sbin/y", "/usr/lib/sendmail", "/usr/share/cabin/z"] {
            assert!(is_primary_path(path), "{path}");
        }
        for path in ["/usr/share/doc", "/usr/lib/sendmail.d", "/bin", "/opt/etc/x"] {
            assert!(!is_primary_path(path), "{path}");
        }
    }
}
