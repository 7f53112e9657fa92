//! The web pages, in a real browser: the ways that people go, by mouse and by keyboard, bright and dark, wide and narrow, and
//! what a screen reader reads of them.

use std::path::Path;
use std::process::Command;

use chrono::{TimeDelta, Utc};
use ledger::{Author, Ledger, Position, Store};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::program::{pkg, run};
use crate::server::Server;

const CLINIC: &str = r#"
name = "clinic"
summary = "The clinic"
description = "Owners, pets and visits."
license = "MIT"
version = "${VERSION}"
release = "1"

[tomcat]
war = "clinic.war"

[configuration]
directory = "config"

[scripts]
post = "echo ${VERSION}"
"#;

/// The hosts of the environment.
const HOSTS: [&str; 2] = ["web1", "web2<b>"];

/// Makes a WAR with two jars, one of which has another version each time.
const MAKE_WAR: &str = r"
import io, sys, zipfile
def jar(group, artifact, version):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as jar:
        jar.writestr('META-INF/MANIFEST.MF', 'Manifest-Version: 1.0\r\n\r\n')
        text = f'version={version}\ngroupId={group}\nartifactId={artifact}\n'
        jar.writestr(f'META-INF/maven/{group}/{artifact}/pom.properties', text)
    return file.getvalue()
with zipfile.ZipFile('clinic.war', 'w') as war:
    war.writestr('index.html', 'clinic')
    for group, artifact, version in ('org.logs', 'logs-core', sys.argv[1]), ('org.io', 'io', '2.11.0'):
        war.writestr(f'WEB-INF/lib/{artifact}-{version}.jar', jar(group, artifact, version))
";

/// Two versions of an application in a repository.
pub(crate) struct Clinic {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) server: Server,
}

impl Clinic {
    #[track_caller]
    pub(crate) fn begin(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut serve = pkg(directory.path());
        serve.args(["serve", "--store", "store", "--listen", "127.0.0.1:0"]).args(options);
        let server = Server::start(&mut serve);
        Self { directory, server }
    }

    #[track_caller]
    fn with_versions() -> Self {
        let clinic = Self::begin(&[]);
        for (version, jar, why) in [("1.0", "2.14.1", "build <57>"), ("1.1", "2.17.2", "build 58 & more")] {
            let built = build(clinic.directory.path(), version, jar);
            clinic.pkg(&["publish", &built, "--to", "dev", "--why", why]);
        }
        clinic.pkg(&["promote", "clinic-1.0-1", "--from", "dev", "--to", "prod", "--why", "CHG-4711"]);
        clinic.wait_until_searched(2);
        clinic
    }

    #[track_caller]
    pub(crate) fn pkg(&self, arguments: &[&str]) {
        let mut command = pkg(self.directory.path());
        run(command.env("PKG_SERVER", &self.server.url).args(arguments)).ok();
    }

    /// The status and the body of an answer.
    #[track_caller]
    pub(crate) fn get(&self, path: &str, options: &[&str]) -> (String, String) {
        let url = format!("{}{path}", self.server.url);
        let answer =
            run(Command::new("curl").args(["-sS", "--noproxy", "*", "-w", "\n%{http_code}", &url]).args(options));
        let (body, status) = answer.ok().rsplit_once('\n').unwrap();
        (status.to_owned(), body.to_owned())
    }

    /// Writes into the ledger of an environment `prod`, as a controller with the store at hand does.
    fn journal(&self, entries: Vec<Value>) {
        let store = self.directory.path().join("store");
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let ledger: Ledger<Value> = Store::open(store.to_str().unwrap()).await.unwrap().ledger("environments/prod");
            let commits = ledger.since(&Position::start()).await.unwrap();
            let mut position = commits.last().map_or(Position::start(), |commit| commit.position());
            for entry in entries {
                let who = Author { who: "ana".to_owned(), from: "pc".to_owned(), why: Some("CHG <1>".to_owned()) };
                position = ledger.append(&position, who, entry).await.unwrap().position();
            }
        });
    }

    #[track_caller]
    pub(crate) fn wait_until_searched(&self, packages: u64) {
        for _ in 0..600 {
            let (_, answer) = self.get("/api/v1/find-jar?jar=none", &[]);
            let answer: Value = serde_json::from_str(&answer).unwrap();
            if answer["read"].as_u64() >= Some(packages) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("the server does not come to read its packages");
    }
}

