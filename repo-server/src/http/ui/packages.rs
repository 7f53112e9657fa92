//! Packages, their versions, and what differs between two.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use nevra::Nevra;
use repo_api::{Problem, ProblemKind};

use super::super::app::App;
use super::super::call::{Call, Named};
use super::super::refusal::Refusal;
use super::super::yum::missing;
use super::answer::{Answer, page};
use super::reader::{Reader, page_number, query_value};
use crate::pages::{Compared, Difference, FilesPage, NotesArticle, PackagePage, PackagesPage, Side, VersionPage};
use crate::signing::PackageHead;
use crate::state::PackageRecord;

/// The package that the two segments of a path name; `None` where they name none that there could be.
pub(super) struct NamedPackage(Option<Nevra>);

impl FromRequestParts<Arc<App>> for NamedPackage {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refusal> {
        let parameters = RawPathParams::from_request_parts(parts, app).await.map_err(|_| missing())?;
        let segments: Vec<&str> = parameters.iter().map(|(_, text)| text).collect();
        Ok(Self(match segments.as_slice() {
            [name, version] => nevra(name, version),
            _ => None,
        }))
    }
}

fn nevra(name: &str, version: &str) -> Option<Nevra> {
    format!("{name}-{version}").parse().ok()
}

/// All packages.
pub(super) async fn list(call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        reader.must_see(&call).await?;
        let filter = query_value(&call, "q");
        Ok(PackagesPage::new(&reader.visible, (&filter, page_number(&call))).render(&reader.shell(&call))?)
    };
    page(&call, &reader, rendered.await).await
}

/// One package with all its versions.
pub(super) async fn package(Named(name): Named<String>, call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        reader.must_see(&call).await?;
        let page = PackagePage::new(&name, &reader.visible).ok_or_else(unknown)?;
        Ok(page.render(&reader.shell(&call))?)
    };
    page(&call, &reader, rendered.await).await
}

/// One version.
pub(super) async fn version(NamedPackage(nevra): NamedPackage, call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        reader.must_see(&call).await?;
        let package = visible(&reader, nevra.as_ref())?;
        let head = call.app.repository.head(&package).await?;
        let history = reader.history(&call, &package.nevra).await?;
        let keys = call.app.repository.keys().keys();
        let notes = match &head {
            Some(head) => call.app.repository.release_notes(&package, head).await?,
            None => Arc::default(),
        };
        let article = notes.as_ref().as_ref().and_then(NotesArticle::of);
        let head = head.as_deref().map(|head| (head, article));
        let page = VersionPage::new(&package, head, &keys, &reader.visible, history);
        Ok(page.render(&reader.shell(&call))?)
    };
    page(&call, &reader, rendered.await).await
}

/// All files of a version.
pub(super) async fn files(NamedPackage(nevra): NamedPackage, call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        reader.must_see(&call).await?;
        let package = visible(&reader, nevra.as_ref())?;
        let head = call.app.repository.head(&package).await?.ok_or_else(collected)?;
        Ok(FilesPage::new(&package, &head.parsed, page_number(&call)).render(&reader.shell(&call))?)
    };
    page(&call, &reader, rendered.await).await
}

/// What differs between two versions.
pub(super) async fn differences(Named(name): Named<String>, call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        reader.must_see(&call).await?;
        let side = |end| {
            let version = query_value(&call, end);
            if version.is_empty() {
                let detail = format!("the address names no `{end}`: `?from=VERSION&to=VERSION` are two versions");
                return Err(Refusal::from(Problem::new(ProblemKind::BadRequest, detail)));
            }
            visible(&reader, nevra(&name, &version).as_ref())
        };
        let (from, to) = (side("from")?, side("to")?);
        let repository = &call.app.repository;
        let (from_head, to_head) = tokio::try_join!(repository.head(&from), repository.head(&to))?;
        let (from_head, to_head) = (from_head.ok_or_else(collected)?, to_head.ok_or_else(collected)?);
        let paths = Compared::configuration(&from_head.parsed, &to_head.parsed);
        let (from_texts, to_texts) =
            tokio::try_join!(texts(&call, (&from, &from_head), &paths), texts(&call, (&to, &to_head), &paths))?;
        let compared = Compared {
            from: Side { package: &from, header: &from_head.parsed, texts: from_texts },
            to: Side { package: &to, header: &to_head.parsed, texts: to_texts },
        };
        Ok(Difference::new(&compared).render(&reader.shell(&call))?)
    };
    page(&call, &reader, rendered.await).await
}

/// Reads those of some files that a package has.
async fn texts(
    call: &Call,
    (package, head): (&PackageRecord, &Arc<PackageHead>),
    paths: &[String],
) -> Result<BTreeMap<String, Vec<u8>>, Refusal> {
    let is_there = |path: &&String| head.parsed.files.iter().any(|file| file.path == **path);
    let paths = paths.iter().filter(is_there).cloned().collect();
    Ok(call.app.repository.packaged_files(package, head, paths).await?)
}

/// Finds a package that the reader may see.
fn visible(reader: &Reader, nevra: Option<&Nevra>) -> Result<Arc<PackageRecord>, Refusal> {
    nevra.and_then(|nevra| reader.visible.package(nevra)).cloned().ok_or_else(unknown)
}

fn unknown() -> Refusal {
    Problem::new(ProblemKind::NotFound, "no channel that you may read lists or listed such a package").into()
}

fn collected() -> Refusal {
    let detail = "the file of the package has been collected: what it held is not known here any longer";
    Problem::new(ProblemKind::NotFound, detail).into()
}
