//! What `pkg build` makes of bad input and of bad luck: an error that says what and where, the documented exit code, and
//! no file left, neither where packages go nor where temporary files do; or the right package.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{PKG, Ran, pkg, run};
use crate::root::Root;

/// The top of a spec, seven lines; what a test is about follows.
const HEAD: &str = "name = 'shop'\nsummary = 'The shop'\ndescription = 'Sells things.'\nlicense = 'MIT'\n\
                    version = '1'\nrelease = '1'\n\n";

/// A directory in which something is built.
struct Workshop {
    directory: tempfile::TempDir,
}

impl Workshop {
    /// With a file, a directory, a pipe and archives that are whole and broken.
    fn new() -> Self {
        let workshop = Self { directory: tempfile::tempdir().unwrap() };
        for directory in ["tmp", "tree/sub", "odd", "pipes"] {
            std::fs::create_dir_all(workshop.path(directory)).unwrap();
        }
        for file in ["file", "tree/sub/file", "tree/with space", "tree/Größe ☃", "odd/a\nb"] {
            std::fs::write(workshop.path(file), "content\n").unwrap();
        }
        run(Command::new("mkfifo").arg(workshop.path("pipes/pipe"))).ok();
        symlink("nowhere", workshop.path("dangling")).unwrap();
        symlink("loop", workshop.path("loop")).unwrap();
        run(Command::new("zip").current_dir(workshop.path("tree")).args(["-qr", "../good.war", "."])).ok();
        let war = std::fs::read(workshop.path("good.war")).unwrap();
        std::fs::write(workshop.path("truncated.war"), &war[..war.len() - 30]).unwrap();
        std::fs::write(workshop.path("text.war"), "no zip").unwrap();
        run(Command::new("tar").current_dir(workshop.path("tree")).args(["-czf", "../good.tar.gz", "."])).ok();
        let archive = std::fs::read(workshop.path("good.tar.gz")).unwrap();
        std::fs::write(workshop.path("truncated.tar.gz"), &archive[..archive.len() / 2]).unwrap();
        let up = ["-czPf", "up.tar.gz", "--transform=s,^file$,../../etc/file,", "file"];
        run(Command::new("tar").current_dir(workshop.directory.path()).args(up)).ok();
        workshop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn spec(&self, text: &str) {
        std::fs::write(self.path("shop.toml"), text).unwrap();
    }

    /// Prepares the build of `shop.toml`, or what comes before `pkg`.
    fn command(&self, before: &[&str]) -> Command {
        let mut command = match before {
            [] => pkg(self.directory.path()),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.current_dir(self.directory.path()).args(arguments).arg(PKG);
                command
            }
        };
        command.args(["build", "shop.toml"]).env("TMPDIR", self.path("tmp"));
        command
    }

    /// Asserts the exit code, what is said and that nothing is left.
    #[track_caller]
    fn refused(&self, ran: &Ran, code: i32, said: &[&str]) {
        ran.exits(code);
        ran.says(said);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.lines().last().is_some_and(|line| !line.contains("panicked")), "{}", ran.stderr);
        self.nothing_left();
    }

    #[track_caller]
    fn nothing_left(&self) {
        for directory in ["dist", "tmp"] {
            let left: Vec<_> = std::fs::read_dir(self.path(directory)).into_iter().flatten().flatten().collect();
            assert!(left.is_empty(), "{left:?} was left");
        }
    }
}

/// One entry of `contents`, from line 8 on.
fn content(kind: &str, source: &str, destination: &str) -> String {
    format!("{HEAD}[[contents]]\ntype = '{kind}'\nsource = \"{source}\"\ndestination = \"{destination}\"\n")
}

