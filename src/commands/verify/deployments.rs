//! What an environment's ledger says of its hosts: which deployment brought what, and who agreed to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use approval::{AllowedSigners, plan_digest};
use deployer::{Agreement, Consent, Entry};
use ledger::{Commit, Position};
use nevra::{Name, Nevra};
use repo_api::{ApprovalRule, EnvironmentSettings, TagName};
use serde_json::Value;

use super::link::{Link, short};

/// An environment's ledger, as far as its commits follow from one another.
pub(super) struct Deployments {
    name: TagName,
    /// Whether they do.
    pub(super) chain: Link,
    /// Up to where.
    pub(super) position: Option<Position>,
    entries: Vec<(Commit<Value>, Entry)>,
}

/// Those who may agree.
pub(super) struct Approvers {
    /// Whether two people have to.
    are_asked: bool,
    /// ALLOWED SIGNERS of ssh-keygen(1).
    signers: Option<String>,
    /// Where that comes from.
    origin: String,
}

const DEPLOYED: &str = "deployed";
const APPROVED: &str = "approved";

impl Deployments {
    pub(super) async fn read(name: &TagName, ledger: &ledger::Ledger<Value>) -> Self {
        match ledger.since(&Position::start()).await {
            Ok(commits) => Self::of(name, commits),
            Err(error) => {
                // What hosts run can be looked at all the same: its entries say what that is, and prove nothing.
                let unproven = Self::unreadable(name, &format!("{:#}", anyhow::Error::from(error)));
                let mut commits = Vec::new();
                while let Ok(Some(commit)) = ledger.read(commits.len() as u64 + 1).await {
                    commits.push(commit);
                }
                Self { entries: Self::of(name, commits).entries, ..unproven }
            }
        }
    }

    /// A ledger that can't be read, or does not hold.
    pub(super) fn unreadable(name: &TagName, why: &str) -> Self {
        let chain = Link::not_proven("ledger", format!("environment {name}: {why}"));
        Self { name: name.clone(), chain, position: None, entries: Vec::new() }
    }

    fn of(name: &TagName, commits: Vec<Commit<Value>>) -> Self {
        let position = commits.last().map_or_else(Position::start, Commit::position);
        let head = position.digest.to_string();
        let chain = match commits.len() {
            0 => Link::not_there("ledger", format!("environment {name}: nothing was ever deployed")),
            count => Link::proven(
                "ledger",
                format!("environment {name}: {count} commits follow from one another"),
                format!("each the sha256 of the one before; head {}", short(&head)),
            ),
        };
        let read = |commit: Commit<Value>| {
            // What a newer program wrote is part of the chain, and nothing that is asked about here.
            let entry = serde_json::from_value(commit.payload.clone()).ok()?;
            Some((commit, entry))
        };
        let entries = commits.into_iter().filter_map(read).collect();
        Self { name: name.clone(), chain, position: Some(position), entries }
    }

    /// The hosts that any deployment was about.
    pub(super) fn hosts(&self) -> BTreeSet<String> {
        let reports = self.entries.iter().filter_map(|(_, entry)| match entry {
            Entry::Finished { hosts, .. } => Some(hosts),
            _ => None,
        });
        reports.flatten().map(|report| report.host.to_string()).collect()
    }

    /// What a host was left with last, by the packages' names.
    pub(super) fn left_with(&self, host: &str) -> BTreeMap<Name, BTreeSet<Nevra>> {
        let mut words: BTreeMap<Name, BTreeSet<Nevra>> = BTreeMap::new();
        let mut planned: BTreeSet<Name> = BTreeSet::new();
        for (_, entry) in &self.entries {
            match entry {
                Entry::Begun { .. } => planned.clear(),
                Entry::Planned { plan, .. } => {
                    let of_host = plan.hosts.iter().filter(|plan| plan.host.as_str() == host);
                    planned.extend(of_host.flat_map(|plan| &plan.changes).map(|change| change.to.name.clone()));
                }
                Entry::Finished { hosts, .. } => {
                    let Some(report) = hosts.iter().find(|report| report.host.as_str() == host) else { continue };
                    let Some(now) = &report.now else { continue };
                    for name in planned.iter().chain(now.iter().map(|package| &package.name)) {
                        let of_name = now.iter().filter(|package| package.name == *name).cloned().collect();
                        words.insert(name.clone(), of_name);
                    }
                }
                _ => {}
            }
        }
        words
    }

