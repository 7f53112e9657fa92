//! The environment file as it is written, before any value is looked at.

use serde::Deserialize;
use toml::Spanned;

/// A text with its place in the file; `${NAME}` in it is not yet replaced.
pub(super) type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEnvironment {
    pub(super) name: Text,
    pub(super) ledger: Text,
    pub(super) approval: super::Approval,
    pub(super) repository: RawRepository,
    #[serde(default)]
    pub(super) ssh: RawSsh,
    pub(super) service: RawService,
    pub(super) health: RawHealth,
    #[serde(default, rename = "balancer")]
    pub(super) balancers: Vec<RawBalancer>,
    pub(super) strategy: Spanned<RawStrategy>,
    pub(super) hosts: Spanned<Vec<RawHost>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRepository {
    pub(super) ids: Spanned<Vec<Text>>,
    pub(super) server: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSsh {
    pub(super) user: Option<Text>,
    pub(super) port: Option<u16>,
    pub(super) key_file: Option<Text>,
    pub(super) jump_host: Option<Text>,
    pub(super) config_file: Option<Text>,
    #[serde(default)]
    pub(super) sudo: bool,
    #[serde(default)]
    pub(super) options: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawService {
    pub(super) name: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHealth {
    pub(super) url: Text,
    pub(super) expect_status: Option<u16>,
    pub(super) expect_body: Option<Text>,
    pub(super) package: Option<Text>,
    pub(super) start_timeout: Option<Text>,
    pub(super) interval: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBalancer {
    #[expect(dead_code, reason = "the one kind there is; a file that names another is refused")]
    pub(super) kind: BalancerKind,
    pub(super) host: Text,
    pub(super) socket: Option<Text>,
    pub(super) backend: Text,
    pub(super) drain_timeout: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum BalancerKind {
    Haproxy,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStrategy {
    #[expect(dead_code, reason = "the one kind there is; a file that names another is refused")]
    pub(super) kind: StrategyKind,
    pub(super) batch_size: Option<usize>,
    pub(super) min_serving: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StrategyKind {
    Rolling,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHost {
    pub(super) name: Text,
    pub(super) address: Option<Text>,
    pub(super) server: Option<Text>,
}
