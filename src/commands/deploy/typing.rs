//! What a person types.

use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use deployer::Interrupt;
use tokio::sync::{mpsc, watch};

/// Lines as they are typed, from the first question on.
static LINES: OnceLock<tokio::sync::Mutex<mpsc::UnboundedReceiver<String>>> = OnceLock::new();
/// Keeps two questions from starting two readers.
static START: Mutex<()> = Mutex::new(());

/// Reads a line, unless Ctrl-C comes first. What was typed before the question does not answer it.
pub(crate) async fn line(interrupt: &watch::Receiver<Interrupt>) -> Option<String> {
    let mut lines = lines().lock().await;
    while lines.try_recv().is_ok() {}
    let mut interrupt = interrupt.clone();
    tokio::select! {
        line = lines.recv() => line.map(|line| line.trim().to_owned()),
        _ = interrupt.wait_for(|wish| *wish != Interrupt::None) => None,
    }
}

fn lines() -> &'static tokio::sync::Mutex<mpsc::UnboundedReceiver<String>> {
    let _only = START.lock().unwrap_or_else(PoisonError::into_inner);
    LINES.get_or_init(|| {
        let (sender, receiver) = mpsc::unbounded_channel();
        // A thread of its own: the runtime would wait at the end for a blocking task that still reads.
        std::thread::spawn(move || {
            let mut line = String::new();
            while io::stdin().read_line(&mut line).is_ok_and(|count| count > 0) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        tokio::sync::Mutex::new(receiver)
    })
}
