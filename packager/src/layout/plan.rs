//! Plans a package's layout.

use crate::SourceDate;
use crate::contents::Contents;
use crate::spec::PackageSpec;

use super::placed::merge;
use super::{About, Dependencies, LayoutError, PackageLayout, Scriptlet, environment_choice, system, tomcat};

/// Lays out a package.
pub(crate) fn plan(
    spec: &PackageSpec,
    contents: &Contents,
    source_date: SourceDate,
) -> Result<PackageLayout, LayoutError> {
    let mut placed = contents.placed.clone();
    placed.extend(system::entries(spec, source_date));
    placed.extend(environment_choice::entries(spec, source_date));
    let mut generated = system::scriptlets(spec);
    if let Some(application) = &spec.tomcat {
        placed.extend(tomcat::entries(spec, application, contents, source_date)?);
        generated.extend(tomcat::scriptlets(spec, application));
    }
    let entries = merge(placed)?;
    let mut dependencies = spec.dependencies.clone();
    dependencies.requires.extend(system::requires(spec));
    if entries.is_empty() && dependencies == Dependencies::default() {
        return Err(LayoutError::Nothing(spec.location.to_string(), spec.name().to_string()));
    }
    Ok(PackageLayout {
        about: about(spec),
        target: spec.target,
        compression: spec.compression,
        source_date,
        dependencies,
        entries,
        scriptlets: join(spec, generated)?,
        triggers: spec.triggers.clone(),
        changelog: spec.changelog.clone(),
    })
}

fn about(spec: &PackageSpec) -> About {
    About {
        nevra: spec.nevra(),
        summary: spec.summary.clone(),
        description: spec.description.clone(),
        license: spec.license.clone(),
        url: spec.url.clone(),
        vendor: spec.vendor.clone(),
        group: spec.group.clone(),
        packager: spec.packager.clone(),
        build_host: None,
        dist_url: None,
        vcs: None,
        bug_url: spec.bug_url.clone(),
    }
}

