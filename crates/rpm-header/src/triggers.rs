//! The triggers, from three sets of parallel arrays: a set's scripts, and what each watches.

use crate::assemble::dependencies;
use crate::error::ReadHeaderError;
use crate::section::Section;
use crate::tags::Tag;
use crate::{Dependency, Trigger};

/// The tags of one set, and the names that its kinds of trigger have.
struct TriggerSet {
    scripts: Tag,
    interpreters: Tag,
    /// Names, flags and versions of what is watched.
    watches: [Tag; 3],
    /// Of each that is watched, the number of its script.
    indexes: Tag,
    priorities: Option<Tag>,
    kinds: &'static [(u32, &'static str)],
}

/// RPMSENSE flags (rpm's `include/rpm/rpmds.h`).
const INSTALL: u32 = 1 << 16;
const UNINSTALL: u32 = 1 << 17;
const POST_UNINSTALL: u32 = 1 << 18;
const PRE_INSTALL: u32 = 1 << 25;

const SETS: [TriggerSet; 3] = [
    TriggerSet {
        scripts: Tag::TRIGGERSCRIPTS,
        interpreters: Tag::TRIGGERSCRIPTPROG,
        watches: [Tag::TRIGGERNAME, Tag::TRIGGERFLAGS, Tag::TRIGGERVERSION],
        indexes: Tag::TRIGGERINDEX,
        priorities: None,
        kinds: &[
            (PRE_INSTALL, "%triggerprein"),
            (INSTALL, "%triggerin"),
            (UNINSTALL, "%triggerun"),
            (POST_UNINSTALL, "%triggerpostun"),
        ],
    },
    TriggerSet {
        scripts: Tag::FILETRIGGERSCRIPTS,
        interpreters: Tag::FILETRIGGERSCRIPTPROG,
        watches: [Tag::FILETRIGGERNAME, Tag::FILETRIGGERFLAGS, Tag::FILETRIGGERVERSION],
        indexes: Tag::FILETRIGGERINDEX,
        priorities: Some(Tag::FILETRIGGERPRIORITIES),
        kinds: &[(INSTALL, "%filetriggerin"), (UNINSTALL, "%filetriggerun"), (POST_UNINSTALL, "%filetriggerpostun")],
    },
    TriggerSet {
        scripts: Tag::TRANSFILETRIGGERSCRIPTS,
        interpreters: Tag::TRANSFILETRIGGERSCRIPTPROG,
        watches: [Tag::TRANSFILETRIGGERNAME, Tag::TRANSFILETRIGGERFLAGS, Tag::TRANSFILETRIGGERVERSION],
        indexes: Tag::TRANSFILETRIGGERINDEX,
        priorities: Some(Tag::TRANSFILETRIGGERPRIORITIES),
        kinds: &[
            (INSTALL, "%transfiletriggerin"),
            (UNINSTALL, "%transfiletriggerun"),
            (POST_UNINSTALL, "%transfiletriggerpostun"),
        ],
    },
];

/// Reads all triggers, in the order of the header.
pub(crate) fn read(main: &Section) -> Result<Vec<Trigger>, ReadHeaderError> {
    let mut triggers = Vec::new();
    for set in &SETS {
        triggers.extend(set.read(main)?);
    }
    Ok(triggers)
}

impl TriggerSet {
    fn read(&self, main: &Section) -> Result<Vec<Trigger>, ReadHeaderError> {
        main.has_few(self.scripts)?;
        let Some(scripts) = main.texts(self.scripts)? else { return Ok(Vec::new()) };
        let count = scripts.len();
        let interpreters = main.texts_beside(self.interpreters, self.scripts, count)?;
        let priorities = match self.priorities {
            Some(tag) if main.has(tag) => {
                main.numbers_beside(tag, self.scripts, count)?.into_iter().map(Some).collect()
            }
            _ => vec![None; count],
        };
        let mut watches = self.watches(main, count)?.into_iter();
        let rows = scripts.into_iter().zip(interpreters).zip(priorities);
        let trigger = |((body, interpreter), priority): ((String, String), Option<u64>)| {
            let watches = watches.next().unwrap_or_default();
            Trigger { name: self.name(&watches), watches, interpreter, body, priority }
        };
        Ok(rows.map(trigger).collect())
    }

    /// What each script watches.
    fn watches(&self, main: &Section, scripts: usize) -> Result<Vec<Vec<Dependency>>, ReadHeaderError> {
        let watched = dependencies(main, self.watches)?;
        let indexes = main.numbers_beside(self.indexes, self.watches[0], watched.len())?;
        let mut watches = vec![Vec::new(); scripts];
        for (watched, index) in watched.into_iter().zip(indexes) {
            let script = usize::try_from(index).ok().and_then(|index| watches.get_mut(index));
            let tag = self.indexes.name;
            script.ok_or(ReadHeaderError::TriggerIndex { tag, index, scripts })?.push(watched);
        }
        Ok(watches)
    }

    fn name(&self, watches: &[Dependency]) -> &'static str {
        let flags = watches.first().map_or(0, |watched| watched.flags);
        let kind = self.kinds.iter().find(|(flag, _)| flags & flag != 0);
        kind.map_or("%trigger", |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use crate::error::ReadHeaderError;
    use crate::sample::SampleHeader;

    #[test]
    fn triggers_of_all_sets() {
        let header = SampleHeader::package()
            .texts(1065, &["echo in", "echo un"])
            .texts(1092, &["/bin/sh", "<lua>"])
            .texts(1066, &["tomcat", "java", "tomcat"])
            .numbers(1068, &[(1 << 16) | 12, 1 << 16, 1 << 17])
            .texts(1067, &["9", "", ""])
            .numbers(1069, &[0, 0, 1])
            .texts(5076, &["echo files"])
            .texts(5077, &["/bin/sh"])
            .texts(5079, &["/usr/share"])
            .numbers(5082, &[1 << 18])
            .texts(5081, &[""])
            .numbers(5080, &[0])
            .numbers(5085, &[7]);
        let triggers = header.read().unwrap().triggers;
        let lines: Vec<String> = triggers
            .iter()
            .map(|one| {
                let watches: Vec<_> = one.watches.iter().map(ToString::to_string).collect();
                format!("{} {} -- {}: {} {:?}", one.name, one.interpreter, watches.join(", "), one.body, one.priority)
            })
            .collect();
        assert_eq!(
            lines,
            [
                "%triggerin /bin/sh -- tomcat >= 9, java: echo in None",
                "%triggerun <lua> -- tomcat: echo un None",
                "%transfiletriggerpostun /bin/sh -- /usr/share: echo files Some(7)",
            ]
        );
    }

    #[test]
    fn scripts_have_to_be_there() {
        let header = SampleHeader::package().texts(1065, &["x"]).texts(1066, &["a"]).numbers(1069, &[1]);
        let error = header.read().unwrap_err();
        assert!(matches!(error, ReadHeaderError::TriggerIndex { index: 1, scripts: 1, .. }));
        assert_eq!(error.to_string(), "`TRIGGERINDEX` names script 1, and there are 1");
        let nothing_watched = SampleHeader::package().texts(5066, &["x"]);
        assert_eq!(nothing_watched.read().unwrap().triggers[0].name, "%trigger");
    }
}
