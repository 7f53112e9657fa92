//! `pkg index`: a folder of RPMs becomes a yum repository, stays one whatever happens, and real clients read it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program::{pkg, repository_file, run};
use crate::server::Server;

const UPDATEINFO: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<updates><update from=\"a@example.org\" status=\"stable\" type=\"security\" version=\"1\">
<id>EX-2024-1</id><title>a hole</title><severity>Important</severity><issued date=\"2024-01-01 00:00:00\"/>
<references><reference href=\"https://example.org/1\" id=\"CVE-2024-1\" type=\"cve\" title=\"CVE-2024-1\"/></references>
<description>It had a hole.</description><pkglist><collection short=\"r\"><name>r</name>
<package name=\"alpha-alpha-0\" version=\"1.12.48\" release=\"7.el9\" epoch=\"0\" arch=\"noarch\" src=\"a.src.rpm\">
<filename>alpha-alpha-0-1.12.48-7.el9.noarch.rpm</filename></package></collection></pkglist></update></updates>
";

const COMPS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \"comps.dtd\">
<comps><group><id>webapps</id><name>Web applications</name><description>All of them</description><default>true</default>
<uservisible>true</uservisible><packagelist><packagereq type=\"mandatory\">alpha-alpha-0</packagereq></packagelist></group>
</comps>
";

/// Adds real RPMs to a folder.
fn make_rpms(folder: &Path, first: usize, count: usize) {
    let mut command = Command::new(repository_file("bench/make-rpms"));
    command.arg(folder).arg(count.to_string()).args(["--first", &first.to_string(), "--payload", "512"]);
    run(&mut command).ok();
}

fn index(folder: &Path, arguments: &[&str]) -> crate::program::Ran {
    run(pkg(folder.parent().unwrap()).arg("index").arg(folder).args(arguments))
}

fn rpms(folder: &Path) -> Vec<PathBuf> {
    let found = run(Command::new("find").arg(folder).args(["-name", "*.rpm"])).ok().to_owned();
    let mut found: Vec<PathBuf> = found.lines().map(PathBuf::from).collect();
    found.sort();
    found
}

/// What dnf says of a repository in a folder.
fn dnf(folder: &Path, arguments: &[&str]) -> String {
    dnf_at(&format!("file://{}", folder.display()), arguments)
}

/// What dnf says of a repository at a URL.
pub(crate) fn dnf_at(url: &str, arguments: &[&str]) -> String {
    let state = tempfile::tempdir().unwrap();
    let configuration = state.path().join("dnf.conf");
    let text = format!(
        "[main]\ncachedir={0}/cache\npersistdir={0}/persist\nlogdir={0}\nreposdir={0}/none\npluginpath={0}/none\n\
         skip_if_unavailable=0\n[r]\nname=r\nbaseurl={url}\ngpgcheck=0\n",
        state.path().display(),
    );
    std::fs::write(&configuration, text).unwrap();
    let mut command = Command::new("dnf");
    command.arg("-q").arg("--config").arg(&configuration).arg("--installroot").arg(state.path().join("root"));
    run(command.args(["--releasever", "9"]).args(arguments)).ok().to_owned()
}

fn listed(folder: &Path) -> usize {
    dnf(folder, &["repoquery", "--qf", "%{name}-%{evr}"]).lines().count()
}

/// The names of the files that repomd.xml names, each there with the bytes that it says.
fn checked_documents(folder: &Path) -> Vec<String> {
    let repomd = std::fs::read_to_string(folder.join("repodata/repomd.xml")).unwrap();
    let hrefs = repomd.split("href=\"repodata/").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    let names: Vec<String> = hrefs.collect();
    for name in &names {
        let sum = run(Command::new("sha256sum").arg(folder.join("repodata").join(name))).ok().to_owned();
        assert_eq!(sum[..64], name[..64], "{name}");
    }
    names
}

