//! Which paths of a tree are taken.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::spec::ValueError;

/// Chooses paths by patterns. A pattern without `/` matches names at any depth, others the path from the tree's top;
/// what lies below a directory that matches matches too.
#[derive(Debug, Clone, Default)]
pub struct PathFilter {
    include: Option<GlobSet>,
    /// What the whole path has to match, where there is such a pattern.
    only: Option<GlobSet>,
    exclude: GlobSet,
}

impl PathFilter {
    /// Takes what matches one of `include` (everything where there is none) and none of `exclude`.
    pub(crate) fn new(include: Vec<Glob>, exclude: Vec<Glob>) -> Self {
        Self { include: (!include.is_empty()).then(|| set(include)), only: None, exclude: set(exclude) }
    }

    /// Takes of that only what matches a pattern as a whole.
    pub(crate) fn only(&self, pattern: &str) -> Result<Self, ValueError> {
        let refused = |_| ValueError::Pattern(pattern.to_owned());
        let pattern = GlobBuilder::new(pattern).literal_separator(true).build().map_err(refused)?;
        Ok(Self { only: Some(set(vec![pattern])), ..self.clone() })
    }

    /// Reads a pattern: `*` and `?` within a name, `**` across directories, `[abc]`, `{a,b}`.
    pub(crate) fn pattern(text: &str) -> Result<Glob, ValueError> {
        let refused = || ValueError::Pattern(text.to_owned());
        if text.starts_with('/') || text.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(refused());
        }
        let text = text.trim_end_matches('/');
        let anywhere = if text.contains('/') { text.to_owned() } else { format!("**/{text}") };
        GlobBuilder::new(&anywhere).literal_separator(true).build().map_err(|_| refused())
    }

    /// Tells whether a path, relative to the tree's top, is taken.
    pub(crate) fn takes(&self, path: &str) -> bool {
        !matches_upwards(&self.exclude, path)
            && self.include.as_ref().is_none_or(|include| matches_upwards(include, path))
            && self.only.as_ref().is_none_or(|only| only.is_match(path))
    }

    /// Tells whether a path and everything below it is left out.
    pub(crate) fn leaves_out(&self, path: &str) -> bool {
        self.exclude.is_match(path)
    }

    /// Whether only a part of the tree is asked for by name, so that its top is not.
    pub(crate) fn is_partial(&self) -> bool {
        self.include.is_some()
    }
}

/// Patterns that were each built are a set.
fn set(patterns: Vec<Glob>) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(pattern);
    }
    builder.build().unwrap_or_default()
}

fn matches_upwards(set: &GlobSet, path: &str) -> bool {
    let parents = path.match_indices('/').map(|(index, _)| &path[..index]);
    !set.is_empty() && (set.is_match(path) || parents.into_iter().any(|parent| set.is_match(parent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> PathFilter {
        let patterns = |texts: &[&str]| texts.iter().map(|text| PathFilter::pattern(text).unwrap()).collect();
        PathFilter::new(patterns(include), patterns(exclude))
    }

    #[test]
    fn takes() {
        let all = filter(&[], &[]);
        assert!(all.takes("a/b"));
        let some = filter(&[], &["*.bak", "webapps/examples", "logs/**"]);
        for (path, expected) in [
            ("a.bak", false),
            ("x/y.bak", false),
            ("webapps/examples/index.html", false),
            ("a/webapps/examples/index.html", true),
            ("logs", true),
            ("logs/a/b", false),
            ("bak", true),
        ] {
            assert_eq!(some.takes(path), expected, "{path}");
        }
        let conf = filter(&["conf"], &["*.xsd"]);
        assert!(conf.takes("conf") && conf.takes("conf/server.xml"));
        assert!(!conf.takes("bin/x") && !conf.takes("conf/a.xsd"));
    }

    #[test]
    fn refuses() {
        for bad in ["/a", "../a", "a/../b", "[a", "{a", "./a"] {
            assert!(PathFilter::pattern(bad).is_err(), "{bad}");
        }
    }
}
