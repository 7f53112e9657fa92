//! Who is told of deployments.

use serde::{Deserialize, Serialize};

use super::EnvironmentProblem;
use super::reader::{Checked, Reader, Text, at};

/// Somebody who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// How.
    pub via: Via,
    /// Of what; of everything if the file does not say.
    pub on: Vec<News>,
}

/// How somebody is told.
#[derive(Clone, PartialEq, Eq)]
pub enum Via {
    /// A POST of JSON: `text`, as Slack, Mattermost and Teams take it, and fields of our own.
    Webhook(String),
    /// A command for `sh -c` on the controller; the same JSON is its input.
    Command(String),
}

/// What somebody is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    /// The plan is approved, and is carried out from here on.
    Begun,
    /// A step failed, and a person is asked what is to be done.
    Paused,
    /// It failed; hosts may be changed.
    Failed,
    /// It failed, and every host is back.
    RolledBack,
    /// Every host runs the target.
    Done,
}

/// An address of a webhook is a secret: it is never printed.
impl std::fmt::Debug for Via {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Webhook(_) => formatter.write_str("Webhook(…)"),
            Self::Command(command) => formatter.debug_tuple("Command").field(command).finish(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNotification {
    kind: Kind,
    url: Option<Text>,
    command: Option<Text>,
    on: Option<Vec<News>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Webhook,
    Command,
}

const ALL: [News; 5] = [News::Begun, News::Paused, News::Failed, News::RolledBack, News::Done];

impl News {
    /// The name, as in the environment file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Paused => "paused",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::Done => "done",
        }
    }
}

impl Reader<'_> {
    pub(super) fn notification(&self, raw: &toml::Spanned<RawNotification>) -> Checked<Notification> {
        let span = raw.span();
        let raw = raw.get_ref();
        let needs = |needs| super::reader::Located {
            span: span.clone(),
            problem: EnvironmentProblem::Needs { what: "`[[notifications]]`", needs },
        };
        let via = match (raw.kind, &raw.url, &raw.command) {
            (Kind::Webhook, Some(url), None) => Via::Webhook(self.webhook(url)?),
            (Kind::Command, None, Some(command)) => Via::Command(self.text(command)?),
            (Kind::Webhook, ..) => return Err(needs("`url`, and no `command`, for `kind = \"webhook\"`")),
            (Kind::Command, ..) => return Err(needs("`command`, and no `url`, for `kind = \"command\"`")),
        };
        Ok(Notification { via, on: raw.on.clone().unwrap_or_else(|| ALL.to_vec()) })
    }

    /// The URL of a webhook, which is a secret.
    pub(super) fn webhook(&self, text: &Text) -> Checked<String> {
        let value = self.text(text)?;
        if value.starts_with("https://") || value.starts_with("http://") {
            return Ok(value);
        }
        // What the file says is shown, not what a variable holds: that is a secret.
        let (value, rule) = (text.get_ref().clone(), "not a URL that begins with `https://` or `http://`");
        Err(at(text, EnvironmentProblem::Text { field: "url", value, rule }))
    }
}
