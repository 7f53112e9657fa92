//! Each feature of a package, written from a layout, held against what rpmbuild makes of an equivalent .spec.

use std::path::{Path, PathBuf};

use packager::{
    Compression, Dependencies, Entry, EntryKind, PackageLayout, Role, Scriptlet, ScriptletKind, Trigger, TriggerKind,
};
use rpm_header::{ChangelogEntry, Dependency};

use crate::against_rpmbuild::{assert_differ, tags};
use crate::layouts::{entry, file, layout};
use crate::workshop::run;

/// A feature, in rpmbuild's terms and in ours.
#[derive(Default)]
struct Feature {
    name: &'static str,
    /// Lines before `%description`.
    preamble: &'static str,
    /// Fills `$root`.
    install: &'static str,
    /// Sections after `%install`, `%files` among them.
    sections: &'static str,
    defines: &'static [(&'static str, &'static str)],
    /// Tags that always differ, and are missing here on both sides.
    missing: &'static [&'static str],
    layout: Option<fn(&mut PackageLayout, &Path)>,
}

/// There is nothing of files where there is none, and the payload is the same byte for byte.
const FILE_TAGS: &[&str] = &["Classdict", "Fileclass", "Filecolors", "Filemtimes", "Payloaddigest", "Payloaddigestalt"];

fn needs(name: &str, sign: &str, version: &str) -> Dependency {
    let flags = [("<", Dependency::LESS), (">", Dependency::GREATER), ("=", Dependency::EQUAL)];
    let flags = flags.iter().filter(|(part, _)| sign.contains(part)).map(|(_, flag)| flag).sum();
    Dependency { name: name.to_owned(), flags, version: version.to_owned() }
}

fn scriptlet(kind: ScriptletKind, interpreter: &[&str], body: &str) -> Scriptlet {
    Scriptlet { kind, interpreter: interpreter.iter().map(ToString::to_string).collect(), body: body.to_owned() }
}

fn trigger(kind: TriggerKind, watches: Vec<Dependency>, interpreter: &str, body: &str) -> Trigger {
    Trigger { kind, watches, interpreter: vec![interpreter.to_owned()], body: body.to_owned(), priority: None }
}

/// Builds both packages and compares every tag.
fn compare(feature: &Feature) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let install = format!("set -e; umask 022; root={}\n{}", root.display(), feature.install);
    run("/bin/sh", &["-c", &install]);
    let mut layout = layout();
    if let Some(change) = feature.layout {
        change(&mut layout, &root);
    }
    let ours = packager::pack(&layout, &directory.path().join("out"), None).unwrap();
    let theirs = rpmbuild(feature, directory.path());
    assert_differ(feature.name, &tags(&ours.path), &tags(&theirs), feature.missing, &[]);
    let path = ours.path.to_str().unwrap();
    assert_eq!(run("rpm", &["-K", path]), format!("{path}: digests OK\n"));
}

fn rpmbuild(feature: &Feature, directory: &Path) -> PathBuf {
    let Feature { preamble, install, sections, .. } = feature;
    let nevra = if preamble.contains("Version:") { "" } else { "Version: 1.0\nRelease: 1\n" };
    let arch = if preamble.contains("BuildArch:") { "" } else { "BuildArch: noarch\n" };
    let sections = if sections.contains("%files") { (*sections).to_owned() } else { format!("{sections}\n%files\n") };
    let spec = format!(
        "Name: feature\n{nevra}{arch}Summary: A feature\nLicense: MIT\n{preamble}\n%description\nA feature.\n\
         %install\nroot=%{{buildroot}}; mkdir -p $root\n{install}\n{sections}\n"
    );
    let path = directory.join("feature.spec");
    std::fs::write(&path, spec).unwrap();
    let mut defines = vec![
        format!("_topdir {}", directory.display()),
        "__os_install_post %{nil}".to_owned(),
        "debug_package %{nil}".to_owned(),
    ];
    if !feature.defines.iter().any(|(name, _)| *name == "_binary_payload") {
        defines.push("_binary_payload w3.zstdio".to_owned());
    }
    defines.extend(feature.defines.iter().map(|(name, value)| format!("{name} {value}")));
    let defines = defines.iter().flat_map(|define| ["--define", define]);
    let arguments: Vec<_> = ["-bb", path.to_str().unwrap()].into_iter().chain(defines).collect();
    run("rpmbuild", &arguments);
    let found = run("find", &[directory.join("RPMS").to_str().unwrap(), "-name", "feature-*.rpm"]);
    PathBuf::from(found.trim())
}

