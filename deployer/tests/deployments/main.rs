//! Whole deployments over a simulated fleet: the order of steps, what a failure leads to, what is left in the journal.

mod decisions;
mod drift;
mod fate;
mod faults;
mod fleet;
mod journal;
mod strategies;
mod trial;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deployer::{
    Agreement, AlwaysBackOut, Approver, Author, Consent, DeployError, Deployer, DeploymentRecord, Ending, Entry,
    Environment, Event, Facts, Identity, Interrupt, JournalError, Observer, Plan, Policy, Report, Request, Tools,
};
use fleet::Fleet;
use ledger::Store;
use tempfile::TempDir;
use tokio::sync::watch;

const ENVIRONMENT: &str = r#"
name = "test"
ledger = "store"
approval = "none"
[repository]
ids = ["pkg-dev"]
[service]
name = "tomcat10"
[health]
url = "http://{address}:8080/"
expect_body = "{version}-{release}"
start_timeout = "300ms"
interval = "5ms"
[[balancer]]
kind = "haproxy"
host = "lb1"
backend = "app"
[strategy]
kind = "rolling"
min_serving = 1
[[hosts]]
name = "web1"
[[hosts]]
name = "web2"
"#;

const OLD: &str = "app-1.0-1.noarch";
const OFFERED: &[&str] = &["app-1.0-1.noarch", "app-1.1-1.noarch", "app-1.2-1.noarch"];

/// The way of one host to a version.
fn walk(host: &str, version: &str) -> Vec<String> {
    let steps = ["drain", "maint", "stop", &format!("→ app-{version}.noarch"), "start", "ready"].map(str::to_owned);
    steps.map(|step| format!("{host} {step}")).into()
}

struct Site {
    directory: TempDir,
    fleet: Fleet,
    interrupt: watch::Sender<Interrupt>,
    policy: Arc<dyn Policy>,
}

/// Agrees, or refuses.
struct Answer(bool);

#[async_trait]
impl Approver for Answer {
    async fn approve(&self, _: &Environment, _: &DeploymentRecord, _: &Plan, _: &Facts) -> Result<Agreement, String> {
        if self.0 { Ok(Agreement::by(Consent::Unattended)) } else { Err("no".to_owned()) }
    }
}

#[derive(Default)]
struct Events(Mutex<Vec<String>>);

impl Observer for Events {
    fn observe(&self, event: &Event) {
        self.0.lock().unwrap().push(format!("{:?}", event.happening));
    }
}

impl Site {
    fn new() -> Self {
        Self::of(ENVIRONMENT, &["web1", "web2"])
    }

    /// An environment of its own text, and its hosts.
    fn of(environment: &str, hosts: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs_err::write(directory.path().join("test.toml"), environment).unwrap();
        Self {
            directory,
            fleet: Fleet::new(hosts, OLD, OFFERED),
            interrupt: watch::channel(Interrupt::None).0,
            policy: Arc::new(AlwaysBackOut),
        }
    }

    fn environment(&self) -> Environment {
        Environment::load(&self.directory.path().join("test.toml")).unwrap()
    }

    async fn open(&self) -> Deployer {
        self.open_as(self.environment()).await
    }

    async fn open_as(&self, environment: Environment) -> Deployer {
        let tools = Tools {
            transport: Arc::new(self.fleet.clone()),
            health: Arc::new(self.fleet.clone()),
            observer: Arc::new(Events::default()),
            policy: Arc::clone(&self.policy),
            interrupt: self.interrupt.subscribe(),
        };
        Deployer::open(environment, tools).await.unwrap()
    }

    async fn run(&self, request: Request) -> Result<Report, DeployError> {
        self.run_with(&self.open().await, request).await
    }

    async fn run_with(&self, deployer: &Deployer, request: Request) -> Result<Report, DeployError> {
        let who = Identity { who: "ana".to_owned(), from: "test".to_owned() };
        deployer.run(request, who, Some("CHG-1".to_owned()), &Answer(true)).await
    }

    async fn deploy(&self, version: &str) -> Result<Report, DeployError> {
        self.run(Request::Deploy(vec![format!("app-{version}").parse().unwrap()])).await
    }

