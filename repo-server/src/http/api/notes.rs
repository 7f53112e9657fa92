//! The release notes that packages carry.

use std::sync::Arc;

use http::{Response, StatusCode};
use nevra::{Evr, Name};
use repo_api::{ChannelName, NotesList, Permission, VersionNotes};

use super::super::body::ReplyBody;
use super::super::call::{Call, Named};
use super::super::refusal::Refusal;
use super::super::reply::json;
use super::query::Query;
use crate::resolve;
use crate::state::PackageRecord;

/// How many versions are told of; the newest.
const VERSIONS: usize = 50;

/// Gives the notes of a package's versions between two; of the one alone where no other is named.
pub(super) async fn between(Named(channel): Named<ChannelName>, call: Call) -> Result<Response<ReplyBody>, Refusal> {
    call.permit(Permission::Read, Some(&channel)).await?;
    let query = Query::read(call.uri.query(), &["package", "from", "to"])?;
    let (name, to): (Name, Evr) = (query.needed("package")?, query.needed("to")?);
    let from: Option<Evr> = query.value("from")?;
    let is_wanted = |evr: &Evr| match &from {
        Some(from) => evr.compare(from).is_gt() && evr.compare(&to).is_le(),
        None => evr.compare(&to).is_eq(),
    };
    let state = call.app.repository.state();
    // Also what was withdrawn since: hosts may have had it.
    let files = resolve::channel(&state, &channel)?.files().values().map(|file| &file.package);
    let mut packages: Vec<&Arc<PackageRecord>> =
        files.filter(|package| package.nevra.name == name && is_wanted(&package.nevra.evr)).collect();
    packages.sort_by(|left, right| right.nevra.evr.compare(&left.nevra.evr));
    let mut versions = Vec::new();
    for package in packages.into_iter().take(VERSIONS) {
        let repository = &call.app.repository;
        let Some(head) = repository.head(package).await? else { continue };
        let notes = repository.release_notes(package, &head).await?;
        let notes = notes.as_ref().as_ref().and_then(|notes| serde_json::to_value(notes).ok());
        versions.push(VersionNotes { nevra: package.nevra.clone(), notes });
    }
    json(StatusCode::OK, &NotesList { versions })
}