#[test]
fn nothing_at_all() {
    compare(&Feature { name: "an empty package", missing: FILE_TAGS, ..Feature::default() });
}

#[test]
fn links_ghosts_directories_modes_and_owners() {
    compare(&Feature {
        name: "kinds of files",
        install: "mkdir -p $root/opt/x/empty $root/opt/x/unmade; cd $root/opt/x; echo a > file; ln -s file link; \
                  ln -s ../x/file 'other link'; touch ghost; echo é > 'ümläut ✓'; echo b > tool",
        sections: "%files\n%dir %attr(0755,root,root) /opt/x\n%dir %attr(2750,root,web) /opt/x/empty\n\
                   %attr(0640,shop,web) /opt/x/file\n%ghost %attr(0600,shop,shop) /opt/x/ghost\n/opt/x/link\n\
                   \"/opt/x/other link\"\n%attr(4755,root,root) /opt/x/tool\n%ghost %dir %attr(0700,root,web) /opt/x/unmade\n\
                   %attr(0644,root,root) \"/opt/x/ümläut ✓\"\n",
        layout: Some(|layout, root| {
            let owned =
                |entry: Entry, user: &str, group: &str| Entry { user: user.into(), group: group.into(), ..entry };
            layout.entries = vec![
                entry("/opt/x", EntryKind::Directory, 0o755),
                owned(entry("/opt/x/empty", EntryKind::Directory, 0o2750), "root", "web"),
                owned(file(root, "/opt/x/file", 0o640), "shop", "web"),
                owned(entry("/opt/x/ghost", EntryKind::GhostFile, 0o600), "shop", "shop"),
                entry("/opt/x/link", EntryKind::Symlink("file".to_owned()), 0o777),
                entry("/opt/x/other link", EntryKind::Symlink("../x/file".to_owned()), 0o777),
                file(root, "/opt/x/tool", 0o4755),
                owned(entry("/opt/x/unmade", EntryKind::GhostDirectory, 0o700), "root", "web"),
                file(root, "/opt/x/ümläut ✓", 0o644),
            ];
        }),
        ..Feature::default()
    });
}

#[test]
fn roles_and_capabilities() {
    compare(&Feature {
        name: "roles",
        install: "mkdir -p $root/etc/x; cd $root/etc/x; for name in a b c d doc license tool; do echo $name > $name; done",
        sections: "%files\n%defattr(0644,root,root)\n%config /etc/x/a\n%config(noreplace) /etc/x/b\n\
                   %config(missingok) /etc/x/c\n%config(noreplace,missingok) /etc/x/d\n%doc /etc/x/doc\n\
                   %license /etc/x/license\n%attr(0755,root,root) %caps(cap_net_bind_service=ep) /etc/x/tool\n",
        layout: Some(|layout, root| {
            let of = |name: &str, role| Entry { role, ..file(root, &format!("/etc/x/{name}"), 0o644) };
            layout.entries = vec![
                of("a", Role::Config),
                of("b", Role::ConfigNoReplace),
                of("c", Role::ConfigMissingOk),
                of("d", Role::ConfigNoReplaceMissingOk),
                of("doc", Role::Documentation),
                of("license", Role::License),
                Entry { capabilities: Some("cap_net_bind_service=ep".to_owned()), ..file(root, "/etc/x/tool", 0o755) },
            ];
        }),
        ..Feature::default()
    });
}

