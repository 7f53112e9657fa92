//! From a running host back to the commit: a package with tickets, signed, promoted, agreed to by two people and deployed; why
//! it runs, each link proven, what is found where somebody tampered with one, and the notes that were published.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::dialogue::Dialogue;
use crate::lab_site::{MASTER, SERVER, Site};
use crate::program::{Ran, pkg, repository_file, run};
use crate::shop::make_key;

const BUILD: &str = "https://ci.example.org/builds/";

/// Answers each POST, and writes its body as a line.
const RECEIVER: &str = "
import http.server, sys
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length']))
        with open(sys.argv[1], 'ab') as told: told.write(body + b'\\n')
        self.send_response(204); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(('127.0.0.1', 8099), Receiver).serve_forever()
";

/// A Tomcat, a server that keeps packages and ledger, and a checkout from which two versions are built.
struct Chain(Site);

impl Chain {
    #[track_caller]
    fn up() -> Self {
        let chain = Self(Site::of("chain", &["web1=tomcat"]));
        make_key(chain.0.directory.path(), "rsa2048");
        chain.checkout();
        chain
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.path("source")).args(["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]);
        run(git.args(arguments)).ok().to_owned()
    }

    /// The sources: the examples' spec, and commits that name tickets.
    #[track_caller]
    fn checkout(&self) {
        let source = self.path("source");
        std::fs::create_dir_all(&source).unwrap();
        for file in ["examples.toml", "examples"] {
            run(Command::new("cp").arg("-r").arg(repository_file("specs").join(file)).arg(&source)).ok();
        }
        self.git(&["init", "-q", "-b", "main"]);
        self.git(&["remote", "add", "origin", "https://git.example.org/shop.git"]);
        self.git(&["add", "."]);
        self.git(&["commit", "-q", "-m", "first"]);
        self.git(&["tag", "v1.0.0"]);
        self.git(&[
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            "feat: carts are kept for a day\n\nRefs: SHOP-7\nCustomer-note: Carts are kept.",
        ]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "fix: totals of more than 999\n\nFixes: SHOP-9"]);
    }

    /// Builds a version as a CI job does; in another directory, it is another WAR under the same name.
    #[track_caller]
    fn build(&self, version: &str, out: &str) -> PathBuf {
        let (war, out) = (self.path(&format!("{out}-{version}.war")), self.path(out));
        std::fs::create_dir_all(&out).unwrap();
        let mut pack = Command::new(repository_file("tests/lab/examples-war"));
        run(pack.arg(if out.ends_with("elsewhere") { "6.6.6" } else { version }).arg(&war)).ok();
        let mut build = pkg(&self.path("source"));
        for (name, value) in [("GITLAB_CI", "true"), ("CI_PIPELINE_IID", &version[..1])] {
            build.env(name, value);
        }
        build.env("CI_PIPELINE_URL", format!("{BUILD}{}", &version[..1]));
        build.args(["build", "examples.toml", "--version", version, "--release", &version[..1], "--notes"]);
        build.arg(if version == "1.0.0" { "v1.0.0..v1.0.0" } else { "v1.0.0..HEAD" });
        build.arg("--set").arg(format!("WAR={}", war.display()));
        build.arg("--sign").arg(self.path("private.asc")).arg("--out").arg(&out);
        PathBuf::from(run(&mut build).ok())
    }

    /// Prepares `pkg` on the controller.
    fn pkg(&self, token: &str, arguments: &[&str]) -> Command {
        let mut command = self.0.pkg_as(token, arguments);
        command.env("PKG_ENVIRONMENTS", self.path("environments"));
        command
    }

    #[track_caller]
    fn run(&self, token: &str, arguments: &[&str]) -> Ran {
        run(&mut self.pkg(token, arguments))
    }

