//! What befalls a deployment while a host is in the middle of its transaction: Ctrl-C once and twice, a cable that is out
//! for good, a controller that stands still and wakes up, or that is killed, clocks that are wrong. Users request all the
//! while, and none fails.

use std::time::{Duration, Instant};

use crate::going::Going;
use crate::lab_site::{Site, build_with, none_failed, wait_until};
use crate::program::{repository_file, run};

/// Versions whose %post lasts as long as a file is there.
const SLOW: &str = "[scripts]
post = '''
while [ -e /run/transaction-lasts ]; do touch /run/transaction-runs; sleep 0.05; done
rm -f /run/transaction-runs'''
";

/// The lab's environment where broken connections are noticed soon, and hosts waited for no longer than a test does.
const SOON: &str = "sudo = true
options = ['ServerAliveInterval=1', 'ServerAliveCountMax=2', 'ConnectTimeout=2']
reconnect_timeout = '4s'";

/// Has web1's transaction last from now on.
#[track_caller]
fn hold(site: &Site) {
    site.on("web1", "touch /run/transaction-lasts");
}

#[track_caller]
fn runs(site: &Site) -> bool {
    site.lab.host("web1", &["test", "-e", "/run/transaction-runs"]).code == 0
}

/// Starts a deployment and waits until web1 is in the middle of its transaction.
#[track_caller]
fn in_the_middle(site: &Site, arguments: &[&str]) -> Going {
    hold(site);
    let going = Going::start(site.pkg(arguments));
    wait_until("the transaction runs", || runs(site));
    going
}

/// Lets web1's transaction come to its end.
#[track_caller]
fn release(site: &Site) {
    site.on("web1", "rm /run/transaction-lasts");
}

/// Waits until the newest transaction on web1 has ended by itself, and gives how many there were of its deployment.
#[track_caller]
fn ended_by_itself(site: &Site) -> usize {
    let newest = "cd /var/lib/pkg/transactions/lab && cd \"$(ls -t | head -1)\" && ls -d */exit | wc -l";
    wait_until("the transaction has ended", || site.on("web1", "pgrep -c dnf || true") == "0");
    site.on("web1", newest).parse().unwrap()
}

/// What web1 is left with in mid-walk, while web2 serves as before.
#[track_caller]
fn left_in_the_middle(site: &Site, web1: &str, web2: &str) {
    assert_eq!(
        site.installed(),
        [format!("examples-{web1}.noarch inactive"), format!("examples-{web2}.noarch active")]
    );
    assert_eq!(site.balanced(), ["web1 MAINT", "web2 UP"]);
}

/// It stops after the step that it is at, and not before.
#[track_caller]
fn ctrl_c(site: &Site) {
    let mut going = in_the_middle(site, &["deploy", "lab", "examples-4.0.0-4"]);
    going.signal("INT");
    going.says("stops after the current step; `pkg resume` goes on from there");
    assert!(going.is_at_work() && runs(site), "it does not wait for the step");
    release(site);
    let stopped = going.ends();
    stopped.exits(4);
    stopped.says(&["web1 install ok", "PARTLY CHANGED", "interrupted by a person", "`pkg resume`"]);
    left_in_the_middle(site, "4.0.0-4", "1.0.0-1");
    let status = site.run(&["status", "lab"]);
    status.says(&["web1 D-0002 left it in the middle: `pkg resume`"]);
    let resumed = site.run(&["resume", "lab"]);
    resumed.exits(0);
    assert!(!resumed.stderr.contains("web1 install"), "{}", resumed.stderr);
    site.everywhere("4.0.0-4");
}

/// It leaves at once; the transaction goes on, and whoever resumes finishes it or takes it back.
#[track_caller]
fn ctrl_c_twice(site: &Site) {
    for (resume, code, version) in
        [(&["resume", "lab", "--back-out"][..], 3, "4.0.0-4"), (&["resume", "lab"], 0, "5.0.0-5")]
    {
        let going = in_the_middle(site, &["deploy", "lab", "examples-5.0.0-5"]);
        going.signal("INT");
        going.says("Once more leaves at once");
        let pressed = Instant::now();
        going.signal("INT");
        let left = going.ends();
        assert!(pressed.elapsed() < Duration::from_secs(10), "it took {:?}", pressed.elapsed());
        left.exits(4);
        left.says(&["was left to itself with `web1` in mid-walk; what runs on hosts goes on there", "pkg resume"]);
        assert!(runs(site), "the transaction was ended");
        assert_eq!(site.balanced(), ["web1 MAINT", "web2 UP"]);
        let resumed = if code == 0 {
            // Who resumes while it runs waits for it.
            let mut resuming = Going::start(site.pkg(resume));
            std::thread::sleep(Duration::from_secs(2));
            assert!(resuming.is_at_work() && runs(site), "{}", resuming.stderr());
            release(site);
            resuming.ends()
        } else {
            release(site);
            assert_eq!(ended_by_itself(site), 1);
            left_in_the_middle(site, "5.0.0-5", "4.0.0-4");
            site.run(resume)
        };
        resumed.exits(code);
        site.everywhere(version);
        assert_eq!(ended_by_itself(site), if code == 0 { 1 } else { 2 }, "a transaction was made again");
    }
}

