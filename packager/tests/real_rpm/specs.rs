//! Specs of every kind, built, and what the real rpm makes of the packages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use packager::{BuiltPackage, Overrides, SourceDate, SpecFile, Variables};
use tempfile::TempDir;

use crate::workshop::{Root, SOURCE_DATE, run};

const HEAD: &str = "summary = 'The shop'\nlicense = 'MIT'\nversion = '1.4.0'\nrelease = '57'\n";

/// A folder with files that a spec can name.
pub(crate) struct Project {
    directory: TempDir,
}

impl Project {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let project = Self { directory: tempfile::tempdir().unwrap() };
        for (name, text) in files {
            let path = project.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Builds all packages of a spec into `out`; an error comes with its causes, and `DIR` for the folder.
    pub(crate) fn try_build(&self, spec: &str, set: &[(&str, &str)]) -> Result<Vec<BuiltPackage>, String> {
        let set: BTreeMap<_, _> = set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let told = |error: &dyn std::error::Error| {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text.push_str(&format!(": {error}"));
                cause = error.source();
            }
            text.replace(self.directory.path().to_str().unwrap(), "DIR")
        };
        let file = SpecFile::parse(&self.path("shop.toml"), format!("{HEAD}{spec}")).map_err(|error| told(&error))?;
        let specs = file.resolve(&Variables::new(set, BTreeMap::new()), &Overrides::default());
        let specs = specs.map_err(|error| told(&error))?;
        let date = SourceDate::from_seconds(SOURCE_DATE).unwrap();
        specs.iter().map(|spec| packager::build(spec, date, &self.path("out"), None).map_err(|e| told(&e))).collect()
    }

    pub(crate) fn build(&self, spec: &str) -> Vec<BuiltPackage> {
        self.try_build(spec, &[]).unwrap()
    }
}

