//! LVS: two real directors before two Tomcats, by `ipvsadm` alone and under keepalived.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::lab::Lab;
use crate::lab_drivers::{ROLLING, TOMCAT, environment, everywhere, site};
use crate::lab_site::{Site, build_examples, none_failed, wait_until};
use crate::program::{Ran, run};

const VIRTUAL: &str = "10.77.0.251";
const SERVICE: &str = "10.77.0.251:8080";
const PAGE: &str = "http://10.77.0.251:8080/examples/version.txt";
const DIRECTORS: [&str; 2] = ["lb1", "lb2"];
const TOMCATS: [(&str, &str); 2] = [("web1", "10.77.0.13"), ("web2", "10.77.0.14")];

/// What LVS says of a server right after the stop, by the director that has the virtual address.
const LOOK: &str = "[[hooks]]\nat = 'after-stop'\non = 'controller'\n\
    command = \"\"\"ssh -F $PKG_LAB_DIR/ssh_config lb1 sudo -n ipvsadm -Ln | grep -F $PKG_ADDRESS: >>seen\"\"\"\n";

/// Requests that are on their way: their heads are not whole yet, and Tomcat gives up on those that stand still.
const HOLD: &str = "
import select, socket, sys
held = []
for _ in range(int(sys.argv[2])):
    held.append(socket.create_connection((sys.argv[1], 8080), timeout=20))
    held[-1].sendall(b'GET /examples/version.txt HTTP/1.1\\r\\nHost: app\\r\\n')
print('held', flush=True)
while not select.select([sys.stdin], [], [], 3)[0]:
    for connection in held:
        connection.sendall(b'Still: here\\r\\n')
for connection in held:
    connection.sendall(b'Connection: close\\r\\n\\r\\n')
print(*(connection.makefile().readline().split()[1] for connection in held))
";

#[track_caller]
fn director(lab: &Lab, host: &str, command: &str) -> String {
    lab.host(host, &["sh", "-ec", command]).ok().to_owned()
}

/// All that is told of the services and their servers, on both directors.
#[track_caller]
fn rules(lab: &Lab) -> Vec<String> {
    let without_counts = "ipvsadm -Sn; ipvsadm -Ln --thresholds | awk '{ print $1, $2, $3, $4 }'";
    DIRECTORS.iter().map(|host| director(lab, host, without_counts)).collect()
}

/// The weight of each server, as a director has them.
#[track_caller]
fn weights(lab: &Lab, host: &str) -> Vec<String> {
    let table = director(lab, host, "ipvsadm -Ln");
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.len() == 6 && row[1].starts_with("10.")).map(|row| format!("{} {}", row[1], row[3])).collect()
}

#[track_caller]
fn set_up(site: &Site) {
    let server = |address: &str, options: &str| format!("ipvsadm -e -t {SERVICE} -r {address}:8080 -g {options}");
    for host in DIRECTORS {
        director(&site.lab, host, &server(TOMCATS[0].1, "-w 3 -x 1000 -y 10"));
        director(&site.lab, host, &server(TOMCATS[1].1, "-w 5"));
        director(&site.lab, host, "echo 1 >/proc/sys/net/ipv4/vs/expire_nodest_conn");
    }
    let balancers =
        DIRECTORS.map(|host| format!("[[balancer]]\nkind = 'lvs'\nhost = '{host}'\nservice = '{SERVICE}'\n"));
    let rest = format!("{}{ROLLING}\n", balancers.concat());
    environment(site, "lvs.toml", (TOMCAT, &rest), &TOMCATS);
    environment(site, "look.toml", (TOMCAT, &format!("{rest}{LOOK}")), &TOMCATS);
}

#[track_caller]
fn deployed(site: &Site, ran: &Ran, version: &str) {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stderr.contains("still there"), "{}", ran.stderr);
    everywhere(site, &["web1", "web2"], &format!("{version}-{}", &version[..1]));
}

/// No request fails, whichever director has the virtual address; requests on their way are waited for, ended ones are not.
#[test]
fn lvs_lets_no_request_fail() {
    let hosts = ["lb1=lvs:web1,web2", "lb2=lvs:web1,web2", "web1=tomcat", "web2=tomcat"];
    let site = site("lvs", &hosts, build_examples);
    set_up(&site);
    let before = rules(&site.lab);
    deployed(&site, &site.run(&["deploy", "./lvs.toml", "examples-1.0.0-1"]), "1.0.0");

    on_past_requests_that_take_long(&site);
    assert_eq!(rules(&site.lab), before);
    refused_where_clients_would_notice(&site);
    back_under_keepalived_behind_the_other_director(&site);
}