#[test]
fn a_folder_becomes_a_repository_and_follows_its_files() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("repo");
    make_rpms(&folder, 0, 40);
    index(&folder, &[]).ok();
    assert_eq!(listed(&folder), 40);
    let first = checked_documents(&folder);

    let repomd = std::fs::read(folder.join("repodata/repomd.xml")).unwrap();
    index(&folder, &[]).says(&["nothing changed"]);
    assert_eq!(std::fs::read(folder.join("repodata/repomd.xml")).unwrap(), repomd, "clients keep what they have");

    // One comes, one goes, one becomes another, one can't be read.
    make_rpms(&folder, 40, 1);
    let there = rpms(&folder);
    std::fs::remove_file(&there[3]).unwrap();
    std::fs::copy(&there[9], &there[7]).unwrap();
    std::fs::write(folder.join("broken.rpm"), "no rpm").unwrap();
    let ran = index(&folder, &["--json"]);
    assert_eq!(ran.exits(2).matches("\"packages\":40,\"read\":3").count(), 1, "{}", ran.stdout);
    ran.says(&["broken.rpm` is left out: not an RPM"]);
    // dnf takes two files with one content for one package.
    assert_eq!(listed(&folder), 39);
    for old in first {
        assert!(folder.join("repodata").join(&old).exists(), "{old}: clients may still ask for it");
    }
    let documents = checked_documents(&folder);
    std::fs::remove_file(folder.join("broken.rpm")).unwrap();
    let counted = index(&folder, &["--anew", "--json", "--keep", "0"]).ok().to_owned();
    assert!(counted.contains("\"packages\":40,\"read\":40"), "{counted}");
    assert_eq!(listed(&folder), 39);
    assert_eq!(documents.len(), checked_documents(&folder).len());
    let createrepo = run(Command::new("createrepo_c").args(["--quiet", "--update"]).arg(&folder));
    assert!(createrepo.ok().is_empty(), "createrepo_c takes it over");
    // It is not ours any more: all is read again.
    assert!(index(&folder, &["--json"]).ok().contains("\"read\":40"));
    assert_eq!(listed(&folder), 39);
}

#[test]
fn advisories_and_groups_are_seen_and_stay() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("repo");
    make_rpms(&folder, 0, 3);
    let file = |name: &str, text: &str| {
        std::fs::write(directory.path().join(name), text).unwrap();
        directory.path().join(name).display().to_string()
    };
    let (updateinfo, comps) = (file("updateinfo.xml", UPDATEINFO), file("comps.xml", COMPS));
    for compression in ["gzip", "zstd"] {
        index(&folder, &["--compress", compression, "--updateinfo", &updateinfo, "--groupfile", &comps]).ok();
        make_rpms(&folder, if compression == "gzip" { 3 } else { 4 }, 1);
        index(&folder, &["--compress", compression]).ok();
        // `dnf updateinfo` speaks of what is installed, this of what there is.
        let mended = dnf(&folder, &["repoquery", "--advisory", "EX-2024-1"]);
        assert_eq!(mended, "alpha-alpha-0-0:1.12.48-7.el9.noarch", "{compression}");
        assert!(dnf(&folder, &["group", "list"]).contains("Web applications"), "{compression}");
        assert_eq!(checked_documents(&folder).len(), 6);
    }
    let wrong = index(&folder, &["--updateinfo", &comps]);
    wrong.exits(2);
    wrong.says(&["can't be used as updateinfo", "its root element is `comps`, it has to be `updates`"]);
    assert_eq!(listed(&folder), 5);
}

#[test]
fn a_run_that_is_killed_leaves_a_whole_repository() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("repo");
    make_rpms(&folder, 0, 200);
    let home = directory.path().join("gnupg");
    std::fs::create_dir(&home).unwrap();
    let gpg = |arguments: &[&str]| run(Command::new("gpg").arg("--homedir").arg(&home).arg("--batch").args(arguments));
    gpg(&["--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key", "repo", "rsa2048", "sign"]).ok();
    let key = directory.path().join("key.asc");
    let exported = gpg(&["--armor", "--export-secret-keys", "repo"]).ok().to_owned();
    std::fs::write(&key, exported).unwrap();
    let sign = key.display().to_string();
    index(&folder, &["--sign", &sign]).ok();
    for round in 0..24 {
        make_rpms(&folder, 200 + round, 1);
        let mut command = pkg(directory.path());
        command.arg("index").arg(&folder).args(["--sign", &sign]).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(10 + 9 * round as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        checked_documents(&folder);
        let repodata = folder.join("repodata");
        let (signature, signed) = (repodata.join("repomd.xml.asc"), repodata.join("repomd.xml"));
        gpg(&["--verify", signature.to_str().unwrap(), signed.to_str().unwrap()]).ok();
    }
    index(&folder, &["--sign", &sign]).ok();
    assert_eq!(listed(&folder), 224);
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| *name == ".repodata.new" || *name == ".repodata.old"), "{left:?}");
}

