//! Packages to publish, a repository to publish them to, and a server in this process.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::OnceLock;

use bytes::Bytes;
use futures::stream;
use ledger::{Author, Digest, Store};
use repo_api::ChannelName;
use repo_server::{Access, KeyRing, Repository, Server, ServerSettings, TokenBook, Upload, serve};
use tempfile::TempDir;

/// A repository in a directory that goes away with it.
pub(crate) struct Lab {
    pub(crate) directory: TempDir,
    pub(crate) repository: Arc<Repository>,
}

/// A server on loopback that stops with it.
pub(crate) struct Running {
    pub(crate) lab: Lab,
    pub(crate) url: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Lab {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let repository = Arc::new(open(directory.path()).await);
        Self { directory, repository }
    }

    /// Opens the same repository anew, as another process would.
    pub(crate) async fn reopened(&self) -> Repository {
        open(self.directory.path()).await
    }

    pub(crate) async fn upload(&self, bytes: Vec<u8>) -> Upload {
        upload(&self.repository, bytes).await
    }

    pub(crate) async fn publish(&self, to: &str, packages: Vec<Vec<u8>>) -> u64 {
        let mut uploads = Vec::new();
        for bytes in packages {
            uploads.push(self.upload(bytes).await);
        }
        self.repository.publish(&channel(to), &uploads, author()).await.unwrap().state.position().number
    }

    pub(crate) fn listed(&self, name: &str) -> Vec<String> {
        listed(&self.repository, name)
    }
}

impl Running {
    /// A server that programs on this machine may write to.
    pub(crate) async fn new() -> Self {
        let settings = ServerSettings::new("127.0.0.1:0".parse().unwrap());
        Self::with(settings, |access| access).await
    }

    pub(crate) async fn with(settings: ServerSettings, access: impl FnOnce(Access) -> Access) -> Self {
        let lab = Lab::new().await;
        let tokens = TokenBook::open(lab.repository.store()).await.unwrap();
        let access = access(Access::new(tokens));
        let server = Server::bind(settings, Arc::clone(&lab.repository), access).await.unwrap();
        let url = server.url().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel();
        tokio::spawn(serve(server, async move {
            let _ = stopped.await;
        }));
        Self { lab, url, stop: Some(stop) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

async fn open(directory: &Path) -> Repository {
    let key = directory.join("keys");
    // A key takes seconds to make without optimisation: all tests share one.
    if !key.exists() {
        std::fs::create_dir(&key).unwrap();
        std::fs::copy(shared_key().join("repository.key"), key.join("repository.key")).unwrap();
    }
    let key = KeyRing::open_or_make(&key).unwrap();
    let channels = ["dev", "qa", "prod"].map(channel);
    Repository::open(directory.join("store").to_str().unwrap(), key, &channels).await.unwrap()
}

/// The key that all tests share.
pub(crate) fn keys() -> KeyRing {
    KeyRing::open_or_make(shared_key()).unwrap()
}

fn shared_key() -> &'static Path {
    static KEY: OnceLock<TempDir> = OnceLock::new();
    let directory = KEY.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        KeyRing::open_or_make(directory.path()).unwrap();
        directory
    });
    directory.path()
}

pub(crate) async fn upload(repository: &Repository, bytes: Vec<u8>) -> Upload {
    let sha256 = Digest::of(&bytes);
    let body = stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
    repository.store().receive_blob(Some(sha256), body, u64::MAX).await.unwrap();
    Upload { sha256, file_name: "a.rpm".to_owned(), time: None }
}

/// The store of a lab, without the repository.
pub(crate) async fn store(lab: &Lab) -> Store {
    Store::open(lab.directory.path().join("store").to_str().unwrap()).await.unwrap()
}

pub(crate) fn channel(name: &str) -> ChannelName {
    name.parse().unwrap()
}

pub(crate) fn author() -> Author {
    Author { who: "ana".to_owned(), from: "test".to_owned(), why: None }
}

pub(crate) fn listed(repository: &Repository, name: &str) -> Vec<String> {
    let state = repository.state();
    state.channel(&channel(name)).unwrap().listed().keys().map(ToString::to_string).collect()
}

/// A package of one file, made in memory; `body` makes its bytes differ.
pub(crate) fn rpm(name: &str, version: &str, body: &str) -> Vec<u8> {
    rpm_with_epoch(name, 0, version, body)
}

pub(crate) fn rpm_with_epoch(name: &str, epoch: u32, version: &str, body: &str) -> Vec<u8> {
    let config = rpm::BuildConfig::v4().compression(rpm::CompressionType::None).source_date(1_700_000_000);
    let path = format!("/opt/{name}/{version}/app.war");
    let mut builder = rpm::PackageBuilder::new(name, version, "MIT", "noarch", "A web application");
    builder.using_config(config).release("1").epoch(epoch).description(format!("{name} <{version}> & more"));
    let options = rpm::FileOptions::new(path);
    let package = builder.with_file_contents(body.as_bytes(), options).unwrap().build().unwrap();
    let mut bytes = Vec::new();
    package.write(&mut bytes).unwrap();
    bytes
}

/// Builds a package with rpmbuild and gives the binary package's path.
pub(crate) fn rpmbuild(directory: &Path, spec: &str) -> Vec<PathBuf> {
    let spec_path = directory.join("package.spec");
    std::fs::write(&spec_path, spec).unwrap();
    let top = directory.join("rpmbuild");
    run(Command::new("rpmbuild").arg("-ba").arg("--define").arg(format!("_topdir {}", top.display())).arg(&spec_path));
    let mut found = Vec::new();
    let mut folders = vec![top];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rpm") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Runs a program that has to succeed.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{text}\n{talk}", output.status);
    output
}
