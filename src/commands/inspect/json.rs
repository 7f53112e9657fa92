//! The JSON of `pkg inspect --json`. Names are only ever added; times are seconds since 1970, sizes are bytes.

use std::collections::BTreeMap;

use rpm_header::{Dependency, FileEntry, FileKind, Signature};
use serde::Serialize;

use super::Inspected;
use super::digests::Digests;
use crate::commands::lint::{FindingJson, findings_json};

/// What is printed for a file.
#[derive(Debug, Serialize)]
pub(super) struct Inspection<'a> {
    file: String,
    /// Null where a server does not tell.
    file_size: Option<u64>,
    nevra: String,
    name: &'a str,
    epoch: u32,
    version: &'a str,
    release: &'a str,
    arch: &'a str,
    is_source: bool,
    summary: &'a str,
    description: &'a str,
    license: &'a str,
    vendor: Option<&'a str>,
    group: Option<&'a str>,
    url: Option<&'a str>,
    packager: Option<&'a str>,
    distribution: Option<&'a str>,
    dist_url: Option<&'a str>,
    vcs: Option<&'a str>,
    bug_url: Option<&'a str>,
    rpm_version: Option<&'a str>,
    build_host: Option<&'a str>,
    build_time: Option<u64>,
    source_rpm: Option<&'a str>,
    installed_size: u64,
    archive_size: u64,
    payload_compressor: Option<&'a str>,
    header_start: u64,
    header_end: u64,
    /// "ok", "wrong", or null where there is nothing to compare.
    digests: Digests,
    /// The package's build.properties, as Java reads it.
    provenance: BTreeMap<&'a str, &'a str>,
    signatures: Vec<SignatureJson>,
    configuration: Vec<&'a str>,
    jars: Vec<&'a str>,
    files: Vec<FileJson<'a>>,
    #[serde(flatten)]
    dependencies: DependenciesJson<'a>,
    scriptlets: Vec<ScriptletJson<'a>>,
    triggers: Vec<TriggerJson<'a>>,
    changelog: Vec<ChangelogJson<'a>>,
    /// With `--lint`.
    findings: Vec<FindingJson>,
}

/// A signature; all but `tag` is null where its packet could not be read.
#[derive(Debug, Serialize)]
struct SignatureJson {
    tag: &'static str,
    version: Option<u8>,
    algorithm: Option<&'static str>,
    hash: Option<&'static str>,
    key_id: Option<String>,
    fingerprint: Option<String>,
    created: Option<u32>,
}

#[derive(Debug, Serialize)]
struct FileJson<'a> {
    path: &'a str,
    /// `file`, `directory` or `ghost`.
    kind: &'static str,
    /// Type and permissions, octal, such as `0100644`.
    mode: String,
    user: &'a str,
    group: &'a str,
    size: u64,
    mtime: u32,
    digest: &'a str,
    link_target: &'a str,
    flags: Vec<&'static str>,
    capabilities: &'a str,
    language: &'a str,
}

#[derive(Debug, Serialize)]
struct DependenciesJson<'a> {
    provides: Vec<DependencyJson<'a>>,
    requires: Vec<DependencyJson<'a>>,
    conflicts: Vec<DependencyJson<'a>>,
    obsoletes: Vec<DependencyJson<'a>>,
    recommends: Vec<DependencyJson<'a>>,
    suggests: Vec<DependencyJson<'a>>,
    supplements: Vec<DependencyJson<'a>>,
    enhances: Vec<DependencyJson<'a>>,
    old_suggests: Vec<DependencyJson<'a>>,
    old_enhances: Vec<DependencyJson<'a>>,
}

#[derive(Debug, Serialize)]
struct DependencyJson<'a> {
    name: &'a str,
    /// `LT`, `LE`, `EQ`, `GE`, `GT` or null.
    comparison: Option<&'static str>,
    version: &'a str,
    /// rpm's RPMSENSE flags.
    flags: u32,
}

#[derive(Debug, Serialize)]
struct ScriptletJson<'a> {
    name: &'static str,
    interpreter: &'a [String],
    body: &'a str,
}

#[derive(Debug, Serialize)]
struct TriggerJson<'a> {
    name: &'static str,
    /// Packages, or path prefixes.
    watches: Vec<DependencyJson<'a>>,
    interpreter: &'a str,
    body: &'a str,
    /// Of file triggers.
    priority: Option<u64>,
}

#[derive(Debug, Serialize)]
struct ChangelogJson<'a> {
    author: &'a str,
    time: u64,
    text: &'a str,
}