/// A host is stopped once the last of its requests has ended, and then at once.
#[track_caller]
fn on_past_requests_that_take_long(site: &Site) {
    let users = site.lab.users(PAGE);
    users.until("the version before", |seen| seen["versions"]["1.0.0"].as_u64() > Some(20));
    let mut held = hold(&site.lab, 6);
    let deploy =
        site.pkg(&["deploy", "./look.toml", "examples-2.0.0-2"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let deploy = deploy.unwrap();
    for host in DIRECTORS {
        wait_until("web1 has weight 0", || weights(&site.lab, host)[0] == "10.77.0.13:8080 0");
    }
    // The users' own connections end within their next hundred requests.
    std::thread::sleep(Duration::from_secs(5));
    let row = director(&site.lab, "lb1", "ipvsadm -Ln | grep -F 10.77.0.13:");
    let active: u32 = row.split_whitespace().nth(4).unwrap().parse().unwrap();
    assert!((1..=6).contains(&active), "{row}");
    assert_eq!(site.lab.host("web1", &["systemctl", "is-active", "tomcat10"]).ok(), "active");
    held.stdin.take().unwrap().write_all(b"now\n").unwrap();
    let answers = held.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&answers.stdout).trim(), ["200"; 6].join(" "));

    let deploy = deploy.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&deploy.stderr).into_owned();
    let code = deploy.status.code().unwrap();
    deployed(site, &Ran { line: "deploy".to_owned(), code, stdout: String::new(), stderr }, "2.0.0");
    users.until("the version after", |seen| seen["versions"]["2.0.0"].as_u64() > Some(20));
    none_failed(&users.leave(), &["1.0.0", "2.0.0"]);

    // Nothing was active at the stop, and LVS still counted what had ended in the two minutes before.
    let seen = std::fs::read_to_string(site.directory.path().join("seen")).unwrap();
    let rows: Vec<Vec<&str>> = seen.lines().map(|line| line.split_whitespace().skip(1).collect()).collect();
    assert_eq!(rows.len(), 2, "{seen}");
    for (row, (_, address)) in rows.iter().zip(TOMCATS) {
        assert_eq!(row[..4], [&format!("{address}:8080"), "Route", "0", "0"], "{seen}");
        assert!(row[4].parse::<u32>().unwrap() > 0, "{seen}");
    }
}

#[track_caller]
fn hold(lab: &Lab, count: u32) -> Child {
    let mut command = lab.controller("python3");
    command.args(["-c", HOLD, VIRTUAL, &count.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut held = command.spawn().unwrap();
    let mut line = String::new();
    // Its answers come in one line, after this one was read: none is lost in the buffer.
    BufReader::new(held.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    held
}

/// Weight 0 is no way out of a persistent service, unless the director is set up for it.
#[track_caller]
fn refused_where_clients_would_notice(site: &Site) {
    for host in DIRECTORS {
        director(&site.lab, host, &format!("ipvsadm -E -t {SERVICE} -s wlc -p 300"));
    }
    let before = rules(&site.lab);
    let refused = site.run(&["deploy", "./lvs.toml", "examples-1.0.0-1"]);
    assert_ne!(refused.code, 0);
    refused.says(&["can't drain a server", "set the sysctl `net.ipv4.vs.expire_quiescent_template` to 1"]);
    everywhere(site, &["web1", "web2"], "2.0.0-2");
    assert_eq!(rules(&site.lab), before);
    for host in DIRECTORS {
        director(&site.lab, host, "echo 1 >/proc/sys/net/ipv4/vs/expire_quiescent_template");
    }
}

/// keepalived removes a server that is down, and adds it again by itself: neither stops a rollback. It runs on both
/// directors, so that it does not matter which has the virtual address.
#[track_caller]
fn back_under_keepalived_behind_the_other_director(site: &Site) {
    let servers = TOMCATS.map(|(_, address)| {
        format!(
            "real_server {address} 8080 {{\nweight 4\nHTTP_GET {{\nurl {{\npath /examples/version.txt\nstatus_code 200\n}}\n\
             connect_timeout 1\nretry 1\ndelay_before_retry 1\n}}\n}}\n"
        )
    });
    let configuration = format!(
        "virtual_server {VIRTUAL} 8080 {{\ndelay_loop 1\nlb_algo wlc\nlb_kind DR\nprotocol TCP\npersistence_timeout 300\n{}}}\n",
        servers.concat()
    );
    for host in DIRECTORS {
        let start =
            format!("ipvsadm -C; cat >/etc/keepalived/keepalived.conf <<'END'\n{configuration}END\nkeepalived --check");
        director(&site.lab, host, &start);
    }
    director(&site.lab, "lb1", &format!("ip addr del {VIRTUAL}/32 dev eth0"));
    director(&site.lab, "lb2", &format!("ip addr add {VIRTUAL}/32 dev eth0"));
    run(site.lab.controller("ip").args(["neigh", "flush", "to", VIRTUAL])).ok();
    let all = ["10.77.0.13:8080 4", "10.77.0.14:8080 4"];
    for host in DIRECTORS {
        wait_until("keepalived has made its table", || weights(&site.lab, host) == all);
    }
    // The application of one host dies. LVS has known it, and the deployment mends it.
    site.lab.host("web1", &["systemctl", "stop", "tomcat10"]).ok();
    for host in DIRECTORS {
        wait_until("keepalived has removed web1", || weights(&site.lab, host) == all[1..]);
    }
    let status = site.run(&["status", "./lvs.toml"]);
    assert!(status.stdout.contains("balancer removed removed"), "{}", status.stdout);
    let users = site.lab.users(PAGE);
    users.until("the version before", |seen| seen["versions"]["2.0.0"].as_u64() > Some(20));
    deployed(site, &site.run(&["rollback", "./lvs.toml"]), "1.0.0");
    users.until("the version after", |seen| seen["versions"]["1.0.0"].as_u64() > Some(20));
    none_failed(&users.leave(), &["1.0.0", "2.0.0"]);
    for host in DIRECTORS {
        assert_eq!(weights(&site.lab, host), all);
    }
}