#[test]
fn specs_that_do_not_hold() {
    let workshop = Workshop::new();
    let file = |destination: &str| content("file", "file", destination);
    let second = "[[contents]]\ntype = 'file'\nsource = 'file'\ndestination = '/opt/shop/a'\n";
    let nested = format!("name = {}", "[".repeat(100_000));
    for (spec, said) in [
        ("name = 'shop", &["shop.toml:1"][..]),
        (&nested, &["shop.toml:1", "recursion"]),
        ("", &["shop.toml", "`name`"]),
        (&format!("{HEAD}verison = '1'"), &["shop.toml:8", "`verison`", "`version`"]),
        (&content("fiel", "file", "/opt/shop/a"), &["shop.toml:9", "`fiel`", "`file`"]),
        (&file("/opt/../etc/shadow"), &["shop.toml:11", "`/opt/../etc/shadow`", "`..`"]),
        (&file("opt/shop/a"), &["shop.toml:11", "`opt/shop/a`", "absolute"]),
        (&file("/opt/shop/a\\nb"), &["shop.toml:11", "control characters"]),
        (&file(&format!("/opt/{}", "a".repeat(256))), &["255"]),
        (&file("/opt/shop/${NOT_SET_ANYWHERE}"), &["shop.toml:11", "NOT_SET_ANYWHERE", "--set"]),
        (&format!("{}{second}", file("/opt/shop/a")), &["shop.toml:12", "`/opt/shop/a`", "shop.toml:8"]),
        (&format!("{}{second}", file("/opt/shop")), &["shop.toml:12", "`/opt/shop/a`", "no directory"]),
        (&format!("{}mode = '0888'\n", file("/opt/shop/a")), &["shop.toml:12", "`0888`", "0644"]),
        (&file("/opt/shop/a").replace("version = '1'", &format!("version = '{}'", "1".repeat(300))), &["255"]),
    ] {
        workshop.spec(spec);
        workshop.refused(&run(&mut workshop.command(&[])), 2, said);
    }
}

#[test]
fn sources_that_are_not_what_they_should_be() {
    let workshop = Workshop::new();
    for (kind, source, said) in [
        ("file", "missing", &["shop.toml:8", "`missing`"][..]),
        ("file", "dangling", &["shop.toml:8", "`dangling`"]),
        ("file", "loop", &["shop.toml:8", "`loop`", "symbolic links"]),
        ("file", "tree", &["shop.toml:8", "`tree` is not a file"]),
        ("file", "pipes/pipe", &["shop.toml:8", "`pipes/pipe` is not a file"]),
        ("file", "/dev/zero", &["shop.toml:8", "`/dev/zero` is not a file"]),
        ("tree", "file", &["shop.toml:8", "`file` is not a directory"]),
        ("tree", "pipes", &["shop.toml:8", "`pipes/pipe` is neither a file nor a directory"]),
        ("tree", "odd", &["shop.toml:8", "odd/a\\nb", "control characters"]),
        ("glob", "tree/*.jar", &["shop.toml:8", "`tree/*.jar`"]),
        ("war", "text.war", &["shop.toml:8", "`text.war` is not a zip archive"]),
        ("war", "truncated.war", &["shop.toml:8", "`truncated.war` is not a zip archive"]),
        ("archive", "truncated.tar.gz", &["shop.toml:8", "`truncated.tar.gz`"]),
        ("archive", "up.tar.gz", &["shop.toml:8", "../../etc/file", "outside"]),
        ("archive", "text.war", &["shop.toml:8", "`text.war`", ".tar.zst"]),
    ] {
        workshop.spec(&content(kind, source, "/opt/shop"));
        workshop.refused(&run(&mut workshop.command(&[])), 2, said);
    }
}

