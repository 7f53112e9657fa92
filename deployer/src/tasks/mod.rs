//! Commands that a person runs on the hosts of an environment: ad hoc, or tasks that the environment names.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use serde::Serialize;

use crate::command::{self, Command, CommandOutcome, run_here};
use crate::environment::{Environment, Host, On, Place, Task};
use crate::{HostName, Script, Transport};

/// What is to be run, and where.
#[derive(Debug, Clone)]
pub struct Job {
    /// For `sh -c`, as root.
    pub command: String,
    /// Where.
    pub place: Place,
    /// Only on these hosts; on all that the place means, if it is `None`.
    pub only: Option<Vec<HostName>>,
    /// How many hosts at a time; all if it is `None`.
    pub batch: Option<usize>,
    /// After what time it is given up.
    pub timeout: Duration,
    /// Whether the next batch follows one in which a host failed.
    pub keep_going: bool,
}

/// What came of it on one machine.
#[derive(Debug, Clone, Serialize)]
pub struct TaskOutcome {
    /// The host; `None` for the controller.
    pub host: Option<HostName>,
    /// What came of it; `None` where it was not begun because an earlier batch failed.
    #[serde(flatten)]
    pub outcome: Option<CommandOutcome>,
    /// How long it took.
    pub milliseconds: u64,
}

impl TaskOutcome {
    /// Whether the command ended with 0.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.outcome.as_ref().is_some_and(CommandOutcome::is_ok)
    }
}

impl Job {
    /// Makes the job that a task is.
    #[must_use]
    pub fn of(task: &Task) -> Self {
        Self {
            command: task.command.clone(),
            place: task.place.clone(),
            only: None,
            batch: task.batch,
            timeout: task.timeout,
            keep_going: false,
        }
    }

    /// The hosts that it runs on, in the environment's order.
    #[must_use]
    pub fn hosts<'e>(&self, environment: &'e Environment) -> Vec<&'e Host> {
        let named = |host: &&Host| self.only.as_ref().is_none_or(|only| only.contains(host.name()));
        let fitting = environment.hosts.iter().filter(|host| self.place.fits(host)).filter(named);
        match self.place.on {
            On::Controller => Vec::new(),
            On::Host => fitting.collect(),
            On::One => fitting.take(1).collect(),
        }
    }

    /// Runs it, batch after batch, and tells of each machine as soon as it has ended.
    pub async fn run(
        &self,
        environment: &Environment,
        transport: Arc<dyn Transport>,
        ended: &mut (dyn FnMut(TaskOutcome) + Send),
    ) {
        let began = Instant::now();
        if self.place.on == On::Controller {
            let variables = variables(environment, None);
            let outcome = run_here(&self.command(&variables), None).await;
            ended(TaskOutcome { host: None, outcome: Some(outcome), milliseconds: milliseconds(began) });
            return;
        }
        let hosts = self.hosts(environment);
        let mut failed = false;
        for batch in hosts.chunks(self.batch.unwrap_or(hosts.len()).max(1)) {
            if failed && !self.keep_going {
                for host in batch {
                    ended(TaskOutcome { host: Some(host.name().clone()), outcome: None, milliseconds: 0 });
                }
                continue;
            }
            let mut running: futures::stream::FuturesUnordered<_> =
                batch.iter().map(|host| self.run_on(environment, host, &*transport)).collect();
            while let Some(outcome) = running.next().await {
                failed |= !outcome.is_ok();
                ended(outcome);
            }
        }
    }

    async fn run_on(&self, environment: &Environment, host: &Host, transport: &dyn Transport) -> TaskOutcome {
        let began = Instant::now();
        let variables = variables(environment, Some(host));
        let command = self.command(&variables);
        let script = command::script(Script::new("command", &[]), &command).sole();
        let outcome = CommandOutcome::of(transport.run(&host.endpoint, &script).await, &command);
        TaskOutcome { host: Some(host.name().clone()), outcome: Some(outcome), milliseconds: milliseconds(began) }
    }

    fn command<'a>(&'a self, variables: &'a [(&'static str, String)]) -> Command<'a> {
        Command { text: &self.command, timeout: self.timeout, variables }
    }
}

fn variables(environment: &Environment, host: Option<&Host>) -> Vec<(&'static str, String)> {
    vec![
        ("PKG_ENVIRONMENT", environment.name.to_string()),
        ("PKG_HOST", host.map(|host| host.name().to_string()).unwrap_or_default()),
        ("PKG_ADDRESS", host.map(|host| host.endpoint.address.clone()).unwrap_or_default()),
    ]
}

fn milliseconds(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}
