//! Release notes from a commit to a host: collected, packed, published, and read with `dnf updateinfo` of dnf 4 and dnf5.

use std::path::Path;
use std::process::Command;

use crate::lab::Lab;
use crate::program::{Ran, pkg, run};
use crate::root::Root;
use crate::server::Server;

const SPEC: &str = r#"
name = "shop"
summary = "The shop"
license = "MIT"
version = "${VERSION}"
release = "1"
packager = "Ana <ana@example.org>"
contents = [
    { type = "directory", destination = "/usr/share/shop" },
    { type = "file", source = "shop.toml", destination = "/usr/share/shop/" },
]
"#;

/// What a hostile committer writes: markup, a CDATA's end, marks that turn the direction, terminals' commands, emoji.
const FEATURE: &str = "feat(cart): carts <script>alert(1)</script> & \"quoted\" \u{202e}live\u{202c} 🛒 (#12)\n\n\
    They are kept ]]> for\u{1b}[2J 30 days.\u{9b}31m\u{7}\n\nCustomer-note: Your cart is kept for 30 days.\nRefs: SHOP-7";
const SEEN: &str = "carts <script>alert(1)</script> & \"quoted\" live 🛒";

struct Project {
    directory: tempfile::TempDir,
}

impl Project {
    #[track_caller]
    fn begin() -> Self {
        let project = Self { directory: tempfile::tempdir().unwrap() };
        std::fs::write(project.path().join("shop.toml"), SPEC).unwrap();
        project.git(&["init", "--quiet", "--initial-branch", "main"]);
        project.git(&["remote", "add", "origin", "git@github.com:ana/shop.git"]);
        project.git(&["add", "--all"]);
        project.commit("feat: the beginning");
        project.git(&["tag", "v1"]);
        project.commit(FEATURE);
        project.commit("fix: the till opens\n\nFixes: SHOP-8, #9");
        project.commit("SHOP-9 Half done");
        project.commit("chore: nobody sees it");
        project
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    #[track_caller]
    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.path()).args(["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]).args(arguments);
        git.env("GIT_COMMITTER_DATE", "1700000000 +0000").env("GIT_AUTHOR_DATE", "1700000000 +0000");
        run(&mut git).ok();
    }

    #[track_caller]
    fn commit(&self, message: &str) {
        self.git(&["commit", "--quiet", "--allow-empty", "--no-gpg-sign", "--cleanup=verbatim", "-m", message]);
    }

    fn pkg(&self, arguments: &[&str]) -> Ran {
        run(pkg(self.path()).env("SOURCE_DATE_EPOCH", "1700000000").args(arguments))
    }

    #[track_caller]
    fn build(&self, version: &str, options: &[&str]) -> String {
        let mut build = pkg(self.path());
        build.env("VERSION", version).env("SOURCE_DATE_EPOCH", "1700000000").args(["build", "shop.toml"]).args(options);
        run(&mut build).ok().to_owned()
    }
}

#[test]
fn each_audience_reads_its_own() {
    let project = Project::begin();
    let internal = project.pkg(&["notes", "v1..HEAD", "--format", "text"]);
    let expected = format!(
        "Release notes\n2023-11-14, changes since v1\n\nNew features:\n- cart: {SEEN} (#12, SHOP-7)\n  \
         They are kept ]]> for 30 days.\n\nFixed bugs:\n- the till opens (SHOP-8, #9)\n\nOther changes:\n\
         - Half done (SHOP-9)\n\nInternal changes:\n- nobody sees it"
    );
    assert_eq!(internal.ok(), expected);
    // Without a range: since the last tag before HEAD, also where HEAD has one itself, which is the version then.
    project.git(&["tag", "v2"]);
    let customers = project.pkg(&["notes", "--audience", "customer", "--build", "57"]);
    assert_eq!(customers.ok(), "# 2 (build 57)\n\n2023-11-14\n\n## New features\n\n- Your cart is kept for 30 days.");
    customers.says(&["left out: fix: the till opens (SHOP-8, #9): it has no text for customers", "2 are left out"]);
    let json = project.pkg(&["notes", "--json"]);
    let json: serde_json::Value = serde_json::from_str(json.ok()).unwrap();
    assert_eq!(json["changes"][0]["references"][0]["url"], "https://github.com/ana/shop/issues/12");
    project.pkg(&["notes", "--format", "html", "--out", "notes.html"]).ok();
    let html = std::fs::read_to_string(project.path().join("notes.html")).unwrap();
    assert!(!html.contains("<script") && html.contains("&lt;script&gt;") && html.contains("default-src 'none'"));
    project.pkg(&["notes", "--output=/etc/passwd..HEAD"]).exits(2);
    project.pkg(&["notes", "nowhere..HEAD"]).exits(2);
}

#[test]
fn what_was_wrong_is_said() {
    let project = Project::begin();
    std::fs::write(project.path().join("notes.toml"), "[jira]\nurl = 'http://127.0.0.1:1'\n").unwrap();
    let unreachable = project.pkg(&["notes", "v1..HEAD", "--fix-version", "2"]);
    unreachable.exits(1);
    unreachable.says(&["JIRA at `http://127.0.0.1:1` can't be reached", "--no-jira"]);
    project.pkg(&["notes", "v1..HEAD", "--no-jira"]).ok();
    std::fs::write(project.path().join("notes.toml"), "name = 'x'\ncolour = 1\n").unwrap();
    let wrong = project.pkg(&["notes"]);
    wrong.exits(2);
    wrong.says(&["notes.toml:2: unknown field `colour`"]);
}

/// The description and the bugs, as dnf of any generation prints them.
#[track_caller]
fn reads(suite: &str, server: &Server, project: &Project) {
    let root = Root::up(suite, project.path());
    let repository = format!("[dev]\nname=dev\nbaseurl={}/dev\nenabled=1\ngpgcheck=0\nmetadata_expire=0", server.url);
    root.sh(&format!("cat >/etc/yum.repos.d/dev.repo <<'END'\n{repository}\nEND")).ok();
    let dnf = |arguments: &[&str]| run(root.command("dnf").args(["-y", "-q"]).args(arguments)).ok().to_owned();
    dnf(&["install", "shop-1-1"]);
    let list = dnf(&["updateinfo", "list"]);
    assert!(list.contains("shop-2-1") && list.contains("enhancement"), "{suite}: {list}");
    let info = dnf(&["updateinfo", "info"]);
    for text in
        [SEEN, "They are kept ]]> for 30 days.", "the till opens (SHOP-8, #9)", "SHOP-7", "SHOP-8", "New features:"]
    {
        assert!(info.contains(text), "{suite}: no `{text}` in\n{info}");
    }
    let harmful = |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
    assert!(!info.contains(harmful) && !info.contains("nobody sees it"), "{suite}: {info:?}");
    let changelog = root.sh("dnf -y -q upgrade shop >/dev/null; rpm -q --changelog shop").ok().to_owned();
    assert!(changelog.contains("Ana <ana@example.org> - 2-1") && changelog.contains(SEEN), "{changelog}");
}

#[test]
fn dnf_shows_the_notes_as_written() {
    let project = Project::begin();
    let server = Server::start(pkg(project.path()).args(["serve", "--store", "store", "--listen", "127.0.0.1:0"]));
    let old = project.build("1", &[]);
    let new = project.build("2", &["--notes", "v1..HEAD"]);
    for path in [&old, &new] {
        let mut publish = pkg(project.path());
        publish.env("PKG_SERVER", &server.url).args(["publish", "--to", "dev", path]);
        let published = run(&mut publish);
        published.ok();
        assert_eq!(published.stderr.contains("advisory shop-2-1 (5 references)"), *path == new, "{}", published.stderr);
    }
    let carried = project.pkg(&["notes", "--of", &new, "--audience", "customer", "--format", "text"]);
    assert_eq!(carried.ok(), "shop 2 (build 1)\n2023-11-14\n\nNew features:\n- Your cart is kept for 30 days.");
    for suite in ["bookworm", "sid"] {
        reads(suite, &server, &project);
    }
}

const LAB_URL: &str = "http://10.77.0.1:8080";

const ENVIRONMENT: &str = r#"
name = "dev"
ledger = "ledger"
approval = "none"
[repository]
ids = ["pkg-dev"]
server = "http://10.77.0.1:8080"
[ssh]
config_file = "${PKG_LAB_DIR}/ssh_config"
user = "deploy"
sudo = true
[service]
name = "cron"
[health]
url = "http://{address}:8080/"
[strategy]
kind = "rolling"
min_serving = 0
[[hosts]]
name = "web1"
address = "10.77.0.11"
[[hosts]]
name = "web2"
address = "10.77.0.12"
"#;

#[test]
fn lab_plan_tells_what_it_brings_to_each_host() {
    let project = Project::begin();
    let lab = Lab::up("notes", "/", &["web1=plain", "web2=plain"]);
    std::fs::write(project.path().join("token"), "the-token-of-this-test\n").unwrap();
    let mut serve = lab.pkg();
    serve.current_dir(project.path()).args(["serve", "--store", "store", "--listen", "10.77.0.1:8080"]);
    serve.args(["--token-file", "token"]);
    let _server = Server::start(&mut serve);
    let packages = [project.build("1", &[]), project.build("2", &["--notes", "v1..HEAD"])];
    std::fs::write(project.path().join("third.md"), "* The third is <faster>\n").unwrap();
    let third = project.build("3", &["--notes", "third.md"]);
    let pkg = |arguments: &[&str]| {
        let mut pkg = lab.pkg();
        run(pkg
            .current_dir(project.path())
            .env("PKG_SERVER", LAB_URL)
            .env("PKG_TOKEN", "the-token-of-this-test")
            .args(arguments))
    };
    pkg(&["publish", "--to", "dev", &packages[0], &packages[1], &third]).ok();
    std::fs::write(project.path().join("dev.toml"), ENVIRONMENT).unwrap();
    for (host, version) in [("web1", "1"), ("web2", "2")] {
        let install = format!(
            "curl -fsS -o /etc/yum.repos.d/dev.repo {LAB_URL}/dev/dev.repo; dnf -y -q install shop-{version}-1"
        );
        lab.host(host, &["sh", "-ec", &install]).ok();
    }
    let plan = pkg(&["plan", "dev.toml", "shop-3-1"]);
    let text = plan.ok();
    let third = "    3-1\n      - The third is <faster>";
    assert!(text.contains(&format!("  shop 2-1 → 3-1 brings, on web2:\n{third}")), "{text}");
    assert!(
        text.contains(&format!("  shop 1-1 → 3-1 brings, on web1:\n{third}\n    2-1\n      New features:\n")),
        "{text}"
    );
    assert!(text.contains(SEEN), "{text}");
    let back = pkg(&["plan", "dev.toml", "shop-1-1"]);
    assert!(
        back.ok().contains("  shop 2-1 → 1-1 takes back, on web2:\n    2-1\n      New features:"),
        "{}",
        back.stdout
    );
}