/// Joins the scriptlets that were generated with the spec's own, which come after them, to one of each kind.
fn join(spec: &PackageSpec, generated: Vec<Scriptlet>) -> Result<Vec<Scriptlet>, LayoutError> {
    let mut joined: Vec<Scriptlet> = Vec::new();
    for scriptlet in generated.into_iter().chain(spec.scripts.iter().cloned()) {
        match joined.iter_mut().find(|other| other.kind == scriptlet.kind) {
            None => joined.push(scriptlet),
            Some(first) if first.interpreter == scriptlet.interpreter => {
                first.body = format!("{}\n{}", first.body, scriptlet.body);
            }
            Some(_) => {
                let interpreter = scriptlet.interpreter.join(" ");
                return Err(LayoutError::Interpreter(spec.location.to_string(), interpreter));
            }
        }
    }
    joined.sort_by_key(|scriptlet| scriptlet.kind);
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Entry, Overrides, ScriptletKind, SpecFile, Variables};

    /// The shortest zip archive: an end of central directory, and nothing else.
    const EMPTY_ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    const TOMCAT: &str = "name='shop'\n[tomcat]\nwar='app.war'\n";

    fn specs(directory: &Path, text: &str) -> Vec<PackageSpec> {
        let write = |name: &str, content: &[u8]| {
            let path = directory.join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, content).unwrap();
        };
        write("app.war", EMPTY_ZIP);
        write("config/app.properties", b"a=1\n");
        write("config/Catalina/localhost/x.xml", b"");
        write("files/shop.service", b"[Unit]\n");
        write("files/own.xml", b"<Context><A b=\"${PKG_EVR}\"/></Context>");
        write("files/10-shop.conf", b"[Service]\n");
        let head = "summary='s'\nlicense='MIT'\nversion='1'\nrelease='57'\n";
        let file = SpecFile::parse(&directory.join("x.toml"), format!("{head}{text}")).unwrap();
        file.resolve(&Variables::default(), &Overrides::default()).unwrap()
    }

    fn try_layout(spec: &PackageSpec) -> Result<PackageLayout, LayoutError> {
        let date = SourceDate::from_seconds(1000).unwrap();
        plan(spec, &Contents::gather(spec, date).unwrap(), date)
    }

    fn layouts(text: &str) -> Vec<PackageLayout> {
        let directory = tempfile::tempdir().unwrap();
        specs(directory.path(), text).iter().map(|spec| try_layout(spec).unwrap()).collect()
    }

    fn error(text: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let error = try_layout(&specs(directory.path(), text)[0]).unwrap_err().to_string();
        error.replace(directory.path().to_str().unwrap(), "DIR")
    }

    fn rows(layout: &PackageLayout) -> Vec<String> {
        let row = |e: &Entry| format!("{} {:o} {}:{} {} {:?}", e.path, e.mode(), e.user, e.group, e.mtime, e.role);
        layout.entries.iter().map(row).collect()
    }

    fn script(layout: &PackageLayout, kind: ScriptletKind) -> &str {
        layout.scriptlets.iter().find(|script| script.kind == kind).map_or("", |script| &script.body)
    }

    #[test]
    fn lays_out_an_application() {
        let text =
            format!("{TOMCAT}context='/a/b'\ninstance='tomcat10'\ngroup='web'\n[configuration]\ndirectory='config'");
        let layout = layouts(&text).remove(0);
        assert_eq!(
            rows(&layout),
            [
                "/etc/shop 40750 root:web 1000 Plain",
                "/etc/shop/Catalina 40750 root:web 1000 Plain",
                "/etc/shop/Catalina/localhost 40750 root:web 1000 Plain",
                "/etc/shop/Catalina/localhost/x.xml 100640 root:web 1000 ConfigNoReplace",
                "/etc/shop/app.properties 100640 root:web 1000 ConfigNoReplace",
                "/etc/tomcat10/Catalina/localhost/a#b.xml 100644 root:root 1000 Config",
                "/usr/lib/systemd/system/tomcat10.service.d 40755 root:root 1 Plain",
                "/usr/lib/systemd/system/tomcat10.service.d/shop.conf 100644 root:root 1 Plain",
                "/usr/share/shop 40755 root:root 1000 Plain",
                "/usr/share/shop/shop.war 100644 root:root 1057 Plain",
            ]
        );
        let script = script(&layout, ScriptletKind::PostUninstall);
        assert!(script.contains("rm -rf '/var/lib/tomcat10/webapps/a#b'"), "{script}");
        assert!(script.contains("rm -rf '/var/cache/tomcat10/shop@1-57'"), "{script}");
    }

    #[test]
    fn a_descriptor_of_ones_own_is_merged_or_replaces() {
        let text = |layout: &PackageLayout| {
            let entry = layout.entries.iter().find(|entry| entry.path.ends_with("/shop.xml")).unwrap();
            let Some(crate::Source::Text(text)) = entry.source() else { panic!("no text") };
            text.clone()
        };
        let own = format!("{TOMCAT}descriptor='files/own.xml'\n");
        assert_eq!(
            text(&layouts(&own)[0]),
            "<Context docBase=\"/usr/share/shop/shop.war\" workDir=\"/var/cache/tomcat/shop@1-57\"><A b=\"${PKG_EVR}\"/></Context>"
        );
        let layout = layouts(&format!("{own}replace_descriptor=true\nexpand_descriptor=true")).remove(0);
        assert_eq!(text(&layout), "<Context><A b=\"1-57\"/></Context>");
        let findings = crate::lint::check(&crate::lint::Subject::of_layout(&layout));
        assert!(findings.iter().any(|finding| finding.lint == crate::lint::Lint::DocBaseElsewhere), "{findings:?}");
        let text = format!("{TOMCAT}descriptor='files/shop.service'\nreplace_descriptor=true");
        assert_eq!(error(&text), "DIR/files/shop.service: is not well-formed XML: it ends too early");
    }

    #[test]
    fn places_can_be_set() {
        let text = format!(
            "{TOMCAT}app_base=\"/srv/a'b\"\ndescriptors='/opt/tomcat/conf/Catalina/shop'\nwork='/opt/tomcat/work'"
        );
        let layout = layouts(&text).remove(0);
        let paths: Vec<_> = layout.entries.iter().map(|e| e.path.as_str()).collect();
        let expected = [
            "/opt/tomcat/conf/Catalina/shop/shop.xml",
            "/usr/lib/systemd/system/tomcat.service.d",
            "/usr/lib/systemd/system/tomcat.service.d/shop.conf",
            "/usr/share/shop",
            "/usr/share/shop/shop.war",
        ];
        assert_eq!(paths, expected);
        let drop_in = layout.entries[2].source();
        assert!(
            matches!(drop_in, Some(crate::Source::Text(text)) if text.ends_with(" \"/srv/a'b/shop\"\n")),
            "{drop_in:?}"
        );
        let script = script(&layout, ScriptletKind::PostUninstall);
        assert!(
            script.contains("rm -rf '/srv/a'\\''b/shop'\n") && script.contains("'/opt/tomcat/work/shop@1-57'"),
            "{script}"
        );
    }

    #[test]
    fn environments_are_packages_of_which_a_host_has_one() {
        let text = format!(
            "requires=['tomcat']\n{TOMCAT}[environments.dev]\ndirectory='config'\n\
             [environments.prod]\ndirectory='config'\nrequires=['environment(prod)']"
        );
        let layouts = layouts(&text);
        let names: Vec<_> = layouts.iter().map(|layout| layout.about.nevra.to_string()).collect();
        let expected = ["shop", "shop-config-dev", "shop-config-prod", "shop-config-none"];
        assert_eq!(names, expected.map(|name| format!("{name}-1-57.noarch")));
        let show = |list: &[rpm_header::Dependency]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(show(&layouts[0].dependencies.requires), ["tomcat", "shop-config = 1-57"]);
        assert_eq!(show(&layouts[1].dependencies.requires), ["tomcat"]);
        assert_eq!(show(&layouts[2].dependencies.requires), ["tomcat", "environment(prod)"]);
        assert_eq!(show(&layouts[1].dependencies.provides), ["shop-config = 1-57"]);
        assert_eq!(show(&layouts[1].dependencies.conflicts), ["shop-config"]);
        assert!(
            rows(&layouts[2]).contains(&"/etc/shop/app.properties 100640 root:tomcat 1000 ConfigNoReplace".to_owned())
        );
        assert_eq!(layouts[1].entries.len(), 5);
        assert_eq!(layouts[1].scriptlets.len(), 1);
        let said = script(&layouts[1], ScriptletKind::PostInstall);
        assert!(said.contains("echo 'shop: this host has the configuration of the environment dev'"), "{said}");
        // What nobody chose: suggested, and in the application's way.
        assert_eq!(show(&layouts[0].dependencies.suggests), ["shop-config-none = 1-57"]);
        assert_eq!(show(&layouts[3].dependencies.requires), Vec::<String>::new());
        assert_eq!(show(&layouts[3].dependencies.provides), ["shop-config = 1-57"]);
        let choices = |layout: &PackageLayout| {
            let entries = layout.entries.iter().filter(|entry| entry.path.contains("/choose-one/"));
            entries.map(|entry| (entry.path.clone(), format!("{:?}", entry.source()))).collect::<Vec<_>>()
        };
        let (of_application, of_none) = (choices(&layouts[0]), choices(&layouts[3]));
        assert_eq!(of_none[0].0, "/usr/share/shop/choose-one/shop-config-dev");
        assert_eq!(of_none[1].0, "/usr/share/shop/choose-one/shop-config-prod");
        for (one, other) in of_application.iter().zip(&of_none) {
            assert!(one.0 == other.0 && one.1 != other.1, "{one:?} {other:?}");
        }
        assert_eq!(crate::layout::check_together(&layouts.iter().collect::<Vec<_>>()), Ok(()));
        let descriptor = layouts[0].entries[0].source();
        assert!(matches!(descriptor, Some(crate::Source::Text(text)) if text.contains("base=\"/etc/shop\"")));
    }

    #[test]
    fn systemd_units_and_users_bring_their_scriptlets() {
        let text = "name='shop'\ntmpfiles=['d /run/shop']\n[[users]]\nname='shop'\n[[systemd]]\nsource='files/shop.service'\n\
                    [[systemd]]\nsource='files/10-shop.conf'\ndrop_in_of='tomcat.service'\n\
                    [scripts]\npost='echo own'\npreun='exit 0'";
        let layout = layouts(text).remove(0);
        assert_eq!(
            rows(&layout),
            [
                "/usr/lib/systemd/system/shop.service 100644 root:root 1000 Plain",
                "/usr/lib/systemd/system/tomcat.service.d 40755 root:root 1000 Plain",
                "/usr/lib/systemd/system/tomcat.service.d/10-shop.conf 100644 root:root 1000 Plain",
                "/usr/lib/sysusers.d/shop.conf 100644 root:root 1000 Plain",
                "/usr/lib/tmpfiles.d/shop.conf 100644 root:root 1000 Plain",
            ]
        );
        assert!(script(&layout, ScriptletKind::PreInstall).contains("useradd -r -M -g 'shop' -d '/'"));
        let post = script(&layout, ScriptletKind::PostInstall);
        assert!(post.contains("systemctl --no-reload preset 'shop.service'") && post.ends_with("\necho own"), "{post}");
        assert!(script(&layout, ScriptletKind::PreUninstall).ends_with("fi\nexit 0"));
        assert!(script(&layout, ScriptletKind::PostTransaction).contains("daemon-reload"));
        assert!(layout.scriptlets.iter().all(|script| !script.body.contains("restart")));
        assert_eq!(layout.dependencies.requires[0].name, "shadow-utils");
    }

    #[test]
    fn refuses() {
        let contents = "[[contents]]\ntype='file'\nsource='app.war'\ndestination=";
        for (text, expected) in [
            (
                format!("name='a'\n{contents}'/a/x'\n{contents}'/a/x'"),
                "DIR/x.toml:10: `/a/x` is also installed by DIR/x.toml:6",
            ),
            (
                format!("{TOMCAT}{contents}'/usr/share/shop/shop.war'"),
                "DIR/x.toml:7: `/usr/share/shop/shop.war` is also installed by DIR/x.toml:8",
            ),
            (
                format!("name='a'\n{contents}'/a'\n{contents}'/a/x'"),
                "DIR/x.toml:10: `/a/x` would lie below `/a`, which is no directory",
            ),
            ("name='a'".to_owned(), "DIR/x.toml: the package `a` has no contents, and nothing that it requires"),
            (
                "name='a'\n[[systemd]]\nsource='files/shop.service'\n[scripts]\npost={interpreter='<lua>', body='x()'}"
                    .to_owned(),
                "DIR/x.toml: a script of the package's own would have to be joined with one for `<lua>`; allowed is \
                 `/bin/sh`",
            ),
        ] {
            assert_eq!(error(&text), expected);
        }
    }
}
