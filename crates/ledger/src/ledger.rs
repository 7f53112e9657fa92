//! Reading and appending to one ledger.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use futures::{Stream, StreamExt, TryFutureExt, TryStreamExt, future, stream};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::commit::SCHEMA;
use crate::ledger_error::{AppendError, LedgerError};
use crate::remote::{RemoteError, RemoteLedger, Standing};
use crate::write::Created;
use crate::{Author, Commit, Digest, Extent, Position, Store, StoreError, key};

/// How often a commit is sent where it is open whether it was made.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(100);
/// How many commits are asked for at a time.
const READ_AHEAD: usize = 16;

/// One ledger, with entries of one type.
#[derive(Debug, Clone)]
pub struct Ledger<T> {
    home: Home,
    name: String,
    writer: Uuid,
    entries: PhantomData<fn() -> T>,
}

/// What is read of a commit before the rest.
#[derive(serde::Deserialize)]
struct Head {
    schema: u32,
    number: u64,
}

/// Who keeps the commits.
#[derive(Debug, Clone)]
enum Home {
    Store(Store),
    Remote(Arc<dyn RemoteLedger>),
}

impl<T> Ledger<T> {
    pub(crate) fn new(store: Store, name: String) -> Self {
        Self::of(Home::Store(store), name)
    }

    /// The ledger that a server keeps. The name is for errors.
    #[must_use]
    pub fn remote(server: Arc<dyn RemoteLedger>, name: &str) -> Self {
        Self::of(Home::Remote(server), name.to_owned())
    }

    fn of(home: Home, name: String) -> Self {
        Self { home, name, writer: Uuid::new_v4(), entries: PhantomData }
    }

    /// The ledger's name, such as `environments/prod`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether a commit was made through this value or a clone of it.
    #[must_use]
    pub fn is_own(&self, commit: &Commit<T>) -> bool {
        commit.writer == self.writer
    }

    /// The store that it is in, if it is reached directly.
    pub(crate) fn store(&self) -> Option<&Store> {
        match &self.home {
            Home::Store(store) => Some(store),
            Home::Remote(_) => None,
        }
    }

    pub(crate) fn unreachable(&self, source: StoreError) -> LedgerError {
        LedgerError::Store { ledger: self.name.clone(), source }
    }

    fn refused(&self, source: RemoteError) -> LedgerError {
        LedgerError::Remote { ledger: self.name.clone(), source }
    }
}

impl<T: Serialize + DeserializeOwned> Ledger<T> {
    /// Reads all commits with a number above the one given, in order; `Position::start()` gives the whole ledger.
    ///
    /// # Errors
    /// [`LedgerError`], also where a commit does not follow from the one before it.
    pub async fn since(&self, after: &Position) -> Result<Vec<Commit<T>>, LedgerError> {
        self.follow(*after, Extent::Whole).try_collect().await
    }

    /// Reads the commits with a number above the one given, in order and one after the other; of an abridged ledger, those
    /// that still matter.
    ///
    /// # Errors
    /// [`LedgerError`], also where a commit does not follow from the one before it, which can't be told across a gap.
    pub fn follow(&self, after: Position, extent: Extent) -> impl Stream<Item = Result<Commit<T>, LedgerError>> {
        let commits = match &self.home {
            Home::Store(_) => self.kept(after, extent).try_flatten_stream().left_stream(),
            Home::Remote(server) => self.sent(Arc::clone(server), after.number, extent).right_stream(),
        };
        let mut position = after;
        commits.and_then(move |commit| {
            let follows = commit.previous == position.digest;
            let is_behind_gap = extent == Extent::Abridged && commit.number > position.number + 1;
            position = commit.position();
            let broken = LedgerError::Chain { ledger: self.name.clone(), number: commit.number };
            future::ready(if follows || is_behind_gap { Ok(commit) } else { Err(broken) })
        })
    }

