//! Every fault at every moment: a controller that dies, one that wakes up too late, connections and answers that fail.
//!
//! The fleet itself watches that nothing stopped gets requests and that enough of it serves at any time.

use std::pin::pin;
use std::sync::Arc;

use deployer::{DeployError, Ending, JournalError, Report, Request};

use crate::fate::{At, Deed, Fate, Moment, Side};
use crate::trial::{Kind, NEW, Story, Trial, act};

/// Every how many-th moment is tried; all of them where `PKG_EVERY_MOMENT` is set, which takes minutes.
fn stride(stride: usize) -> usize {
    if is_long() { 1 } else { stride }
}

fn is_long() -> bool {
    std::env::var_os("PKG_EVERY_MOMENT").is_some()
}

/// What strikes whom at what.
#[derive(Clone, Copy)]
struct Blow {
    kind: Kind,
    story: Story,
    at: At,
    deed: Deed,
    stride: usize,
}

/// Tries moments at which it can strike, until it no longer does; gives how many there were.
async fn at_moments(blow: Blow, trial: impl AsyncFn(&Trial, Moment, Arc<Fate>)) -> usize {
    let Blow { kind, story, at, deed, .. } = blow;
    for number in (0..).step_by(blow.stride) {
        let sides: &[Side] = match (at, deed) {
            // After one entry is before the next, but where hosts go side by side.
            (At::Entry, _) if !is_long() => &[Side::After],
            (_, Deed::Babble) => &[Side::After],
            _ => &[Side::Before, Side::After],
        };
        for side in sides {
            let moment = Moment { at, number, side: *side };
            let subject = Trial::new(kind, story, format!("{kind:?} {story:?} {moment:?} {deed:?}")).await;
            let fate = Fate::new(moment, deed);
            trial(&subject, moment, Arc::clone(&fate)).await;
            if !fate.has_struck() {
                return number;
            }
        }
    }
    unreachable!("a deployment ends")
}

