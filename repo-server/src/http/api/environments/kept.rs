//! What environments need stays in the repository: what the ledgers say is held there, without anybody's doing.

use std::collections::BTreeSet;

use ledger::Author;
use nevra::Nevra;
use repo_api::TagName;

use super::super::super::app::App;
use super::super::super::refusal::with_causes;

/// Keeps what an environment needs. A failure is made good by [`keep`].
pub(super) async fn hold(app: &App, name: &TagName, needs: BTreeSet<Nevra>) {
    let why = Some("what its ledger says".to_owned());
    let author = Author { who: "pkg serve".to_owned(), from: "localhost".to_owned(), why };
    let needs: Vec<Nevra> = needs.into_iter().collect();
    if let Err(error) = app.repository.hold(name, &needs, author).await {
        app.metrics.store_failed();
        tracing::error!(environment = %name, error = with_causes(&error), "what it needs could not be held");
    }
}

/// Keeps what all environments need, those included whose ledgers are written past this server.
pub(in crate::http) async fn keep(app: &App) {
    let all = match app.environments.all().await {
        Ok(all) => all,
        Err(error) => {
            app.metrics.store_failed();
            tracing::error!(error = with_causes(&error), "environments can't be read");
            return;
        }
    };
    for (name, environment) in all {
        // What is reported from elsewhere is not taken back by an environment that has no ledger here.
        if environment.position() > 0 {
            hold(app, &name, environment.needs()).await;
        }
    }
}
