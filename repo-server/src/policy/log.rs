//! The repository's history as people read it, as far as they may.

use ledger::Commit;
use nevra::Nevra;
use repo_api::{ChannelName, LogEntry};

use crate::state::{Action, Change, Entry};

/// What a reader of the history may know of.
pub(crate) trait Sight {
    /// Whether there is a channel of that name, now or once.
    fn sees_channel(&self, name: &ChannelName) -> bool;
    /// Whether there is such a package.
    fn sees_package(&self, nevra: &Nevra) -> bool;
}

/// Says what the entries of a commit did, the last one first; what is about nothing that the reader may know of is left
/// out.
pub(crate) fn log_entries(commit: &Commit<Change>, sight: &impl Sight) -> impl Iterator<Item = LogEntry> {
    commit.payload.entries.iter().rev().filter_map(move |entry| {
        let mut log = log_entry(commit, entry, sight);
        let (had_channels, had_packages) = (!log.channels.is_empty(), !log.packages.is_empty());
        log.channels.retain(|channel| sight.sees_channel(channel));
        // Who may know of a channel may know what came to it and went; an environment's packages may be of any.
        if !had_channels {
            log.packages.retain(|nevra| sight.sees_package(nevra));
        }
        let is_left = log.channels.is_empty() != had_channels && log.packages.is_empty() != had_packages;
        is_left.then_some(log)
    })
}

fn log_entry(commit: &Commit<Change>, entry: &Entry, sight: &impl Sight) -> LogEntry {
    let mut log = LogEntry {
        commit: commit.number,
        at: commit.at,
        who: entry.author.who.clone(),
        from: entry.author.from.clone(),
        why: entry.author.why.clone(),
        action: String::new(),
        channels: Vec::new(),
        packages: Vec::new(),
        detail: None,
    };
    let mut say = |action: &str, channels: &[ChannelName]| {
        log.action = action.to_owned();
        log.channels = channels.to_vec();
    };
    match &entry.action {
        Action::ChannelsCreated { channels } => say("channels-created", channels),
        Action::Published { channel, packages } => {
            say("published", std::slice::from_ref(channel));
            log.packages = packages.iter().map(|package| package.nevra.clone()).collect();
        }
        Action::Promoted { from, to, packages, attached } => {
            say("promoted", to);
            log.packages.clone_from(packages);
            let advisories: Vec<&str> = attached.iter().filter_map(|change| change.id.as_deref()).collect();
            let source = sight.sees_channel(from).then(|| format!("from {from}"));
            let along = (!advisories.is_empty()).then(|| format!("with {}", advisories.join(", ")));
            let parts: Vec<String> = source.into_iter().chain(along).collect();
            log.detail = (!parts.is_empty()).then(|| parts.join(", "));
        }
        Action::Withdrawn { channel, packages } => {
            say("withdrawn", std::slice::from_ref(channel));
            log.packages.clone_from(packages);
        }
        Action::Retained { channel, packages } => {
            say("retention-applied", std::slice::from_ref(channel));
            log.packages.clone_from(packages);
        }
        Action::ChannelSet { channel, settings } => {
            say("channel-set", std::slice::from_ref(channel));
            log.detail = serde_json::to_string(settings).ok();
        }
        Action::ChannelRemoved { channel } => say("channel-removed", std::slice::from_ref(channel)),
        Action::Tagged { tag, at } => {
            say("tag-set", &[]);
            log.detail = Some(format!("{tag} = commit {at}"));
        }
        Action::Untagged { tag } => {
            say("tag-removed", &[]);
            log.detail = Some(tag.to_string());
        }
        Action::Held { environment, packages } => {
            say("held", &[]);
            log.packages.clone_from(packages);
            log.detail = Some(format!("environment {environment}"));
        }
        Action::Attached { channel, attached } => {
            say("attached", std::slice::from_ref(channel));
            let names = attached.iter().map(|change| {
                let name = change.id.as_deref().unwrap_or(change.kind.name());
                if change.text.is_some() { name.to_owned() } else { format!("without {name}") }
            });
            log.detail = Some(names.collect::<Vec<_>>().join(", "));
        }
        Action::CollectionBegun(_) => say("collection-begun", &[]),
        Action::CollectionEnded => say("collection-ended", &[]),
        Action::Resigned { channels, key } => {
            say("signed-anew", channels);
            log.detail = Some(format!("key {key}"));
        }
    }
    log
}
