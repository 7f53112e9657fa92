//! `pkg init`: writes a commented spec for the project that it stands in.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::anyhow;
use packager::{Configuration, Project, ProjectError};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Write a package spec for a project.
///
/// Looks for the WAR (or where Maven and Gradle will leave it), the pom.xml, build.gradle and settings.gradle, and a
/// folder of configuration files; one with folders such as dev and prod becomes a configuration package for each. In a
/// project of several modules, the one that makes the WAR is found. The spec stands in the project's directory under its
/// name, commented; its path is printed. A file that is there is never overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The project's directory.
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  pkg init
  pkg init ~/src/petclinic && pkg build ~/src/petclinic/petclinic.toml --release 1";

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Written<'a> {
    path: String,
    name: &'a str,
    war: &'a str,
}

pub(crate) fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let project = Project::survey(&args.directory).map_err(|error| match &error {
        ProjectError::SeveralModules(directory, modules) => {
            let first = modules.first().map(|module| directory.join(module)).unwrap_or_default();
            let first = first.strip_prefix(".").unwrap_or(&first).display().to_string();
            Failure::input(error).hint(format!("write a spec for each, as with `pkg init {first}`"))
        }
        _ => Failure::input(error),
    })?;
    let path = args.directory.join(format!("{}.toml", project.name));
    let path = path.strip_prefix(".").map(PathBuf::from).unwrap_or(path);
    write(&path, &packager::starter(&project))?;
    printer.talk(&format!("the WAR is expected at `{}`", project.war));
    match &project.configuration {
        Some(Configuration::Folder(folder)) => printer.talk(&format!("the configuration is `{folder}`")),
        Some(Configuration::Environments(folder, environments)) => {
            printer.talk(&format!("the configuration is `{folder}`, for the environments {}", environments.join(", ")));
        }
        None => printer.talk("there is no configuration"),
    }
    let version = if project.has_version { "" } else { " --version 1.0" };
    printer.talk(&format!("next: pkg build {}{version} --release 1", path.display()));
    if printer.is_json() {
        printer.json(&Written { path: path.display().to_string(), name: &project.name, war: &project.war });
    } else {
        printer.data(&path.display().to_string());
    }
    Ok(Exit::Done)
}

/// Writes a file that must not be there yet, whole or not at all.
fn write(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    let mut file = match fs_err::File::create_new(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let refused = anyhow!("`{}` is there already, and is not overwritten", path.display());
            return Err(Failure::input(refused).hint("move it away, or build with it"));
        }
        file => file.map_err(Failure::input)?,
    };
    file.write_all(text.as_bytes()).map_err(|error| {
        let _ = fs_err::remove_file(path);
        Failure::failed(error)
    })
}
