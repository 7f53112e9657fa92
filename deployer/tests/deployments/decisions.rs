//! What is decided when steps fail, saved plans, and a controller that lets go.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deployer::{
    Action, Decision, DeployError, Ending, Environment, Interrupt, Outlook, Pause, PlanFile, Policy, Request,
};

use crate::fleet::Fleet;
use crate::{ENVIRONMENT, Site, walk};

/// Decides what it was told, one after the other; a retry finds everything mended.
struct Script {
    decisions: Mutex<Vec<Decision>>,
    fleet: Fleet,
    seen: Arc<Mutex<Vec<Pause>>>,
}

#[async_trait]
impl Policy for Script {
    async fn decide(&self, _: &Environment, pause: &Pause) -> Decision {
        self.seen.lock().unwrap().push(pause.clone());
        let decision = self.decisions.lock().unwrap().remove(0);
        if decision == Decision::Retry {
            self.fleet.mend();
        }
        decision
    }
}

/// Two hosts of which the second fails, and what is decided.
fn site(decisions: &[Decision]) -> (Site, Arc<Mutex<Vec<Pause>>>) {
    let mut site = Site::new();
    site.fleet.breaks("web2", "1.1-1");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (decisions, fleet) = (Mutex::new(decisions.to_vec()), site.fleet.clone());
    site.policy = Arc::new(Script { decisions, fleet, seen: Arc::clone(&seen) });
    (site, seen)
}

