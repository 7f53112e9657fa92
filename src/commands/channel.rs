//! `pkg channel`: channels and their settings.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context;
use repo_api::{
    AttachRequest, AttachmentKind, ChannelInfo, ChannelName, ChannelRequest, ChannelSettings, Client,
    MetadataCompression, ReasonRequest, RetainRequest, SignaturePolicy,
};

use super::attach;
use super::connection::{ReasonArgs, ServerArgs, failure, who};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// Create, show, set up, clean up and remove channels.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg channel create el9-dev --description 'EL9, development' --compression zstd
  pkg channel set prod --promotions-from qa --keep-last 5 --keep-days 90
  pkg channel set prod --signatures required --signature-key ci.asc
  pkg channel set prod --comps comps.xml
  pkg channel retain prod --dry-run
  pkg channel show prod";

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Create a channel.
    Create {
        /// Its name: lower-case letters, digits, `-` and `_`.
        channel: ChannelName,
        #[command(flatten)]
        settings: SettingsArgs,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// List the channels.
    List,
    /// Show a channel's settings.
    Show {
        /// The channel.
        channel: ChannelName,
    },
    /// Change a channel's settings; what is not named stays.
    Set {
        /// The channel.
        channel: ChannelName,
        #[command(flatten)]
        settings: SettingsArgs,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Withdraw what the channel's retention no longer keeps. The server does so by itself every hour.
    Retain {
        /// The channel.
        channel: ChannelName,
        /// Only say what would be withdrawn.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        reason: ReasonArgs,
    },
    /// Remove a channel that lists nothing.
    Remove {
        /// The channel.
        channel: ChannelName,
        #[command(flatten)]
        reason: ReasonArgs,
    },
}

#[derive(Debug, clap::Args)]
struct SettingsArgs {
    /// What people read of it; yum clients show it as the repository's name. Empty for none.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// How metadata is compressed: gzip, or zstd, which yum 3 (EL7) does not read.
    #[arg(long, value_name = "gzip|zstd", value_parser = compression)]
    compression: Option<MetadataCompression>,
    /// What is asked of packages' signatures: any for nothing, required for one by a --signature-key, door to let the
    /// server sign what is published.
    #[arg(long, value_name = "any|required|door", value_parser = signatures)]
    signatures: Option<SignaturePolicy>,
    /// A file of OpenPGP public keys, armored, one of which has to have signed each package; may be repeated.
    #[arg(long = "signature-key", value_name = "FILE")]
    signature_keys: Vec<PathBuf>,
    /// Keep so many of the newest versions of each package; 0 for no such rule.
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,
    /// Keep what has been in the channel for no more than so many days; 0 for no such rule.
    #[arg(long, value_name = "DAYS")]
    keep_days: Option<u32>,
    /// Take packages by promotion alone, and from this channel; may be repeated.
    #[arg(long, value_name = "CHANNEL", conflicts_with_all = ["promotions_only", "publishes"])]
    promotions_from: Vec<ChannelName>,
    /// Take packages by promotion alone, from any channel.
    #[arg(long, conflicts_with = "publishes")]
    promotions_only: bool,
    /// Take packages by publishing too.
    #[arg(long)]
    publishes: bool,
    /// Show the groups of packages of this comps.xml; empty for none. As `pkg attach --comps`.
    #[arg(long, value_name = "FILE")]
    comps: Option<OsString>,
    /// Show the module streams of this modules.yaml; empty for none. As `pkg attach --modules`.
    #[arg(long, value_name = "FILE")]
    modules: Option<OsString>,
}

/// What a channel is to become.
struct Wish {
    settings: ChannelSettings,
    /// The settings that it has; none of a new one.
    before: Option<ChannelSettings>,
    /// Files to show beside its packages; an empty name for nothing.
    beside: Vec<(AttachmentKind, PathBuf)>,
    reason: ReasonArgs,
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    match args.command {
        Command::List => super::list::channels(&client, printer).await,
        Command::Show { channel } => {
            show(&client.channel(&channel).await.map_err(failure)?, printer);
            Ok(Exit::Done)
        }
        Command::Create { channel, settings, reason } => {
            let beside = settings.beside();
            let settings = settings.changed(ChannelSettings::default())?;
            set(&client, &channel, Wish { settings, before: None, beside, reason }, printer).await
        }
        Command::Set { channel, settings, reason } => {
            let before = client.channel(&channel).await.map_err(failure)?.settings;
            let beside = settings.beside();
            let settings = settings.changed(before.clone())?;
            set(&client, &channel, Wish { settings, before: Some(before), beside, reason }, printer).await
        }
        Command::Retain { channel, dry_run, reason } => {
            retain(&client, &channel, RetainRequest { dry_run, who: who(), why: reason.why }, printer).await
        }
        Command::Remove { channel, reason } => {
            let reason = ReasonRequest { who: who(), why: reason.why };
            let changed = client.remove_channel(&channel, &reason).await.map_err(failure)?;
            if printer.is_json() {
                printer.json(&changed);
            } else {
                printer.data(&format!("{channel}  removed  commit {}", changed.commit));
            }
            Ok(Exit::Done)
        }
    }
}

async fn set(client: &Client, channel: &ChannelName, wish: Wish, printer: &Printer) -> Result<Exit, Failure> {
    let Wish { settings, before, beside, reason } = wish;
    settings.check().map_err(Failure::input)?;
    for (_, path) in beside.iter().filter(|(_, path)| !path.as_os_str().is_empty()) {
        fs_err::File::open(path).map_err(Failure::input)?;
    }
    let request = ChannelRequest { settings, before, who: who(), why: reason.why.clone() };
    let mut changed = client.set_channel(channel, &request).await.map_err(failure)?.changed;
    if !beside.is_empty() {
        changed |= show_beside(client, channel, beside, reason).await?;
    }
    show(&client.channel(channel).await.map_err(failure)?, printer);
    if !changed {
        printer.talk(&format!("channel {channel} was so before"));
    }
    Ok(Exit::Done)
}

/// Lets a channel show groups or module streams, or none of them any longer; tells whether that changed anything.
async fn show_beside(
    client: &Client,
    channel: &ChannelName,
    beside: Vec<(AttachmentKind, PathBuf)>,
    reason: ReasonArgs,
) -> Result<bool, Failure> {
    let mut request = AttachRequest { who: who(), why: reason.why, ..AttachRequest::default() };
    for (kind, path) in beside {
        if path.as_os_str().is_empty() {
            request.removed.push(kind);
        } else {
            request.files.push(attach::upload(client, kind, &path).await?);
        }
    }
    Ok(client.attach(channel, &request).await.map_err(failure)?.changed)
}

async fn retain(
    client: &Client,
    channel: &ChannelName,
    request: RetainRequest,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let retained = client.retain(channel, &request).await.map_err(failure)?;
    if printer.is_json() {
        printer.json(&retained);
        return Ok(Exit::Done);
    }
    let done = if request.dry_run { "would be withdrawn" } else { "withdrawn" };
    for nevra in &retained.withdrawn {
        printer.data(&format!("{nevra}  {done}"));
    }
    for held in &retained.held {
        printer.data(&format!("{}  held by {}", held.nevra, held.by.join(", ")));
    }
    if retained.withdrawn.is_empty() {
        printer.talk(&format!("channel {channel} keeps all that it lists"));
    }
    Ok(Exit::Done)
}

fn show(info: &ChannelInfo, printer: &Printer) {
    if printer.is_json() {
        printer.json(info);
        return;
    }
    let ChannelInfo { name, settings, packages, beside, commit, changed_at, url } = info;
    let line = |key: &str, value: String| printer.data(&format!("{key:<16}{value}"));
    line("channel", name.to_string());
    if let Some(description) = &settings.description {
        line("description", printable(description));
    }
    line("packages", packages.to_string());
    if !beside.is_empty() {
        let words: Vec<&str> = beside.iter().map(|kind| beside_word(*kind)).collect();
        line("beside them", words.join(", "));
    }
    line("changed", format!("commit {commit}  {}", changed_at.format("%Y-%m-%dT%H:%M:%SZ")));
    line("url", url.clone());
    line("compression", word(&settings.compression));
    line("signatures", word(&settings.signatures));
    let rule = |text: &str, count: Option<u32>| count.map(|count| text.replace("{}", &count.to_string()));
    let retention = settings.retention;
    let rules = [rule("the last {} versions", retention.keep_last), rule("{} days", retention.keep_days)];
    let rules: Vec<String> = rules.into_iter().flatten().collect();
    line("keeps", if rules.is_empty() { "everything".to_owned() } else { rules.join(", ") });
    line(
        "takes",
        match settings.promotions_from.as_deref() {
            None => "publishes and promotions".to_owned(),
            Some([]) => "promotions".to_owned(),
            Some(from) => {
                let from: Vec<&str> = from.iter().map(ChannelName::as_str).collect();
                format!("promotions from {}", from.join(", "))
            }
        },
    );
}

impl SettingsArgs {
    /// What is named to be shown beside the packages.
    fn beside(&self) -> Vec<(AttachmentKind, PathBuf)> {
        let named = [(AttachmentKind::Group, &self.comps), (AttachmentKind::Modules, &self.modules)];
        named.into_iter().filter_map(|(kind, path)| Some((kind, path.as_ref()?.into()))).collect()
    }

    /// Changes what is named.
    fn changed(self, mut settings: ChannelSettings) -> Result<ChannelSettings, Failure> {
        if let Some(text) = self.description {
            settings.description = Some(text).filter(|text| !text.is_empty());
        }
        settings.compression = self.compression.unwrap_or(settings.compression);
        if let Some(signatures) = self.signatures {
            settings.signatures = signatures;
            if signatures != SignaturePolicy::Required {
                settings.signature_keys = None;
            }
        }
        if !self.signature_keys.is_empty() {
            let read = |path: &PathBuf| fs_err::read_to_string(path);
            let keys: Result<Vec<String>, _> = self.signature_keys.iter().map(read).collect();
            let keys = keys.context("the keys can't be read").map_err(Failure::input)?;
            settings.signature_keys = Some(keys.join("\n"));
        }
        let rule = |given: Option<u32>, before: Option<u32>| {
            given.map_or(before, |count| Some(count).filter(|count| *count > 0))
        };
        settings.retention.keep_last = rule(self.keep_last, settings.retention.keep_last);
        settings.retention.keep_days = rule(self.keep_days, settings.retention.keep_days);
        if self.publishes {
            settings.promotions_from = None;
        } else if self.promotions_only || !self.promotions_from.is_empty() {
            settings.promotions_from = Some(self.promotions_from);
        }
        Ok(settings)
    }
}

fn beside_word(kind: AttachmentKind) -> &'static str {
    match kind {
        AttachmentKind::Updateinfo => "advisories",
        AttachmentKind::Group => "groups",
        AttachmentKind::Modules => "module streams",
    }
}

/// A setting's value as it is written.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn compression(text: &str) -> Result<MetadataCompression, String> {
    serde_json::from_value(text.into()).map_err(|_| "allowed are `gzip` and `zstd`".to_owned())
}

fn signatures(text: &str) -> Result<SignaturePolicy, String> {
    serde_json::from_value(text.into()).map_err(|_| "allowed are `any`, `required` and `door`".to_owned())
}
