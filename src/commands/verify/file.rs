//! A package's file: whether its bytes are those of the ledger, who signed it, what it says of its build, and whether what it
//! holds fits that.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};

use fs_err::File;
use ledger::DigestBuilder;
use repo_server::packaged_files;
use rpm_header::{FileEntry, PackageHeader};

use super::super::build_properties::BuildProperties;
use super::evidence::Evidence;
use super::link::{Link, short};
use super::repository::Package;
use super::trust::Trust;

/// A package's file, fetched.
pub(super) struct PackageFile {
    /// Whether its bytes are those of the ledger.
    pub(super) bytes: Link,
    /// What the header's sha256 is, computed, where the bytes are the right ones.
    pub(super) header_sha256: Option<String>,
    file: Option<Fetched>,
}

struct Fetched {
    at: tempfile::TempPath,
    header: PackageHeader,
}

const LINK: &str = "file";

impl PackageFile {
    pub(super) async fn fetch(evidence: &Evidence, package: Option<&Package>) -> Self {
        let Some(package) = package else {
            return Self::missing(Link::not_proven(LINK, "the repository does not have it"));
        };
        let at = match tempfile::NamedTempFile::new() {
            Ok(file) => file.into_temp_path(),
            Err(error) => return Self::missing(Link::not_proven(LINK, error.to_string())),
        };
        let expected = package.sha256.to_string();
        let name = (package.file_name.as_str(), &package.sha256);
        match evidence.file(&package.origin, name, &at).await {
            Err(error) => Self::missing(Link::not_proven(LINK, format!("it can't be had: {error:#}"))),
            Ok(found) if found != expected => {
                let other = format!("{evidence} gives other bytes: sha256 {}", short(&found));
                Self::missing(Link::not_proven(LINK, other).against(format!("sha256 {}", short(&expected))))
            }
            Ok(_) => match read(&at) {
                Err(error) => Self::missing(Link::not_proven(LINK, format!("it can't be read: {error}"))),
                Ok((header, header_sha256)) => {
                    let found = format!("the bytes that {evidence} gives are those of the ledger");
                    let bytes = Link::proven(LINK, found, format!("sha256 {}", short(&expected)));
                    Self { bytes, header_sha256: Some(header_sha256), file: Some(Fetched { at, header }) }
                }
            },
        }
    }

    fn missing(bytes: Link) -> Self {
        Self { bytes, header_sha256: None, file: None }
    }

    /// Who signed it.
    pub(super) fn signature(&self, trust: &Trust) -> Link {
        const LINK: &str = "signature";
        let Some(fetched) = &self.file else { return Link::not_proven(LINK, "there is no file to look at") };
        if fetched.header.signatures.is_empty() {
            return Link::not_there(LINK, "the package is not signed: the signed metadata alone vouches for it");
        }
        match File::open(&fetched.at) {
            Ok(file) => trust.of_package(&mut BufReader::with_capacity(1 << 18, file)),
            Err(error) => Link::not_proven(LINK, error.to_string()),
        }
    }

    /// What it says of its build, and whether what it holds fits that.
    pub(super) fn build(&self, sources: Option<&Path>) -> Vec<Link> {
        let Some(fetched) = &self.file else {
            return vec![Link::not_proven("content", "there is no file to look at")];
        };
        match content(fetched) {
            Ok(Content { files, properties }) => {
                let mut links = vec![unpacked(&fetched.header, &files)];
                links.extend(provenance(&fetched.header, &files, properties.as_ref(), sources));
                links
            }
            Err(error) => vec![Link::not_proven("content", format!("its payload can't be read: {error:#}"))],
        }
    }
}

fn read(path: &Path) -> anyhow::Result<(PackageHeader, String)> {
    let mut file = BufReader::new(File::open(path)?);
    let header = PackageHeader::read(&mut file)?;
    file.seek(SeekFrom::Start(header.header_start))?;
    let mut main = Vec::new();
    file.take(header.header_end - header.header_start).read_to_end(&mut main)?;
    let mut digest = DigestBuilder::new();
    digest.update(&main);
    Ok((header, digest.finish().to_string()))
}

/// What the payload holds.
struct Content {
    /// The sha256 of each file, by its path.
    files: BTreeMap<String, String>,
    /// What the package says of its build.
    properties: Option<BuildProperties>,
}

fn content(fetched: &Fetched) -> anyhow::Result<Content> {
    let mut file = File::open(&fetched.at)?;
    file.seek(SeekFrom::Start(fetched.header.header_end))?;
    let path = BuildProperties::path(&fetched.header.nevra.name);
    let packaged = packaged_files(BufReader::with_capacity(1 << 18, file), &fetched.header, |wanted| wanted == path)?;
    let bytes = packaged.iter().find(|file| file.path == path).and_then(|file| file.bytes.clone());
    let properties = bytes.map(|bytes| BuildProperties::parse(&String::from_utf8_lossy(&bytes)));
    Ok(Content { files: packaged.into_iter().map(|file| (file.path, file.sha256)).collect(), properties })
}

