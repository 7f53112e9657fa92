//! Rolling deployment of packages to hosts over SSH: inventory → facts → plan → execution, with a way back.
//!
//! Reads an [`Environment`], observes its hosts, makes a [`Plan`](plan::Plan) and carries it out under a lease, every
//! step journalled in the environment's ledger before and after. Nothing here prints: an [`Observer`] is told.

mod balancers;
mod environment;
mod facts;
mod fence;
#[cfg(test)]
mod fixture;
mod health;
mod hooks;
mod identifier;
mod journal;
mod observer;
mod plan;
mod policy;
mod report;
mod script;
mod session;
mod site;
mod ssh;
mod target;
mod transport;
mod walk;

pub use balancers::{BalancerError, Counters, Driver, HaProxy, Rotation, ServerState};
pub use environment::{
    Approval, Balancer, Endpoint, Environment, EnvironmentError, EnvironmentProblem, FailurePolicy, Freeze, Health,
    Hook, HookPoint, Host, News, Notification, On, OnFailure, Place, Rolling, SshSettings, Standard, StandardDirectory,
    StandardKey, StandardRepository, Task, Via, Window,
};
pub use facts::{Facts, HostFacts, PackageManager, ParseFactsError};
pub use health::{HealthError, HealthProbe, HttpProbe};
pub use hooks::HookError;
pub use identifier::{DeploymentId, EnvironmentName, HostName, ParseIdentifierError};
pub use journal::{
    Action, DeploymentRecord, Direction, Ending, Entry, HostReport, Identity, JournalError, JournalState, LEASE,
    NoEarlierVersion, StepRecord, StepResult, earlier_versions,
};
pub use ledger::Author;
pub use observer::{Event, Happening, Observer};
pub use plan::{Change, HostPlan, Past, Plan, PlanError, Step, Verb, WayBack, Work, plan};
pub use policy::{AlwaysBackOut, Decision, Pause, Policy, StepFailure};
pub use report::Report;
pub use script::Script;
pub use session::{Approver, DeployError, Deployer, Request};
pub use site::{FactsError, Interrupt, ProbeError, Sight, Tools};
pub use ssh::Ssh;
pub use balancers::{Apache, AwsTargetGroup, Command, HealthPage, Lvs, Nginx, VirtualService};
pub use target::Target;
pub use transport::{Answer, ScriptError, Transport, TransportError};
pub use walk::{StepError, TransactionError};
