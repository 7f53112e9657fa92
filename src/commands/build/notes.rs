//! Where a build's release notes come from.

use std::path::{Path, PathBuf};

use packager::NotesSource;
use release_notes::Range;

use super::super::notes::{Wanted, collect, for_audience};
use super::Args;
use crate::exit::Failure;
use crate::render::Printer;

/// What `--notes` means: a file that is there, or else a range; `auto` is since the last tag.
pub(super) async fn source(args: &Args, printer: &Printer) -> Result<Option<NotesSource>, Failure> {
    let Some(text) = &args.notes else { return Ok(None) };
    let range = text.parse::<Range>().ok().filter(|_| !Path::new(text).exists());
    if range.is_none() && text != "auto" {
        return Ok(Some(NotesSource::File(PathBuf::from(text))));
    }
    // The specs' checkout, wherever the build runs.
    let directory = args.specs.first().and_then(|spec| spec.parent()).unwrap_or(Path::new("")).to_owned();
    let directory = if directory.as_os_str().is_empty() { PathBuf::from(".") } else { directory };
    let wanted = Wanted { range, directory, ..Wanted::default() };
    let (mut notes, _) = collect(&wanted, printer).await?;
    // The head is the package's: its version, its build, its day.
    (notes.version, notes.build, notes.date) = (None, None, None);
    Ok(Some(NotesSource::Collected(Box::new(for_audience(notes, args.notes_audience, printer)))))
}
