//! A transaction on a host: detached, waited for, and judged by what it left, never by its exit code alone.

use std::collections::BTreeSet;
use std::time::Duration;

use nevra::Nevra;
use tokio::time::Instant;

use super::{Station, StepError, Walk};
use crate::Script;
use crate::journal::Direction;
use crate::plan::{Change, Verb};
use crate::transport::{ScriptError, run_checked};

const RECONNECT_INTERVAL: Duration = Duration::from_millis(500);
/// How long a transaction may run before a person is needed. It is not killed.
const TRANSACTION_LIMIT: Duration = Duration::from_secs(3600);
const LOCK_WAIT_SECONDS: u32 = 600;
const WAIT: &str = include_str!("../scripts/transaction_wait.sh");

/// Says in which way the packages are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    /// The host restarted, or the transaction was killed.
    #[error("the transaction was cut short; installed is {found}")]
    Lost {
        /// What is installed.
        found: String,
    },
    /// It goes on and on.
    #[error("the transaction still runs after {} s", limit.as_secs())]
    Endless {
        /// How long it was waited for.
        limit: Duration,
    },
    /// The package manager failed.
    #[error("the package manager ended with exit code {status}{complaint}")]
    Exit {
        /// The exit code.
        status: String,
        /// What it says of that, after `: `.
        complaint: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
    /// Not exactly the target is installed, whatever the exit code says.
    #[error("installed is {found} instead of {expected}")]
    Installed {
        /// What is installed.
        found: String,
        /// What should be.
        expected: String,
    },
    /// A scriptlet failed, for which the package manager exits 0.
    #[error("a scriptlet failed: {0}")]
    Scriptlet(String),
    /// Packaged files are not what the package holds.
    #[error("files differ from the package: {0}")]
    Files(String),
    /// The host printed something else than `transaction_wait.sh` does.
    #[error("`{0}` can't be understood")]
    Unexpected(String),
}

/// What yum 3 says at the end of its progress, or in other words.
const COMPLAINTS: [&str; 4] = ["Error in ", "Error unpacking ", "Transaction check error:", NO_MORE];

/// What dnf says last, now and then at the end of its progress, of a failure that it has told of before.
const NO_MORE: &str = "Error: Transaction failed";

/// What the package manager itself says of its failure: its last line that begins with `Error` and says more than that, and
/// the next one where that says what.
fn complaint(log: &[String]) -> Option<String> {
    const LONGEST: usize = 300;
    let complains = |line: &String| {
        let line = line.trim();
        let begins = line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error")) && line != "Error Summary";
        let start = if begins { 0 } else { COMPLAINTS.iter().find_map(|words| line.find(words))? };
        Some(line[start..].to_owned())
    };
    let complaints = || log.iter().enumerate().rev().filter_map(|(index, line)| Some((index, complains(line)?)));
    let (index, mut said) = complaints().find(|(_, said)| said != NO_MORE).or_else(|| complaints().next())?;
    if let (true, Some(next)) = (said.ends_with(':'), log.get(index + 1)) {
        said = format!("{said} {}", next.trim());
    }
    Some(said.chars().take(LONGEST).collect())
}

/// What a look at a transaction tells.
#[derive(Debug, Default, PartialEq, Eq)]
struct Look {
    state: String,
    exit: Option<String>,
    installed: BTreeSet<Nevra>,
    verify: Vec<String>,
    scriptlets: Vec<String>,
    beside: Vec<String>,
    log: Vec<String>,
}

