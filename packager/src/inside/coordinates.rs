//! What a jar is: by its pom.properties, else by its manifest, else by its file's name.

use super::java_properties::{is_coordinate, is_version};
use super::{PomProperties, manifest};

/// A component of Maven's world, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coordinates {
    /// The group, such as `org.apache.commons`.
    pub group: Option<String>,
    /// The artifact, such as `commons-lang3`.
    pub artifact: String,
    /// The version as its makers write it.
    pub version: Option<String>,
}

/// What a jar is, and what else its makers put into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) own: Coordinates,
    pub(super) shaded: Vec<Coordinates>,
}

impl From<&PomProperties> for Coordinates {
    fn from(pom: &PomProperties) -> Self {
        Self { group: Some(pom.group.clone()), artifact: pom.artifact.clone(), version: Some(pom.version.clone()) }
    }
}

impl Identity {
    /// Tells what a jar is.
    ///
    /// Of several pom.properties the one is the jar's own whose artifact its file is named after; the others are of jars
    /// that were unpacked into it ("shaded").
    pub(super) fn of(file_name: &str, poms: &[PomProperties], manifest: Option<&str>) -> Self {
        let stem = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
        let own = own_pom(stem, poms);
        let mut shaded: Vec<_> =
            poms.iter().enumerate().filter(|(index, _)| Some(*index) != own).map(|(_, pom)| pom.into()).collect();
        shaded.sort();
        shaded.dedup();
        let own = own.map_or_else(|| without_pom(stem, manifest.unwrap_or_default()), |index| (&poms[index]).into());
        Self { own, shaded }
    }
}

fn own_pom(stem: &str, poms: &[PomProperties]) -> Option<usize> {
    let names = |pom: &PomProperties| match stem.strip_prefix(&pom.artifact) {
        Some(rest) => rest.is_empty() || rest.starts_with(['-', '_', '.']),
        None => false,
    };
    let named = poms.iter().enumerate().filter(|(_, pom)| names(pom)).max_by_key(|(_, pom)| pom.artifact.len());
    match (named, poms) {
        (Some((index, _)), _) => Some(index),
        (None, [only]) => match name_and_version(stem) {
            (_, Some(version)) => (version == only.version).then_some(0),
            (_, None) => Some(0),
        },
        (None, _) => None,
    }
}

/// The group is known where the manifest says it in Maven's way; the artifact and the version are those of the name.
fn without_pom(stem: &str, text: &str) -> Coordinates {
    let (name, version) = name_and_version(stem);
    let attribute = |key| manifest::attribute(text, key);
    let said = attribute("Implementation-Version").or_else(|| attribute("Bundle-Version"));
    let said = said.filter(|version| is_version(version));
    let group = attribute("Implementation-Vendor-Id").filter(|group| is_coordinate(group) && group.contains('.'));
    let known = version.is_some() && is_coordinate(name);
    Coordinates {
        group: group.filter(|_| known),
        artifact: name.to_owned(),
        version: version.map(str::to_owned).or(said),
    }
}

/// Cuts `spring-core-6.1.1` into name and version, at the first `-` that a digit follows.
fn name_and_version(stem: &str) -> (&str, Option<&str>) {
    let begins = |(index, _): &(usize, &str)| {
        *index > 0 && stem.as_bytes().get(index + 1).is_some_and(u8::is_ascii_digit) && is_version(&stem[index + 1..])
    };
    match stem.match_indices('-').find(begins) {
        Some((index, _)) => (&stem[..index], Some(&stem[index + 1..])),
        None => (stem, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pom(artifact: &str, version: &str) -> PomProperties {
        PomProperties { group: "g".to_owned(), artifact: artifact.to_owned(), version: version.to_owned() }
    }

    fn identify(file_name: &str, poms: &[PomProperties], manifest: &str) -> (String, Vec<String>) {
        let text = |c: &Coordinates| {
            format!("{}:{}:{}", c.group.as_deref().unwrap_or("?"), c.artifact, c.version.as_deref().unwrap_or("?"))
        };
        let identity = Identity::of(file_name, poms, Some(manifest));
        (text(&identity.own), identity.shaded.iter().map(text).collect())
    }

    #[test]
    fn identifies() {
        let none: &[&str] = &[];
        for (file_name, poms, manifest, own, shaded) in [
            ("a-1.0.jar", vec![pom("a", "1.0")], "", "g:a:1.0", none),
            ("a.jar", vec![pom("a", "1.0")], "", "g:a:1.0", none),
            ("core-1.0.jar", vec![pom("shop-core", "1.0")], "", "g:shop-core:1.0", none),
            ("fat-1.0.jar", vec![pom("guava", "33")], "", "?:fat:1.0", &["g:guava:33"]),
            (
                "a-b-1.0.jar",
                vec![pom("a", "2"), pom("a-b", "1.0"), pom("c", "3")],
                "",
                "g:a-b:1.0",
                &["g:a:2", "g:c:3"],
            ),
            ("a-b-1.0.jar", vec![pom("x", "2"), pom("x", "2"), pom("c", "3")], "", "?:a-b:1.0", &["g:c:3", "g:x:2"]),
            ("ab-1.0.jar", vec![pom("a", "2"), pom("c", "3")], "", "?:ab:1.0", &["g:a:2", "g:c:3"]),
            ("spring-core-6.1.1.jar", vec![], "Implementation-Version: 6.1.1", "?:spring-core:6.1.1", none),
            ("x-1.0.jar", vec![], "Implementation-Vendor-Id: org.x\nImplementation-Version: 9", "org.x:x:1.0", none),
            ("x.jar", vec![], "Implementation-Vendor-Id: org.x\nBundle-Version: 9", "?:x:9", none),
            ("log4j-1.2-api-2.20.0.jar", vec![], "", "?:log4j:1.2-api-2.20.0", none),
            ("ünïcode.jar", vec![], "", "?:ünïcode:?", none),
            ("-1.jar", vec![], "", "?:-1:?", none),
            (".jar", vec![], "", "?::?", none),
        ] {
            let (found, inside) = identify(file_name, &poms, manifest);
            assert_eq!(
                (found.as_str(), inside),
                (own, shaded.iter().map(|s| (*s).to_owned()).collect()),
                "{file_name}"
            );
        }
    }
}
