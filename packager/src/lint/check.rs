//! All checks of a package by itself, one after the other.

use super::{Finding, Subject};
use super::{description, descriptors, directories, features, links, permissions, scriptlets, secrets, wars};

/// Checks a package by itself. Files that can't be read are passed over: writing the package says so.
#[must_use]
pub fn check(subject: &Subject<'_>) -> Vec<Finding> {
    if subject.header.is_some_and(|header| header.is_source) {
        return description::check(subject);
    }
    let checks = [
        directories::check,
        links::check,
        permissions::check,
        secrets::check,
        scriptlets::check,
        description::check,
        features::check,
        wars::check,
        descriptors::check,
    ];
    checks.iter().flat_map(|check| check(subject)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::super::{Lint, Subject};
    use super::check;
    use crate::{Entry, EntryKind, PackageLayout, Role, Scriptlet, ScriptletKind, Source};

    fn text(path: &str, text: &str, permissions: u16) -> Entry {
        Entry::new(path.to_owned(), EntryKind::File(Source::Text(text.to_owned())), permissions, 0)
    }

    fn directory(path: &str, permissions: u16) -> Entry {
        Entry::new(path.to_owned(), EntryKind::Directory, permissions, 0)
    }

    fn link(path: &str, target: &str) -> Entry {
        Entry::new(path.to_owned(), EntryKind::Symlink(target.to_owned()), 0o777, 0)
    }

    fn owned(entry: Entry, user: &str, group: &str) -> Entry {
        Entry { user: user.to_owned(), group: group.to_owned(), ..entry }
    }

    fn config(entry: Entry) -> Entry {
        Entry { role: Role::ConfigNoReplace, ..entry }
    }

    /// The findings of a lint in a package that has these entries besides its own directory.
    fn places(lint: Lint, entries: Vec<Entry>) -> Vec<String> {
        let mut layout = sample::layout();
        layout.entries.extend(entries);
        of_layout(lint, &layout)
    }

    fn of_layout(lint: Lint, layout: &PackageLayout) -> Vec<String> {
        let findings = check(&Subject::of_layout(layout)).into_iter();
        findings.filter(|finding| finding.lint == lint).map(|finding| finding.place).collect()
    }

    #[test]
    fn a_package_in_order_has_no_findings() {
        assert_eq!(check(&Subject::of_layout(&sample::layout())), []);
    }

    #[test]
    fn directories_of_others() {
        let lint = Lint::SystemDirectory;
        assert_eq!(places(lint, vec![directory("/usr", 0o755), text("/usr/bin/shop", "", 0o755)]), ["`/usr`"]);
        assert_eq!(places(lint, vec![directory("/etc/logrotate.d", 0o755)]), ["`/etc/logrotate.d`"]);
        assert_eq!(places(lint, vec![directory("/var/lib/shop", 0o755)]), Vec::<String>::new());
        let lint = Lint::LocalDirectory;
        assert_eq!(places(lint, vec![text("/usr/local/bin/shop", "", 0o755)]), ["`/usr/local/bin/shop`"]);
        assert_eq!(places(lint, vec![text("/usr/bin/shop", "", 0o755)]), Vec::<String>::new());
    }

    #[test]
    fn directories_of_nobody() {
        let lint = Lint::UnownedDirectory;
        let drop_in = "/usr/lib/systemd/system/tomcat.service.d";
        let file = || text(&format!("{drop_in}/shop.conf"), "", 0o644);
        assert_eq!(places(lint, vec![file()]), [format!("`{drop_in}`")]);
        assert_eq!(places(lint, vec![directory(drop_in, 0o755), file()]), Vec::<String>::new());
        assert_eq!(places(lint, vec![text("/opt/a/b/c", "", 0o644)]), ["`/opt/a`", "`/opt/a/b`"]);
        assert_eq!(places(lint, vec![text("/etc/tomcat/Catalina/localhost/a.xml", "", 0o644)]), Vec::<String>::new());
    }

    #[test]
    fn configuration_that_is_not_marked() {
        let lint = Lint::UnmarkedConfiguration;
        let file = || text("/etc/shop.conf", "", 0o644);
        assert_eq!(places(lint, vec![file()]), ["`/etc/shop.conf`"]);
        assert_eq!(places(lint, vec![config(file())]), Vec::<String>::new());
    }

    #[test]
    fn links_that_lead_out() {
        let lint = Lint::SymlinkOut;
        for (target, is_out) in [
            ("/var/log/shop", true),
            ("../../../../etc/passwd", true),
            ("/usr/share/shop/lib", false),
            ("../shop/shop.war", false),
        ] {
            let found = places(lint, vec![link("/usr/share/shop/logs", target)]);
            assert_eq!(!found.is_empty(), is_out, "{target}: {found:?}");
        }
    }

    #[test]
    fn what_others_may_write() {
        let lint = Lint::WorldWritable;
        assert_eq!(places(lint, vec![directory("/var/lib/shop", 0o777)]), ["`/var/lib/shop` (0777 root:root)"]);
        assert_eq!(places(lint, vec![text("/usr/share/shop/x", "", 0o666)]).len(), 1);
        assert_eq!(places(lint, vec![directory("/var/lib/shop", 0o1777)]), Vec::<String>::new());
        assert_eq!(places(lint, vec![link("/usr/share/shop/x", "y")]), Vec::<String>::new());
    }

    #[test]
    fn code_that_the_service_may_write() {
        let lint = Lint::ServiceOwnedCode;
        let war = || text("/usr/share/shop/a.war", "", 0o644);
        assert_eq!(
            places(lint, vec![owned(war(), "tomcat", "tomcat")]),
            ["`/usr/share/shop/a.war` (0644 tomcat:tomcat)"]
        );
        let shared = Entry { permissions: 0o664, ..owned(war(), "root", "tomcat") };
        assert_eq!(places(lint, vec![shared]).len(), 1);
        assert_eq!(places(lint, vec![owned(war(), "root", "tomcat")]), Vec::<String>::new());
        let data = owned(directory("/var/lib/shop", 0o750), "tomcat", "tomcat");
        assert_eq!(places(lint, vec![data.clone()]), Vec::<String>::new());
        assert_eq!(places(lint, vec![data, text("/var/lib/shop/a.jar", "", 0o644)]).len(), 1);
    }

    #[test]
    fn secrets_in_files() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(
            places(Lint::PrivateKey, vec![config(text("/etc/shop/tls.pem", key, 0o640))]),
            ["`/etc/shop/tls.pem`, line 1"]
        );
        let certificate = "-----BEGIN CERTIFICATE-----\n";
        assert_eq!(
            places(Lint::PrivateKey, vec![config(text("/etc/shop/tls.pem", certificate, 0o640))]),
            Vec::<String>::new()
        );
        let properties = "# db.password=x1\ndb.user=shop\ndb.password=tiger7\n";
        assert_eq!(
            places(Lint::Password, vec![config(text("/etc/shop/db.properties", properties, 0o640))]),
            ["`/etc/shop/db.properties`, line 3, key `db.password`"]
        );
        let properties = "db.password=${DB_PASSWORD}\n";
        assert_eq!(
            places(Lint::Password, vec![config(text("/etc/shop/db.properties", properties, 0o640))]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn scriptlets_that_restart_or_undo() {
        let shell = |kind, body: &str| {
            let mut layout = sample::layout();
            layout.scriptlets = vec![Scriptlet::shell(kind, body.to_owned())];
            layout
        };
        let (post, postun) = (ScriptletKind::PostInstall, ScriptletKind::PostUninstall);
        for (layout, lint, expected) in [
            (shell(post, "# a\nsystemctl try-restart tomcat"), Lint::ServiceRestart, vec!["%post, line 2"]),
            (shell(post, "/sbin/service tomcat restart || :"), Lint::ServiceRestart, vec!["%post, line 1"]),
            (shell(post, "/usr/share/tomcat/bin/shutdown.sh"), Lint::ServiceRestart, vec!["%post, line 1"]),
            (shell(post, "systemctl daemon-reload"), Lint::ServiceRestart, vec![]),
            (shell(post, "# systemctl restart tomcat\necho restart"), Lint::ServiceRestart, vec![]),
            (shell(postun, "[ $1 = 0 ] && systemctl stop shop"), Lint::ServiceRestart, vec![]),
            (shell(postun, "rm -rf /var/cache/shop"), Lint::UpgradeBlindScriptlet, vec!["%postun, line 1"]),
            (shell(postun, "[ $1 = 0 ] && rm -rf /var/cache/shop"), Lint::UpgradeBlindScriptlet, vec![]),
            (shell(post, "rm -rf /var/cache/shop"), Lint::UpgradeBlindScriptlet, vec![]),
        ] {
            assert_eq!(of_layout(lint, &layout), expected, "{}", layout.scriptlets[0].body);
        }
    }

    #[test]
    fn descriptions_that_say_nothing() {
        let described = |text: &str| {
            let mut layout = sample::layout();
            layout.about.description = text.to_owned();
            of_layout(Lint::EmptyDescription, &layout)
        };
        assert_eq!(described(""), ["description"]);
        assert_eq!(described("The shop."), ["description"]);
        assert!(described("The shop of the company, with its basket.").is_empty());
    }
}
