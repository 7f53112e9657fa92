//! `pkg run`

use std::sync::Arc;
use std::time::Duration;

use deployer::{Environment, HostName, Job, On, Place, Ssh, TaskOutcome, Transport};
use globset::{Glob, GlobMatcher};

use super::deploy;
use crate::exit::{Exit, Failure};
use crate::render::{Printer, Tone, printable};

/// Run a command, or a task of the environment, on its hosts.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A path to an environment file (.toml), or its name.
    #[arg(value_name = "ENV")]
    environment: String,
    /// Run this task of the environment's [tasks].
    #[arg(long, value_name = "NAME", conflicts_with = "command")]
    task: Option<String>,
    /// Only on hosts of this role.
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Only on hosts whose names fit, such as `web*` or `web1,web2`.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    hosts: Vec<Glob>,
    /// How many hosts at a time; all of them by default, or what the task says.
    #[arg(long, value_name = "N")]
    batch: Option<std::num::NonZeroUsize>,
    /// Go on with the next batch although a host failed.
    #[arg(long)]
    keep_going: bool,
    /// Seconds after which the command is ended; 300, or what the task says.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
    /// How many of the last lines of each host are shown; 0 shows all.
    #[arg(long, value_name = "N", default_value_t = 100)]
    lines: usize,
    /// The command and its arguments; one argument alone is a line for the shell.
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "task")]
    command: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  pkg run prod -- uptime
  pkg run prod --role tomcat --batch 2 -- 'systemctl restart tomcat && sleep 5'
  pkg run prod --hosts 'web0*' -- rpm -q petclinic
  pkg run prod --task clear-cache

It runs as root, on hosts side by side, without a lease: it is for what deployments don't do. stdout holds what the hosts
print, each line after its host's name; with --json, one line per host. PKG_ENVIRONMENT, PKG_HOST and PKG_ADDRESS tell the
command where it runs. Exit codes: 0 all hosts did it, 1 none did, 4 some did.";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let environment = deploy::environment(&args.environment)?;
    let job = job(&args, &environment)?;
    if job.place.on != On::Controller && job.hosts(&environment).is_empty() {
        return Err(Failure::input(anyhow::anyhow!("no host of `{}` fits", environment.name)));
    }
    let ssh: Arc<dyn Transport> = Arc::new(Ssh::of(&environment).map_err(Failure::failed)?);
    let mut outcomes: Vec<TaskOutcome> = Vec::new();
    let mut ended = |outcome: TaskOutcome| {
        show(printer, &outcome, args.lines);
        outcomes.push(outcome);
    };
    job.run(&environment, Arc::clone(&ssh), &mut ended).await;
    ssh.close().await;
    Ok(close(printer, &outcomes))
}

fn job(args: &Args, environment: &Environment) -> Result<Job, Failure> {
    let mut job = match &args.task {
        Some(name) => Job::of(environment.tasks.get(name).ok_or_else(|| unknown(name, environment))?),
        None => Job {
            command: shell_line(&args.command),
            place: Place { on: On::Host, role: None },
            only: None,
            batch: None,
            timeout: Duration::from_secs(300),
            keep_going: false,
        },
    };
    if let Some(role) = &args.role {
        if !environment.hosts.iter().any(|host| host.roles.contains(role)) {
            return Err(Failure::input(anyhow::anyhow!("no host of `{}` has the role `{role}`", environment.name)));
        }
        job.place.role = Some(role.clone());
    }
    if !args.hosts.is_empty() {
        let patterns: Vec<GlobMatcher> = args.hosts.iter().map(Glob::compile_matcher).collect();
        let fits = |host: &&HostName| patterns.iter().any(|pattern| pattern.is_match(host.as_str()));
        job.only = Some(environment.hosts.iter().map(|host| host.name()).filter(fits).cloned().collect());
    }
    job.batch = args.batch.map(usize::from).or(job.batch);
    job.timeout = args.timeout.map_or(job.timeout, Duration::from_secs);
    job.keep_going = args.keep_going;
    Ok(job)
}

fn unknown(name: &str, environment: &Environment) -> Failure {
    let known: Vec<&str> = environment.tasks.keys().map(String::as_str).collect();
    let known = if known.is_empty() { "none".to_owned() } else { format!("`{}`", known.join("`, `")) };
    Failure::input(anyhow::anyhow!("environment `{}` has no task `{name}`; it has {known}", environment.name))
}

/// Several arguments are words that the shell takes as they are, as with `ssh`'s better cousins; one is a line of its own.
fn shell_line(command: &[String]) -> String {
    match command {
        [line] => line.clone(),
        words => words.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect::<Vec<_>>().join(" "),
    }
}

fn show(printer: &Printer, task: &TaskOutcome, limit: usize) {
    let host = name(task);
    if printer.is_json() {
        printer.json(task);
    }
    let Some(outcome) = &task.outcome else { return };
    let lines: Vec<&str> = outcome.output.lines().collect();
    let cut = if limit == 0 { 0 } else { lines.len().saturating_sub(limit) };
    if !printer.is_json() {
        if cut > 0 {
            printer.talk(&format!("{host}: {cut} lines before these are not shown; `--lines 0` shows all"));
        }
        for line in &lines[cut..] {
            printer.data(&format!("{host}> {}", printable(line)));
        }
    }
    let seconds = Duration::from_millis(task.milliseconds).as_secs_f64();
    if outcome.is_ok() {
        printer.talk(&format!("{host} {} {seconds:.1}s", printer.paint(Tone::Good, "ok")));
    } else {
        printer.urgent(&format!("{host} {} {seconds:.1}s {}", printer.paint(Tone::Bad, "failed"), outcome.reason()));
    }
}

/// The closing words, failures repeated, and the exit code.
fn close(printer: &Printer, outcomes: &[TaskOutcome]) -> Exit {
    let good = outcomes.iter().filter(|task| task.is_ok()).count();
    let left: Vec<String> = outcomes.iter().filter(|task| task.outcome.is_none()).map(name).collect();
    let failed: Vec<&TaskOutcome> = outcomes.iter().filter(|task| task.outcome.is_some() && !task.is_ok()).collect();
    if !left.is_empty() {
        printer.urgent(&format!("not begun on {}: a batch before failed (`--keep-going` goes on)", left.join(", ")));
    }
    if failed.len() > 1 || (!failed.is_empty() && outcomes.len() > 1) {
        for task in &failed {
            let reason = task.outcome.as_ref().map(deployer::CommandOutcome::reason).unwrap_or_default();
            printer.urgent(&format!("  {} {}  {reason}", printer.paint(Tone::Bad, "✖"), name(task)));
        }
    }
    printer.talk(&format!("{good} of {} did it", outcomes.len()));
    match good {
        all if all == outcomes.len() => Exit::Done,
        0 => Exit::Failed,
        _ => Exit::PartlyChanged,
    }
}

fn name(task: &TaskOutcome) -> String {
    task.host.as_ref().map_or("controller".to_owned(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        let line = |words: &[&str]| shell_line(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(line(&["a && b"]), "a && b");
        assert_eq!(line(&["echo", "a b", "it's", "*"]), r"'echo' 'a b' 'it'\''s' '*'");
    }
}
