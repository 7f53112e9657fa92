//! The transport against a real sshd: what is shared, what is kept apart, and what comes of a connection that breaks.

mod daemon;

use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::{Daemon, endpoint};
use deployer::{Answer, Script, Ssh, SshSettings, Transport, TransportError};
use futures::future::join_all;

const LOGIN: &str = "Accepted publickey";
const SESSION: &str = "Starting session";

fn ssh(settings: SshSettings) -> Ssh {
    Ssh::new(settings).unwrap()
}

async fn say(ssh: &Ssh, host: u8, text: &'static str) -> Result<Answer, TransportError> {
    ssh.run(&endpoint(host), &Script::new("test", &[text])).await
}

async fn said(ssh: &Ssh, host: u8, text: &'static str) -> String {
    let answer = say(ssh, host, text).await.unwrap();
    assert_eq!((answer.status, answer.stderr.as_str()), (0, ""), "{text}");
    answer.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_share_a_login_and_a_shell_and_nothing_else() {
    let daemon = Daemon::start("");
    let ssh = ssh(daemon.settings());
    let parts = ["echo \"$VALUE\"\nVALUE=left\nexport VALUE\ncd /\nset -e\nexec 9>/dev/null\necho talk >&2\nexit 3"];
    let answer = ssh.run(&endpoint(1), &Script::new("first", &parts).set("VALUE", "it's")).await.unwrap();
    assert_eq!(answer, Answer { status: 3, stdout: "it's\n".to_owned(), stderr: "talk\n".to_owned() });
    assert_eq!(said(&ssh, 1, "printf '%s.' \"$VALUE\" \"$OLDPWD\"; [ ! -e /dev/fd/9 ]").await, "..");
    // No end of a line, nothing at all, input that is not there, more than a pipe holds on both ways.
    assert_eq!(said(&ssh, 1, "printf x").await, "x");
    assert_eq!(said(&ssh, 1, "true").await, "");
    assert_eq!(said(&ssh, 1, "cat; echo after").await, "after\n");
    let long = "x".repeat(300_000);
    let script = Script::new("long", &["printf %s \"$LONG\"; printf %s \"$LONG\" >&2"]).set("LONG", &long);
    let answer = ssh.run(&endpoint(1), &script).await.unwrap();
    assert!(answer.stdout == long && answer.stderr == long && answer.status == 0);
    // A script that is killed has an exit code like any other, and takes nobody with it.
    assert_eq!(say(&ssh, 1, "sh -c 'kill -9 $PPID'").await.unwrap().status, 137);
    assert_eq!(said(&ssh, 1, "echo well").await, "well\n");
    assert_eq!((daemon.said(LOGIN), daemon.said(SESSION)), (1, 1));
    ssh.close().await;
    daemon.until("Received disconnect", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_of_one_host_run_side_by_side_over_one_login() {
    let daemon = Daemon::start("");
    let ssh = ssh(daemon.settings());
    let began = Instant::now();
    let scripts = (0..16).map(|_| said(&ssh, 1, "sleep 0.5; echo slept"));
    assert!(join_all(scripts).await.iter().all(|text| text == "slept\n"));
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    assert_eq!(daemon.said(LOGIN), 1);
    assert!(daemon.said(SESSION) <= 8, "{}", daemon.said(SESSION));
    ssh.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sshd_that_allows_one_session_gets_one() {
    let daemon = Daemon::start("MaxSessions 1\n");
    let ssh = ssh(daemon.settings());
    let texts = join_all((0..6).map(|_| said(&ssh, 1, "sleep 0.05; echo done"))).await;
    assert!(texts.iter().all(|text| text == "done\n"));
    assert_eq!((daemon.said(LOGIN), daemon.said(SESSION)), (1, 1));
    ssh.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_is_given_up_and_what_breaks_is_made_anew() {
    let daemon = Daemon::start("");
    let ssh = Arc::new(ssh(daemon.settings()));
    let late = Script::new("late", &["sleep 30"]).time_limit(Duration::from_secs(1));
    let error = ssh.run(&endpoint(1), &late).await.unwrap_err();
    assert_eq!(error.to_string(), "host `host1` gave no answer to `late` within 1 s");
    assert_eq!(said(&ssh, 1, "echo again").await, "again\n");
    assert_eq!(daemon.said(LOGIN), 1);

    let cut = tokio::spawn({
        let ssh = Arc::clone(&ssh);
        async move { say(&ssh, 1, "echo begun; sleep 30").await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.throw_out();
    let error = cut.await.unwrap().unwrap_err();
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error}");
    assert_eq!(said(&ssh, 1, "echo again").await, "again\n");
    assert_eq!(daemon.said(LOGIN), 2);
    // A connection that breaks while nothing runs is no error at all.
    daemon.throw_out();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(said(&ssh, 1, "echo again").await, "again\n");
    assert_eq!(daemon.said(LOGIN), 3);
    ssh.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_lets_nobody_in_says_why() {
    let daemon = Daemon::start("");
    let refused = ssh(SshSettings { key_file: Some("/nowhere".into()), ..settings_without_key(&daemon) });
    let error = say(&refused, 1, "true").await.unwrap_err().to_string();
    assert!(
        error.starts_with("host `host1` can't be reached for `test`: ") && error.contains("ermission denied"),
        "{error}"
    );
    let unknown = ssh(daemon.settings());
    let error = say(&unknown, 41, "true").await.unwrap_err().to_string();
    assert!(error.contains("Host key verification failed"), "{error}");
}

fn settings_without_key(daemon: &Daemon) -> SshSettings {
    let settings = daemon.settings();
    let file = settings.config_file.clone().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.lines().filter(|line| !line.starts_with("IdentityFile")).collect::<Vec<_>>().join("\n"))
        .unwrap();
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn all_hosts_behind_a_bastion_go_through_one_login_there() {
    let (bastion, inner) = (Daemon::start("MaxStartups 10\n"), Daemon::start("MaxStartups 10\n"));
    inner.trusts(bastion.directory());
    let mut settings = bastion.settings();
    let known = std::fs::read_to_string(bastion.file("known_hosts")).unwrap();
    let _ = inner.settings();
    let of_inner = std::fs::read_to_string(inner.file("known_hosts")).unwrap();
    std::fs::write(bastion.file("known_hosts"), known + &of_inner).unwrap();
    settings.port = Some(inner.port);
    settings.jump_host = Some(format!("127.0.0.1:{}", bastion.port));
    let ssh = ssh(settings);
    let texts = join_all((1..=30).map(|host| said(&ssh, host, "echo \"${SSH_CONNECTION#* }\""))).await;
    for (index, text) in texts.iter().enumerate() {
        assert!(text.contains(&format!(" 127.0.0.{} {}", index + 1, inner.port)), "{text}");
    }
    assert_eq!((bastion.said(LOGIN), inner.said(LOGIN)), (1, 30));
    // The bastion's connection breaks, and with it all others; each is made again, and still through one.
    bastion.throw_out();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let texts = join_all((1..=30).map(|host| said(&ssh, host, "echo again"))).await;
    assert!(texts.iter().all(|text| text == "again\n"));
    assert_eq!((bastion.said(LOGIN), inner.said(LOGIN)), (2, 60));
    ssh.close().await;
}

/// The only script for a host needs no connection that others could use; it fails and ends like any other.
#[tokio::test(flavor = "multi_thread")]
async fn a_sole_script_has_a_connection_of_its_own() {
    let daemon = Daemon::start("");
    let ssh = ssh(daemon.settings());
    let sole = async |host, text| ssh.run(&endpoint(host), &Script::new("test", &[text]).sole()).await;
    for host in [1, 2] {
        let answer = sole(host, "cat; echo out; echo err >&2; exit 3").await.unwrap();
        assert_eq!(answer, Answer { status: 3, stdout: "out\n".to_owned(), stderr: "err\n".to_owned() });
    }
    assert_eq!(daemon.said(LOGIN), 2);
    daemon.until("Received disconnect", 2);
    let error = sole(41, "true").await.unwrap_err().to_string();
    assert!(error.contains("Host key verification failed"), "{error}");
    let late = Script::new("late", &["sleep 30"]).time_limit(Duration::from_secs(1)).sole();
    let error = ssh.run(&endpoint(1), &late).await.unwrap_err();
    assert_eq!(error.to_string(), "host `host1` gave no answer to `late` within 1 s");
    // Where a connection stands already, it takes that.
    let before = daemon.said(LOGIN);
    assert_eq!(said(&ssh, 3, "echo open").await, "open\n");
    assert_eq!(sole(3, "echo again").await.unwrap().stdout, "again\n");
    assert_eq!(daemon.said(LOGIN), before + 1);
    ssh.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_hosts_cost_one_process_each_and_no_thread() {
    let daemon = Daemon::start("MaxStartups 30\n");
    let ssh = ssh(daemon.settings());
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    let before = threads();
    for _ in 0..3 {
        let texts = join_all((1..=40).map(|host| said(&ssh, host, "echo here"))).await;
        assert_eq!(texts.len(), 40);
    }
    assert_eq!((daemon.said(LOGIN), daemon.said(SESSION)), (40, 40));
    assert!(threads() <= before + 4, "{before}, then {}", threads());
    ssh.close().await;
    daemon.until("Received disconnect", 40);
}
