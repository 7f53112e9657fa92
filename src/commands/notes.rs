//! `pkg notes`: what changed between two versions, for those who make it and for those who use it.

mod between;
mod collect;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use chrono::NaiveDate;
use release_notes::{
    Configuration, EmbeddedNotes, Format, LeftOut, LeftOutBecause, Line, Range, ReleaseNotes, Templates,
};

pub(crate) use self::between::{VersionNotes, notes_between, package_header};
pub(crate) use self::collect::{TicketArgs, Wanted, collect};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Tell what changed between two versions: from git, from JIRA, and from fragments.
///
/// Commits are understood as Conventional Commits, by their trailers (Fixes: #12, Customer-note: …, Upgrade-note: …,
/// Known-issue: …), by keys such as ABC-123 and numbers such as #12 and !34, and by the titles of merges; what a later
/// commit reverts is not told. Tickets that they name are looked up in JIRA where notes.toml says where it is. Fragments
/// are files in the folder notes/, one for each change: ABC-1.fix.md, 123.feature.md, 123.feature.customer.md.
///
/// Internal notes tell everything, with numbers and links. Customers' notes hold what was written for customers and
/// nothing else; what is left out for want of that is listed on stderr.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// From which revision to which; FROM.. is up to HEAD. Without it, from the last tag before HEAD.
    #[arg(value_name = "FROM..TO")]
    range: Option<Range>,
    /// Whom the notes are for.
    #[arg(long, value_name = "AUDIENCE", default_value = "internal")]
    audience: AudienceArg,
    /// What they are written as.
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    format: FormatArg,
    /// The version, in the head; without it, TO or the tag at HEAD, without a leading `v`.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// The build's number, in the head; without it, that of the CI system.
    #[arg(long, value_name = "NUMBER")]
    build: Option<String>,
    /// The day, in the head; without it, that of SOURCE_DATE_EPOCH or of the newest commit.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<NaiveDate>,
    /// What was released, in the head, in place of the name in notes.toml.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The checkout.
    #[arg(long, short = 'C', value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// The configuration; without it, notes.toml in the checkout, where it is there.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    tickets: TicketArgs,
    /// Collect nothing: write the notes of this file, in JSON, or those that an RPM carries.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["range", "fix_version", "jql", "jira_export"])]
    of: Option<PathBuf>,
    /// Write by this template in place of the usual one.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Write to this file instead of stdout.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum AudienceArg {
    /// Everything, with numbers and links.
    Internal,
    /// What was written for customers.
    Customer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FormatArg {
    Markdown,
    Html,
    Text,
    Json,
}

const EXAMPLES: &str = "\
Examples:
  pkg notes v1.3.0..v1.4.0
  pkg notes --audience customer --format html --out notes.html
  pkg notes v1.3.0.. --fix-version 1.4.0 --format json > notes.json
  pkg notes --of shop-1.4.0-57.noarch.rpm --audience customer --format text
  pkg notes --jira-export export.csv

The token for JIRA comes from PKG_JIRA_TOKEN, or from the file that notes.toml names. A template is one of minijinja
(Jinja2); docs/release-notes.md lists what it sees.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let (mut notes, configuration) = match &args.of {
        Some(path) => (read(path)?, Configuration::default()),
        None => {
            let wanted = Wanted {
                range: args.range.clone(),
                directory: args.directory.clone(),
                configuration: args.config.clone(),
                tickets: args.tickets.clone(),
            };
            collect(&wanted, printer).await?
        }
    };
    let line = |text: &String| Line::new(text);
    notes.version = args.version.as_ref().map(line).or(notes.version);
    notes.build = args.build.as_ref().map(line).or(notes.build);
    notes.name = args.name.as_ref().map(line).or(notes.name);
    notes.date = args.date.or(notes.date);
    let notes = for_audience(notes, args.audience, printer);
    let text = write(&notes, &args, &configuration, printer)?;
    match (&args.out, text) {
        (Some(path), text) => {
            fs_err::write(path, text.unwrap_or_else(|| notes.to_json())).map_err(Failure::failed)?;
            printer.talk(&format!("wrote {}, {} changes", path.display(), notes.changes.len()));
        }
        (None, Some(text)) => printer.data(text.trim_end()),
        (None, None) if printer.is_json() => printer.json(&notes),
        (None, None) => printer.data(notes.to_json().trim_end()),
    }
    Ok(Exit::Done)
}

/// Makes the notes those of an audience, and tells what is left out.
pub(crate) fn for_audience(notes: ReleaseNotes, audience: AudienceArg, printer: &Printer) -> ReleaseNotes {
    if audience == AudienceArg::Internal {
        return notes;
    }
    let (notes, left_out) = notes.for_customers();
    for LeftOut { kind, title, ids, because } in &left_out {
        let ids = if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) };
        let why = match because {
            LeftOutBecause::NoText => "it has no text for customers".to_owned(),
            LeftOutBecause::Internal(what) => format!("its text for customers names `{what}`, which is internal"),
        };
        printer.talk(&format!("left out: {kind}: {title}{ids}: {why}"));
    }
    if !left_out.is_empty() {
        printer.talk(&format!("customers read of {} changes; {} are left out", notes.changes.len(), left_out.len()));
    }
    notes
}

/// Reads notes from JSON, or out of an RPM.
fn read(path: &Path) -> Result<ReleaseNotes, Failure> {
    if path.extension().is_some_and(|extension| extension == "rpm") {
        let found = EmbeddedNotes::read(path).map_err(Failure::input)?;
        let found = found.ok_or_else(|| Failure::input(anyhow!("`{}` carries no release notes", path.display())));
        return Ok(found?.notes);
    }
    let text = fs_err::read_to_string(path).map_err(Failure::input)?;
    let notes = ReleaseNotes::from_json(&text).with_context(|| format!("`{}`", path.display()));
    notes.map_err(Failure::input)
}

/// The notes as text; none where they are to be JSON.
fn write(
    notes: &ReleaseNotes,
    args: &Args,
    configuration: &Configuration,
    printer: &Printer,
) -> Result<Option<String>, Failure> {
    let own = &configuration.templates;
    let (format, own) = match args.format {
        _ if printer.is_json() => return Ok(None),
        FormatArg::Json => return Ok(None),
        FormatArg::Markdown => (Format::Markdown, &own.markdown),
        FormatArg::Html => (Format::Html, &own.html),
        FormatArg::Text => (Format::Text, &own.text),
    };
    let mut templates = Templates::usual().map_err(Failure::failed)?;
    let own = own.as_ref().map(|path| configuration.directory.join(path));
    if let Some(path) = args.template.as_ref().or(own.as_ref()) {
        templates.replace(format, path).map_err(Failure::input)?;
    }
    templates.render(notes, format).map(Some).map_err(Failure::input)
}
