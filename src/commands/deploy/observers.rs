//! Those who follow a deployment: the screen or the lines, and whoever is notified.

use std::sync::Arc;

use deployer::{Event, Notifier, Observer};

use super::progress::Progress;
use super::screen::Screen;
use crate::render::Printer;

/// Everyone who is told of a deployment's events.
pub(crate) struct Observers {
    progress: Progress,
    screen: Option<Screen>,
    notifier: Notifier,
}

impl Observers {
    pub(crate) fn new(printer: &Printer, notifier: Notifier) -> Arc<Self> {
        let screen = printer.is_live().then(|| Screen::new(printer.clone()));
        Arc::new(Self { progress: Progress(printer.clone()), screen, notifier })
    }

    /// Tells of a deployment that was cut off.
    pub(crate) fn cut_off(&self, reason: &str) {
        self.notifier.cut_off(reason);
    }

    /// Waits until all are told; gives what could not be.
    pub(crate) async fn end(&self) -> Vec<String> {
        self.notifier.end().await
    }
}

impl Observer for Observers {
    fn observe(&self, event: &Event) {
        match &self.screen {
            None => self.progress.observe(event),
            Some(screen) => {
                // The rows show what goes well; what fails is also printed above them, to stay.
                self.progress.failures(event);
                screen.observe(event);
            }
        }
        self.notifier.observe(event);
    }
}
