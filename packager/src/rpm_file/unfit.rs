//! What the format, or the oldest system that has to read the package, cannot hold.

use std::collections::BTreeSet;

use crate::{Compression, Entry, EntryKind, PackageLayout, ScriptletKind, Target};

use super::{dependency_tags, file_tags, script_tags};

/// Says why a layout cannot become a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnfitLayout {
    /// A path is not absolute, not normal, too long, or holds control characters.
    #[error(
        "the path {0:?} cannot stand in a package; allowed are absolute paths of up to 4093 bytes and names of up to 255, \
         without `.`, `..`, `//`, a closing `/` and control characters"
    )]
    Path(String),
    /// The package's own file would have too long a name.
    #[error("the package's file would be named by {0} bytes; allowed are 255: shorten the name, version or release")]
    FileName(usize),
    /// Paths are not in order, or there twice.
    #[error("the path `{0}` does not come after the one before it, in the order of bytes")]
    Order(String),
    /// A link points nowhere.
    #[error("the link `{path}` has the target {link:?}; allowed are 1 to 4093 bytes without control characters")]
    Link {
        /// The link.
        path: String,
        /// Its target.
        link: String,
    },
    /// A text holds a zero byte.
    #[error("the {0} holds a zero byte, which ends a text in a package")]
    Zero(&'static str),
    /// An interpreter is no program.
    #[error("the interpreter `{0}` is neither an absolute path nor `<lua>`")]
    Interpreter(String),
    /// A trigger's interpreter has arguments.
    #[error("the interpreter `{0}` of a trigger has arguments, which rpm allows for scriptlets only")]
    TriggerArguments(String),
    /// A scriptlet is there twice.
    #[error("there are two `{}` scriptlets; rpm runs one", .0.name())]
    Twice(ScriptletKind),
    /// A trigger watches nothing.
    #[error("a trigger watches nothing")]
    IdleTrigger,
    /// A file trigger watches what is no path.
    #[error("a file trigger watches `{0}`; allowed are the beginnings of absolute paths")]
    TriggerPath(String),
    /// The target's rpm lacks something.
    #[error("the rpm of target `{target}` cannot handle {what}; {instead}")]
    Target {
        /// The target.
        target: Target,
        /// What it lacks.
        what: &'static str,
        /// What to do about it.
        instead: &'static str,
    },
    /// The header would be larger than rpm reads.
    #[error("the package's header is {0} bytes long; allowed are 67108864")]
    Header(usize),
}

/// rpm's limit for a path in an archive (`lib/cpio.c`) is 4096 bytes, with the `.` before it and the zero behind it.
const PATH_MAX: usize = 4093;

/// Bytes of a name in a directory (Linux's NAME_MAX).
const NAME_MAX: usize = 255;

/// Refuses what cannot become a package.
pub(super) fn check(layout: &PackageLayout) -> Result<(), UnfitLayout> {
    let name_length = layout.about.nevra.file_name().len();
    if name_length > NAME_MAX {
        return Err(UnfitLayout::FileName(name_length));
    }
    check_texts(layout)?;
    layout.entries.iter().try_for_each(check_entry)?;
    match layout.entries.windows(2).find(|pair| pair[0].path >= pair[1].path) {
        Some(pair) => return Err(UnfitLayout::Order(pair[1].path.clone())),
        None => check_scripts(layout)?,
    }
    check_target(layout)
}

fn check_entry(entry: &Entry) -> Result<(), UnfitLayout> {
    let path = &entry.path;
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= NAME_MAX;
    let is_normal = path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_name));
    if !is_normal || path.len() > PATH_MAX || path.contains(char::is_control) {
        return Err(UnfitLayout::Path(path.clone()));
    }
    match &entry.kind {
        EntryKind::Symlink(link) if link.is_empty() || link.len() > PATH_MAX || link.contains(char::is_control) => {
            Err(UnfitLayout::Link { path: path.clone(), link: link.clone() })
        }
        _ => Ok(()),
    }
}

