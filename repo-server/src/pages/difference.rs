//! The page of what differs between two versions of a package.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rpm_header::{FileEntry, PackageHeader};
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::event::Link;
use super::package_path::PackagePath;
use super::template::{PageError, Shell, render};
use super::version::{Note, dependencies, jars, notes, scripts};
use super::written::size;
use crate::payload::LARGEST;
use crate::state::PackageRecord;

/// How many files of a kind are named.
const NAMED: usize = 200;
/// How many configuration files are compared line by line.
const COMPARED: usize = 20;
/// How long two texts may be compared.
const PATIENCE: Duration = Duration::from_millis(20);

/// Two versions of a package.
#[derive(Debug)]
pub(crate) struct Compared<'a> {
    pub(crate) from: Side<'a>,
    pub(crate) to: Side<'a>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Side<'a> {
    pub(crate) package: &'a PackageRecord,
    pub(crate) header: &'a PackageHeader,
    /// Those of [`Compared::configuration`] that could be read.
    pub(crate) texts: BTreeMap<String, Vec<u8>>,
}

/// `/ui/packages/NAME/differences?from=VERSION&to=VERSION`
#[derive(Debug, Serialize)]
pub(crate) struct Difference {
    package: Link,
    from: Link,
    to: Link,
    sizes: (String, String),
    notes: Vec<Note>,
    jars: Vec<JarStep>,
    configuration: Vec<FileStep>,
    files: Files,
    dependencies: Vec<DependencyStep>,
    scriptlets: Vec<FileStep>,
    is_same: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct JarStep {
    component: String,
    before: String,
    after: String,
}

/// A text that came, went or changed.
#[derive(Debug, Serialize)]
struct FileStep {
    name: String,
    step: &'static str,
    /// Line by line; empty where that is not known.
    hunks: Vec<Vec<Line>>,
    note: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Line {
    /// `+`, `-` or a blank.
    sign: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct Files {
    come: Vec<String>,
    gone: Vec<String>,
    changed: Vec<String>,
    /// How many more of each.
    more: [usize; 3],
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct DependencyStep {
    kind: &'static str,
    come: Vec<String>,
    gone: Vec<String>,
}

impl Compared<'_> {
    /// The configuration files whose texts are worth reading: those that differ.
    pub(crate) fn configuration(from: &PackageHeader, to: &PackageHeader) -> Vec<String> {
        let before = configuration(from);
        let after = configuration(to);
        let differs = |path: &&&str| {
            let (before, after) = (before.get(**path), after.get(**path));
            before.map(|file| &file.digest) != after.map(|file| &file.digest)
        };
        let paths: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        let is_small = |path: &&&str| {
            let sizes = [before.get(**path), after.get(**path)];
            sizes.into_iter().flatten().all(|file| file.size <= LARGEST && file.mode & 0o170_000 == 0o100_000)
        };
        let meant = paths.iter().filter(differs).filter(is_small).take(COMPARED);
        meant.map(|path| (*path).to_owned()).collect()
    }
}

impl Difference {
    /// Compares.
    pub(crate) fn new(compared: &Compared<'_>) -> Self {
        let (from, to) = (&compared.from, &compared.to);
        let paths = (PackagePath::of(&from.package.nevra), PackagePath::of(&to.package.nevra));
        let link = |path: &PackagePath| Link { text: path.version.clone(), url: path.url() };
        let known: Vec<Note> = notes(from.header).collect();
        let mut difference = Self {
            package: Link { text: paths.1.name.clone(), url: paths.1.package_url() },
            from: link(&paths.0),
            to: link(&paths.1),
            sizes: (size(from.package.size), size(to.package.size)),
            notes: notes(to.header).filter(|note| !known.contains(note)).take(20).collect(),
            jars: jar_steps(from.header, to.header),
            configuration: configuration_steps(from, to),
            files: Files::between(from.header, to.header),
            dependencies: dependency_steps(from.header, to.header),
            scriptlets: script_steps(from.header, to.header),
            is_same: false,
        };
        difference.is_same = difference.notes.is_empty()
            && difference.jars.is_empty()
            && difference.configuration.is_empty()
            && difference.files.is_empty()
            && difference.dependencies.is_empty()
            && difference.scriptlets.is_empty();
        difference
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("difference.html", shell, self)
    }
}

fn configuration(header: &PackageHeader) -> BTreeMap<&str, &FileEntry> {
    let files = header.files.iter().filter(|file| file.is_config());
    files.map(|file| (file.path.as_str(), file)).collect()
}

fn configuration_steps(from: &Side<'_>, to: &Side<'_>) -> Vec<FileStep> {
    let (before, after) = (configuration(from.header), configuration(to.header));
    let paths: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let step = |path: &str| {
        let step = match (before.get(path), after.get(path)) {
            (Some(before), Some(after)) if before.digest == after.digest => return None,
            (Some(_), Some(_)) => "changed",
            (None, _) => "added",
            (Some(_), None) => "removed",
        };
        let side = |side: &Side<'_>, is_there: bool| match (is_there, side.texts.get(path)) {
            (false, _) => Some(String::new()),
            (true, text) => text.and_then(|text| String::from_utf8(text.clone()).ok()),
        };
        let texts = (side(from, before.contains_key(path)), side(to, after.contains_key(path)));
        let (hunks, note) = match texts {
            (Some(before), Some(after)) => (hunks(&before, &after), None),
            _ => (Vec::new(), Some("its text is too long, or no text, or too deep in the package")),
        };
        Some(FileStep { name: path.to_owned(), step, hunks, note })
    };
    paths.into_iter().filter_map(step).take(NAMED).collect()
}

fn script_steps(from: &PackageHeader, to: &PackageHeader) -> Vec<FileStep> {
    let by_name = |header| scripts(header).into_iter().map(|script| (script.name.clone(), script)).collect();
    let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) = (by_name(from), by_name(to));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let step = |name: &String| {
        let step = match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) if before == after => return None,
            (Some(_), Some(_)) => "changed",
            (None, _) => "added",
            (Some(_), None) => "removed",
        };
        let body =
            |script: Option<&super::version::Script>| script.map_or("", |script| script.body.as_str()).to_owned();
        let hunks = hunks(&body(before.get(name)), &body(after.get(name)));
        Some(FileStep { name: name.clone(), step, hunks, note: None })
    };
    names.into_iter().filter_map(step).collect()
}