/// Root reads everything: the build is done by somebody else.
#[test]
fn a_file_that_nobody_may_read() {
    let workshop = Workshop::new();
    std::fs::set_permissions(workshop.directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    for (path, mode) in [("tmp", 0o777), ("dist", 0o777), ("tree/sub/file", 0o000)] {
        std::fs::create_dir_all(workshop.path("dist")).unwrap();
        std::fs::set_permissions(workshop.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    workshop.spec(&content("tree", "tree", "/opt/shop"));
    let ran = run(&mut workshop.command(&nobody));
    workshop.refused(&ran, 2, &["shop.toml:8", "`tree/sub/file`", "Permission denied"]);
    std::fs::set_permissions(workshop.path("dist"), std::fs::Permissions::from_mode(0o555)).unwrap();
    workshop.spec(&content("file", "file", "/opt/shop"));
    workshop.refused(&run(&mut workshop.command(&nobody)), 2, &["`dist`", "Permission denied"]);
}

/// A megabyte of room where a package goes, or what is packed and unpacked on the way to it.
#[test]
fn a_full_disk() {
    let workshop = Workshop::new();
    let noise = "head -c 8000000 /dev/urandom >noise; mkdir big; ln noise big/; tar -czf big.tar.gz noise";
    run(Command::new("sh").args(["-ec", noise]).current_dir(workshop.directory.path())).ok();
    std::fs::create_dir(workshop.path("dist")).unwrap();
    for (full, kind, source) in
        [("dist", "file", "noise"), ("dist", "war", "big"), ("tmp", "archive", "big.tar.gz"), ("tmp", "war", "big")]
    {
        workshop.spec(&content(kind, source, "/opt/shop"));
        let small = format!("mount -t tmpfs -o size=1m tmpfs {full}; \"$0\" \"$@\"; code=$?; ls -A {full}; exit $code");
        let ran = run(&mut workshop.command(&[
            "unshare",
            "--mount",
            "--",
            "sh",
            "-ec",
            &small.replace("; code", " || code"),
        ]));
        workshop.refused(&ran, 1, &["No space left on device"]);
    }
}

/// Whether a process is in the middle of a file: what it writes has no name yet that could be seen.
fn is_reading(process: u32, file: &Path) -> bool {
    let open = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let mut of_file = open.filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == file));
    of_file.any(|entry| {
        let number = entry.file_name().into_string().unwrap();
        let info = std::fs::read_to_string(format!("/proc/{process}/fdinfo/{number}")).unwrap_or_default();
        info.lines().any(|line| line.strip_prefix("pos:").is_some_and(|position| position.trim() != "0"))
    })
}

/// Starts the build of a large file and does something to it, again and again, while the package is being written.
#[track_caller]
fn meanwhile(workshop: &Workshop, act: impl Fn(&Path)) -> Ran {
    let large = workshop.path("large");
    std::fs::File::create(&large).unwrap().set_len(3 << 30).unwrap();
    workshop.spec(&content("file", "large", "/opt/shop/large").replace("\n\n", "\ncompression = 'zstd:1'\n"));
    let mut command = workshop.command(&[]);
    let mut build = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_reading(build.id(), &large) {
        assert!(Instant::now() < deadline, "nothing is being read");
        std::thread::sleep(Duration::from_millis(5));
    }
    while build.try_wait().unwrap().is_none() {
        act(&large);
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = build.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran {
        line: format!("{command:?}"),
        code: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
    }
}

#[test]
fn a_file_that_changes_while_it_is_read() {
    let workshop = Workshop::new();
    let open = |path: &Path| std::fs::File::options().append(true).open(path).unwrap();
    let grows = meanwhile(&workshop, |large| open(large).write_all(b"more").unwrap());
    workshop.refused(&grows, 2, &["`large` changed while it was read"]);
    let shrinks = meanwhile(&workshop, |large| open(large).set_len(1 << 30).unwrap());
    workshop.refused(&shrinks, 2, &["`large` changed while it was read"]);
    let rewritten = meanwhile(&workshop, |large| {
        let mut file = std::fs::File::options().write(true).open(large).unwrap();
        file.write_all(b"other").unwrap();
    });
    workshop.refused(&rewritten, 2, &["`large` changed while it was read"]);
}

/// Names that shells and old archives stumble over, and a file whose size has more than 32 bits.
#[test]
fn unusual_input_gives_the_right_package() {
    let workshop = Workshop::new();
    let large = workshop.path("large");
    std::fs::File::create(&large).unwrap().set_len(5 << 30).unwrap();
    std::fs::File::options().append(true).open(&large).unwrap().write_all(b"end").unwrap();
    let contents = "compression = 'zstd:1'\n\
                    [[contents]]\ntype = 'tree'\nsource = 'tree'\ndestination = '/opt/shop'\n\
                    [[contents]]\ntype = 'file'\nsource = \"odd/a\\nb\"\ndestination = '/opt/shop/from an odd name'\n\
                    [[contents]]\ntype = 'directory'\ndestination = '/srv/shop'\n\
                    [[contents]]\ntype = 'file'\nsource = 'large'\ndestination = '/srv/shop/large'\n";
    workshop.spec(&format!("{HEAD}{contents}"));
    let built = run(&mut workshop.command(&[]));
    let package = workshop.path(built.ok()).display().to_string();
    let root = Root::up("bookworm", workshop.directory.path());
    let sizes = root.run("rpm", &["-qp", "--qf", "[%{longfilesizes} %{filenames}\\n]%{longsize}", &package]);
    let expected = "0 /opt/shop\n8 /opt/shop/Größe ☃\n8 /opt/shop/from an odd name\n0 /opt/shop/sub\n\
                    8 /opt/shop/sub/file\n8 /opt/shop/with space\n0 /srv/shop\n5368709123 /srv/shop/large\n5368709155";
    assert_eq!(sizes.ok(), expected);
    root.run("rpm", &["-K", &package]).ok();
    // Not the large one: the root is kept in memory.
    root.run("rpm", &["-U", "--excludepath=/srv/shop", &package]).ok();
    let installed = "cd /opt/shop; for file in * sub/*; do if [ -f \"$file\" ]; then cat \"$file\"; fi; done";
    assert_eq!(root.sh(installed).ok(), ["content"; 4].join("\n"));
    let compare = format!("rpm2archive -n - <{package} | tar -xO ./srv/shop/large | cmp - {}", large.display());
    root.sh(&compare).ok();
}