    /// Puts up the environment: two people have to agree, and notes are published to three places.
    #[track_caller]
    fn environment(&self) {
        for person in ["ana", "ben"] {
            let key = self.path(&format!("{person}.key"));
            run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", person, "-f"]).arg(&key)).ok();
        }
        let public = |person: &str| std::fs::read_to_string(self.path(&format!("{person}.key.pub"))).unwrap();
        std::fs::create_dir_all(self.path("environments")).unwrap();
        let approvers = format!("ana@x {}ben@x {}", public("ana"), public("ben"));
        std::fs::write(self.path("environments/approvers"), approvers).unwrap();
        let text = format!(
            "name = \"prod\"\nledger = \"{SERVER}\"\napproval = \"two\"\napprovers = \"approvers\"\n\
             [repository]\nids = [\"pkg-prod\"]\n[ssh]\nconfig_file = \"{}/ssh_config\"\nuser = \"deploy\"\nsudo = true\n\
             [service]\nname = \"tomcat10\"\n[health]\nurl = \"http://{{address}}:8080/examples/health.jsp\"\n\
             expect_body = \"ok {{version}}\"\npackage = \"examples\"\nstart_timeout = \"30s\"\n\
             [strategy]\nkind = \"all-at-once\"\n[[hosts]]\nname = \"web1\"\naddress = \"10.77.0.11\"\n\
             [[notes]]\nkind = \"file\"\npath = \"../published/{{package}}.html\"\naudience = \"customer\"\n\
             [[notes]]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:8099/secret\"\naudience = \"internal\"\n\
             [[notes]]\nkind = \"command\"\ncommand = \"(echo $PKG_DEPLOYMENT; cat) >>'{}'\"\naudience = \"internal\"\n\
             [[notes]]\nkind = \"file\"\npath = \"/nowhere/notes.md\"\naudience = \"internal\"\n",
            self.0.lab.directory().display(),
            self.path("mailed").display(),
        );
        std::fs::write(self.path("environments/prod.toml"), text).unwrap();
        std::fs::create_dir_all(self.path("published")).unwrap();
    }

    /// Plans, lets ben sign, and lets ana deploy.
    #[track_caller]
    fn deploy(&self, package: &str) -> Ran {
        let (ana, ben) = (self.path("ana.key"), self.path("ben.key"));
        let plan = format!("{package}.plan");
        self.run(MASTER, &["plan", "prod", package, "--out", &plan]).ok();
        let approve = ["approve", "prod", "--plan", &plan, "--key", ben.to_str().unwrap()];
        let mut signing = Dialogue::start(&self.pkg(MASTER, &approve));
        signing.sees("type the environment's name").types("prod");
        signing.ends().ok();
        let approval = format!("{plan}.approval");
        let deploy = [
            "deploy",
            "prod",
            "--plan",
            &plan,
            "--key",
            ana.to_str().unwrap(),
            "--approval",
            &approval,
            "--why",
            "CHG-1",
        ];
        let mut deploying = Dialogue::start(&self.pkg(MASTER, &deploy));
        deploying.sees("type the environment's name").types("prod");
        deploying.ends()
    }

    /// The links of the one package of the one host, `link standing: found`, and the exit code's word.
    #[track_caller]
    fn verify(&self, token: &str, further: &[&str], code: i32) -> Vec<String> {
        let keys = self.path("trusted.asc");
        let arguments = ["verify", "web1", "--json", "--keys", keys.to_str().unwrap(), "--sources", "source"];
        let ran = run(self.pkg(token, &arguments).args(further));
        let report: Value = serde_json::from_str(ran.exits(code)).unwrap();
        let host = &report["hosts"][0];
        let lists = [&report["ledgers"], &host["links"], &host["packages"][0]["links"]];
        let links = lists.into_iter().filter_map(Value::as_array).flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        links.map(|one| format!("{} {}: {}", text(&one["link"]), text(&one["standing"]), text(&one["found"]))).collect()
    }

    /// Asserts that this, and nothing else, is not proven any longer.
    #[track_caller]
    fn finds(&self, expected: &[&str]) {
        let links = self.verify(MASTER, &[], 1);
        let open: Vec<&String> = links.iter().filter(|link| link.contains(" not_proven: ")).collect();
        assert_eq!(open.len(), expected.len(), "{links:#?}");
        assert!(open.iter().zip(expected).all(|(link, expected)| link.contains(expected)), "{open:#?}");
    }
}

/// The file of a commit of a ledger.
fn commit(store: &Path, ledger: &str, number: usize) -> PathBuf {
    store.join(format!("ledgers/{ledger}/{number:012}.json"))
}

