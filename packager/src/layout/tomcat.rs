//! The profile of web applications for Tomcat.

use super::descriptor::{self, Places};
use super::system::quote;
use super::{Entry, EntryKind, LayoutError, Placed, Role, Scriptlet, ScriptletKind, Source, Standing};
use crate::contents::Contents;
use crate::spec::TomcatApplication;
use crate::{PackageSpec, SourceDate};

/// The drop-in's modification time, seconds since 1970: the file is the same in every build, and one that is newer than what
/// systemd has read is another one to it.
const DROP_IN_TIME: u32 = 1;

/// Lays out the application: the WAR in its directory, the descriptor, and a drop-in for Tomcat's unit.
///
/// The WAR lies outside of Tomcat's appBase, where a running Tomcat would delete the descriptor together with it; the
/// descriptor's docBase points there. Directories that no other package owns are owned.
pub(super) fn entries(
    spec: &PackageSpec,
    tomcat: &TomcatApplication,
    contents: &Contents,
    source_date: SourceDate,
) -> Result<Vec<Placed>, LayoutError> {
    let Some(war) = &contents.war else { return Ok(Vec::new()) };
    let name = spec.name();
    let war_directory = format!("/usr/share/{name}");
    let war_path = format!("{war_directory}/{name}.war");
    let has_configuration = spec.configuration.is_some() || !spec.environments.is_empty();
    let configuration = format!("/etc/{name}");
    let work = work_directory(spec, tomcat);
    let places =
        Places { war: &war_path, work: &work, configuration: has_configuration.then_some(configuration.as_str()) };
    let text = match &tomcat.descriptor {
        None => descriptor::render(&places),
        Some(own) => {
            let text = if own.is_complete {
                descriptor::taken_whole(&own.text)
            } else {
                descriptor::extend(&own.text, &places)
            };
            text.map_err(|reason| LayoutError::Descriptor { path: own.path.clone(), reason })?
        }
    };
    let mtime = source_date.seconds();
    let descriptor_path = tomcat.descriptors.join(&format!("{}.xml", tomcat.context.base_name()));
    let entries = [
        Entry::new(war_directory, EntryKind::Directory, 0o755, mtime),
        Entry { role: Role::Config, ..Entry::new(descriptor_path, EntryKind::File(Source::Text(text)), 0o644, mtime) },
        Entry::new(
            war_path,
            EntryKind::File(Source::File(war.path.clone(), war.size)),
            0o644,
            source_date.of_build(spec.build_number()),
        ),
    ];
    let origin = Some(tomcat.location.clone());
    let place = |entry, standing| Placed { entry, origin: origin.clone(), standing };
    let [directory, drop_in] = drop_in(spec, tomcat);
    let named = entries.into_iter().chain([drop_in]).map(|entry| place(entry, Standing::Named));
    Ok(named.chain([place(directory, Standing::Implied)]).collect())
}

/// Has systemd remove, before Tomcat starts, what one left of a build that was stopped, or died, while it unpacked it.
///
/// `META-INF/war-tracker` is in every directory that Tomcat unpacked itself (its `ExpandWar`), and in no other. It comes last:
/// a directory without it is taken for somebody's own by every later Tomcat, and served in place of the WAR. What somebody
/// put there is root's.
fn drop_in(spec: &PackageSpec, tomcat: &TomcatApplication) -> [Entry; 2] {
    let directory = format!("/usr/lib/systemd/system/{}.service.d", tomcat.instance);
    let text = format!(
        "# What is left of a Tomcat that ended while it unpacked {name}.war would be served in its place.\n[Service]\n\
         ExecStartPre=-/bin/sh -c 'test -e \"$$0/META-INF/war-tracker\" || \
         test \"$$(stat -c %%u \"$$0\" 2>/dev/null || echo 0)\" -eq 0 || rm -rf \"$$0\"' {unpacked}\n",
        name = spec.name(),
        unpacked = unit_word(&tomcat.app_base.join(&tomcat.context.base_name())),
    );
    let path = format!("{directory}/{}.conf", spec.name());
    [
        Entry::new(directory, EntryKind::Directory, 0o755, DROP_IN_TIME),
        Entry::new(path, EntryKind::File(Source::Text(text)), 0o644, DROP_IN_TIME),
    ]
}

/// Quotes a word of a command in a unit (systemd.service(5), "Command lines").
fn unit_word(word: &str) -> String {
    let mut quoted = String::from("\"");
    for character in word.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '%' | '$' => quoted.extend([character, character]),
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Removes what Tomcat unpacked and compiled, when the package is erased (`$1` is 0); when it is upgraded or downgraded,
/// what was compiled of this build, and what was unpacked of it in part (see [`drop_in`]), unless Tomcat runs. Has systemd
/// read the drop-in when it came or went.
///
/// Both paths are directly below directories that belong to root's packages: `rm` follows no link that Tomcat could plant.
pub(super) fn scriptlets(spec: &PackageSpec, tomcat: &TomcatApplication) -> Vec<Scriptlet> {
    let unpacked = tomcat.app_base.join(&tomcat.context.base_name());
    let tracker = quote(&format!("{unpacked}/META-INF/war-tracker"));
    let (service, unpacked) = (&tomcat.instance, quote(&unpacked));
    let work = quote(&work_directory(spec, tomcat));
    let all_work = quote(&tomcat.work.join(&format!("{}@", spec.name())));
    // Not NeedDaemonReload, which systemd says of files that it knows of.
    let drop_in = quote(&format!("/{service}.service.d/{}.conf", spec.name()));
    let known = format!("systemctl show -p DropInPaths {service} 2>/dev/null | grep -qF {drop_in}");
    let reload = "systemctl daemon-reload >/dev/null 2>&1 || :";
    let came = format!("if [ -d /run/systemd/system ] && ! {known}; then\n    {reload}\nfi");
    let body = format!(
        "if [ \"$1\" -eq 0 ]; then\n    rm -rf {all_work}*\n    if [ -e {tracker} ]; then\n        \
         rm -rf {unpacked}\n    fi\n    if {known}; then\n        {reload}\n    fi\nelse\n    case \"$(systemctl is-active {service} 2>/dev/null)\" in\n        \
         active|*ing) ;;\n        *)\n            rm -rf {work}\n            \
         if [ ! -e {tracker} ] && [ \"$(stat -c %u {unpacked} 2>/dev/null || echo 0)\" -ne 0 ]; then\n                \
         rm -rf {unpacked}\n            fi\n            ;;\n    esac\nfi"
    );
    vec![Scriptlet::shell(ScriptletKind::PostUninstall, body), Scriptlet::shell(ScriptletKind::PostTransaction, came)]
}

/// Where Tomcat keeps what it compiles of this build's pages, and its temporary files.
///
/// Jasper compiles a page again only when its time differs, and the pages of reproducible WARs all have the same: with
/// one directory for all builds it would serve the pages of the build before.
fn work_directory(spec: &PackageSpec, tomcat: &TomcatApplication) -> String {
    let (name, evr) = (spec.name(), spec.evr());
    tomcat.work.join(&format!("{name}@{}-{}", evr.version(), evr.release()))
}
