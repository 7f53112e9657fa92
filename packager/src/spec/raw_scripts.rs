//! What a spec says of scripts, triggers and the changelog, as written.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::located::{Located, Text};

/// The keys of `[scripts]`. $1 is 1 when the package is installed, 2 when it is upgraded or downgraded; in `preun` and
/// `postun` 0 when it is erased and 1 when another version takes its place.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "scripts")]
pub(super) struct RawScripts {
    /// Before the transaction; with `interpreter = "<lua>"` also on a system that has no shell yet.
    pub(super) pretrans: Option<Located<RawScript>>,
    /// Before the files are installed.
    pub(super) pre: Option<Located<RawScript>>,
    /// After the files are installed.
    pub(super) post: Option<Located<RawScript>>,
    /// Before the files are removed.
    pub(super) preun: Option<Located<RawScript>>,
    /// After the files are removed.
    pub(super) postun: Option<Located<RawScript>>,
    /// After the transaction.
    pub(super) posttrans: Option<Located<RawScript>>,
    /// When the package is verified.
    pub(super) verify: Option<Located<RawScript>>,
}

/// A script: its text, or a table.
#[derive(Debug, Clone)]
pub(super) enum RawScript {
    Text(String),
    Table(RawScriptTable),
}

/// A script that has an interpreter of its own or is in a file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "script")]
pub(super) struct RawScriptTable {
    /// The interpreter with its arguments, such as "/usr/bin/python3", or "<lua>"; "/bin/sh" where there is none.
    pub(super) interpreter: Option<Text>,
    /// The script's text.
    pub(super) body: Option<Text>,
    /// The file that holds it, relative to the spec.
    pub(super) file: Option<Text>,
    /// Replaces variables within the file's text.
    pub(super) expand: Option<Located<bool>>,
}

/// One entry of `triggers`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "trigger")]
pub(super) struct RawTrigger {
    /// What sets it off, in rpm's words.
    #[serde(rename = "type")]
    pub(super) kind: RawTriggerType,
    /// The packages, such as "tomcat" or "tomcat >= 1:9", or for file triggers the beginnings of paths.
    #[serde(default)]
    pub(super) watches: Vec<Text>,
    /// The script.
    pub(super) script: Located<RawScript>,
    /// Of file triggers: a higher one runs earlier; rpm's default is 1000000.
    pub(super) priority: Option<Located<u32>>,
}

/// The types of triggers, in rpm's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "trigger-type")]
pub(super) enum RawTriggerType {
    /// Before a package is installed.
    TriggerPreIn,
    /// After a package is installed, or this one while the package is there.
    TriggerIn,
    /// Before a package, or this one, is removed.
    TriggerUn,
    /// After a package is removed.
    TriggerPostUn,
    /// After files are installed.
    FileTriggerIn,
    /// Before files are removed.
    FileTriggerUn,
    /// After files are removed.
    FileTriggerPostUn,
    /// Once at the end of a transaction that installed files.
    TransFileTriggerIn,
    /// Once before a transaction that removes files.
    TransFileTriggerUn,
    /// Once at the end of a transaction that removed files.
    TransFileTriggerPostUn,
}

/// One entry of `changelog`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "change")]
pub(super) struct RawChangelogEntry {
    /// The day: "2026-01-31".
    pub(super) date: Text,
    /// Who: "Name <mail>".
    pub(super) author: Text,
    /// The version that it is of, such as "1.4.0-57".
    pub(super) version: Option<Text>,
    /// What changed, one thing each.
    pub(super) changes: Vec<Text>,
}

impl<'de> Deserialize<'de> for RawScript {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScriptVisitor)
    }
}

struct ScriptVisitor;

impl<'de> Visitor<'de> for ScriptVisitor {
    type Value = RawScript;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a script's text, or a table with `body` or `file`, and `interpreter`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(RawScript::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        RawScriptTable::deserialize(MapAccessDeserializer::new(map)).map(RawScript::Table)
    }
}

impl JsonSchema for RawScript {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "text-or-script".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<RawScriptTable>();
        schemars::json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}
