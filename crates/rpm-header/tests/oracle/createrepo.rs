//! Asks createrepo_c for what it says of packages in primary.xml.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use rpm_header::PackageHeader;

/// A `package` element of primary.xml, as text.
pub(crate) struct Listed(String);

/// Lists the packages below a directory by their path in it.
pub(crate) fn list(directory: &Path) -> HashMap<String, Listed> {
    let output = tempfile::tempdir().unwrap();
    let created = Command::new("createrepo_c")
        .args(["--quiet", "--compress-type", "gz", "--outputdir"])
        .arg(output.path())
        .arg(directory)
        .output()
        .unwrap();
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    let mut repodata = std::fs::read_dir(output.path().join("repodata")).unwrap().map(|entry| entry.unwrap().path());
    let primary = repodata.find(|path| path.to_str().unwrap().ends_with("-primary.xml.gz")).unwrap();
    let unpacked = Command::new("gzip").arg("-dc").arg(primary).output().unwrap();
    let xml = String::from_utf8(unpacked.stdout).unwrap();
    let packages = xml.split("<package ").skip(1).map(|package| Listed(package.to_owned()));
    packages.map(|package| (package.attribute("location", "href"), package)).collect()
}

impl Listed {
    /// Says where createrepo_c reads something else.
    pub(crate) fn differences(&self, ours: &PackageHeader) -> Vec<String> {
        let evr = &ours.nevra.evr;
        // createrepo_c does not tell source packages without their sources apart.
        let arch = ours.nevra.arch.as_str().replace("nosrc", "src");
        let pairs = [
            ("name", self.text("name"), ours.nevra.name.to_string()),
            ("arch", self.text("arch"), arch),
            ("epoch", self.attribute("version", "epoch"), evr.epoch().to_string()),
            ("version", self.attribute("version", "ver"), evr.version().to_owned()),
            ("release", self.attribute("version", "rel"), evr.release().to_owned()),
            ("summary", as_createrepo_decodes(&self.text("summary")), as_createrepo_decodes(&ours.summary)),
            ("packager", self.text("packager"), ours.packager.clone().unwrap_or_default()),
            ("build time", self.attribute("time", "build"), ours.build_time.unwrap_or(0).to_string()),
            ("installed size", self.attribute("size", "installed"), ours.installed_size.to_string()),
            ("header start", self.attribute("rpm:header-range", "start"), ours.header_start.to_string()),
            ("header end", self.attribute("rpm:header-range", "end"), ours.header_end.to_string()),
        ];
        let different = pairs.into_iter().filter(|(_, theirs, ours)| theirs != ours);
        different.map(|(what, theirs, ours)| format!("{what}: {ours:?} instead of {theirs:?}")).collect()
    }

    fn attribute(&self, element: &str, attribute: &str) -> String {
        let rest = self.0.split_once(&format!("<{element} ")).unwrap().1;
        let rest = rest.split_once(&format!("{attribute}=\"")).unwrap().1;
        unescape(rest.split_once('"').unwrap().0)
    }

    fn text(&self, element: &str) -> String {
        let Some((_, rest)) = self.0.split_once(&format!("<{element}>")) else { return String::new() };
        unescape(rest.split_once(&format!("</{element}>")).unwrap().0)
    }
}

/// createrepo_c loses U+0080 to U+00BF when it decodes Latin-1.
fn as_createrepo_decodes(text: &str) -> String {
    text.chars().filter(|character| !('\u{80}'..='\u{bf}').contains(character)).collect()
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