#[test]
fn dependencies_of_every_kind() {
    compare(&Feature {
        name: "dependencies",
        preamble: "Provides: shop = 1:2-3\nProvides: unversioned\nRequires: java < 22\nRequires: java >= 1:17\n\
                   Requires: /bin/sh\nRequires(pre): shadow-utils\nRequires: (tomcat or jetty >= 9~rc1)\n\
                   Conflicts: old <= 1\nConflicts: (a with b)\nObsoletes: older < 2^git1\nRecommends: nginx\n\
                   Suggests: (docs if man-db)\nSupplements: langpack > 1\nEnhances: desktop\n",
        missing: FILE_TAGS,
        layout: Some(|layout, _| {
            let plain = |name: &str| needs(name, "", "");
            layout.dependencies = Dependencies {
                provides: vec![needs("shop", "=", "1:2-3"), plain("unversioned")],
                requires: vec![
                    needs("java", "<", "22"),
                    needs("java", ">=", "1:17"),
                    plain("/bin/sh"),
                    Dependency { flags: 1 << 9, ..plain("shadow-utils") },
                    plain("(tomcat or jetty >= 9~rc1)"),
                ],
                conflicts: vec![needs("old", "<=", "1"), plain("(a with b)")],
                obsoletes: vec![needs("older", "<", "2^git1")],
                recommends: vec![plain("nginx")],
                suggests: vec![plain("(docs if man-db)")],
                supplements: vec![needs("langpack", ">", "1")],
                enhances: vec![plain("desktop")],
            };
        }),
        ..Feature::default()
    });
}

#[test]
fn scriptlets_of_every_kind() {
    compare(&Feature {
        name: "scriptlets",
        sections: "%pretrans -p <lua>\nprint('before')\n%pre\necho pre $1\n%post -p /sbin/ldconfig\n\
                   %preun -p \"/bin/bash -x\"\necho preun\n%postun\necho one\n\necho two\n%posttrans -p /usr/bin/python3\n\
                   print()\n%verifyscript\ntrue\n",
        missing: FILE_TAGS,
        layout: Some(|layout, _| {
            layout.scriptlets = vec![
                scriptlet(ScriptletKind::PostTransaction, &["/usr/bin/python3"], "print()"),
                scriptlet(ScriptletKind::PreTransaction, &["<lua>"], "print('before')"),
                scriptlet(ScriptletKind::PreInstall, &["/bin/sh"], "echo pre $1"),
                scriptlet(ScriptletKind::PostInstall, &["/sbin/ldconfig"], ""),
                scriptlet(ScriptletKind::PreUninstall, &["/bin/bash", "-x"], "echo preun"),
                scriptlet(ScriptletKind::PostUninstall, &["/bin/sh"], "echo one\n\necho two"),
                scriptlet(ScriptletKind::Verify, &["/bin/sh"], "true"),
            ];
        }),
        ..Feature::default()
    });
}

#[test]
fn triggers_of_every_kind() {
    compare(&Feature {
        name: "triggers",
        sections: "%triggerin -- tomcat >= 9, java\necho in\n%triggerprein -- tomcat\necho prein\n\
                   %triggerun -p <lua> -- java < 11\nprint('un')\n%triggerpostun -- tomcat\necho postun\n\
                   %filetriggerin -- /usr/share/java /opt\necho file in\n\
                   %filetriggerun -P 2000 -p /bin/bash -- /usr/share/java\necho file un\n\
                   %filetriggerpostun -- /srv\necho file postun\n%transfiletriggerin -P 5 -- /usr/lib\necho trans in\n\
                   %transfiletriggerun -- /usr/lib\necho trans un\n%transfiletriggerpostun -- /usr/lib\n\
                   echo trans postun\n",
        missing: FILE_TAGS,
        layout: Some(|layout, _| {
            let plain = |names: &[&str]| names.iter().map(|name| needs(name, "", "")).collect::<Vec<_>>();
            let sh = |kind, watches, body| trigger(kind, watches, "/bin/sh", body);
            layout.triggers = vec![
                sh(TriggerKind::Install, vec![needs("tomcat", ">=", "9"), needs("java", "", "")], "echo in"),
                sh(TriggerKind::PreInstall, plain(&["tomcat"]), "echo prein"),
                trigger(TriggerKind::Uninstall, vec![needs("java", "<", "11")], "<lua>", "print('un')"),
                sh(TriggerKind::PostUninstall, plain(&["tomcat"]), "echo postun"),
                sh(TriggerKind::FileInstall, plain(&["/usr/share/java", "/opt"]), "echo file in"),
                Trigger {
                    priority: Some(2000),
                    ..trigger(TriggerKind::FileUninstall, plain(&["/usr/share/java"]), "/bin/bash", "echo file un")
                },
                sh(TriggerKind::FilePostUninstall, plain(&["/srv"]), "echo file postun"),
                Trigger {
                    priority: Some(5),
                    ..sh(TriggerKind::TransactionFileInstall, plain(&["/usr/lib"]), "echo trans in")
                },
                sh(TriggerKind::TransactionFileUninstall, plain(&["/usr/lib"]), "echo trans un"),
                sh(TriggerKind::TransactionFilePostUninstall, plain(&["/usr/lib"]), "echo trans postun"),
            ];
        }),
        ..Feature::default()
    });
}

