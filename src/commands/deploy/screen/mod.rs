//! The live screen of a deployment on a terminal: a block of lines that is drawn anew as things happen.

mod board;
mod draw;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use deployer::{Event, Happening, Observer};
use tokio::task::JoinHandle;

pub(super) use self::board::{Board, Heading};
use crate::render::Printer;

/// How often what goes on is drawn anew, for the seconds that pass.
const INTERVAL: Duration = Duration::from_millis(250);

/// Draws a deployment, from the approval of its plan to its end.
pub(crate) struct Screen {
    printer: Printer,
    board: Arc<Mutex<Board>>,
    ticker: Mutex<Option<JoinHandle<()>>>,
}

impl Screen {
    pub(super) fn new(printer: Printer, clusters: Vec<Heading>) -> Self {
        let board = Arc::new(Mutex::new(Board::of_clusters(clusters)));
        Self { printer, board, ticker: Mutex::default() }
    }

    /// Lets the rows stand as they are until it is decided what follows: what a person is asked stands below.
    pub(crate) fn hold(&self) {
        draw(&self.printer, &self.board);
        self.board.lock().unwrap_or_else(PoisonError::into_inner).paused = true;
        self.printer.leave_live();
    }

    fn start(&self) {
        let (printer, board) = (self.printer.clone(), Arc::clone(&self.board));
        let ticker = tokio::spawn(async move {
            loop {
                draw(&printer, &board);
                tokio::time::sleep(INTERVAL).await;
            }
        });
        if let Some(before) = self.ticker.lock().unwrap_or_else(PoisonError::into_inner).replace(ticker) {
            before.abort();
        }
    }

    fn stop(&self) {
        if let Some(ticker) = self.ticker.lock().unwrap_or_else(PoisonError::into_inner).take() {
            ticker.abort();
        }
        self.printer.live(Vec::new());
    }
}

fn draw(printer: &Printer, board: &Mutex<Board>) {
    let Some((width, height)) = printer.terminal_size() else { return };
    let board = board.lock().unwrap_or_else(PoisonError::into_inner);
    if board.paused {
        return;
    }
    printer.live(draw::lines(&board, Utc::now(), (width, height), &|tone, text| printer.paint(tone, text)));
}

impl Observer for Screen {
    fn observe(&self, event: &Event) {
        self.board.lock().unwrap_or_else(PoisonError::into_inner).take(event);
        match &event.happening {
            Happening::Approved { .. } => self.start(),
            Happening::Finished { .. } => self.stop(),
            _ => {}
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.stop();
    }
}
