//! Plans a package's layout.

use crate::contents::{Contents, ItemKind};
use crate::{PackageSpec, SourceDate, Target};

use super::{About, Dependencies, Entry, EntryKind, PackageLayout, Role, Scriptlet, Source, descriptor};

/// Says why contents cannot be laid out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Two things would be installed at the same path.
    #[error("two files of the package would be installed as `{0}`")]
    Duplicate(String),
    /// The package would be larger than its format allows.
    #[error("the files are {0} bytes altogether; allowed are {SIZE_LIMIT}")]
    TooLarge(u64),
}

/// Below the 4 GiB at which rpm's size tags and cpio's headers end, with room for those headers.
const SIZE_LIMIT: u64 = 4_000_000_000;

/// Lays out a web application for Tomcat.
///
/// The WAR lies outside of Tomcat's appBase, where a running Tomcat would delete the descriptor together with it; the
/// descriptor's docBase points there. Directories that no other package owns are owned.
pub(crate) fn plan(
    spec: &PackageSpec,
    contents: &Contents,
    source_date: SourceDate,
) -> Result<PackageLayout, LayoutError> {
    let total = total_size(contents);
    if total > SIZE_LIMIT {
        return Err(LayoutError::TooLarge(total));
    }
    let mut entries = application(spec, contents, source_date);
    entries.extend(configuration(spec, contents, source_date));
    entries.sort_by(|left, right| left.path.cmp(&right.path));
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].path == pair[1].path) {
        return Err(LayoutError::Duplicate(pair[0].path.clone()));
    }
    let tomcat = &spec.tomcat;
    let unpacked = format!("/var/lib/{}/webapps/{}", tomcat.instance, tomcat.context.base_name());
    Ok(PackageLayout {
        about: about(spec),
        target: Target::default(),
        compression: spec.compression,
        source_date,
        dependencies: Dependencies {
            requires: spec.requires.iter().map(Into::into).collect(),
            ..Dependencies::default()
        },
        entries,
        scriptlets: vec![Scriptlet::removing(&unpacked)],
        triggers: Vec::new(),
        changelog: Vec::new(),
    })
}

fn about(spec: &PackageSpec) -> About {
    About {
        nevra: spec.nevra(),
        summary: spec.summary.clone(),
        description: spec.description.clone(),
        license: spec.license.clone(),
        url: spec.url.clone(),
        vendor: None,
        group: None,
        packager: None,
        build_host: None,
        vcs: None,
        bug_url: None,
    }
}

/// The WAR in its directory, and the descriptor.
fn application(spec: &PackageSpec, contents: &Contents, source_date: SourceDate) -> Vec<Entry> {
    let name = spec.name();
    let war_directory = format!("/usr/share/{name}");
    let war = format!("{war_directory}/{name}.war");
    let tomcat = &spec.tomcat;
    let descriptor = format!("/etc/{}/Catalina/localhost/{}.xml", tomcat.instance, tomcat.context.base_name());
    let text = descriptor::render(&war, spec.configuration.as_ref().map(|_| configuration_directory(spec)).as_deref());
    let mtime = source_date.seconds();
    vec![
        Entry::new(war_directory, EntryKind::Directory, 0o755, mtime),
        Entry { role: Role::Config, ..Entry::new(descriptor, EntryKind::File(Source::Text(text)), 0o644, mtime) },
        Entry::new(
            war,
            EntryKind::File(Source::File(contents.war.path.clone(), contents.war.size)),
            0o644,
            source_date.of_build(spec.build_number()),
        ),
    ]
}

/// The configuration: root's, readable by the group that Tomcat runs as and by nobody else.
fn configuration(spec: &PackageSpec, contents: &Contents, source_date: SourceDate) -> Vec<Entry> {
    if spec.configuration.is_none() {
        return Vec::new();
    }
    let top = configuration_directory(spec);
    let mtime = source_date.seconds();
    let items = contents.configuration.iter().map(|item| {
        let path = format!("{top}/{}", item.name);
        match &item.kind {
            ItemKind::Directory => Entry::new(path, EntryKind::Directory, 0o750, mtime),
            ItemKind::File { path: source, size } => Entry {
                role: Role::ConfigNoReplace,
                ..Entry::new(path, EntryKind::File(Source::File(source.clone(), *size)), 0o640, mtime)
            },
        }
    });
    let group = &spec.tomcat.group;
    std::iter::once(Entry::new(top.clone(), EntryKind::Directory, 0o750, mtime))
        .chain(items)
        .map(|entry| Entry { group: group.clone(), ..entry })
        .collect()
}

