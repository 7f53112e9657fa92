//! What is in a WAR that Tomcat makes something else of than one may think.

use std::io::BufReader;
use std::path::Path;

use fs_err::File;
use zip::DateTime;
use zip::read::Config;
use zip::unstable::read::ZipIterable;

use crate::{Source, SourceDate};

use super::{Finding, Lint, Subject};

/// The times that a WAR packed here has, counted from the date of its sources: twice the range of build numbers.
const TIMES_OF_BUILDS: i64 = 2_000_000;
/// A zip's times are local ones of who knows where.
const TIME_ZONES: i64 = 14 * 3600;

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let has_descriptor =
        subject.files.iter().any(|file| file.path.contains("/Catalina/") && file.path.ends_with(".xml"));
    let wars = subject.files.iter().filter(|file| file.path.ends_with(".war"));
    let mut findings = Vec::new();
    for war in wars {
        let Some(contents) = war.content.and_then(WarContents::read) else { continue };
        let place = || format!("`{}`", war.path);
        if has_descriptor && contents.has_context_descriptor {
            findings.push(Finding::new(Lint::ContextDescriptorIgnored, place()));
        }
        if subject.source_date.is_some_and(|date| contents.pages.is_fixed(date)) {
            findings.push(Finding::new(Lint::FixedPageTimes, place()));
        }
        if subject.source_date.is_some_and(|date| contents.files.is_fixed(date)) {
            findings.push(Finding::new(Lint::FixedFileTimes, place()));
        }
    }
    findings
}

/// What a WAR's list of entries says.
struct WarContents {
    has_context_descriptor: bool,
    pages: Times,
    /// What Tomcat sends as it is.
    files: Times,
}

/// The times of some entries.
enum Times {
    /// There are no entries.
    None,
    One(DateTime),
    /// Or one has none.
    Several,
}

impl WarContents {
    fn read(source: &Source) -> Option<Self> {
        let Source::File(path, _) = source else { return None };
        Self::of_archive(path)
    }

    fn of_archive(path: &Path) -> Option<Self> {
        let mut archive = ZipIterable::try_new(BufReader::new(File::open(path).ok()?), Config::default()).ok()?;
        let (mut pages, mut files) = (Times::None, Times::None);
        let mut has_context_descriptor = false;
        for entry in archive.files().ok()? {
            let entry = entry.ok()?;
            has_context_descriptor |= entry.name_raw() == b"META-INF/context.xml";
            let name = entry.name().ok()?.to_ascii_lowercase();
            if [".jsp", ".jspx", ".jspf", ".tag", ".tagx"].iter().any(|ending| name.ends_with(ending)) {
                pages.add(entry.last_modified());
            } else if !entry.is_dir() && !name.starts_with("web-inf/") && !name.starts_with("meta-inf/") {
                files.add(entry.last_modified());
            }
        }
        Some(Self { has_context_descriptor, pages, files })
    }
}

impl Times {
    fn add(&mut self, time: Option<DateTime>) {
        *self = match (&*self, time) {
            (Self::None, Some(time)) => Self::One(time),
            (Self::One(one), Some(time)) if *one == time => Self::One(time),
            _ => Self::Several,
        };
    }

    /// Whether all have one time, and one that does not come of these sources.
    fn is_fixed(&self, date: SourceDate) -> bool {
        let Self::One(time) = self else { return false };
        let Some(time) = seconds(*time) else { return false };
        let since = time - i64::from(date.seconds());
        !(-TIME_ZONES..TIMES_OF_BUILDS + TIME_ZONES).contains(&since)
    }
}

fn seconds(time: DateTime) -> Option<i64> {
    let date = chrono::NaiveDate::from_ymd_opt(time.year().into(), time.month().into(), time.day().into())?;
    let time = date.and_hms_opt(time.hour().into(), time.minute().into(), time.second().into())?;
    Some(time.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::sample;
    use super::*;
    use crate::EntryKind;

    /// The lints of a package whose WAR has these entries.
    fn lints(entries: &[(&str, DateTime)]) -> Vec<Lint> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shop.war");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (name, time) in entries {
            zip.start_file(*name, SimpleFileOptions::default().last_modified_time(*time)).unwrap();
            zip.write_all(b"x").unwrap();
        }
        zip.finish().unwrap();
        let mut layout = sample::layout();
        let war = layout.entries.iter_mut().find(|entry| entry.path.ends_with(".war")).unwrap();
        war.kind = EntryKind::File(Source::File(path, 1));
        check(&Subject::of_layout(&layout)).into_iter().map(|finding| finding.lint).collect()
    }

    #[test]
    fn wars() {
        let gradle = DateTime::from_date_and_time(1980, 2, 1, 0, 0, 0).unwrap();
        let commit = DateTime::from_date_and_time(2023, 11, 14, 22, 13, 20).unwrap();
        let other = DateTime::from_date_and_time(2023, 11, 13, 22, 13, 20).unwrap();
        for (entries, expected) in [
            (vec![("index.jsp", gradle), ("a/b.jsp", gradle)], vec![Lint::FixedPageTimes]),
            (vec![("index.jsp", commit), ("a/b.jsp", commit)], vec![]),
            (vec![("index.jsp", gradle), ("a/b.jsp", other)], vec![]),
            (vec![("index.html", gradle), ("a.js", gradle), ("a/", other)], vec![Lint::FixedFileTimes]),
            (vec![("index.html", gradle), ("a.js", other)], vec![]),
            (vec![("index.html", commit), ("a.js", commit)], vec![]),
            (vec![("index.jsp", gradle), ("a.js", gradle)], vec![Lint::FixedPageTimes, Lint::FixedFileTimes]),
            (vec![("WEB-INF/web.xml", gradle)], vec![]),
            (vec![("META-INF/context.xml", gradle)], vec![Lint::ContextDescriptorIgnored]),
            (vec![], vec![]),
        ] {
            assert_eq!(lints(&entries), expected, "{entries:?}");
        }
    }
}
