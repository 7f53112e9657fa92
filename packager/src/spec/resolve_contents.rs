//! Resolves `[[contents]]`: which keys each type takes, and what they default to.

use std::path::Path;

use super::content::{Attributes, Content, ContentKind};
use super::located::{Located, Text};
use super::raw_contents::{ContentType, RawContent, RawRole};
use super::resolver::{Expand, Resolved, Resolver};
use super::value::{account, capabilities, mode};
use super::{InstallPath, SpecError, ValueError};
use crate::contents::PathFilter;
use crate::layout::Role;

const FILE: &[&str] = &["source", "destination", "owner", "group", "mode", "capabilities", "expand"];
const WAR: &[&str] = &["source", "destination", "owner", "group", "mode"];
const CONFIG: &[&str] = &["source", "destination", "owner", "group", "mode", "noreplace", "missingok", "expand"];
const DIRECTORY: &[&str] = &["destination", "owner", "group", "mode"];
const TREE: &[&str] = &[
    "source",
    "destination",
    "owner",
    "group",
    "mode",
    "role",
    "noreplace",
    "missingok",
    "include",
    "exclude",
    "expand",
];
const SYMLINK: &[&str] = &["target", "destination", "owner", "group"];
const GHOST: &[&str] = &["destination", "owner", "group", "mode", "role", "noreplace", "missingok"];
const DOC: &[&str] = &["source", "destination", "owner", "group", "mode", "expand"];
const ARCHIVE: &[&str] = &[
    "source",
    "destination",
    "owner",
    "group",
    "mode",
    "role",
    "noreplace",
    "missingok",
    "include",
    "exclude",
    "strip_components",
];

impl ContentType {
    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::War => "war",
            Self::Config => "config",
            Self::Directory => "directory",
            Self::Tree => "tree",
            Self::Glob => "glob",
            Self::Symlink => "symlink",
            Self::Ghost => "ghost",
            Self::Doc => "doc",
            Self::License => "license",
            Self::Archive => "archive",
        }
    }

    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::File => FILE,
            Self::War => WAR,
            Self::Config => CONFIG,
            Self::Directory => DIRECTORY,
            Self::Tree | Self::Glob => TREE,
            Self::Symlink => SYMLINK,
            Self::Ghost => GHOST,
            Self::Doc | Self::License => DOC,
            Self::Archive => ARCHIVE,
        }
    }
}

/// Resolves one entry, of a package of that name. Documentation without a destination brings its directory along.
pub(super) fn content(
    resolver: &Resolver<'_>,
    raw: &Located<RawContent>,
    package: &str,
) -> Result<Vec<Content>, SpecError> {
    check_keys(resolver, raw)?;
    let entry = Entry { resolver, raw, package };
    let (destination, closed) = entry.destination()?;
    let content = Content {
        location: resolver.file.location(raw.span()),
        kind: entry.kind(closed)?,
        attributes: entry.attributes()?,
        destination,
    };
    let mut contents = entry.own_directory(&content)?;
    contents.push(content);
    Ok(contents)
}

fn check_keys(resolver: &Resolver<'_>, raw: &Located<RawContent>) -> Result<(), SpecError> {
    let content = raw.value();
    let allowed = content.kind.keys();
    let Some(key) = present_keys(content).into_iter().find(|key| !allowed.contains(key)) else { return Ok(()) };
    let reason = ValueError::KeyOfOtherType { key, kind: content.kind.name(), allowed: allowed.join("`, `") };
    Err(SpecError::Value { location: resolver.file.location_within(raw.span(), key), key: "contents", reason })
}

fn present_keys(raw: &RawContent) -> Vec<&'static str> {
    let keys = [
        ("source", raw.source.is_some()),
        ("destination", raw.destination.is_some()),
        ("target", raw.target.is_some()),
        ("owner", raw.owner.is_some()),
        ("group", raw.group.is_some()),
        ("mode", raw.mode.is_some()),
        ("capabilities", raw.capabilities.is_some()),
        ("role", raw.role.is_some()),
        ("noreplace", raw.noreplace.is_some()),
        ("missingok", raw.missingok.is_some()),
        ("include", raw.include.is_some()),
        ("exclude", raw.exclude.is_some()),
        ("expand", raw.expand.is_some()),
        ("strip_components", raw.strip_components.is_some()),
    ];
    keys.into_iter().filter(|(_, is_present)| *is_present).map(|(key, _)| key).collect()
}