/// What differs, line by line, with three lines around it.
fn hunks(before: &str, after: &str) -> Vec<Vec<Line>> {
    let difference = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
    let hunk = |group: &Vec<similar::DiffOp>| {
        let changes = group.iter().flat_map(|operation| difference.iter_changes(operation));
        changes
            .map(|change| {
                let sign = match change.tag() {
                    ChangeTag::Delete => "-",
                    ChangeTag::Insert => "+",
                    ChangeTag::Equal => " ",
                };
                Line { sign, text: change.value().trim_end_matches(['\n', '\r']).to_owned() }
            })
            .collect()
    };
    difference.grouped_ops(3).iter().map(hunk).collect()
}

fn jar_steps(from: &PackageHeader, to: &PackageHeader) -> Vec<JarStep> {
    let by_component = |header| {
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for jar in jars(header) {
            versions.entry(jar.component).or_default().insert(jar.version);
        }
        versions
    };
    let (before, after) = (by_component(from), by_component(to));
    let components: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let versions = |versions: Option<&BTreeSet<String>>| {
        versions.map(|versions| versions.iter().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default()
    };
    let step = |component: &String| {
        let (before, after) = (versions(before.get(component)), versions(after.get(component)));
        (before != after).then(|| JarStep { component: component.clone(), before, after })
    };
    components.into_iter().filter_map(step).collect()
}

fn dependency_steps(from: &PackageHeader, to: &PackageHeader) -> Vec<DependencyStep> {
    // That a package provides itself goes without saying.
    let of = |header: &PackageHeader| -> BTreeMap<&'static str, BTreeSet<String>> {
        let (own, with_arch) = (format!("{} = ", header.nevra.name), format!("{}(", header.nevra.name));
        let says = |name: &String| !name.starts_with(&own) && !name.starts_with(&with_arch);
        let kinds = dependencies(header).into_iter();
        kinds.map(|kind| (kind.kind, kind.names.into_iter().filter(says).collect())).collect()
    };
    let (before, after) = (of(from), of(to));
    let kinds: BTreeSet<&'static str> = before.keys().chain(after.keys()).copied().collect();
    let none = BTreeSet::new();
    let step = |kind: &'static str| {
        let (before, after) = (before.get(kind).unwrap_or(&none), after.get(kind).unwrap_or(&none));
        let (come, gone) = (after.difference(before).cloned().collect(), before.difference(after).cloned().collect());
        (before != after).then_some(DependencyStep { kind, come, gone })
    };
    kinds.into_iter().filter_map(step).collect()
}

impl Files {
    fn between(from: &PackageHeader, to: &PackageHeader) -> Self {
        let by_path = |header: &PackageHeader| -> BTreeMap<String, FileEntry> {
            let files = header.files.iter().filter(|file| !file.is_config());
            files.map(|file| (file.path.clone(), FileEntry { mtime: 0, ..file.clone() })).collect()
        };
        let (before, after) = (by_path(from), by_path(to));
        let mut files = Self { come: Vec::new(), gone: Vec::new(), changed: Vec::new(), more: [0; 3] };
        for (path, file) in &after {
            match before.get(path) {
                None => files.come.push(path.clone()),
                Some(known) if known != file => files.changed.push(path.clone()),
                Some(_) => {}
            }
        }
        files.gone.extend(before.keys().filter(|path| !after.contains_key(*path)).cloned());
        for (index, list) in [&mut files.come, &mut files.gone, &mut files.changed].into_iter().enumerate() {
            files.more[index] = list.len().saturating_sub(NAMED);
            list.truncate(NAMED);
        }
        files
    }

    fn is_empty(&self) -> bool {
        self.come.is_empty() && self.gone.is_empty() && self.changed.is_empty()
    }
}
