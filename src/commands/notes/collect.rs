//! Collects what changed: commits, tickets, fragments.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use chrono::{DateTime, NaiveDate, Utc};
use packager::CiBuild;
use release_notes::{
    Configuration, Credentials, Fragment, Jira, JiraError, JiraTable, Line, Range, ReleaseNotes, Repository, Rules,
    Sources, Ticket, read_export,
};

use super::super::connection::read_token;
use crate::exit::Failure;
use crate::render::Printer;

/// Which tickets are told of, besides those that commits name.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct TicketArgs {
    /// Tell of the tickets that JIRA has for this version (fixVersion).
    #[arg(long, value_name = "VERSION")]
    fix_version: Option<String>,
    /// Tell of the tickets that this query of JIRA fits.
    #[arg(long, value_name = "JQL")]
    jql: Option<String>,
    /// Tell of the tickets that JIRA exported as CSV or XML; may be repeated.
    #[arg(long, value_name = "FILE")]
    jira_export: Vec<PathBuf>,
    /// Don't ask JIRA for the tickets that commits name.
    #[arg(long, conflicts_with_all = ["fix_version", "jql"])]
    no_jira: bool,
}

/// What is to be collected.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// From which revision to which; from the last tag on where there is none.
    pub(crate) range: Option<Range>,
    /// The checkout.
    pub(crate) directory: PathBuf,
    /// The configuration; where there is none, `notes.toml` in the directory or at the checkout's top.
    pub(crate) configuration: Option<PathBuf>,
    /// Which tickets.
    pub(crate) tickets: TicketArgs,
}

/// Collects notes, with their head as far as it is known.
pub(crate) async fn collect(wanted: &Wanted, printer: &Printer) -> Result<(ReleaseNotes, Configuration), Failure> {
    let mut repository = Repository::new(&wanted.directory);
    let top = repository.top();
    if let Some(top) = &top {
        repository = Repository::new(top);
    }
    let configuration = configuration(wanted, top.as_deref())?;
    let range = range(wanted, &repository, top.as_deref(), &configuration, printer)?;
    let rules = configuration.rules(top.as_ref().and_then(|_| repository.origin()).as_deref());
    let mut sources = Sources::default();
    if let Some(range) = &range {
        sources.commits = repository.commits(range).map_err(|error| git_failure(error, range))?;
    }
    sources.fragments = fragments(&configuration, &repository, (top.as_deref(), range.as_ref()), &rules)?;
    take_tickets(&mut sources, wanted, &configuration, &rules, printer).await?;
    let mut notes = ReleaseNotes::new(sources.changes(&rules, &configuration.ticket_types()));
    notes.name.clone_from(&configuration.name);
    notes.date = date(&sources);
    notes.build = CiBuild::read(|name| std::env::var(name).ok()).number.map(|number| Line::new(&number));
    if let Some(range) = &range {
        notes.from = range.from.as_deref().map(Line::new);
        notes.to = Some(Line::new(&range.to));
        let tag = if range.ends_at_head() {
            repository.tag_at_head(configuration.tags.as_deref())
        } else {
            Some(range.to.clone())
        };
        let version = tag.map(|tag| version_of_tag(&tag).to_owned());
        notes.version = version.or_else(|| wanted.tickets.fix_version.clone()).map(|version| Line::new(&version));
    }
    Ok((notes, configuration))
}

fn configuration(wanted: &Wanted, top: Option<&Path>) -> Result<Configuration, Failure> {
    let usual = [Some(wanted.directory.as_path()), top];
    let usual = usual.into_iter().flatten().map(|directory| directory.join(Configuration::FILE_NAME));
    let found = wanted.configuration.clone().or_else(|| usual.into_iter().find(|path| path.is_file()));
    match found {
        Some(path) => Configuration::read(&path).map_err(Failure::input),
        None => {
            let mut configuration = Configuration::default();
            top.unwrap_or(&wanted.directory).clone_into(&mut configuration.directory);
            Ok(configuration)
        }
    }
}

