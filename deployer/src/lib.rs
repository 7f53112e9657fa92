//! Rolling deployment of packages to hosts over SSH: inventory → facts → plan → execution, with a way back.
//!
//! Reads an [`Environment`], observes its hosts, makes a [`Plan`](plan::Plan) and carries it out under a lease, every
//! step journalled in the environment's ledger before and after. Nothing here prints: an [`Observer`] is told.

mod approval;
mod balancers;
mod command;
mod condition;
mod drift;
mod environment;
mod facts;
mod fence;
#[cfg(test)]
mod fixture;
mod health;
mod hooks;
mod hosts;
mod identifier;
mod installed;
mod journal;
mod notifications;
mod observer;
mod plan;
mod policy;
mod report;
mod script;
#[cfg(test)]
mod script_tests;
mod services;
mod session;
mod site;
mod ssh;
mod target;
mod tasks;
mod transport;
mod walk;

pub use ::approval::Approval as SignedApproval;
pub use ::approval::{AllowedSigners, SignError, Statement, VerifyError};
pub use approval::{Agreement, Consent, Given, Question, Refusal, closed, question};
pub use balancers::{
    Apache, AwsTargetGroup, BalancerError, Command, Counters, Driver, HaProxy, HealthPage, Lvs, Nginx, Rotation,
    ServerState, VirtualService,
};
pub use command::CommandOutcome;
pub use condition::{Condition, PackageSize};
pub use drift::{Drift, brought, drift};
pub use environment::{
    Approval, Balancer, Cluster, Endpoint, Environment, EnvironmentError, EnvironmentProblem, FailurePolicy, Freeze,
    Health, Hook, HookPoint, Host, News, NotesAudience, NotesDestination, NotesPlace, Notification, On, OnFailure,
    Place, Portion, Proxy, SshSettings, Standard, StandardDirectory, StandardKey, StandardRepository, Strategy,
    StrategyKind, Task, Via, Window,
};
pub use environment::{Check, From, HttpCheck, Service, ServiceKind, TomcatManager};
pub use facts::{Facts, HostFacts, PackageManager, ParseFactsError};
pub use health::{HealthError, HealthProbe, HttpProbe};
pub use hooks::HookError;
pub use hosts::{Item, ItemState, bring, cloud_init, inspect, items, kickstart};
pub use identifier::{ClusterName, DeploymentId, EnvironmentName, HostName, ParseIdentifierError};
pub use installed::{Installed, InstalledError, InstalledPackage};
pub use journal::{
    Action, DeploymentRecord, Direction, Ending, Entry, HookRecord, HostReport, Identity, JournalError, JournalState,
    LEASE, NoEarlierVersion, StepRecord, StepResult, earlier_versions,
};
pub use ledger::Author;
pub use notifications::Notifier;
pub use observer::{Event, Happening, Observer};
pub use plan::{
    Change, HostPlan, OldestRollback, PLAN_FORMAT, Past, Plan, PlanError, PlanFile, PlanFileError, Remark, Stage, Step,
    Verb, WayBack, Work, plan,
};
pub use policy::{AlwaysBackOut, Decision, Pause, Policy, StepFailure};
pub use report::Report;
pub use script::Script;
pub use session::{Approver, DeployError, Deployer, Outlook, Request};
pub use site::{FactsError, Interrupt, ProbeError, Sight, Tools};
pub use ssh::Ssh;
pub use target::Target;
pub use tasks::{Job, TaskOutcome};
pub use transport::{Answer, ScriptError, Transport, TransportError};
pub use walk::{StepError, TransactionError};
