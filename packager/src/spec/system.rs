//! `[[systemd]]` and `[[users]]`: units, drop-ins and system users.

use super::located::Located;
use super::raw_system::{RawSystemd, RawUser};
use super::resolver::{Expand, Resolver};
use super::value::{account, drop_in, unit, user_comment, user_path};
use super::{Attributes, Content, ContentKind, InstallPath, SpecError};

/// Where packages put units (`file-hierarchy(7)`).
const UNITS: &str = "/usr/lib/systemd/system";

/// A unit of systemd that a package brings along or adds to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// A unit of its own, by name.
    Own(String),
    /// A drop-in of this unit.
    DropIn(String),
}

/// A system user with a group of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemUser {
    /// The name of both.
    pub name: String,
    /// What it is for.
    pub comment: String,
    /// The home directory.
    pub home: InstallPath,
    /// The shell.
    pub shell: InstallPath,
}

/// Resolves one entry of `systemd`: the unit, and what is installed for it.
pub(super) fn systemd(resolver: &Resolver<'_>, raw: &Located<RawSystemd>) -> Result<(Unit, Vec<Content>), SpecError> {
    let written = raw.value();
    let example = "source = \"files/shop.service\"";
    let source = resolver.required_in(raw.span(), "systemd.source", written.source.as_ref(), example)?;
    let path = resolver.path(&source);
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let parent = resolver.optional_as("systemd.drop_in_of", written.drop_in_of.as_ref(), unit)?;
    let named = resolver.optional("systemd.name", written.name.as_ref())?;
    let check = if parent.is_some() { drop_in } else { unit };
    let name = match named {
        Some(name) => name.read(check)?,
        None => source.read(|_| check(&file_name))?,
    };
    let location = resolver.file.location(raw.span());
    let place = |kind, path: String| -> Result<Content, SpecError> {
        let destination = source.read(|_| path.parse())?;
        Ok(Content { location: location.clone(), kind, destination, attributes: Attributes::default() })
    };
    // A unit that could be executed makes systemd warn.
    let mut file = place(
        ContentKind::File { source: path, expand: Expand::No },
        match &parent {
            Some(parent) => format!("{UNITS}/{parent}.d/{name}"),
            None => format!("{UNITS}/{name}"),
        },
    )?;
    file.attributes.mode = Some(0o644);
    Ok(match parent {
        Some(parent) => {
            let directory = place(ContentKind::Directory, format!("{UNITS}/{parent}.d"))?;
            (Unit::DropIn(parent), vec![directory, file])
        }
        None => (Unit::Own(name), vec![file]),
    })
}

/// Resolves one entry of `users`.
pub(super) fn user(resolver: &Resolver<'_>, raw: &Located<RawUser>) -> Result<SystemUser, SpecError> {
    let written = raw.value();
    let name = resolver.required_in(raw.span(), "users.name", written.name.as_ref(), "name = \"shop\"")?;
    let path = |key, text, default: &str| match resolver.optional_as(key, text, user_path)? {
        Some(path) => Ok(path),
        None => name.read(|_| default.parse::<InstallPath>()),
    };
    let name_text = name.read(|text| account(text, "user"))?;
    let comment = resolver.optional_as("users.comment", written.comment.as_ref(), user_comment)?;
    Ok(SystemUser {
        comment: comment.unwrap_or_else(|| name_text.clone()),
        home: path("users.home", written.home.as_ref(), "/")?,
        shell: path("users.shell", written.shell.as_ref(), "/usr/sbin/nologin")?,
        name: name_text,
    })
}
