//! Finds what a spec asks for and places it.

use std::collections::BTreeSet;
use std::path::Path;

use tempfile::TempDir;

use super::archive;
use super::contents_error::{ContentsError, ContentsProblem, Links};
use super::listing::{Item, ItemKind, file, list, split_pattern};
use super::path_filter::PathFilter;
use super::unpacked::Choice;
use crate::layout::{Entry, EntryKind, Placed, Role, Source, Standing};
use crate::spec::{Attributes, ConfigurationFolder, Content, ContentKind, Expand, read_text};
use crate::war::{EntryTime, War};
use crate::{PackageSpec, SourceDate};

/// The contents of a package, found but hardly read.
#[derive(Debug)]
pub(crate) struct Contents {
    /// The WAR of a web application for Tomcat.
    pub(crate) war: Option<War>,
    /// Everything else.
    pub(crate) placed: Vec<Placed>,
    /// Keep what was packed or unpacked here until the package is written.
    _wars: Vec<War>,
    _unpacked: Vec<TempDir>,
}

impl Contents {
    /// Finds everything that a spec asks for.
    pub(crate) fn gather(spec: &PackageSpec, source_date: SourceDate) -> Result<Self, ContentsError> {
        let mut gathering = Gathering::new(spec, source_date);
        for content in &spec.contents {
            gathering.content(content).map_err(|problem| problem.at(&content.location))?;
        }
        if let Some(folder) = &spec.configuration {
            gathering.configuration(folder).map_err(|problem| problem.at(&folder.location))?;
        }
        let war = spec.tomcat.as_ref().map(|tomcat| {
            let war = War::open(&tomcat.war, gathering.entry_time());
            war.map_err(|error| ContentsProblem::from(error).at(&tomcat.location))
        });
        let Gathering { placed, wars, unpacked, .. } = gathering;
        Ok(Self { war: war.transpose()?, placed, _wars: wars, _unpacked: unpacked })
    }
}

/// What is found so far.
struct Gathering<'a> {
    spec: &'a PackageSpec,
    source_date: SourceDate,
    placed: Vec<Placed>,
    wars: Vec<War>,
    unpacked: Vec<TempDir>,
}

/// How the items of a tree are placed.
struct Tree<'a> {
    content: &'a Content,
    expand: Expand,
    items: Vec<Item>,
}

impl<'a> Gathering<'a> {
    fn new(spec: &'a PackageSpec, source_date: SourceDate) -> Self {
        Self { spec, source_date, placed: Vec::new(), wars: Vec::new(), unpacked: Vec::new() }
    }

    fn entry_time(&self) -> EntryTime {
        EntryTime::of_build(self.source_date, self.spec.build_number())
    }

    fn content(&mut self, content: &Content) -> Result<(), ContentsProblem> {
        match &content.kind {
            ContentKind::File { source, expand } => {
                let item = file(source)?;
                self.put(content, content.destination.as_str().to_owned(), &item, *expand)?;
            }
            ContentKind::War { source } => self.war(content, source)?,
            ContentKind::Directory => self.named(content, EntryKind::Directory),
            ContentKind::GhostFile => self.named(content, EntryKind::GhostFile),
            ContentKind::GhostDirectory => self.named(content, EntryKind::GhostDirectory),
            ContentKind::Symlink { target } => self.named(content, EntryKind::Symlink(target.clone())),
            ContentKind::Tree { source, filter, expand } => {
                let items = list(source, filter, Links::Allowed)?;
                self.top(content, filter);
                self.tree(Tree { content, expand: *expand, items })?;
            }
            ContentKind::Glob { pattern, filter, expand } => {
                let items = matching(pattern, filter)?;
                self.tree(Tree { content, expand: *expand, items })?;
            }
            ContentKind::Archive { source, strip_components, filter } => {
                let choice = Choice { strip_components: *strip_components, filter };
                let (directory, items) = archive::unpack(source, &choice)?;
                if items.is_empty() {
                    return Err(ContentsProblem::NoMatch(source.clone()));
                }
                self.unpacked.push(directory);
                self.top(content, filter);
                self.tree(Tree { content, expand: Expand::No, items })?;
            }
        }
        Ok(())
    }

    /// The directory that a whole tree is installed as.
    fn top(&mut self, content: &Content, filter: &PathFilter) {
        if !filter.is_partial() {
            let path = content.destination.as_str().to_owned();
            self.push(content, path, EntryKind::Directory, Standing::Implied);
        }
    }

    fn tree(&mut self, tree: Tree<'_>) -> Result<(), ContentsProblem> {
        for item in &tree.items {
            let path = tree.content.destination.join(&item.name);
            self.put(tree.content, path, &item.kind, tree.expand)?;
        }
        Ok(())
    }

