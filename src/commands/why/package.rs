//! Where a package came from: who published and promoted it, and what its file says of its build.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use nevra::Nevra;
use release_notes::{EmbeddedNotes, Reference, ReferenceKind, ReleaseNotes};
use repo_api::{Client, FileDigest, ListedPackage, LogEntry, LogQuery, Moment};
use repo_server::packaged_files;
use rpm_header::PackageHeader;
use serde::Serialize;

use super::super::build_properties::BuildProperties;
use super::super::connection::failure;
use crate::exit::Failure;

/// Where a package came from, as far as it is known.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct PackageStory {
    /// What was done with it in the repository, the newest first.
    pub(super) history: Vec<LogEntry>,
    /// The file's sha256 as the repository's ledger has it; none where the repository does not have the file.
    pub(super) sha256: Option<FileDigest>,
    /// Whether the bytes that the server gives are those.
    pub(super) bytes_match: Option<bool>,
    /// What it says of its build.
    pub(super) build: Option<Build>,
    /// The tickets and issues that its notes name.
    pub(super) tickets: Vec<Ticket>,
    /// The source commits that its notes name.
    pub(super) commits: Vec<String>,
}

/// What a package says of its build.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Build {
    pub(super) at: Option<DateTime<Utc>>,
    pub(super) host: Option<String>,
    /// The source commit that it was built of.
    pub(super) commit: Option<String>,
    /// Where the sources are.
    pub(super) sources: Option<String>,
    /// The number of the build.
    pub(super) number: Option<String>,
    /// The page of the build.
    pub(super) page: Option<String>,
}

/// A ticket that a change belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Ticket {
    pub(super) id: String,
    pub(super) url: Option<String>,
}

/// Finds out where packages came from.
pub(super) async fn stories(
    client: &Client,
    wanted: BTreeSet<Nevra>,
) -> Result<BTreeMap<Nevra, PackageStory>, Failure> {
    let mut stories = BTreeMap::new();
    for (nevra, history) in histories(client, wanted).await? {
        let file = file(client, &nevra, &history).await?;
        let story = match file {
            Some(file) => read(client, &file).await?,
            None => PackageStory::default(),
        };
        stories.insert(nevra, PackageStory { history, ..story });
    }
    Ok(stories)
}

/// Reads the repository's history back to where each package was published.
async fn histories(client: &Client, wanted: BTreeSet<Nevra>) -> Result<BTreeMap<Nevra, Vec<LogEntry>>, Failure> {
    let mut histories: BTreeMap<Nevra, Vec<LogEntry>> =
        wanted.iter().map(|nevra| (nevra.clone(), Vec::new())).collect();
    let mut unpublished = wanted;
    let mut query = LogQuery::default();
    while !unpublished.is_empty() {
        let log = client.log(&query).await.map_err(failure)?;
        for entry in log.entries {
            let moves = matches!(entry.action.as_str(), "published" | "promoted" | "withdrawn");
            for nevra in entry.packages.iter().filter(|_| moves) {
                let Some(history) = histories.get_mut(nevra) else { continue };
                // A commit may be about thousands of packages.
                history.push(LogEntry { packages: Vec::new(), ..entry.clone() });
                if entry.action == "published" {
                    unpublished.remove(nevra);
                }
            }
        }
        query.before = log.before;
        if query.before.is_none() {
            break;
        }
    }
    Ok(histories)
}

/// The package as the commit that published it lists it.
async fn file(client: &Client, nevra: &Nevra, history: &[LogEntry]) -> Result<Option<ListedPackage>, Failure> {
    for entry in history.iter().filter(|entry| entry.action != "withdrawn") {
        for channel in &entry.channels {
            let Ok(moment) = entry.commit.to_string().parse::<Moment>() else { continue };
            // A snapshot may have been collected since.
            let Ok(listed) = client.packages_at(channel, &moment).await else { continue };
            if let Some(file) = listed.packages.into_iter().find(|listed| listed.nevra == *nevra) {
                return Ok(Some(file));
            }
        }
    }
    Ok(None)
}

/// Fetches a package and reads what it says of itself.
async fn read(client: &Client, listed: &ListedPackage) -> Result<PackageStory, Failure> {
    let directory = tempfile::tempdir().map_err(Failure::failed)?;
    let path = directory.path().join("package.rpm");
    let sha256 = client.download(&listed.url, &path).await.map_err(failure)?;
    let mut story = PackageStory { sha256: Some(listed.sha256), ..PackageStory::default() };
    story.bytes_match = Some(sha256 == listed.sha256);
    if sha256 != listed.sha256 {
        // What other bytes say is no story of this package.
        return Ok(story);
    }
    let mut file = std::io::BufReader::new(fs_err::File::open(&path).map_err(Failure::failed)?);
    story.build = PackageHeader::read(&mut file).ok().map(|header| Build::of(&header, properties(&mut file, &header)));
    if let Ok(Some(embedded)) = EmbeddedNotes::read(&path) {
        story.tickets = tickets(&embedded.notes);
        story.commits = commits(&embedded.notes);
    }
    Ok(story)
}

/// What the package itself says of its build; nothing, where it has no such file.
fn properties(payload: &mut impl std::io::Read, header: &PackageHeader) -> BuildProperties {
    let path = BuildProperties::path(&header.nevra.name);
    if !header.files.iter().any(|file| file.path == path) {
        return BuildProperties::default();
    }
    let files = packaged_files(payload, header, |wanted| wanted == path).unwrap_or_default();
    let bytes = files.into_iter().find_map(|file| file.bytes.filter(|_| file.path == path));
    BuildProperties::parse(&String::from_utf8_lossy(&bytes.unwrap_or_default()))
}

impl Build {
    fn of(header: &PackageHeader, properties: BuildProperties) -> Self {
        let commit = header.provides.iter().find(|provided| provided.name == "build(commit)");
        Self {
            at: header.build_time.and_then(|seconds| DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)),
            host: header.build_host.clone(),
            commit: commit.map(|provided| provided.version.clone()),
            sources: header.vcs.clone(),
            number: properties.value("build.number").map(str::to_owned),
            page: header.dist_url.clone().or_else(|| properties.value("build.url").map(str::to_owned)),
        }
    }
}

fn tickets(notes: &ReleaseNotes) -> Vec<Ticket> {
    let references = notes.changes.iter().flat_map(|change| &change.references);
    let tickets: BTreeSet<Ticket> = references.filter(|one| is_ticket(one)).map(Ticket::of).collect();
    tickets.into_iter().collect()
}

fn is_ticket(reference: &Reference) -> bool {
    matches!(reference.kind, ReferenceKind::Ticket | ReferenceKind::Issue)
}

impl Ticket {
    fn of(reference: &Reference) -> Self {
        let url = reference.url.as_ref().map(|url| url.as_str().to_owned());
        Self { id: reference.id.to_string(), url }
    }
}

fn commits(notes: &ReleaseNotes) -> Vec<String> {
    let commits = notes.changes.iter().flat_map(|change| &change.commits);
    let commits: BTreeSet<String> = commits.map(|commit| commit.id.to_string()).collect();
    commits.into_iter().collect()
}
