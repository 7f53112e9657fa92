//! The version in a gradle.properties, or written out in a build.gradle.

use std::path::Path;

use super::VersionError;
use crate::inside::java_properties;

/// Larger ones are none that a person wrote.
const SIZE_LIMIT: u64 = 1 << 20;

/// Where Gradle's projects say their version.
pub(crate) const FILES: [&str; 3] = ["gradle.properties", "build.gradle", "build.gradle.kts"];

/// Reads the property `version`, or of a build script what is assigned to `version` as a plain text.
pub(crate) fn version(file: &Path) -> Result<String, VersionError> {
    let text = super::pom::read_text(file, SIZE_LIMIT)?;
    let is_script = file.extension().is_some_and(|extension| extension == "gradle" || extension == "kts");
    let version = if is_script { assigned(&text) } else { java_properties::get(&text, "version") };
    let version = version.filter(|version| !version.is_empty());
    version.ok_or_else(|| VersionError::NotInFile(file.to_owned()))
}

/// Finds `version = '1.4.0'` at the top of a script, as Groovy and Kotlin write it; what is not in a block of its own and
/// not put together of parts.
fn assigned(script: &str) -> Option<String> {
    let mut depth = 0_i32;
    for line in script.lines() {
        let code = line.trim_start();
        let rest = code.strip_prefix("project.").unwrap_or(code).strip_prefix("version").map(str::trim_start);
        let quoted = rest.map(|rest| rest.strip_prefix('=').unwrap_or(rest).trim_start());
        let quote = quoted.and_then(|quoted| quoted.chars().next()).filter(|quote| "'\"".contains(*quote));
        if let (0, Some(quoted), Some(quote)) = (depth, quoted, quote) {
            let text = quoted[1..].split_once(quote).map(|(text, _)| text)?;
            return Some(text.to_owned()).filter(|text| !text.contains('$'));
        }
        let count = |bracket| i32::try_from(code.matches(bracket).count()).unwrap_or(i32::MAX);
        depth = depth.saturating_add(count('{')).saturating_sub(count('}'));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_written_out() {
        for (name, text, expected) in [
            ("gradle.properties", "a=1\nversion=1.4.0\n", Some("1.4.0")),
            ("gradle.properties", "version = '1'", Some("'1'")),
            ("build.gradle", "plugins { id 'war' version '8' }\nversion = '0.9'\n", Some("0.9")),
            ("build.gradle", "version '0.9' // ours", Some("0.9")),
            ("build.gradle", "project.version = \"0.9-SNAPSHOT\"", Some("0.9-SNAPSHOT")),
            ("build.gradle.kts", "group = \"a\"\nversion = \"0.9\"", Some("0.9")),
            ("build.gradle", "version = \"$major.1\"", None),
            ("build.gradle", "version = major + '.1'", None),
            ("build.gradle", "versions { \nversion = '1'\n}", None),
            ("build.gradle", "versionCatalog = '1'", None),
            ("build.gradle", "", None),
            ("build.gradle", "version = '", None),
        ] {
            let directory = tempfile::tempdir().unwrap();
            let file = directory.path().join(name);
            fs_err::write(&file, text).unwrap();
            assert_eq!(version(&file).ok().as_deref(), expected, "{text}");
        }
    }
}
