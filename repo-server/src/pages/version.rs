//! The page of one version of one package.

use nevra::Nevra;
use repo_api::ChannelName;
use rpm_header::{Dependency, FileEntry, PackageHeader};
use serde::Serialize;

use super::event::{Event, Link};
use super::notes_article::NotesArticle;
use super::package_path::PackagePath;

use super::signature::{SignatureRow, signatures};
use super::template::{PageError, Shell, render};
use super::visible::Visible;
use super::written::{Time, size};
use crate::signing::{PackageHead, SigningKeys};
use crate::state::PackageRecord;

/// How many files the page of a version names, and a page of its files.
const FILES: usize = 100;
const FILES_OF_A_PAGE: usize = 1000;

/// `/ui/packages/NAME/VERSION`
#[derive(Debug, Serialize)]
pub(crate) struct VersionPage {
    nevra: String,
    package: Link,
    version: String,
    sha256: String,
    size: String,
    /// Where it can be fetched.
    download: Option<Link>,
    places: Vec<Place>,
    held_by: Vec<String>,
    history: Vec<Event>,
    /// What it can be compared with.
    others: Vec<Link>,
    /// The page of what differs from the version before.
    changes: Option<Link>,
    /// `None` where the file has been collected.
    content: Option<Content>,
}

/// A channel that lists it, or did.
#[derive(Debug, Serialize)]
struct Place {
    channel: String,
    is_listed: bool,
    since: Option<Time>,
    who: String,
    until: Option<Time>,
}

/// What the package's header says.
#[derive(Debug, Serialize)]
pub(super) struct Content {
    summary: String,
    description: String,
    license: String,
    url: Option<Link>,
    installed: String,
    /// The notes that it carries.
    article: Option<NotesArticle>,
    /// The changelog's newest entries.
    notes: Vec<Note>,
    provenance: Provenance,
    signatures: Vec<SignatureRow>,
    configuration: Vec<FileRow>,
    jars: Vec<Jar>,
    scriptlets: Vec<Script>,
    dependencies: Vec<Dependencies>,
    files: Vec<FileRow>,
    file_count: usize,
    files_url: String,
}

/// An entry of the changelog.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Note {
    author: String,
    date: Option<String>,
    text: String,
}

/// Where a package came from.
#[derive(Debug, Serialize)]
pub(crate) struct Provenance {
    built: Option<Time>,
    commit: Option<String>,
    sources: Option<Link>,
    build: Option<Link>,
    host: Option<String>,
    packager: Option<String>,
    vendor: Option<String>,
    builder: Option<String>,
    source_package: Option<String>,
}

/// A file of the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct FileRow {
    pub(super) path: String,
    size: String,
    mode: String,
    owner: String,
    flags: String,
    target: String,
}

/// A jar that the package bundles.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct Jar {
    pub(super) component: String,
    pub(super) version: String,
    url: String,
}

/// A scriptlet or a trigger.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Script {
    pub(super) name: String,
    interpreter: String,
    pub(super) body: String,
}

/// Dependencies of one kind.
#[derive(Debug, Serialize)]
pub(super) struct Dependencies {
    pub(super) kind: &'static str,
    pub(super) names: Vec<String>,
}

/// `/ui/packages/NAME/VERSION/files`
#[derive(Debug, Serialize)]
pub(crate) struct FilesPage {
    nevra: String,
    package: Link,
    version: Link,
    files: Vec<FileRow>,
    first: usize,
    last: usize,
    total: usize,
    before: Option<usize>,
    after: Option<usize>,
}

impl VersionPage {
    /// The page of a package; `history` are the commits that are about it. Its head comes with the notes that it carries;
    /// no head stands for a file that has been collected.
    pub(crate) fn new(
        package: &PackageRecord,
        head: Option<(&PackageHead, Option<NotesArticle>)>,
        keys: &SigningKeys,
        visible: &Visible,
        history: Vec<Event>,
    ) -> Self {
        let (nevra, path) = (&package.nevra, PackagePath::of(&package.nevra));
        let versions = visible.versions(&path.name);
        let others =
            versions.iter().map(|other| &other.nevra).filter(|other| *other != nevra && other.arch == nevra.arch);
        let compared = |other: &Nevra| {
            let other_path = PackagePath::of(other);
            let url = match other.evr.compare(&nevra.evr).is_lt() {
                true => other_path.difference_url(&path),
                false => path.difference_url(&other_path),
            };
            Link { text: other_path.version, url }
        };
        let before = others.clone().find(|other| other.evr.compare(&nevra.evr).is_lt());
        Self {
            nevra: nevra.to_string(),
            package: Link { text: path.name.clone(), url: path.package_url() },
            version: path.version.clone(),
            sha256: package.sha256.to_string(),
            size: size(package.size),
            download: visible.listing(nevra).next().map(|channel| download(channel, nevra)),
            places: places(nevra, visible),
            held_by: visible.state.holders(nevra),
            history,
            changes: before.map(compared),
            others: others.map(compared).collect(),
            content: head.map(|(head, article)| Content::of((head, article), signatures(head, keys, visible), &path)),
        }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("version.html", shell, self)
    }
}