/// A controller stands still; another one, by whose clock the lease has ended, takes over. The first wakes up and changes
/// nothing.
#[track_caller]
fn a_controller_that_wakes_up_too_late(site: &Site) {
    let asleep = in_the_middle(site, &["deploy", "lab", "examples-4.0.0-4"]);
    asleep.signal("STOP");
    let fresh = run(&mut site.pkg_by_clock("+2m", &["deploy", "lab", "examples-1.0.0-1"]));
    fresh.exits(5);
    fresh.says(&["was interrupted: its lease ended at", "`pkg resume`"]);
    let other = Going::start(site.pkg_by_clock("+2m", &["resume", "lab"]));
    other.says("lease ok");
    release(site);
    let other = other.ends();
    other.exits(0);
    site.everywhere("4.0.0-4");
    let written = entries(site);
    asleep.signal("CONT");
    let late = asleep.ends();
    late.exits(4);
    late.says(&[
        "was cut off with changes begun on web1",
        "was taken over by ana",
        "nothing more is changed from here",
    ]);
    site.everywhere("4.0.0-4");
    assert_eq!(entries(site), written);
}

/// A controller is killed at an entry of its journal, and another finishes its work or takes it back; at every entry where
/// `PKG_EVERY_MOMENT` is set, which takes minutes.
#[track_caller]
fn a_controller_that_is_killed(site: &Site) {
    let (step, count) = if is_long() { (1, usize::MAX) } else { (17, 2) };
    let mut now = "4.0.0-4";
    for number in (2..).step_by(step).take(count) {
        let target = if now == "1.0.0-1" { "4.0.0-4" } else { "1.0.0-1" };
        let before = entries(site);
        let mut going = Going::start(site.pkg(&["deploy", "lab", &format!("examples-{target}")]));
        while entries(site) < before + number && going.is_at_work() {
            std::thread::sleep(Duration::from_millis(2));
        }
        going.kill();
        if going.ends().code == 0 {
            // It had ended before.
            site.everywhere(target);
            assert!(number > 30, "only {number} entries");
            return;
        }
        let (options, code) = if number % 2 == 1 { (&[][..], 0) } else { (&["--back-out"][..], 3) };
        let resumed = run(&mut site.pkg_by_clock("+2m", &[&["resume", "lab"], options].concat()));
        assert_eq!(resumed.code, code, "killed at entry {number}: {}", resumed.stderr);
        now = if code == 0 { target } else { now };
        site.everywhere(now);
    }
}

/// The controller whose clock is ten minutes ahead dies: its lease, which by itself would hold for eleven, is watched for a
/// minute in which nobody extends it. Only where `PKG_EVERY_MOMENT` is set: that minute is waited for.
#[track_caller]
fn a_controller_ahead_of_its_time_that_is_killed(site: &Site) {
    hold(site);
    let mut ahead = Going::start(site.pkg_by_clock("+10m", &["deploy", "lab", "examples-5.0.0-5"]));
    wait_until("the transaction runs", || runs(site));
    let killed = Instant::now();
    ahead.kill();
    ahead.ends().exits(-1);
    release(site);
    let resumed = site.run(&["resume", "lab", "--back-out"]);
    resumed.exits(3);
    resumed.says(&["the clock of the lease's holder is ahead of this one"]);
    assert!(killed.elapsed() >= Duration::from_secs(60), "taken over after {:?}", killed.elapsed());
    site.everywhere("4.0.0-4");
}

/// Whether what takes minutes is done, too.
fn is_long() -> bool {
    std::env::var_os("PKG_EVERY_MOMENT").is_some()
}

fn entries(site: &Site) -> usize {
    std::fs::read_dir(site.path("ledger/ledgers/environments/lab")).unwrap().count()
}

/// The cable is out in the middle of the transaction and stays out: web1 stays out of the balancer, whatever became of it
/// there, until the cable is back.
#[track_caller]
fn a_cable_that_stays_out(site: &Site) {
    let lab = std::fs::read_to_string(repository_file("specs/environments/lab.toml")).unwrap();
    std::fs::write(site.path("soon.toml"), lab.replace("sudo = true", SOON)).unwrap();
    let going = in_the_middle(site, &["deploy", "./soon.toml", "examples-5.0.0-5"]);
    site.lab.strike("cut", "web1");
    let lost = going.ends();
    lost.exits(4);
    lost.says(&["`web1`: install failed", "PARTLY CHANGED", "web1  unknown  service unknown  balancer MAINT"]);
    assert_eq!(site.balanced(), ["web1 MAINT", "web2 UP"]);
    let status = site.run(&["status", "./soon.toml"]);
    status.exits(1);
    assert!(status.stdout.contains("web1  unknown: it does not answer  balancer MAINT"), "{}", status.stdout);
    let too_early = site.run(&["resume", "./soon.toml"]);
    too_early.exits(4);
    too_early.says(&["host `web1` can't be reached for `facts`", "PARTLY CHANGED"]);
    assert!(runs(site), "the transaction was ended");
    release(site);
    assert_eq!(ended_by_itself(site), 1);
    left_in_the_middle(site, "5.0.0-5", "4.0.0-4");
    site.lab.strike("mend", "web1");
    site.run(&["resume", "./soon.toml"]).exits(3);
    site.everywhere("4.0.0-4");
}

#[test]
fn what_is_interrupted_in_the_middle_is_finished_or_taken_back() {
    let site = Site::up("interrupted");
    let slow = |version| build_with(site.directory.path(), (version, version), SLOW, &[]);
    run(site.pkg(&["publish", "--to", "dev"]).args([slow("4.0.0"), slow("5.0.0")])).ok();
    site.run(&["deploy", "lab", "examples-1.0.0-1"]).ok();
    let users = site.lab.users("http://10.77.0.11/examples/version.txt");
    ctrl_c(&site);
    ctrl_c_twice(&site);
    a_controller_that_wakes_up_too_late(&site);
    a_cable_that_stays_out(&site);
    if is_long() {
        a_controller_ahead_of_its_time_that_is_killed(&site);
    }
    a_controller_that_is_killed(&site);
    none_failed(&users.leave(), &["1.0.0", "4.0.0", "5.0.0"]);
}