/// A controller that dies at moments; another finishes it, or takes it back, or dies as well.
async fn dies(kind: Kind, at: At) {
    let every = if at == At::Entry { 1 } else { stride(7) };
    for story in Story::ALL {
        let blow = Blow { kind, story, at, deed: Deed::Still, stride: every };
        let moments = at_moments(blow, async |trial, moment, fate| {
            let way = if moment.number % 2 == 0 { Request::Resume } else { Request::BackOut };
            match trial.run(story.request(), &fate).await {
                None => trial.recover(&way).await,
                Some(end) => drop(end.unwrap()),
            }
        });
        assert!(moments.await > 30);
        if is_long() {
            at_moments(blow, async |trial, moment, fate| {
                let way = if moment.number % 2 == 1 { Request::Resume } else { Request::BackOut };
                if trial.run(story.request(), &fate).await.is_none() {
                    trial.recover(&way).await;
                }
            })
            .await;
        }
        let twice = Blow { stride: stride(9), ..blow };
        at_moments(twice, async |trial, moment, fate| {
            if trial.run(story.request(), &fate).await.is_some() {
                return;
            }
            trial.end_lease(&trial.state().await).await;
            let second = Fate::new(Moment { number: (moment.number * 13 + 5) % 47, ..moment }, Deed::Still);
            let way = if moment.number % 2 == 0 { Request::BackOut } else { Request::Resume };
            if trial.run(way.clone(), &second).await.is_none() {
                trial.recover_after_another(&way).await;
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_while_hosts_roll_is_replaced() {
    dies(Kind::Rolling, At::Entry).await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_after_canaries_is_replaced() {
    dies(Kind::Canary, At::Entry).await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_between_clusters_is_replaced() {
    dies(Kind::Clusters, At::Entry).await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_at_a_script_is_replaced() {
    dies(Kind::Rolling, At::Script).await;
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_dies_at_a_script_for_clusters_is_replaced() {
    dies(Kind::Clusters, At::Script).await;
}

/// One that stood still, and wakes up when another has finished its work.
async fn wakes_up(kind: Kind, at: At) {
    for story in [Story::Deploy, Story::Broken] {
        for way in [Request::Resume, Request::BackOut] {
            let blow = Blow { kind, story, at, deed: Deed::Still, stride: stride(9) };
            at_moments(blow, async |trial, _, fate| {
                let deployer = trial.deployer(&fate);
                let mut asleep = pin!(act(&deployer, story.request()));
                tokio::select! {
                    biased;
                    _ = &mut asleep => return,
                    () = fate.strikes() => {}
                }
                trial.recover(&way).await;
                let known = trial.state().await.position;
                if known.number == 0 {
                    // It had not begun.
                    return;
                }
                fate.wake();
                let end = asleep.await;
                let happened = trial.site.fleet.happened();
                assert!(happened.is_empty(), "{}: {happened:?} {end:?}", trial.name);
                assert_eq!(trial.state().await.position, known, "{}: {end:?}", trial.name);
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_wakes_up_too_late_changes_nothing() {
    wakes_up(Kind::Rolling, At::Entry).await;
    wakes_up(Kind::Rolling, At::Script).await;
}

#[tokio::test(start_paused = true)]
async fn who_wakes_up_too_late_among_clusters_changes_nothing() {
    wakes_up(Kind::Clusters, At::Entry).await;
    wakes_up(Kind::Clusters, At::Script).await;
}

/// A script that gets no answer, or a bad one.
async fn suffers(kind: Kind, deed: Deed) {
    for story in Story::ALL {
        let blow = Blow { kind, story, at: At::Script, deed, stride: stride(11) };
        at_moments(blow, async |trial, _, fate| {
            let end = trial.run(story.request(), &fate).await.unwrap();
            let happened = trial.site.fleet.happened();
            let name = &trial.name;
            match end {
                Ok(Report { ending: Ending::Done, .. }) => trial.is_well(story.end()).await,
                Ok(Report { ending: Ending::RolledBack, .. }) => trial.is_well(story.start()).await,
                Ok(Report { ending: Ending::PartlyChanged, .. }) | Err(DeployError::CutOff { .. }) => {
                    trial.recover_after_another(&Request::Resume).await;
                }
                Ok(Report { ending: Ending::NothingChanged, .. }) | Err(_) => {
                    assert!(happened.is_empty(), "{name}: {happened:?}");
                    trial.is_well(story.start()).await;
                }
                Ok(report) => panic!("{name}: {:?}", report.ending),
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_leaves_nothing_half_done() {
    suffers(Kind::Rolling, Deed::Break).await;
    suffers(Kind::Clusters, Deed::Break).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_lost_is_found_again() {
    suffers(Kind::Rolling, Deed::Cut).await;
    suffers(Kind::Clusters, Deed::Cut).await;
}

#[tokio::test(start_paused = true)]
async fn a_script_that_fails_leaves_nothing_half_done() {
    suffers(Kind::Rolling, Deed::Fail).await;
    suffers(Kind::Clusters, Deed::Fail).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_none_leaves_nothing_half_done() {
    suffers(Kind::Rolling, Deed::Babble).await;
    suffers(Kind::Clusters, Deed::Babble).await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_ahead_locks_nobody_out() {
    let (trial, fate) = Trial::in_the_middle().await;
    assert!(trial.run(Story::Deploy.request(), &fate).await.is_none());
    // As long as its holder lives, it has the lease.
    trial.extend_by_clock(10).await;
    for request in [Request::Resume, Story::Deploy.request()] {
        let kind = Fate::kind();
        let end = tokio::select! {
            end = trial.run(request, &kind) => end.unwrap(),
            () = trial.beats_by_clock(10) => unreachable!("a heart that beats"),
        };
        assert!(matches!(end, Err(DeployError::Journal(JournalError::Held { .. }))), "{end:?}");
    }
    // Once it is silent, it has not, whatever its clock said.
    let end = trial.run(Story::Deploy.request(), &Fate::kind()).await.unwrap();
    assert!(matches!(end, Err(DeployError::Journal(JournalError::Interrupted { .. }))), "{end:?}");
    assert_eq!(trial.run(Request::Resume, &Fate::kind()).await.unwrap().unwrap().ending, Ending::Done);
    trial.is_well(NEW).await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_behind_lets_no_two_change_hosts() {
    let (trial, fate) = Trial::in_the_middle().await;
    let deployer = trial.deployer(&fate);
    let mut behind = pin!(act(&deployer, Story::Deploy.request()));
    tokio::select! { biased; _ = &mut behind => panic!("it ended"), () = fate.strikes() => {} }
    trial.extend_by_clock(-9).await;
    let fresh = trial.run(Story::Deploy.request(), &Fate::kind()).await.unwrap();
    assert!(matches!(fresh, Err(DeployError::Journal(JournalError::Interrupted { .. }))), "{fresh:?}");
    assert_eq!(trial.run(Request::Resume, &Fate::kind()).await.unwrap().unwrap().ending, Ending::Done);
    trial.site.fleet.happened();
    fate.wake();
    assert!(matches!(behind.await, Err(DeployError::CutOff { .. })));
    assert!(trial.site.fleet.happened().is_empty());
    trial.is_well(NEW).await;
}
