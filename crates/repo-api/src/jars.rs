//! Which packages carry a jar.

use chrono::{DateTime, Utc};
use nevra::Nevra;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChannelName, Client, ClientError, TagName};

/// Asks which packages carry a jar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JarQuery {
    /// `artifact` or `group:artifact`; `*` at either end stands for anything.
    pub jar: String,
    /// Bounds of the version, all of which have to hold: `<2.17.1`, `>=2.0,<2.17.1`.
    pub version: Option<String>,
    /// As of when: the number of a commit, a tag, a day or an RFC 3339 time; now, where nothing is said.
    pub at: Option<String>,
    /// Also what no channel lists any longer.
    pub withdrawn: bool,
}

/// Says which packages carry a jar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JarList {
    /// The commit that the answer is of.
    pub commit: u64,
    /// How many packages have been looked into so far; right after its start, the server may not be through.
    pub read: usize,
    /// How many there are.
    pub of: usize,
    /// The jars, by component and version.
    pub jars: Vec<FoundJar>,
}

/// One version of a jar, and what carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundJar {
    /// `group:artifact`, or the artifact alone where the group is not known.
    pub component: String,
    /// Its version, as rpm writes it; `sha1.…` where it is not known.
    pub version: String,
    /// Whether the version is known; one that is not may be any.
    pub is_known: bool,
    /// The packages.
    pub packages: Vec<JarCarrier>,
}

/// A package that carries a jar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JarCarrier {
    /// The package.
    #[schemars(with = "String")]
    pub nevra: Nevra,
    /// The channels that list it, or listed it at the time that was asked about; none, where it was withdrawn.
    pub channels: Vec<ChannelName>,
    /// The environments whose hosts run it, or would go back to it; of the present alone.
    pub environments: Vec<TagName>,
    /// The hosts that run it, or ran it at the time that was asked about, of the environments that the caller may watch.
    #[serde(default)]
    pub hosts: Vec<JarHost>,
}

/// A host that runs a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JarHost {
    /// The environment.
    pub environment: TagName,
    /// The host's name there.
    pub host: String,
    /// The deployment that left it so.
    pub deployment: String,
    /// When that ended.
    pub since: DateTime<Utc>,
}

impl Client {
    /// Asks which packages carry a jar.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn find_jar(&self, query: &JarQuery) -> Result<JarList, ClientError> {
        let JarQuery { jar, version, at, withdrawn } = query;
        let withdrawn = withdrawn.then(|| "true".to_owned());
        let parts =
            [("jar", Some(jar)), ("version", version.as_ref()), ("at", at.as_ref()), ("withdrawn", withdrawn.as_ref())];
        let mut url = self.address("find-jar")?;
        url.query_pairs_mut().extend_pairs(parts.iter().filter_map(|(name, text)| Some((name, (*text)?))));
        self.read_from(&url).await
    }
}
