//! The key `version` as it is written: a text, or where the version is to be found.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A version, "auto", or where it is found: { from = "war" }.
#[derive(Debug, Clone, JsonSchema)]
#[serde(untagged)]
pub(super) enum RawVersion {
    /// The version: of Maven's kind, of git describe's, or as rpm has it. "auto" is the first that the WAR, a pom.xml, a
    /// gradle.properties or git's tags say.
    Text(String),
    /// Where it is found.
    Found(RawVersionSource),
}

/// Where a version is found.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVersionSource {
    /// "war" (its pom.properties, else its manifest), "pom", "gradle" (gradle.properties, else what a build.gradle assigns)
    /// or "git".
    pub(super) from: String,
    /// The pom.xml, gradle.properties or build.gradle; the nearest beside the spec or above it otherwise.
    pub(super) file: Option<String>,
    /// The tags of git that count, such as "v*" or "shop-*"; all otherwise.
    pub(super) tags: Option<String>,
}

struct VersionVisitor;

impl<'de> Deserialize<'de> for RawVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VersionVisitor)
    }
}

impl<'de> Visitor<'de> for VersionVisitor {
    type Value = RawVersion;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a version in quotes, or a table such as { from = \"war\" }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(RawVersion::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        RawVersionSource::deserialize(MapAccessDeserializer::new(map)).map(RawVersion::Found)
    }
}