impl FilesPage {
    /// The page of a number; the first is 1.
    pub(crate) fn new(package: &PackageRecord, header: &PackageHeader, page: usize) -> Self {
        let path = PackagePath::of(&package.nevra);
        let total = header.files.len();
        let page = page.clamp(1, total.div_ceil(FILES_OF_A_PAGE).max(1));
        let skipped = (page - 1) * FILES_OF_A_PAGE;
        let files: Vec<FileRow> = header.files.iter().skip(skipped).take(FILES_OF_A_PAGE).map(FileRow::of).collect();
        let last = skipped + files.len();
        Self {
            nevra: package.nevra.to_string(),
            package: Link { text: path.name.clone(), url: path.package_url() },
            version: Link { text: path.version.clone(), url: path.url() },
            first: if files.is_empty() { 0 } else { skipped + 1 },
            last,
            total,
            before: (page > 1).then(|| page - 1),
            after: (last < total).then_some(page + 1),
            files,
        }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("files.html", shell, self)
    }
}

fn download(channel: &ChannelName, nevra: &Nevra) -> Link {
    let text = nevra.file_name();
    Link { url: format!("/{channel}/Packages/{}", super::package_path::encoded(&text)), text }
}

fn places(nevra: &Nevra, visible: &Visible) -> Vec<Place> {
    let of_channel = |(name, channel): (&ChannelName, &std::sync::Arc<crate::state::Channel>)| {
        let span = channel.history().get(nevra)?.spans.last()?.clone();
        let at = |commit| channel.views().get(&commit).map(|view| Time::from(view.at));
        Some(Place {
            channel: name.to_string(),
            is_listed: span.until.is_none(),
            since: at(span.from),
            who: span.who.to_string(),
            until: span.until.and_then(at),
        })
    };
    visible.channels().iter().filter_map(of_channel).collect()
}

impl Content {
    fn of(
        (head, article): (&PackageHead, Option<NotesArticle>),
        signatures: Vec<SignatureRow>,
        path: &PackagePath,
    ) -> Self {
        let header = &head.parsed;
        let configuration = header.files.iter().filter(|file| file.is_config()).take(FILES);
        Self {
            summary: header.summary.clone(),
            description: header.description.clone(),
            license: header.license.clone(),
            url: header.url.as_deref().map(link),
            installed: size(header.installed_size),
            article,
            notes: notes(header).take(5).collect(),
            provenance: Provenance::of(header),
            signatures,
            configuration: configuration.map(FileRow::of).collect(),
            jars: jars(header),
            scriptlets: scripts(header),
            dependencies: dependencies(header),
            files: header.files.iter().take(FILES).map(FileRow::of).collect(),
            file_count: header.files.len(),
            files_url: format!("{}/files", path.url()),
        }
    }
}

/// The entries of the changelog, the newest first.
pub(super) fn notes(header: &PackageHeader) -> impl Iterator<Item = Note> {
    header.changelog.iter().map(|entry| Note {
        author: entry.author.clone(),
        date: Time::of_seconds(entry.time).and_then(|time| time.text.get(..10).map(str::to_owned)),
        text: entry.text.clone(),
    })
}

impl Provenance {
    fn of(header: &PackageHeader) -> Self {
        let commit = header.provides.iter().find(|provided| provided.name == "build(commit)");
        Self {
            built: header.build_time.and_then(Time::of_seconds),
            commit: commit.map(|provided| provided.version.clone()),
            sources: header.vcs.as_deref().map(link),
            build: header.dist_url.as_deref().map(link),
            host: header.build_host.clone(),
            packager: header.packager.clone(),
            vendor: header.vendor.clone(),
            builder: header.rpm_version.clone(),
            source_package: header.source_rpm.clone(),
        }
    }
}

