//! The text of `pkg inspect NEW --against OLD`.

use std::collections::BTreeMap;

use packager::preflight::{
    ConfigurationChange, DependencyChange, Direction, EditFate, FileChange, Preflight, ScriptRun, Transition,
};

use crate::render::printable;

/// Lays out a preflight, without a line end at the end.
pub(super) fn report(preflight: &Preflight) -> String {
    let way = |direction| match direction {
        Direction::Upgrade => "upgrade",
        Direction::Downgrade => "downgrade",
        Direction::Reinstall => "same version",
    };
    let (old, new) = (printable(&preflight.old), printable(&preflight.new));
    let (forward, back) = (&preflight.forward, &preflight.back);
    let mut lines = vec![format!("{old} → {new} ({}), and back ({})", way(forward.direction), way(back.direction))];
    let refused = [(forward, "forward"), (back, "back")].into_iter().flat_map(|(way, name)| refusals(way, name));
    section(&mut lines, "rpm refuses", refused.collect());
    section(&mut lines, "Configuration that somebody edited", configuration(preflight));
    let lost = preflight.edits_lost_by_rollback.iter();
    let lost = lost.map(|lost| format!("{}  (found again in {})", printable(&lost.path), printable(&lost.kept_as)));
    section(&mut lines, "Edits lost by going forward and back", lost.collect());
    let files = &preflight.files;
    section(&mut lines, "Files added", files.added.iter().map(|path| printable(path)).collect());
    section(&mut lines, "Files removed", files.removed.iter().map(|path| printable(path)).collect());
    section(&mut lines, "Files changed", files.changed.iter().map(file).collect());
    section(&mut lines, "Dependencies", preflight.dependencies.iter().map(dependency).collect());
    let jars = preflight.jars.iter().map(|jar| {
        let component = printable(&jar.component);
        if jar.other_bytes {
            let versions = jar.after.iter().map(|version| printable(version)).collect::<Vec<_>>().join(", ");
            return format!("{component} {versions}: other bytes under the same version");
        }
        change(&format!("{component} "), &jar.before, &jar.after)
    });
    section(&mut lines, "Jars", jars.collect());
    section(&mut lines, "Scripts forward", scripts(forward));
    section(&mut lines, "Scripts back", scripts(back));
    if lines.len() == 1 {
        lines.extend([String::new(), "No difference that matters to a host.".to_owned()]);
    }
    lines.join("\n")
}

fn section(lines: &mut Vec<String>, title: &str, content: Vec<String>) {
    if !content.is_empty() {
        lines.extend([String::new(), title.to_owned()]);
        lines.extend(content.into_iter().map(|line| format!("  {line}")));
    }
}

fn refusals(transition: &Transition, name: &'static str) -> Vec<String> {
    let line = |refusal: &packager::preflight::Refusal| {
        let certainty = if refusal.certain { "" } else { ", where the link leads to a directory" };
        let path = printable(&refusal.path);
        format!("{name}: {path} turns from a {} into a {}{certainty}", refusal.before, refusal.after)
    };
    transition.refusals.iter().map(line).collect()
}

/// One line for each file whose edits don't simply stay.
fn configuration(preflight: &Preflight) -> Vec<String> {
    let back: BTreeMap<&str, EditFate> =
        preflight.back.configuration.iter().map(|change| (change.path.as_str(), change.edited)).collect();
    let line = |change: &ConfigurationChange| {
        let back = back.get(change.path.as_str()).map_or("", |back| fate(*back));
        format!("{}  forward: {}; back: {back}", printable(&change.path), fate(change.edited))
    };
    preflight.forward.configuration.iter().map(line).collect()
}

fn fate(fate: EditFate) -> &'static str {
    match fate {
        EditFate::Kept => "stays",
        EditFate::KeptBesideNew => "stays, the package's beside it as .rpmnew",
        EditFate::Replaced => "replaced, moved to .rpmsave",
        EditFate::Removed => "gone, moved to .rpmsave",
        EditFate::ReplacedAsOriginal => "one that is there already is moved to .rpmorig",
    }
}

