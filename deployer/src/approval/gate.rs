//! Whether an environment may be deployed to at this time: its windows and its freeze.

use std::io;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::environment::{Environment, Freeze, Window};

const LIMIT: Duration = Duration::from_secs(10);
/// How much of a reason is shown, in characters.
const REASON: usize = 200;

/// Gives why the environment is closed now, if it is. A freeze that can't be asked for counts as one: an outage of whatever
/// declares it must not open the door.
pub async fn closed(environment: &Environment, now: DateTime<Utc>) -> Option<String> {
    let frozen = match &environment.freeze {
        None => None,
        Some(Freeze::File(file)) => file_says(file),
        Some(Freeze::Url(url)) => url_says(url).await,
    };
    frozen.or_else(|| outside(&environment.windows, now))
}

fn outside(windows: &[Window], now: DateTime<Utc>) -> Option<String> {
    if windows.is_empty() || windows.iter().any(|window| window.holds(now)) {
        return None;
    }
    let open = windows.iter().map(Window::to_string).collect::<Vec<_>>().join(", ");
    Some(format!("it is {}, outside of its windows: {open}", now.format("%a %H:%M UTC")))
}

fn file_says(file: &Path) -> Option<String> {
    match fs_err::read(file) {
        Ok(text) => Some(frozen(&String::from_utf8_lossy(&text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(format!("whether it is frozen can't be told: {error}")),
    }
}

async fn url_says(url: &str) -> Option<String> {
    let unknown =
        |reason: &dyn std::fmt::Display| Some(format!("whether it is frozen can't be told: `{url}`: {reason}"));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = match reqwest::Client::builder().timeout(LIMIT).build() {
        Ok(client) => client,
        Err(error) => return unknown(&error),
    };
    let answer = match client.get(url).send().await {
        Ok(answer) => answer,
        Err(error) => return unknown(&error.without_url()),
    };
    match answer.status().as_u16() {
        404 | 410 => None,
        200 => match answer.text().await {
            Ok(text) => Some(frozen(&text)),
            Err(error) => unknown(&error.without_url()),
        },
        status => unknown(&format!("status {status}")),
    }
}

fn frozen(text: &str) -> String {
    let reason: String = text.lines().next().unwrap_or_default().trim().chars().take(REASON).collect();
    if reason.is_empty() { "it is frozen".to_owned() } else { format!("it is frozen: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[tokio::test]
    async fn a_freeze_closes_and_so_does_one_that_can_not_be_asked() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("freeze");
        let mut environment = fixture::environment(1);
        environment.freeze = Some(Freeze::File(file.clone()));
        let now = Utc::now();
        assert_eq!(closed(&environment, now).await, None);
        for (text, expected) in [
            ("Black Friday\nuntil Monday\n", "it is frozen: Black Friday"),
            ("", "it is frozen"),
            ("\n", "it is frozen"),
        ] {
            fs_err::write(&file, text).unwrap();
            assert_eq!(closed(&environment, now).await.as_deref(), Some(expected));
        }
        environment.freeze = Some(Freeze::File(directory.path().to_owned()));
        assert!(closed(&environment, now).await.unwrap().contains("can't be told"));
        environment.freeze = Some(Freeze::Url("http://127.0.0.1:9/freeze".to_owned()));
        assert!(closed(&environment, now).await.unwrap().contains("can't be told"));
    }

    #[tokio::test]
    async fn outside_of_its_windows_it_is_closed() {
        let mut environment = fixture::environment(1);
        environment.windows = vec![Window {
            days: vec![chrono::Weekday::Mon],
            hours: "09:00:00".parse().unwrap().."10:00:00".parse().unwrap(),
            zone: chrono_tz::Tz::UTC,
        }];
        assert_eq!(closed(&environment, "2026-11-23T09:30:00Z".parse().unwrap()).await, None);
        let reason = closed(&environment, "2026-11-23T10:00:00Z".parse().unwrap()).await.unwrap();
        assert_eq!(reason, "it is Mon 10:00 UTC, outside of its windows: Mon 09:00-10:00 UTC");
    }
}
