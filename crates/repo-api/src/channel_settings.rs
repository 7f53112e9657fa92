//! The settings of a channel.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ChannelName;

/// The most characters of a description.
const LONGEST_DESCRIPTION: usize = 200;

/// The settings of a channel. They stand in the repository's ledger as they are here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelSettings {
    /// What people read of it; yum clients show it as the repository's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How its metadata is compressed from the next change on.
    pub compression: MetadataCompression,
    /// What it asks of the signatures of packages.
    pub signatures: SignaturePolicy,
    /// The OpenPGP public keys, armored, one of which has to have signed each package; for `required` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature_keys: Option<String>,
    /// What is withdrawn by itself.
    #[serde(skip_serializing_if = "Retention::keeps_all")]
    pub retention: Retention,
    /// Where its packages have to come from: by promotion from one of these channels alone, from any where the list is
    /// empty. Without it, packages may be published to it too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotions_from: Option<Vec<ChannelName>>,
}

/// How metadata is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MetadataCompression {
    /// By gzip, which every client reads.
    #[default]
    Gzip,
    /// By zstd, which dnf and zypper read, but yum 3 (EL7) does not.
    Zstd,
}

/// What a channel asks of the signatures of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignaturePolicy {
    /// Nothing: clients trust the signed metadata, which holds the sha256 of each package.
    #[default]
    Any,
    /// One of the channel's keys has to have signed each package; clients check that too.
    Required,
    /// The server signs what is published, with the key that signs the metadata; clients check that too.
    Door,
}

/// What of a package is kept. The newest version of each package is kept in any case, and so is what an environment's hosts
/// run or would go back to, and what a tag holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// So many of the newest versions of each package.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub keep_last: Option<u32>,
    /// What has been in the channel for no more than so many days. A version goes when neither rule keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
}

/// Says why settings contradict themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelSettingsError {
    /// Keys are asked for and there are none.
    #[error("`signatures` is `required`, and `signature_keys` names no key: allowed are armored OpenPGP public keys")]
    NoKeys,
    /// Keys are there that nothing asks for.
    #[error("`signature_keys` are there, and `signatures` is not `required`")]
    NeedlessKeys,
    /// Nothing of a package would be kept.
    #[error("`keep_last` is 0: allowed are 1 and more")]
    KeepLast,
    /// The description can't stand in one line.
    #[error("the description is no text of one line with at most {LONGEST_DESCRIPTION} characters")]
    Description,
}

impl Retention {
    /// Tells whether nothing goes by itself.
    #[must_use]
    pub fn keeps_all(&self) -> bool {
        self.keep_last.is_none() && self.keep_days.is_none()
    }
}

impl ChannelSettings {
    /// Checks that the settings don't contradict themselves. Whether the keys can be read is seen by the server.
    ///
    /// # Errors
    /// [`ChannelSettingsError`]
    pub fn check(&self) -> Result<(), ChannelSettingsError> {
        let has_keys = self.signature_keys.as_ref().is_some_and(|keys| !keys.trim().is_empty());
        match self.signatures {
            SignaturePolicy::Required if !has_keys => return Err(ChannelSettingsError::NoKeys),
            SignaturePolicy::Any | SignaturePolicy::Door if has_keys => return Err(ChannelSettingsError::NeedlessKeys),
            _ => {}
        }
        if self.retention.keep_last == Some(0) {
            return Err(ChannelSettingsError::KeepLast);
        }
        let fits = |text: &String| text.chars().count() <= LONGEST_DESCRIPTION && !text.chars().any(char::is_control);
        if self.description.as_ref().is_some_and(|text| !fits(text)) {
            return Err(ChannelSettingsError::Description);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_form() {
        let text = r#"{"compression":"gzip","signatures":"any"}"#;
        assert_eq!(serde_json::to_string(&ChannelSettings::default()).unwrap(), text);
        for given in ["{}", text] {
            assert_eq!(serde_json::from_str::<ChannelSettings>(given).unwrap(), ChannelSettings::default());
        }
        assert!(serde_json::from_str::<ChannelSettings>(r#"{"compresion":"gzip"}"#).is_err());
    }

    #[test]
    fn contradictions() {
        let settings = |json: &str| serde_json::from_str::<ChannelSettings>(json).unwrap().check();
        for (json, expected) in [
            (r#"{"signatures":"required"}"#, Err(ChannelSettingsError::NoKeys)),
            (r#"{"signatures":"door","signature_keys":"x"}"#, Err(ChannelSettingsError::NeedlessKeys)),
            (r#"{"signatures":"required","signature_keys":"x"}"#, Ok(())),
            (r#"{"retention":{"keep_last":0}}"#, Err(ChannelSettingsError::KeepLast)),
            (r#"{"description":"a\nb"}"#, Err(ChannelSettingsError::Description)),
            (r#"{"retention":{"keep_days":0},"promotions_from":[]}"#, Ok(())),
        ] {
            assert_eq!(settings(json), expected, "{json}");
        }
    }
}