#[test]
fn what_a_package_says_of_itself() {
    compare(&Feature {
        name: "identity",
        preamble: "Version: 2.0~rc1^git5\nRelease: 7.el9\nEpoch: 3\nBuildArch: x86_64\nURL: https://shop.example/\n\
                   Vendor: Example\nGroup: Applications/Internet\nPackager: Ana <ana@shop.example>\n\
                   VCS: git:https://shop.example/shop.git\nBugURL: https://bugs.shop.example/\n",
        defines: &[("disturl", "https://ci.shop.example/57")],
        sections: "%changelog\n* Wed Nov 15 2023 Ana <ana@shop.example> - 2.0-7\n- the new basket\n- more\n\n\
                   * Tue Nov 14 2023 Björn <b@shop.example> - 2.0-6\n- ümläute\n",
        missing: FILE_TAGS,
        layout: Some(|layout, _| {
            let about = &mut layout.about;
            about.nevra = "feature-3:2.0~rc1^git5-7.el9.x86_64".parse().unwrap();
            about.url = Some("https://shop.example/".to_owned());
            about.vendor = Some("Example".to_owned());
            about.group = Some("Applications/Internet".to_owned());
            about.packager = Some("Ana <ana@shop.example>".to_owned());
            about.dist_url = Some("https://ci.shop.example/57".to_owned());
            about.vcs = Some("git:https://shop.example/shop.git".to_owned());
            about.bug_url = Some("https://bugs.shop.example/".to_owned());
            let entry = |author: &str, time, text: &str| ChangelogEntry {
                author: author.to_owned(),
                time,
                text: text.to_owned(),
            };
            layout.changelog = vec![
                entry("Ana <ana@shop.example> - 2.0-7", 1_700_049_600, "- the new basket\n- more"),
                entry("Björn <b@shop.example> - 2.0-6", 1_699_963_200, "- ümläute"),
            ];
        }),
        ..Feature::default()
    });
}

#[test]
fn compressors() {
    let files = Feature {
        install: "mkdir -p $root/opt; seq 9000 > $root/opt/file",
        sections: "%files\n%attr(0644,root,root) /opt/file\n",
        ..Feature::default()
    };
    compare(&Feature {
        name: "gzip",
        defines: &[("_binary_payload", "w9.gzdio")],
        layout: Some(|layout, root| of(layout, root, Compression::Gzip(9))),
        ..files
    });
    compare(&Feature {
        name: "xz",
        defines: &[("_binary_payload", "w2.xzdio")],
        layout: Some(|layout, root| of(layout, root, Compression::Xz(2))),
        ..files
    });
    compare(&Feature {
        name: "none",
        defines: &[("_binary_payload", "w.ufdio")],
        layout: Some(|layout, root| of(layout, root, Compression::None)),
        ..files
    });
}

fn of(layout: &mut PackageLayout, root: &Path, compression: Compression) {
    layout.compression = compression;
    layout.entries = vec![file(root, "/opt/file", 0o644)];
}
