//! A `pkg build` that is killed leaves nothing in the output directory.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::PKG;

const SPEC: &str = "name = \"noise\"\nversion = \"1\"\nrelease = \"1\"\nsummary = \"Noise\"\nlicense = \"MIT\"\n\
                    compression = \"xz:6\"\n[[contents]]\ntype = \"file\"\nsource = \"noise\"\ndestination = \"/opt/noise\"\n";

#[test]
fn leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("dist");
    let mut noise = File::open("/dev/urandom").unwrap().take(48 << 20);
    std::io::copy(&mut noise, &mut File::create(directory.path().join("noise")).unwrap()).unwrap();
    std::fs::write(directory.path().join("noise.toml"), SPEC).unwrap();
    for signal in ["KILL", "TERM", "INT"] {
        // Who started this test in the background may have it ignore SIGINT, and its children with it.
        let mut build = Command::new("env");
        build.current_dir(directory.path()).args(["--default-signal=INT", PKG, "build", "noise.toml"]);
        let mut build = build.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until_it_writes(&mut build, &out);
        let status = Command::new("kill").args([&format!("-{signal}"), &build.id().to_string()]).status().unwrap();
        assert!(status.success());
        assert!(!build.wait().unwrap().success(), "{signal}: it was not killed");
        assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0, "{signal}");
    }
}

/// Waits until the program has a file of the directory open, however it is named.
fn wait_until_it_writes(program: &mut Child, directory: &Path) {
    let begin = Instant::now();
    let directory = directory.to_owned();
    let open_files = format!("/proc/{}/fd", program.id());
    let is_below = |file: std::io::Result<std::fs::DirEntry>| {
        file.and_then(|file| std::fs::read_link(file.path())).is_ok_and(|target| target.starts_with(&directory))
    };
    while !std::fs::read_dir(&open_files).unwrap().any(is_below) {
        assert!(program.try_wait().unwrap().is_none(), "it ended before it was killed");
        assert!(begin.elapsed() < Duration::from_secs(60), "it writes nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
}
