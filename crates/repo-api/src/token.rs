//! Tokens: what they allow, how they are made and listed.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChannelName, TagName};

/// The most characters that a token's name may have.
const LONGEST: usize = 64;

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Fetch metadata and packages, and list them.
    Read,
    /// Publish packages to a channel; includes reading it.
    Publish,
    /// Promote packages into a channel; includes reading all channels.
    Promote,
    /// Withdraw packages from a channel; includes reading it.
    Withdraw,
    /// See what runs in an environment, and what was deployed to it.
    Watch,
    /// Deploy to an environment; includes watching it.
    Deploy,
    /// Everything, channels' settings and tokens included.
    Admin,
}

/// A permission, in one channel or environment or in all: `publish:dev`, `read:*`, `deploy:prod`, `admin`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = PATTERN))]
pub struct Scope {
    permission: Permission,
    place: Place,
}

const PATTERN: &str = r"^(admin|(read|publish|promote|withdraw):(\*|[a-z0-9][a-z0-9_-]{0,63})|(watch|deploy):(\*|[A-Za-z][A-Za-z0-9._-]{0,63}))$";

/// Where a permission holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    /// Wherever it makes sense.
    Everywhere,
    Channel(ChannelName),
    Environment(TagName),
}

/// Says why a text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no scope: allowed are `read:CHANNEL`, `publish:CHANNEL`, `promote:CHANNEL`, `withdraw:CHANNEL`, \
     `watch:ENVIRONMENT`, `deploy:ENVIRONMENT`, each with `*` for all, and `admin`"
)]
pub struct ParseScopeError(String);

/// A token's name, by which the repository's history knows who used it: up to 64 letters, digits and `.`, `_`, `-`, `@`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[A-Za-z0-9._@-]{1,64}$"))]
pub struct TokenName(String);

/// Says why a text is no token's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name for a token: allowed are up to {LONGEST} letters, digits and `.`, `_`, `-`, `@`")]
pub struct ParseTokenNameError(String);

/// Asks for a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// Its name, which no other token has that holds.
    pub name: TokenName,
    /// What it allows.
    #[schemars(length(min = 1))]
    pub scopes: Vec<Scope>,
    /// When it ends to hold; never, where that is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether a program uses it with no person present: it can't deploy where a person has to agree.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unattended: bool,
    /// The person or the job that asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A token, as it is shown to those who administer: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenInfo {
    /// Its name.
    pub name: TokenName,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who made it.
    pub created_by: String,
    /// When it ends to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether a program uses it with no person present.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unattended: bool,
}

/// Who the server takes the caller for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Me {
    /// The name of the caller's token; `None` where it has none, or one that the server was started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<TokenName>,
    /// What the token allows.
    pub scopes: Vec<Scope>,
    /// Whether it is marked as used with no person present.
    pub unattended: bool,
}

/// A token that has just been made. It is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewToken {
    /// The token.
    pub token: String,
    /// What is kept of it.
    #[serde(flatten)]
    pub info: TokenInfo,
}

/// The tokens that have not been revoked, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TokenList {
    /// The tokens; those that have expired are among them.
    pub tokens: Vec<TokenInfo>,
}

const PERMISSIONS: [(Permission, &str); 7] = [
    (Permission::Read, "read"),
    (Permission::Publish, "publish"),
    (Permission::Promote, "promote"),
    (Permission::Withdraw, "withdraw"),
    (Permission::Watch, "watch"),
    (Permission::Deploy, "deploy"),
    (Permission::Admin, "admin"),
];

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = PERMISSIONS.iter().find(|(permission, _)| permission == self).map_or("", |(_, name)| name);
        formatter.write_str(name)
    }
}

impl Scope {
    /// Everything.
    #[must_use]
    pub fn admin() -> Self {
        Self { permission: Permission::Admin, place: Place::Everywhere }
    }

    /// Tells whether it allows something in a channel; `None` asks whether it does so in any.
    #[must_use]
    pub fn allows(&self, permission: Permission, channel: Option<&ChannelName>) -> bool {
        if self.permission == Permission::Admin {
            return true;
        }
        if self.permission.is_of_environments() {
            return false;
        }
        let here = match (&self.place, channel) {
            (Place::Everywhere, _) | (_, None) => true,
            (Place::Channel(own), Some(channel)) => own == channel,
            (Place::Environment(_), Some(_)) => false,
        };
        match permission {
            Permission::Admin | Permission::Watch | Permission::Deploy => false,
            // Whoever promotes has to see what there is to promote.
            Permission::Read => here || self.permission == Permission::Promote,
            other => here && other == self.permission,
        }
    }

