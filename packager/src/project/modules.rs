//! A project of several modules: the one whose build makes the WAR.

use std::path::{Path, PathBuf};

use super::ProjectError;
use super::maven::Maven;

/// How deep modules lie, and how many directories are looked at.
const DEPTH: usize = 3;
const LIMIT: usize = 2_000;
/// Directories that hold no modules.
const OTHERS: [&str; 5] = ["src", "target", "build", "node_modules", "buildSrc"];
const GRADLE: [&str; 2] = ["build.gradle", "build.gradle.kts"];

/// Finds the module that makes the WAR, relative to the directory; none where the directory's own build makes it, or
/// nothing does.
pub(super) fn web_module(directory: &Path) -> Result<Option<PathBuf>, ProjectError> {
    if makes_war(directory) || !has_modules(directory) {
        return Ok(None);
    }
    let is_module = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.file_type().is_dir() && !name.starts_with('.') && !OTHERS.contains(&name.as_ref())
    };
    let directories = walkdir::WalkDir::new(directory).min_depth(1).max_depth(DEPTH).sort_by_file_name().into_iter();
    let directories = directories.filter_entry(is_module).filter_map(Result::ok).take(LIMIT);
    let mut found: Vec<PathBuf> = directories
        .filter(|entry| makes_war(entry.path()))
        .filter_map(|entry| Some(entry.path().strip_prefix(directory).ok()?.to_owned()))
        .collect();
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(ProjectError::SeveralModules(directory.to_owned(), found)),
    }
}

fn has_modules(directory: &Path) -> bool {
    let settings = ["settings.gradle", "settings.gradle.kts"].iter().any(|name| directory.join(name).is_file());
    settings || maven(directory).is_some_and(|maven| maven.packaging.as_deref() == Some("pom"))
}

/// Whether the build of a directory makes a WAR.
fn makes_war(directory: &Path) -> bool {
    let is_war = |maven: Maven| maven.packaging.as_deref() == Some("war");
    maven(directory).is_some_and(is_war) || GRADLE.iter().any(|name| applies_war(&directory.join(name)))
}

fn maven(directory: &Path) -> Option<Maven> {
    fs_err::read_to_string(directory.join("pom.xml")).ok().map(|text| Maven::read(&text))
}

/// Whether a build.gradle applies the plugin `war`: `id 'war'`, `id("war")`, `apply plugin: 'war'`, or Kotlin's `war` in
/// a line or block of its own.
fn applies_war(file: &Path) -> bool {
    let Ok(text) = fs_err::read_to_string(file) else { return false };
    let line_applies = |line: &str| {
        let line = line.split_once("//").map_or(line, |(code, _)| code);
        let names_plugin = line.contains("id") || line.contains("plugin");
        let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || "{};`".contains(c)).collect();
        let is_quoted = line.contains("'war'") || line.contains("\"war\"");
        let is_bare = words.contains(&"war") && (words.contains(&"plugins") || line.trim().trim_matches('`') == "war");
        is_quoted && names_plugin || is_bare
    };
    text.lines().any(line_applies)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(files: &[(&str, &str)]) -> Result<Option<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        let module = web_module(directory.path()).map_err(|error| error.to_string())?;
        Ok(module.map(|path| path.display().to_string()))
    }

    #[test]
    fn finds_the_one_that_makes_the_war() {
        let parent = ("pom.xml", "<project><packaging>pom</packaging></project>");
        let war = "<project><packaging>war</packaging></project>";
        let jar = ("core/pom.xml", "<project/>");
        let web = Some("web".to_owned());
        assert_eq!(module(&[parent, jar, ("web/pom.xml", war)]), Ok(web.clone()));
        assert_eq!(
            module(&[parent, ("apps/web/pom.xml", war), ("web/target/x/pom.xml", war)]),
            Ok(Some("apps/web".into()))
        );
        assert_eq!(module(&[parent, jar]), Ok(None));
        assert_eq!(module(&[("pom.xml", war), ("web/pom.xml", war)]), Ok(None));
        let several = module(&[parent, ("a/pom.xml", war), ("b/pom.xml", war)]).unwrap_err();
        assert!(several.ends_with("makes several web applications, in `a`, `b`"), "{several}");
        for (text, expected) in [
            ("plugins { id 'war' }", true),
            ("plugins {\n  id(\"war\")\n}", true),
            ("apply plugin: 'war'", true),
            ("plugins { war }", true),
            ("plugins {\n    `java`\n    war\n}", true),
            ("plugins { id 'java' } // war", false),
            ("tasks.named(\"war\") {}", false),
            ("war { archiveBaseName = 'x' }", false),
        ] {
            let found = module(&[("settings.gradle", "include 'web'"), ("web/build.gradle", text)]).unwrap();
            assert_eq!(found.is_some(), expected, "{text}");
        }
    }
}
