//! Telling others of deployments. It never holds a deployment up and never fails one: what could not be told is said at the
//! end.

mod message;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use self::message::Message;
use crate::command::{Command, run_here};
use crate::environment::{Environment, Notification, Via};
use crate::observer::{Event, Observer};
use crate::policy::Pause;

/// How long one attempt may take, how many there are, and the pause after the first, which doubles.
const ATTEMPT: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);
/// How long the end of a deployment waits for what is still to be told.
const LAST_WORDS: Duration = Duration::from_secs(20);

/// Tells those whom an environment names of a deployment's events.
pub struct Notifier {
    told: Mutex<message::Story>,
    queues: Mutex<Vec<(Notification, mpsc::UnboundedSender<Message>)>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    troubles: Arc<Mutex<Vec<String>>>,
}

impl Notifier {
    /// Begins; within a tokio runtime.
    #[must_use]
    pub fn start(environment: &Environment) -> Self {
        let troubles = Arc::<Mutex<Vec<String>>>::default();
        let (mut queues, mut workers) = (Vec::new(), Vec::new());
        for (number, notification) in (1..).zip(&environment.notifications) {
            let (sender, receiver) = mpsc::unbounded_channel();
            queues.push((notification.clone(), sender));
            let (via, troubles) = (notification.via.clone(), Arc::clone(&troubles));
            workers.push(tokio::spawn(work(number, via, receiver, troubles)));
        }
        let told = Mutex::new(message::Story::of(environment));
        Self { told, queues: Mutex::new(queues), workers: Mutex::new(workers), troubles }
    }

    /// Tells that a person is asked what follows a failure: a pause that nobody is asked about is no news.
    pub fn paused(&self, pause: &Pause) {
        let message = self.told.lock().unwrap_or_else(PoisonError::into_inner).paused(pause);
        self.send(Some(message));
    }

    /// Tells of a deployment that was cut off, of which no event tells.
    pub fn cut_off(&self, reason: &str) {
        let message = self.told.lock().unwrap_or_else(PoisonError::into_inner).cut_off(reason);
        self.send(message);
    }

    /// Waits, for a while, until all is told; gives what could not be.
    pub async fn end(&self) -> Vec<String> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        let all = futures::future::join_all(workers);
        let in_time = tokio::time::timeout(LAST_WORDS, all).await.is_ok();
        let mut troubles = std::mem::take(&mut *self.troubles.lock().unwrap_or_else(PoisonError::into_inner));
        if !in_time {
            troubles.push(format!("notifications were not all sent within {} s", LAST_WORDS.as_secs()));
        }
        troubles
    }

    fn send(&self, message: Option<Message>) {
        let Some(message) = message else { return };
        for (notification, queue) in self.queues.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if notification.on.contains(&message.event) {
                // Its worker lives as long as the queue.
                let _ = queue.send(message.clone());
            }
        }
    }
}

impl Observer for Notifier {
    fn observe(&self, event: &Event) {
        let message = self.told.lock().unwrap_or_else(PoisonError::into_inner).take(event);
        self.send(message);
    }
}

/// Tells one recipient, message after message.
async fn work(number: usize, via: Via, mut queue: mpsc::UnboundedReceiver<Message>, troubles: Arc<Mutex<Vec<String>>>) {
    while let Some(message) = queue.recv().await {
        if let Err(reason) = tell(&via, &message).await {
            let trouble = format!("notification {number} of `{}` was not sent: {reason}", message.event.as_str());
            troubles.lock().unwrap_or_else(PoisonError::into_inner).push(trouble);
        }
    }
}

async fn tell(via: &Via, message: &Message) -> Result<(), String> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let outcome = match via {
            Via::Webhook(url) => post(url, message).await,
            Via::Command(command) => run(command, message).await,
        };
        match outcome {
            Err(reason) if attempt < ATTEMPTS => {
                tracing::debug!(%reason, attempt, "notification is tried again");
                tokio::time::sleep(PAUSE * 2u32.pow(attempt - 1)).await;
            }
            outcome => return outcome,
        }
    }
}

async fn post(url: &str, message: &Message) -> Result<(), String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(ATTEMPT).build().map_err(|error| error.to_string())?;
    // The address is a secret: errors go without it.
    let answer = client.post(url).json(message).send().await.map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("the webhook answers {}", answer.status())) }
}

async fn run(command: &str, message: &Message) -> Result<(), String> {
    let variables = message.variables();
    let command = Command { text: command, timeout: ATTEMPT, variables: &variables };
    let input = serde_json::to_string(message).map_err(|error| error.to_string())?;
    let outcome = run_here(&command, Some(input)).await;
    if outcome.is_ok() { Ok(()) } else { Err(outcome.reason()) }
}

#[cfg(test)]
mod tests;
