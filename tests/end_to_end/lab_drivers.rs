//! Every kind of balancer, service and generation of dnf that a deployment deals with, each by the real thing.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::lab_site::{Site, build_examples, none_failed};
use crate::program::{pkg, repository_file, run};

/// Brings hosts up; `build` makes the package of a version.
#[track_caller]
pub(crate) fn site(name: &str, hosts: &[&str], build: impl Fn(&Path, &str) -> PathBuf) -> Site {
    let site = Site::of(name, hosts);
    site.offers(&["1.0.0", "2.0.0"], build);
    site
}

/// Writes an environment: all but what is in front of its hosts, and which they are.
pub(crate) fn environment(site: &Site, file: &str, (service, rest): (&str, &str), hosts: &[(&str, &str)]) {
    let hosts = hosts.iter().map(|(name, address)| format!("[[hosts]]\nname = '{name}'\naddress = '{address}'\n"));
    let text = format!(
        "name = 'drivers'\nledger = 'ledger'\napproval = 'none'\nrepository.ids = ['pkg-dev']\n\
         ssh = {{ config_file = '{}', sudo = true }}\n{service}\n\
         [health]\nurl = 'http://{{address}}:8080/examples/version.txt'\nexpect_body = '{{version}}'\n\
         start_timeout = '60s'\n{rest}\n{}",
        site.lab.directory().join("ssh_config").display(),
        hosts.collect::<String>()
    );
    std::fs::write(site.path(file), text).unwrap();
}

#[track_caller]
pub(crate) fn everywhere(site: &Site, hosts: &[&str], version: &str) {
    for host in hosts {
        let package = site.lab.host(host, &["rpm", "-q", "examples"]);
        assert_eq!(package.ok(), format!("examples-{version}.noarch"), "{host}");
    }
}

pub(crate) const TOMCAT: &str = "[service]\nname = 'tomcat10'\nport = 8080";
pub(crate) const ROLLING: &str = "[strategy]\nkind = 'rolling'\nmin_serving = 1";

/// A host is taken out, changed and put back behind each balancer: no request fails.
#[test]
fn no_balancer_lets_a_request_fail() {
    let hosts = ["lb1=nginx:web1,web2", "lb2=apache:web1,web2", "lb3=haproxy:web1,web2", "web1=tomcat", "web2=tomcat"];
    let site = site("balancers", &hosts, build_examples);
    let tomcats = [("web1", "10.77.0.14"), ("web2", "10.77.0.15")];
    let nginx = "kind = 'nginx'\nhost = 'lb1'\nfile = '/etc/nginx/app-servers.conf'\nclose_file = '/run/nginx-close'";
    let apache = "kind = 'apache'\nhost = 'lb2'\nbalancer = 'app'";
    // What HAProxy asks for: every 500 ms, twice in a row; it is told nothing itself.
    let page = "kind = 'health-page'\nfile = '/run/pkg-drain'\nport = 8080\nnotice = '3s'\n\
                url = 'http://localhost:8080/examples/health.jsp'";
    for (name, balancer) in [("nginx", nginx), ("apache", apache), ("page", page)] {
        let rest = format!("[[balancer]]\n{balancer}\n{ROLLING}");
        environment(&site, &format!("{name}.toml"), (TOMCAT, &rest), &tomcats);
    }
    site.run(&["deploy", "./nginx.toml", "examples-1.0.0-1"]).ok();
    for (balancer, address, from, to) in [
        ("nginx", "10.77.0.11", "1.0.0", "2.0.0"),
        ("apache", "10.77.0.12", "2.0.0", "1.0.0"),
        ("page", "10.77.0.13", "1.0.0", "2.0.0"),
    ] {
        let users = site.lab.users(&format!("http://{address}/examples/version.txt"));
        users.until("the version before", |seen| seen["versions"][from].as_u64() > Some(20));
        let package = format!("examples-{to}-{}", &to[..1]);
        let deployed = site.run(&["deploy", &format!("./{balancer}.toml"), &package]);
        assert_eq!(deployed.code, 0, "{balancer}: {}", deployed.stderr);
        everywhere(&site, &["web1", "web2"], &format!("{to}-{}", &to[..1]));
        users.until("the version after", |seen| seen["versions"][to].as_u64() > Some(20));
        none_failed(&users.leave(), &["1.0.0", "2.0.0"]);
    }
    let left = site.lab.host("lb1", &["cat", "/etc/nginx/app-servers.conf"]);
    assert_eq!(left.ok(), "server web1:8080 max_fails=0;\nserver web2:8080 max_fails=0;");
    let status = site.run(&["status", "./apache.toml"]);
    assert!(status.ok().contains("Init Ok"), "{}", status.stdout);
}

