//! The release notes that packages carry.

use nevra::{Evr, Name, Nevra};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ChannelName, Client, ClientError};

/// The notes of versions of a package, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotesList {
    /// The versions.
    pub versions: Vec<VersionNotes>,
}

/// The notes of one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionNotes {
    /// The package.
    #[schemars(with = "String")]
    pub nevra: Nevra,
    /// Its notes, as `pkg notes --format json` writes them; `None` where it carries none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub notes: Option<Value>,
}

impl Client {
    /// Gives the notes of the versions of a package in a channel that are newer than `from` and not newer than `to`; of `to`
    /// alone where there is no `from`.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn release_notes(
        &self,
        channel: &ChannelName,
        name: &Name,
        (from, to): (Option<&Evr>, &Evr),
    ) -> Result<NotesList, ClientError> {
        let mut url = self.address(&format!("channels/{channel}/notes"))?;
        url.query_pairs_mut().append_pair("package", name.as_str()).append_pair("to", &to.to_string());
        if let Some(from) = from {
            url.query_pairs_mut().append_pair("from", &from.to_string());
        }
        self.read_from(&url).await
    }
}
