//! The scripts by themselves, with stand-ins for tools that no machine of the lab has: they print and take what the real
//! ones do.

use std::path::Path;
use std::process::Command;

use crate::Script;

mod yum3;

const PACKAGE_MANAGER: &str = include_str!("scripts/package_manager.sh");

/// Puts a stand-in for a program into a directory.
fn stand_in(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&path, mode).unwrap();
}

/// Runs a script with the stand-ins before all others; gives its exit code, what it prints and what it complains about.
fn run(directory: &Path, script: &Script) -> (i32, String, String) {
    let path = format!("PATH={}:", directory.display());
    let text = script.text().replace("PATH=", &path);
    let output = Command::new("sh").args(["-c", &text]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn said(directory: &Path) -> String {
    std::fs::read_to_string(directory.join("said")).unwrap_or_default()
}

/// ipvsadm 1.31, as far as the script goes: `-S` leaves out the thresholds, and `-e` forgets what it is not told.
const IPVSADM: &str = r#"
state=${0%/*}/rules
case $1 in
-Sn) sed 's/ -[xy] [0-9]*//g' "$state" ;;
-Ln) awk '$1 == "-A" { print ($2 == "-f" ? "FWM " : "TCP "), $3, $NF }
    $1 == "-a" {
        upper = lower = 0
        for (i = 4; i < NF; i++) {
            if ($i == "-r") server = $(i + 1)
            if ($i == "-x") upper = $(i + 1)
            if ($i == "-y") lower = $(i + 1)
        }
        print "  ->", server, upper, lower, 0, 0
    }' "$state" ;;
-e) new="-a ${*#-e}"
    new="-a ${new#-a  }"
    server=$(echo "$new" | sed 's/.* -r \([^ ]*\).*/\1/')
    while read -r line; do
        case "$line " in
        "-a $2 $3 "*"-r $server "*) echo "$new" ;;
        *) echo "$line" ;;
        esac
    done <"$state" >"$state.next"
    mv "$state.next" "$state" ;;
*) exit 2 ;;
esac
"#;

/// Runs the script that sets a server of LVS; gives its exit code, the rules after it and what it complains about.
fn set_lvs(directory: &Path, service: &str, server: &str, to: &str) -> (i32, String, String) {
    let script = include_str!("scripts/lvs_set.sh")
        .replace("/var/lib/pkg/lvs", &directory.join("kept").display().to_string())
        .replace("/proc/sys/net/ipv4/vs", &directory.display().to_string());
    let script: &'static str = Box::leak(script.into_boxed_str());
    let script = Script::new("lvs", &[script]).set("SERVICE", service).set("SERVER", server).set("TO", to);
    let (code, _, complaint) = run(directory, &script);
    (code, std::fs::read_to_string(directory.join("rules")).unwrap(), complaint.trim().to_owned())
}

#[test]
fn lvs_keeps_all_but_the_weight() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    stand_in(directory, "ipvsadm", IPVSADM);
    let rules = "-A -t 10.0.0.1:80 -s wlc\n-a -t 10.0.0.1:80 -r 10.0.0.11:8080 -m -x 100 -y 5 -w 7\n\
                 -a -t 10.0.0.1:80 -r 10.0.0.11:8081 -m -w 2\n-a -t 10.0.0.1:80 -r 10.0.0.12:8080 -g -w 1\n\
                 -A -f 7 -s rr\n-a -f 7 -r 10.0.0.11:0 -i --tun-type gue --tun-port 6080 --tun-nocsum -w 3\n\
                 -A -f 7 -6 -s rr\n-a -f 7 -6 -r [fd00::11]:0 -g -x 9 -w 4\n";
    std::fs::write(directory.join("rules"), rules).unwrap();
    let set = |service: &str, server: &str, to: &str| set_lvs(directory, service, server, to);
    // All that listens on a host goes and comes.
    let out = rules.replace("-y 5 -w 7", "-y 5 -w 0").replace("-m -w 2", "-m -w 0");
    for to in ["draining", "out", "out"] {
        assert_eq!(set("-t 10.0.0.1:80", "10.0.0.11", to), (0, out.clone(), String::new()));
    }
    for _ in 0..2 {
        assert_eq!(set("-t 10.0.0.1:80", "10.0.0.11", "in"), (0, rules.to_owned(), String::new()));
    }
    assert_eq!(set("-t 10.0.0.1:80", "10.0.0.11:8081", "out").1, rules.replace("-m -w 2", "-m -w 0"));
    assert_eq!(set("-t 10.0.0.1:80", "10.0.0.11:8081", "in").1, rules);
    assert_eq!(set("-f 7", "10.0.0.11", "out").1, rules.replace("-w 3", "-w 0"));
    assert_eq!(set("-f 7", "10.0.0.11", "in").1, rules);
    assert_eq!(set("-f 7", "[fd00::11]", "out").1, rules.replace("-w 4", "-w 0"));
    assert_eq!(set("-f 7", "[fd00::11]", "in").1, rules);
    let (code, _, complaint) = set("-t 10.0.0.1:80", "10.0.0.1", "out");
    assert_eq!((code, complaint.as_str()), (1, "`ipvsadm -Sn` has no `-t 10.0.0.1:80 -r 10.0.0.1`"));
    // What a checker has removed is left to it, if it was there once.
    let removed = rules.replace("-a -f 7 -r 10.0.0.11:0 -i --tun-type gue --tun-port 6080 --tun-nocsum -w 3\n", "");
    std::fs::write(directory.join("rules"), &removed).unwrap();
    for to in ["out", "in"] {
        assert_eq!(set("-f 7", "10.0.0.11", to), (0, removed.clone(), String::new()));
    }
    assert_eq!(set("-f 7", "10.0.0.12", "in").0, 1);
}