#[test]
fn each_link_back_to_the_commit() {
    let chain = Chain::up();
    let packages = [chain.build("1.0.0", "dist"), chain.build("2.0.0", "dist")];
    run(chain.pkg(MASTER, &["publish", "--to", "dev", "--why", "builds 1 and 2"]).args(packages)).ok();
    let promote =
        ["promote", "examples-1.0.0-1", "examples-2.0.0-2", "--from", "dev", "--to", "prod", "--why", "tested"];
    chain.run(MASTER, &promote).ok();
    let fetch =
        |path: &str| run(chain.0.lab.controller("curl").args(["-fsS", &format!("{SERVER}{path}")])).ok().to_owned();
    let signers = std::fs::read_to_string(chain.path("public.asc")).unwrap() + &fetch("/keys/repository.asc");
    std::fs::write(chain.path("trusted.asc"), signers).unwrap();
    chain.0.hosts_know("prod");
    chain.environment();
    let mut receiver = chain.0.lab.controller("python3");
    let mut receiver = receiver.args(["-c", RECEIVER]).arg(chain.path("told")).stdout(Stdio::null()).spawn().unwrap();

    let mut first = Dialogue::start(&chain.pkg(MASTER, &["deploy", "prod", "examples-1.0.0-1", "--key", "ana.key"]));
    first.sees("two people have to sign");
    first.ends().exits(6);
    assert!(!chain.path("told").exists(), "nothing is published that was not deployed");
    chain.deploy("examples-1.0.0-1").ok();
    let second = chain.deploy("examples-2.0.0-2");
    second.ok();
    assert!(second.stdout.contains("published to the web hook at `127.0.0.1:8099`"), "{}", second.stdout);
    assert!(second.stdout.contains("were not published to `/nowhere/notes.md`"), "a warning, and no failure");
    assert!(!second.stdout.contains("secret"), "{}", second.stdout);

    published(&chain);
    why(&chain);
    proven(&chain);
    tampered(&chain);
    taken_back(&chain);
    receiver.kill().unwrap();
    receiver.wait().unwrap();
}

#[track_caller]
fn published(chain: &Chain) {
    let page = std::fs::read_to_string(chain.path("published/examples.html")).unwrap();
    assert!(page.contains("Carts are kept.") && !page.contains("SHOP-"), "{page}");
    let mailed = std::fs::read_to_string(chain.path("mailed")).unwrap();
    assert!(mailed.contains("D-0003") && mailed.contains("totals of more than 999"), "{mailed}");
    let told = std::fs::read_to_string(chain.path("told")).unwrap();
    let told: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!((&told["environment"], &told["deployment"]), (&"prod".into(), &"D-0003".into()));
    assert!(told["text"].as_str().unwrap().contains("carts are kept for a day"), "{told}");
    let page = run(chain
        .0
        .lab
        .controller("curl")
        .args(["-fsS", "-u", &format!(":{MASTER}")])
        .arg(format!("{SERVER}/ui/environments/prod")));
    assert!(page.ok().contains("carts are kept for a day"), "the server's page tells what is in it");
}

#[track_caller]
fn why(chain: &Chain) {
    let head = chain.git(&["rev-parse", "HEAD"]);
    let why = chain.run(MASTER, &["why", "web1"]);
    for part in [
        "deployed   D-0003 (deploy), done, ",
        ": CHG-1",
        "approved   by ana@x, ben@x",
        "promoted   to prod from dev",
        ": tested",
        "published  to dev",
        &format!("commit     {head}"),
        &format!("build      2  {BUILD}2"),
        "sources    git+https://git.example.org/shop.git",
        "ticket     SHOP-7",
        "ticket     SHOP-9",
    ] {
        assert!(why.ok().contains(part), "{part}\n{}", why.stdout);
    }
}

#[track_caller]
fn proven(chain: &Chain) {
    let links = chain.verify(MASTER, &["--remember", "heads"], 0);
    let proven = |link: &str| links.iter().find(|one| one.starts_with(&format!("{link} proven: "))).cloned();
    for (link, found) in [
        ("repository", "commits follow from one another"),
        ("ledger", "environment prod: "),
        ("files", "are as packaged"),
        ("installed", "that of the repository's file"),
        ("file", "are those of the ledger"),
        ("signature", "the package is signed"),
        ("metadata", "dev lists it"),
        ("published", "promoted from dev to prod"),
        ("deployed", "D-0003 "),
        ("approved", "by ana@x, ben@x"),
        ("content", "files of the payload"),
        ("build", "build 2, at https://ci.example.org/builds/2, commit "),
        ("war", "/usr/share/examples/examples.war"),
        ("source", "the commit is in `source`"),
    ] {
        assert!(proven(link).is_some_and(|text| text.contains(found)), "{link}: {found}\n{links:#?}");
    }
    chain.verify(MASTER, &["--store", "store"], 0);
    // A server that is not open to all keeps the repository's commits from those who watch one environment.
    let _closed = chain.0.another_server("10.77.0.1:8081", &["--read", "tokens"]);
    let watch = ["token", "create", "eve", "--scope", "watch:prod", "--scope", "read:prod"];
    let watch = chain.run(MASTER, &watch).ok().to_owned();
    let links = chain.verify(&watch, &["--server", "http://10.77.0.1:8081"], 1);
    let open: Vec<&String> = links.iter().filter(|link| link.contains(" not_proven: ")).collect();
    assert_eq!(open.len(), 2, "{links:#?}");
    assert!(open[0].contains("the token has to allow `admin`") && open[1].starts_with("published "), "{open:#?}");
    // By the host's name alone, without a file of its environment.
    let mut bare = chain.pkg(MASTER, &["verify", "web1"]);
    let bare = run(bare.env("PKG_ENVIRONMENTS", "/nowhere").current_dir("/"));
    bare.exits(1);
    assert!(bare.stdout.contains("NOT PROVEN  host        it was not asked: no file of its environment is here"));
    assert!(bare.stdout.contains("NOT PROVEN  signature   no key is trusted here"), "{}", bare.stdout);
}