fn check_texts(layout: &PackageLayout) -> Result<(), UnfitLayout> {
    let about = &layout.about;
    let optional = [
        &about.url,
        &about.vendor,
        &about.group,
        &about.packager,
        &about.build_host,
        &about.vcs,
        &about.dist_url,
        &about.bug_url,
    ];
    let kinds = &layout.dependencies;
    let dependencies = [
        &kinds.provides,
        &kinds.requires,
        &kinds.conflicts,
        &kinds.obsoletes,
        &kinds.recommends,
        &kinds.suggests,
        &kinds.supplements,
        &kinds.enhances,
    ];
    let owners = |entry: &'_ Entry| {
        [&entry.user, &entry.group].into_iter().chain(&entry.capabilities).any(|text| text.contains('\0'))
    };
    let texts = [
        ("summary", about.summary.contains('\0')),
        ("description", about.description.contains('\0')),
        ("license", about.license.contains('\0')),
        (
            "url, vendor, group, packager, build host, vcs, build or bug url",
            optional.into_iter().flatten().any(|text| text.contains('\0')),
        ),
        ("changelog", layout.changelog.iter().any(|entry| entry.author.contains('\0') || entry.text.contains('\0'))),
        (
            "list of dependencies",
            dependencies.into_iter().flatten().any(|one| one.name.contains('\0') || one.version.contains('\0')),
        ),
        ("owner or the capabilities of a file", layout.entries.iter().any(owners)),
        ("script of a scriptlet", layout.scriptlets.iter().any(|one| one.body.contains('\0'))),
        ("script of a trigger", layout.triggers.iter().any(|one| one.body.contains('\0'))),
    ];
    texts.into_iter().find(|(_, holds)| *holds).map_or(Ok(()), |(what, _)| Err(UnfitLayout::Zero(what)))
}

fn check_scripts(layout: &PackageLayout) -> Result<(), UnfitLayout> {
    let mut kinds = BTreeSet::new();
    for scriptlet in &layout.scriptlets {
        check_interpreter(&scriptlet.interpreter)?;
        if !kinds.insert(scriptlet.kind) {
            return Err(UnfitLayout::Twice(scriptlet.kind));
        }
    }
    for trigger in &layout.triggers {
        check_interpreter(&trigger.interpreter)?;
        if trigger.interpreter.len() > 1 {
            return Err(UnfitLayout::TriggerArguments(trigger.interpreter.join(" ")));
        }
        if trigger.watches.is_empty() {
            return Err(UnfitLayout::IdleTrigger);
        }
        if let Some(watched) =
            trigger.watches.iter().find(|one| !one.name.starts_with('/')).filter(|_| trigger.kind.is_of_files())
        {
            return Err(UnfitLayout::TriggerPath(watched.name.clone()));
        }
    }
    Ok(())
}

fn check_interpreter(words: &[String]) -> Result<(), UnfitLayout> {
    let is_program = words.first().is_some_and(|word| word.starts_with('/') || word == script_tags::LUA);
    if !is_program || words.iter().any(|word| word.contains('\0')) {
        return Err(UnfitLayout::Interpreter(words.join(" ")));
    }
    Ok(())
}

/// Refuses what the target's rpm would refuse, or worse, not heed (rpm's release notes). RHEL 8 has `^` from a later rpm.
fn check_target(layout: &PackageLayout) -> Result<(), UnfitLayout> {
    let (target, lacks) = (layout.target, |since: Target| layout.target < since);
    let since_el8 = [
        (
            matches!(layout.compression, Compression::Zstd(_)),
            "payloads compressed by zstd",
            "set `compression = \"gzip\"`",
        ),
        (dependency_tags::in_versions(layout, '^'), "`^` in versions", "leave it out, or raise the target"),
        (dependency_tags::has_rich_dependencies(layout), "rich dependencies", "name plain ones, or raise the target"),
        (file_tags::has_large_files(&layout.entries), "files of 4 GiB and more", "split them, or raise the target"),
        (
            layout.triggers.iter().any(|one| one.kind.is_of_files()),
            "file triggers",
            "use a scriptlet, or raise the target",
        ),
    ];
    let missing = since_el8.into_iter().find(|(used, ..)| *used && lacks(Target::El8));
    missing.map_or(Ok(()), |(_, what, instead)| Err(UnfitLayout::Target { target, what, instead }))
}