impl Walk<'_> {
    /// Brings the host's packages to the target, or back; gives `from→to`.
    pub(super) async fn transact(&self, station: Station<'_>, direction: Direction) -> Result<String, StepError> {
        let moves = moves(&station.plan.changes, direction);
        let (directory, look) = self.start(station, &moves, direction).await?;
        let look = match look {
            Some(look) => look,
            None => self.wait(station, &directory, &moves).await?,
        };
        judge(&look, &moves)?;
        let mut said: Vec<String> = moves.iter().map(Move::to_string).collect();
        said.extend(look.beside.iter().map(|file| format!("edited configuration stays, the package's is `{file}`")));
        Ok(said.join(" "))
    }

    /// Starts it and waits a while for its end; gives its directory on the host, and what was seen if it has ended.
    async fn start(
        &self,
        station: Station<'_>,
        moves: &[Move],
        direction: Direction,
    ) -> Result<(String, Option<Look>), StepError> {
        let environment = &self.site.environment.name;
        let deployment = self.journal.id();
        let word = match direction {
            Direction::Onward => "onward",
            Direction::Back => "back",
        };
        let id = format!("{}-{word}-{}", self.journal.token(), &uuid::Uuid::new_v4().simple().to_string()[..8]);
        let directory = format!("/var/lib/pkg/transactions/{environment}/{deployment}/{id}");
        let (up, down): (Vec<&Move>, Vec<&Move>) = moves.iter().partition(|change| !change.is_downgrade());
        let runner = self
            .packaging(station, "transaction", include_str!("../scripts/transaction_run.sh"))
            .set("LOCK_WAIT", LOCK_WAIT_SECONDS.to_string())
            .set_words("NAMES", moves.iter().map(|change| change.to.name.to_string()))
            .set_words("UP", up.iter().map(|change| change.to.with_epoch()))
            .set_words("DOWN", down.iter().map(|change| change.to.with_epoch()));
        let script = self
            .fenced("transaction", &[include_str!("../scripts/transaction_start.sh"), WAIT])
            .set("DIRECTORY", &directory)
            .set_words("NAMES", moves.iter().map(|change| change.to.name.to_string()))
            .set("UNIT", format!("pkg-{environment}-{deployment}-{id}"))
            .set("DETACHED", include_str!("../scripts/transaction_detached.sh"))
            .set("RUNNER", runner.text());
        let (began, patience) = (Instant::now(), self.patience(station));
        loop {
            let endpoint = &station.host.endpoint;
            match run_checked(&*self.site.tools.transport, endpoint, &script).await {
                Ok(text) => return Ok((directory, ended(&text)?)),
                Err(ScriptError::Transport(_)) if began.elapsed() < patience => {
                    tokio::time::sleep(RECONNECT_INTERVAL).await;
                    // It may have started all the same.
                    let answer =
                        run_checked(&*self.site.tools.transport, endpoint, &wait_script(&directory, moves)).await;
                    if let Ok(text) = answer
                        && !text.starts_with("state absent")
                    {
                        return Ok((directory, ended(&text)?));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// How long the host is waited for where it can't be reached: what runs there goes on.
    fn patience(&self, station: Station<'_>) -> Duration {
        self.site.environment.reconnect_timeout(station.host.name())
    }

    /// Waits until it has ended, over as many connections as that takes.
    async fn wait(&self, station: Station<'_>, directory: &str, moves: &[Move]) -> Result<Look, StepError> {
        let script = wait_script(directory, moves);
        let (began, patience) = (Instant::now(), self.patience(station));
        let mut answered = Instant::now();
        while began.elapsed() < TRANSACTION_LIMIT {
            match run_checked(&*self.site.tools.transport, &station.host.endpoint, &script).await {
                Ok(text) => {
                    answered = Instant::now();
                    if let Some(look) = ended(&text)? {
                        return Ok(look);
                    }
                }
                Err(ScriptError::Transport(_)) if answered.elapsed() < patience => {
                    tokio::time::sleep(RECONNECT_INTERVAL).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(TransactionError::Endless { limit: TRANSACTION_LIMIT }.into())
    }
}

/// What was seen of a transaction, if it has ended.
fn ended(text: &str) -> Result<Option<Look>, TransactionError> {
    let look = Look::parse(text)?;
    Ok((look.state != "running").then_some(look))
}

fn wait_script(directory: &str, moves: &[Move]) -> Script {
    Script::new("wait for the transaction", &[WAIT])
        .set("DIRECTORY", directory)
        .set_words("NAMES", moves.iter().map(|change| change.to.name.to_string()))
}

/// One package that is brought from one version to another.
struct Move {
    from: Option<Nevra>,
    to: Nevra,
}

impl Move {
    fn is_downgrade(&self) -> bool {
        self.from.as_ref().is_some_and(|from| from.evr > self.to.evr)
    }
}

impl std::fmt::Display for Move {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.from {
            Some(from) => write!(formatter, "{}→{}", from.evr, self.to.evr),
            None => write!(formatter, "→{}", self.to.evr),
        }
    }
}

fn moves(changes: &[Change], direction: Direction) -> Vec<Move> {
    match direction {
        Direction::Onward => changes
            .iter()
            .filter(|change| change.verb != Verb::Nothing)
            .map(|change| Move { from: change.from.clone(), to: change.to.clone() })
            .collect(),
        Direction::Back => changes
            .iter()
            .filter(|change| change.moves())
            .filter_map(|change| Some(Move { from: Some(change.to.clone()), to: change.from.clone()? }))
            .collect(),
    }
}

impl Look {
    fn parse(text: &str) -> Result<Self, TransactionError> {
        let mut look = Self::default();
        for line in text.lines() {
            let unexpected = || TransactionError::Unexpected(line.to_owned());
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            match key {
                "state" => value.clone_into(&mut look.state),
                "exit" => look.exit = Some(value.to_owned()),
                "installed" => drop(look.installed.insert(value.parse().map_err(|_| unexpected())?)),
                "verify" => look.verify.push(value.to_owned()),
                "beside" => look.beside.push(value.to_owned()),
                "scriptlet" => look.scriptlets.push(value.to_owned()),
                "log" => look.log.push(value.trim_end().to_owned()),
                _ => return Err(unexpected()),
            }
        }
        Ok(look)
    }

    fn found(&self) -> String {
        let names: Vec<String> = self.installed.iter().map(|package| format!("`{package}`")).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    }
}

/// Holds what a transaction left against what it should have: an exit code is only a hint.
fn judge(look: &Look, moves: &[Move]) -> Result<(), TransactionError> {
    if look.state != "ended" {
        return Err(TransactionError::Lost { found: look.found() });
    }
    let status = look.exit.clone().unwrap_or_default();
    if status != "0" {
        let complaint = complaint(&look.log).or_else(|| look.scriptlets.last().cloned());
        let complaint = complaint.map(|said| format!(": {said}")).unwrap_or_default();
        return Err(TransactionError::Exit { status, complaint, log: look.log.clone() });
    }
    let expected: BTreeSet<Nevra> = moves.iter().map(|change| change.to.clone()).collect();
    if look.installed != expected {
        let expected = expected.iter().map(|package| format!("`{package}`")).collect::<Vec<_>>().join(", ");
        return Err(TransactionError::Installed { found: look.found(), expected });
    }
    if !look.scriptlets.is_empty() {
        return Err(TransactionError::Scriptlet(look.scriptlets.join(" · ")));
    }
    let differing: Vec<&str> = look.verify.iter().map(|line| line.trim()).filter(|line| counts(line)).collect();
    if !differing.is_empty() {
        return Err(TransactionError::Files(differing[..differing.len().min(5)].join(" · ")));
    }
    Ok(())
}

/// Whether a line of `rpm -V` is about a file that nobody but the package may change: not configuration, not a ghost.
fn counts(line: &str) -> bool {
    let mut words = line.split_whitespace().skip(1);
    !line.is_empty() && !matches!(words.next(), Some("c" | "g"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "state ended\nexit 0\ninstalled app-0:1.1-1.noarch\nlog Complete!\n";

    fn judged(text: &str) -> Result<(), TransactionError> {
        let moves = [Move { from: None, to: "app-1.1-1.noarch".parse().unwrap() }];
        judge(&Look::parse(text)?, &moves)
    }

    #[test]
    fn a_host_succeeded_only_if_everything_says_so() {
        judged(GOOD).unwrap();
        judged(&format!("{GOOD}verify S.5....T.  c /etc/app.properties\nverify missing   g /var/cache/app\nverify\n"))
            .unwrap();
        for (text, expected) in [
            ("state lost\ninstalled app-0:1.0-1.noarch\n".to_owned(), "cut short; installed is `app-1.0-1.noarch`"),
            ("state absent\n".to_owned(), "cut short; installed is nothing"),
            (GOOD.replace("exit 0", "exit 200"), "exit code 200"),
            (
                GOOD.replace("exit 0", "exit 1")
                    + "log Error: Transaction test error:\nlog   file /usr/a conflicts\nlog bye\n",
                "exit code 1: Error: Transaction test error: file /usr/a conflicts",
            ),
            (
                GOOD.replace("exit 0", "exit 1")
                    + "log   Updating   : app-1.1-1.noarch      1/2Error in PREIN scriptlet in rpm package app-1.1-1.noarch\n\
                       log   Verifying  : app-1.1-1.noarch      1/2\nlog Complete!\n",
                "exit code 1: Error in PREIN scriptlet in rpm package app-1.1-1",
            ),
            (
                GOOD.replace("exit 0", "exit 1")
                    + "log error: app-1.0-1.noarch: erase failed\nlog   Verifying  : app-1.1-1  2/2Error: Transaction failed\n",
                "exit code 1: error: app-1.0-1.noarch: erase failed",
            ),
            (
                GOOD.replace("exit 0", "exit 1") + "log   Verifying  : app-1.1-1  2/2Error: Transaction failed\n",
                "exit code 1: Error: Transaction failed",
            ),
            (
                GOOD.replace("exit 0", "exit 1")
                    + "log Transaction check error:\nlog   file /usr/a conflicts\nlog Error Summary\nlog -------------\n",
                "exit code 1: Transaction check error: file /usr/a conflicts",
            ),
            (
                GOOD.replace("exit 0", "exit 1") + "scriptlet Error in PREIN scriptlet in rpm package app\n",
                "exit code 1: Error in PREIN scriptlet in rpm package app",
            ),
            (GOOD.replace("exit 0\n", ""), "exit code "),
            (GOOD.replace("1.1", "1.0"), "installed is `app-1.0-1.noarch` instead of `app-1.1-1.noarch`"),
            (format!("{GOOD}installed app-0:1.0-1.noarch\n"), "`app-1.0-1.noarch`, `app-1.1-1.noarch` instead"),
            (format!("{GOOD}scriptlet Error in POSTIN scriptlet in rpm package app\n"), "a scriptlet failed: Error in"),
            (format!("{GOOD}verify missing     /usr/share/app/a.jar\n"), "files differ from the package: missing"),
            (format!("{GOOD}verify S.5....T.    /usr/share/app/a.jar\n"), "files differ"),
            ("hello\n".to_owned(), "`hello` can't be understood"),
        ] {
            let error = judged(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
