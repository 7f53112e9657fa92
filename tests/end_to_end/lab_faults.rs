//! Faults provoked for real, one after the other in one lab: the exit code, and what each leaves on hosts and balancer.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::lab_deployment::{Site, wait_until};
use crate::program::{pkg, repository_file, run};

/// A fault on a host. Afterwards both hosts have the old version and serve, while the fault is still there.
struct Fault {
    name: &'static str,
    host: &'static str,
    breaks: &'static str,
    mends: &'static str,
    package: &'static str,
    exit: i32,
    says: &'static [&'static str],
}

const OLD: &str = "1.0.0-1";
const GOOD: &str = "examples-2.0.0-2";
const FRAGILE: &str = "examples-4.0.0-4";
const MISLABELLED: &str = "examples-5.0.0-5";

/// What fails where a file says so. The shell's parent is the package manager.
const SCRIPTS: &str = "[scripts]
pre = '''
if [ -e /run/disk-fills ]; then dd if=/dev/zero of=/usr/filler bs=64k 2>/dev/null; fi
test ! -e /run/pre-fails'''
post = '''
if [ -e /run/dnf-dies ]; then rm /run/dnf-dies; kill -KILL $PPID; fi
if [ -e /run/everything-dies ]; then rm /run/everything-dies; systemctl kill --signal=KILL 'pkg-*'; sleep 5; fi
test ! -e /run/post-fails'''
preun = 'test ! -e /run/preun-fails'
";

/// /usr on a disk of 24 MB of its own, whatever the machine has.
const SMALL_DISK: &str = "mkdir /run/small && mount -t tmpfs -o size=24m tmpfs /run/small && mkdir /run/small/up /run/small/work && \
     mount -t overlay overlay -o lowerdir=/usr,upperdir=/run/small/up,workdir=/run/small/work /usr";

const FAULTS: &[Fault] = &[
    Fault {
        name: "no sudo",
        host: "web2",
        breaks: "chmod 0 /usr/bin/sudo",
        mends: "chmod 4755 /usr/bin/sudo",
        package: GOOD,
        exit: 1,
        says: &["`facts` on `web2`", "sudo", "`--without HOST` leaves a host out"],
    },
    Fault {
        name: "a signature is asked for, and there is none",
        host: "web2",
        breaks: "sed -i.kept 's/^gpgcheck=.*//; $a gpgcheck=1' /etc/yum.repos.d/dev.repo",
        mends: "mv /etc/yum.repos.d/dev.repo.kept /etc/yum.repos.d/dev.repo",
        package: GOOD,
        exit: 1,
        says: &["`web2`: stage failed", "is not signed", "failed, nothing changed"],
    },
    Fault {
        name: "the disk is full beforehand",
        host: "web1",
        breaks: "dd if=/dev/zero of=/run/small/filler bs=1M count=20 2>&1",
        mends: "rm /run/small/filler",
        package: GOOD,
        exit: 1,
        says: &["`web1` has 4 MB free", "are needed"],
    },
    Fault {
        name: "%pre fails",
        host: "web2",
        breaks: "touch /run/pre-fails",
        mends: "rm /run/pre-fails",
        package: FRAGILE,
        exit: 3,
        says: &["`web2`: install failed", "PREIN scriptlet", "web1 back:put-back ok", "rolled back"],
    },
    Fault {
        name: "%post fails, for which dnf exits 0",
        host: "web1",
        breaks: "touch /run/post-fails",
        mends: "rm /run/post-fails",
        package: FRAGILE,
        exit: 3,
        says: &["`web1`: install failed", "a scriptlet failed", "rolled back"],
    },
    Fault {
        name: "dnf is killed in the middle of its transaction",
        host: "web1",
        breaks: "touch /run/dnf-dies",
        mends: "test ! -e /run/dnf-dies",
        package: FRAGILE,
        exit: 3,
        says: &["`web1`: install failed", "exit code 137", "rolled back"],
    },
    Fault {
        name: "everything of the transaction is killed in its middle",
        host: "web1",
        breaks: "touch /run/everything-dies",
        mends: "test ! -e /run/everything-dies",
        package: FRAGILE,
        exit: 3,
        says: &["`web1`: install failed", "the transaction was cut short", "rolled back"],
    },
    Fault {
        name: "the health check answers with another version",
        host: "web1",
        breaks: "true",
        mends: "true",
        package: MISLABELLED,
        exit: 3,
        says: &["`web1`: check failed", "ok 1.0.0", "rolled back"],
    },
];

/// A site with versions that fail where they are told to.
#[track_caller]
fn site() -> Site {
    let site = Site::up("faults");
    let directory = site.directory.path();
    let fragile = build_with(directory, "4.0.0", "4.0.0", SCRIPTS);
    let mislabelled = build_with(directory, "5.0.0", "1.0.0", "");
    run(site.pkg(&["publish", "--to", "dev"]).args([fragile, mislabelled])).ok();
    site
}

/// Builds a version of the examples application that says of itself which version it is.
#[track_caller]
fn build_with(directory: &Path, version: &str, says: &str, scripts: &str) -> String {
    let war = directory.join(format!("fault-{version}.war"));
    run(Command::new(repository_file("tests/lab/examples-war")).arg(says).arg(&war)).ok();
    let spec = std::fs::read_to_string(repository_file("specs/examples.toml")).unwrap();
    let configuration = repository_file("specs/examples");
    let spec = spec.replace("directory = \"examples\"", &format!("directory = \"{}\"", configuration.display()));
    std::fs::write(directory.join("fault.toml"), format!("{spec}\n{scripts}")).unwrap();
    let mut build = pkg(directory);
    build.args(["build", "fault.toml", "--version", version, "--release", &version[..1]]);
    build.arg("--set").arg(format!("WAR={}", war.display()));
    run(&mut build).ok().to_owned()
}

