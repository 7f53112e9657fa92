//! The web pages against those who mean harm: hostile names stay text, and what is private stays private.

use std::process::Command;

use serde_json::json;

use crate::browser::Browser;
use crate::pages::{Clinic, build, examine};
use crate::program::{pkg, run};
use crate::server::Server;

/// Whatever a package, a commit or an address says, it is text: no markup, no script, no dialog, no wrong direction.
#[test]
fn hostile_names_stay_text() {
    let clinic = Clinic::begin(&[]);
    let long = format!("long-{}", "n".repeat(180));
    let names = ["<script>alert(1)</script>", "\"onmouseover=\"alert(1)", "a\u{202e}gpj.\u{1f9a0}", &long];
    for (number, name) in names.into_iter().enumerate() {
        for version in ["1", "2"] {
            let path = clinic.directory.path().join(format!("hostile-{number}-{version}.rpm"));
            std::fs::write(&path, hostile(name, version)).unwrap();
            clinic.pkg(&["publish", path.to_str().unwrap(), "--to", "dev", "--why", "<img src=x onerror=alert(1)>"]);
        }
    }
    clinic.wait_until_searched(8);
    let mut browser = Browser::start();
    let packages = format!("{}/ui/packages", clinic.server.url);
    browser.go(&packages);
    let text = browser.text();
    assert!(text.contains("a=E2=80=AEgpj.=F0=9F=A6=A0"), "{text}");
    examine(&mut browser, "hostile-packages");
    let links = "[...document.querySelectorAll('tbody th a')].map(one => one.href)";
    let links: Vec<String> = serde_json::from_value(browser.evaluate(links)).unwrap();
    assert_eq!(links.len(), 4);
    for (number, link) in links.iter().enumerate() {
        browser.go(link);
        assert!(browser.text().contains("2 versions"), "{}", browser.text());
        examine(&mut browser, &format!("hostile-{number}-package"));
        browser.go(&format!("{link}/2-1.noarch"));
        let text = browser.text();
        for part in
            ["\"><script>alert(2)</script>", "<b>notes</b>", "</pre><script>", "⟨U+202E⟩", "⟨U+001B⟩", "<img src=x"]
        {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
        examine(&mut browser, &format!("hostile-{number}-version"));
        browser.go(&format!("{link}/differences?from=1-1.noarch&to=2-1.noarch"));
        assert!(browser.text().contains("+ </ins><script>alert(2)</script>"), "{}", browser.text());
        examine(&mut browser, &format!("hostile-{number}-difference"));
    }
    for (address, part) in [
        ("", "“<img src=x onerror=alert(1)>”"),
        ("/ui/timeline", "“<img src=x onerror=alert(1)>”"),
        ("/ui/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "Search for “\"><script>alert(1)</script>”"),
        ("/ui/search?q=%3Cimg", "/opt/<img src=x onerror=alert(1)>"),
        ("/ui/jars?jar=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&version=%3Cb%3E", "`<b>` bounds no version"),
        ("/ui/channels/dev?q=%22%3E%3Cb%3E", "None."),
        ("/ui/packages/%3Cscript%3E", "There is nothing here"),
    ] {
        browser.go(&format!("{}{address}", clinic.server.url));
        let text = browser.text();
        assert!(text.contains(part), "no `{part}` at {address} in\n{text}");
        let names = "[...document.querySelectorAll('script, img, b, [onerror], [onmouseover]')].length";
        assert_eq!(browser.evaluate(names), json!(0), "{address}");
        let troubles = browser.troubles();
        let is_status = |trouble: &String| trouble.contains("the server responded with a status of 404");
        assert!(troubles.iter().all(is_status), "{address}: {troubles:?}");
    }
    let (_, feed) = clinic.get("/ui/channels/dev/feed", &[]);
    let read = "import sys, xml.dom.minidom as x; print(len(x.parseString(sys.argv[1]).getElementsByTagName('entry')))";
    assert_eq!(run(Command::new("python3").args(["-c", read, &feed])).ok(), "9");
}

/// A package that no builder of ours would make.
fn hostile(name: &str, version: &str) -> Vec<u8> {
    let text = |what: &str| format!("\"><script>alert({version})</script> \u{202e}{what}");
    let config = rpm::BuildConfig::v4().compression(rpm::CompressionType::None).source_date(1_700_000_000);
    // The builder takes no such names: the name is put in afterwards, over one of the same length.
    let stand_in = "zq".repeat(name.len()).get(..name.len()).unwrap().to_owned();
    let mut builder = rpm::PackageBuilder::new(&stand_in, version, &text("licence"), "noarch", &text("summary"));
    builder.using_config(config).release("1").description(text("description")).url("javascript:alert(1)");
    builder.vendor(text("vendor")).packager(text("packager")).vcs("javascript:alert(1)");
    builder.add_changelog_entry("<i>Eve</i>", "- <b>notes</b> &amp;", 1_600_000_000);
    builder.post_install_script(format!("echo '</pre><script>alert({version})</script>\u{1b}[31m'"));
    builder.requires(rpm::Dependency::any("<u>needed</u>"));
    builder.provides(rpm::Dependency::eq("bundled(maven:<g>:\"jar\")", "1.0"));
    let body = format!("a\n</ins><script>alert({version})</script>\n");
    let options = rpm::FileOptions::new("/etc/<b>a.conf").config();
    builder.with_file_contents(body.as_bytes(), options).unwrap();
    let options = rpm::FileOptions::new("/opt/<img src=x onerror=alert(1)>");
    let package = builder.with_file_contents(version.as_bytes(), options).unwrap().build().unwrap();
    let mut bytes = Vec::new();
    package.write(&mut bytes).unwrap();
    let places: Vec<usize> = bytes
        .windows(name.len())
        .enumerate()
        .filter_map(|(at, window)| (window == stand_in.as_bytes()).then_some(at))
        .collect();
    for at in places {
        bytes[at..at + name.len()].copy_from_slice(name.as_bytes());
    }
    bytes
}

/// What a channel's files are to those without a token, its pages are too.
#[test]
fn pages_of_private_channels_are_private() {
    let clinic = Clinic::begin(&[]);
    let built = build(clinic.directory.path(), "1.0", "2.14.1");
    clinic.pkg(&["publish", &built, "--to", "qa", "--why", "secret plan"]);
    let mut token = pkg(clinic.directory.path());
    token.env("PKG_SERVER", &clinic.server.url).args(["token", "create", "host", "--scope", "read:qa"]);
    let token = run(&mut token).ok().lines().last().unwrap().to_owned();
    drop(clinic.server);
    let mut serve = pkg(clinic.directory.path());
    std::fs::write(clinic.directory.path().join("serve.toml"), "[access]\nprivate_channels = ['qa']\n").unwrap();
    serve.args(["serve", "--store", "store", "--listen", "127.0.0.1:0", "--config", "serve.toml"]);
    let clinic = Clinic { server: Server::start(&mut serve), directory: clinic.directory };
    let basic = format!("any:{token}");
    let with_token = ["-u", basic.as_str()];
    clinic.wait_until_searched(1);
    for (path, status) in [
        ("/ui/channels/qa", "401"),
        ("/ui/channels/qa/feed", "401"),
        ("/ui/packages/clinic", "404"),
        ("/ui/packages/clinic/1.0-1.noarch", "404"),
        ("/ui/packages/clinic/1.0-1.noarch/files", "404"),
        ("/ui/packages/clinic/differences?from=1.0-1.noarch&to=1.0-1.noarch", "404"),
        ("/", "200"),
        ("/ui/packages", "200"),
        ("/ui/timeline", "200"),
        ("/ui/search?q=clin", "200"),
        ("/ui/jars?jar=*", "200"),
        ("/api/v1/find-jar?jar=*", "200"),
        ("/ui/environments", "200"),
    ] {
        let (answered, body) = clinic.get(path, &[]);
        assert_eq!(answered, status, "{path}");
        for secret in ["clinic-1.0", "secret plan", "1.0-1.noarch</", "logs-core"] {
            assert!(!body.contains(secret), "`{secret}` at {path}: {body}");
        }
        let (answered, _) = clinic.get(path, &with_token);
        assert_eq!(answered, "200", "{path} with a token");
    }
    let (_, home) = clinic.get("/", &[]);
    assert!(home.contains("href=\"/sign-in\"") && !home.contains("/ui/channels/qa"), "{home}");
    let (_, head) = clinic.get("/", &["-I"]);
    for header in ["content-security-policy: default-src 'none'; style-src 'self';", "vary: Authorization", "nosniff"] {
        assert!(head.to_lowercase().contains(&header.to_lowercase()), "{head}");
    }
    assert_eq!(clinic.get("/sign-in", &[]).0, "401");
    assert_eq!(clinic.get("/sign-in", &["-u", "any:wrong-wrong-wrong-wrong"]).0, "401");
    assert_eq!(clinic.get("/sign-in", &with_token).0, "303");
    let (_, home) = clinic.get("/", &with_token);
    assert!(home.contains("secret plan") && home.contains("/ui/channels/qa"), "{home}");
}