/// What a package names is a link only where a browser would fetch it as a page, and nothing else.
fn link(text: &str) -> Link {
    let is_address = text.starts_with("https://") || text.starts_with("http://");
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\`".contains(&byte));
    Link { text: text.to_owned(), url: if is_address && is_plain { text.to_owned() } else { String::new() } }
}

impl FileRow {
    pub(super) fn of(file: &FileEntry) -> Self {
        Self {
            path: file.path.clone(),
            size: if file.mode & 0o170_000 == 0o100_000 { size(file.size) } else { String::new() },
            mode: mode(file.mode),
            owner: format!("{}:{}", file.user, file.group),
            flags: file.flag_names().collect::<Vec<_>>().join(", "),
            target: file.link_target.clone(),
        }
    }
}

/// Kind and permissions as `ls -l` writes them.
fn mode(mode: u16) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o020_000 => 'c',
        0o060_000 => 'b',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '-',
    };
    let bit = |shift: u16, sign: char| if mode >> shift & 1 == 1 { sign } else { '-' };
    let mut text: Vec<char> = vec![kind];
    text.extend([8, 7, 6, 5, 4, 3, 2, 1, 0].iter().zip("rwxrwxrwx".chars()).map(|(shift, sign)| bit(*shift, sign)));
    for (special, at, sign) in [(11, 3, 's'), (10, 6, 's'), (9, 9, 't')] {
        if mode >> special & 1 == 1 {
            text[at] = if text[at] == 'x' { sign } else { sign.to_ascii_uppercase() };
        }
    }
    text.into_iter().collect()
}

/// What the package bundles.
pub(super) fn jars(header: &PackageHeader) -> Vec<Jar> {
    let mut jars: Vec<Jar> = header
        .provides
        .iter()
        .filter_map(|provided| {
            let component = provided.name.strip_prefix("bundled(")?.strip_suffix(')')?;
            let component = super::jars::without_kind(component);
            let url = format!("/ui/jars?jar={}", super::package_path::encoded(component));
            Some(Jar { component: component.to_owned(), version: provided.version.clone(), url })
        })
        .collect();
    jars.sort();
    jars.dedup();
    jars
}

/// The scriptlets and triggers.
pub(super) fn scripts(header: &PackageHeader) -> Vec<Script> {
    let scriptlets = header.scriptlets.iter().map(|scriptlet| Script {
        name: scriptlet.name.to_owned(),
        interpreter: scriptlet.interpreter.join(" "),
        body: scriptlet.body.clone(),
    });
    let triggers = header.triggers.iter().map(|trigger| {
        let watches: Vec<&str> = trigger.watches.iter().map(|watched| watched.name.as_str()).collect();
        Script {
            name: format!("{} of {}", trigger.name, watches.join(", ")),
            interpreter: trigger.interpreter.clone(),
            body: trigger.body.clone(),
        }
    });
    scriptlets.chain(triggers).collect()
}

/// The dependencies that say something: not those of rpm on itself, nor what is bundled.
pub(super) fn dependencies(header: &PackageHeader) -> Vec<Dependencies> {
    let kinds: [(&'static str, &[Dependency]); 8] = [
        ("requires", &header.requires),
        ("provides", &header.provides),
        ("conflicts", &header.conflicts),
        ("obsoletes", &header.obsoletes),
        ("recommends", &header.recommends),
        ("suggests", &header.suggests),
        ("supplements", &header.supplements),
        ("enhances", &header.enhances),
    ];
    let says = |one: &&Dependency| {
        one.flags & Dependency::RPMLIB == 0 && !one.name.starts_with("bundled(") && one.name != "build(commit)"
    };
    let kinds = kinds.into_iter().map(|(kind, all)| {
        let mut names: Vec<String> = all.iter().filter(says).map(ToString::to_string).collect();
        names.sort();
        names.dedup();
        Dependencies { kind, names }
    });
    kinds.filter(|kind| !kind.names.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_as_ls_writes_them() {
        for (bits, text) in [
            (0o100_644, "-rw-r--r--"),
            (0o040_755, "drwxr-xr-x"),
            (0o120_777, "lrwxrwxrwx"),
            (0o104_755, "-rwsr-xr-x"),
            (0o041_777, "drwxrwxrwt"),
            (0o102_640, "-rw-r-S---"),
        ] {
            assert_eq!(mode(bits), text);
        }
    }

    #[test]
    fn only_addresses_of_pages_are_links() {
        for (text, is_link) in [
            ("https://ci.example.org/57", true),
            ("javascript:alert(1)", false),
            ("git+https://git.example.org/a", false),
            ("https://a\" onmouseover=\"x", false),
            ("data:text/html,x", false),
        ] {
            assert_eq!(!link(text).url.is_empty(), is_link, "{text}");
        }
    }
}