    /// Tells whether it allows something in an environment.
    #[must_use]
    pub fn allows_in(&self, permission: Permission, environment: &TagName) -> bool {
        let here = match &self.place {
            Place::Everywhere => true,
            Place::Environment(own) => own == environment,
            Place::Channel(_) => false,
        };
        match self.permission {
            Permission::Admin => true,
            Permission::Deploy => here && permission.is_of_environments(),
            Permission::Watch => here && permission == Permission::Watch,
            _ => false,
        }
    }

    /// What it allows.
    #[must_use]
    pub fn permission(&self) -> Permission {
        self.permission
    }
}

impl Permission {
    fn is_of_environments(self) -> bool {
        matches!(self, Self::Watch | Self::Deploy)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.permission, &self.place) {
            (Permission::Admin, _) => formatter.write_str("admin"),
            (permission, Place::Everywhere) => write!(formatter, "{permission}:*"),
            (permission, Place::Channel(channel)) => write!(formatter, "{permission}:{channel}"),
            (permission, Place::Environment(environment)) => write!(formatter, "{permission}:{environment}"),
        }
    }
}

impl FromStr for Scope {
    type Err = ParseScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseScopeError(text.to_owned());
        if text == "admin" {
            return Ok(Self::admin());
        }
        let (name, place) = text.split_once(':').ok_or_else(wrong)?;
        let permission = PERMISSIONS.iter().find(|(_, known)| *known == name).map(|(permission, _)| *permission);
        let permission = permission.filter(|permission| *permission != Permission::Admin).ok_or_else(wrong)?;
        let place = match place {
            "*" => Place::Everywhere,
            name if permission.is_of_environments() => Place::Environment(name.parse().map_err(|_| wrong())?),
            name => Place::Channel(name.parse().map_err(|_| wrong())?),
        };
        Ok(Self { permission, place })
    }
}

impl TryFrom<String> for Scope {
    type Error = ParseScopeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl TokenName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for TokenName {
    type Err = ParseTokenNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(fits) {
            return Err(ParseTokenNameError(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for TokenName {
    type Error = ParseTokenNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TokenName> for String {
    fn from(name: TokenName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_scopes_allow() {
        let (dev, prod): (ChannelName, ChannelName) = ("dev".parse().unwrap(), "prod".parse().unwrap());
        for (scope, permission, channel, allowed) in [
            ("publish:dev", Permission::Publish, Some(&dev), true),
            ("publish:dev", Permission::Publish, Some(&prod), false),
            ("publish:dev", Permission::Publish, None, true),
            ("publish:dev", Permission::Withdraw, Some(&dev), false),
            ("publish:dev", Permission::Read, Some(&dev), true),
            ("publish:dev", Permission::Read, Some(&prod), false),
            ("publish:*", Permission::Publish, Some(&prod), true),
            ("promote:prod", Permission::Promote, Some(&prod), true),
            ("promote:prod", Permission::Read, Some(&dev), true),
            ("promote:prod", Permission::Promote, Some(&dev), false),
            ("read:*", Permission::Read, None, true),
            ("read:*", Permission::Admin, None, false),
            ("withdraw:*", Permission::Admin, Some(&dev), false),
            ("admin", Permission::Admin, None, true),
            ("admin", Permission::Publish, Some(&prod), true),
            ("deploy:prod", Permission::Read, None, false),
            ("deploy:*", Permission::Publish, Some(&prod), false),
            ("publish:*", Permission::Deploy, None, false),
        ] {
            let parsed: Scope = scope.parse().unwrap();
            assert_eq!(parsed.to_string(), scope);
            assert_eq!(parsed.allows(permission, channel), allowed, "{scope} {permission} {channel:?}");
        }
        let (lab, live): (TagName, TagName) = ("Lab.1".parse().unwrap(), "live".parse().unwrap());
        for (scope, permission, environment, allowed) in [
            ("deploy:Lab.1", Permission::Deploy, &lab, true),
            ("deploy:Lab.1", Permission::Watch, &lab, true),
            ("deploy:Lab.1", Permission::Deploy, &live, false),
            ("deploy:*", Permission::Deploy, &live, true),
            ("watch:*", Permission::Watch, &live, true),
            ("watch:*", Permission::Deploy, &live, false),
            ("publish:*", Permission::Watch, &live, false),
            ("admin", Permission::Deploy, &live, true),
        ] {
            let parsed: Scope = scope.parse().unwrap();
            assert_eq!(parsed.to_string(), scope);
            assert_eq!(parsed.allows_in(permission, environment), allowed, "{scope} {permission} {environment}");
        }
        for bad in [
            "deploy",
            "deploy:",
            "deploy:1a",
            "watch:a/b",
            "",
            "publish",
            "publish:",
            "publish:Dev",
            "admin:*",
            "write:dev",
            "read:dev,prod",
            "read:api",
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names() {
        assert!("ci@build.example_1-a".parse::<TokenName>().is_ok());
        for bad in ["", "a b", "a\nb", "ü", &"a".repeat(65)] {
            assert!(bad.parse::<TokenName>().is_err(), "{bad}");
        }
    }
}