/// One entry that is resolved.
struct Entry<'a> {
    resolver: &'a Resolver<'a>,
    raw: &'a Located<RawContent>,
    package: &'a str,
}

impl Entry<'_> {
    fn raw(&self) -> &RawContent {
        self.raw.value()
    }

    fn source(&self) -> Result<Resolved, SpecError> {
        let example = "source = \"files/shop.conf\"";
        self.resolver.required_in(self.raw.span(), "contents.source", self.raw().source.as_ref(), example)
    }

    /// The path, and whether it was written with a closing `/`.
    fn destination(&self) -> Result<(InstallPath, bool), SpecError> {
        let written = self.raw().destination.as_ref();
        if written.is_none()
            && let Some(directory) = self.default_directory()
        {
            let source = self.source()?;
            return Ok((source.read(|text| in_directory(&directory, text))?, true));
        }
        let example = "destination = \"/usr/share/shop/shop.conf\"";
        let value = self.resolver.required_in(self.raw.span(), "contents.destination", written, example)?;
        let Some(directory) = value.value.strip_suffix('/').filter(|directory| !directory.is_empty()) else {
            return Ok((value.read(str::parse)?, false));
        };
        let takes_name = matches!(
            self.raw().kind,
            ContentType::File | ContentType::War | ContentType::Config | ContentType::Doc | ContentType::License
        );
        let path = if takes_name {
            let source = self.source()?;
            value.read(|_| in_directory(directory, &source.value))?
        } else {
            value.read(|_| directory.parse())?
        };
        Ok((path, true))
    }

    fn default_directory(&self) -> Option<String> {
        match self.raw().kind {
            ContentType::Doc => Some(format!("/usr/share/doc/{}", self.package)),
            ContentType::License => Some(format!("/usr/share/licenses/{}", self.package)),
            _ => None,
        }
    }

    /// The directory of documentation that has no other place: rpm's own macros have a package own it.
    fn own_directory(&self, content: &Content) -> Result<Vec<Content>, SpecError> {
        let Some(directory) = self.default_directory().filter(|_| self.raw().destination.is_none()) else {
            return Ok(Vec::new());
        };
        let destination = self.source()?.read(|_| directory.parse())?;
        let (kind, attributes) = (ContentKind::Directory, Attributes::default());
        Ok(vec![Content { location: content.location.clone(), kind, destination, attributes }])
    }

    fn kind(&self, closed: bool) -> Result<ContentKind, SpecError> {
        let expand = Expand::of(self.raw().expand.as_ref());
        Ok(match self.raw().kind {
            ContentType::File | ContentType::Config | ContentType::Doc | ContentType::License => {
                ContentKind::File { source: self.resolver.path(&self.source()?), expand }
            }
            ContentType::War => ContentKind::War { source: self.resolver.path(&self.source()?) },
            ContentType::Directory => ContentKind::Directory,
            ContentType::Tree => {
                ContentKind::Tree { source: self.resolver.path(&self.source()?), filter: self.filter()?, expand }
            }
            ContentType::Glob => {
                ContentKind::Glob { pattern: self.resolver.path(&self.source()?), filter: self.filter()?, expand }
            }
            ContentType::Symlink => {
                let (target, example) = (self.raw().target.as_ref(), "target = \"../share/shop\"");
                let target = self.resolver.required_in(self.raw.span(), "contents.target", target, example)?;
                ContentKind::Symlink { target: target.read(super::value::line)? }
            }
            ContentType::Ghost if closed => ContentKind::GhostDirectory,
            ContentType::Ghost => ContentKind::GhostFile,
            ContentType::Archive => ContentKind::Archive {
                source: self.resolver.path(&self.source()?),
                strip_components: self.raw().strip_components.as_ref().map_or(0, |count| *count.value() as usize),
                filter: self.filter()?,
            },
        })
    }

    fn filter(&self) -> Result<PathFilter, SpecError> {
        filter(self.resolver, self.raw().include.as_deref(), self.raw().exclude.as_deref())
    }

    fn attributes(&self) -> Result<Attributes, SpecError> {
        let raw = self.raw();
        let default = Attributes::default();
        let optional = |key, text| self.resolver.optional(key, text);
        let owner = optional("contents.owner", raw.owner.as_ref())?;
        let group = optional("contents.group", raw.group.as_ref())?;
        let mode_text = optional("contents.mode", raw.mode.as_ref())?;
        let granted = optional("contents.capabilities", raw.capabilities.as_ref())?;
        Ok(Attributes {
            user: owner.map_or(Ok(default.user), |value| value.read(|text| account(text, "user")))?,
            group: group.map_or(Ok(default.group), |value| value.read(|text| account(text, "group")))?,
            mode: mode_text.map(|value| value.read(mode)).transpose()?,
            capabilities: granted.map(|value| value.read(capabilities)).transpose()?,
            role: self.role()?,
        })
    }

    fn role(&self) -> Result<Role, SpecError> {
        let raw = self.raw();
        let is_set = |key: &Option<Located<bool>>| key.as_ref().is_some_and(|key| *key.value());
        let config = match (is_set(&raw.noreplace), is_set(&raw.missingok)) {
            (false, false) => Role::Config,
            (true, false) => Role::ConfigNoReplace,
            (false, true) => Role::ConfigMissingOk,
            (true, true) => Role::ConfigNoReplaceMissingOk,
        };
        match (raw.kind, raw.role) {
            (ContentType::Config, _) | (_, Some(RawRole::Config)) => Ok(config),
            _ if config != Role::Config => {
                let key = if is_set(&raw.noreplace) { "noreplace" } else { "missingok" };
                let location = self.resolver.file.location_within(self.raw.span(), key);
                Err(SpecError::Value { location, key: "contents", reason: ValueError::ConfigOnly(key) })
            }
            (ContentType::Doc, _) | (_, Some(RawRole::Doc)) => Ok(Role::Documentation),
            (ContentType::License, _) | (_, Some(RawRole::License)) => Ok(Role::License),
            _ => Ok(Role::Plain),
        }
    }
}

