//! What is in a WAR that Tomcat makes something else of than one may think.

use std::path::Path;

use fs_err::File;
use zip::{DateTime, ZipArchive};

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
        if subject.source_date.is_some_and(|date| contents.has_fixed_times(date)) {
            findings.push(Finding::new(Lint::FixedPageTimes, place()));
        }
    }
    findings
}

/// What a WAR's list of entries says.
struct WarContents {
    has_context_descriptor: bool,
    /// Of the pages; none where there are no pages, or they have several times.
    time_of_all_pages: Option<DateTime>,
}

impl WarContents {
    fn read(source: &Source) -> Option<Self> {
        let Source::File(path, _) = source else { return None };
        Self::of_archive(path)
    }

    fn of_archive(path: &Path) -> Option<Self> {
        let mut archive = ZipArchive::new(File::open(path).ok()?).ok()?;
        let mut pages = Vec::new();
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).ok()?;
            let name = entry.name().ok()?.to_ascii_lowercase();
            if [".jsp", ".jspx", ".jspf", ".tag", ".tagx"].iter().any(|ending| name.ends_with(ending)) {
                pages.push(entry.last_modified());
            }
        }
        let first = pages.first().copied().flatten();
        Some(Self {
            has_context_descriptor: archive.index_for_name("META-INF/context.xml").is_some(),
            time_of_all_pages: first.filter(|first| pages.iter().all(|time| *time == Some(*first))),
        })
    }

    /// Whether all pages have one time, and one that does not come of these sources.
    fn has_fixed_times(&self, date: SourceDate) -> bool {
        let Some(time) = self.time_of_all_pages.and_then(seconds) else { return false };
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
            (vec![("index.html", gradle)], vec![]),
            (vec![("META-INF/context.xml", gradle)], vec![Lint::ContextDescriptorIgnored]),
            (vec![], vec![]),
        ] {
            assert_eq!(lints(&entries), expected, "{entries:?}");
        }
    }
}
