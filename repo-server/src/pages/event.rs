//! What was done, as people read it.

use nevra::Nevra;
use repo_api::ChannelName;
use serde::Serialize;

use super::package_path::PackagePath;
use super::visible::Visible;
use super::written::Time;
use crate::engine::Story;
use crate::state::{Action, Entry};

/// How many packages of one change are named.
const NAMED: usize = 8;

/// One change, as far as a reader may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Event {
    pub(crate) commit: u64,
    /// Which of the changes that the commit made.
    pub(crate) entry: usize,
    pub(crate) at: Time,
    pub(crate) who: String,
    pub(crate) from: String,
    pub(crate) why: Option<String>,
    /// What was done, such as `published`.
    pub(crate) verb: &'static str,
    /// What it was done to, where that is no package.
    pub(crate) what: Option<String>,
    /// The packages: the first few, and how many more.
    pub(crate) packages: Vec<Link>,
    pub(crate) more: usize,
    /// `to`, `from`, `in` before the channels.
    pub(crate) preposition: &'static str,
    pub(crate) channels: Vec<String>,
    /// The channel that packages were promoted from.
    pub(crate) source: Option<String>,
}

/// A package and its page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Link {
    pub(crate) text: String,
    pub(crate) url: String,
}

impl Link {
    pub(super) fn to(nevra: &Nevra) -> Self {
        Self { text: nevra.to_string(), url: PackagePath::of(nevra).url() }
    }
}

/// What a commit did, the last first; what is about nothing that the reader may see is left out.
pub(crate) fn events(story: &Story, visible: &Visible) -> Vec<Event> {
    let entries = story.entries.iter().enumerate().rev();
    entries.filter_map(|(number, entry)| event(story, (number, entry), visible, None)).collect()
}

/// The same of what is about one package, which is named alone.
pub(crate) fn events_of(nevra: &Nevra, story: &Story, visible: &Visible) -> Vec<Event> {
    let entries = story.entries.iter().enumerate().rev();
    entries.filter_map(|(number, entry)| event(story, (number, entry), visible, Some(nevra))).collect()
}

/// What an action is about.
#[derive(Default)]
struct About<'a> {
    verb: &'static str,
    what: Option<String>,
    packages: Vec<&'a Nevra>,
    preposition: &'static str,
    channels: Vec<&'a ChannelName>,
    source: Option<&'a ChannelName>,
}

fn event(story: &Story, (number, entry): (usize, &Entry), visible: &Visible, only: Option<&Nevra>) -> Option<Event> {
    let mut about = about(&entry.action)?;
    let was_about_channels = !about.channels.is_empty();
    about.channels.retain(|channel| visible.channel(channel).is_some());
    // A channel that is no more may have been one that was hidden.
    if was_about_channels && about.channels.is_empty() {
        return None;
    }
    let (packages, more) = match only {
        Some(only) if about.packages.contains(&only) => (vec![Link::to(only)], about.packages.len() - 1),
        Some(_) => return None,
        None => named(&about.packages, visible),
    };
    if packages.is_empty() && !about.packages.is_empty() {
        return None;
    }
    Some(Event {
        commit: story.commit,
        entry: number,
        at: story.at.into(),
        who: entry.author.who.clone(),
        from: entry.author.from.clone(),
        why: entry.author.why.clone(),
        verb: about.verb,
        what: about.what,
        packages,
        more,
        preposition: about.preposition,
        channels: about.channels.into_iter().map(ToString::to_string).collect(),
        source: about.source.filter(|source| visible.channel(source).is_some()).map(ToString::to_string),
    })
}

/// The first of those packages that may be seen, and how many more there are.
fn named(packages: &[&Nevra], visible: &Visible) -> (Vec<Link>, usize) {
    let mut seen = packages.iter().filter(|nevra| visible.has(nevra));
    let named: Vec<Link> = seen.by_ref().take(NAMED).map(|nevra| Link::to(nevra)).collect();
    // A change may be about thousands.
    let more = if visible.hides_any() { seen.count() } else { packages.len() - named.len() };
    (named, more)
}

fn about(action: &Action) -> Option<About<'_>> {
    Some(match action {
        Action::ChannelsCreated { channels } => {
            let what = Some(if channels.len() == 1 { "the channel" } else { "the channels" }.to_owned());
            About { verb: "created", what, channels: channels.iter().collect(), ..About::default() }
        }
        Action::Published { channel, packages } => About {
            verb: "published",
            packages: packages.iter().map(|package| &package.nevra).collect(),
            preposition: "to",
            channels: vec![channel],
            ..About::default()
        },
        Action::Promoted { from, to, packages, .. } => About {
            verb: "promoted",
            packages: packages.iter().collect(),
            preposition: "to",
            channels: to.iter().collect(),
            source: Some(from),
            ..About::default()
        },
        Action::Withdrawn { channel, packages } => gone("withdrew", channel, packages),
        Action::Retained { channel, packages } => gone("let retention withdraw", channel, packages),
        Action::ChannelSet { channel, .. } => on("changed", "the settings", "of", channel),
        Action::ChannelRemoved { channel } => on("removed", "the channel", "", channel),
        Action::Tagged { tag, at } => plain("tagged", format!("commit {at} as {tag}")),
        Action::Untagged { tag } => plain("removed", format!("the tag {tag}")),
        Action::Held { environment, packages } => About {
            verb: "said what is held by",
            what: Some(format!("environment {environment}")),
            packages: packages.iter().collect(),
            ..About::default()
        },
        Action::Attached { channel, attached } => {
            let names = attached.iter().map(|change| {
                let name = change.id.as_deref().unwrap_or(change.kind.name());
                if change.text.is_some() { name.to_owned() } else { format!("no {name} any longer") }
            });
            let names = names.collect::<Vec<_>>().join(", ");
            About { what: Some(names), ..on("attached", "", "to", channel) }
        }
        Action::Resigned { channels, key } => About {
            verb: "signed anew",
            what: Some(format!("with key {key}")),
            channels: channels.iter().collect(),
            ..About::default()
        },
        // Housekeeping, of which no reader sees anything.
        Action::CollectionBegun(_) | Action::CollectionEnded => return None,
    })
}

fn gone<'a>(verb: &'static str, channel: &'a ChannelName, packages: &'a [Nevra]) -> About<'a> {
    let packages = packages.iter().collect();
    About { verb, packages, preposition: "from", channels: vec![channel], ..About::default() }
}

fn on<'a>(verb: &'static str, what: &str, preposition: &'static str, channel: &'a ChannelName) -> About<'a> {
    About { verb, what: Some(what.to_owned()), preposition, channels: vec![channel], ..About::default() }
}

fn plain(verb: &'static str, what: String) -> About<'static> {
    About { verb, what: Some(what), ..About::default() }
}
