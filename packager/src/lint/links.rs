//! Symbolic links that lead out of the package.

use super::subject::SubjectKind;
use super::{Finding, Lint, Subject};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let links = subject.files.iter().filter_map(|file| match file.kind {
        SubjectKind::Symlink(target) if !target.is_empty() => Some((file.path, target)),
        _ => None,
    });
    let out = links.filter(|(path, target)| match resolve(path, target) {
        None => true,
        Some(resolved) => target.starts_with('/') && !is_inside(subject, &resolved),
    });
    out.map(|(path, target)| Finding::new(Lint::SymlinkOut, format!("`{path}` → `{target}`"))).collect()
}

/// Whether the package has the path, or a directory above it.
fn is_inside(subject: &Subject<'_>, path: &str) -> bool {
    let mut path = path;
    loop {
        if subject.file(path).is_some() {
            return true;
        }
        match path.rsplit_once('/') {
            Some((parent, _)) if !parent.is_empty() => path = parent,
            _ => return false,
        }
    }
}

/// Where a link leads, by its text alone; none where it leads above the root.
pub(crate) fn resolve(link: &str, target: &str) -> Option<String> {
    let directory = link.rsplit_once('/').map_or("", |(directory, _)| directory);
    let beginning = if target.starts_with('/') { "" } else { directory };
    let mut parts: Vec<&str> = Vec::new();
    for part in beginning.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves() {
        for (link, target, expected) in [
            ("/a/b/c", "d", Some("/a/b/d")),
            ("/a/b/c", "../d/./e/", Some("/a/d/e")),
            ("/a/b", "/x/../y", Some("/y")),
            ("/a/b", "../../x", None),
            ("/a", ".", Some("/")),
        ] {
            assert_eq!(resolve(link, target).as_deref(), expected, "{link} {target}");
        }
    }
}