    /// What the store has: there may be many, so several are asked for side by side, beyond the end too.
    async fn kept(
        &self,
        after: Position,
        extent: Extent,
    ) -> Result<impl Stream<Item = Result<Commit<T>, LedgerError>>, LedgerError> {
        let abridged = match extent {
            Extent::Whole => None,
            Extent::Abridged => self.abridgement().await?,
        };
        let (kept, rest) = match abridged {
            Some(abridged) if after.number < abridged.until.number => (abridged.kept, abridged.until.number + 1),
            _ => (Vec::new(), after.number + 1),
        };
        let kept = kept.into_iter().filter(move |number| *number > after.number);
        // Nothing new is what is found most often.
        let Some(first) = self.read(kept.clone().next().unwrap_or(rest)).await? else {
            return Ok(stream::empty().left_stream());
        };
        let numbers = kept.chain(rest..).skip(1);
        let others = stream::iter(numbers).map(|number| self.read(number)).buffered(READ_AHEAD);
        let others = others.try_take_while(|commit| future::ready(Ok(commit.is_some())));
        let others = others.try_filter_map(|commit| future::ready(Ok(commit)));
        Ok(stream::iter([Ok(first)]).chain(others).right_stream())
    }

    /// What the server sends, as long as it has more.
    fn sent(
        &self,
        server: Arc<dyn RemoteLedger>,
        after: u64,
        extent: Extent,
    ) -> impl Stream<Item = Result<Commit<T>, LedgerError>> {
        let pages = stream::try_unfold(after, move |after| {
            let server = Arc::clone(&server);
            async move {
                let page = server.after(after, extent).await.map_err(|source| self.refused(source))?;
                let (mut commits, mut last) = (Vec::with_capacity(page.len()), after);
                for bytes in page {
                    let commit = self.parse_after(last, &bytes, extent)?;
                    last = commit.number;
                    commits.push(Ok(commit));
                }
                Ok((!commits.is_empty()).then(|| (stream::iter(commits), last)))
            }
        });
        pages.try_flatten()
    }

    /// Reads bytes as the commit that comes next, or of an abridged ledger, as one that comes later.
    fn parse_after(&self, last: u64, bytes: &[u8], extent: Extent) -> Result<Commit<T>, LedgerError> {
        let number = match extent {
            Extent::Whole => last + 1,
            Extent::Abridged => self.head(last + 1, bytes)?.number.max(last + 1),
        };
        self.parse(number, bytes)
    }

    /// Reads one commit; `None` where it has not been made.
    ///
    /// # Errors
    /// [`LedgerError`] for a store that fails and a commit that can't be read.
    pub async fn read(&self, number: u64) -> Result<Option<Commit<T>>, LedgerError> {
        let bytes = self.stored(number).await?;
        bytes.map(|bytes| self.parse(number, &bytes)).transpose()
    }

    /// Reads one commit as it is stored; `None` where it has not been made.
    ///
    /// # Errors
    /// [`LedgerError`] for a store that fails.
    pub async fn stored(&self, number: u64) -> Result<Option<Bytes>, LedgerError> {
        match &self.home {
            Home::Store(store) => {
                let read = store.get(&key::commit(&self.name, number)).await;
                read.map_err(|source| self.unreachable(source))
            }
            Home::Remote(server) => server.read(number).await.map_err(|source| self.refused(source)),
        }
    }

    /// Reads commits as they are stored, one to a line: those of these numbers, in order, up to the first that is not there or until
    /// they come to so many bytes.
    ///
    /// # Errors
    /// [`LedgerError`] for a store that fails.
    pub async fn lines(&self, numbers: impl Iterator<Item = u64>, bytes: usize) -> Result<Bytes, LedgerError> {
        let mut read = stream::iter(numbers).map(|number| self.stored(number)).buffered(READ_AHEAD);
        let mut lines = BytesMut::new();
        while let Some(Some(commit)) = read.try_next().await? {
            lines.extend_from_slice(&commit);
            lines.extend_from_slice(b"\n");
            if lines.len() >= bytes {
                break;
            }
        }
        Ok(lines.freeze())
    }