/// The range that is wanted, or the one since the last tag; none outside of a checkout.
fn range(
    wanted: &Wanted,
    repository: &Repository,
    top: Option<&Path>,
    configuration: &Configuration,
    printer: &Printer,
) -> Result<Option<Range>, Failure> {
    if top.is_none() {
        if wanted.range.is_some() {
            let error = anyhow!("`{}` is in no git checkout", wanted.directory.display());
            return Err(Failure::input(error));
        }
        printer.talk("no git checkout: tickets and fragments alone");
        return Ok(None);
    }
    if let Some(range) = &wanted.range {
        return Ok(Some(range.clone()));
    }
    let tag = repository.tag_before_head(configuration.tags.as_deref());
    match &tag {
        Some(tag) => printer.talk(&format!("changes since {tag}")),
        None => printer.talk("there is no earlier tag: changes since the first commit"),
    }
    Range::to_head(tag.as_deref()).map(Some).map_err(Failure::input)
}

fn git_failure(error: release_notes::GitError, range: &Range) -> Failure {
    let from = range.from.as_deref().unwrap_or_default();
    let failure = Failure::input(error);
    failure.hint(format!(
        "a shallow clone lacks old commits and tags (`git fetch --unshallow --tags`); is `{from}` there?"
    ))
}

/// The fragments that are of this range: those that its beginning did not have, and its end has.
fn fragments(
    configuration: &Configuration,
    repository: &Repository,
    (top, range): (Option<&Path>, Option<&Range>),
    rules: &Rules,
) -> Result<Vec<Fragment>, Failure> {
    let folder = configuration.fragments();
    let within = |top: &Path| {
        let folder = fs_err::canonicalize(&folder).ok()?;
        folder.strip_prefix(fs_err::canonicalize(top).ok()?).ok().map(Path::to_owned)
    };
    let within = top.and_then(within);
    let at = |revision: &str| -> Option<BTreeSet<String>> {
        within.as_ref().map(|folder| repository.files(revision, folder).into_iter().collect())
    };
    let before = range.and_then(|range| range.from.as_deref()).and_then(at).unwrap_or_default();
    let after = range.filter(|range| !range.ends_at_head()).and_then(|range| at(&range.to));
    let wanted = |name: &str| !before.contains(name) && after.as_ref().is_none_or(|after| after.contains(name));
    Fragment::read_all(&folder, wanted, rules).map_err(Failure::input)
}

/// Reads tickets from exports, and asks JIRA for those of the version, of the query, and for those that are named.
async fn take_tickets(
    sources: &mut Sources,
    wanted: &Wanted,
    configuration: &Configuration,
    rules: &Rules,
    printer: &Printer,
) -> Result<(), Failure> {
    let table = configuration.jira.as_ref();
    let field = table.and_then(|table| table.customer_field.as_deref());
    for path in &wanted.tickets.jira_export {
        add(&mut sources.tickets, read_export(path, field).map_err(Failure::input)?);
    }
    let asks = wanted.tickets.fix_version.is_some() || wanted.tickets.jql.is_some();
    let Some(table) = table.filter(|_| !wanted.tickets.no_jira) else {
        if asks {
            let error = anyhow!("`--fix-version` and `--jql` need to know where JIRA is");
            return Err(Failure::input(error).hint("notes.toml says it: [jira] url = \"https://jira.example.org\""));
        }
        return Ok(());
    };
    let jira = jira(table, configuration)?;
    for query in queries(&wanted.tickets, table) {
        let tickets = jira.search(&query).await.map_err(jira_failure)?;
        printer.detail(&format!("JIRA has {} tickets for `{query}`", tickets.len()));
        add(&mut sources.tickets, tickets);
    }
    let keys = sources.missing_tickets(rules);
    if !keys.is_empty() {
        let found = jira.tickets(&keys).await.map_err(jira_failure)?;
        printer.detail(&format!("JIRA has {} of {} tickets that are named", found.tickets.len(), keys.len()));
        for key in &found.missing {
            printer.warning(&format!("JIRA does not know the ticket `{key}`, or does not show it"));
        }
        add(&mut sources.tickets, found.tickets.into_values().collect());
    }
    if let Some(query) = &table.known_issues {
        sources.known_issues = jira.search(query).await.map_err(jira_failure)?;
    }
    Ok(())
}

