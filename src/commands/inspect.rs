//! `pkg inspect`: what the headers of RPMs say, whether that is in order, and what one version would do to another.

mod digests;
mod json;
pub(super) mod package_source;
mod preflight_text;
mod text;

use anyhow::{Context, anyhow};
use packager::Provenance;
use packager::lint::{self, Subject, Verdict};
use packager::preflight::{self, JarDigests, Preflight};
use rpm_header::{FileEntry, FileKind, PackageHeader};
use serde::Serialize;

use self::digests::Digests;
use self::package_source::{Fetched, PackageSource, WholeFile};
use super::holder::Holder;
use super::lint::{FindingJson, LintArgs, findings_json, tell};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

const EXAMPLES: &str = "\
Examples:
  pkg inspect dist/petclinic-1.4.0-57.noarch.rpm
  pkg inspect --json dist/*.rpm | jq -r '.nevra, .configuration[]'
  pkg inspect dist/petclinic-1.5.0-58.noarch.rpm --against https://rpm.example.org/prod/Packages/petclinic-1.4.0-57.noarch.rpm
  pkg inspect dist/petclinic-1.5.0-58.noarch.rpm --against https://rpm.example.org/prod
  pkg inspect --lint dist/*.rpm --lint-deny unowned-directory

Any RPM will do, whoever built it; a URL may stand for a file. The headers are read, and of a file the digests of header
and payload are compared, and where a package of pkg's comes from is read out of it; nothing is installed, and no signature
is verified. With --json, each file gives one line of
JSON. The exit code is 2 if any of the files can't be read or is damaged, or --lint denies one.";

/// Show what an RPM holds: identity, signatures, files, configuration, jars, dependencies, scriptlets, changelog.
///
/// With --against, show what replacing another version by it would do on a host, and what the way back would do: files,
/// edits of configuration kept or lost, what rpm refuses, dependencies, jars, those too whose bytes changed under the same
/// version, and the scriptlets in their order.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The .rpm files, or their URLs.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PackageSource>,
    /// Compare with the version that is installed now: a package's file or URL; or the newest of its name in a yum
    /// repository, by its URL or folder, or in a folder of packages.
    #[arg(long, value_name = "OLD|URL|DIR")]
    against: Option<Holder>,
    /// Check each for what is allowed and still likely wrong; with --against, also as the successor of OLD.
    #[arg(long)]
    lint: bool,
    #[command(flatten)]
    policy: LintArgs,
}

/// An RPM whose headers have been read.
struct Inspected<'a> {
    source: &'a PackageSource,
    /// The file's size, bytes, where it is known.
    file_size: Option<u64>,
    header: PackageHeader,
    digests: Digests,
    /// What a package that `pkg` built says of where it comes from.
    provenance: Vec<(String, String)>,
    verdict: Verdict,
}

/// A comparison, and what lint finds in the newer package.
#[derive(Serialize)]
struct PreflightJson<'a> {
    #[serde(flatten)]
    preflight: &'a Preflight,
    findings: Vec<FindingJson>,
}

pub(crate) async fn run(args: &Args, printer: &Printer) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for (index, source) in args.files.iter().enumerate() {
        match inspect(source, args, printer).await {
            Ok((inspected, preflight)) => {
                if index > 0 && !printer.is_json() {
                    printer.data("");
                }
                print(&inspected, preflight.as_ref(), printer);
                tell(printer, &source.to_string(), &inspected.verdict);
                if let Some(damage) = inspected.digests.damage() {
                    let damaged = anyhow!("`{source}` is damaged: {damage} not what the digest in it says");
                    printer.failure(&Failure::input(damaged));
                    exit = Exit::Input;
                }
                if !inspected.verdict.denied.is_empty() {
                    exit = Exit::Input;
                }
            }
            Err(error) => {
                printer.failure(&Failure::input(error));
                exit = Exit::Input;
            }
        }
    }
    Ok(exit)
}

async fn inspect<'a>(
    source: &'a PackageSource,
    args: &Args,
    printer: &Printer,
) -> anyhow::Result<(Inspected<'a>, Option<Preflight>)> {
    let Fetched { header, file_size } = source.read().await?;
    let (digests, provenance) = match source {
        PackageSource::File(path) => {
            let digests = Digests::compare(path, &header)?;
            // Of a payload that can't be unpacked the digest tells whether it is damaged; a pipe is read only once.
            let provenance = path.is_file().then(|| Provenance::embedded(path, &header).unwrap_or_default());
            (digests, provenance.unwrap_or_default())
        }
        PackageSource::Url(_) => (Digests::default(), Vec::new()),
    };
    let preflight = match &args.against {
        Some(holder) => {
            let old_source = holder.newest(&header.nevra.name).await?;
            let old = old_source.read().await?.header;
            let compared = compare((&old_source, &old), (source, &header), printer).await;
            Some(compared.with_context(|| format!("could not compare `{source}`"))?)
        }
        None => None,
    };
    let mut findings = Vec::new();
    if args.lint {
        findings.extend(lint::check(&Subject::of_header(&header)));
        findings.extend(preflight.iter().flat_map(lint::check_succession));
    }
    let verdict = args.policy.policy().judge(findings);
    Ok((Inspected { source, file_size, header, digests, provenance, verdict }, preflight))
}

/// Compares headers, and where the lists of jars differ, the jars by their bytes: for that a package behind a URL is
/// fetched whole.
async fn compare(
    (old_source, old): (&PackageSource, &PackageHeader),
    (new_source, new): (&PackageSource, &PackageHeader),
    printer: &Printer,
) -> anyhow::Result<Preflight> {
    let mut preflight = preflight::compare(old, new)?;
    if JarDigests::may_differ(old, new) {
        for source in [old_source, new_source].into_iter().filter(|source| matches!(source, PackageSource::Url(_))) {
            printer.talk(&format!("fetching `{source}`: its jars are compared"));
        }
        if let (Some(old_file), Some(new_file)) = (old_source.whole().await?, new_source.whole().await?) {
            let digests = |file: &WholeFile, header| JarDigests::read(file.path(), header);
            preflight.add_changed_jars(&digests(&old_file, old)?, &digests(&new_file, new)?);
        }
    }
    Ok(preflight)
}

fn print(inspected: &Inspected<'_>, preflight: Option<&Preflight>, printer: &Printer) {
    match (preflight, printer.is_json()) {
        (Some(preflight), true) => {
            printer.json(&PreflightJson { preflight, findings: findings_json(&inspected.verdict) });
        }
        (Some(preflight), false) => printer.data(&preflight_text::report(preflight)),
        (None, true) => printer.json(&json::Inspection::of(inspected)),
        (None, false) => printer.data(&text::report(inspected)),
    }
}

impl Inspected<'_> {
    fn configuration(&self) -> impl Iterator<Item = &FileEntry> {
        self.header.files.iter().filter(|file| file.is_config())
    }

    /// Java archives: what ends in `.jar` or `.war` and is no directory.
    fn jars(&self) -> impl Iterator<Item = &FileEntry> {
        let is_jar = |path: &str| [".jar", ".war"].iter().any(|ending| path.to_ascii_lowercase().ends_with(ending));
        self.header.files.iter().filter(move |file| is_jar(&file.path) && file.kind() != FileKind::Directory)
    }
}

#[cfg(test)]
pub(super) use tests::sample as sample_header;

#[cfg(test)]
mod tests {
    use nevra::Nevra;
    use rpm_header::{ChangelogEntry, Dependency, Scriptlet, Signature};

    use super::*;

    pub(in crate::commands) fn sample() -> PackageHeader {
        let nevra: Nevra = "app-1:1.4.0-57.noarch".parse().unwrap();
        let requires = vec![Dependency { name: "java".to_owned(), flags: 12, version: "17".to_owned() }];
        let changelog = vec![ChangelogEntry {
            author: "Ana <ana@example.org>".to_owned(),
            time: 3600,
            text: "- First\n".to_owned(),
        }];
        PackageHeader {
            nevra,
            is_source: false,
            summary: "An \u{1b}[31mapplication".to_owned(),
            description: String::new(),
            license: "MIT".to_owned(),
            vendor: None,
            group: None,
            url: None,
            packager: None,
            distribution: None,
            dist_url: None,
            vcs: None,
            bug_url: None,
            rpm_version: None,
            build_host: None,
            build_time: Some(1),
            source_rpm: None,
            installed_size: 12,
            archive_size: 0,
            header_sha256: None,
            payload_sha256: None,
            payload_compressor: None,
            header_start: 136,
            header_end: 1000,
            provides: Vec::new(),
            requires,
            conflicts: Vec::new(),
            obsoletes: Vec::new(),
            recommends: Vec::new(),
            suggests: Vec::new(),
            supplements: Vec::new(),
            enhances: Vec::new(),
            old_suggests: Vec::new(),
            old_enhances: Vec::new(),
            files: vec![
                file("/etc/app/app.properties", 0o100_640, "tomcat", 12),
                file("/usr/share/app/exploded.war", 0o040_755, "root", 0),
                FileEntry { link_target: "app.bin".to_owned(), ..file("/usr/share/app/app.WAR", 0o120_777, "root", 7) },
            ],
            changelog,
            scriptlets: vec![
                scriptlet("%post", &["/bin/sh", "-e"], "echo one\n\necho two\n"),
                scriptlet("%postun", &["/sbin/ldconfig"], ""),
            ],
            triggers: Vec::new(),
            signatures: vec![Signature { tag: "RSAHEADER", packet: vec![0] }],
        }
    }

    /// What is inspected of the sample.
    pub(super) fn inspected<'a>(source: &'a PackageSource, header: PackageHeader) -> Inspected<'a> {
        let digests = Digests { header: Some(digests::Comparison::Ok), payload: None };
        let provenance = [("commit", "0123"), ("branch", "main\u{1b}")].map(|(key, value)| (key.into(), value.into()));
        let provenance = provenance.to_vec();
        Inspected { source, file_size: Some(4096), header, digests, provenance, verdict: Verdict::default() }
    }

    fn file(path: &str, mode: u16, group: &str, size: u64) -> FileEntry {
        let is_configuration = path.starts_with("/etc/");
        FileEntry {
            path: path.to_owned(),
            mode,
            user: "root".to_owned(),
            group: group.to_owned(),
            size,
            mtime: 0,
            digest: String::new(),
            link_target: String::new(),
            flags: if is_configuration { FileEntry::CONFIG | FileEntry::NO_REPLACE } else { 0 },
            capabilities: String::new(),
            language: String::new(),
        }
    }

    fn scriptlet(name: &'static str, interpreter: &[&str], body: &str) -> Scriptlet {
        let interpreter = interpreter.iter().map(|part| (*part).to_owned()).collect();
        Scriptlet { name, interpreter, body: body.to_owned() }
    }
}
