//! The service that runs the application.

use serde::Deserialize;

use super::reader::Text;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawService {
    pub(super) name: Text,
}