fn configuration_directory(spec: &PackageSpec) -> String {
    format!("/etc/{}", spec.name())
}

fn total_size(contents: &Contents) -> u64 {
    let sizes = contents.configuration.iter().map(|item| match item.kind {
        ItemKind::Directory => 0,
        ItemKind::File { size, .. } => size,
    });
    sizes.fold(contents.war.size, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Overrides, SpecFile, Variables};

    /// The shortest zip archive: an end of central directory, and nothing else.
    const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    fn spec(directory: &Path, text: &str) -> PackageSpec {
        fs_err::write(directory.join("app.war"), EMPTY_ZIP).unwrap();
        fs_err::create_dir_all(directory.join("config/Catalina/localhost")).unwrap();
        fs_err::write(directory.join("config/app.properties"), "a=1\n").unwrap();
        fs_err::write(directory.join("config/Catalina/localhost/x.xml"), "").unwrap();
        let head = "summary='s'\nlicense='MIT'\nversion='1'\nrelease='57'\n";
        let file = SpecFile::parse(&directory.join("x.toml"), format!("{head}{text}")).unwrap();
        file.resolve(&mut Variables::default(), &Overrides::default()).unwrap()
    }

    fn layout(directory: &Path, text: &str) -> Result<PackageLayout, LayoutError> {
        let spec = spec(directory, text);
        let date = SourceDate::from_seconds(1000).unwrap();
        let contents = Contents::gather(&spec, date).unwrap();
        plan(&spec, &contents, date)
    }

    #[test]
    fn lays_out_an_application() {
        let directory = tempfile::tempdir().unwrap();
        let text = "name='shop'\n[tomcat]\nwar='app.war'\ncontext='/a/b'\ninstance='tomcat10'\ngroup='web'\n\
                    [configuration]\ndirectory='config'";
        let layout = layout(directory.path(), text).unwrap();
        let rows: Vec<_> = layout
            .entries
            .iter()
            .map(|e| format!("{} {:o} {} {} {} {}", e.path, e.mode(), e.group, e.size(), e.mtime, e.is_config()))
            .collect();
        let descriptor = layout.entries.iter().find(|e| e.path.ends_with("a#b.xml")).unwrap();
        assert_eq!(
            rows,
            [
                "/etc/shop 40750 web 0 1000 false",
                "/etc/shop/Catalina 40750 web 0 1000 false",
                "/etc/shop/Catalina/localhost 40750 web 0 1000 false",
                "/etc/shop/Catalina/localhost/x.xml 100640 web 0 1000 true",
                "/etc/shop/app.properties 100640 web 4 1000 true",
                &format!("/etc/tomcat10/Catalina/localhost/a#b.xml 100644 root {} 1000 true", descriptor.size()),
                "/usr/share/shop 40755 root 0 1000 false",
                "/usr/share/shop/shop.war 100644 root 22 1057 false",
            ]
        );
        assert!(layout.scriptlets[0].body.contains("rm -rf '/var/lib/tomcat10/webapps/a#b'"));
    }

    #[test]
    fn owns_no_configuration_folder_without_configuration() {
        let directory = tempfile::tempdir().unwrap();
        let layout = layout(directory.path(), "name='shop'\n[tomcat]\nwar='app.war'").unwrap();
        let paths: Vec<_> = layout.entries.iter().map(|e| e.path.as_str()).collect();
        let expected = ["/etc/tomcat/Catalina/localhost/shop.xml", "/usr/share/shop", "/usr/share/shop/shop.war"];
        assert_eq!(paths, expected);
    }

    #[test]
    fn refuses_duplicates() {
        let directory = tempfile::tempdir().unwrap();
        let text = "name='x'\n[tomcat]\nwar='app.war'\n[configuration]\ndirectory='config'";
        assert_eq!(layout(directory.path(), text).unwrap().entries.len(), 8);
        let mut spec = spec(directory.path(), text);
        spec.tomcat.instance = "x".to_owned();
        let date = SourceDate::from_seconds(1000).unwrap();
        let error = plan(&spec, &Contents::gather(&spec, date).unwrap(), date).unwrap_err();
        assert_eq!(error, LayoutError::Duplicate("/etc/x/Catalina/localhost/x.xml".to_owned()));
    }
}