/// Whether each file of the payload is the one that the header speaks of.
fn unpacked(header: &PackageHeader, files: &BTreeMap<String, String>) -> Link {
    const LINK: &str = "content";
    let is_regular = |file: &&FileEntry| file.mode & 0o170_000 == 0o100_000 && file.flags & FileEntry::GHOST == 0;
    let (mut same, mut weak) = (0, 0);
    for file in header.files.iter().filter(is_regular) {
        match files.get(&file.path) {
            // Of hard links one alone has the bytes; rpm's own form of large payloads does not name the others.
            None => weak += 1,
            Some(_) if file.digest.len() != 64 => weak += 1,
            Some(found) if *found == file.digest => same += 1,
            Some(found) => {
                let other = format!("{} in the payload is another: sha256 {}", file.path, short(found));
                return Link::not_proven(LINK, other).against(format!("the header's {}", short(&file.digest)));
            }
        }
    }
    let rest = if weak > 0 { format!("; {weak} have no SHA-256 to compare") } else { String::new() };
    Link::proven(LINK, format!("{same} files of the payload are those that the header names{rest}"), "their sha256")
}

/// What the package says of its build, held against what it holds, against its header and, where it is at hand, the checkout.
fn provenance(
    header: &PackageHeader,
    files: &BTreeMap<String, String>,
    properties: Option<&BuildProperties>,
    sources: Option<&Path>,
) -> Vec<Link> {
    const LINK: &str = "build";
    let claimed = header.provides.iter().find(|provided| provided.name == "build(commit)").map(|one| &one.version);
    let Some(properties) = properties else {
        let link = match claimed {
            Some(commit) => {
                Link::proven(LINK, format!("commit {commit}"), "the header, which names it; no build.properties")
            }
            None => Link::not_there(LINK, "the package says nothing of its build"),
        };
        return [link].into_iter().chain(claimed.map(|commit| in_checkout(commit, sources))).collect();
    };
    let value = |key: &str| properties.value(key);
    let mut links = Vec::new();
    let said = [("build.number", "build"), ("build.url", "at"), ("commit", "commit"), ("branch", "branch")];
    let said: Vec<String> = said.iter().filter_map(|(key, word)| Some(format!("{word} {}", value(key)?))).collect();
    let modified = if value("commit.modified") == Some("true") { ", with changes that were not committed" } else { "" };
    let said = if said.is_empty() { "neither commit nor build are named".to_owned() } else { said.join(", ") };
    links.push(match (value("commit"), claimed) {
        (None, None) => Link::not_there(LINK, said),
        (of_file, of_header) if of_file == of_header.map(String::as_str) => {
            Link::proven(LINK, format!("{said}{modified}"), "build.properties and the header, which agree")
        }
        (_, other) => {
            let other = other.map_or("none", String::as_str);
            Link::not_proven(LINK, format!("{said}; the header names commit {other}"))
        }
    });
    links.extend(archives(properties, files));
    links.extend(value("commit").map(|commit| in_checkout(commit, sources)));
    links
}

/// Whether each WAR is the one that was built.
fn archives(properties: &BuildProperties, files: &BTreeMap<String, String>) -> Vec<Link> {
    const LINK: &str = "war";
    let archive = |(path, said): (&str, &str)| {
        let against = format!("sha256 {} of build.properties", short(said));
        match files.get(path) {
            Some(found) if found == said => {
                Link::proven(LINK, format!("{path} in the payload is the one that was built"), against)
            }
            Some(found) => {
                Link::not_proven(LINK, format!("{path} is another: sha256 {}", short(found))).against(against)
            }
            None => Link::not_proven(LINK, format!("{path} is not in the payload")).against(against),
        }
    };
    properties.wars().map(archive).collect()
}

/// Whether a commit is in a checkout: git's name of it is the hash of all that is in it and of all before it.
fn in_checkout(commit: &str, sources: Option<&Path>) -> Link {
    const LINK: &str = "source";
    let Some(sources) = sources else {
        return Link::not_there(LINK, "no checkout was named: `--sources DIR` looks for the commit there");
    };
    let is_hash = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut git = Command::new("git");
    git.arg("-C").arg(sources).args(["cat-file", "-e", &format!("{commit}^{{commit}}")]);
    let status = git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let place = sources.display();
    match status {
        _ if !is_hash => Link::not_proven(LINK, format!("`{commit}` is no commit")),
        Ok(status) if status.success() => {
            Link::proven(LINK, format!("the commit is in `{place}`"), "git's hash of its files and its history")
        }
        Ok(_) => Link::not_proven(LINK, format!("commit {} is not in `{place}`", short(commit))),
        Err(error) => Link::not_proven(LINK, format!("git can't be run: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::link::Standing;
    use super::*;

    #[test]
    fn another_war_is_found() {
        let properties = BuildProperties::parse("war=/a\nwar.sha256=00\nwar=/b\nwar.sha256=11\nwar=/c\nwar.sha256=2\n");
        let files = BTreeMap::from([("/a".to_owned(), "00".to_owned()), ("/b".to_owned(), "22".to_owned())]);
        let standings: Vec<_> = archives(&properties, &files).into_iter().map(|link| link.standing).collect();
        assert_eq!(standings, [Standing::Proven, Standing::NotProven, Standing::NotProven]);
        assert_eq!(in_checkout("-x", Some(Path::new("."))).standing, Standing::NotProven);
    }
}
