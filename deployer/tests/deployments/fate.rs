//! What befalls a controller: at one of its journal entries or scripts it dies, falls asleep, or gets no good answer.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use deployer::{Answer, Endpoint, Script, Transport, TransportError};
use ledger::{Extent, RemoteError, RemoteLedger, Standing};
use tokio::sync::watch;

use crate::fleet::Fleet;

/// Where it strikes: at which of the controller's entries or scripts, counted from 0, and on which side of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at: At,
    pub(crate) number: usize,
    pub(crate) side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Entry,
    Script,
}

/// Whether the entry is not written, or the script not run; or it is, but the controller does not learn of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// What happens then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The controller is no more, or stands still until it is woken.
    Still,
    /// The connection of a script breaks.
    Break,
    /// The connection breaks, and that host can't be reached any more.
    Cut,
    /// The script fails.
    Fail,
    /// The script prints something else.
    Babble,
}

/// One controller's fate.
pub(crate) struct Fate {
    moment: Option<Moment>,
    deed: Deed,
    entries: AtomicUsize,
    scripts: AtomicUsize,
    struck: watch::Sender<bool>,
    awake: watch::Sender<bool>,
}

impl Fate {
    pub(crate) fn new(moment: Moment, deed: Deed) -> Arc<Self> {
        Arc::new(Self { moment: Some(moment), deed, ..Self::none() })
    }

    /// Nothing befalls it.
    pub(crate) fn kind() -> Arc<Self> {
        Arc::new(Self::none())
    }

    fn none() -> Self {
        let (struck, awake) = (watch::channel(false).0, watch::channel(false).0);
        let (entries, scripts) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { moment: None, deed: Deed::Still, entries, scripts, struck, awake }
    }

    /// Waits until it has struck.
    pub(crate) async fn strikes(&self) {
        let _ = self.struck.subscribe().wait_for(|struck| *struck).await;
    }

    /// Waits until the controller stands still.
    pub(crate) async fn stands_still(&self) {
        if self.deed != Deed::Still {
            std::future::pending::<()>().await;
        }
        self.strikes().await;
    }

    pub(crate) fn has_struck(&self) -> bool {
        *self.struck.borrow()
    }

    /// Lets a controller that stands still go on.
    pub(crate) fn wake(&self) {
        self.awake.send_replace(true);
    }

    fn counts(&self, at: At) -> usize {
        let counter = if at == At::Entry { &self.entries } else { &self.scripts };
        counter.fetch_add(1, Ordering::SeqCst)
    }

    fn is(&self, at: At, number: usize, side: Side) -> bool {
        let is = self.moment == Some(Moment { at, number, side });
        if is {
            self.struck.send_replace(true);
        }
        is
    }

    /// Stands still where that is what happens now.
    async fn pass(&self, at: At, number: usize, side: Side) -> Option<Deed> {
        if !self.is(at, number, side) {
            return None;
        }
        if self.deed == Deed::Still {
            let _ = self.awake.subscribe().wait_for(|awake| *awake).await;
            return None;
        }
        Some(self.deed)
    }
}

/// A ledger in memory, kept for all controllers of an environment; clones are the same ledger.
#[derive(Clone, Default)]
pub(crate) struct Commits(Arc<Mutex<Vec<Bytes>>>);

/// The ledger as one controller has it.
#[derive(Clone)]
pub(crate) struct FatedLedger {
    pub(crate) commits: Commits,
    pub(crate) fate: Arc<Fate>,
}

impl fmt::Debug for FatedLedger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FatedLedger")
    }
}

#[async_trait]
impl RemoteLedger for FatedLedger {
    fn writer(&self) -> Option<&str> {
        None
    }

    async fn create(&self, number: u64, bytes: Bytes) -> Result<Standing, RemoteError> {
        let count = self.fate.counts(At::Entry);
        self.fate.pass(At::Entry, count, Side::Before).await;
        let standing = {
            let mut commits = self.commits.0.lock().unwrap();
            let index = usize::try_from(number).unwrap() - 1;
            match commits.get(index) {
                Some(there) if *there == bytes => Standing::Ours,
                Some(_) => Standing::Theirs,
                None => {
                    assert_eq!(commits.len(), index, "a commit without the one before it");
                    commits.push(bytes);
                    Standing::Ours
                }
            }
        };
        self.fate.pass(At::Entry, count, Side::After).await;
        Ok(standing)
    }

    async fn read(&self, number: u64) -> Result<Option<Bytes>, RemoteError> {
        let index = usize::try_from(number).unwrap() - 1;
        Ok(self.commits.0.lock().unwrap().get(index).cloned())
    }

    async fn after(&self, number: u64, extent: Extent) -> Result<Vec<Bytes>, RemoteError> {
        let commits = self.commits.0.lock().unwrap().clone();
        let is = |bytes: &Bytes, part: &str| str::from_utf8(bytes).unwrap().contains(part);
        let clean = commits.iter().rposition(|bytes| is(bytes, r#""clean":true"#)).unwrap_or(0);
        let matters = |(index, bytes): &(usize, Bytes)| {
            extent == Extent::Whole
                || *index > clean
                || !is(bytes, r#""entry":"step_"#) && !is(bytes, r#""entry":"extended""#)
        };
        let after = commits.into_iter().enumerate().skip(usize::try_from(number).unwrap()).filter(matters);
        Ok(after.map(|(_, bytes)| bytes).collect())
    }
}

/// The way to the hosts as one controller has it.
pub(crate) struct FatedTransport {
    fleet: Fleet,
    fate: Arc<Fate>,
    cut: Mutex<Option<String>>,
}

impl FatedTransport {
    pub(crate) fn new(fleet: Fleet, fate: Arc<Fate>) -> Self {
        Self { fleet, fate, cut: Mutex::default() }
    }
}

#[async_trait]
impl Transport for FatedTransport {
    async fn run(&self, endpoint: &Endpoint, script: &Script) -> Result<Answer, TransportError> {
        let broken = || TransportError::Unreachable {
            host: endpoint.name.clone(),
            script: script.name(),
            reason: "the connection broke".to_owned(),
        };
        if self.cut.lock().unwrap().as_deref() == Some(endpoint.name.as_str()) {
            // As long as `ssh` takes to give up.
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            return Err(broken());
        }
        let count = self.fate.counts(At::Script);
        if let Some(deed) = self.fate.pass(At::Script, count, Side::Before).await {
            return self.befalls(deed, endpoint, broken);
        }
        let answer = self.fleet.run(endpoint, script).await?;
        match self.fate.pass(At::Script, count, Side::After).await {
            Some(deed) => self.befalls(deed, endpoint, broken),
            None => Ok(answer),
        }
    }

    async fn close(&self) {}
}

impl FatedTransport {
    fn befalls(
        &self,
        deed: Deed,
        endpoint: &Endpoint,
        broken: impl Fn() -> TransportError,
    ) -> Result<Answer, TransportError> {
        match deed {
            Deed::Cut => {
                *self.cut.lock().unwrap() = Some(endpoint.name.to_string());
                Err(broken())
            }
            Deed::Still | Deed::Break => Err(broken()),
            Deed::Fail => Ok(Answer { status: 1, stdout: String::new(), stderr: "told to fail".to_owned() }),
            Deed::Babble => Ok(Answer { status: 0, stdout: "Permission denied?\n".to_owned(), stderr: String::new() }),
        }
    }
}
