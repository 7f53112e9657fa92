//! What the server does by itself: it follows its keys, and applies channels' retention.

use std::time::{Duration, Instant};

use super::app::App;
use super::refusal::with_causes;

/// How often the keys' files are looked at.
const KEYS: Duration = Duration::from_secs(2);
/// How often retention is applied.
const RETENTION: Duration = Duration::from_secs(3600);

/// Keeps house. Never ends.
pub(super) async fn keep_house(app: &App) {
    let mut retained = Instant::now();
    let mut failing = false;
    loop {
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
            if let Err(error) = app.repository.retain_all().await {
                tracing::error!(error = with_causes(&error), "retention could not be applied");
            }
        }
    }
}
