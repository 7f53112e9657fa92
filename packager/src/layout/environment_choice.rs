//! What makes a package manager ask for an environment instead of choosing one by itself.
//!
//! No dependency can do that: whatever packages satisfy "the application and prod" satisfy "the application" as well, and
//! a solver takes any that do. So it is given something to prefer: the application suggests `<name>-config-none`, which
//! provides the configuration as every environment's package does, and installs the application's files below
//! `choose-one` with another content. Where nobody named an environment, the test transaction ends with these paths, which
//! name the packages to choose from, and nothing is changed.

use super::{Entry, EntryKind, Placed, Source, Standing};
use crate::spec::Choice;
use crate::{PackageSpec, SourceDate};

/// The files, one for each environment.
pub(super) fn entries(spec: &PackageSpec, source_date: SourceDate) -> Vec<Placed> {
    let (application, text) = match &spec.choice {
        None => return Vec::new(),
        Some(Choice::Asked) => (spec.name(), "One of these packages is installed together with this application."),
        Some(Choice::Unmade { application }) => (application, "No environment was named."),
    };
    let mtime = source_date.seconds();
    let parent = format!("/usr/share/{application}");
    let directory = directory(application.as_str());
    let file = |environment: &String| {
        let path = format!("{directory}/{application}-config-{environment}");
        Entry::new(path, EntryKind::File(Source::Text(format!("{text}\n"))), 0o644, mtime)
    };
    let files = spec.environments.iter().map(file).map(|entry| (entry, Standing::Named));
    let directories = [&parent, &directory].map(|path| {
        let entry = Entry::new(path.clone(), EntryKind::Directory, 0o755, mtime);
        (entry, Standing::Implied)
    });
    let origin = Some(spec.location.clone());
    let place = |(entry, standing)| Placed { entry, origin: origin.clone(), standing };
    directories.into_iter().chain(files).map(place).collect()
}

/// Whether a path is one of those that are meant to be in the application's way.
pub(super) fn is_in_the_way(application: &str, path: &str) -> bool {
    path.strip_prefix(&directory(application)).is_some_and(|rest| rest.starts_with('/'))
}

fn directory(application: &str) -> String {
    format!("/usr/share/{application}/choose-one")
}