    /// Lets the lease of a dead controller end.
    async fn end_lease(&self) {
        let store = Store::open(self.directory.path().join("store").to_str().unwrap()).await.unwrap();
        let ledger = store.ledger::<Entry>("environments/test");
        let state = self.open().await.journal().await.unwrap();
        let deployment = state.unfinished().unwrap().id;
        let entry = Entry::Extended { deployment, until: chrono::Utc::now() - chrono::TimeDelta::seconds(1) };
        let author = Author { who: "ana".to_owned(), from: "test".to_owned(), why: None };
        ledger.append(&state.position, author, entry).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn hosts_go_one_after_the_other() {
    let site = Site::new();
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!((report.ending, report.deployment.to_string().as_str()), (Ending::Done, "D-0001"));
    assert_eq!(site.fleet.happened(), [walk("web1", "1.1-1"), walk("web2", "1.1-1")].concat());
    assert_eq!(site.fleet.now(), ["web1 app-1.1-1.noarch UP", "web2 app-1.1-1.noarch UP"]);

    let again = site.deploy("1.1-1").await.unwrap();
    assert_eq!((again.ending, site.fleet.happened().len()), (Ending::NothingToDo, 0));

    let state = site.open().await.whole_journal().await.unwrap();
    let record = &state.deployments[0];
    assert_eq!(record.author.why.as_deref(), Some("CHG-1"));
    assert_eq!(record.steps.len(), 2 * 8);
    assert!(record.steps.iter().all(|step| step.result.is_some()));
    assert!(state.unsettled().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failure_takes_every_touched_host_back() {
    let site = Site::new();
    site.fleet.breaks("web2", "1.1-1");
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!(report.ending, Ending::RolledBack);
    assert!(report.reason.unwrap().starts_with("`web2`: check failed: not healthy"));
    let onward = [walk("web1", "1.1-1"), walk("web2", "1.1-1")[..5].to_vec()].concat();
    // What failed is out of the balancer already, and goes first.
    let back = [walk("web2", "1.0-1")[2..].to_vec(), walk("web1", "1.0-1")].concat();
    assert_eq!(site.fleet.happened(), [onward, back].concat());
    assert_eq!(site.fleet.now(), ["web1 app-1.0-1.noarch UP", "web2 app-1.0-1.noarch UP"]);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_taken_back_is_said_and_repaired_by_the_next() {
    let site = Site::new();
    site.fleet.breaks("web1", "1.1-1");
    site.fleet.breaks("web1", "1.0-1");
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!(report.ending, Ending::PartlyChanged);
    assert_eq!(report.hosts.iter().map(|host| host.settled).collect::<Vec<_>>(), [false, true]);
    assert_eq!(site.fleet.now(), ["web1 app-1.0-1.noarch MAINT", "web2 app-1.0-1.noarch UP"]);

    site.fleet.mend();
    assert_eq!(site.run(Request::Resume).await.unwrap().ending, Ending::RolledBack);
    assert_eq!(site.fleet.now(), ["web1 app-1.0-1.noarch UP", "web2 app-1.0-1.noarch UP"]);
    assert_eq!(site.deploy("1.1-1").await.unwrap().ending, Ending::Done);
}

#[tokio::test(start_paused = true)]
async fn a_failure_before_the_first_stop_changes_nothing() {
    let site = Site::new();
    site.fleet.fails("web2", "stage");
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!((report.ending, site.fleet.happened().len()), (Ending::NothingChanged, 0));

    site.fleet.mend();
    site.fleet.cut("web2");
    assert!(matches!(site.deploy("1.1-1").await, Err(DeployError::Facts(_))));
    site.fleet.mend();
    assert!(matches!(site.deploy("9").await, Err(DeployError::Plan(_))));
    // Neither keeps the lease.
    assert_eq!(site.deploy("1.1-1").await.unwrap().ending, Ending::Done);
}

#[tokio::test(start_paused = true)]
async fn too_few_serving_stops_before_anything_is_taken_out() {
    let site = Site::new();
    site.fleet.out_of_balancer("web2");
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!(report.ending, Ending::NothingChanged);
    assert!(report.reason.unwrap().contains("only 0 other hosts serve (none); `min_serving` is 1"));
    assert!(site.fleet.happened().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_deployment_at_a_time() {
    let site = Arc::new(Site::new());
    let other = Arc::clone(&site);
    let refused = Arc::new(Mutex::new(None));
    let (kept, handle) = (Arc::clone(&refused), tokio::runtime::Handle::current());
    site.fleet.before("web1 stop", move || {
        let (other, kept) = (Arc::clone(&other), Arc::clone(&kept));
        handle.spawn(async move { *kept.lock().unwrap() = Some(other.deploy("1.2-1").await) });
    });
    assert_eq!(site.deploy("1.1-1").await.unwrap().ending, Ending::Done);
    let refused = refused.lock().unwrap().take();
    let Some(Err(DeployError::Journal(error @ JournalError::Held { .. }))) = refused else { panic!("{refused:?}") };
    assert!(error.to_string().starts_with("deployment D-0001 by ana from test holds the lease since"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_controller_is_resumed() {
    let site = Arc::new(Site::new());
    let dead = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&dead);
    site.fleet.before("web2 stop", move || told.notify_one());
    let controller = Arc::clone(&site);
    let task = tokio::spawn(async move { controller.deploy("1.1-1").await });
    dead.notified().await;
    task.abort();
    assert!(task.await.is_err());
    site.fleet.happened();

    assert!(matches!(site.run(Request::Resume).await, Err(DeployError::Journal(JournalError::Held { .. }))));
    site.end_lease().await;
    let fresh = site.deploy("1.2-1").await;
    assert!(matches!(fresh, Err(DeployError::Journal(JournalError::Interrupted { .. }))), "{fresh:?}");
    assert!(site.fleet.happened().is_empty());

    let report = site.run(Request::Resume).await.unwrap();
    assert_eq!((report.ending, report.deployment.to_string().as_str()), (Ending::Done, "D-0001"));
    assert!(site.fleet.happened().iter().all(|happened| happened.starts_with("web2")));
    assert_eq!(site.fleet.now(), ["web1 app-1.1-1.noarch UP", "web2 app-1.1-1.noarch UP"]);
    // What was there before the first run is still known.
    assert_eq!(site.run(Request::Rollback(None)).await.unwrap().ending, Ending::Done);
    assert_eq!(site.fleet.now(), ["web1 app-1.0-1.noarch UP", "web2 app-1.0-1.noarch UP"]);
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_lost_its_lease_changes_nothing_more() {
    let site = Site::new();
    site.fleet.sees_newer_token_before("web1 stop");
    let error = site.deploy("1.1-1").await.unwrap_err();
    let DeployError::CutOff { hosts, .. } = &error else { panic!("{error}") };
    assert_eq!(hosts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["web1"]);
    assert_eq!(site.fleet.happened(), walk("web1", "1.1-1")[..2]);
}

#[tokio::test(start_paused = true)]
async fn hosts_that_saw_another_ledger_refuse_before_anything_changes() {
    let site = Site::new();
    site.fleet.sees_newer_token_before("web1 stage");
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!(report.ending, Ending::NothingChanged);
    assert!(report.reason.unwrap().contains("refuses `stage`"));
    assert_eq!(site.fleet.happened(), Vec::<String>::new());
    // The lease was given back.
    assert!(!matches!(site.deploy("1.1-1").await, Err(DeployError::Journal(JournalError::Held { .. }))));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_answer_hides_no_other() {
    let site = Site::new();
    site.deploy("1.1-1").await.unwrap();
    site.fleet.cut("web2");
    let (_, sight) = site.open().await.look().await.unwrap();
    assert_eq!(sight.facts.hosts.keys().map(ToString::to_string).collect::<Vec<_>>(), ["web1"]);
    assert!(sight.unseen.values().next().unwrap().to_string().contains("`web2`"));
    assert!(sight.balancers.is_none());
    // How a balancer sees it is known all the same.
    let lost = &sight.views[&"web2".parse().unwrap()];
    assert_eq!(lost.iter().map(ToString::to_string).collect::<Vec<_>>(), ["UP"]);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_tells_of_a_host_that_was_changed_by_hand() {
    let site = Site::new();
    site.deploy("1.1-1").await.unwrap();
    site.fleet.changes_by_hand("web2", OLD);
    let report = site.run(Request::Rollback(None)).await.unwrap();
    assert_eq!(report.ending, Ending::Done);
    let left: Vec<_> =
        report.hosts.iter().map(|host| format!("{} {:?}", host.host, host.now.as_ref().unwrap())).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(site.fleet.now(), ["web1 app-1.0-1.noarch UP", "web2 app-1.0-1.noarch UP"]);
}

#[tokio::test(start_paused = true)]
async fn rollbacks_go_back_one_by_one() {
    let site = Site::new();
    site.deploy("1.1-1").await.unwrap();
    site.deploy("1.2-1").await.unwrap();
    for expected in ["1.1-1", "1.0-1"] {
        let report = site.run(Request::Rollback(None)).await.unwrap();
        assert_eq!(report.ending, Ending::Done);
        assert_eq!(site.fleet.now()[1], format!("web2 app-{expected}.noarch UP"));
    }
    let error = site.run(Request::Rollback(None)).await.unwrap_err();
    assert!(matches!(error, DeployError::NoEarlierVersion(_)), "{error}");
    let to = Request::Rollback(Some("app-1.2".parse().unwrap()));
    assert_eq!(site.run(to).await.unwrap().ending, Ending::Done);
}

#[tokio::test(start_paused = true)]
async fn without_approval_nothing_happens() {
    let site = Site::new();
    let who = Identity { who: "ana".to_owned(), from: "test".to_owned() };
    let request = Request::Deploy(vec!["app".parse().unwrap()]);
    let report = site.open().await.run(request, who, None, &Answer(false)).await.unwrap();
    assert_eq!((report.ending, report.reason.as_deref()), (Ending::NotApproved, Some("no")));
    assert!(site.fleet.happened().is_empty());
    assert_eq!(site.deploy("1.1-1").await.unwrap().ending, Ending::Done);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_stops_after_the_step_and_says_so() {
    let site = Site::new();
    let interrupt = site.interrupt.clone();
    site.fleet.before("web1 stop", move || {
        interrupt.send_replace(Interrupt::AfterStep);
    });
    let report = site.deploy("1.1-1").await.unwrap();
    assert_eq!(report.ending, Ending::PartlyChanged);
    assert_eq!(site.fleet.happened(), walk("web1", "1.1-1")[..3]);
    assert_eq!(site.fleet.now()[0], "web1 app-1.0-1.noarch MAINT");

    site.interrupt.send_replace(Interrupt::None);
    assert_eq!(site.run(Request::Resume).await.unwrap().ending, Ending::Done);
    assert_eq!(site.fleet.now(), ["web1 app-1.1-1.noarch UP", "web2 app-1.1-1.noarch UP"]);
}

#[tokio::test(start_paused = true)]
async fn what_runs_and_what_a_rollback_brings_is_needed() {
    let site = Site::new();
    let needed = async || {
        let needed = site.open().await.journal().await.unwrap().needed();
        needed.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(needed().await, [""; 0]);
    site.deploy("1.1-1").await.unwrap();
    assert_eq!(needed().await, ["app-1.0-1.noarch", "app-1.1-1.noarch"]);
    site.deploy("1.2-1").await.unwrap();
    assert_eq!(needed().await, ["app-1.1-1.noarch", "app-1.2-1.noarch"]);
    site.run(Request::Rollback(None)).await.unwrap();
    assert_eq!(needed().await, ["app-1.0-1.noarch", "app-1.1-1.noarch"]);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_of_one_package_forgets_no_other() {
    let site = Site::of(&ENVIRONMENT.replace("[health]", "[health]\npackage = \"app\""), &["web1", "web2"]);
    site.fleet.offers("tool-7-1.noarch");
    site.deploy("1.1-1").await.unwrap();
    site.run(Request::Deploy(vec!["tool".parse().unwrap()])).await.unwrap();
    let needed = site.open().await.journal().await.unwrap().needed();
    let needed: Vec<_> = needed.iter().map(ToString::to_string).collect();
    assert_eq!(needed, ["app-1.1-1.noarch", "tool-7-1.noarch"]);
}