impl<'a> Inspection<'a> {
    pub(super) fn of(inspected: &'a Inspected<'a>) -> Self {
        let header = &inspected.header;
        let (nevra, evr) = (&header.nevra, &header.nevra.evr);
        Self {
            file: inspected.source.to_string(),
            file_size: inspected.file_size,
            nevra: nevra.to_string(),
            name: nevra.name.as_str(),
            epoch: evr.epoch(),
            version: evr.version(),
            release: evr.release(),
            arch: nevra.arch.as_str(),
            is_source: header.is_source,
            summary: &header.summary,
            description: &header.description,
            license: &header.license,
            vendor: header.vendor.as_deref(),
            group: header.group.as_deref(),
            url: header.url.as_deref(),
            packager: header.packager.as_deref(),
            distribution: header.distribution.as_deref(),
            dist_url: header.dist_url.as_deref(),
            vcs: header.vcs.as_deref(),
            bug_url: header.bug_url.as_deref(),
            rpm_version: header.rpm_version.as_deref(),
            build_host: header.build_host.as_deref(),
            build_time: header.build_time,
            source_rpm: header.source_rpm.as_deref(),
            installed_size: header.installed_size,
            archive_size: header.archive_size,
            payload_compressor: header.payload_compressor.as_deref(),
            header_start: header.header_start,
            header_end: header.header_end,
            digests: inspected.digests,
            provenance: inspected.provenance.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            signatures: header.signatures.iter().map(SignatureJson::of).collect(),
            configuration: inspected.configuration().map(|file| file.path.as_str()).collect(),
            jars: inspected.jars().map(|file| file.path.as_str()).collect(),
            files: header.files.iter().map(FileJson::of).collect(),
            dependencies: DependenciesJson {
                provides: dependencies(&header.provides),
                requires: dependencies(&header.requires),
                conflicts: dependencies(&header.conflicts),
                obsoletes: dependencies(&header.obsoletes),
                recommends: dependencies(&header.recommends),
                suggests: dependencies(&header.suggests),
                supplements: dependencies(&header.supplements),
                enhances: dependencies(&header.enhances),
                old_suggests: dependencies(&header.old_suggests),
                old_enhances: dependencies(&header.old_enhances),
            },
            scriptlets: header.scriptlets.iter().map(ScriptletJson::of).collect(),
            triggers: header.triggers.iter().map(TriggerJson::of).collect(),
            changelog: header.changelog.iter().map(ChangelogJson::of).collect(),
            findings: findings_json(&inspected.verdict),
        }
    }
}

impl SignatureJson {
    fn of(signature: &Signature) -> Self {
        let info = signature.info();
        Self {
            tag: signature.tag,
            version: info.as_ref().map(|info| info.version),
            algorithm: info.as_ref().map(|info| info.algorithm),
            hash: info.as_ref().map(|info| info.hash),
            key_id: info.as_ref().and_then(|info| info.key_id.clone()),
            fingerprint: info.as_ref().and_then(|info| info.fingerprint.clone()),
            created: info.as_ref().and_then(|info| info.created),
        }
    }
}

impl<'a> FileJson<'a> {
    fn of(file: &'a FileEntry) -> Self {
        Self {
            path: &file.path,
            kind: match file.kind() {
                FileKind::File => "file",
                FileKind::Directory => "directory",
                FileKind::Ghost => "ghost",
            },
            mode: format!("{:07o}", file.mode),
            user: &file.user,
            group: &file.group,
            size: file.size,
            mtime: file.mtime,
            digest: &file.digest,
            link_target: &file.link_target,
            flags: file.flag_names().collect(),
            capabilities: &file.capabilities,
            language: &file.language,
        }
    }
}

impl<'a> DependencyJson<'a> {
    fn of(dependency: &'a Dependency) -> Self {
        let comparison = dependency.comparison();
        Self { name: &dependency.name, comparison, version: &dependency.version, flags: dependency.flags }
    }
}

impl<'a> ScriptletJson<'a> {
    fn of(scriptlet: &'a rpm_header::Scriptlet) -> Self {
        Self { name: scriptlet.name, interpreter: &scriptlet.interpreter, body: &scriptlet.body }
    }
}

impl<'a> TriggerJson<'a> {
    fn of(trigger: &'a rpm_header::Trigger) -> Self {
        Self {
            name: trigger.name,
            watches: dependencies(&trigger.watches),
            interpreter: &trigger.interpreter,
            body: &trigger.body,
            priority: trigger.priority,
        }
    }
}

impl<'a> ChangelogJson<'a> {
    fn of(entry: &'a rpm_header::ChangelogEntry) -> Self {
        Self { author: &entry.author, time: entry.time, text: &entry.text }
    }
}

fn dependencies(dependencies: &[Dependency]) -> Vec<DependencyJson<'_>> {
    dependencies.iter().map(DependencyJson::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::inspect::tests::{inspected, sample};

    #[test]
    fn shape_is_stable() {
        let source = "app.rpm".parse().unwrap();
        let json = serde_json::to_value(Inspection::of(&inspected(&source, sample()))).unwrap();
        let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            keys.join(" "),
            "arch archive_size bug_url build_host build_time changelog configuration conflicts description digests \
             dist_url distribution enhances epoch file file_size files findings group header_end header_start installed_size is_source jars \
             license name nevra obsoletes old_enhances old_suggests packager payload_compressor provenance provides \
             recommends release requires rpm_version scriptlets signatures source_rpm suggests summary supplements triggers url \
             vcs vendor version"
        );
        assert_eq!(json["nevra"], "app-1:1.4.0-57.noarch");
        assert_eq!(json["configuration"], serde_json::json!(["/etc/app/app.properties"]));
        assert_eq!(json["jars"], serde_json::json!(["/usr/share/app/app.WAR"]));
        assert_eq!(json["files"][0]["mode"], "0100640");
        assert_eq!(json["files"][0]["flags"], serde_json::json!(["config", "noreplace"]));
        let java = serde_json::json!({"name": "java", "comparison": "GE", "version": "17", "flags": 12});
        assert_eq!(json["requires"], serde_json::json!([java]));
        assert_eq!(json["provenance"]["commit"], "0123");
        assert_eq!(json["signatures"][0]["tag"], "RSAHEADER");
        assert_eq!(json["signatures"][0]["key_id"], serde_json::Value::Null);
    }
}