    /// Makes the commit that follows the position, unless another writer made it first.
    ///
    /// An answer that leaves it open whether the commit was made (a time-out, say) is resolved by reading it back.
    ///
    /// # Errors
    /// [`AppendError::Lost`] where another writer was first; [`AppendError::Ledger`] where the store failed.
    pub async fn append(&self, after: &Position, author: Author, payload: T) -> Result<Commit<T>, AppendError> {
        let number = after.number + 1;
        let mut commit = Commit {
            schema: SCHEMA,
            number,
            previous: after.digest,
            writer: self.writer,
            at: Utc::now(),
            author: self.signed(author),
            payload,
            digest: Digest::nothing(),
        };
        let bytes = serde_json::to_vec(&commit).map(Bytes::from).map_err(|source| self.misshapen(number, source))?;
        commit.digest = Digest::of(&bytes);
        match self.create(number, bytes).await? {
            Standing::Ours => Ok(commit),
            Standing::Theirs => Err(AppendError::Lost { ledger: self.name.clone(), number }),
        }
    }

    /// Makes a commit that was put together elsewhere, unless there is another of its number; whether it follows from
    /// the one before is the caller's business.
    ///
    /// # Errors
    /// [`LedgerError`] where it can't be read as a commit of that number, and where the store failed.
    pub async fn adopt(&self, number: u64, bytes: Bytes) -> Result<Standing, LedgerError> {
        self.parse(number, &bytes)?;
        self.create(number, bytes).await
    }

    /// Reads bytes as the commit of a number.
    ///
    /// # Errors
    /// [`LedgerError`] where they are none.
    pub fn parse(&self, number: u64, bytes: &[u8]) -> Result<Commit<T>, LedgerError> {
        let head = self.head(number, bytes)?;
        if head.schema > SCHEMA {
            return Err(LedgerError::Schema { ledger: self.name.clone(), number, schema: head.schema });
        }
        if head.number != number {
            return Err(LedgerError::Chain { ledger: self.name.clone(), number });
        }
        let mut commit: Commit<T> = serde_json::from_slice(bytes).map_err(|source| self.misshapen(number, source))?;
        commit.digest = Digest::of(bytes);
        Ok(commit)
    }

    fn head(&self, number: u64, bytes: &[u8]) -> Result<Head, LedgerError> {
        serde_json::from_slice(bytes).map_err(|source| self.misshapen(number, source))
    }

    /// The author as the ledger's keeper knows it: a name that it vouches for comes first.
    fn signed(&self, author: Author) -> Author {
        let Home::Remote(server) = &self.home else { return author };
        match server.writer() {
            Some(name) if author.who != name => Author { who: format!("{name} ({})", author.who), ..author },
            _ => author,
        }
    }

