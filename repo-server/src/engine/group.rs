//! Group commit: what is asked for while a commit is under way goes into the next one together.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use ledger::{AppendError, Author};
use rand::Rng;
use tokio::sync::oneshot;

use super::repository::{Outcome, Repository, server_author};
use crate::error::RepositoryError;
use crate::state::{Action, Change, Entry, PackageRecord, Place, RepositoryState};

/// How often a commit is tried against other writers.
const ATTEMPTS: u32 = 50;
/// How long to wait while blobs are being deleted.
const WAIT: Duration = Duration::from_millis(100);
/// How many requests go into one commit at most.
const LARGEST_GROUP: usize = 256;

/// What a request comes to in a state.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    /// What has to be done; `None` where everything is as asked.
    pub(crate) action: Option<Action>,
    /// The packages, in the order of the request.
    pub(crate) packages: Vec<PackageRecord>,
}

/// Requests that wait for the next commit.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Vec<Request>>,
    writing: tokio::sync::Mutex<()>,
}

type Decide = Box<dyn Fn(&RepositoryState) -> Result<Decision, RepositoryError> + Send + Sync>;

struct Request {
    author: Author,
    decide: Decide,
    answer: oneshot::Sender<Result<Outcome, RepositoryError>>,
}

/// A request that has something to do, and the packages of its answer.
struct Granted {
    request: Request,
    packages: Vec<PackageRecord>,
}

impl Repository {
    /// Does what `decide` finds to do in the newest state, together with what others ask for at the same time. It is
    /// called again as often as other writers come first.
    pub(crate) async fn change(
        &self,
        author: Author,
        decide: impl Fn(&RepositoryState) -> Result<Decision, RepositoryError> + Send + Sync + 'static,
    ) -> Result<Outcome, RepositoryError> {
        let (answer, answered) = oneshot::channel();
        let request = Request { author, decide: Box::new(decide), answer };
        self.queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        {
            let _one_at_a_time = self.queue.writing.lock().await;
            let requests = self.queue.take();
            if !requests.is_empty() {
                self.carry_out(requests).await;
            }
        }
        answered.await.unwrap_or(Err(RepositoryError::Stopping))
    }

    /// Answers every request.
    async fn carry_out(&self, mut requests: Vec<Request>) {
        let mut attempt = 0;
        while !requests.is_empty() {
            match self.attempt(&mut requests).await {
                Ok(Attempt::Done) => {}
                // That ends by itself, within seconds or, where it was interrupted, a minute or two.
                Ok(Attempt::Waiting) => {
                    tokio::time::sleep(WAIT).await;
                    continue;
                }
                Ok(Attempt::Lost) if attempt == ATTEMPTS => {
                    refuse(requests, RepositoryError::Busy { attempts: ATTEMPTS });
                    return;
                }
                Ok(Attempt::Lost) => pause(attempt).await,
                // One of them may be at fault alone.
                Err(error) if requests.len() > 1 && !error.is_of_the_store() => {
                    for request in requests {
                        let mut alone = vec![request];
                        Box::pin(self.carry_out(std::mem::take(&mut alone))).await;
                    }
                    return;
                }
                Err(error) => {
                    refuse(requests, error);
                    return;
                }
            }
            attempt += 1;
        }
    }

    /// Tries to make one commit of the requests; those that are answered are taken out.
    async fn attempt(&self, requests: &mut Vec<Request>) -> Result<Attempt, RepositoryError> {
        self.refresh().await?;
        let before = self.state();
        let place = Place { commit: before.position().number + 1, at: Utc::now() };
        let mut after = RepositoryState::clone(&before);
        let mut entries = Vec::new();
        let mut granted = Vec::new();
        for request in std::mem::take(requests) {
            match decided(&request, &mut after, &place) {
                Err(error) => request.answer(Err(error)),
                Ok((None, packages)) if entries.is_empty() => {
                    request.answer(Ok(Outcome { state: Arc::clone(&before), changed: false, packages }));
                }
                // Everything is as asked once the entries before it are made.
                Ok((entry, packages)) => {
                    granted.push((entry.is_some(), Granted { request, packages }));
                    entries.extend(entry);
                }
            }
        }
        if entries.is_empty() {
            return Ok(Attempt::Done);
        }
        if self.is_collecting().await? {
            requests.extend(granted.into_iter().map(|(_, granted)| granted.request));
            return Ok(Attempt::Waiting);
        }
        let committed = self.commit(&before, &after, entries).await;
        match committed {
            Ok(Some(state)) => {
                for (changed, Granted { request, packages }) in granted {
                    request.answer(Ok(Outcome { state: Arc::clone(&state), changed, packages }));
                }
                Ok(Attempt::Done)
            }
            other => {
                requests.extend(granted.into_iter().map(|(_, granted)| granted.request));
                other.map(|_| Attempt::Lost)
            }
        }
    }

    /// Makes one commit of entries; `None` where another writer made that commit first.
    async fn commit(
        &self,
        before: &Arc<RepositoryState>,
        after: &RepositoryState,
        entries: Vec<Entry>,
    ) -> Result<Option<Arc<RepositoryState>>, RepositoryError> {
        let shown = self.render(before, after, &entries).await?;
        let author = match entries.as_slice() {
            [entry] => entry.author.clone(),
            _ => server_author(),
        };
        match self.ledger.append(before.position(), author, Change { entries, shown }).await {
            Ok(commit) => Ok(Some(self.adopt(&[commit])?)),
            Err(AppendError::Lost { .. }) => Ok(None),
            Err(AppendError::Ledger(error)) => Err(error.into()),
        }
    }
}

enum Attempt {
    Done,
    /// Another writer came first.
    Lost,
    /// Blobs are being deleted.
    Waiting,
}

impl Queue {
    /// Waits until no commit of this process is under way, and keeps others from beginning.
    pub(super) async fn alone(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    fn take(&self) -> Vec<Request> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(LARGEST_GROUP);
        waiting.drain(..count).collect()
    }
}

impl Request {
    fn answer(self, outcome: Result<Outcome, RepositoryError>) {
        // Whoever asked may have gone away.
        let _ = self.answer.send(outcome);
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Request").field("author", &self.author).finish_non_exhaustive()
    }
}

/// Decides a request in the state that those before it lead to, and does it there.
fn decided(
    request: &Request,
    state: &mut RepositoryState,
    place: &Place,
) -> Result<(Option<Entry>, Vec<PackageRecord>), RepositoryError> {
    let Decision { action, packages } = (request.decide)(state)?;
    let Some(action) = action else { return Ok((None, packages)) };
    let entry = Entry { author: request.author.clone(), action };
    let mut after = state.clone();
    after.enact(&entry, place)?;
    *state = after;
    Ok((Some(entry), packages))
}

fn refuse(requests: Vec<Request>, error: RepositoryError) {
    let error = Arc::new(error);
    for request in requests {
        request.answer(Err(RepositoryError::Together(Arc::clone(&error))));
    }
}

/// Waits longer after each lost race, and not as long as the others.
async fn pause(attempt: u32) {
    let longest = 10 << attempt.min(6);
    let millis = rand::thread_rng().gen_range(0..longest);
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