fn add(tickets: &mut Vec<Ticket>, more: Vec<Ticket>) {
    for ticket in more {
        if tickets.iter().all(|known| known.key != ticket.key) {
            tickets.push(ticket);
        }
    }
}

fn queries(tickets: &TicketArgs, table: &JiraTable) -> Vec<String> {
    let quoted = |text: &String| text.replace('\\', "\\\\").replace('"', "\\\"");
    let filter = table.filter.as_ref().map(|filter| format!(" and ({filter})")).unwrap_or_default();
    let of_version = |version: &String| format!("fixVersion = \"{}\"{filter} order by key", quoted(version));
    tickets.fix_version.as_ref().map(of_version).into_iter().chain(tickets.jql.clone()).collect()
}

fn jira(table: &JiraTable, configuration: &Configuration) -> Result<Jira, Failure> {
    let file = table.token_file.as_ref().map(|path| configuration.directory.join(path));
    let token = read_token(file.as_ref(), "PKG_JIRA_TOKEN")?;
    let credentials = match (token, &table.user) {
        (Some(token), Some(user)) => Credentials::User(user.clone(), token),
        (Some(token), None) => Credentials::Token(token),
        (None, _) => Credentials::Nobody,
    };
    Jira::new(&table.url, credentials, table.customer_field.as_deref()).map_err(Failure::input)
}

fn jira_failure(error: JiraError) -> Failure {
    match &error {
        JiraError::Refused { status: 401 | 403, .. } => {
            Failure::failed(error).hint("PKG_JIRA_TOKEN holds the token; in the cloud, notes.toml names its user")
        }
        JiraError::Query { .. } | JiraError::Address(_) | JiraError::Token | JiraError::TooMany(_) => {
            Failure::input(error)
        }
        JiraError::Unreachable { .. } | JiraError::Busy { .. } => {
            Failure::failed(error).hint("`--no-jira` does without it")
        }
        JiraError::Refused { .. } | JiraError::Setup(_) | JiraError::Foreign { .. } => Failure::failed(error),
    }
}

/// SOURCE_DATE_EPOCH, else the newest commit's day, else today.
fn date(sources: &Sources) -> Option<NaiveDate> {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.trim().parse().ok());
    let newest = || sources.commits.iter().map(|commit| commit.time).max();
    let seconds = epoch.or_else(newest).unwrap_or_else(|| Utc::now().timestamp());
    DateTime::from_timestamp(seconds, 0).map(|time| time.date_naive())
}

/// `v1.4.0` is 1.4.0.
fn version_of_tag(tag: &str) -> &str {
    match tag.strip_prefix(['v', 'V']) {
        Some(version) if version.starts_with(|first: char| first.is_ascii_digit()) => version,
        _ => tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_quoted_in_queries() {
        let table: JiraTable = toml::from_str("url = 'https://jira'\nfilter = 'project = SHOP'").unwrap();
        let tickets = TicketArgs { fix_version: Some("1\" or x = \"\\".to_owned()), ..TicketArgs::default() };
        let expected = "fixVersion = \"1\\\" or x = \\\"\\\\\" and (project = SHOP) order by key";
        assert_eq!(queries(&tickets, &table), [expected]);
    }

    #[test]
    fn tags_are_versions() {
        for (tag, version) in [("v1.4", "1.4"), ("1.4", "1.4"), ("vintage", "vintage"), ("shop-1", "shop-1")] {
            assert_eq!(version_of_tag(tag), version);
        }
    }
}
