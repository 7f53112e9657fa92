//! `pkg build`: reads every spec, then builds one package after the other.

mod against;
mod difference;
mod mirror;
mod notes;
mod second_build;
mod succession;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use nevra::Nevra;
use openpgp::PrivateKey;
use packager::lint::{self, Subject, Verdict};
use packager::{
    BuildError, BuiltPackage, DraftedPackage, NotesSource, Overrides, PackageSpec, PlannedPackage, SourceDate,
    SpecFile, Variables, WriteError,
};
use serde::Serialize;

use self::against::AgainstArgs;
use self::second_build::SecondBuild;
use self::succession::Successors;
use super::lint::{FindingJson, LintArgs, findings_json, tell};
use super::notes::AudienceArg;
use super::signing_key::load_signing_key;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Build RPMs from package specs.
///
/// A WAR and a folder of configuration files become a noarch RPM for Tomcat; files, trees and archives of any kind become
/// any RPM. The paths are printed. Nothing is written before every spec and every file that it names was found good.
/// Times in the packages come from SOURCE_DATE_EPOCH, else from the git commit that is checked out at the spec: the same
/// sources give the same bytes.
///
/// A version is mapped so that rpm sorts it as its makers mean it: 1.1-SNAPSHOT becomes 1.1~SNAPSHOT.<time>, 1.1-RC1
/// 1.1~rc1, 1.1.Final 1.1, and 1.1-9-gabc1234 of git describe 1.1^9.gabc1234. A package with a WAR, an EAR or jars says on the host what
/// it is: /usr/share/<name>/build.properties (version, commit, branch, build, builder, the WAR's sha256) and sbom.cdx.json
/// (every jar, as CycloneDX); its tags say it too, all but the branch, for which rpm has none: VCS, DISTURL (the build's
/// page), `build(commit)` and `bundled(maven:group:artifact)`. `sbom = false` in a spec leaves the jars alone.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The package specs, in TOML.
    #[arg(required_unless_present = "schema", value_name = "SPEC")]
    specs: Vec<PathBuf>,
    /// The version, in place of the spec's; `auto` finds it as the spec's key `version` does.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// The release, in place of the spec's: the build's number, then what you like, such as 57.gabc123; `auto` makes it
    /// of the CI build's number and the commit.
    #[arg(long, value_name = "RELEASE")]
    release: Option<String>,
    /// Release notes, installed as documentation (Markdown and JSON), and the newest entry of the changelog: a file in
    /// Markdown, text, or JSON of `pkg notes`; or FROM..TO, collected as `pkg notes` does; or `auto`, since the last tag.
    #[arg(long, value_name = "FILE|FROM..TO|auto")]
    notes: Option<String>,
    /// Whom notes that are collected are for.
    #[arg(long, value_name = "AUDIENCE", default_value = "internal", requires = "notes")]
    notes_audience: AudienceArg,
    /// Set a variable that the spec uses as ${KEY}; wins over the environment.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
    /// Set variables from a file of KEY=VALUE lines; `--set` wins over it.
    #[arg(long, value_name = "FILE")]
    set_file: Vec<PathBuf>,
    /// Build, besides the application, only this environment's configuration package; all of the spec's otherwise.
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: Vec<String>,
    /// Sign with the OpenPGP private key of this file (its passphrase is taken from PKG_SIGN_PASSPHRASE), or with
    /// gpg:KEY, which is a fingerprint, an id or an owner that gpg knows, as of a key in its agent or on a card.
    #[arg(long, value_name = "KEYFILE|gpg:KEY")]
    sign: Option<String>,
    /// Take the key's passphrase from the first line of this file instead.
    #[arg(long, value_name = "FILE", requires = "sign")]
    sign_passphrase_file: Option<PathBuf>,
    /// The directory that packages are written to; created where it is missing.
    #[arg(long, value_name = "DIR", default_value = "dist", overrides_with = "out")]
    out: PathBuf,
    /// Build twice and compare: once more from a copy of the sources with other times, modes, order and hard links, under
    /// another umask, locale and time zone; a package that comes out different is refused.
    #[arg(long)]
    check: bool,
    /// Print the JSON schema of specs, for editors, and build nothing.
    #[arg(long, exclusive = true)]
    schema: bool,
    #[command(flatten)]
    against: AgainstArgs,
    #[command(flatten)]
    lint: LintArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg build specs/hello.toml --version 1.0 --release 1
  VERSION=1.4.0 BUILD_NUMBER=57 pkg build specs/petclinic.toml --sign ci-key.asc
  pkg build specs/hello.toml --sign gpg:release@example.com
  pkg build specs/examples.toml --version 9.0.82 --release 1 --set WAR=build/examples.war --out /tmp/rpms
  pkg build shop.toml --environment prod --set-file prod.env      the application and shop-config-prod
  pkg build shop.toml --version auto --release auto --notes NOTES.md --against https://rpm.example.org/prod
  pkg build shop.toml --version 1.4.0 --release 57 --notes v1.3.0..HEAD
  pkg build shop.toml --check --lint-deny unowned-directory       as strict as can be