/// HAProxy forgets who is out when it is reloaded: that is seen before the stop and before the start, and mended.
#[test]
fn a_balancer_that_is_reloaded_in_the_middle() {
    let site = site("reloaded", &["lb1=haproxy:web1,web2", "web1=tomcat", "web2=tomcat"], build_examples);
    let tomcats = [("web1", "10.77.0.12"), ("web2", "10.77.0.13")];
    let balancer = format!("[[balancer]]\nkind = 'haproxy'\nhost = 'lb1'\nbackend = 'app'\n{ROLLING}");
    environment(&site, "first.toml", (TOMCAT, &balancer), &tomcats);
    site.run(&["deploy", "./first.toml", "examples-1.0.0-1"]).ok();
    // After the stop of web1 and before its start, somebody reloads HAProxy.
    let hook = "[[hooks]]\nat = 'after-stop'\non = 'controller'\ncommand = \"ssh -F $PKG_LAB_DIR/ssh_config lb1 sudo -n \
                systemctl reload haproxy && sleep 0.3\"\n";
    environment(&site, "reload.toml", (TOMCAT, &format!("{balancer}\n{hook}")), &tomcats);
    let users = site.lab.users("http://10.77.0.11/examples/version.txt");
    users.until("the version before", |seen| seen["versions"]["1.0.0"].as_u64() > Some(20));
    let deployed = site.run(&["deploy", "./reload.toml", "examples-2.0.0-2"]);
    assert_eq!(deployed.code, 0, "{}", deployed.stderr);
    deployed.says(&["had forgotten that it was out", "it is out again"]);
    everywhere(&site, &["web1", "web2"], "2.0.0-2");
    users.until("the version after", |seen| seen["versions"]["2.0.0"].as_u64() > Some(20));
    users.leave();
}

/// Three generations of rpm and dnf at once, one of them on a host without systemd: on, and back.
#[test]
fn every_generation_goes_there_and_back() {
    let hosts = ["web1=tomcat", "web2=tomcat@trixie", "web3=tomcat@sid"];
    let site = site("generations", &hosts, build_examples);
    let addresses = [("web1", "10.77.0.11"), ("web2", "10.77.0.12"), ("web3", "10.77.0.13")];
    let strategy = "[strategy]\nkind = 'rolling'\nbatch_size = 3";
    environment(&site, "all.toml", ("[service]\nname = 'tomcat10'", strategy), &addresses);
    let names = ["web1", "web2", "web3"];
    site.run(&["deploy", "./all.toml", "examples-1.0.0-1"]).ok();
    everywhere(&site, &names, "1.0.0-1");
    site.run(&["deploy", "./all.toml", "examples-2.0.0-2"]).ok();
    everywhere(&site, &names, "2.0.0-2");
    // dnf5 gives up at once on a lock that another holds: it is asked again until that one has ended.
    let hold = "use Fcntl; mkdir '/run/dnf'; open F, '>>', '/run/dnf/rpmtransaction.lock' or die; \
                my $lock = pack 's s x4 q q i x4', F_WRLCK, 0, 0, 0, 0; fcntl(F, F_SETLK, $lock) or die; \
                print 'held'; sleep 12";
    let mut holder = site.lab.host_command("web3", &["perl", "-e", &format!("$| = 1; {hold}")]);
    let mut holder = holder.stdout(Stdio::piped()).spawn().unwrap();
    let mut held = [0; 4];
    holder.stdout.as_mut().unwrap().read_exact(&mut held).unwrap();
    site.run(&["rollback", "./all.toml"]).ok();
    assert!(holder.wait().unwrap().success());
    everywhere(&site, &names, "1.0.0-1");
    for host in names {
        assert_eq!(site.lab.host(host, &["rpm", "-V", "examples"]).ok(), "", "{host}");
        site.lab.host(host, &["sh", "-c", "echo title=Ours >/etc/examples/application.properties"]).ok();
    }
    let services = "[service]\nname = 'tomcat10'\n[standard]\nservices = ['tomcat10']";
    environment(&site, "standard.toml", (services, strategy), &addresses);
    site.run(&["hosts", "check", "./standard.toml"]).ok();
    site.lab.host("web1", &["systemctl", "disable", "tomcat10"]).ok();
    site.lab.host("web3", &["update-rc.d", "tomcat10", "disable"]).ok();
    let prepared = site.run(&["hosts", "prepare", "./standard.toml", "--yes"]);
    prepared.ok();
    prepared.says(&["web1 service tomcat10: it is disabled", "web3 service tomcat10: it is disabled"]);
    site.run(&["hosts", "check", "./standard.toml"]).ok();
    let status = site.run(&["status", "./all.toml"]);
    for host in names {
        status.says(&[&format!("{host} edited configuration: /etc/examples/application.properties")]);
    }
}

