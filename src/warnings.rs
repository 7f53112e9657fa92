//! What parts of the program warn of while they are at work, printed where everything else is. `pkg serve` has a log instead.

use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::render::{Printer, printable};

/// The crates whose warnings are a user's business.
const OWN: &str = "off,pkg=warn,deployer=warn,packager=warn,repo_server=warn,repo_api=warn,ledger=warn";

/// Prints warnings from here on.
pub(crate) fn start(printer: &Printer) {
    let warnings = Warnings(printer.clone()).with_filter(EnvFilter::new(OWN));
    // There is no other one: whoever has a log does not come here.
    let _ = tracing_subscriber::registry().with(warnings).try_init();
}

struct Warnings(Printer);

impl<S: Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.warning(&printable(&line.to_string()));
    }
}

/// What is warned of, more of it in brackets, and the error.
#[derive(Debug, Default)]
struct Line {
    message: String,
    more: Vec<String>,
    error: Option<String>,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "error" => self.error = Some(format!("{value:?}")),
            name => self.more.push(format!("{name} {value:?}")),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)?;
        if !self.more.is_empty() {
            write!(formatter, " ({})", self.more.join(", "))?;
        }
        self.error.iter().try_for_each(|error| write!(formatter, ": {error}"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    struct Kept(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Kept {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut line = Line::default();
            event.record(&mut line);
            self.0.lock().unwrap().push(line.to_string());
        }
    }

    #[test]
    fn a_warning_is_a_line() {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Kept(Arc::clone(&kept)).with_filter(EnvFilter::new(OWN)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "deployer::journal", error = %"no answer", attempt = 2, "an entry is tried again");
            tracing::info!(target: "deployer", "nothing to worry about");
            tracing::warn!(target: "hyper", "not ours");
        });
        assert_eq!(*kept.lock().unwrap(), ["an entry is tried again (attempt 2): no answer"]);
    }
}
