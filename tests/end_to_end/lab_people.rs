//! What people do with an environment in the lab: agree, refuse, decide at a pause, run commands, prepare hosts, look back.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::dialogue::Dialogue;
use crate::lab_site::Site;
use crate::program::{Ran, repository_file, run};

/// The lab's environment with other lines: `approval` replaced, texts before the first section, sections at the end.
fn environment(site: &Site, name: &str, approval: &str, top: &str, sections: &str) -> String {
    let lab = std::fs::read_to_string(repository_file("specs/environments/lab.toml")).unwrap();
    let text = lab.replace("approval = \"none\"", &format!("approval = \"{approval}\"\n{top}"));
    let file = site.path(&format!("{name}.toml"));
    std::fs::write(&file, format!("{text}\n{sections}\n")).unwrap();
    format!("./{name}.toml")
}

fn key(site: &Site, person: &str) -> (PathBuf, String) {
    let file = site.path(&format!("{person}.key"));
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", person, "-f"]).arg(&file)).ok();
    (file.clone(), std::fs::read_to_string(format!("{}.pub", file.display())).unwrap())
}

#[track_caller]
fn unattended(site: &Site, arguments: &[&str]) -> Ran {
    run(site.pkg(arguments).stdin(Stdio::null()))
}

/// Two people, a freeze, hooks and notifications; and then all of it in the history.
#[test]
fn two_people_agree() {
    let site = Site::up("people");
    let (ana, ana_public) = key(&site, "ana");
    let (ben, ben_public) = key(&site, "ben");
    let (eve, _) = key(&site, "eve");
    std::fs::write(site.path("approvers"), format!("ana@x {ana_public}ben@x {ben_public}")).unwrap();
    let told = site.path("told");
    let sections = format!(
        "[[hooks]]\nat = \"before-deploy\"\ncommand = \"echo hook for $PKG_TO\"\n\
         [[hooks]]\nat = \"after-stop\"\non = \"host\"\ncommand = \"echo $PKG_HOST >>/tmp/stopped; exit 7\"\n\
         [[notifications]]\nkind = \"command\"\ncommand = \"cat >>{0}; echo >>{0}\"\n",
        told.display()
    );
    let lab = environment(&site, "two", "two", "approvers = \"approvers\"\nfreeze = \"freeze\"", &sections);
    let (ana, ben, eve) = (ana.to_str().unwrap(), ben.to_str().unwrap(), eve.to_str().unwrap());

    site.run(&["plan", &lab, "examples-1.0.0-1", "--out", "a.plan"]).ok();
    let deploy = ["deploy", lab.as_str(), "--plan", "a.plan", "--key", ana, "--approval", "a.plan.approval"];
    unattended(&site, &["approve", &lab, "--plan", "a.plan", "--key", ben]).exits(6);
    unattended(&site, &deploy[..6]).exits(6);

    // Whoever is not among the approvers, and the one who deploys again, count for nothing.
    let approve = |key: &str| {
        let mut signing = Dialogue::start(&site.pkg(&["approve", &lab, "--plan", "a.plan", "--key", key]));
        signing.sees("type the environment's name").types("lab");
        signing.ends()
    };
    approve(eve).exits(1);
    approve(ana).ok();
    let alone = Dialogue::start(&site.pkg(&deploy)).ends();
    alone.exits(6);
    alone.says(&["two people have to sign the plan, 1 did"]);

    approve(ben).ok();
    unattended(&site, &deploy).exits(6);
    std::fs::write(site.path("freeze"), "Black Friday\n").unwrap();
    let frozen = Dialogue::start(&site.pkg(&deploy)).ends();
    frozen.exits(6);
    frozen.says(&["it is frozen: Black Friday"]);
    let mut wrong = Dialogue::start(&site.pkg(&[&deploy[..], &["--despite-freeze", "a fix"]].concat()));
    wrong.sees("type the environment's name").types("y");
    wrong.ends().exits(6);
    assert!(site.lab.host("web1", &["rpm", "-q", "examples"]).code != 0, "nothing was changed");

    let mut both = Dialogue::start(&site.pkg(&[&deploy[..], &["--despite-freeze", "a fix"]].concat()));
    both.sees("signed by ana@x, ben@x").sees("type the environment's name").types("lab");
    both.ends().ok();
    site.everywhere("1.0.0-1");
    assert_eq!(site.lab.host("web2", &["cat", "/tmp/stopped"]).ok(), "web2");
    let news: Vec<serde_json::Value> =
        std::fs::read_to_string(told).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<&str> = news.iter().map(|news| news["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["begun", "done"]);

    let list = site.run(&["history", &lab]);
    let last = list.ok().lines().next().unwrap().split_whitespace().next().unwrap().to_owned();
    let story = site.run(&["history", &lab, "--show", &last]);
    for part in [
        "the environment's name was typed",
        "signed by ana@x, ben@x",
        "although closed (it is frozen: Black Friday): a fix",
        "hook before-deploy on the controller `echo hook for $PKG_TO` ok",
        "> hook for examples-1.0.0-1.noarch",
        "web2 hook after-stop on hosts `echo $PKG_HOST >>/tmp/stopped; exit 7` failed: exit code 7",
        "web1 had nothing, left with examples-1.0.0-1.noarch",
    ] {
        assert!(story.ok().contains(part), "{part}\n{}", story.stdout);
    }
}

/// A broken version at a terminal: it pauses, shows the log, and does what is chosen; the live screen shows the rows.
#[test]
fn a_pause_is_decided_by_a_person() {
    let site = Site::up("pause");
    site.run(&["deploy", "lab", "examples-1.0.0-1"]).ok();
    let mut deploy = Dialogue::start(&site.pkg(&["deploy", "lab", "examples-3.0.0-3"]));
    deploy.sees("go on? [y/N]").types("y").sees("▶ web1").sees("PAUSED").sees("back out [a]ll");
    deploy.types("x").sees("`x` is none of these").types("l").sees("web1>").types("a");
    deploy.sees("failed and rolled back");
    deploy.ends().exits(3);
    site.everywhere("1.0.0-1");

    let mut stopped = Dialogue::start(&site.pkg(&["deploy", "lab", "examples-3.0.0-3", "--yes"]));
    stopped.sees("PAUSED").sees("[q]uit").types("q");
    stopped.ends().exits(4);
    site.run(&["deploy", "lab", "examples-2.0.0-2"]).ok();
    site.everywhere("2.0.0-2");
}

/// Commands and tasks on hosts, and a bare host that is brought to the standard set-up.
#[test]
fn commands_and_bare_hosts() {
    let site = Site::up("run");
    let standard = "[tasks.where]\ncommand = \"echo $PKG_HOST of $PKG_ENVIRONMENT\"\n\
         [standard]\npackages = [\"examples-1.0.0\"]\nservices = [\"tomcat10\"]\nsudo_user = \"deploy\"\n\
         directories = [{ path = \"/srv/shop\", group = \"tomcat\", mode = \"0750\" }]\n\
         [[standard.repositories]]\nid = \"pkg-dev\"\nurl = \"http://10.77.0.1:8080/dev/\"\ngpgcheck = false\nrepo_gpgcheck = true\n\
         keys = [{ url = \"KEY\", fingerprint = \"FINGERPRINT\" }]\n";
    let none =
        environment(&site, "tasks", "none", "", "[tasks.where]\ncommand = \"echo $PKG_HOST of $PKG_ENVIRONMENT\"");
    let ran = site.run(&["run", &none, "--task", "where"]);
    let mut lines: Vec<&str> = ran.ok().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["web1> web1 of lab", "web2> web2 of lab"]);
    let some = site.run(&["run", &none, "--batch", "1", "--", "test $PKG_HOST = web1 && exit 72; true"]);
    some.exits(1);
    some.says(&["web1 failed", "exit code 72", "not begun on web2"]);
    let some = site.run(&["run", &none, "--batch", "1", "--keep-going", "--", "test $PKG_HOST = web2"]);
    some.exits(4);
    assert_eq!(site.run(&["run", &none, "--hosts", "web2", "--", "echo", "it's $HOME"]).ok(), "web2> it's $HOME");
    site.run(&["run", &none, "--hosts", "db*", "--", "true"]).exits(2);
    site.run(&["run", &none, "--task", "whre"]).exits(2);

    let repository = site.lab.host("web1", &["cat", "/etc/yum.repos.d/dev.repo"]);
    let url = repository.ok().lines().find_map(|line| line.strip_prefix("gpgkey=")).unwrap().to_owned();
    let fetched = site.path("repository.asc");
    run(site.lab.controller("curl").args(["-fsS", "-o"]).arg(&fetched).arg(&url)).ok();
    let shown = run(Command::new("gpg").args(["--batch", "--with-colons", "--show-keys"]).arg(&fetched));
    let fingerprint = shown.ok().lines().find_map(|line| line.strip_prefix("fpr:")).unwrap().replace(':', "");
    let standard = standard.replace("KEY", &url);
    for host in ["web1", "web2"] {
        site.lab.host(host, &["rm", "-f", "/etc/yum.repos.d/dev.repo"]).ok();
    }
    let wrong = environment(&site, "wrong", "none", "", &standard.replace("FINGERPRINT", &"AB".repeat(20)));
    let refused = site.run(&["hosts", "prepare", &wrong, "--yes"]);
    refused.exits(1);
    refused.says(&["has not the key"]);
    let lab = environment(&site, "standard", "none", "", &standard.replace("FINGERPRINT", &fingerprint));
    let bare = site.run(&["hosts", "check", &lab]);
    bare.exits(1);
    assert!(bare.stdout.contains("package examples-1.0.0: it is not installed"), "{}", bare.stdout);
    let prepared = site.run(&["hosts", "prepare", &lab, "--yes"]);
    prepared.ok();
    prepared.says(&["+ baseurl=http://10.77.0.1:8080/dev/", "web2 directory /srv/shop: it is not there", "web1 ok"]);
    assert_eq!(site.lab.host("web1", &["stat", "-c", "%a %U:%G", "/srv/shop"]).ok(), "750 root:tomcat");
    site.lab.host("web1", &["rpm", "-q", "examples-1.0.0"]).ok();
    let again = site.run(&["hosts", "prepare", &lab, "--yes"]);
    again.ok();
    again.says(&["every host is as it should be"]);
    site.run(&["hosts", "check", &lab]).ok();
    site.lab.host("web2", &["sed", "-i", "s/repo_gpgcheck=1/repo_gpgcheck=0/", "/etc/yum.repos.d/pkg-dev.repo"]).ok();
    let drifted = site.run(&["hosts", "prepare", &lab, "--yes"]);
    drifted.ok();
    drifted.says(&[
        "web2 file /etc/yum.repos.d/pkg-dev.repo: it has other lines",
        "- repo_gpgcheck=0",
        "+ repo_gpgcheck=1",
    ]);
    let cloud = site.run(&["hosts", "prepare", &lab, "--cloud-init"]);
    assert!(cloud.ok().starts_with("#cloud-config\nwrite_files:\n"), "{}", cloud.stdout);
    let kickstart = site.run(&["hosts", "prepare", &lab, "--kickstart"]);
    assert!(kickstart.ok().starts_with("%post --erroronfail\n"), "{}", kickstart.stdout);
}
