//! Which packages a target means on each host.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Nevra, PackageQuery};

use super::PlanError;
use crate::environment::Environment;
use crate::facts::Facts;
use crate::{HostName, Target};

pub(super) type Resolved = BTreeMap<HostName, Vec<Nevra>>;

/// Finds the packages that each host is to have.
pub(super) fn resolve(environment: &Environment, facts: &Facts, target: &Target) -> Result<Resolved, PlanError> {
    match target {
        Target::Packages(wanted) => queries(environment, facts, wanted),
        Target::Hosts(hosts) => exact(facts, hosts),
    }
}

fn queries(environment: &Environment, facts: &Facts, queries: &[PackageQuery]) -> Result<Resolved, PlanError> {
    let mut resolved = Resolved::new();
    for query in queries {
        let mut first: Option<(HostName, Nevra)> = None;
        for host in environment.hosts.iter().map(crate::environment::Host::name) {
            let Some(found) = facts.hosts.get(host) else { continue };
            let package = newest(query, host, &found.offered)?;
            match &first {
                Some((first_host, other)) if (&other.name, &other.evr) != (&package.name, &package.evr) => {
                    return Err(PlanError::Disagree {
                        query: query.clone(),
                        first: Box::new((first_host.clone(), other.clone())),
                        second: Box::new((host.clone(), package)),
                    });
                }
                Some(_) => {}
                None => first = Some((host.clone(), package.clone())),
            }
            let wanted = resolved.entry(host.clone()).or_default();
            match wanted.iter().find(|other| other.name == package.name) {
                Some(other) if *other == package => {}
                Some(other) => {
                    return Err(PlanError::Conflict { first: Box::new(other.clone()), second: Box::new(package) });
                }
                None => wanted.push(package),
            }
        }
    }
    Ok(resolved)
}

/// The newest package that a query names.
fn newest(query: &PackageQuery, host: &HostName, offered: &BTreeSet<Nevra>) -> Result<Nevra, PlanError> {
    let fitting = || offered.iter().filter(|package| query.matches(package) && package.arch.as_str() != "src");
    let Some(package) = fitting().max_by(|left, right| left.evr.cmp(&right.evr)) else {
        return Err(not_offered(query.clone(), host, offered));
    };
    match fitting().find(|other| other.name != package.name) {
        Some(other) => Err(PlanError::Ambiguous {
            query: query.clone(),
            first: Box::new(package.clone()),
            second: Box::new(other.clone()),
        }),
        None => Ok(package.clone()),
    }
}

/// Says what there is of the longest name that the query begins with.
fn not_offered(query: PackageQuery, host: &HostName, offered: &BTreeSet<Nevra>) -> PlanError {
    let fits = |package: &&Nevra| {
        let rest = query.as_str().strip_prefix(package.name.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let longest = offered.iter().filter(fits).map(|package| package.name.as_str().len()).max();
    let mut offered: Vec<Nevra> =
        offered.iter().filter(fits).filter(|package| Some(package.name.as_str().len()) == longest).cloned().collect();
    offered.sort_by(|left, right| right.evr.cmp(&left.evr));
    PlanError::NotOffered { query, host: host.clone(), offered }
}

fn exact(facts: &Facts, hosts: &Resolved) -> Result<Resolved, PlanError> {
    for (host, packages) in hosts {
        let Some(found) = facts.hosts.get(host) else { continue };
        for package in packages {
            if !found.offered.contains(package) && !found.installed.contains(package) {
                return Err(not_offered(PackageQuery::from(package), host, &found.offered));
            }
        }
    }
    Ok(hosts.clone())
}
