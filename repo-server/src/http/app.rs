//! What all requests share.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::watch;

use super::hot::Hot;
use super::metrics::Metrics;
use super::network::Network;
use super::pairs::Pairs;
use super::pulse::Ward;
use super::rate::Rate;
use super::settings::Limits;
use super::tls::Tls;
use super::ui::SharedPages;
use crate::access::Access;
use crate::engine::Repository;
use crate::environments::Environments;
use crate::pages::Catalog;

/// What all requests share.
#[derive(Debug)]
pub(super) struct App {
    pub(super) repository: Arc<Repository>,
    pub(super) environments: Environments,
    pub(super) access: Access,
    pub(super) limits: Limits,
    pub(super) tls: Option<Tls>,
    pub(super) proxies: Vec<Network>,
    pub(super) public_url: Option<String>,
    pub(super) ward: Arc<Ward>,
    pub(super) metrics: Metrics,
    pub(super) hot: Hot,
    pub(super) pairs: Pairs,
    /// What can be searched.
    pub(super) catalog: Catalog,
    /// Pages that many follow.
    pub(super) shared: SharedPages,
    /// Of requests that write.
    pub(super) writes: Rate,
    /// Of looking whether other servers know more.
    pub(super) refreshes: Rate,
    /// Turns true when the server was told to stop: answers without an end are ended then.
    pub(super) stopping: watch::Sender<bool>,
}

impl App {
    /// Tells whether an address is that of a proxy whose word is taken.
    pub(super) fn is_proxy(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address))
    }
}