/// Makes a filter of a table's patterns.
pub(super) fn filter(
    resolver: &Resolver<'_>,
    include: Option<&[Text]>,
    exclude: Option<&[Text]>,
) -> Result<PathFilter, SpecError> {
    let patterns = |key, texts: Option<&[Text]>| resolver.list(key, texts.unwrap_or_default(), PathFilter::pattern);
    Ok(PathFilter::new(patterns("include", include)?, patterns("exclude", exclude)?))
}

/// A file's path in a directory, under its own name.
fn in_directory(directory: &str, source: &str) -> Result<InstallPath, ValueError> {
    let name = Path::new(source).file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| ValueError::InstallPath(format!("{directory}/")))?;
    format!("{directory}/{name}").parse()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Overrides, SpecFile, Variables};

    const HEAD: &str = "name='shop'\nsummary='s'\nlicense='MIT'\nversion='1'\nrelease='57'\n[[contents]]\n";

    fn contents(text: &str) -> Result<Vec<Content>, SpecError> {
        let file = SpecFile::parse(Path::new("specs/x.toml"), format!("{HEAD}{text}"))?;
        Ok(file.resolve(&Variables::default(), &Overrides::default())?.remove(0).contents)
    }

    #[test]
    fn destinations() {
        for (text, expected) in [
            ("type='file'\nsource='a/b.txt'\ndestination='/x/'", &["/x/b.txt"][..]),
            ("type='file'\nsource='a/b.txt'\ndestination='/x/c'", &["/x/c"]),
            ("type='war'\nsource='a.war'\ndestination='/x/'", &["/x/a.war"]),
            ("type='tree'\nsource='a'\ndestination='/x/'", &["/x"]),
            ("type='directory'\ndestination='/x/'", &["/x"]),
            ("type='doc'\nsource='a/README'", &["/usr/share/doc/shop", "/usr/share/doc/shop/README"]),
            ("type='doc'\nsource='a/README'\ndestination='/x/'", &["/x/README"]),
            ("type='license'\nsource='L'", &["/usr/share/licenses/shop", "/usr/share/licenses/shop/L"]),
        ] {
            let contents = contents(text).unwrap();
            let paths: Vec<_> = contents.iter().map(|content| content.destination.as_str()).collect();
            assert_eq!(paths, expected, "{text}");
        }
    }

    #[test]
    fn roles() {
        let role = |text: &str| contents(text).unwrap().pop().unwrap().attributes.role;
        let file = "source='a'\ndestination='/a'\n";
        assert_eq!(role(&format!("type='config'\n{file}")), Role::Config);
        assert_eq!(role(&format!("type='config'\n{file}noreplace=true")), Role::ConfigNoReplace);
        assert_eq!(role(&format!("type='config'\n{file}noreplace=false\nmissingok=true")), Role::ConfigMissingOk);
        assert_eq!(
            role(&format!("type='tree'\n{file}role='config'\nnoreplace=true\nmissingok=true")),
            Role::ConfigNoReplaceMissingOk
        );
        assert_eq!(role(&format!("type='tree'\n{file}role='doc'")), Role::Documentation);
        assert_eq!(role(&format!("type='license'\n{file}")), Role::License);
    }

    #[test]
    fn ghosts_are_files_or_directories() {
        let kind = |text: &str| contents(text).unwrap().pop().unwrap().kind;
        assert!(matches!(kind("type='ghost'\ndestination='/a'"), ContentKind::GhostFile));
        assert!(matches!(kind("type='ghost'\ndestination='/a/'"), ContentKind::GhostDirectory));
    }

    #[test]
    fn errors_say_what_and_where() {
        for (text, expected) in [
            ("type='file'", "specs/x.toml:6: the key `contents.destination` is missing"),
            ("type='file'\ndestination='/a'", "specs/x.toml:6: the key `contents.source` is missing"),
            ("type='symlink'\ndestination='/a'", "specs/x.toml:6: the key `contents.target` is missing"),
            (
                "type='file'\nsource='a'\ndestination='a'",
                "specs/x.toml:9: `contents.destination`: `a` is not a path on",
            ),
            (
                "type='file'\nsource='a'\ndestination='/a/../b'",
                "specs/x.toml:9: `contents.destination`: `/a/../b` is not",
            ),
            ("type='file'\nsource='..'\ndestination='/a/'", "specs/x.toml:9: `contents.destination`: `/a/` is not"),
            ("type='file'\nsource=''\ndestination='/a'", "specs/x.toml:8: `contents.source`: is empty"),
            ("type='file'\nsource='${N}'\ndestination='/a'", "specs/x.toml:8: `contents.source`: the variable `N` is"),
            ("type='ghost'\ndestination='/a'\nmode='999'", "specs/x.toml:9: `contents.mode`: `999` is not a mode"),
            ("type='ghost'\ndestination='/a'\nowner='a b'", "specs/x.toml:9: `contents.owner`: `a b` is not a user"),
            (
                "type='file'\nsource='a'\ndestination='/a'\ncapabilities='all'",
                "specs/x.toml:10: `contents.capabilities`: `all` are no capabilities",
            ),
            (
                "type='tree'\nsource='a'\ndestination='/a'\nexclude=['ok', '[']",
                "specs/x.toml:10: `exclude`: `[` is not a pattern",
            ),
            (
                "type='tree'\nsource='a'\ndestination='/a'\nnoreplace=true",
                "specs/x.toml:6: `contents`: `noreplace` is for",
            ),
        ] {
            let error = contents(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let error = contents("type='symlink'\nsource='a'").unwrap_err().to_string();
        let expected = "`contents`: a content of type \"symlink\" takes no `source`; it takes `target`, `destination`, \
                        `owner`, `group`";
        assert!(error.ends_with(expected), "{error}");
    }
}
