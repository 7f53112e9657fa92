//! From a request to an exit code: what `deploy`, `rollback` and `resume` share.

use std::sync::Arc;

use deployer::{DeployError, Ending, Interrupt, JournalError, Report, Request};
use tokio::sync::watch;

use super::approver::Terminal;
use super::holds::report_holds;
use super::locate;
use super::progress::{Progress, print_report};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// What a change is asked for with.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeArgs {
    /// Don't ask `go on?` at a terminal. Does not stand for a person's approval where the environment wants one.
    #[arg(long, short)]
    pub(crate) yes: bool,
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
    let environment = locate::environment(environment)?;
    let (interrupted, interrupt) = watch::channel(Interrupt::None);
    let deployer = locate::open(environment, Arc::new(Progress(printer.clone())), interrupt.clone()).await?;
    let approver = Terminal { printer: printer.clone(), assume_yes: change.yes, interrupt };
    let listener = tokio::spawn(listen(interrupted, printer.clone()));
    let outcome = deployer.run(request, locate::identity(), change.why, &approver).await;
    listener.abort();
    report_holds(&deployer, printer).await;
    match outcome {
        Ok(report) => {
            print_report(printer, &report);
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
        interrupted.send_replace(Interrupt::AfterStep);
        printer.warning("stops after the current step; `pkg resume` goes on from there");
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
        DeployError::CutOff { hosts, .. } => {
            let exit = if hosts.is_empty() { Exit::Failed } else { Exit::PartlyChanged };
            Failure::new(exit, error).hint("`pkg resume` observes the hosts afresh and finishes it")
        }
        DeployError::Facts(facts) => {
            let hints: Vec<&str> = facts.hints().into_iter().collect();
            let failure = Failure::failed(error);
            if hints.is_empty() { failure } else { failure.hint(hints.join("; ")) }
        }
        DeployError::Store { .. } => Failure::failed(error)
            .hint("`ledger` of the environment names a directory that all who deploy can write to"),
        DeployError::Journal(_) | DeployError::Plan(_) | DeployError::NoEarlierVersion(_) => Failure::failed(error),
    }
}
