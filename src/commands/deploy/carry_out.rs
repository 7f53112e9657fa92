//! From a request to an exit code: what `deploy`, `rollback` and `resume` share.

use std::path::PathBuf;
use std::sync::Arc;

use deployer::{DeployError, Ending, HostName, Interrupt, JournalError, Observer, Report, Request};
use ledger::{Ground, Refused};
use tokio::sync::watch;

use super::approver::Terminal;
use super::holds::report_holds;
use super::locate;
use super::observers::Observers;
use super::pause::PausedScreen;
use super::progress::print_report;
use super::publish_notes::publish_notes;
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// What a change is asked for with.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeArgs {
    /// Don't ask `go on?` at a terminal. Does not stand for a person's approval where the environment wants one.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Go on although the environment is outside of its windows or frozen; the reason is kept. Needs a person at a terminal.
    #[arg(long, value_name = "REASON")]
    pub(crate) despite_freeze: Option<String>,
    /// Go on although packages say that they can't be taken back, or can't go where it goes. At a terminal that is asked.
    #[arg(long)]
    pub(crate) no_way_back: bool,
    /// A file that `pkg approve` wrote, for environments where two people have to agree. May be given more than once.
    #[arg(long = "approval", value_name = "FILE")]
    pub(crate) approvals: Vec<PathBuf>,
    /// The SSH key to sign the plan with where two people have to agree; by default the first of ~/.ssh.
    #[arg(long, value_name = "FILE", env = "PKG_APPROVAL_KEY")]
    pub(crate) key: Option<PathBuf>,
    /// Leave these hosts out: they are not looked at and keep what they have. An unreachable host is a failed one otherwise.
    #[arg(long, value_name = "HOST", num_args = 1.., value_delimiter = ',')]
    pub(crate) without: Vec<HostName>,
    /// Why, for the history.
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: Option<String>,
}

/// Carries a request out, tells what happens, and maps what came of it to the exit code.
pub(crate) async fn carry_out(
    environment: &str,
    request: Request,
    change: ChangeArgs,
    printer: &Printer,
) -> Result<Exit, Failure> {
    let mut environment = locate::environment(environment)?;
    let without = match &request {
        Request::Planned(file) => &file.plan.left_out,
        _ => &change.without,
    };
    locate::leave_out(&mut environment, without)?;
    let (interrupted, interrupt) = watch::channel(Interrupt::None);
    let observers = Observers::new(printer, &environment);
    let observer: Arc<dyn Observer> = observers.clone();
    let paused = PausedScreen { printer: printer.clone(), observers: observers.clone(), interrupt: interrupt.clone() };
    let deployer = locate::open_with(environment, observer, Arc::new(paused), interrupt.clone()).await?;
    let why = change.why.clone();
    let approver = Terminal { printer: printer.clone(), change, interrupt };
    let listener = tokio::spawn(listen(interrupted, printer.clone()));
    let outcome = deployer.run(request, locate::identity(), why, &approver).await;
    listener.abort();
    if let Err(error @ DeployError::CutOff { .. }) = &outcome {
        observers.cut_off(&error.to_string());
    }
    for trouble in observers.end().await {
        printer.warning(&printable(&trouble));
    }
    report_holds(&deployer, printer).await;
    match outcome {
        Ok(report) => {
            print_report(printer, &report);
            publish_notes(deployer.environment(), &report, printer).await;
            Ok(exit(&report))
        }
        Err(error) => Err(failure(error)),
    }
}

/// Turns Ctrl-C, a polite kill and a terminal that is closed into "stop after the current step".
async fn listen(interrupted: watch::Sender<Interrupt>, printer: Printer) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        printer.warning("Ctrl-C can't be listened to: it would stop in the middle of a step");
        return;
    };
    // `nohup` has it ignored: then it stays so.
    let mut hangup = if ignores_hangup() { None } else { signal(SignalKind::hangup()).ok() };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = async { match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }} => {}
        }
        let earlier = *interrupted.borrow();
        if earlier == Interrupt::None {
            interrupted.send_replace(Interrupt::AfterStep);
            printer.warning(
                "stops after the current step; `pkg resume` goes on from there. Once more leaves at once: what runs on \
                 hosts goes on there",
            );
        } else {
            interrupted.send_replace(Interrupt::Detach);
        }
    }
}

/// Whether whoever started this process wants a closed terminal ignored (proc(5), `SigIgn`).
fn ignores_hangup() -> bool {
    const HANGUP: u64 = 1;
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & HANGUP != 0)
}

fn exit(report: &Report) -> Exit {
    match report.ending {
        Ending::Done | Ending::NothingToDo => Exit::Done,
        Ending::NothingChanged => Exit::Failed,
        Ending::RolledBack => Exit::RolledBack,
        Ending::PartlyChanged => Exit::PartlyChanged,
        Ending::NotApproved => Exit::ApprovalMissing,
    }
}

/// Maps a failure to its exit code and to what can be done next.
pub(crate) fn failure(error: DeployError) -> Failure {
    match &error {
        DeployError::Journal(JournalError::Held { .. }) => Failure::new(Exit::LeaseHeld, error),
        DeployError::Journal(JournalError::Interrupted { .. }) => Failure::new(Exit::LeaseHeld, error)
            .hint("`pkg resume` observes the hosts afresh and finishes it; then try again"),
        DeployError::Journal(refused) if refused.refusal().is_some() => server_says_no(error),
        DeployError::CutOff { hosts, .. } => {
            let exit = if hosts.is_empty() { Exit::Failed } else { Exit::PartlyChanged };
            Failure::new(exit, error).hint("`pkg resume` observes the hosts afresh and finishes it")
        }
        DeployError::Detached { .. } => Failure::new(Exit::PartlyChanged, error)
            .hint("`pkg resume` observes the hosts afresh and finishes it, `pkg resume --back-out` takes it back"),
        DeployError::PlanChanged { .. } => Failure::failed(error).hint("`pkg plan --out` makes a new one"),
        DeployError::Facts(facts) => {
            let mut hints: Vec<&str> = facts.hints().into_iter().collect();
            if facts.is_about_hosts() {
                hints.push("`--without HOST` leaves a host out");
            }
            let failure = Failure::failed(error);
            if hints.is_empty() { failure } else { failure.hint(hints.join("; ")) }
        }
        DeployError::Store { .. } => Failure::failed(error)
            .hint("`ledger` of the environment names a directory that all who deploy can write to"),
        DeployError::Journal(_) | DeployError::Plan(_) | DeployError::NoEarlierVersion(_) => Failure::failed(error),
    }
}

/// What the server that keeps the ledger refuses says it itself.
fn server_says_no(error: DeployError) -> Failure {
    let refused = match &error {
        DeployError::Journal(error) => error.refusal().cloned(),
        _ => None,
    };
    let Some(Refused { ground, detail, hint }) = refused else { return Failure::failed(error) };
    let exit = match ground {
        Ground::Approval | Ground::Frozen => Exit::ApprovalMissing,
        Ground::Lease => Exit::LeaseHeld,
        Ground::Right | Ground::Other => Exit::Failed,
    };
    let failure = Failure::new(exit, anyhow::anyhow!("{detail}"));
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
