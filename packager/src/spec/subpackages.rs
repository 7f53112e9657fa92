//! Resolves `[[packages]]`: further packages of one spec.

use super::located::Located;
use super::raw_spec::RawSpec;
use super::{SpecError, SpecFile, ValueError};

/// Gives a further package's keys together with those that it inherits.
pub(super) fn inherit(file: &SpecFile, located: &Located<RawSpec>) -> Result<RawSpec, SpecError> {
    let mut raw = located.value().clone();
    for (key, is_present) in [("packages", !raw.packages.is_empty()), ("environments", !raw.environments.is_empty())] {
        if is_present {
            let location = file.location_within(located.span(), key);
            return Err(SpecError::Value { location, key: "packages", reason: ValueError::Nested(key) });
        }
    }
    let parent = &file.raw;
    let texts = [
        (&mut raw.license, &parent.license),
        (&mut raw.url, &parent.url),
        (&mut raw.vendor, &parent.vendor),
        (&mut raw.group, &parent.group),
        (&mut raw.packager, &parent.packager),
        (&mut raw.bug_url, &parent.bug_url),
        (&mut raw.arch, &parent.arch),
        (&mut raw.prerelease, &parent.prerelease),
        (&mut raw.release, &parent.release),
        (&mut raw.target, &parent.target),
        (&mut raw.compression, &parent.compression),
    ];
    for (own, inherited) in texts {
        if own.is_none() {
            own.clone_from(inherited);
        }
    }
    raw.epoch = raw.epoch.or(parent.epoch);
    raw.sbom = raw.sbom.or(parent.sbom);
    raw.lint = raw.lint.or_else(|| parent.lint.clone());
    raw.version = raw.version.or_else(|| parent.version.clone());
    raw.notes = raw.notes.or_else(|| parent.notes.clone());
    if raw.changelog.is_empty() {
        raw.changelog.clone_from(&parent.changelog);
    }
    Ok(raw)
}
