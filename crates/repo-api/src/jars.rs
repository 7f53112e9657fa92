//! Which packages carry a jar.

use nevra::Nevra;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ChannelName, TagName};

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
}