fn file(change: &FileChange) -> String {
    let aspect = |aspect: &packager::preflight::Aspect| match aspect.what {
        "content" => "content".to_owned(),
        what => format!("{what} {} → {}", or_none(&aspect.before), or_none(&aspect.after)),
    };
    let aspects: Vec<String> = change.aspects.iter().map(aspect).collect();
    format!("{}  {}", printable(&change.path), aspects.join(", "))
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { printable(text) }
}

fn dependency(dependency: &DependencyChange) -> String {
    change(&format!("{} ", dependency.kind), &dependency.before, &dependency.after)
}

/// `+ …` for what is new, `- …` for what is gone, `before → after` otherwise.
fn change(what: &str, before: &[String], after: &[String]) -> String {
    let list = |texts: &[String]| texts.iter().map(|text| printable(text)).collect::<Vec<_>>().join(", ");
    match (before, after) {
        ([], after) => format!("+ {what}{}", list(after)),
        (before, []) => format!("- {what}{}", list(before)),
        (before, after) => format!("{what}{} → {}", list(before), list(after)),
    }
}

fn scripts(transition: &Transition) -> Vec<String> {
    let line = |run: &ScriptRun| {
        let argument = run.argument.map(|argument| format!(" {argument}")).unwrap_or_default();
        let condition = run.condition.as_deref().map(|when| format!(" (if {})", printable(when))).unwrap_or_default();
        format!("{} {}{argument}{condition}", printable(&run.package), run.script)
    };
    transition.scripts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use rpm_header::{Dependency, FileEntry, PackageHeader};

    use super::*;
    use crate::commands::inspect::tests::sample;

    const REPORT: &str = "\
app-1:1.4.0-57.noarch → app-1:1.5.0-58.noarch (upgrade), and back (downgrade)

rpm refuses
  forward: /usr/share/app/exploded.war turns from a directory into a file

Configuration that somebody edited
  /etc/app/app.properties  forward: replaced, moved to .rpmsave; back: stays, the package's beside it as .rpmnew

Edits lost by going forward and back
  /etc/app/app.properties  (found again in /etc/app/app.properties.rpmsave)

Files removed
  /usr/share/app/app.WAR

Files changed
  /etc/app/app.properties  content, flags config, noreplace → config
  /usr/share/app/exploded.war  kind directory → file, mode 0755 → 0644

Dependencies
  requires java >= 17 → java >= 21

Jars
  + org.example:x 2.0

Scripts forward
  app-1:1.5.0-58.noarch %post 2
  app-1:1.5.0-58.noarch %triggerin (if `tomcat` is there)
  app-1:1.4.0-57.noarch %postun 1

Scripts back
  app-1:1.4.0-57.noarch %post 2
  app-1:1.5.0-58.noarch %postun 1";

    fn newer() -> PackageHeader {
        let mut header = sample();
        header.nevra = "app-1:1.5.0-58.noarch".parse().unwrap();
        header.files.pop();
        header.files[0].flags = FileEntry::CONFIG;
        header.files[0].digest = "ab".to_owned();
        header.files[1].mode = 0o100_644;
        header.requires[0].version = "21".to_owned();
        let (name, version) = ("bundled(maven:org.example:x)".to_owned(), "2.0".to_owned());
        header.provides.push(Dependency { name, flags: Dependency::EQUAL, version });
        header.triggers.push(rpm_header::Trigger {
            name: "%triggerin",
            watches: vec![Dependency { name: "tomcat".to_owned(), flags: 1 << 16, version: String::new() }],
            interpreter: "/bin/sh".to_owned(),
            body: String::new(),
            priority: None,
        });
        header
    }

    #[test]
    fn report_shows_what_differs() {
        let mut old = sample();
        old.files[0].digest = "cd".to_owned();
        let preflight = packager::preflight::compare(&old, &newer()).unwrap();
        assert_eq!(report(&preflight), REPORT);
        let mut same = sample();
        same.scriptlets.clear();
        same.files.remove(0);
        let preflight = packager::preflight::compare(&same, &same).unwrap();
        assert!(report(&preflight).ends_with("(same version)\n\nNo difference that matters to a host."));
    }
}
