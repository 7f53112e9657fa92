//! Packages for Tomcat under the Tomcats of other distributions: 9 and 11, as Debian has them (10 is the lab's), and under
//! one that is itself a package of ours.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::lab_tomcat;
use crate::program::{pkg, repository_file, run};
use crate::root::Root;

/// A Tomcat that runs in a root, as the service runs it: by its own user, from the places of its package.
struct Tomcat<'a> {
    root: &'a Root,
    instance: &'static str,
    /// Its CATALINA_BASE.
    base: String,
    port: u16,
    process: Option<Child>,
}

impl<'a> Tomcat<'a> {
    #[track_caller]
    fn set_up(root: &'a Root, instance: &'static str) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        root.sh(&format!(
            "sed -i 's/port=\"8080\"/port=\"{port}\" address=\"127.0.0.1\"/' /etc/{instance}/server.xml\n\
             grep -q 'port=\"{port}\"' /etc/{instance}/server.xml"
        ))
        .ok();
        Self { root, instance, base: format!("/var/lib/{instance}"), port, process: None }
    }

    fn start(&mut self) {
        let instance = self.instance;
        let mut command = self.root.command("runuser");
        // No Java starts in the directory that a command in a root is left in: it is outside of it.
        command.args(["-u", "tomcat", "--", "env", "--chdir=/"]).arg(format!("CATALINA_BASE={}", self.base));
        command.arg(format!("CATALINA_HOME=/usr/share/{instance}")).arg("JAVA_OPTS=-Xmx96m -Djava.awt.headless=true");
        command.args(["CATALINA_TMPDIR=/tmp", &format!("/usr/share/{instance}/bin/catalina.sh"), "run"]);
        self.process = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    }

    fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let end = "for one in /proc/[0-9]*; do\n\
                       if [ \"$(cat $one/comm)\" = java ]; then kill ${one#/proc/}; fi; done";
            self.root.sh(end).ok();
            process.wait().unwrap();
        }
    }

    /// Stops it, changes what is installed, and starts it again.
    #[track_caller]
    fn across(&mut self, program: &str, arguments: &[&str]) {
        self.stop();
        self.root.run(program, arguments).ok();
        self.start();
    }

    /// Gives what it answers, once it is up: the body and the status.
    #[track_caller]
    fn get(&self, page: &str) -> String {
        let url = format!("http://127.0.0.1:{}/shop/{page}", self.port);
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let answer = run(Command::new("curl").args(["-sS", "-m", "30", "-w", "%{http_code}", &url]));
            if answer.code == 0 {
                return answer.stdout;
            }
            let log = || self.root.sh(&format!("tail -n 40 /var/log/{}/catalina*", self.instance)).stdout;
            assert!(Instant::now() < deadline, "{} does not answer: {}\n{}", self.instance, answer.stderr, log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    #[track_caller]
    fn serves(&self, build: &str) {
        assert_eq!(self.get("file.txt"), format!("file of {build}\n200"), "{}", self.instance);
        assert_eq!(self.get("page.jsp"), format!("page of {build}, part of {build}\n200"), "{}", self.instance);
        assert_eq!(self.get("title.jsp").trim_start(), "Default\n200", "{}", self.instance);
    }
}

impl Drop for Tomcat<'_> {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Two builds of one commit, whose WARs' entries all have the same time.
#[track_caller]
fn serves_what_is_installed(suite: &str, instance: &'static str) {
    let directory = tempfile::tempdir().unwrap();
    let packages = ["1", "2"].map(|release| lab_tomcat::build(directory.path(), release, instance));
    let [one, two] = packages.each_ref().map(|path| path.to_str().unwrap());
    let root = Root::up(suite, directory.path());
    let mut tomcat = Tomcat::set_up(&root, instance);
    tomcat.across("rpm", &["-U", one]);
    tomcat.serves("1");
    tomcat.across("rpm", &["-U", two]);
    tomcat.serves("2");
    tomcat.across("dnf", &["-y", "-q", "--nogpgcheck", "downgrade", one]);
    tomcat.serves("1");
    tomcat.across("rpm", &["-e", "shop"]);
    assert!(tomcat.get("file.txt").ends_with("404"));
    tomcat.stop();
    let left = root.sh("find / -xdev \\( -path /proc -o -path /tmp \\) -prune -o -name 'shop*' -print");
    assert_eq!(left.ok(), "", "{suite}");
}

#[test]
fn tomcat_9() {
    serves_what_is_installed("bullseye", "tomcat9");
}

#[test]
fn tomcat_11() {
    serves_what_is_installed("trixie", "tomcat11");
}

/// An archive laid out as Apache's, made of the files of Debian's Tomcat 11.
const ARCHIVE: &str = "top=apache-tomcat-11.0.1; cd /tmp; mkdir -p $top/webapps/ROOT $top/logs $top/temp $top/work\n\
                       cp -rL /usr/share/tomcat11/bin /usr/share/tomcat11/lib $top/; cp -rL /etc/tomcat11 $top/conf\n\
                       cp -L /usr/share/java/eclipse-jdt-core*[a-z].jar $top/lib/\n\
                       rm -rf $top/conf/Catalina $top/conf/policy.d; touch $top/temp/safeToDelete.tmp $top/BUILDING.txt\n\
                       for name in LICENSE NOTICE RELEASE-NOTES README.md bin/catalina.bat; do echo x >$top/$name; done\n\
                       tar -czf \"$0\" $top; rm -rf $top";

/// Tomcat's own archive becomes a package by the spec of this repository, and runs what is installed beside it.
#[test]
fn tomcat_from_its_archive() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::create_dir(path("tomcat")).unwrap();
    for name in ["tomcat.toml", "tomcat/tomcat.service"] {
        std::fs::copy(repository_file("specs").join(name), path(name)).unwrap();
    }
    let root = Root::up("trixie", directory.path());
    root.run("sh", &["-ec", ARCHIVE, path("apache-tomcat-11.0.1.tar.gz").to_str().unwrap()]).ok();
    let build = ["build", "tomcat.toml", "--version", "11.0.1", "--release", "1"];
    let tomcat = path(run(pkg(directory.path()).args(build)).ok());
    let application = lab_tomcat::build(directory.path(), "1", "tomcat");
    root.run("rpm", &["-U", tomcat.to_str().unwrap(), application.to_str().unwrap()]).ok();
    assert_eq!(root.sh("rpm -V tomcat shop").ok(), "");
    let mut server = Tomcat::set_up(&root, "tomcat");
    "/usr/share/tomcat".clone_into(&mut server.base);
    server.start();
    server.serves("1");
    server.stop();
    let refused =
        root.sh("cd /tmp; runuser -u tomcat -- touch /usr/share/tomcat/bin/x /etc/tomcat/x /usr/share/tomcat/lib/x");
    refused.exits(1);
    root.sh("rpm -e shop tomcat; ! test -e /usr/share/tomcat && ! test -e /usr/lib/systemd/system/tomcat.service").ok();
}
