//! What a spec says of Tomcat, systemd and users, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::located::{Located, Text};

/// The keys of `[tomcat]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "tomcat")]
pub(super) struct RawTomcat {
    /// The WAR, relative to the spec; a directory is packed as one. A pattern such as "target/shop-*.war" has to fit just
    /// one file.
    pub(super) war: Option<Text>,
    /// The path that it is served under; the default is /<name>. "/" is the root.
    pub(super) context: Option<Text>,
    /// The name of the service, of its folder under /etc and of that under /var/lib: "tomcat" (the default, as on
    /// RHEL-like systems), or "tomcat9", "tomcat10" as on Debian.
    pub(super) instance: Option<Text>,
    /// The group that Tomcat runs as and that may read the configuration; the default is "tomcat".
    pub(super) group: Option<Text>,
    /// The host's appBase, where Tomcat unpacks the WAR; the default is /var/lib/<instance>/webapps.
    pub(super) app_base: Option<Text>,
    /// The directory of context descriptors; the default is /etc/<instance>/Catalina/localhost.
    pub(super) descriptors: Option<Text>,
    /// Where Tomcat may keep what it compiles, in a directory for each build; the default is /var/cache/<instance>.
    pub(super) work: Option<Text>,
    /// A context descriptor of your own, relative to the spec, for data sources and the like. The package adds docBase,
    /// workDir and the configuration to it.
    pub(super) descriptor: Option<Text>,
    /// Replaces variables within the descriptor's text.
    pub(super) expand_descriptor: Option<Located<bool>>,
    /// Installs your descriptor as it is: docBase, which is /usr/share/<name>/<name>.war, workDir and the configuration
    /// are yours to name, with ${PKG_NAME} and ${PKG_EVR} for a workDir of each build.
    pub(super) replace_descriptor: Option<Located<bool>>,
}

/// One entry of `systemd`: a unit or a drop-in, installed in /usr/lib/systemd/system.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "unit")]
pub(super) struct RawSystemd {
    /// The file, relative to the spec.
    pub(super) source: Option<Text>,
    /// The unit's name, such as "shop.service"; the default is the file's.
    pub(super) name: Option<Text>,
    /// The unit that the file is a drop-in of, such as "tomcat.service"; its name ends in .conf then.
    pub(super) drop_in_of: Option<Text>,
}

/// One entry of `users`: a system user, and a group of the same name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "user")]
pub(super) struct RawUser {
    /// The name.
    pub(super) name: Option<Text>,
    /// What it is for.
    pub(super) comment: Option<Text>,
    /// The home directory; the default is "/".
    pub(super) home: Option<Text>,
    /// The shell; the default is /usr/sbin/nologin.
    pub(super) shell: Option<Text>,
}
