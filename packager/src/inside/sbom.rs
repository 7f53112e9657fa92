//! The software bill of materials: CycloneDX 1.5 in JSON (<https://cyclonedx.org/docs/1.5/json/>).
//!
//! The same package always gives the same bytes: no serial number, and the date of the sources as its time.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::additions::Archives;
use super::provenance::iso_8601;
use super::{Coordinates, Jar, Provenance, WebArchive};
use crate::{About, SourceDate};

/// What stands as it is in a package URL (<https://github.com/package-url/purl-spec>).
const PURL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// Renders the SBOM of a package: its WARs and EARs, by their path on the host, with all of their jars, and the jars that
/// lie in directories.
pub(super) fn render(about: &About, date: SourceDate, provenance: &Provenance, archives: &Archives) -> String {
    let root = package_url(about);
    let Archives { holders, jars } = archives;
    let components = holders.iter().map(|(path, war)| web_application(path, war));
    let components: Vec<Value> = components.chain(jars.iter().map(|jar| library(jar.path.clone(), jar))).collect();
    let held: Vec<&String> = holders.iter().map(|(path, _)| path).chain(jars.iter().map(|jar| &jar.path)).collect();
    let mut dependencies = vec![json!({ "ref": root, "dependsOn": held })];
    dependencies.extend(holders.iter().map(|(path, war)| {
        json!({ "ref": path, "dependsOn": war.jars.iter().map(|jar| reference(path, jar)).collect::<Vec<_>>() })
    }));
    let bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": iso_8601(date),
            "tools": { "components": [
                { "type": "application", "name": "pkg", "version": env!("CARGO_PKG_VERSION") },
            ] },
            "component": package(about, &root, provenance),
        },
        "components": components,
        "dependencies": dependencies,
    });
    format!("{bom:#}\n")
}

fn package_url(about: &About) -> String {
    let nevra = &about.nevra;
    let encoded = |text: &str| utf8_percent_encode(text, PURL).to_string();
    let version = encoded(&format!("{}-{}", nevra.evr.version(), nevra.evr.release()));
    let epoch = match nevra.evr.epoch() {
        0 => String::new(),
        epoch => format!("&epoch={epoch}"),
    };
    format!("pkg:rpm/{}@{version}?arch={}{epoch}", encoded(nevra.name.as_str()), nevra.arch)
}

/// The RPM itself.
fn package(about: &About, root: &str, provenance: &Provenance) -> Value {
    let nevra = &about.nevra;
    let mut component = Map::new();
    component.insert("type".to_owned(), json!("application"));
    component.insert("bom-ref".to_owned(), json!(root));
    component.insert("name".to_owned(), json!(nevra.name.as_str()));
    component.insert("version".to_owned(), json!(nevra.evr.to_string()));
    component.insert("description".to_owned(), json!(about.summary));
    component.insert("licenses".to_owned(), json!([{ "license": { "name": about.license } }]));
    component.insert("purl".to_owned(), json!(root));
    let vcs = provenance.vcs();
    let links = [("website", &about.url), ("vcs", &vcs), ("build-meta", &provenance.build_url)];
    let links: Vec<_> =
        links.iter().filter_map(|(kind, url)| Some(json!({ "type": kind, "url": url.as_ref()? }))).collect();
    if !links.is_empty() {
        component.insert("externalReferences".to_owned(), json!(links));
    }
    Value::Object(component)
}

fn web_application(path: &str, war: &WebArchive) -> Value {
    json!({
        "type": "file",
        "bom-ref": path,
        "name": path,
        "hashes": [{ "alg": "SHA-256", "content": war.sha256 }],
        "components": war.jars.iter().map(|jar| library(reference(path, jar), jar)).collect::<Vec<_>>(),
    })
}

fn reference(war: &str, jar: &Jar) -> String {
    format!("{war}!/{}", jar.path)
}

fn library(reference: String, jar: &Jar) -> Value {
    let mut component = described(&jar.coordinates, &reference);
    if let Some(sha1) = &jar.sha1 {
        component.insert("hashes".to_owned(), json!([{ "alg": "SHA-1", "content": sha1 }]));
    }
    let mut properties = vec![json!({ "name": "pkg:path", "value": jar.path })];
    if let Some(problem) = &jar.problem {
        properties.push(json!({ "name": "pkg:problem", "value": problem.to_string() }));
    }
    component.insert("properties".to_owned(), json!(properties));
    if !jar.shaded.is_empty() {
        let shaded = jar.shaded.iter().enumerate();
        let shaded = shaded.map(|(index, inner)| Value::Object(described(inner, &format!("{reference}#{index}"))));
        component.insert("components".to_owned(), shaded.collect());
    }
    Value::Object(component)
}

fn described(coordinates: &Coordinates, reference: &str) -> Map<String, Value> {
    let Coordinates { group, artifact, version } = coordinates;
    let mut component = Map::new();
    component.insert("type".to_owned(), json!("library"));
    component.insert("bom-ref".to_owned(), json!(reference));
    component.extend(group.iter().map(|group| ("group".to_owned(), json!(group))));
    component.insert("name".to_owned(), json!(artifact));
    component.extend(version.iter().map(|version| ("version".to_owned(), json!(version))));
    if let (Some(group), Some(version)) = (group, version) {
        let encoded = |text: &str| utf8_percent_encode(text, PURL).to_string();
        let (group, artifact, version) = (encoded(group), encoded(artifact), encoded(version));
        component.insert("purl".to_owned(), json!(format!("pkg:maven/{group}/{artifact}@{version}?type=jar")));
    }
    component
}