Lint looks at every package before it is written; what it refuses is wrong input (exit code 2). A spec allows and denies
by name: lint = { allow = [\"…\"], deny = [\"…\"] }; an unknown name lists all of them.";

/// What `--json` prints of each package.
#[derive(Debug, Serialize)]
struct Built {
    path: String,
    nevra: String,
    sha256: String,
    size: u64,
    /// What lint found and did not refuse.
    findings: Vec<FindingJson>,
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    if args.schema {
        printer.data(&format!("{:#}", packager::schema()));
        return Ok(Exit::Done);
    }
    let variables = variables(&args)?;
    let notes = notes::source(&args, printer).await?;
    let specs = read_specs(&args, notes, &variables)?;
    let before = args.against.check(&specs.iter().map(PackageSpec::nevra).collect::<Vec<_>>()).await?;
    let key = signing_key(&args)?;
    let mut planned = Vec::new();
    for spec in &specs {
        tell_version(spec, printer);
        planned.push(plan(spec)?);
    }
    packager::check_together(&planned).map_err(Failure::input)?;
    let mut verdicts = lint(&specs, &planned, &args, printer)?;
    if let Some(unused) = variables.unused().first() {
        return Err(Failure::input(anyhow!("`--set {unused}=…`: nothing in the specs uses `${{{unused}}}`")));
    }
    let mut drafted = Vec::new();
    for package in &planned {
        let nevra = &package.layout().about.nevra;
        printer.detail(&format!("building {nevra}"));
        drafted.push(package.write(&args.out, key.as_ref()).map_err(|error| failure(error, nevra))?);
    }
    succession::check(
        &before,
        &Successors { specs: &specs, drafted: &drafted, args: &args.lint },
        &mut verdicts,
        printer,
    )?;
    if args.check {
        check(&args, &planned, &drafted, printer)?;
    }
    for ((package, planned), verdict) in drafted.into_iter().zip(&planned).zip(&verdicts) {
        let package = package.keep().map_err(|error| failure(error, &planned.layout().about.nevra))?;
        report(&package, verdict, printer)?;
    }
    Ok(Exit::Done)
}

/// Says where the version and the release come from, where the spec or the command line do not simply say them.
fn tell_version(spec: &PackageSpec, printer: &Printer) {
    let evr = spec.evr();
    if spec.version.text != evr.version() || !spec.version.is_written {
        printer.talk(&format!("{}: version {}, from {}", spec.name(), evr.version(), spec.version));
    }
    if let Some(place) = &spec.release_place {
        printer.talk(&format!("{}: release {}, from {place}", spec.name(), evr.release()));
    }
}

/// Looks for what is allowed and still likely wrong, before anything is written.
fn lint(
    specs: &[PackageSpec],
    planned: &[PlannedPackage],
    args: &Args,
    printer: &Printer,
) -> Result<Vec<Verdict>, Failure> {
    let mut verdicts = Vec::new();
    for (spec, package) in specs.iter().zip(planned) {
        let mut policy = spec.lint.clone();
        policy.override_with(&args.lint.policy());
        let verdict = policy.judge(lint::check(&Subject::of_layout(package.layout())));
        tell(printer, &spec.nevra().to_string(), &verdict);
        verdicts.push(verdict);
    }
    refuse_denied(&verdicts)?;
    Ok(verdicts)
}

/// Refuses to build what lint denies.
fn refuse_denied(verdicts: &[Verdict]) -> Result<(), Failure> {
    let denied: Vec<_> = verdicts.iter().flat_map(|verdict| &verdict.denied).map(|finding| finding.lint).collect();
    let Some(first) = denied.first() else { return Ok(()) };
    let failure = Failure::input(anyhow!("lint refuses {} of its findings; nothing is built", denied.len()));
    Err(failure.hint(format!("what is meant so can be allowed: `lint.allow = [\"{first}\"]` in the spec")))
}

/// Builds everything once more, and compares.
fn check(
    args: &Args,
    planned: &[PlannedPackage],
    drafted: &[DraftedPackage],
    printer: &Printer,
) -> Result<(), Failure> {
    let dates: BTreeSet<SourceDate> = planned.iter().map(|package| package.layout().source_date).collect();
    for date in dates {
        let second = SecondBuild::run(&args.specs, &args.out, date, printer).map_err(Failure::failed)?;
        for (planned, first) in planned.iter().zip(drafted).filter(|(one, _)| one.layout().source_date == date) {
            let nevra = &planned.layout().about.nevra;
            let again = second.package(nevra.file_name().as_ref());
            let differences = difference::between(first.path(), &again);
            let differences = differences.context("could not compare the two builds").map_err(Failure::failed)?;
            if let Some(parts) = differences {
                let parts = parts.join("\n  ");
                return Err(Failure::failed(anyhow!("`{nevra}` comes out different when built again\n  {parts}")));
            }
            printer.talk(&format!("{nevra} comes out the same when built again"));
        }
    }
    Ok(())
}

fn plan(spec: &PackageSpec) -> Result<PlannedPackage, Failure> {
    let source_date_epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
    let date = SourceDate::find(source_date_epoch.as_deref(), spec.provenance.committed).map_err(Failure::input)?;
    packager::plan(spec, date).map_err(|error| failure(error, &spec.nevra()))
}

/// Takes the variables from files, from the command line, which wins, and from the environment.
fn variables(args: &Args) -> Result<Variables, Failure> {
    let mut set = BTreeMap::new();
    for path in &args.set_file {
        let text = fs_err::read_to_string(path).map_err(Failure::input)?;
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !is_comment(line)) {
            let pair = key_and_value(line).map_err(|why| anyhow!("{}:{number}: `{line}`: {why}", path.display()));
            set.extend([pair.map_err(Failure::input)?]);
        }
    }
    set.extend(args.set.iter().cloned());
    let environment =
        std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    Ok(Variables::new(set, environment.collect()))
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// Reads and validates every spec before anything is built.
fn read_specs(args: &Args, notes: Option<NotesSource>, variables: &Variables) -> Result<Vec<PackageSpec>, Failure> {
    let overrides = Overrides {
        version: args.version.clone(),
        release: args.release.clone(),
        notes,
        environments: args.environment.clone(),
    };
    let mut specs = Vec::new();
    let mut identities = BTreeSet::new();
    for path in &args.specs {
        let file = SpecFile::read(path).map_err(Failure::input)?;
        for spec in file.resolve(variables, &overrides).map_err(Failure::input)? {
            if !identities.insert(spec.nevra()) {
                let nevra = spec.nevra();
                return Err(Failure::input(anyhow!("{}: another spec makes `{nevra}` as well", path.display())));
            }
            specs.push(spec);
        }
    }
    Ok(specs)
}

fn signing_key(args: &Args) -> Result<Option<PrivateKey>, Failure> {
    let load = |key: &String| load_signing_key(key, args.sign_passphrase_file.as_deref());
    args.sign.as_ref().map(load).transpose()
}

fn report(package: &BuiltPackage, verdict: &Verdict, printer: &Printer) -> Result<(), Failure> {
    for notice in &package.notices {
        printer.warning(&format!("{}: {notice}", package.nevra));
    }
    let BuiltPackage { path, nevra, size, .. } = package;
    printer.talk(&format!("built {nevra}, {size} bytes"));
    if printer.is_json() {
        let findings = findings_json(verdict);
        let (path, nevra) = (path.display().to_string(), nevra.to_string());
        let sha256 = package.sha256().map_err(Failure::failed)?;
        printer.json(&Built { path, nevra, sha256, size: *size, findings });
    } else {
        printer.data(&path.display().to_string());
    }
    Ok(())
}

/// What the user gave is wrong input; what the machine did not do is a failure.
fn failure(error: BuildError, nevra: &Nevra) -> Failure {
    let exit = match &error {
        _ if is_disk_full(&error) => Exit::Failed,
        BuildError::Contents(_) | BuildError::Layout(_) | BuildError::Inside(_) | BuildError::Notes(_) => Exit::Input,
        BuildError::Write(
            WriteError::Unfit(_)
            | WriteError::Directory { .. }
            | WriteError::Read(_)
            | WriteError::Changed { .. }
            | WriteError::ChangedSince(_)
            | WriteError::Unverifiable(_),
        ) => Exit::Input,
        BuildError::Write(
            WriteError::Output(_) | WriteError::Thread(_) | WriteError::Sign(_) | WriteError::SignatureTooLong,
        )
        | BuildError::ReadBack(_) => Exit::Failed,
    };
    Failure::new(exit, anyhow::Error::new(error).context(format!("could not build `{nevra}`")))
}

/// Tells whether there was no room: for what is unpacked or packed on the way as well.
fn is_disk_full(error: &BuildError) -> bool {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let mut kinds = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    kinds.any(|kind| matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge))
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("it is not KEY=VALUE".to_owned()),
    }
}
