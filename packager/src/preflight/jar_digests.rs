//! The digests of a package's jars, as the SBOM in the package has them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rpm_header::PackageHeader;
use serde::Deserialize;

use super::{JarChange, Preflight};
use crate::rpm_file::{PayloadError, Wanted, read_file};

/// A longer SBOM is not looked at.
const LIMIT: u64 = 64 << 20;
/// How deep components are nested: a WAR, its jars, what was unpacked into them.
const DEPTH: usize = 4;

/// The sha1 of every jar of a package, by component (`group:artifact`, or a name alone) and version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JarDigests(BTreeMap<(String, String), BTreeSet<String>>);

/// A part of a CycloneDX SBOM, as far as it matters here.
#[derive(Deserialize)]
struct Component {
    group: Option<String>,
    #[serde(default)]
    name: String,
    version: Option<String>,
    #[serde(default)]
    hashes: Vec<Hash>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Deserialize)]
struct Bom {
    #[serde(default)]
    components: Vec<Component>,
}

impl JarDigests {
    /// Whether the payloads need to be looked into: both packages have an SBOM, and not the same.
    #[must_use]
    pub fn may_differ(old: &PackageHeader, new: &PackageHeader) -> bool {
        let digest = |header: &PackageHeader| {
            let path = sbom_path(header);
            header.files.iter().find(|file| file.path == path).map(|file| file.digest.clone())
        };
        matches!((digest(old), digest(new)), (Some(old), Some(new)) if old.is_empty() || old != new)
    }

    /// Reads the SBOM out of a package that `pkg` built; there is nothing to read in any other.
    ///
    /// # Errors
    /// [`PayloadError`] where the payload can't be read as far as the SBOM.
    pub fn read(package: &Path, header: &PackageHeader) -> Result<Self, PayloadError> {
        let path = sbom_path(header);
        // It comes after the WAR, as a rule.
        let wanted = Wanted { path: &path, size_limit: LIMIT, archive_limit: u64::MAX };
        let sbom = read_file(package, header, wanted)?;
        Ok(sbom.map(|sbom| Self::parse(&sbom)).unwrap_or_default())
    }

    fn parse(sbom: &[u8]) -> Self {
        let mut digests = Self::default();
        if let Ok(bom) = serde_json::from_slice::<Bom>(sbom) {
            digests.add(&bom.components, DEPTH);
        }
        digests
    }

    fn add(&mut self, components: &[Component], depth: usize) {
        for Component { group, name, version, hashes, components } in components {
            let sha1 = hashes.iter().find(|hash| hash.alg == "SHA-1");
            if let (Some(sha1), Some(version)) = (sha1, version) {
                let component = group.as_ref().map_or_else(|| name.clone(), |group| format!("{group}:{name}"));
                self.0.entry((component, version.clone())).or_default().insert(sha1.content.clone());
            }
            if depth > 0 {
                self.add(components, depth - 1);
            }
        }
    }
}

impl Preflight {
    /// Adds the jars that are others under the same version, which the headers don't tell.
    pub fn add_changed_jars(&mut self, old: &JarDigests, new: &JarDigests) {
        for (key @ (component, version), before) in &old.0 {
            if new.0.get(key).is_some_and(|after| after != before) {
                let versions = vec![version.clone()];
                let (before, after) = (versions.clone(), versions);
                self.jars.push(JarChange { component: component.clone(), before, after, other_bytes: true });
            }
        }
        self.jars.sort_by(|left, right| left.component.cmp(&right.component));
    }
}

/// Where `pkg build` puts the SBOM.
fn sbom_path(header: &PackageHeader) -> String {
    format!("/usr/share/{}/sbom.cdx.json", header.nevra.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_nested_components() {
        let sbom = br#"{"components": [
            {"type": "file", "name": "/usr/share/shop/shop.war", "hashes": [{"alg": "SHA-256", "content": "0"}], "components": [
                {"group": "g", "name": "a", "version": "1", "hashes": [{"alg": "SHA-1", "content": "01"}],
                 "components": [{"group": "g", "name": "shaded", "version": "2"}]},
                {"name": "b", "hashes": [{"alg": "SHA-1", "content": "02"}]}]},
            {"name": "c", "version": "3", "hashes": [{"alg": "SHA-1", "content": "03"}]}]}"#;
        let digests: Vec<_> = JarDigests::parse(sbom).0.into_iter().collect();
        let one = |component: &str, version: &str, sha1: &str| {
            ((component.to_owned(), version.to_owned()), BTreeSet::from([sha1.to_owned()]))
        };
        assert_eq!(digests, [one("c", "3", "03"), one("g:a", "1", "01")]);
        assert_eq!(JarDigests::parse(b"{"), JarDigests::default());
    }
}