    /// The deployment that brought a package to a host, and who agreed to it.
    pub(super) fn links(&self, host: &str, nevra: &Nevra, approvers: &Approvers) -> Vec<Link> {
        if self.position.is_none() {
            return vec![Link::not_proven(DEPLOYED, "the environment's ledger does not hold")];
        }
        let known = self.left_with(host);
        let expected = known.get(&nevra.name).cloned().unwrap_or_default();
        if !expected.contains(nevra) {
            let expected = match expected.iter().next() {
                Some(other) => format!("the ledger says that {host} was left with {other}"),
                None => format!("the ledger knows of no {} on {host}", nevra.name),
            };
            return vec![Link::not_proven(DEPLOYED, expected)];
        }
        let Some((finished, id)) = self.brought(host, nevra) else {
            return vec![Link::not_there(DEPLOYED, "it was there before anything was deployed")];
        };
        let begun = self
            .entries
            .iter()
            .find(|(_, entry)| entry.deployment().to_string() == id && matches!(entry, Entry::Begun { .. }));
        let who = begun.map_or_else(String::new, |(begun, _)| {
            let because = begun.author.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            format!(" by {} from {}{because}", begun.author.who, begun.author.from)
        });
        let found = format!("{id} {}{who}, commit {}", finished.at.format("%FT%TZ"), finished.number);
        let mut links = vec![Link::proven(DEPLOYED, found, format!("the ledger of {}", self.name))];
        links.extend(self.agreements(&id, approvers));
        links
    }

    /// The newest deployment that found a host without a package and left it with it.
    fn brought(&self, host: &str, nevra: &Nevra) -> Option<(&Commit<Value>, String)> {
        self.entries.iter().rev().find_map(|(commit, entry)| {
            let Entry::Finished { deployment, hosts, .. } = entry else { return None };
            let report = hosts.iter().find(|report| report.host.as_str() == host)?;
            let now = report.now.as_ref()?;
            (now.contains(nevra) && !report.before.contains(nevra)).then(|| (commit, deployment.to_string()))
        })
    }

    /// How its first plan was agreed to: a resumption goes on with what was agreed to before.
    fn agreements(&self, id: &str, approvers: &Approvers) -> Option<Link> {
        let (commit, agreement) = self.entries.iter().find_map(|(commit, entry)| match entry {
            Entry::Planned { deployment, agreement, .. } if deployment.to_string() == id => Some((commit, agreement)),
            _ => None,
        })?;
        Some(approvers.link(self.name.as_str(), commit, agreement))
    }
}

impl Approvers {
    /// Of the environment's own file, or else of the server's rules.
    pub(super) fn of(file: Option<&Path>, settings: &EnvironmentSettings, evidence: &str) -> anyhow::Result<Self> {
        if let Some(file) = file {
            let signers = Some(fs_err::read_to_string(file)?);
            return Ok(Self { are_asked: true, signers, origin: format!("`{}`", file.display()) });
        }
        Ok(Self {
            are_asked: settings.approval == ApprovalRule::Two,
            signers: settings.approvers.clone(),
            origin: format!("the rules at {evidence}"),
        })
    }

    /// Nobody is known.
    pub(super) fn unknown() -> Self {
        Self { are_asked: false, signers: None, origin: String::new() }
    }

    fn link(&self, environment: &str, commit: &Commit<Value>, agreement: &Agreement) -> Link {
        let digest = plan_digest(commit.payload.get("plan").unwrap_or(&Value::Null));
        if agreement.approvals.is_empty() {
            let consent = match agreement.consent {
                Consent::Unattended => "nothing was asked",
                Consent::Confirmed => "it was confirmed at a terminal",
                Consent::NameTyped => "the environment's name was typed at a terminal",
            };
            let unsigned = format!("nothing is signed; the ledger says: {consent}");
            return if self.are_asked {
                Link::not_proven(APPROVED, unsigned).against(format!("two people's signatures, by {}", self.origin))
            } else {
                Link::not_there(APPROVED, unsigned)
            };
        }
        let Some(signers) = &self.signers else {
            return Link::not_proven(APPROVED, "it is signed; who may sign is not known here");
        };
        let mut file = match tempfile::NamedTempFile::new() {
            Ok(file) => file,
            Err(error) => return Link::not_proven(APPROVED, error.to_string()),
        };
        if let Err(error) = file.write_all(signers.as_bytes()) {
            return Link::not_proven(APPROVED, error.to_string());
        }
        let allowed = AllowedSigners::new(file.path().to_owned());
        // It counts whether it held when the plan was carried out.
        let (people, wrong) = allowed.people(&agreement.approvals, environment, &digest, commit.at);
        let names = people.iter().cloned().collect::<Vec<_>>().join(", ");
        let against = format!("signatures under plan {}, keys of {}", short(&digest), self.origin);
        let missing: Vec<&String> = agreement.people.difference(&people).collect();
        if !missing.is_empty() || people.is_empty() || (self.are_asked && people.len() < 2) {
            let mut text = if names.is_empty() {
                "signed by nobody who may".to_owned()
            } else {
                format!("signed by {names} alone")
            };
            for reason in wrong {
                text.push_str(&format!(
                    "; {}",
                    reason.to_string().replace(&file.path().display().to_string(), "approvers")
                ));
            }
            return Link::not_proven(APPROVED, text).against(against);
        }
        Link::proven(APPROVED, format!("by {names}"), against)
    }
}