/// Packs the application as a plain file, for Tomcat's manager to take it from there.
fn build_plain(directory: &Path, version: &str) -> PathBuf {
    let war = directory.join(format!("plain-{version}.war"));
    run(Command::new(repository_file("tests/lab/examples-war")).arg(version).arg(&war)).ok();
    let spec = "name = 'examples'\nsummary = 'Examples'\nlicense = 'Apache-2.0'\nversion = '1'\nrelease = '1'\n\
                [[contents]]\ntype = 'file'\nsource = '${WAR}'\ndestination = '/usr/share/examples/examples.war'\n";
    std::fs::write(directory.join("plain.toml"), spec).unwrap();
    let mut build = pkg(directory);
    build.args(["build", "plain.toml", "--version", version, "--release", &version[..1]]);
    build.arg("--set").arg(format!("WAR={}", war.display()));
    directory.join(run(&mut build).ok())
}

/// Tomcat's manager redeploys while Tomcat goes on: one host, no balancer, and no request fails.
#[test]
fn tomcats_manager_redeploys_under_the_users() {
    let site = site("manager", &["web1=tomcat"], build_plain);
    let prepare = "cat >/etc/tomcat10/tomcat-users.xml <<'END'\n<tomcat-users>\n\
                   <user username='pkg' password='s\"e\\cret' roles='manager-script'/>\n</tomcat-users>\nEND\n\
                   printf '%s\\n' 'pkg:s\"e\\cret' >/etc/manager; chmod 600 /etc/manager\n\
                   cat >/etc/tomcat10/Catalina/localhost/manager.xml <<'END'\n\
                   <Context docBase='/usr/share/tomcat10-admin/manager' privileged='true'/>\nEND\n\
                   systemctl restart tomcat10";
    site.lab.host("web1", &["sh", "-ec", prepare]).ok();
    let service = "[service]\nkind = 'tomcat-manager'\nname = 'tomcat10'\npath = '/examples'\n\
                   war = '/usr/share/examples/examples.war'\ncredentials_file = '/etc/manager'\nsessions_timeout = '3s'";
    environment(&site, "manager.toml", (service, "[strategy]\nkind = 'rolling'"), &[("web1", "10.77.0.11")]);
    site.run(&["deploy", "./manager.toml", "examples-1.0.0-1"]).ok();
    let started = site.lab.host("web1", &["systemctl", "show", "-p", "ExecMainStartTimestampMonotonic", "tomcat10"]);

    let users = site.lab.users("http://10.77.0.11:8080/examples/version.txt");
    users.until("the first version", |seen| seen["versions"]["1.0.0"].as_u64() > Some(20));
    site.run(&["deploy", "./manager.toml", "examples-2.0.0-2"]).ok();
    users.until("the second version", |seen| seen["versions"]["2.0.0"].as_u64() > Some(20));
    site.run(&["rollback", "./manager.toml"]).ok();
    everywhere(&site, &["web1"], "1.0.0-1");
    none_failed(&users.leave(), &["1.0.0", "2.0.0"]);

    let now = site.lab.host("web1", &["systemctl", "show", "-p", "ExecMainStartTimestampMonotonic", "tomcat10"]);
    assert_eq!(now.ok(), started.ok(), "Tomcat was restarted");
    let left = site.lab.host("web1", &["sh", "-c", "ls /var/lib/tomcat10/webapps | grep -c 'examples##.*war'"]);
    assert_eq!(left.ok(), "1");
}