#[track_caller]
pub(crate) fn build(directory: &Path, version: &str, jar: &str) -> String {
    let sources = directory.join(version);
    std::fs::create_dir_all(sources.join("config")).unwrap();
    std::fs::write(sources.join("clinic.toml"), CLINIC).unwrap();
    std::fs::write(sources.join("config/clinic.properties"), format!("url=x\npool={jar}\n")).unwrap();
    std::fs::write(sources.join("notes.md"), format!("# Clinic {version}\n\n- Finds <b>owners</b> by phone\n"))
        .unwrap();
    run(Command::new("python3").args(["-c", MAKE_WAR, jar]).current_dir(&sources)).ok();
    let mut command = pkg(directory);
    command.env("VERSION", version).args(["build", &format!("{version}/clinic.toml"), "--notes"]);
    run(command.arg(format!("{version}/notes.md"))).ok().to_owned()
}

/// What holds of each page: what a screen reader reads, contrast, width, and that nothing went wrong.
#[track_caller]
pub(crate) fn examine(browser: &mut Browser, name: &str) {
    for (width, scheme) in [(1100, "light"), (360, "light"), (360, "dark"), (1100, "dark")] {
        browser.look(width, scheme);
        let too_wide = browser.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth");
        assert_eq!(too_wide, json!(false), "{name} at {width}");
        assert_eq!(browser.evaluate(FAINT), json!([]), "{name}, {scheme}");
        browser.picture(&format!("{name}-{width}-{scheme}"));
    }
    browser.look(1100, "light");
    let tree = browser.accessible();
    let count = |role: &str| tree.iter().filter(|(known, _)| known == role).count();
    for landmark in ["banner", "main", "contentinfo", "search"] {
        assert_eq!(count(landmark), 1, "{name}: {landmark}\n{tree:?}");
    }
    assert!(count("navigation") >= 1, "{name}");
    let of_roles =
        |roles: &[&str]| tree.iter().filter(|(role, _)| roles.contains(&role.as_str())).cloned().collect::<Vec<_>>();
    for (role, text) in
        of_roles(&["link", "button", "searchbox", "textbox", "checkbox", "table", "navigation", "region"])
    {
        assert!(!text.trim().is_empty(), "{name}: a {role} without a name");
    }
    let levels = browser.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(one => +one.tagName[1])");
    let levels: Vec<i64> = levels.as_array().unwrap().iter().map(|level| level.as_i64().unwrap()).collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{name}: {levels:?}");
    assert!(levels.first() == Some(&1) && levels.windows(2).all(|two| two[1] <= two[0] + 1), "{name}: {levels:?}");
    let bare = browser.evaluate("document.querySelectorAll('th:not([scope])').length + document.querySelectorAll('table:not(:has(caption))').length");
    assert_eq!(bare, json!(0), "{name}");
    assert_eq!(browser.evaluate("document.documentElement.lang"), json!("en"));
    assert_eq!(browser.troubles(), [""; 0], "{name}");
}

