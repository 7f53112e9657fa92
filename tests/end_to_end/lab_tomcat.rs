//! What Tomcat serves after an upgrade, a downgrade and an erase, where nothing but the package's content tells the
//! builds apart: one commit, and WARs whose entries all have the same time, as reproducible builds make them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::lab::Lab;
use crate::program::{pkg, run};

const SPEC: &str = "name = 'shop'\nsummary = 'The shop'\nlicense = 'MIT'\nversion = '1.0'\n\
                    release = '${BUILD_NUMBER}'\nrequires = ['tomcat']\n\
                    [tomcat]\nwar = 'shop.war'\ninstance = '${INSTANCE}'\n[configuration]\ndirectory = 'config'\n";

/// A page that Tomcat compiles, with a part that it includes, a file that it only hands out, and a file of the class
/// path that the configuration overrides.
fn files(build: &str) -> [(&'static str, String); 5] {
    [
        ("WEB-INF/web.xml", "<web-app xmlns=\"https://jakarta.ee/xml/ns/jakartaee\" version=\"5.0\"/>\n".to_owned()),
        ("page.jsp", format!("page of {build}, <%@ include file=\"/WEB-INF/part.jspf\" %>\n")),
        ("WEB-INF/part.jspf", format!("part of {build}")),
        ("file.txt", format!("file of {build}\n")),
        (
            "title.jsp",
            "<% java.util.Properties all = new java.util.Properties();\n\
             all.load(application.getClassLoader().getResourceAsStream(\"shop.properties\")); %>\
             <%= all.getProperty(\"title\") %>\n"
                .to_owned(),
        ),
    ]
}

/// Builds a package of release `build` for a Tomcat's service; all its sources have the same time.
#[track_caller]
pub(crate) fn build(directory: &Path, build: &str, instance: &str) -> PathBuf {
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    let content = directory.join(build);
    for (name, text) in files(build) {
        let path = content.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
    }
    std::fs::create_dir_all(directory.join("config")).unwrap();
    std::fs::write(directory.join("config/shop.properties"), "title=Default\n").unwrap();
    std::fs::write(directory.join("shop.toml"), SPEC).unwrap();
    let war = directory.join("shop.war");
    let _ = std::fs::remove_file(&war);
    run(Command::new("zip").current_dir(&content).args(["-qrXD"]).arg(&war).arg(".")).ok();
    let mut command = pkg(directory);
    command.env("SOURCE_DATE_EPOCH", "1700000000").env("BUILD_NUMBER", build).env("INSTANCE", instance);
    directory.join(run(command.args(["build", "shop.toml"])).ok())
}

/// A host with Tomcat and two builds of one commit on it.
struct Site {
    lab: Lab,
    // Until the end: the packages are copies.
    _directory: tempfile::TempDir,
}

impl Site {
    #[track_caller]
    fn up(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let lab = Lab::up(name, "/shop/file.txt", &["web1=tomcat"]);
        for release in ["1", "2"] {
            let package = build(directory.path(), release, "tomcat10");
            let mut copy = lab.host_command("web1", &["sh", "-c", &format!("cat >/root/shop-{release}.rpm")]);
            run(copy.stdin(Stdio::from(std::fs::File::open(package).unwrap()))).ok();
        }
        Self { lab, _directory: directory }
    }

    #[track_caller]
    fn sh(&self, script: &str) -> String {
        self.lab.host("web1", &["sh", "-ec", script]).ok().to_owned()
    }

    /// Gives what Tomcat answers, once it is up: the body and the status.
    #[track_caller]
    fn get(&self, page: &str) -> String {
        let url = format!("http://10.77.0.11:8080/shop/{page}");
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = run(self.lab.controller("curl").args(["-sS", "-m", "20", "-w", "%{http_code}", &url]));
            if answer.code == 0 {
                return answer.stdout;
            }
            assert!(Instant::now() < deadline, "Tomcat does not answer: {}", answer.stderr);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asserts that everything that is served is of this build.
    #[track_caller]
    fn serves(&self, build: &str) {
        assert_eq!(self.get("file.txt"), format!("file of {build}\n200"));
        assert_eq!(self.get("page.jsp"), format!("page of {build}, part of {build}\n200"));
    }

    /// What of the application lies anywhere on the host.
    #[track_caller]
    fn leftovers(&self) -> String {
        self.sh("find / -xdev -path /proc -prune -o -path /root -prune -o -name 'shop*' -print | sort")
    }
}

#[test]
fn the_build_that_is_installed_is_the_one_served() {
    let site = Site::up("tomcat");
    // systemd refuses a sixth start within ten seconds.
    let stopped = |what: &str| {
        site.sh(&format!(
            "systemctl stop tomcat10; {what} >&2; systemctl reset-failed tomcat10; systemctl start tomcat10"
        ))
    };
    stopped("rpm -U /root/shop-1.rpm");
    site.serves("1");
    assert_eq!(site.get("title.jsp").trim_start(), "Default\n200");
    site.sh("echo title=Ours >/etc/shop/shop.properties");

    stopped("rpm -U /root/shop-2.rpm");
    site.serves("2");
    assert_eq!(site.get("title.jsp").trim_start(), "Ours\n200");
    stopped("rpm -U --oldpackage /root/shop-1.rpm");
    site.serves("1");
    stopped("dnf -y --nogpgcheck install /root/shop-2.rpm");
    site.serves("2");
    stopped("dnf -y --nogpgcheck downgrade /root/shop-1.rpm");
    site.serves("1");

    a_stop_in_the_middle_of_unpacking(&site);
    stopped("rpm -e shop");
    assert!(site.get("file.txt").ends_with("404"));
    assert_eq!(site.leftovers(), "/etc/shop\n/etc/shop/shop.properties.rpmsave");
}

/// A Tomcat that is stopped while it unpacks leaves a part of a build, which it would serve ever after, whatever is installed.
#[track_caller]
fn a_stop_in_the_middle_of_unpacking(site: &Site) {
    let unpacked = "/var/lib/tomcat10/webapps/shop";
    let stopped_in_the_middle = format!(
        "systemctl stop tomcat10; rpm -U /root/shop-2.rpm; systemctl reset-failed tomcat10; systemctl start tomcat10
         until [ -e {unpacked}/META-INF/war-tracker ]; do sleep 0.05; done
         systemctl stop tomcat10; rm {unpacked}/META-INF/war-tracker"
    );
    site.sh(&stopped_in_the_middle);
    // Nothing is installed: systemd has it removed before the next start.
    site.sh(&format!("rm {unpacked}/file.txt; systemctl reset-failed tomcat10; systemctl start tomcat10"));
    site.serves("2");
    // Whoever starts Tomcat without systemd has it removed with the next version.
    site.sh(&stopped_in_the_middle.replace("rpm -U /root/shop-2.rpm; ", ""));
    site.sh("rpm -U --oldpackage /root/shop-1.rpm; systemctl start tomcat10");
    site.serves("1");
}

/// Nobody is made to stop Tomcat first: what was running goes on, and a restart is what changes the code.
#[test]
fn a_restart_after_the_upgrade_does_as_well() {
    let site = Site::up("restart");
    site.sh("rpm -U /root/shop-1.rpm; systemctl restart tomcat10");
    site.serves("1");
    site.sh("rpm -U /root/shop-2.rpm; systemctl restart tomcat10");
    site.serves("2");
    site.sh("rpm -U --oldpackage /root/shop-1.rpm; systemctl restart tomcat10");
    site.serves("1");
    assert_eq!(site.sh("rpm -V shop"), "");
    site.sh("rpm -e shop; systemctl restart tomcat10");
    assert!(site.get("file.txt").ends_with("404"));
    assert_eq!(site.leftovers(), "");
}