    fn put(&mut self, content: &Content, path: String, item: &ItemKind, expand: Expand) -> Result<(), ContentsProblem> {
        match item {
            ItemKind::Directory => self.push(content, path, EntryKind::Directory, Standing::Implied),
            ItemKind::Symlink { target } => {
                self.push(content, path, EntryKind::Symlink(target.clone()), Standing::Named);
            }
            ItemKind::File { path: source, size, is_executable } => {
                let source = match expand {
                    Expand::No => Source::File(source.clone(), *size),
                    Expand::Yes => Source::Text(self.expanded(source)?),
                };
                self.push(content, path, EntryKind::File(source), Standing::Named);
                if let (Some(placed), true, None) = (self.placed.last_mut(), is_executable, content.attributes.mode) {
                    placed.entry.permissions = 0o755;
                }
            }
        }
        Ok(())
    }

    fn expanded(&self, path: &Path) -> Result<String, ContentsProblem> {
        let text = read_text(path).map_err(ContentsProblem::Read)?;
        let expanded = self.spec.variables.expand_file(&text);
        expanded.map_err(|(line, reason)| ContentsProblem::Variable { path: path.to_owned(), line, reason })
    }

    fn named(&mut self, content: &Content, kind: EntryKind) {
        self.push(content, content.destination.as_str().to_owned(), kind, Standing::Named);
    }

    fn push(&mut self, content: &Content, path: String, kind: EntryKind, standing: Standing) {
        let Attributes { user, group, mode, role, capabilities } = &content.attributes;
        let is_directory = matches!(kind, EntryKind::Directory | EntryKind::GhostDirectory);
        let is_file = matches!(kind, EntryKind::File(_) | EntryKind::GhostFile);
        let permissions = match (&kind, mode) {
            (EntryKind::Symlink(_), _) => 0o777,
            (_, Some(mode)) if standing == Standing::Implied => enterable(*mode),
            (_, Some(mode)) => *mode,
            (_, None) if is_directory => 0o755,
            (_, None) => 0o644,
        };
        let entry = Entry {
            user: user.clone(),
            group: group.clone(),
            role: if is_file { *role } else { Role::Plain },
            capabilities: capabilities.clone().filter(|_| is_file),
            ..Entry::new(path, kind, permissions, self.source_date.seconds())
        };
        self.placed.push(Placed { entry, origin: Some(content.location.clone()), standing });
    }

    /// A WAR has the time of its build, so that Tomcat unpacks it again.
    fn war(&mut self, content: &Content, source: &Path) -> Result<(), ContentsProblem> {
        let war = War::open(source, self.entry_time())?;
        self.named(content, EntryKind::File(Source::File(war.path.clone(), war.size)));
        if let Some(placed) = self.placed.last_mut() {
            placed.entry.mtime = self.source_date.of_build(self.spec.build_number());
        }
        self.wars.push(war);
        Ok(())
    }

    /// Configuration: root's; where there is a group that may read it, nobody else may.
    fn configuration(&mut self, folder: &ConfigurationFolder) -> Result<(), ContentsProblem> {
        let items = list(&folder.source, &folder.filter, Links::Inside)?;
        let attributes = Attributes {
            group: folder.group.clone().unwrap_or_else(|| "root".to_owned()),
            mode: Some(if folder.group.is_some() { 0o640 } else { 0o644 }),
            role: Role::ConfigNoReplace,
            ..Attributes::default()
        };
        let content = Content {
            location: folder.location.clone(),
            kind: ContentKind::Directory,
            destination: folder.destination.clone(),
            attributes,
        };
        self.top(&content, &folder.filter);
        self.tree(Tree { content: &content, expand: folder.expand, items })
    }
}

/// Directories can be entered by whoever may read them.
fn enterable(mode: u16) -> u16 {
    mode | (mode & 0o444) >> 2
}

/// Lists what matches a pattern, by its path below the pattern's fixed part, with the directories between.
fn matching(pattern: &Path, filter: &PathFilter) -> Result<Vec<Item>, ContentsProblem> {
    let no_match = || ContentsProblem::NoMatch(pattern.to_owned());
    let (directory, rest) = split_pattern(pattern);
    let filter = filter.only(&rest).map_err(|_| no_match())?;
    let mut items = list(&directory, &filter, Links::Allowed)?;
    items.retain(|item| item.kind != ItemKind::Directory);
    let parents = |item: &Item| item.name.match_indices('/').map(|(index, _)| item.name[..index].to_owned()).collect();
    let directories: BTreeSet<String> = items.iter().flat_map::<Vec<_>, _>(parents).collect();
    items.extend(directories.into_iter().map(|name| Item { name, kind: ItemKind::Directory }));
    if items.is_empty() { Err(no_match()) } else { Ok(items) }
}
