//! Rolling deployment of packages to hosts over SSH: inventory → facts → plan → execution, with a way back.
//!
//! Reads an [`Environment`], observes its hosts, makes a [`Plan`](plan::Plan) and carries it out under a lease, every
//! step journalled in the environment's ledger before and after. Nothing here prints: an [`Observer`] is told.

mod balancer;
mod environment;
mod facts;
#[cfg(test)]
mod fixture;
mod health;
mod identifier;
mod journal;
mod observer;
mod plan;
mod report;
mod script;
mod session;
mod site;
mod ssh;
mod target;
mod transport;
mod walk;

pub use balancer::{ParseStatError, ServerState};
pub use environment::{
    Approval, Balancer, Endpoint, Environment, EnvironmentError, EnvironmentProblem, Health, Host, Rolling, SshSettings,
};
pub use facts::{Facts, HostFacts, PackageManager, ParseFactsError};
pub use health::{HealthError, HealthProbe, HttpProbe};
pub use identifier::{DeploymentId, EnvironmentName, HostName, ParseIdentifierError};
pub use journal::{
    Action, DeploymentRecord, Direction, Ending, Entry, HostReport, Identity, JournalError, JournalState, LEASE,
    NoEarlierVersion, StepRecord, StepResult, earlier_versions,
};
pub use ledger::Author;
pub use observer::{Event, Happening, Observer};
pub use plan::{Change, HostPlan, Past, Plan, PlanError, Step, Verb, WayBack, Work, plan};
pub use report::Report;
pub use script::Script;
pub use session::{Approver, DeployError, Deployer, Request};
pub use site::{FactsError, ProbeError, Sight, Tools};
pub use ssh::Ssh;
pub use target::Target;
pub use transport::{Answer, ScriptError, Transport, TransportError};
pub use walk::{StepError, TransactionError};
