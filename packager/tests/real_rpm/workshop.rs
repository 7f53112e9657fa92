//! A folder with a spec, a WAR and configuration, and ways to build from it and to run the real tools.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use openpgp::PrivateKey;
use packager::{BuiltPackage, Overrides, SourceDate, SpecFile, Variables};
use tempfile::TempDir;

pub(crate) const SOURCE_DATE: u32 = 1_700_000_000;

pub(crate) struct Workshop {
    directory: TempDir,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let workshop = Self { directory: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(workshop.path("config/sub")).unwrap();
        std::fs::write(workshop.path("config/app.properties"), "a=1\n").unwrap();
        std::fs::write(workshop.path("config/sub/b.xml"), "<b/>\n").unwrap();
        workshop.war("hello");
        workshop
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a WAR of one page.
    pub(crate) fn war(&self, page: &str) {
        let mut zip = zip::ZipWriter::new(std::fs::File::create(self.path("shop.war")).unwrap());
        zip.start_file("index.html", zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, page.as_bytes()).unwrap();
        zip.finish().unwrap();
    }

    /// Writes the spec, with more top-level keys.
    pub(crate) fn spec(&self, keys: &str) {
        let text = format!(
            "name = 'shop'\nsummary = 'The shop'\nlicense = 'MIT'\nrequires = ['java-headless >= 1:17', 'tomcat']\n{keys}\n\
             [tomcat]\nwar = 'shop.war'\ninstance = 'tomcat10'\ngroup = 'web'\n\
             [configuration]\ndirectory = 'config'\n"
        );
        std::fs::write(self.path("shop.toml"), text).unwrap();
    }

    pub(crate) fn build(&self, version: &str, release: &str) -> BuiltPackage {
        self.try_build(version, release, None).unwrap()
    }

    /// Builds into `out`; an error comes with its causes.
    pub(crate) fn try_build(
        &self,
        version: &str,
        release: &str,
        key: Option<&PrivateKey>,
    ) -> Result<BuiltPackage, String> {
        let overrides =
            Overrides { version: Some(version.to_owned()), release: Some(release.to_owned()), ..Overrides::default() };
        let file = SpecFile::read(&self.path("shop.toml")).map_err(with_causes)?;
        let spec = file.resolve(&Variables::default(), &overrides).map_err(with_causes)?.remove(0);
        let date = SourceDate::from_seconds(SOURCE_DATE).unwrap();
        packager::build(&spec, date, &self.path("out"), key).map_err(with_causes)
    }
}

fn with_causes(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Runs a program that must succeed and gives its stdout.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let (succeeded, stdout, stderr) = attempt(program, arguments);
    assert!(succeeded, "{program} {arguments:?} failed\n{stdout}\n{stderr}");
    stdout
}

/// Runs a program and gives whether it succeeded, its stdout and its stderr.
pub(crate) fn attempt(program: &str, arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// A root of its own with an empty rpm database and a group `web`.
pub(crate) struct Root {
    directory: TempDir,
}

impl Root {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("etc")).unwrap();
        std::fs::write(directory.path().join("etc/passwd"), "root:x:0:0::/:/bin/sh\n").unwrap();
        std::fs::write(directory.path().join("etc/group"), "root:x:0:\nweb:x:4711:\n").unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name.trim_start_matches('/'))
    }

    /// Runs rpm within the root. Scriptlets are left out: there is no shell in it.
    pub(crate) fn rpm(&self, arguments: &[&str]) -> (bool, String, String) {
        let root = self.directory.path().to_str().unwrap();
        attempt("rpm", &[&["--root", root, "--dbpath", "/var/lib/rpm"], arguments].concat())
    }

    /// Installs a package, or moves to it from another version.
    pub(crate) fn install(&self, package: &Path) {
        let flags = ["-U", "--oldpackage", "--force-debian", "--nodeps", "--noscripts", "--nosignature"];
        let (succeeded, stdout, stderr) = self.rpm(&[&flags[..], &[package.to_str().unwrap()]].concat());
        assert!(succeeded && stderr.is_empty(), "{stdout}{stderr}");
    }
}
