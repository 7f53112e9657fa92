//! What is written installs as it was laid out, and what cannot be written leaves nothing behind.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use packager::{
    BuildError, Compression, Entry, EntryKind, PackageLayout, Scriptlet, ScriptletKind, Source, Target, Trigger,
    TriggerKind, WriteError,
};
use rand::distributions::Alphanumeric;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rpm_header::Dependency;
use tempfile::TempDir;

use crate::layouts::{entry, file, layout};
use crate::workshop::{Root, run};

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn packed(layout: &PackageLayout, directory: &Path) -> String {
    packager::pack(layout, &directory.join("out"), None).unwrap().path.to_str().unwrap().to_owned()
}

/// The error and its causes; nothing is left in the output directory.
fn refusal(layout: &PackageLayout, directory: &Path) -> String {
    let error = packager::pack(layout, &directory.join("out"), None).unwrap_err();
    let left = std::fs::read_dir(directory.join("out")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "{error}");
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[test]
fn links_ghosts_and_capabilities_install() {
    let directory = directory();
    std::fs::write(directory.path().join("tool"), "x").unwrap();
    for compression in ["gzip:1", "xz:0", "zstd:3", "none"] {
        let mut layout = layout();
        layout.compression = compression.parse().unwrap();
        layout.entries = vec![
            entry("/opt/x", EntryKind::Directory, 0o755),
            entry("/opt/x/a link", EntryKind::Symlink("tool".to_owned()), 0o777),
            entry("/opt/x/ghost", EntryKind::GhostFile, 0o644),
            entry("/opt/x/ghosts", EntryKind::GhostDirectory, 0o755),
            entry("/opt/x/über", EntryKind::File(Source::Text("grün".to_owned())), 0o600),
        ];
        let tool = file(directory.path(), "tool", 0o755);
        let capabilities = Some("cap_net_bind_service=ep".to_owned());
        layout.entries.push(Entry { path: "/opt/y".to_owned(), capabilities, ..tool });
        let package = packed(&layout, directory.path());
        let root = Root::new();
        root.install(Path::new(&package));
        assert_eq!(root.rpm(&["-V", "--nodeps", "feature"]), (true, String::new(), String::new()), "{compression}");
        assert_eq!(std::fs::read_link(root.path("/opt/x/a link")).unwrap(), Path::new("tool"));
        assert_eq!(std::fs::read_to_string(root.path("/opt/x/über")).unwrap(), "grün");
        assert!(!root.path("/opt/x/ghost").exists());
        let capabilities = run("getcap", &[root.path("/opt/y").to_str().unwrap()]);
        assert!(capabilities.ends_with("cap_net_bind_service=ep\n"), "{capabilities}");
        let (_, listing, _) = root.rpm(&["-ql", "feature"]);
        let expected = "/opt/x\n/opt/x/a link\n/opt/x/ghost\n/opt/x/ghosts\n/opt/x/über\n/opt/y\n";
        assert_eq!(listing, expected);
    }
}

#[test]
fn lua_scriptlets_and_file_triggers_run() {
    let directory = directory();
    let mut layout = layout();
    layout.entries = vec![entry("/opt/x", EntryKind::File(Source::Text(String::new())), 0o644)];
    let lua = |name: &str| format!("io.open('/{name}', 'w'):write('ran'):close()");
    let interpreter = vec!["<lua>".to_owned()];
    let post = Scriptlet { kind: ScriptletKind::PostInstall, interpreter: interpreter.clone(), body: lua("post") };
    layout.scriptlets = vec![post];
    let watched = Dependency { name: "/opt".to_owned(), flags: 0, version: String::new() };
    let kind = TriggerKind::TransactionFileInstall;
    layout.triggers = vec![Trigger { kind, watches: vec![watched], interpreter, body: lua("trigger"), priority: None }];
    let root = Root::new();
    let flags = ["-U", "--force-debian", "--nodigest", &packed(&layout, directory.path())];
    // No `--nodeps`: a dependency on `<lua>` could not be met.
    assert_eq!(root.rpm(&flags), (true, String::new(), String::new()));
    for name in ["/post", "/trigger"] {
        assert_eq!(std::fs::read_to_string(root.path(name)).unwrap(), "ran", "{name}");
    }
}

#[test]
fn files_of_more_than_4_gib() {
    let directory = directory();
    let source = directory.path().join("sparse");
    std::fs::File::create(&source).unwrap().set_len((4 << 30) + 5).unwrap();
    let mut layout = layout();
    layout.target = Target::El8;
    layout.entries = vec![file(directory.path(), "sparse", 0o644)];
    layout.entries[0].path = "/opt/sparse".to_owned();
    let package = packed(&layout, directory.path());
    assert_eq!(run("rpm", &["-K", &package]), format!("{package}: digests OK\n"));
    let sizes = "%{longsize} %{longarchivesize} [%{longfilesizes}]";
    let expected = format!("{} {} {}", (4_u64 << 30) + 5, (4_u64 << 30) + 5 + 3 + 16 + 124, (4_u64 << 30) + 5);
    assert_eq!(run("rpm", &["-qp", "--qf", sizes, &package]), expected);
    assert!(run("rpm", &["-qp", "--requires", &package]).contains("rpmlib(LargeFiles)"));
    layout.target = Target::El7;
    layout.compression = Compression::Gzip(1);
    let error = refusal(&layout, &directory.path().join("el7"));
    assert!(error.contains("the rpm of target `el7` cannot handle files of 4 GiB and more"), "{error}");
}

#[test]
fn what_cannot_become_a_package_is_refused() {
    let directory = directory();
    let of = |path: &str| entry(path, EntryKind::Directory, 0o755);
    let link = |target: &str| entry("/opt/link", EntryKind::Symlink(target.to_owned()), 0o777);
    let sh = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let post = |words| Scriptlet { kind: ScriptletKind::PostInstall, interpreter: sh(words), body: String::new() };
    let long = format!("/{}", "a".repeat(4100));
    let entries = [
        (vec![of("/opt/a\nb")], "the path \"/opt/a\\nb\" cannot stand in a package"),
        (vec![of("opt")], "the path \"opt\" cannot"),
        (vec![of("/opt/../etc")], "cannot stand in a package"),
        (vec![of("/opt/")], "cannot stand in a package"),
        (vec![of("/")], "cannot stand in a package"),
        (vec![of(&long)], "cannot stand in a package"),
        (vec![of("/b"), of("/a")], "the path `/a` does not come after"),
        (vec![of("/a"), of("/a")], "the path `/a` does not come after"),
        (vec![link("")], "the link `/opt/link` has the target \"\""),
        (
            vec![Entry { user: "a\0b".to_owned(), ..of("/a") }],
            "the owner or the capabilities of a file holds a zero byte",
        ),
    ];
    for (entries, expected) in entries {
        let error = refusal(&PackageLayout { entries, ..layout() }, directory.path());
        assert!(error.contains(expected), "{error}");
    }
    for (scriptlets, expected) in [
        (vec![post(&["sh"])], "the interpreter `sh` is neither"),
        (vec![post(&[])], "the interpreter `` is neither"),
        (vec![post(&["/bin/sh"]), post(&["<lua>"])], "two `%post` scriptlets"),
    ] {
        let error = refusal(&PackageLayout { scriptlets, ..layout() }, directory.path());
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_fails_the_build() {
    let directory = directory();
    let source = directory.path().join("log");
    std::fs::write(&source, vec![7; 30_000_000]).unwrap();
    let mut layout = layout();
    layout.entries = vec![file(directory.path(), "log", 0o644)];
    layout.entries[0].path = "/opt/log".to_owned();
    let done = AtomicBool::new(false);
    let error = std::thread::scope(|scope| {
        // As many bytes as before: nothing but the time tells.
        scope.spawn(|| {
            let file = std::fs::File::options().write(true).open(&source).unwrap();
            while !done.load(Ordering::Relaxed) {
                file.set_modified(SystemTime::now()).unwrap();
            }
        });
        let error = refusal(&layout, directory.path());
        done.store(true, Ordering::Relaxed);
        error
    });
    assert!(error.contains("changed while it was read"), "{error}");
    packed(&layout, directory.path());
}

#[test]
fn what_cannot_be_read_fails_the_build() {
    let directory = directory();
    std::fs::create_dir(directory.path().join("folder")).unwrap();
    for (name, expected) in [("folder", "directory"), ("nowhere", "No such file")] {
        let mut layout = layout();
        let source = Source::File(directory.path().join(name), 5);
        layout.entries = vec![entry("/opt/x", EntryKind::File(source), 0o644)];
        let error = refusal(&layout, directory.path());
        assert!(error.contains("could not read a file of the package") && error.contains(expected), "{error}");
    }
}

/// Names the folder on a small disk to the process that is to fill it.
const SMALL_DISK: &str = "PACKAGER_TEST_SMALL_DISK";

#[test]
fn a_full_disk_leaves_nothing() {
    if let Ok(disk) = std::env::var(SMALL_DISK) {
        fill(Path::new(&disk));
        return;
    }
    // In a mount namespace of its own, so that the disk goes with the process.
    let directory = directory();
    let script = "mount -t tmpfs -o size=300k tmpfs \"$1\" && exec \"$2\" --exact writing::a_full_disk_leaves_nothing";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(directory.path()).arg(std::env::current_exe().unwrap());
    let output = command.env(SMALL_DISK, directory.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

fn fill(disk: &Path) {
    let mut layout = layout();
    for (compression, copies) in [("none", 40), ("gzip:1", 40), ("zstd:3", 40), ("xz:0", 40), ("none", 2)] {
        layout.compression = compression.parse().unwrap();
        let file = |number: u64| {
            let numbers = StdRng::seed_from_u64(number);
            let text = numbers.sample_iter(Alphanumeric).take(200_000).map(char::from).collect();
            entry(&format!("/opt/{number:03}"), EntryKind::File(Source::Text(text)), 0o644)
        };
        layout.entries = (0..copies).map(file).collect();
        let error = packager::pack(&layout, disk, None).unwrap_err();
        let BuildError::Write(WriteError::Output(cause)) = &error else { panic!("{compression}: {error:?}") };
        assert_eq!(cause.kind(), std::io::ErrorKind::StorageFull, "{compression}");
        assert_eq!(std::fs::read_dir(disk).unwrap().count(), 0, "{compression}");
    }
}
