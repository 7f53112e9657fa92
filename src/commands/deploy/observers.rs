//! Those who follow a deployment: the screen or the lines, and whoever is notified.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use deployer::{Environment, Event, Notifier, Observer, Pause, StrategyKind};
use tokio::task::JoinHandle;

use super::progress::Progress;
use super::screen::{Board, Heading, Screen};
use crate::render::Printer;

/// Everyone who is told of a deployment's events.
pub(crate) struct Observers {
    progress: Progress,
    screen: Option<Screen>,
    heartbeat: Option<Heartbeat>,
    notifier: Notifier,
}

/// Says now and then what goes on, where only ends of steps are lines: whoever reads a job's log sees that it lives.
struct Heartbeat {
    board: Arc<Mutex<Board>>,
    beat: JoinHandle<()>,
}

/// How often that is.
const HEARTBEAT: Duration = Duration::from_secs(20);

impl Observers {
    pub(crate) fn new(printer: &Printer, environment: &Environment) -> Arc<Self> {
        let notifier = Notifier::start(environment);
        let is_by_clusters = matches!(environment.strategy.kind, StrategyKind::Clusters { .. });
        let clusters = environment.clusters.iter().filter(|_| is_by_clusters).map(Heading::new).collect();
        let screen = printer.is_live().then(|| Screen::new(printer.clone(), clusters));
        let heartbeat = (screen.is_none() && !printer.is_json()).then(|| Heartbeat::start(printer.clone()));
        Arc::new(Self { progress: Progress(printer.clone()), screen, heartbeat, notifier })
    }

    /// Lets what is shown stand, so that a person can be asked below it, and tells those who are notified.
    pub(crate) fn wait_for_a_person(&self, pause: &Pause) {
        if let Some(screen) = &self.screen {
            screen.hold();
        }
        self.notifier.paused(pause);
    }

    /// Tells of a deployment that was cut off.
    pub(crate) fn cut_off(&self, reason: &str) {
        self.notifier.cut_off(reason);
    }

    /// Waits until all are told; gives what could not be.
    pub(crate) async fn end(&self) -> Vec<String> {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.beat.abort();
        }
        self.notifier.end().await
    }
}

impl Heartbeat {
    fn start(printer: Printer) -> Self {
        let board = Arc::<Mutex<Board>>::default();
        let seen = Arc::clone(&board);
        let beat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                let now = Utc::now();
                let working = seen.lock().unwrap_or_else(PoisonError::into_inner).working(now);
                if !working.is_empty() {
                    printer.talk(&format!("{} goes on: {}", now.format("%H:%M:%SZ"), working.join(", ")));
                }
            }
        });
        Self { board, beat }
    }
}

impl Observer for Observers {
    fn observe(&self, event: &Event) {
        match &self.screen {
            None => {
                self.progress.observe(event);
                if let Some(heartbeat) = &self.heartbeat {
                    heartbeat.board.lock().unwrap_or_else(PoisonError::into_inner).take(event);
                }
            }
            Some(screen) => {
                // The rows show what goes well; what fails is also printed above them, to stay.
                self.progress.failures(event);
                screen.observe(event);
            }
        }
        self.notifier.observe(event);
    }
}
