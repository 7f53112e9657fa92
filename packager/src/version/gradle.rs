//! The version in a gradle.properties.

use std::path::Path;

use super::VersionError;
use crate::inside::java_properties;

/// Larger ones are none that a person wrote.
const SIZE_LIMIT: u64 = 1 << 20;

/// Reads the property `version`.
pub(super) fn version(file: &Path) -> Result<String, VersionError> {
    let text = super::pom::read_text(file, SIZE_LIMIT)?;
    let version = java_properties::get(&text, "version").filter(|version| !version.is_empty());
    version.ok_or_else(|| VersionError::NotInFile(file.to_owned()))
}
