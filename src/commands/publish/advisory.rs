//! The advisory of what was published: the packages' own release notes, for `dnf updateinfo`.

use std::path::PathBuf;

use anyhow::Context;
use nevra::Nevra;
use release_notes::{EmbeddedNotes, ReleaseNotes};
use repo_api::{AttachRequest, AttachmentKind, ChannelName, Client};

use super::super::attach::upload;
use super::super::connection::{failure, who};
use crate::exit::Failure;
use crate::render::Printer;

/// Shows an advisory of each notes that the files carry. The packages are published by then: the same command again makes
/// up for what failed here.
pub(super) async fn show(
    client: &Client,
    channel: &ChannelName,
    (files, why): (&[PathBuf], Option<String>),
    printer: &Printer,
) -> Result<(), Failure> {
    let directory = tempfile::tempdir().context("no place for an advisory").map_err(Failure::failed)?;
    let mut request = AttachRequest { who: who(), why, ..AttachRequest::default() };
    for (number, (notes, packages)) in carried(files, printer).iter().enumerate() {
        let advisory = notes.advisory(packages).map_err(Failure::failed)?;
        let Some(advisory) = advisory else { continue };
        let path = directory.path().join(format!("advisory-{number}.json"));
        let text = serde_json::to_vec(&advisory).map_err(Failure::failed)?;
        fs_err::write(&path, text).map_err(Failure::failed)?;
        request.files.push(upload(client, AttachmentKind::Updateinfo, &path).await.map_err(afterwards)?);
        printer.talk(&format!("advisory {} ({} references)", advisory.id, advisory.references.len()));
    }
    if !request.files.is_empty() {
        client.attach(channel, &request).await.map_err(failure).map_err(afterwards)?;
    }
    Ok(())
}

/// The notes that packages carry, each with all packages that carry just these.
fn carried(files: &[PathBuf], printer: &Printer) -> Vec<(ReleaseNotes, Vec<Nevra>)> {
    let mut carried: Vec<(ReleaseNotes, Vec<Nevra>)> = Vec::new();
    for file in files {
        match EmbeddedNotes::read(file) {
            Ok(None) => {}
            Ok(Some(EmbeddedNotes { nevra, notes })) => match carried.iter_mut().find(|(known, _)| *known == notes) {
                Some((_, packages)) => packages.push(nevra),
                None => carried.push((notes, vec![nevra])),
            },
            // Somebody else's file of that name.
            Err(error) => printer.warning(&format!("no advisory: {:#}", anyhow::Error::new(error))),
        }
    }
    carried
}

fn afterwards(mut failure: Failure) -> Failure {
    failure.error = failure.error.context("the packages are published, their advisory is not");
    failure
}
