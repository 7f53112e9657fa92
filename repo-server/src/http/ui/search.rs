//! Searching names, files and jars.

use std::sync::Arc;

use super::super::call::Call;
use super::answer::{Answer, page};
use super::reader::{Reader, query_value};
use crate::error::RepositoryError;
use crate::pages::SearchPage;

/// Searches.
pub(super) async fn answer(call: Call) -> Answer {
    let reader = Reader::or_nobody(&call).await;
    let rendered = async {
        reader.must_see(&call).await?;
        let (app, visible, asked) = (Arc::clone(&call.app), reader.visible.clone(), query_value(&call, "q"));
        let search = move || {
            let indexed = app.catalog.indexed();
            SearchPage::new(&asked, indexed.search(&asked, &visible), indexed.progress(&visible))
        };
        let page = tokio::task::spawn_blocking(search).await.map_err(|_| RepositoryError::Stopping)?;
        Ok(page.render(&reader.shell(&call))?)
    };
    page(&call, &reader, rendered.await).await
}