#[tokio::test(start_paused = true)]
async fn what_is_decided_is_done() {
    let now = |one: &str, two: &str| [format!("web1 app-{one}.noarch UP"), format!("web2 app-{two}")];
    for (decision, ending, expected) in [
        (Decision::Retry, Ending::Done, now("1.1-1", "1.1-1.noarch UP")),
        (Decision::Skip, Ending::PartlyChanged, now("1.1-1", "1.1-1.noarch MAINT")),
        (Decision::BackOutBatch, Ending::PartlyChanged, now("1.1-1", "1.0-1.noarch UP")),
        (Decision::BackOut, Ending::RolledBack, now("1.0-1", "1.0-1.noarch UP")),
        (Decision::Stop, Ending::PartlyChanged, now("1.1-1", "1.1-1.noarch MAINT")),
    ] {
        let (site, seen) = site(&[decision]);
        let report = site.deploy("1.1-1").await.unwrap();
        assert_eq!((report.ending, site.fleet.now()), (ending, expected.to_vec()), "{decision} {:?}", report.reason);
        let pause = seen.lock().unwrap()[0].clone();
        assert_eq!(pause.failures[0].host.as_str(), "web2");
        let all = [Decision::Retry, Decision::Skip, Decision::BackOutBatch, Decision::BackOut, Decision::Stop];
        assert_eq!(pause.choices, all);
        let state = site.open().await.journal().await.unwrap();
        assert_eq!(state.deployments[0].pauses[0].1, Some(decision));
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_paused_is_finished_or_taken_back_later() {
    for (request, ending, version) in
        [(Request::Resume, Ending::Done, "1.1-1"), (Request::BackOut, Ending::RolledBack, "1.0-1")]
    {
        let (site, _) = site(&[Decision::Stop]);
        site.deploy("1.1-1").await.unwrap();
        site.fleet.mend();
        assert_eq!(site.run(request).await.unwrap().ending, ending);
        assert_eq!(site.fleet.now(), ["web1", "web2"].map(|host| format!("{host} app-{version}.noarch UP")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_whole_batch_tries_again_once_enough_others_serve() {
    let (mut site, seen) = site(&[Decision::Retry]);
    let environment = ENVIRONMENT.replace("name = \"web2\"", "name = \"web[2-3]\"");
    let environment = environment.replace("min_serving = 1", "min_serving = 1\nbatch_size = 2");
    let policy = Arc::clone(&site.policy);
    site = Site { policy, fleet: site.fleet.clone(), ..Site::of(&environment, &[]) };
    site.fleet.add("web3");
    site.fleet.out_of_balancer("web3");
    assert_eq!(site.deploy("1.1-1").await.unwrap().ending, Ending::Done);
    assert_eq!(seen.lock().unwrap()[0].choices, [Decision::Retry, Decision::Stop]);
    assert_eq!(site.fleet.now(), ["web1", "web2", "web3"].map(|host| format!("{host} app-1.1-1.noarch UP")));
}

#[tokio::test(start_paused = true)]
async fn nothing_but_to_try_again_or_to_stop_before_anything_changed() {
    let (site, seen) = site(&[Decision::Skip]);
    site.fleet.fails("web1", "stage");
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!((report.ending, site.fleet.happened().len()), (Ending::NothingChanged, 0));
    assert_eq!(seen.lock().unwrap()[0].choices, [Decision::Retry, Decision::Stop]);
}

#[tokio::test(start_paused = true)]
async fn a_saved_plan_is_carried_out_only_while_it_holds() {
    let site = Site::new();
    let request = Request::Deploy(vec!["app-1.1".parse().unwrap()]);
    let Outlook { action, plan, .. } = site.open().await.plan(&request).await.unwrap();
    assert_eq!(action, Action::Deploy);
    let file = || Request::Planned(Box::new(PlanFile::new(plan.clone(), action, "ana".to_owned())));
    site.fleet.changes_by_hand("web2", "app-1.2-1.noarch");
    let refused = site.run(file()).await.unwrap_err();
    let DeployError::PlanChanged { differences } = &refused else { panic!("{refused}") };
    assert!(differences[0].starts_with("`web2`: was upgrade `app-1.0-1.noarch`"), "{differences:?}");
    assert!(site.fleet.happened().is_empty());

    site.fleet.changes_by_hand("web2", "app-1.0-1.noarch");
    assert_eq!(site.run(file()).await.unwrap().ending, Ending::Done);
    assert_eq!(site.fleet.happened(), [walk("web1", "1.1-1"), walk("web2", "1.1-1")].concat());
}

#[tokio::test(start_paused = true)]
async fn who_lets_go_leaves_the_lease_to_whoever_resumes() {
    let site = Site::new();
    let interrupt = site.interrupt.clone();
    site.fleet.before("web1 start", move || {
        interrupt.send_replace(Interrupt::Detach);
    });
    let error = site.deploy("1.1-1").await.unwrap_err();
    let DeployError::Detached { hosts, .. } = &error else { panic!("{error}") };
    assert_eq!(hosts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["web1"]);
    site.interrupt.send_replace(Interrupt::None);
    // Without waiting for the lease's end.
    assert_eq!(site.run(Request::Resume).await.unwrap().ending, Ending::Done);
    assert_eq!(site.fleet.now(), ["web1 app-1.1-1.noarch UP", "web2 app-1.1-1.noarch UP"]);
}

/// A version that says it can't go back stays once it ran; before that, the host goes back.
#[tokio::test(start_paused = true)]
async fn what_says_that_it_can_not_go_back_is_not_taken_back() {
    let site = Site::new();
    for host in ["web1", "web2"] {
        site.fleet.says(host, "offered app-1.2-1.noarch\noldest app 1.1\n");
    }
    site.fleet.fails("web1", "transaction");
    let report = site.deploy("1.2-1").await.unwrap();
    assert_eq!(report.ending, Ending::PartlyChanged, "{:?}", report.reason);
    site.fleet.mend();
    assert_eq!(site.run(Request::BackOut).await.unwrap().ending, Ending::RolledBack);
    assert_eq!(site.fleet.now(), ["web1 app-1.0-1.noarch UP", "web2 app-1.0-1.noarch UP"]);

    site.fleet.breaks("web2", "1.2-1");
    let report = site.deploy("1.2-1").await.unwrap();
    assert_eq!(report.ending, Ending::PartlyChanged, "{report:?}");
    assert!(report.reason.unwrap().contains("the package says that it can't go back that far"));
    assert_eq!(site.fleet.now(), ["web1 app-1.2-1.noarch UP", "web2 app-1.2-1.noarch MAINT"]);
    site.fleet.mend();
    assert_eq!(site.run(Request::Resume).await.unwrap().ending, Ending::PartlyChanged);
}
