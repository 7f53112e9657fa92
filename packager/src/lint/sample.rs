//! A package in order, for tests.

use crate::{
    About, Compression, Dependencies, Entry, EntryKind, PackageLayout, Role, Scriptlet, ScriptletKind, Source,
    SourceDate, Target,
};

pub(super) fn layout() -> PackageLayout {
    let file = |path: &str| Entry::new(path.to_owned(), EntryKind::File(Source::Text(String::new())), 0o644, 0);
    let directory = |path: &str| Entry::new(path.to_owned(), EntryKind::Directory, 0o755, 0);
    let config = |path: &str| Entry { role: Role::ConfigNoReplace, group: "tomcat".to_owned(), ..file(path) };
    PackageLayout {
        about: About {
            nevra: "shop-1.0-57.noarch".parse().unwrap(),
            summary: "The shop".to_owned(),
            description: "The shop of the company.".to_owned() + " It has a basket.",
            license: "MIT".to_owned(),
            url: None,
            vendor: None,
            group: None,
            packager: None,
            build_host: None,
            dist_url: None,
            vcs: None,
            bug_url: None,
        },
        target: Target::default(),
        compression: Compression::default(),
        source_date: SourceDate::from_seconds(1_700_000_000).unwrap(),
        dependencies: Dependencies::default(),
        entries: vec![
            directory("/etc/shop"),
            config("/etc/shop/shop.properties"),
            config("/etc/tomcat/Catalina/localhost/shop.xml"),
            directory("/usr/share/shop"),
            file("/usr/share/shop/shop.war"),
        ],
        scriptlets: vec![Scriptlet::shell(ScriptletKind::PostInstall, "systemctl daemon-reload".to_owned())],
        triggers: Vec::new(),
        changelog: Vec::new(),
    }
}
