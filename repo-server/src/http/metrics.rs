//! What the server counts, in the text format of Prometheus.
//!
//! The format: <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::state::RepositoryState;

/// What a request is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Page,
    Operating,
    Key,
    ClientSetup,
    Repomd,
    Metadata,
    Package,
    Upload,
    Publish,
    Promote,
    Withdraw,
    Administer,
    Deploy,
    Listing,
    Unknown,
}

impl Label {
    /// Tells whether such requests change something, or bring what is to change it.
    pub(super) fn is_change(self) -> bool {
        matches!(self, Self::Upload | Self::Publish | Self::Promote | Self::Withdraw | Self::Administer)
    }
}

/// All of them with their names, in the order of their declaration.
const LABELS: [(Label, &str); 15] = [
    (Label::Page, "page"),
    (Label::Operating, "operating"),
    (Label::Key, "key"),
    (Label::ClientSetup, "client_setup"),
    (Label::Repomd, "repomd"),
    (Label::Metadata, "metadata"),
    (Label::Package, "package"),
    (Label::Upload, "upload"),
    (Label::Publish, "publish"),
    (Label::Promote, "promote"),
    (Label::Withdraw, "withdraw"),
    (Label::Administer, "administer"),
    (Label::Deploy, "deploy"),
    (Label::Listing, "listing"),
    (Label::Unknown, "unknown"),
];

/// Upper bounds of the latency histogram, microseconds, with their text in seconds.
const BOUNDS: [(u64, &str); 9] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (5_000, "0.005"),
    (25_000, "0.025"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
    (60_000_000, "60"),
];
const FIRST_STATUS: u16 = 100;
const STATUSES: usize = 500;

/// The counters.
#[derive(Debug)]
pub(super) struct Metrics {
    routes: Vec<RouteMetrics>,
    refused_connections: AtomicU64,
    store_errors: AtomicU64,
}

#[derive(Debug)]
struct RouteMetrics {
    by_status: Vec<AtomicU64>,
    buckets: Vec<AtomicU64>,
    micros: AtomicU64,
}

/// What is not counted but looked at when it is asked for.
pub(super) struct Gauges<'a> {
    pub(super) state: &'a RepositoryState,
    pub(super) connections: usize,
}

impl Default for Metrics {
    fn default() -> Self {
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
        let route =
            |_| RouteMetrics { by_status: zeros(STATUSES), buckets: zeros(BOUNDS.len()), micros: AtomicU64::new(0) };
        Self {
            routes: LABELS.iter().map(route).collect(),
            refused_connections: AtomicU64::new(0),
            store_errors: AtomicU64::new(0),
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Metrics {
    /// Counts a request that was answered.
    pub(super) fn answered(&self, label: Label, status: u16, took: Duration) {
        let Some(route) = self.routes.get(label as usize) else { return };
        if let Some(counter) = route.by_status.get(usize::from(status.saturating_sub(FIRST_STATUS))) {
            add(counter, 1);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        add(&route.micros, micros);
        if let Some(bucket) = BOUNDS.iter().position(|(bound, _)| micros <= *bound) {
            add(&route.buckets[bucket], 1);
        }
    }

    /// Counts a connection that was closed because there were too many.
    pub(super) fn connection_refused(&self) {
        add(&self.refused_connections, 1);
    }

    /// Counts a failure of the store.
    pub(super) fn store_failed(&self) {
        add(&self.store_errors, 1);
    }

    /// Renders all of it.
    pub(super) fn render(&self, gauges: &Gauges<'_>) -> String {
        let mut text = String::new();
        self.render_requests(&mut text);
        self.render_latencies(&mut text);
        let position = gauges.state.position().number;
        let open = gauges.connections as u64;
        for (name, kind, help, value) in [
            ("pkg_connections", "gauge", "open connections", open),
            (
                "pkg_connections_refused_total",
                "counter",
                "connections closed because there were too many",
                read(&self.refused_connections),
            ),
            ("pkg_store_errors_total", "counter", "failures of the store", read(&self.store_errors)),
            ("pkg_commit", "gauge", "newest commit of the repository that this server knows", position),
        ] {
            head(&mut text, name, kind, help);
            let _ = writeln!(text, "{name} {value}");
        }
        head(&mut text, "pkg_channel_packages", "gauge", "packages that a channel lists");
        for (name, channel) in gauges.state.channels() {
            let _ = writeln!(text, "pkg_channel_packages{{channel=\"{name}\"}} {}", channel.listed().len());
        }
        text
    }

    fn render_requests(&self, text: &mut String) {
        head(text, "pkg_http_requests_total", "counter", "requests answered, by route and status");
        for ((_, name), route) in LABELS.iter().zip(&self.routes) {
            for (status, counter) in (FIRST_STATUS..).zip(&route.by_status) {
                let count = read(counter);
                if count > 0 {
                    let _ = writeln!(text, "pkg_http_requests_total{{route=\"{name}\",status=\"{status}\"}} {count}");
                }
            }
        }
    }

    fn render_latencies(&self, text: &mut String) {
        const NAME: &str = "pkg_http_request_duration_seconds";
        head(text, NAME, "histogram", "time from the head of a request to the head of its answer");
        for ((_, name), route) in LABELS.iter().zip(&self.routes) {
            let count: u64 = route.by_status.iter().map(read).sum();
            if count == 0 {
                continue;
            }
            let mut below = 0;
            for ((_, bound), bucket) in BOUNDS.iter().zip(&route.buckets) {
                below += read(bucket);
                let _ = writeln!(text, "{NAME}_bucket{{route=\"{name}\",le=\"{bound}\"}} {below}");
            }
            let _ = writeln!(text, "{NAME}_bucket{{route=\"{name}\",le=\"+Inf\"}} {}", count.max(below));
            let micros = read(&route.micros);
            let _ = writeln!(text, "{NAME}_sum{{route=\"{name}\"}} {}.{:06}", micros / 1_000_000, micros % 1_000_000);
            let _ = writeln!(text, "{NAME}_count{{route=\"{name}\"}} {}", count.max(below));
        }
    }
}

// Writing to a String never fails.
fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_renders() {
        for (at, (label, _)) in LABELS.iter().enumerate() {
            assert_eq!(*label as usize, at);
        }
        let metrics = Metrics::default();
        metrics.answered(Label::Repomd, 200, Duration::from_micros(400));
        metrics.answered(Label::Repomd, 200, Duration::from_millis(2));
        metrics.answered(Label::Repomd, 304, Duration::from_secs(100));
        metrics.store_failed();
        let text = metrics.render(&Gauges { state: &RepositoryState::default(), connections: 3 });
        for line in [
            "pkg_http_requests_total{route=\"repomd\",status=\"200\"} 2",
            "pkg_http_requests_total{route=\"repomd\",status=\"304\"} 1",
            "pkg_http_request_duration_seconds_bucket{route=\"repomd\",le=\"0.0005\"} 1",
            "pkg_http_request_duration_seconds_bucket{route=\"repomd\",le=\"0.005\"} 2",
            "pkg_http_request_duration_seconds_bucket{route=\"repomd\",le=\"60\"} 2",
            "pkg_http_request_duration_seconds_bucket{route=\"repomd\",le=\"+Inf\"} 3",
            "pkg_http_request_duration_seconds_sum{route=\"repomd\"} 100.002400",
            "pkg_connections 3",
            "pkg_store_errors_total 1",
            "pkg_commit 0",
        ] {
            assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
        }
    }
}