    /// An answer that leaves it open whether the commit was made is resolved by reading it back.
    async fn create(&self, number: u64, bytes: Bytes) -> Result<Standing, LedgerError> {
        let digest = Digest::of(&bytes);
        let mut failure = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(PAUSE * attempt).await;
            }
            match self.send(number, bytes.clone()).await {
                Ok(Some(standing)) => return Ok(standing),
                // A store may answer "exists" to a conflict of two writers of whom neither has landed.
                Ok(None) => {}
                Err(error) if error.is_passing() => failure = Some(error),
                Err(error) => return Err(error),
            }
            match self.stored(number).await? {
                Some(bytes) if Digest::of(&bytes) == digest => return Ok(Standing::Ours),
                Some(_) => return Ok(Standing::Theirs),
                // What was sent before may still land: it is the same commit, so it is safe to send it again.
                None => {}
            }
        }
        failure.map_or(Ok(Standing::Theirs), Err)
    }

    /// Sends a commit; `None` where what stands there has to be looked at.
    async fn send(&self, number: u64, bytes: Bytes) -> Result<Option<Standing>, LedgerError> {
        match &self.home {
            Home::Store(store) => match store.create(&key::commit(&self.name, number), bytes).await {
                Ok(Created::New) => Ok(Some(Standing::Ours)),
                Ok(Created::Exists) => Ok(None),
                Err(source) => Err(self.unreachable(source)),
            },
            Home::Remote(server) => server.create(number, bytes).await.map(Some).map_err(|source| self.refused(source)),
        }
    }

    fn misshapen(&self, number: u64, source: serde_json::Error) -> LedgerError {
        LedgerError::Shape { ledger: self.name.clone(), number, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author() -> Author {
        Author { who: "ana".to_owned(), from: "ci".to_owned(), why: None }
    }

    async fn open(directory: &tempfile::TempDir) -> Store {
        Store::open(directory.path().to_str().unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn appends_and_reads_back() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = open(&directory).await.ledger::<String>("environments/dev");
        let first = ledger.append(&Position::start(), author(), "one".to_owned()).await.unwrap();
        let second = ledger.append(&first.position(), author(), "two".to_owned()).await.unwrap();
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!(second.previous, first.position().digest);

        let again = open(&directory).await.ledger::<String>("environments/dev");
        assert_eq!(again.since(&Position::start()).await.unwrap(), [first.clone(), second.clone()]);
        assert_eq!(again.since(&first.position()).await.unwrap(), [second]);
        assert!(again.read(3).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn one_of_many_writers_wins_each_number() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory).await;
        let writers = (0..16).map(|writer| {
            let ledger = store.ledger::<u32>("repository");
            tokio::spawn(async move {
                let mut position = Position::start();
                loop {
                    match ledger.append(&position, author(), writer).await {
                        Ok(commit) => return commit.number,
                        Err(AppendError::Lost { .. }) => {
                            let commits = ledger.since(&position).await.unwrap();
                            position = commits.last().map_or(position, Commit::position);
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        });
        let mut numbers: Vec<u64> = futures::future::try_join_all(writers).await.unwrap();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=16).collect::<Vec<_>>());
        let ledger = store.ledger::<u32>("repository");
        assert_eq!(ledger.since(&Position::start()).await.unwrap().len(), 16);
    }

    #[tokio::test]
    async fn a_changed_commit_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = open(&directory).await.ledger::<String>("repository");
        let first = ledger.append(&Position::start(), author(), "one".to_owned()).await.unwrap();
        ledger.append(&first.position(), author(), "two".to_owned()).await.unwrap();
        let file = directory.path().join("ledgers/repository/000000000001.json");
        let text = fs_err::read_to_string(&file).unwrap();
        fs_err::write(&file, text.replace("one", "eno")).unwrap();
        let error = ledger.since(&Position::start()).await.unwrap_err();
        assert!(matches!(error, LedgerError::Chain { number: 2, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_newer_schema_is_refused_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = open(&directory).await.ledger::<String>("repository");
        ledger.append(&Position::start(), author(), "one".to_owned()).await.unwrap();
        let file = directory.path().join("ledgers/repository/000000000001.json");
        let text = fs_err::read_to_string(&file).unwrap();
        fs_err::write(&file, text.replace("\"schema\":1", "\"schema\":2")).unwrap();
        let error = ledger.since(&Position::start()).await.unwrap_err();
        assert!(error.to_string().contains("schema 2"), "{error}");
    }

    #[tokio::test]
    async fn own_commit_is_recognised_after_a_lost_answer() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory).await;
        let ledger = store.ledger::<String>("repository");
        let commit = ledger.append(&Position::start(), author(), "one".to_owned()).await.unwrap();
        let bytes = ledger.stored(1).await.unwrap().unwrap();
        assert_eq!(ledger.adopt(1, bytes).await.unwrap(), Standing::Ours);
        assert!(ledger.is_own(&commit));
        let other = store.ledger::<String>("repository").append(&Position::start(), author(), "one".to_owned()).await;
        assert!(matches!(other, Err(AppendError::Lost { number: 1, .. })));
    }
}
