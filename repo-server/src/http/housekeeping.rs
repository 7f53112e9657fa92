//! What the server does by itself: it follows its keys, and applies channels' retention.

use std::time::{Duration, Instant};

use super::api;
use super::app::App;
use super::refusal::with_causes;

/// How often the keys' files are looked at.
const KEYS: Duration = Duration::from_secs(2);
/// How often retention is applied.
const RETENTION: Duration = Duration::from_secs(3600);
/// How often the environments' ledgers are looked at for what has to be kept.
const ENVIRONMENTS: Duration = Duration::from_secs(60);

/// Keeps house. Never ends.
pub(super) async fn keep_house(app: &App) {
    let mut retained = Instant::now();
    let mut kept: Option<Instant> = None;
    let mut failing = false;
    loop {
        if kept.is_none_or(|kept| kept.elapsed() >= ENVIRONMENTS) {
            kept = Some(Instant::now());
            api::keep(app).await;
        }
        tokio::time::sleep(KEYS).await;
        let followed = app.repository.follow_keys().await;
        if let Err(error) = &followed
            && !failing
        {
            tracing::error!(error = with_causes(error), "the signing keys can't be followed");
        }
        failing = followed.is_err();
        if retained.elapsed() >= RETENTION {
            retained = Instant::now();
            api::keep(app).await;
            if let Err(error) = app.repository.retain_all().await {
                tracing::error!(error = with_causes(&error), "retention could not be applied");
            }
        }
    }
}