fn listed(package: &Path) -> Vec<String> {
    let format =
        "[%{filemodes:perms} %{fileusername}:%{filegroupname} %{fileflags:fflags} %{filenames} %{filelinktos}\n]";
    let text = run("rpm", &["-qp", "--qf", format, package.to_str().unwrap()]);
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn contents_of_every_kind() {
    let project = Project::new(&[
        ("tool", "#!/bin/sh\n"),
        ("app.conf", "url=${URL} $${KEPT} ${PKG_EVR}\n"),
        ("tree/sub/b c.txt", "b"),
        ("tree/sub/b.bak", "b"),
        ("tree/ü.txt", "u"),
        ("README", "r"),
        ("LICENSE", "l"),
    ]);
    run("chmod", &["700", project.path("tool").to_str().unwrap()]);
    run("chmod", &["600", project.path("README").to_str().unwrap()]);
    std::fs::create_dir(project.path("tree/empty")).unwrap();
    std::os::unix::fs::symlink("sub/b c.txt", project.path("tree/link")).unwrap();
    let spec = "name = 'shop'\n\
        [[contents]]\ntype='file'\nsource='tool'\ndestination='/usr/bin/'\n\
        [[contents]]\ntype='config'\nsource='app.conf'\ndestination='/etc/shop.conf'\nnoreplace=true\nmissingok=true\n\
        expand=true\nmode='0640'\ngroup='web'\n\
        [[contents]]\ntype='tree'\nsource='tree'\ndestination='/usr/share/shop'\nexclude=['*.bak']\n\
        [[contents]]\ntype='glob'\nsource='tree/**/*.bak'\ndestination='/usr/share/baks'\nmode='0600'\n\
        [[contents]]\ntype='symlink'\ntarget='../share/shop'\ndestination='/usr/lib/shop'\n\
        [[contents]]\ntype='ghost'\ndestination='/var/log/shop.log'\nmode='0600'\n\
        [[contents]]\ntype='ghost'\ndestination='/var/cache/shop/'\n\
        [[contents]]\ntype='directory'\ndestination='/var/lib/shop'\ngroup='web'\nmode='2770'\n\
        [[contents]]\ntype='doc'\nsource='README'\n\
        [[contents]]\ntype='license'\nsource='LICENSE'\n";
    let package = project.try_build(spec, &[("URL", "https://shop.example/")]).unwrap().remove(0);
    assert_eq!(
        listed(&package.path),
        [
            "-rw-r----- root:web cmn /etc/shop.conf",
            "-rwxr-xr-x root:root  /usr/bin/tool",
            "lrwxrwxrwx root:root  /usr/lib/shop ../share/shop",
            "drwx------ root:root  /usr/share/baks/sub",
            "-rw------- root:root  /usr/share/baks/sub/b.bak",
            "drwxr-xr-x root:root  /usr/share/doc/shop",
            "-rw-r--r-- root:root d /usr/share/doc/shop/README",
            "drwxr-xr-x root:root  /usr/share/licenses/shop",
            "-rw-r--r-- root:root l /usr/share/licenses/shop/LICENSE",
            "drwxr-xr-x root:root  /usr/share/shop",
            "drwxr-xr-x root:root  /usr/share/shop/empty",
            "lrwxrwxrwx root:root  /usr/share/shop/link sub/b c.txt",
            "drwxr-xr-x root:root  /usr/share/shop/sub",
            "-rw-r--r-- root:root  /usr/share/shop/sub/b c.txt",
            "-rw-r--r-- root:root  /usr/share/shop/ü.txt",
            "drwxr-xr-x root:root g /var/cache/shop",
            "drwxrws--- root:web  /var/lib/shop",
            "-rw------- root:root g /var/log/shop.log",
        ]
    );
    let root = Root::new();
    root.install(&package.path);
    let (agrees, stdout, stderr) = root.rpm(&["-V", "--nodeps", "shop"]);
    assert!(agrees && stderr.is_empty(), "{stdout}{stderr}");
    let conf = std::fs::read_to_string(root.path("/etc/shop.conf")).unwrap();
    assert_eq!(conf, "url=https://shop.example/ ${KEPT} 1.4.0-57\n");
    let linked = std::fs::read_to_string(root.path("/usr/share/shop/link")).unwrap();
    assert_eq!(linked, "b");
}

#[test]
fn what_a_spec_says_of_a_package() {
    let project = Project::new(&[("pre.py", "print('${X}')\n")]);
    let spec = "name = 'shop'\nvendor='Shop Inc'\ngroup='Applications/Internet'\npackager='Ana <ana@shop.example>'\n\
        arch='x86_64'\nepoch=2\nprerelease='rc1'\ntarget='el9'\ncompression='gzip:9'\nbug_url='https://bugs.example/'\n\
        requires=['(tomcat or tomcat9)', 'java-headless >= 1:17']\nrequires_pre=['shadow-utils']\nprovides=['api = 2']\n\
        conflicts=['old < 1']\nobsoletes=['old < 1']\nrecommends=['r']\nsuggests=['s']\nsupplements=['(a and b)']\n\
        enhances=['e']\n\
        [scripts]\npre={ interpreter='/usr/bin/python3 -u', file='pre.py' }\npost='echo $${1} ${PKG_NAME}'\n\
        pretrans={ interpreter='<lua>', body='print(1)' }\nverify='true'\n\
        [[triggers]]\ntype='triggerin'\nwatches=['tomcat >= 1:9', 'tomcat9']\nscript='echo t'\n\
        [[triggers]]\ntype='transfiletriggerin'\nwatches=['/usr/share/java']\nscript='cat'\npriority=100\n\
        [[changelog]]\ndate='2026-01-30'\nauthor='Bo <b@shop.example>'\nchanges=['older']\n\
        [[changelog]]\ndate='2026-01-31'\nauthor='Ana <a@shop.example>'\nversion='1.4.0-57'\nchanges=['one', \"two\\nlines\"]\n";
    let package = project.build(spec).remove(0);
    let path = package.path.to_str().unwrap();
    let query = |format: &str| run("rpm", &["-qp", "--qf", format, path]);
    assert_eq!(query("%{nevra} %{epoch}"), "shop-2:1.4.0~rc1-57.x86_64 2");
    assert_eq!(query("%{vendor}|%{group}|%{packager}"), "Shop Inc|Applications/Internet|Ana <ana@shop.example>");
    assert_eq!(query("%{bugurl}|%{payloadcompressor} %{payloadflags}"), "https://bugs.example/|gzip 9");
    assert_eq!(query("%{prein}|[%{preinprog} ]|%{postin}"), "print('${X}')|/usr/bin/python3 -u |echo ${1} shop");
    for (kind, expected) in [
        ("--provides", "api = 2\nshop = 2:1.4.0~rc1-57\nshop(x86-64) = 2:1.4.0~rc1-57\n"),
        ("--conflicts", "old < 1\n"),
        ("--obsoletes", "old < 1\n"),
        ("--recommends", "r\n"),
        ("--suggests", "s\n"),
        ("--supplements", "(a and b)\n"),
        ("--enhances", "e\n"),
    ] {
        assert_eq!(run("rpm", &["-qp", kind, path]), expected, "{kind}");
    }
    let requires = run("rpm", &["-qp", "--qf", "[%{requirenevrs} %{requireflags:deptype}\n]", path]);
    for needed in ["(tomcat or tomcat9) manual", "java-headless >= 1:17 manual", "shadow-utils pre"] {
        assert!(requires.lines().any(|line| line == needed), "{requires}");
    }
    let triggers = run("rpm", &["-qp", "--triggers", "--filetriggers", path]);
    assert!(triggers.contains("(using /bin/sh) -- tomcat >= 1:9, tomcat9\necho t"), "{triggers}");
    assert!(triggers.contains("transfiletriggerin scriptlet (using /bin/sh) -- /usr/share/java\ncat"), "{triggers}");
    let changelog = run("rpm", &["-qp", "--changelog", path]);
    let expected = "* Sat Jan 31 2026 Ana <a@shop.example> - 1.4.0-57\n- one\n- two\n  lines\n\n\
                    * Fri Jan 30 2026 Bo <b@shop.example>\n- older\n\n";
    assert_eq!(changelog, expected);
}

#[test]
fn an_archive_becomes_a_package() {
    let top = "apache-tomcat-10.1.34";
    let project = Project::new(&[]);
    let write = |name: &str, text: &str| {
        let path = project.path(top).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for name in
        ["bin/catalina.sh", "bin/catalina.bat", "conf/server.xml", "lib/catalina.jar", "LICENSE", "NOTICE", "README.md"]
    {
        write(name, name);
    }
    write("webapps/ROOT/index.jsp", "x");
    write("temp/safeToDelete.tmp", "");
    run("chmod", &["755", project.path(top).join("bin/catalina.sh").to_str().unwrap()]);
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    std::fs::create_dir(project.path("tomcat")).unwrap();
    std::fs::copy(specs.join("tomcat/tomcat.service"), project.path("tomcat/tomcat.service")).unwrap();
    let directory = project.path("").to_str().unwrap().to_owned();
    run("tar", &["-C", &directory, "-czf", project.path(&format!("{top}.tar.gz")).to_str().unwrap(), top]);
    std::fs::copy(specs.join("tomcat.toml"), project.path("tomcat.toml")).unwrap();
    let file = SpecFile::read(&project.path("tomcat.toml")).unwrap();
    let overrides =
        Overrides { version: Some("10.1.34".to_owned()), release: Some("1".to_owned()), ..Overrides::default() };
    let spec = file.resolve(&Variables::default(), &overrides).unwrap().remove(0);
    let date = SourceDate::from_seconds(SOURCE_DATE).unwrap();
    let package = packager::build(&spec, date, &project.path("out"), None).unwrap();
    let rows = listed(&package.path);
    for row in [
        "-rwxr-xr-x root:root  /usr/share/tomcat/bin/catalina.sh",
        "-rw-r--r-- root:root  /usr/share/tomcat/lib/catalina.jar",
        "drwxr-x--- root:tomcat  /etc/tomcat",
        "-rw-r----- root:tomcat cn /etc/tomcat/server.xml",
        "drwxr-x--- root:tomcat  /etc/tomcat/Catalina/localhost",
        "drwxrwxr-x root:tomcat  /var/lib/tomcat/webapps",
        "lrwxrwxrwx root:root  /usr/share/tomcat/conf /etc/tomcat",
        "-rw-r--r-- root:root l /usr/share/licenses/tomcat/LICENSE",
        "-rw-r--r-- root:root  /usr/lib/systemd/system/tomcat.service",
        "-rw-r--r-- root:root  /usr/lib/sysusers.d/tomcat.conf",
    ] {
        assert!(rows.iter().any(|other| other == row), "{row}\n{rows:#?}");
    }
    for left_out in ["README.md", ".bat", "webapps/ROOT", "safeToDelete", "apache-tomcat"] {
        assert!(!rows.iter().any(|row| row.contains(left_out)), "{left_out}\n{rows:#?}");
    }
    let root = Root::new();
    for (file, line) in [("/etc/passwd", "tomcat:x:4712:4712::/:/bin/sh\n"), ("/etc/group", "tomcat:x:4712:\n")] {
        let text = std::fs::read_to_string(root.path(file)).unwrap();
        std::fs::write(root.path(file), text + line).unwrap();
    }
    root.install(&package.path);
    assert_eq!(std::fs::read_to_string(root.path("/etc/tomcat/server.xml")).unwrap(), "conf/server.xml");
    let script = run("rpm", &["-qp", "--qf", "%{prein}", package.path.to_str().unwrap()]);
    assert!(script.contains("useradd -r -M -g 'tomcat' -d '/usr/share/tomcat'"), "{script}");
}

#[test]
fn several_packages_of_one_spec() {
    let project = Project::new(&[("README", "r"), ("a", "a")]);
    let further = "[[packages]]\nname='shop-doc'\nsummary='Docs'\nrequires=['shop = ${PKG_EVR}']\n\
                   [[packages.contents]]\ntype='doc'\nsource='README'\n";
    let own =
        "name='shop'\nurl='https://shop.example/'\n[[contents]]\ntype='file'\nsource='a'\ndestination='/opt/shop/'\n";
    let packages = project.build(&format!("{own}{further}"));
    let names: Vec<_> = packages.iter().map(|package| package.nevra.to_string()).collect();
    assert_eq!(names, ["shop-1.4.0-57.noarch", "shop-doc-1.4.0-57.noarch"]);
    let query = ["-qp", "--qf", "%{summary}|%{url}\n", "--requires", packages[1].path.to_str().unwrap()];
    let said = run("rpm", &query);
    assert!(said.contains("Docs|https://shop.example/\n") && said.contains("shop = 1.4.0-57\n"), "{said}");
    assert_eq!(listed(&packages[1].path).len(), 2);
    let only = project.build(further);
    assert_eq!(only.len(), 1);
}

#[test]
fn environments_with_dnf() {
    let project = Project::new(&[
        ("config/dev/app.properties", "env=${PKG_ENVIRONMENT} db=${DB}\n"),
        ("config/prod/app.properties", "env=${PKG_ENVIRONMENT} db=${DB}\n"),
    ]);
    let spec = |version: &str| {
        format!(
            "name='shop'\nprerelease='{version}'\n[[contents]]\ntype='directory'\ndestination='/srv/shop'\n\
             [environments.dev]\ndirectory='config/dev'\nexpand=true\nvariables={{DB='db.dev'}}\n\
             [environments.prod]\ndirectory='config/prod'\nexpand=true\nvariables={{DB='db.prod'}}\n"
        )
    };
    project.build(&spec("1"));
    project.build(&spec("2"));
    project.build("name='shell'\nprovides=['/bin/sh']\n[[contents]]\ntype='directory'\ndestination='/srv/shell'\n");
    run("createrepo_c", &["-q", project.path("out").to_str().unwrap()]);
    let root = Root::new();
    let dnf = |arguments: &[&str]| {
        let repository = format!("--repofrompath=x,file://{}", project.path("out").display());
        let installroot = format!("--installroot={}", root.path("/").display());
        let cache = format!("--setopt=cachedir={}", project.path("cache").display());
        let common =
            ["-y", "-q", "--setopt=reposdir=/dev/null", "--setopt=tsflags=noscripts", "--releasever=9", "--repo=x"];
        let common = [&common[..], &["--nogpgcheck", &repository, &installroot, &cache]].concat();
        crate::workshop::attempt("dnf", &[&common[..], arguments].concat())
    };
    let must = |arguments: &[&str]| {
        let (succeeded, stdout, stderr) = dnf(arguments);
        assert!(succeeded, "{arguments:?}\n{stdout}{stderr}");
    };
    let read = || std::fs::read_to_string(root.path("/etc/shop/app.properties")).unwrap();
    must(&["install", "shop-1.4.0~1", "shop-config-prod-1.4.0~1"]);
    assert_eq!(read(), "env=prod db=db.prod\n");
    must(&["upgrade", "shop"]);
    assert_eq!(read(), "env=prod db=db.prod\n");
    let (succeeded, _, stderr) = dnf(&["install", "shop-config-dev"]);
    assert!(!succeeded && stderr.contains("conflicts with shop-config"), "{stderr}");
    must(&["swap", "shop-config-prod", "shop-config-dev"]);
    assert_eq!(read(), "env=dev db=db.dev\n");
    must(&["downgrade", "shop-1.4.0~1", "shop-config-dev-1.4.0~1"]);
    assert_eq!(read(), "env=dev db=db.dev\n");
    let (succeeded, _, stderr) =
        dnf(&["remove", "--noautoremove", "shop-config-dev", "--setopt=protected_packages=shop"]);
    assert!(!succeeded, "{stderr}");
    let script = run(
        "rpm",
        &[
            "-qp",
            "--qf",
            "%{postin}",
            &format!("{}/shop-config-prod-1.4.0~1-57.noarch.rpm", project.path("out").display()),
        ],
    );
    assert!(script.contains("configuration of the environment prod"), "{script}");
}

#[test]
fn packages_that_belong_together_share_no_file() {
    let project = Project::new(&[("config/a", "a"), ("dev/a", "a"), ("dev/b", "b")]);
    let planned = |environment: &str| {
        let spec = format!(
            "{HEAD}name='shop'\n[configuration]\ndirectory='config'\n[environments.dev]\ndirectory='dev'\n{environment}\
             [environments.qa]\ndirectory='dev'\nexclude=['a']\n"
        );
        let file = SpecFile::parse(&project.path("shop.toml"), spec).unwrap();
        let specs = file.resolve(&Variables::default(), &Overrides::default()).unwrap();
        let date = SourceDate::from_seconds(SOURCE_DATE).unwrap();
        let planned: Vec<_> = specs.iter().map(|spec| packager::plan(spec, date).unwrap()).collect();
        packager::check_together(&planned).map_err(|error| error.to_string())
    };
    let expected = "`/etc/shop/a` would be installed by `shop` and by `shop-config-dev`, which are installed together";
    assert_eq!(planned("").unwrap_err(), expected);
    assert_eq!(planned("exclude=['a']\n"), Ok(()));
}
