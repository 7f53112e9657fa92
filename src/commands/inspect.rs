//! `pkg inspect`: what the headers of RPMs say, for people or as JSON.

mod json;
mod text;

use std::path::{Path, PathBuf};

use anyhow::Context;
use rpm_header::{FileEntry, FileKind, PackageHeader, ReadHeaderError};

use crate::exit::{Exit, Failure};
use crate::render::Printer;

const EXAMPLES: &str = "\
Examples:
  pkg inspect dist/petclinic-1.4.0-57.noarch.rpm
  pkg inspect --json dist/*.rpm | jq -r '.nevra, .configuration[]'

Any RPM will do, whoever built it. Only the headers are read, never the payload, and no signature is verified.
With --json, each file gives one line of JSON. The exit code is 2 if any of the files can't be read.";

/// Show what an RPM holds: identity, signatures, files, configuration, jars, dependencies, scriptlets, changelog.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The .rpm files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// An RPM whose headers have been read.
struct Inspected<'a> {
    path: &'a Path,
    /// The file's size, bytes.
    file_size: u64,
    header: PackageHeader,
}

pub(crate) fn run(args: &Args, printer: &Printer) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for (index, path) in args.files.iter().enumerate() {
        match inspect(path) {
            Ok(inspected) if printer.is_json() => printer.json(&json::Inspection::of(&inspected)),
            Ok(inspected) => {
                if index > 0 {
                    printer.data("");
                }
                printer.data(&text::report(&inspected));
            }
            Err(error) => {
                printer.failure(&Failure::input(error));
                exit = Exit::Input;
            }
        }
    }
    Ok(exit)
}

fn inspect(path: &Path) -> anyhow::Result<Inspected<'_>> {
    let header = match PackageHeader::read_file(path) {
        Err(error @ ReadHeaderError::Open { .. }) => return Err(error.into()),
        other => other.with_context(|| format!("could not inspect `{}`", path.display()))?,
    };
    Ok(Inspected { path, file_size: fs_err::metadata(path)?.len(), header })
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
mod tests {
    use nevra::Nevra;
    use rpm_header::{ChangelogEntry, Dependency, Scriptlet, Signature};

    use super::*;

    pub(super) fn sample() -> PackageHeader {
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
            vcs: None,
            bug_url: None,
            rpm_version: None,
            build_host: None,
            build_time: Some(1),
            source_rpm: None,
            installed_size: 12,
            archive_size: 0,
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