#[track_caller]
fn tampered(chain: &Chain) {
    let store = chain.path("store");
    // A file on the host.
    let file = "/usr/share/examples/build.properties";
    chain.0.lab.host("web1", &["sh", "-c", &format!("cp -p {file} /root/kept && echo x=1 >>{file}")]).ok();
    chain.finds(&["files not_proven: files differ: S.5....T. /usr/share/examples/build.properties"]);
    chain.0.lab.host("web1", &["mv", "/root/kept", file]).ok();

    // A package of the same name and version, built elsewhere.
    let other = chain.build("2.0.0", "elsewhere");
    let mut copy = chain.0.lab.host_command("web1", &["sh", "-c", "cat >/root/other.rpm"]);
    run(copy.stdin(Stdio::from(std::fs::File::open(other).unwrap()))).ok();
    chain.0.lab.host("web1", &["rpm", "-U", "--force", "--nodeps", "/root/other.rpm"]).ok();
    chain.finds(&["installed not_proven: web1 has another package of this name and version"]);
    chain.0.lab.host("web1", &["dnf", "-y", "-q", "reinstall", "examples-2.0.0-2"]).ok();

    // The file in the store.
    let listed = chain.run(MASTER, &["list", "prod", "--json"]);
    let listed: Value = serde_json::from_str(listed.ok()).unwrap();
    let packages = listed["packages"].as_array().unwrap();
    let of = packages.iter().find(|one| one["nevra"] == "examples-2.0.0-2.noarch").unwrap();
    let sha256 = of["sha256"].as_str().unwrap();
    let found = run(Command::new("find").arg(&store).args(["-name", &format!("*{}", &sha256[2..])]));
    let blob = PathBuf::from(found.ok().lines().next().unwrap());
    let kept = std::fs::read(&blob).unwrap();
    let mut other = kept.clone();
    *other.last_mut().unwrap() ^= 1;
    write(&blob, &other);
    chain.finds(&[
        "installed not_proven: there is no file",
        "file not_proven: ",
        "signature not_proven: ",
        "content not_proven: ",
    ]);
    write(&blob, &kept);

    // An entry of the environment's ledger: in the middle, and the last one.
    let count = std::fs::read_dir(store.join("ledgers/environments/prod")).unwrap().count();
    let newest =
        (1..=count).rev().map(|number| commit(&store, "environments/prod", number)).find(|file| file.is_file());
    for file in [commit(&store, "environments/prod", 2), newest.unwrap()] {
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(kept.contains("\"who\":\"ana\""), "{kept}");
        write(&file, kept.replace("\"who\":\"ana\"", "\"who\":\"eve\"").as_bytes());
        let links = chain.verify(MASTER, &["--remember", "heads"], 1);
        let is_found = |link: &String| {
            link.starts_with("ledger not_proven: ")
                || link.starts_with("remembered not_proven: environments/prod was written anew")
        };
        assert!(links.iter().any(is_found), "{links:#?}");
        write(&file, kept.as_bytes());
    }
    chain.verify(MASTER, &["--remember", "heads"], 0);
}

/// What somebody does who owns the server: commits and blobs are read-only.
#[track_caller]
fn write(file: &Path, bytes: &[u8]) {
    std::fs::remove_file(file).unwrap();
    std::fs::write(file, bytes).unwrap();
}

/// A rollback tells that the version was taken back.
#[track_caller]
fn taken_back(chain: &Chain) {
    let ana = chain.path("ana.key");
    let mut refused = chain.pkg(MASTER, &["rollback", "prod", "--key", ana.to_str().unwrap()]);
    run(refused.stdin(Stdio::null())).exits(6);
    chain.deploy("examples-1.0.0-1").ok();
    let page = std::fs::read_to_string(chain.path("published/examples.html")).unwrap();
    assert!(page.contains("was taken back: what follows is not there any longer."), "{page}");
    let deadline = Instant::now() + Duration::from_secs(5);
    while !std::fs::read_to_string(chain.path("told")).unwrap().contains("2.0.0 was taken back") {
        assert!(Instant::now() < deadline, "the web hook was not told");
        std::thread::sleep(Duration::from_millis(50));
    }
}