#[track_caller]
fn on(site: &Site, host: &str, script: &str) {
    site.lab.host(host, &["sh", "-ec", script]).ok();
}

/// Nothing is changed, or everything is taken back, although the fault goes on.
#[track_caller]
fn is_taken_back(site: &Site, fault: &Fault) {
    on(site, fault.host, fault.breaks);
    let deployed = site.run(&["deploy", "lab", fault.package]);
    assert_eq!(deployed.code, fault.exit, "{}: {}", fault.name, deployed.stderr);
    deployed.says(fault.says);
    site.everywhere(OLD);
    on(site, fault.host, fault.mends);
}

/// There is no room to unpack, and none for the way back, where rpm took files of the old version with it: the host stays
/// out until there is room, and gets all of its files again.
#[track_caller]
fn a_disk_that_is_full_in_the_middle(site: &Site) {
    on(site, "web1", "touch /run/disk-fills");
    let full = site.run(&["deploy", "lab", FRAGILE]);
    full.exits(4);
    full.says(&["`web1`: install failed", "Error unpacking rpm package", "PARTLY CHANGED"]);
    assert_eq!(site.installed(), ["examples-1.0.0-1.noarch inactive", "examples-1.0.0-1.noarch active"]);
    assert_eq!(site.balanced(), ["web1 MAINT", "web2 UP"]);
    on(site, "web1", "rm /run/disk-fills /usr/filler");
    site.run(&["resume", "lab"]).exits(3);
    site.everywhere(OLD);
    assert_eq!(site.lab.host("web1", &["rpm", "-V", "examples"]).ok(), "");
}

/// HAProxy's socket is gone: nothing is known, nothing is changed.
#[track_caller]
fn a_balancer_that_does_not_answer(site: &Site) {
    on(site, "lb1", "mv /run/haproxy/admin.sock /run/haproxy/kept.sock");
    let blind = site.run(&["deploy", "lab", GOOD]);
    blind.exits(1);
    blind.says(&["lb1", "hint: is HAProxy running there"]);
    on(site, "lb1", "mv /run/haproxy/kept.sock /run/haproxy/admin.sock");
    site.everywhere(OLD);
}

/// No start succeeds on web2, not even that of the way back: it stays out, and web1, which serves alone, stays in.
#[track_caller]
fn a_service_that_never_starts(site: &Site) {
    let drop_in = "/run/systemd/system/tomcat10.service.d";
    let never = format!(
        "mkdir -p {drop_in} && printf '[Service]\\nExecStartPre=/bin/false\\n' >{drop_in}/never.conf && \
         systemctl daemon-reload"
    );
    on(site, "web2", &never);
    let dead = site.run(&["deploy", "lab", GOOD]);
    dead.exits(4);
    dead.says(&["`web2`: start failed", "`web1` stays as it is: only 0 other hosts serve"]);
    assert_eq!(site.installed(), ["examples-2.0.0-2.noarch active", "examples-1.0.0-1.noarch failed"]);
    assert_eq!(site.balanced(), ["web1 UP", "web2 MAINT"]);
    on(site, "web2", &format!("rm -r {drop_in} && systemctl daemon-reload"));
    site.run(&["resume", "lab"]).exits(3);
    site.everywhere(OLD);
}

/// The repository is away once everything is staged, and one host for some seconds: both are done without.
#[track_caller]
fn a_repository_and_a_cable_that_are_gone(site: &mut Site) {
    let mut deploy = site.pkg(&["deploy", "lab", FRAGILE]);
    let mut deploy = deploy.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("web1 is out of the balancer", || site.balanced()[0] != "web1 UP");
    site.stop_serving();
    site.lab.strike("cut", "web1");
    std::thread::sleep(std::time::Duration::from_secs(2));
    site.lab.strike("mend", "web1");
    assert_eq!(deploy.wait().unwrap().code(), Some(0));
    site.everywhere("4.0.0-4");
    site.serve();
}

/// What is to go can't be removed, neither for the new version nor on the way back: the host stays out until it can.
#[track_caller]
fn an_old_version_that_does_not_leave(site: &Site) {
    on(site, "web1", "touch /run/preun-fails");
    let kept = site.run(&["deploy", "lab", GOOD]);
    kept.exits(4);
    kept.says(&["`web1`: install failed", "Error in PREUN scriptlet", "PARTLY CHANGED"]);
    // The last word is dnf's own, of the way there and of the way back.
    let last = kept.stderr.lines().rev().find(|line| line.contains("PARTLY CHANGED")).unwrap();
    assert_eq!(last.matches("exit code 1: Error").count(), 2, "{last}");
    assert_eq!(site.balanced(), ["web1 MAINT", "web2 UP"]);
    on(site, "web1", "rm /run/preun-fails");
    site.run(&["resume", "lab"]).exits(3);
    site.everywhere("4.0.0-4");
    // The version that came and went has left none of its configuration behind.
    assert_eq!(site.lab.host("web1", &["rpm", "-V", "examples"]).ok(), "");
}

/// Whatever breaks, hosts and balancer are as the exit code says, and go on from there once it is mended.
#[test]
fn faults_are_taken_back() {
    let mut site = site();
    site.run(&["deploy", "lab", "examples-1.0.0-1"]).ok();
    on(&site, "web1", SMALL_DISK);
    for fault in FAULTS {
        is_taken_back(&site, fault);
    }
    a_disk_that_is_full_in_the_middle(&site);
    a_balancer_that_does_not_answer(&site);
    a_service_that_never_starts(&site);
    a_repository_and_a_cable_that_are_gone(&mut site);
    an_old_version_that_does_not_leave(&site);
}