#[test]
fn lvs_is_told_weight_0_only_where_that_drains() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    stand_in(directory, "ipvsadm", IPVSADM);
    for (options, template, complaint) in [
        ("-s wlc -p 300", "0", "`net.ipv4.vs.expire_quiescent_template` to 1"),
        ("-s wlc -p 300", "1", ""),
        ("-s rr -o", "0", ""),
        ("-s sh", "0", "the scheduler of `-t 10.0.0.1:80` (`sh` or"),
        ("-s sh -p 300 -M 255.255.255.0 -b sh-port", "1", "the scheduler"),
        ("-s sh -b sh-fallback,sh-port", "0", ""),
        ("-s mh", "0", "the scheduler"),
        ("-s mh -b mh-port,mh-fallback", "0", ""),
        ("-s dh", "0", "the scheduler"),
    ] {
        let rules =
            format!("-A -t 10.0.0.1:80 {options}\n-a -t 10.0.0.1:80 -r 10.0.0.11:80 -g -w 1\n-A -f 7 -s dh -p 9\n");
        std::fs::write(directory.join("rules"), &rules).unwrap();
        std::fs::write(directory.join("expire_quiescent_template"), template).unwrap();
        let (code, after, said) = set_lvs(directory, "-t 10.0.0.1:80", "10.0.0.11", "draining");
        assert_eq!((code != 0, after == rules), (!complaint.is_empty(), !complaint.is_empty()), "{options}: {said}");
        assert!(said.contains(complaint), "{options}: {said}");
        // Coming back is never refused.
        assert_eq!(set_lvs(directory, "-t 10.0.0.1:80", "10.0.0.11", "in"), (0, rules, String::new()), "{options}");
    }
}

/// A lock is waited for; whoever still holds it after a minute is named.
#[test]
fn a_lock_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let locked_twice = "echo \"$*\" >>\"${0%/*}/said\"; [ $(wc -l <\"${0%/*}/said\") -gt 2 ] || exit 200";
    stand_in(directory, "dnf", locked_twice);
    stand_in(directory, "sleep", "exit 0");
    let script = |manager: &str| {
        Script::new("stage", &[PACKAGE_MANAGER, "manager install app"]).set("MANAGER", manager).set("REPOSITORIES", "r")
    };
    assert_eq!(run(directory, &script("dnf4")).0, 0);
    assert_eq!(said(directory).lines().count(), 3);
    assert!(said(directory).contains("--setopt=exit_on_lock=1 -y"), "{}", said(directory));
    stand_in(directory, "dnf", "exit 200");
    let (code, _, complaint) = run(directory, &script("dnf4"));
    assert_eq!(code, 200);
    assert!(complaint.contains("has held a lock of the package manager for a minute"), "{complaint}");
}

/// systemd refuses a start after five within ten seconds; a start that takes its time and fails is not tried again.
#[test]
fn a_start_that_systemd_refuses_is_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let systemctl = "here=${0%/*}\necho \"$1\" >>\"$here/said\"\ncase $1 in\nreset-failed) rm -f \"$here/refused\" ;;\n\
                     start) sleep \"$(cat \"$here/takes\")\"; [ ! -e \"$here/refused\" ] || exit 1 ;;\nis-active) echo active ;;\nesac\n";
    stand_in(directory, "systemctl", systemctl);
    let script = Script::new("start", &[crate::services::SERVICE, include_str!("scripts/start.sh")])
        .set("SERVICE", "app")
        .set("SERVICE_KIND", "systemd");
    for (refused, takes, code, told) in [
        (false, "0", 0, "start is-active "),
        (true, "0", 0, "start reset-failed start is-active "),
        (true, "2.1", 1, "start "),
    ] {
        if refused {
            std::fs::write(directory.join("refused"), "").unwrap();
        }
        std::fs::write(directory.join("takes"), takes).unwrap();
        std::fs::write(directory.join("said"), "").unwrap();
        assert_eq!(run(directory, &script).0, code, "{refused} {takes}");
        assert_eq!(said(directory).replace('\n', " "), told);
    }
}

/// What rpm can't say is not taken for nothing being installed.
#[test]
fn what_is_left_is_known_or_not() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    stand_in(directory, "systemctl", "echo active");
    let script = Script::new("left", &[crate::services::SERVICE, include_str!("scripts/left.sh")])
        .set("SERVICE", "app")
        .set("SERVICE_KIND", "systemd")
        .set("NAMES", "app conf");
    stand_in(directory, "rpm", "echo installed app-0:1-1.noarch; echo package conf is not installed; exit 1");
    let known = (0, "service active\ninstalled app-0:1-1.noarch\n".to_owned(), String::new());
    assert_eq!(run(directory, &script), known);
    stand_in(directory, "rpm", "echo error: cannot open Packages database >&2; exit 1");
    let (code, _, complaint) = run(directory, &script);
    assert_eq!((code, complaint.as_str()), (1, "cannot open Packages database\n"));
}
