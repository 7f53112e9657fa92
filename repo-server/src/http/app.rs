//! What all requests share.

use std::sync::Arc;

use super::access::Access;
use crate::repository::Repository;

/// What all requests share.
#[derive(Debug)]
pub(super) struct App {
    pub(super) repository: Arc<Repository>,
    pub(super) access: Access,
}
