//! An object store that fails at a step of one's choice.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What happens at a step: something is written or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// From before this step on, nothing answers any longer.
    DiesBefore(usize),
    /// This step takes effect; from then on, nothing answers any longer, not even to it.
    DiesAfter(usize),
    /// This step takes no effect and is answered with an error.
    FailsBefore(usize),
    /// This step takes effect and is answered with an error.
    FailsAfter(usize),
    /// This step takes no effect, and the answer is that the object exists.
    Conflicts(usize),
}

/// A store in memory that counts its steps and fails at one of them.
#[derive(Debug)]
pub(crate) struct Faulty {
    objects: Arc<InMemory>,
    fault: Fault,
    steps: AtomicUsize,
}

impl Faulty {
    pub(crate) fn new(objects: &Arc<InMemory>, fault: Fault) -> Arc<Self> {
        Arc::new(Self { objects: Arc::clone(objects), fault, steps: AtomicUsize::new(0) })
    }

    /// How many steps were taken.
    pub(crate) fn steps(&self) -> usize {
        self.steps.load(Ordering::SeqCst)
    }

    fn is_dead(&self) -> bool {
        match self.fault {
            Fault::DiesBefore(step) | Fault::DiesAfter(step) => self.steps() > step,
            _ => false,
        }
    }

    fn alive(&self) -> Result<()> {
        if self.is_dead() { Err(broken()) } else { Ok(()) }
    }

    /// Takes a step; gives the error that is answered instead of what the step comes to, if any, and whether it is taken.
    fn step(&self, location: &Path) -> (bool, Option<Error>) {
        if self.is_dead() {
            return (false, Some(broken()));
        }
        let step = self.steps.fetch_add(1, Ordering::SeqCst);
        match self.fault {
            Fault::DiesBefore(at) | Fault::FailsBefore(at) if at == step => (false, Some(broken())),
            Fault::DiesAfter(at) | Fault::FailsAfter(at) if at == step => (true, Some(broken())),
            Fault::Conflicts(at) if at == step => {
                let error = Error::AlreadyExists { path: location.to_string(), source: "a conflict".into() };
                (false, Some(error))
            }
            _ => (true, None),
        }
    }
}

fn broken() -> Error {
    Error::Generic { store: "Faulty", source: "no answer".into() }
}

impl fmt::Display for Faulty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Faulty({:?})", self.fault)
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let (taken, failure) = self.step(location);
        let result = if taken { Some(self.objects.put_opts(location, payload, options).await) } else { None };
        match (failure, result) {
            (Some(error), _) => Err(error),
            (None, result) => result.unwrap_or_else(|| Err(broken())),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.alive()?;
        self.objects.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.alive()?;
        self.objects.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (taken, failure) = self.step(&Path::from("deleted"));
        let deleted = if taken { Some(self.objects.delete_stream(locations)) } else { None };
        match (deleted, failure) {
            (Some(deleted), None) => deleted,
            (Some(deleted), Some(_)) => deleted.map(|_| Err(broken())).boxed(),
            (None, _) => futures::stream::iter([Err(broken())]).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.alive() {
            Ok(()) => self.objects.list(prefix),
            Err(error) => futures::stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.alive()?;
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.alive()?;
        self.objects.copy_opts(from, to, options).await
    }
}