const ADVISORY: &str = "id = 'SHOP-2026:7'\ntitle = 'a hole'\ntype = 'security'\nissued = '2026-02-03'\n\
                        packages = ['alpha-alpha-0-1.12.48-7.el9.noarch']\n";

/// A folder of createrepo_c becomes a channel with all that it had, that channel a plain folder, and its URL another
/// channel.
#[test]
fn repositories_come_in_and_go_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    make_rpms(&path("old"), 0, 12);
    std::fs::write(path("comps.xml"), COMPS).unwrap();
    std::fs::write(path("advisory.toml"), ADVISORY).unwrap();
    let createrepo =
        Command::new("createrepo_c").args(["--quiet", "-g"]).arg(path("comps.xml")).arg(path("old")).output();
    assert!(createrepo.unwrap().status.success());
    let mut serve = pkg(directory.path());
    let server = Server::start(serve.args(["serve", "--store", "store", "--listen", "127.0.0.1:0"]));
    let ask = |arguments: &[&str]| run(pkg(directory.path()).env("PKG_SERVER", &server.url).args(arguments));

    assert!(ask(&["import", "old", "--to", "dev"]).ok().starts_with("dev  12 packages"));
    ask(&["attach", "dev", "--advisory", "advisory.toml"]).ok();
    ask(&["attach", "dev", "--advisory", "advisory.toml"]).says(&["had all of it before"]);
    ask(&["export", "dev", "out"]).says(&["12 fetched"]);
    ask(&["export", "dev", "out", "--prune"]).says(&["0 fetched, 0 removed"]);
    let out = path("out");
    assert_eq!(checked_documents(&out).len(), 6);
    assert_eq!(listed(&out), 12);
    assert_eq!(dnf(&out, &["repoquery", "--advisory", "SHOP-2026:7"]), "alpha-alpha-0-0:1.12.48-7.el9.noarch");
    assert!(dnf(&out, &["group", "list"]).contains("Web applications"));

    // Where the store is at hand, packages are links to its files, and fetched where it is not.
    ask(&["export", "dev", "linked", "--link", "store"]).says(&["12 linked, 0 fetched"]);
    ask(&["export", "dev", "linked", "--link", "store"]).says(&["12 packages, 0 fetched"]);
    assert_eq!(listed(&path("linked")), 12);
    assert!(rpms(&path("linked")).iter().all(|rpm| std::fs::metadata(rpm).unwrap().nlink() == 2));
    ask(&["export", "dev", "copied", "--link", "out"]).says(&["12 packages, 12 fetched"]);

    // Groups are a setting of a channel, too.
    assert!(ask(&["channel", "set", "dev", "--comps", ""]).ok().contains("beside them     advisories\n"));
    ask(&["channel", "set", "dev", "--comps", ""]).says(&["was so before"]);
    ask(&["export", "dev", "out"]).ok();
    assert_eq!(checked_documents(&out).len(), 4);
    ask(&["channel", "set", "dev", "--comps", "missing.xml"]).exits(2);
    assert!(ask(&["channel", "set", "dev", "--comps", "comps.xml"]).ok().contains("advisories, groups\n"));
    let shown = ask(&["channel", "create", "groups", "--comps", "comps.xml"]);
    assert!(shown.ok().contains("beside them     groups\n"), "{}", shown.stdout);

    ask(&["import", &format!("{}/dev", server.url), "--to", "qa"]).ok();
    assert_eq!(ask(&["list", "qa"]).ok().lines().count(), 12);
    assert_eq!(ask(&["attach", "qa", "--withdraw", "SHOP-2026:7"]).ok().lines().count(), 1);
    std::fs::write(path("wrong.toml"), "id = 'a'\n").unwrap();
    let wrong = ask(&["attach", "qa", "--advisory", "wrong.toml"]);
    wrong.exits(2);
    std::fs::write(std::fs::read_dir(path("old/00")).unwrap().next().unwrap().unwrap().path(), "no rpm").unwrap();
    ask(&["import", "old", "--to", "prod"]).exits(2);
}
