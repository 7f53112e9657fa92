//! Where packages come from.

use serde::Deserialize;
use toml::Spanned;

use super::reader::Text;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRepository {
    pub(super) ids: Spanned<Vec<Text>>,
    pub(super) server: Option<Text>,
}
