//! yum 3, which no system of today has: a stand-in that takes, does and says what the real one (3.4.3 with rpm 4.11.3) was
//! seen to, as far as the scripts go.

use std::path::Path;

use super::{PACKAGE_MANAGER, run, said, stand_in};
use crate::Script;

/// What is installed, offered and fetched are files with a NEVRA on each line. `locked`: so many times another yum holds its
/// lock. `conflicts` lets rpm's test of a transaction fail.
const YUM: &str = r#"
here=${0%/*}
echo "$*" >>"$here/said"
verb= only= cache= test= log=$here/log option=
newer() { [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | tail -n 1)" = "$1" ]; }
for word; do
    shift
    case $option:$word in
    -c:*) log=$(sed -n 's/^logfile=//p' "$word") option= ;;
    :-c) option=-c ;;
    :--downloadonly) only=yes ;;
    :-C) cache=yes ;;
    :--setopt=tsflags=test) test=yes ;;
    :--setopt=exit_on_lock=1) exits=yes ;;
    :-*) ;;
    *) if [ -z "$verb" ]; then verb=$word; else set -- "$@" "$word"; fi ;;
    esac
done
left=$(cat "$here/locked" 2>/dev/null)
if [ "${left:-0}" -gt 0 ]; then
    [ -n "$exits" ] || { echo 'Another app is currently holding the yum lock; waiting for it to exit...'; exit 99; }
    echo $((left - 1)) >"$here/locked"
    printf 'Existing lock /var/run/yum.pid: another copy is running as pid 1608.\n\n\nAnother app is currently holding the yum lock; exiting as configured by exit_on_lock\n' >&2
    exit 1
fi
planned= unknown= shell=
consider() {
    for package; do
        name=${package%-*-*}
        there=$(grep "^$name-[^-]*-[^-]*$" "$here/installed" | sort -V)
        if ! grep -qxF "$package" "$here/offered"; then
            echo "No package $package available."
            unknown=yes
        elif [ "$verb:$there" = downgrade: ]; then echo "No Match for available package: $package"
        elif [ "$(printf '%s\n' "$there" | tail -n 1)" = "$package" ] && [ "$(printf '%s\n' "$there" | wc -l)" = 1 ]; then
            echo "Package $package already installed and latest version"
        elif [ "$verb" = install ] && newer "$(printf '%s\n' "$there" | tail -n 1)" "$package"; then
            echo "Package matching $package already installed. Checking for update."
        elif [ "$verb" = downgrade ] && newer "$package" "$(printf '%s\n' "$there" | tail -n 1)"; then
            echo "Only Upgrade available on package: $package"
        else planned="$planned $package"; fi
    done
}
fail() { echo "$1"; [ -z "$shell" ] || { echo 'Leaving Shell'; exit 0; }; exit 1; }
case $verb in
shell)
    shell=yes
    while read -r verb words; do
        [ "$verb" = run ] || consider $words
    done <"$1"
    [ -z "$unknown" ] || fail 'No transaction'
    ;;
reinstall) for package; do planned="$planned $(grep "^$package" "$here/installed")"; done ;;
*) consider "$@" ;;
esac
if [ -z "$planned" ]; then
    [ -z "$unknown" ] || fail 'Error: Nothing to do'
    echo 'Nothing to do'
    exit 0
fi
for package in $planned; do
    [ -z "$cache" ] || grep -qxF "$package" "$here/fetched" ||
        fail "Error downloading packages:
  $package: Caching enabled but no local cache of it"
    echo "$package" >>"$here/fetched"
done
if [ -n "$only" ]; then
    echo 'exiting because "Download Only" specified'
    exit 0
fi
for package in $planned; do
    [ "$verb" = reinstall ] || ! grep -qxF "$package" "$here/installed" ||
        fail "Transaction check error:
  package $package is already installed"
done
[ ! -e "$here/conflicts" ] || fail 'Transaction check error:
  file /usr/share/app/a conflicts'
for package in $planned; do
    echo "Updated: $package" >>"$log"
    [ -z "$test" ] || continue
    sed -i "/^${package%-*-*}-[^-]*-[^-]*$/d" "$here/installed"
    echo "$package" >>"$here/installed"
    sed -i "\\|^$package |d" "$here/damaged" 2>/dev/null
done
[ -z "$shell" ] || printf 'Finished Transaction\nLeaving Shell\n'
exit 0
"#;

/// What of rpm the scripts use; `damaged` has a package and a line of `rpm -V` on each line.
const RPM: &str = r#"
here=${0%/*}
case $1 in
-e)
    shift 2
    echo "erased $*" >>"$here/said"
    for package; do
        sed -i "/^$package$/d" "$here/installed"
        sed -i "\\|^$package |d" "$here/damaged" 2>/dev/null
    done
    ;;
-V) sed -n "s/^${4}-[^ ]* //p" "$here/damaged" 2>/dev/null ;;
-qc)
    shift
    [ "$1" != --dump ] || shift
    format=$2
    shift 2
    for name; do
        grep "^$name-[^-]*-[^-]*$" "$here/installed" | while read -r package; do
            case $format in
            *'%{NAME}-'*) echo "installed $package" ;;
            *) echo "installed $name ${package#"$name-"}" ;;
            esac
            cat "$here/configuration" 2>/dev/null
        done
    done
    ;;
-q) ;;
esac
"#;

/// A host with yum 3.
struct Host(tempfile::TempDir);

impl Host {
    /// Makes one of what is installed; offered are two versions of each of two packages.
    fn new(installed: &str) -> Self {
        let host = Self(tempfile::tempdir().unwrap());
        stand_in(host.path(), "yum", YUM);
        stand_in(host.path(), "rpm", RPM);
        host.write("installed", installed);
        host.write("offered", "app-0:1.0-1.noarch\napp-0:1.1-1.noarch\nconf-0:1-1.noarch\nconf-0:2-1.noarch\n");
        host.write("fetched", "");
        host.write("yum.conf", "[main]\nkeepcache=0\nlogfile=/var/log/yum.log\n");
        host
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        let mut lines: Vec<String> =
            std::fs::read_to_string(self.path().join(name)).unwrap_or_default().lines().map(str::to_owned).collect();
        lines.sort();
        lines.join(" ")
    }

    /// Runs a script with the host's own directory in the place of the system's.
    fn run(&self, text: &str, up: &str, down: &str) -> (i32, String) {
        let here = self.path().display().to_string();
        let own = |text: &str| -> &'static str {
            let mut text = text.to_owned();
            for (system, file) in [
                ("/etc/yum.conf", "yum.conf"),
                ("/run/yum.pid", "yum.pid"),
                ("/var/lib/yum", "lib"),
                ("/var/lib/pkg/conf", "conf"),
            ] {
                text = text.replace(system, &format!("{here}/{file}"));
            }
            Box::leak(text.into_boxed_str())
        };
        let script = Script::new("yum3", &[own(PACKAGE_MANAGER), own(text)])
            .set("MANAGER", "yum3")
            .set("REPOSITORIES", "pkg-prod base")
            .set("NAMES", "app conf")
            .set("UP", up)
            .set("DOWN", down)
            .set("BACK", "");
        let (code, printed, complaint) = run(self.path(), &script);
        (code, printed + &complaint)
    }

    fn stage(&self, up: &str, down: &str) -> (i32, String) {
        self.run(include_str!("../scripts/stage.sh"), up, down)
    }

    fn test(&self, up: &str, down: &str) -> (i32, String) {
        self.run(include_str!("../scripts/test.sh"), up, down)
    }

    fn transact(&self, up: &str, down: &str) -> (i32, String) {
        self.run(include_str!("../scripts/transaction_run.sh"), up, down)
    }
}

const OLD: &str = "app-0:1.0-1.noarch";
const NEW: &str = "app-0:1.1-1.noarch";
const OLD_CONF: &str = "conf-0:1-1.noarch";
const NEW_CONF: &str = "conf-0:2-1.noarch";

#[test]
fn every_direction_is_staged_tested_and_gone() {
    for (before, up, down) in [
        (String::new(), format!("{OLD} {OLD_CONF}"), String::new()),
        (format!("{OLD}\n{OLD_CONF}\n"), format!("{NEW} {NEW_CONF}"), String::new()),
        (format!("{NEW}\n{NEW_CONF}\n"), String::new(), format!("{OLD} {OLD_CONF}")),
        (format!("{OLD}\n{NEW_CONF}\n"), NEW.to_owned(), OLD_CONF.to_owned()),
    ] {
        let host = Host::new(&before);
        let after = format!("{up} {down}").trim().to_owned();
        assert_eq!(host.stage(&up, &down).0, 0, "{after}");
        assert_eq!(host.read("fetched"), after);
        let (code, told) = host.test(&up, &down);
        assert_eq!(code, 0, "{after}: {told}");
        assert_eq!(host.read("installed"), before.trim().replace('\n', " "), "{after}: a test changes nothing");
        assert_eq!(host.read("log"), "", "{after}: nor does yum's log say so");
        let before = said(host.path()).lines().count();
        let (code, told) = host.transact(&up, &down);
        assert_eq!(code, 0, "{after}: {told}");
        assert_eq!(host.read("installed"), after, "{told}");
        let said = said(host.path());
        assert_eq!(said.lines().count(), before + 1, "one transaction: {said}");
        assert!(said.contains("-y --disablerepo=* --enablerepo=pkg-prod,base --setopt=keepcache=1 -C "), "{said}");
        // Again, there is nothing to do.
        assert_eq!(host.transact(&up, &down).0, 0, "{after}");
        assert_eq!(host.read("installed"), after);
    }
}

/// In its shell yum ends with 0 whatever happens.
#[test]
fn what_fails_in_both_directions_at_once_is_a_failure() {
    let before = format!("{OLD}\n{NEW_CONF}\n");
    let host = Host::new(&before);
    assert_eq!(host.stage("app-0:9-1.noarch", OLD_CONF).0, 1);
    assert_eq!(host.test(NEW, OLD_CONF).0, 1, "nothing is staged");
    assert_eq!(host.stage(NEW, OLD_CONF).0, 0);
    host.write("conflicts", "");
    for (code, told) in [host.test(NEW, OLD_CONF), host.transact(NEW, OLD_CONF), host.transact(NEW, "")] {
        assert_eq!(code, 1);
        assert!(told.contains("file /usr/share/app/a conflicts"), "{told}");
    }
    assert_eq!(host.read("installed"), before.trim().replace('\n', " "));
}

/// yum has no command that takes one of two versions away and nothing else; what it has noted down it would go on with.
#[test]
fn one_of_two_versions_goes() {
    for (up, down, gone) in [(NEW, "", OLD), ("", OLD, NEW)] {
        let stays = format!("{up}{down}");
        let host = Host::new(&format!("{NEW}\n{OLD}\n{NEW_CONF}\n"));
        host.write("fetched", &format!("{OLD}\n{NEW}\n"));
        host.write("damaged", &format!("{stays} ..5......    /usr/share/app/a\n"));
        std::fs::create_dir(host.path().join("lib")).unwrap();
        host.write("lib/transaction-all.1", "install 0:app-1.1-1.noarch\nerase 0:app-1.0-1.noarch\n");
        host.write("lib/transaction-done.1", "");
        host.write("lib/transaction-all.2", "install 0:other-1.1-1.noarch\nerase 0:app-1.0-1.noarch\n");
        let (code, told) = host.transact(up, down);
        assert_eq!(code, 0, "{told}");
        let said = said(host.path());
        assert!(said.contains(&format!("erased {gone}\n")), "{said}");
        assert!(said.contains(" reinstall app\n"), "{said}");
        assert_eq!(host.read("installed"), format!("{stays} {NEW_CONF}"));
        let mut left: Vec<String> = std::fs::read_dir(host.path().join("lib"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["transaction-all.1.disabled", "transaction-all.2", "transaction-done.1.disabled"]);
    }
}

/// Where a downgrade's `%pre` fails, the newer version goes and the older one does not come.
#[test]
fn what_is_gone_is_installed() {
    let host = Host::new(&format!("{NEW_CONF}\n"));
    host.write("fetched", &format!("{OLD}\n{OLD_CONF}\n"));
    let (code, told) = host.transact("", &format!("{OLD} {OLD_CONF}"));
    assert_eq!(code, 0, "{told}");
    assert_eq!(host.read("installed"), format!("{OLD} {OLD_CONF}"));
}

/// Where rpm has lost files of what is installed, there is nothing to do for yum.
#[test]
fn what_stayed_and_is_damaged_is_installed_again() {
    for (lost, commands) in [("missing   c /etc/app", 1), ("missing     /usr/share/app", 2)] {
        let host = Host::new(&format!("{OLD}\n{NEW_CONF}\n"));
        host.write("fetched", &format!("{NEW}\n{NEW_CONF}\n"));
        host.write("damaged", &format!("{NEW_CONF} {lost}\n"));
        assert_eq!(host.transact(&format!("{NEW} {NEW_CONF}"), "").0, 0);
        let said = said(host.path());
        assert_eq!((said.lines().count(), said.contains("reinstall conf")), (commands, commands == 2), "{said}");
    }
}

#[test]
fn a_lock_is_waited_for() {
    let host = Host::new(&format!("{NEW}\n"));
    stand_in(host.path(), "sleep", "exit 0");
    host.write("yum.pid", &std::process::id().to_string());
    host.write("locked", "2");
    let (code, told) = host.stage("", OLD);
    assert_eq!((code, host.read("fetched").as_str()), (0, OLD), "{told}");
    host.write("locked", "1000");
    let (code, told) = host.stage("", OLD);
    assert_eq!(code, 200);
    assert!(told.contains(&format!("for a minute: process {}, ", std::process::id())), "{told}");
    // Another failure is told at once.
    host.write("locked", "0");
    std::fs::remove_file(host.path().join("yum.pid")).unwrap();
    let before = said(host.path()).lines().count();
    assert_eq!(host.stage("app-0:9-1.noarch", "").0, 1);
    assert_eq!(said(host.path()).lines().count(), before + 1);
}

/// yum exits 0 where `%post` fails, says so in its own words and at the end of its progress, and may not tell of a `.rpmnew`.
#[test]
fn what_yum_says_of_scriptlets_is_heard() {
    let host = Host::new(&format!("{NEW}\n"));
    let directory = host.path().display();
    host.write("configuration", &format!("{directory}/app.conf\n{directory}/other.conf\n"));
    host.write("other.conf.rpmnew", "waits for long");
    std::thread::sleep(std::time::Duration::from_millis(20));
    for (file, text) in [("started", ""), ("running", ""), ("pid", "1\n"), ("exit", "0\n")] {
        host.write(file, text);
    }
    std::thread::sleep(std::time::Duration::from_millis(20));
    host.write("app.conf.rpmnew", "new");
    host.write(
        "log",
        "  Updating   : app-1.1-1.noarch          1/2Non-fatal POSTIN scriptlet failure in rpm package app-1.1-1.noarch\n \n\
         Complete!\n",
    );
    let script = Script::new("wait", &[include_str!("../scripts/transaction_wait.sh")])
        .set("DIRECTORY", directory.to_string())
        .set("NAMES", "app");
    let (code, printed, complaint) = run(host.path(), &script);
    assert_eq!((code, complaint.as_str()), (0, ""));
    let lines: Vec<&str> = printed.lines().filter(|line| !line.starts_with("log ")).collect();
    let beside = format!("beside {directory}/app.conf.rpmnew");
    let scriptlet = "scriptlet Non-fatal POSTIN scriptlet failure in rpm package app-1.1-1.noarch";
    assert_eq!(lines, ["state ended", "exit 0", "installed app-0:1.1-1.noarch", &beside, scriptlet]);
}

/// What is offered is asked of yum's own library, by the interpreter that runs yum.
#[test]
fn the_library_is_asked_what_is_offered() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    stand_in(
        directory,
        "python2",
        "case $2 in\n-) cat >\"${0%/*}/program\"; shift 3; echo \"$*\" >\"${0%/*}/said\"; echo offered app-0:1.0-1.noarch 7 5 ;;\n\
         *) echo \"$*\" >>\"${0%/*}/cli\"; [ ! -e \"${0%/*}/fails\" ] ;;\nesac\n",
    );
    std::fs::write(directory.join("yum"), format!("#!{} -u\n", directory.join("python2").display())).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.join("yum"), mode).unwrap();
    let offered = include_str!("../scripts/facts.sh").split("while read -r key _ user _").next().unwrap();
    let script = Script::new("facts", &[PACKAGE_MANAGER, offered, "offered; echo $?"])
        .set("MANAGER", "yum3")
        .set("REPOSITORIES", "pkg-prod base")
        .set("NAMES", "app conf");
    let (code, printed, complaint) = run(directory, &script);
    assert_eq!((code, printed.as_str(), complaint.as_str()), (0, "offered app-0:1.0-1.noarch 7 5\n0\n", ""));
    assert_eq!(said(directory), "pkg-prod base app conf\n");
    let program = std::fs::read_to_string(directory.join("program")).unwrap();
    assert!(program.starts_with("import os\n") && program.contains("oldest-rollback("), "{program}");
    let fetched = std::fs::read_to_string(directory.join("cli")).unwrap();
    assert!(
        fetched.contains("--setopt=base.metadata_expire=0") && fetched.ends_with("-q makecache fast\n"),
        "{fetched}"
    );
    std::fs::write(directory.join("fails"), "").unwrap();
    assert_eq!(run(directory, &script).1, "1\n");
}