/// The texts whose contrast with what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
const FAINT: &str = "(() => {
    const parts = colour => { const all = colour.match(/[0-9.]+/g).map(Number); return all.length < 4 ? [...all, 1] : all; };
    const light = ([r, g, b]) => { const one = c => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
        return .2126 * one(r) + .7152 * one(g) + .0722 * one(b); };
    const behind = element => { for (; element; element = element.parentElement) {
        const colour = parts(getComputedStyle(element).backgroundColor); if (colour[3] > 0) return colour; }
        return [255, 255, 255, 1]; };
    const faint = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; node = walker.nextNode();) {
        if (!node.data.trim()) continue;
        const element = node.parentElement;
        const [a, b] = [light(parts(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
        if ((a + .05) / (b + .05) < 4.5) faint.add(node.data.trim());
    }
    return [...faint];
})()";

#[test]
fn people_find_their_way() {
    let clinic = Clinic::with_versions();
    let mut browser = Browser::start();
    browser.go(&clinic.server.url);
    assert!(browser.text().contains("“build <57>”"), "{}", browser.text());
    examine(&mut browser, "home");

    browser.click("dev");
    assert!(browser.text().contains("clinic-1.1-1.noarch"));
    examine(&mut browser, "channel");

    browser.click("clinic-1.1-1.noarch");
    let text = browser.text();
    for part in [
        "Clinic 1.1",
        "Finds <b>owners</b> by phone",
        "for those who make it",
        "org.logs:logs-core",
        "/etc/clinic/clinic.properties",
        "echo 1.1",
        "not signed",
        "“build 58 & more”",
        "Compare",
    ] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    examine(&mut browser, "version");

    browser.click("since 1.0-1.noarch");
    let text = browser.text();
    for part in ["- pool=2.14.1", "+ pool=2.17.2", "2.14.1\t2.17.2", "Clinic 1.1", "+ echo 1.1"] {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
    examine(&mut browser, "difference");

    browser.click("clinic");
    assert!(browser.text().contains("2 versions"));
    examine(&mut browser, "package");
    browser.click("Packages");
    examine(&mut browser, "packages");
    browser.click("Timeline");
    assert!(browser.text().contains("promoted clinic-1.0-1.noarch from dev to prod"), "{}", browser.text());
    examine(&mut browser, "timeline");
    browser.click("Environments");
    examine(&mut browser, "environments");
    browser.click("Jars");
    examine(&mut browser, "jars");
}

/// Without a mouse: the way around the head of the page, and a search.
#[test]
fn the_keyboard_is_enough() {
    let clinic = Clinic::with_versions();
    let mut browser = Browser::start();
    browser.go(&clinic.server.url);
    browser.press("Tab");
    let focused = "document.activeElement.textContent.trim() + document.activeElement.getBoundingClientRect().left";
    assert_eq!(browser.evaluate(focused), json!("Skip to the content0"), "the first is the way around the rest");
    browser.press("Enter");
    assert_eq!(browser.evaluate("document.activeElement.id"), json!("main"));

    browser.go(&clinic.server.url);
    for _ in 0..20 {
        browser.press("Tab");
        let outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle");
        assert_eq!(outline, json!("solid"), "the focus can be seen");
        if browser.evaluate("document.activeElement.id") == json!("search") {
            break;
        }
    }
    browser.enter("logs");
    let text = browser.text();
    assert!(text.contains("Search for “logs”") && text.contains("org.logs:logs-core 2.14.1"), "{text}");
    examine(&mut browser, "search");

    browser.go(&format!("{}/ui/jars", clinic.server.url));
    browser.evaluate("document.getElementById('version').value = '<2.17.1'; document.getElementById('jar').focus()");
    browser.enter("logs-core");
    let text = browser.text();
    assert!(text.contains("clinic-1.0-1.noarch\tdev prod") && !text.contains("clinic-1.1-1"), "{text}");
    examine(&mut browser, "jars-found");
}

#[test]
fn a_jar_is_found_now_and_as_of_then() {
    let clinic = Clinic::with_versions();
    let find = |arguments: &[&str]| {
        let mut command = pkg(clinic.directory.path());
        run(command.env("PKG_SERVER", &clinic.server.url).arg("find-jar").args(arguments))
    };
    let old = "org.logs:logs-core 2.14.1  clinic-1.0-1.noarch  in dev,prod";
    let new = "org.logs:logs-core 2.17.2  clinic-1.1-1.noarch  in dev";
    assert_eq!(find(&["logs-core"]).ok(), format!("{old}\n{new}"));
    assert_eq!(find(&["org.logs:logs-core", "<2.17.1"]).ok(), old);
    assert_eq!(find(&["logs*", ">=2.15,<3"]).ok(), new);
    assert_eq!(find(&["logs-core", "--at", "2"]).ok(), "org.logs:logs-core 2.14.1  clinic-1.0-1.noarch  in dev");
    assert_eq!(find(&["logs-core", "--at", "2001-01-01"]).ok(), "");
    let channels: Value = serde_json::from_str(&clinic.get("/api/v1/channels", &[]).1).unwrap();
    clinic.pkg(&["withdraw", "clinic-1.0-1", "--from", "dev"]);
    clinic.pkg(&["withdraw", "clinic-1.0-1", "--from", "prod"]);
    assert_eq!(find(&["logs-core"]).ok(), new);
    assert_eq!(find(&["logs-core", "--at", &channels["commit"].to_string()]).ok(), format!("{old}\n{new}"));
    let gone = "org.logs:logs-core 2.14.1  clinic-1.0-1.noarch  withdrawn";
    assert_eq!(find(&["logs-core", "--withdrawn"]).ok(), format!("{gone}\n{new}"));
    let held = serde_json::json!({ "packages": ["clinic-1.0-1.noarch"] }).to_string();
    let hold = ["-X", "PUT", "-H", "Content-Type: application/json", "-d", &held];
    assert_eq!(clinic.get("/api/v1/environments/shop/holds", &hold).0, "201");
    assert_eq!(find(&["logs-core", "<2.17.1"]).ok(), format!("{gone}  held by shop"));
    let (old, new) = ("clinic-1.0-1.noarch", "clinic-1.1-1.noarch");
    clinic.journal(vec![begun("D-0001"), planned("D-0001", Value::Null, old), finished("D-0001", json!([]), old)]);
    let hosts = |arguments: &[&str]| {
        let found: Value = serde_json::from_str(find(arguments).ok()).unwrap();
        let carriers = found["jars"].as_array().unwrap().iter().flat_map(|jar| jar["packages"].as_array().unwrap());
        let hosts = carriers.flat_map(|carrier| {
            let nevra = carrier["nevra"].as_str().unwrap();
            let hosts = carrier["hosts"].as_array().unwrap().iter();
            hosts.map(move |host| {
                let [environment, host] = ["environment", "host"].map(|name| host[name].as_str().unwrap());
                format!("{nevra} {environment} {host}")
            })
        });
        hosts.collect::<Vec<_>>()
    };
    assert_eq!(hosts(&["logs-core", "--json"]), ["web1", "web2<b>"].map(|host| format!("{old} prod {host}")));
    assert_eq!(find(&["logs-core", "<2.17.1"]).ok().split_once("  on ").unwrap().1, "prod: web1,web2<b>");
    let between = Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true);
    let upgrade = vec![begun("D-0002"), planned("D-0002", json!(old), new), finished("D-0002", json!([old]), new)];
    clinic.journal(upgrade);
    assert_eq!(hosts(&["logs-core", "--json"]), ["web1", "web2<b>"].map(|host| format!("{new} prod {host}")));
    let then = ["logs-core", "--json", "--at", &between];
    assert_eq!(
        hosts(&then),
        ["web1", "web2<b>"].map(|host| format!("{old} prod {host}")),
        "withdrawn then, and running"
    );
    assert_eq!(hosts(&["logs-core", "--json", "--at", "2"]), [""; 0], "before any deployment");
    let mut why = pkg(clinic.directory.path());
    let why = run(why.env("PKG_SERVER", &clinic.server.url).args(["why", "web2<b>"]));
    let lines: Vec<&str> = why.ok().lines().map(str::trim).collect();
    assert_eq!(lines[..2], ["web2<b> in prod", new], "{lines:#?}");
    for (link, part) in [("deployed", "D-0002 (deploy), done, "), ("deployed", " by ana: CHG <1>")] {
        assert!(lines.iter().any(|line| line.starts_with(link) && line.contains(part)), "{link} {part}: {lines:#?}");
    }
    for (link, part) in [("published", "to dev, "), ("published", ": build 58 & more, commit "), ("file", "sha256 ")] {
        assert!(lines.iter().any(|line| line.starts_with(link) && line.contains(part)), "{link} {part}: {lines:#?}");
    }
    let mut why = pkg(clinic.directory.path());
    run(why.env("PKG_SERVER", &clinic.server.url).args(["why", "web9"])).exits(2);
    let (_, page) = clinic.get("/ui/jars?jar=logs-core", &[]);
    assert!(page.contains("prod</a>: <bdi>web1, web2&lt;b&gt;</bdi>"), "{page}");
    find(&["logs-core", "<"]).exits(2);
    find(&["logs-core", "--at", "nope"]).says(&["there is no tag `nope`"]);
    let (status, page) = clinic.get("/ui/environments/shop", &[]);
    assert!(status == "200" && page.contains("clinic-1.0-1.noarch"), "{page}");
}

/// A deployment as it goes on: the page follows by itself, and nothing that a journal says is markup.
#[test]
fn a_deployment_is_seen_as_it_goes_on() {
    let clinic = Clinic::with_versions();
    let (old, new) = ("clinic-1.0-1.noarch", "clinic-1.1-1.noarch");
    let write = |entries| clinic.journal(entries);
    write(vec![begun("D-0001"), planned("D-0001", Value::Null, old), finished("D-0001", json!([]), old)]);
    let mut browser = Browser::start();
    browser.go(&format!("{}/ui/environments", clinic.server.url));
    examine(&mut browser, "environments-known");
    browser.click("prod");
    examine(&mut browser, "environment");
    let mut step = json!({ "entry": "step_begun", "host": "web1", "step": "drain", "direction": "onward", "deployment": "D-0002" });
    write(vec![begun("D-0002"), planned("D-0002", json!(old), new), step.clone()]);
    wait_for(&mut browser, "has been running since");
    examine(&mut browser, "environment-running");
    // What is written between the page and its first event is none that the page has: the numbers say so.
    for path in ["/ui/environments/prod", "/ui/environments/prod/deployments/D-0002"] {
        let (_, html) = clinic.get(path, &[]);
        assert!(html.contains("/api/v1/environments/prod/events?after=6\""), "{path}: {html}");
    }
    browser.click("Deploy D-0002");
    (step["entry"], step["milliseconds"]) = (json!("step_ended"), json!(1234));
    step["result"] = json!({ "is": "ok", "detail": "no <i>connection</i> left" });
    write(vec![step]);
    wait_for(&mut browser, "ok: no <i>connection</i> left");
    examine(&mut browser, "deployment-running");
    write(vec![finished("D-0002", json!([old]), new)]);
    wait_for(&mut browser, "What the hosts were left with");
    examine(&mut browser, "deployment-done");

    let (_, feed) = clinic.get("/ui/environments/prod/feed", &[]);
    let read = "import sys, xml.dom.minidom as x\nfor one in x.parseString(sys.argv[1]).getElementsByTagName('entry'):\n \
                print(one.getElementsByTagName('title')[0].firstChild.data)";
    let titles = format!("Deploy D-0002: {old} → {new} on 2 hosts: done\nDeploy D-0001: {old} on 2 hosts: done");
    assert_eq!(run(Command::new("python3").args(["-c", read, &feed])).ok(), titles);
}

fn begun(id: &str) -> Value {
    let until = Utc::now() + TimeDelta::seconds(600);
    json!({ "entry": "begun", "deployment": id, "action": "deploy", "target": {}, "until": until })
}

fn planned(id: &str, from: Value, to: &str) -> Value {
    let change = json!({ "from": from, "to": to, "verb": "upgrade", "way_back": "offered" });
    let hosts = HOSTS.map(|host| json!({ "host": host, "work": "change", "changes": [change] }));
    json!({ "entry": "planned", "deployment": id, "plan": { "hosts": hosts }, "agreement": { "consent": "" } })
}

fn finished(id: &str, before: Value, now: &str) -> Value {
    let hosts = HOSTS.map(|host| {
        json!({ "host": host, "before": before, "now": [now], "service": "active", "balancers": ["UP"], "settled": true })
    });
    json!({ "entry": "finished", "deployment": id, "ending": "done", "reason": null, "hosts": hosts })
}

#[track_caller]
fn wait_for(browser: &mut Browser, part: &str) {
    for _ in 0..200 {
        if browser.text().contains(part) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the page never says `{part}`: {}", browser.text());
}
