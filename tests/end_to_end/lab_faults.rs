//! Faults provoked for real, one after the other in one lab: the exit code, and what each leaves on hosts and balancer.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use crate::going::Going;
use crate::lab_site::{Site, build_with, wait_until};
use crate::program::run;
use crate::shop::make_key;

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
const FOREIGN: &str = "examples-6.0.0-6";

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

const GPGCHECK: &str = "sed -i.kept 's/^gpgcheck=.*//; $a gpgcheck=1' /etc/yum.repos.d/dev.repo";
const GPGCHECK_KEPT: &str = "mv /etc/yum.repos.d/dev.repo.kept /etc/yum.repos.d/dev.repo";

/// Holds dnf's locks, as a dnf does that somebody else runs.
const HOLDS_LOCKS: &str = "import dnf, time
conf = dnf.Base().conf
with dnf.lock.build_metadata_lock(conf.cachedir, True), dnf.lock.build_rpmdb_lock(conf.persistdir, True):
    print('held', flush=True)
    time.sleep(6)";

/// Gives the scripts and the transactions of a host another clock: what root runs by sudo, and what systemd starts. Not
/// Tomcat, which takes its time with it.
const WRONG_CLOCK: &str = "d=/run/systemd/system/tomcat10.service.d; mkdir -p $d
printf '[Service]\nUnsetEnvironment=LD_PRELOAD\n' >$d/clock.conf; systemctl daemon-reload
printf '%s\n' LD_PRELOAD=/usr/lib/wrong-clock.so FAKETIME=OFFSET FAKETIME_DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 >/etc/wrong-clock
echo 'Defaults env_file=/etc/wrong-clock' >/etc/sudoers.d/wrong-clock
systemctl set-environment $(cat /etc/wrong-clock)";
const RIGHT_CLOCK: &str = "rm /etc/sudoers.d/wrong-clock /run/systemd/system/tomcat10.service.d/clock.conf
systemctl unset-environment LD_PRELOAD FAKETIME FAKETIME_DONT_FAKE_MONOTONIC NO_FAKE_STAT; systemctl daemon-reload";

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
        breaks: GPGCHECK,
        mends: GPGCHECK_KEPT,
        package: GOOD,
        exit: 1,
        says: &["`web2`: stage failed", "is not signed", "failed, nothing changed"],
    },
    Fault {
        name: "the signature is of a key that the host does not trust",
        host: "web2",
        breaks: GPGCHECK,
        mends: GPGCHECK_KEPT,
        package: FOREIGN,
        exit: 1,
        says: &["`web2`: stage failed", "GPG check FAILED", "failed, nothing changed"],
    },
    Fault {
        name: "the repository is signed by another key than the host trusts",
        host: "web2",
        breaks: "sed -i.kept 's#^gpgkey=.*#gpgkey=file:///root/other.asc#' /etc/yum.repos.d/dev.repo; rm -r /var/cache/dnf/pkg-dev-*",
        mends: GPGCHECK_KEPT,
        package: GOOD,
        exit: 1,
        says: &["`facts` on `web2`", "Bad GPG signature", "hint: does `gpgkey` in the host's .repo file name the key"],
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
    let fragile = build_with(directory, ("4.0.0", "4.0.0"), SCRIPTS, &[]);
    let mislabelled = build_with(directory, ("5.0.0", "1.0.0"), "", &[]);
    make_key(directory, "rsa2048");
    let key = site.path("private.asc");
    let foreign = build_with(directory, ("6.0.0", "6.0.0"), "", &["--sign", key.to_str().unwrap()]);
    run(site.pkg(&["publish", "--to", "dev"]).args([fragile, mislabelled, foreign])).ok();
    let mut copy = site.lab.host_command("web2", &["sh", "-c", "cat >/root/other.asc"]);
    run(copy.stdin(File::open(site.path("public.asc")).unwrap())).ok();
    site
}

/// Nothing is changed, or everything is taken back, although the fault goes on.
#[track_caller]
fn is_taken_back(site: &Site, fault: &Fault) {
    site.on(fault.host, fault.breaks);
    let deployed = site.run(&["deploy", "lab", fault.package]);
    assert_eq!(deployed.code, fault.exit, "{}: {}", fault.name, deployed.stderr);
    deployed.says(fault.says);
    site.everywhere(OLD);
    site.on(fault.host, fault.mends);
}

/// There is no room to unpack, and none for the way back, where rpm took files of the old version with it: the host stays
/// out until there is room, and gets all of its files again.
#[track_caller]
fn a_disk_that_is_full_in_the_middle(site: &Site) {
    site.on("web1", "touch /run/disk-fills");
    let full = site.run(&["deploy", "lab", FRAGILE]);
    full.exits(4);
    full.says(&["`web1`: install failed", "Error unpacking rpm package", "PARTLY CHANGED"]);
    assert_eq!(site.installed(), ["examples-1.0.0-1.noarch inactive", "examples-1.0.0-1.noarch active"]);
    assert_eq!(site.balanced(), ["web1 MAINT", "web2 UP"]);
    site.on("web1", "rm /run/disk-fills /usr/filler");
    site.run(&["resume", "lab"]).exits(3);
    site.everywhere(OLD);
    assert_eq!(site.lab.host("web1", &["rpm", "-V", "examples"]).ok(), "");
}

/// HAProxy's socket is gone: nothing is known, nothing is changed.
#[track_caller]
fn a_balancer_that_does_not_answer(site: &Site) {
    site.on("lb1", "mv /run/haproxy/admin.sock /run/haproxy/kept.sock");
    let blind = site.run(&["deploy", "lab", GOOD]);
    blind.exits(1);
    blind.says(&["lb1", "hint: is HAProxy running there"]);
    site.on("lb1", "mv /run/haproxy/kept.sock /run/haproxy/admin.sock");
    site.everywhere(OLD);
}

/// HAProxy's socket goes while web1 is out: web1 can't be put back, neither with the new version nor with the old one, and
/// nothing is done to web2, which serves alone.
#[track_caller]
fn a_balancer_that_is_lost_in_the_middle(site: &Site) {
    let deploy = Going::start(site.pkg(&["deploy", "lab", GOOD]));
    wait_until("web1 is out of the balancer", || site.balanced()[0] == "web1 MAINT");
    site.on("lb1", "mv /run/haproxy/admin.sock /run/haproxy/kept.sock");
    let lost = deploy.ends();
    site.on("lb1", "mv /run/haproxy/kept.sock /run/haproxy/admin.sock");
    lost.exits(4);
    lost.says(&[
        "`web1`: start failed: `show stat` on `lb1`",
        "`web1` stays as it is: `show stat` on `lb1`",
        "PARTLY CHANGED",
    ]);
    assert_eq!(site.installed(), ["examples-2.0.0-2.noarch inactive", "examples-1.0.0-1.noarch active"]);
    assert_eq!(site.balanced(), ["web1 MAINT", "web2 UP"]);
    site.run(&["resume", "lab"]).exits(3);
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
    site.on("web2", &never);
    let dead = site.run(&["deploy", "lab", GOOD]);
    dead.exits(4);
    dead.says(&["`web2`: start failed", "`web1` stays as it is: only 0 other hosts serve"]);
    assert_eq!(site.installed(), ["examples-2.0.0-2.noarch active", "examples-1.0.0-1.noarch failed"]);
    assert_eq!(site.balanced(), ["web1 UP", "web2 MAINT"]);
    site.on("web2", &format!("rm -r {drop_in} && systemctl daemon-reload"));
    site.run(&["resume", "lab"]).exits(3);
    site.everywhere(OLD);
}

/// Somebody else's dnf is at work on web2: it is waited for, and who it is is said beforehand.
#[track_caller]
fn a_lock_that_another_holds(site: &Site) {
    let mut holder = site.lab.host_command("web2", &["python3", "-c", HOLDS_LOCKS]);
    let mut holder = holder.stdout(Stdio::piped()).spawn().unwrap();
    let mut held = [0; 4];
    holder.stdout.as_mut().unwrap().read_exact(&mut held).unwrap();
    let waited = site.run(&["deploy", "lab", GOOD]);
    assert!(holder.wait().unwrap().success());
    waited.exits(0);
    waited.says(&[
        "note: web2: the package manager is locked by process",
        "python3 -c import dnf, time conf = dnf.Base()",
    ]);
    site.everywhere("2.0.0-2");
}

/// web2's clock is days ahead, which is said beforehand, and days behind, which signatures don't survive.
#[track_caller]
fn a_clock_that_is_wrong(site: &Site) {
    let library = run(Command::new("sh").args(["-c", "ls /usr/lib/*/faketime/libfaketime.so.1"])).ok().to_owned();
    let mut copy = site.lab.host_command("web2", &["sh", "-c", "cat >/usr/lib/wrong-clock.so"]);
    run(copy.stdin(File::open(library).unwrap())).ok();
    site.on("web2", &WRONG_CLOCK.replace("OFFSET", "+3d"));
    let ahead = site.run(&["deploy", "lab", "examples-1.0.0-1"]);
    ahead.exits(0);
    ahead.says(&["note: web2: its clock is 259", "s ahead of the controller's"]);
    site.everywhere("1.0.0-1");
    // By that clock the repository's key is not made yet.
    site.on("web2", &WRONG_CLOCK.replace("OFFSET", "-3d"));
    let behind = site.run(&["deploy", "lab", GOOD]);
    behind.exits(1);
    behind.says(&[
        "`facts` on `web2`",
        "Bad GPG signature",
        "s behind the controller's",
        "hint: set that host's clock",
    ]);
    site.everywhere("1.0.0-1");
    site.on("web2", RIGHT_CLOCK);
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
    site.on("web1", "touch /run/preun-fails");
    let kept = site.run(&["deploy", "lab", GOOD]);
    kept.exits(4);
    kept.says(&["`web1`: install failed", "Error in PREUN scriptlet", "PARTLY CHANGED"]);
    // The last word is the package manager's own, of the way there and of the way back.
    let last = kept.stderr.lines().rev().find(|line| line.contains("PARTLY CHANGED")).unwrap();
    assert_eq!(last.matches("exit code 1: error: examples-4.0.0-4.noarch: erase failed").count(), 2, "{last}");
    assert_eq!(site.balanced(), ["web1 MAINT", "web2 UP"]);
    site.on("web1", "rm /run/preun-fails");
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
    site.on("web1", SMALL_DISK);
    for fault in FAULTS {
        is_taken_back(&site, fault);
    }
    a_disk_that_is_full_in_the_middle(&site);
    a_balancer_that_does_not_answer(&site);
    a_balancer_that_is_lost_in_the_middle(&site);
    a_service_that_never_starts(&site);
    a_lock_that_another_holds(&site);
    a_clock_that_is_wrong(&site);
    a_repository_and_a_cable_that_are_gone(&mut site);
    an_old_version_that_does_not_leave(&site);
}
