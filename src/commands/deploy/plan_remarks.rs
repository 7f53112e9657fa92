//! What is worth saying of the hosts before anything changes: edited configuration and what would become of it, files that
//! wait to be merged, locks, clocks, little space, services that do not run, hosts that a balancer has out.

use std::collections::{BTreeMap, BTreeSet};

use deployer::{Environment, Facts, HostFacts, HostName, HostPlan, Plan, Remark};
use nevra::Nevra;
use packager::preflight::{self, EditFate};
use repo_api::Client;

use super::super::connection::read_token;
use super::super::notes::package_header;
use super::locate::repository_server;
use super::plan_notes::channel_of;
use crate::render::{Printer, printable};

/// From and to which package; and, for the paths that are configuration in either, what becomes of an edited file.
type Fates = BTreeMap<(Nevra, Nevra), BTreeMap<String, EditFate>>;

/// Less than that left over is little space.
const LITTLE_SPACE: u64 = 256 << 20;
/// How many hosts a remark names.
const NAMED: usize = 5;

/// The remarks on a plan. What becomes of edited configuration is told from the packages, if its repository
/// server is known; that they can't be had is a warning.
pub(crate) async fn plan_remarks(
    environment: &Environment,
    plan: &Plan,
    facts: &Facts,
    printer: &Printer,
) -> Vec<Remark> {
    let moves = moves_of_edited(plan, facts);
    let fates = match repository_server(environment) {
        Some(server) if !moves.is_empty() => match fates(server, environment.name.as_str(), moves).await {
            Ok(fates) => fates,
            Err(error) => {
                printer.warning(&format!("{server} does not tell what becomes of edited configuration: {error:#}"));
                Fates::new()
            }
        },
        _ => Fates::new(),
    };
    remarks(plan, facts, &fates)
}

/// The remarks as lines.
pub(crate) fn remark_lines(remarks: &[Remark]) -> Vec<String> {
    let hosts = |hosts: &[HostName]| {
        let named: Vec<&str> = hosts.iter().take(NAMED).map(HostName::as_str).collect();
        let more = if hosts.len() > NAMED { format!(" and {} more", hosts.len() - NAMED) } else { String::new() };
        format!("{}{more}", named.join(", "))
    };
    remarks.iter().map(|remark| format!("  note: {}: {}", hosts(&remark.hosts), printable(&remark.text))).collect()
}

/// What moves on hosts with edited configuration.
fn moves_of_edited(plan: &Plan, facts: &Facts) -> BTreeSet<(Nevra, Nevra)> {
    let is_edited =
        |host: &&HostPlan| facts.hosts.get(&host.host).is_some_and(|found| !found.condition.edited.is_empty());
    let changes = plan.hosts.iter().filter(is_edited).flat_map(|host| &host.changes);
    changes
        .filter(|change| change.moves())
        .filter_map(|change| Some((change.from.clone()?, change.to.clone())))
        .collect()
}

async fn fates(server: &str, environment: &str, moves: BTreeSet<(Nevra, Nevra)>) -> anyhow::Result<Fates> {
    let token = read_token(None, "PKG_TOKEN").map_err(|failure| failure.error)?;
    let client = Client::new(server, token.as_deref())?;
    let mut fates = Fates::new();
    for (from, to) in moves {
        let mut headers = Vec::new();
        for package in [&from, &to] {
            let Some(channel) = channel_of(&client, environment, package).await? else { break };
            let listed = client.packages(&channel).await?;
            let Some(url) = listed.packages.into_iter().find(|listed| listed.nevra == *package) else { break };
            headers.extend(package_header(&client, &url.url).await?);
        }
        let [old, new] = &headers[..] else { continue };
        let told = preflight::compare(old, new)?.forward.configuration.into_iter();
        fates.insert((from, to), told.map(|change| (change.path, change.edited)).collect());
    }
    Ok(fates)
}

/// The remarks: a function from values to values. Hosts of which the same is said stand together.
fn remarks(plan: &Plan, facts: &Facts, fates: &Fates) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = Vec::new();
    let working = plan.hosts.iter().filter(|host| !host.steps().is_empty());
    for (host, found) in working.filter_map(|host| Some((host, facts.hosts.get(&host.host)?))) {
        for text in host_remarks(host, found, fates) {
            match remarks.iter_mut().find(|remark| remark.text == text) {
                Some(remark) => remark.hosts.push(host.host.clone()),
                None => remarks.push(Remark { text, hosts: vec![host.host.clone()] }),
            }
        }
    }
    remarks
}

fn host_remarks(host: &HostPlan, found: &HostFacts, fates: &Fates) -> Vec<String> {
    let condition = &found.condition;
    let mut said: Vec<String> = condition.edited.iter().map(|path| edited(host, path, fates)).collect();
    said.extend(condition.beside.iter().map(|path| format!("{path} waits for somebody to merge it")));
    let changed = condition.changed.iter();
    said.extend(changed.map(|path| format!("{path} is not as it was installed; what is deployed takes its place")));
    said.extend(condition.remarks());
    let left = found.space_after(host);
    if left < LITTLE_SPACE {
        said.push(format!("only {} MB will be free under /var or /usr", left >> 20));
    }
    if !found.is_running() {
        said.push(format!("its service is {}, and will be started", found.service));
    }
    if found.stale {
        said.push("it answers with another version than is installed, and will be restarted".to_owned());
    }
    if !found.is_serving() {
        let out: Vec<String> = found.balancers.iter().filter(|state| !state.serving).map(ToString::to_string).collect();
        said.push(format!("a balancer has it out of service ({}); it will be put back", out.join(", ")));
    }
    said
}

/// What becomes of a file that somebody edited.
fn edited(host: &HostPlan, path: &str, fates: &Fates) -> String {
    let moves = host.changes.iter().filter(|change| change.moves());
    let fate = moves
        .filter_map(|change| fates.get(&(change.from.clone()?, change.to.clone())))
        .find_map(|fates| fates.get(path));
    let follows = match fate {
        None => {
            "; where the package brings another one, the edited one stays and that lies beside it as .rpmnew, or, \
                 without `noreplace`, the edited one becomes .rpmsave"
        }
        Some(EditFate::Kept) => " and stays: the package brings the same as before",
        Some(EditFate::KeptBesideNew) => {
            " and stays; the package changes it: its own comes beside it as .rpmnew, to be merged"
        }
        Some(EditFate::Replaced) => ": the package's TAKES ITS PLACE, the edited one becomes .rpmsave",
        Some(EditFate::Removed) => ": the package drops it, THE EDITED ONE BECOMES .rpmsave",
        Some(EditFate::ReplacedAsOriginal) => ": the package's TAKES ITS PLACE, the edited one becomes .rpmorig",
    };
    format!("{path} was edited{follows}")
}

#[cfg(test)]
mod tests {
    use deployer::{Change, Condition, PackageManager, Rotation, ServerState, Verb, WayBack, Work};

    use super::*;

    fn plan(hosts: &[&str]) -> Plan {
        let change = Change {
            from: Some("app-1-1.noarch".parse().unwrap()),
            to: "app-2-1.noarch".parse().unwrap(),
            verb: Verb::Upgrade,
            way_back: WayBack::Offered,
            beyond: None,
        };
        let host =
            |name: &&str| HostPlan { host: name.parse().unwrap(), work: Work::Change, changes: vec![change.clone()] };
        let hosts = hosts.iter().map(host).collect();
        Plan { environment: "test".parse().unwrap(), hosts, stages: Vec::new(), left_out: Vec::new() }
    }

    fn found(edit: impl Fn(&mut HostFacts)) -> HostFacts {
        let mut found = HostFacts {
            manager: PackageManager::Dnf4,
            installed: ["app-1-1.noarch".parse().unwrap()].into(),
            offered: BTreeSet::new(),
            oldest_rollbacks: BTreeMap::new(),
            service: "active".to_owned(),
            free_space: 1 << 30,
            busy: false,
            stale: false,
            condition: Condition::default(),
            balancers: Vec::new(),
        };
        edit(&mut found);
        found
    }

    fn said(hosts: &[(&str, HostFacts)], fates: &Fates) -> Vec<String> {
        let names: Vec<&str> = hosts.iter().map(|(name, _)| *name).collect();
        let hosts = hosts.iter().map(|(name, found)| (name.parse().unwrap(), found.clone())).collect();
        remark_lines(&remarks(&plan(&names), &Facts { hosts }, fates))
    }

    #[test]
    fn what_becomes_of_edited_files_is_told_from_the_packages() {
        let edits = |found: &mut HostFacts| {
            found.condition.edited = ["/etc/a", "/etc/b", "/etc/c"].map(str::to_owned).to_vec();
        };
        let of = [("/etc/a", EditFate::Kept), ("/etc/b", EditFate::KeptBesideNew)]
            .map(|(path, fate)| (path.to_owned(), fate));
        let moves = ("app-1-1.noarch".parse().unwrap(), "app-2-1.noarch".parse().unwrap());
        let fates = Fates::from([(moves, BTreeMap::from(of))]);
        let lines = said(&[("web1", found(edits)), ("web2", found(edits))], &fates);
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(lines[0], "  note: web1, web2: /etc/a was edited and stays: the package brings the same as before");
        assert!(lines[1].contains("/etc/b was edited and stays; the package changes it"), "{lines:?}");
        assert!(lines[2].contains("/etc/c was edited; where the package brings another one"), "{lines:?}");
    }

    #[test]
    fn a_host_in_order_gives_no_reason_to_speak() {
        assert_eq!(said(&[("web1", found(|_| {}))], &Fates::new()), [""; 0]);
        let state = ServerState {
            status: "MAINT".to_owned(),
            rotation: Rotation::Out,
            serving: false,
            connections: None,
            counters: None,
        };
        let lines = said(
            &[(
                "web1",
                found(|found| {
                    found.condition.beside.push("/etc/a.rpmnew".to_owned());
                    found.condition.clock_ahead = 95;
                    found.free_space = 200 << 20;
                    found.service = "failed".to_owned();
                    found.balancers.push(state.clone());
                }),
            )],
            &Fates::new(),
        );
        assert_eq!(
            lines,
            [
                "  note: web1: /etc/a.rpmnew waits for somebody to merge it",
                "  note: web1: its clock is 95 s ahead of the controller's",
                "  note: web1: only 200 MB will be free under /var or /usr",
                "  note: web1: its service is failed, and will be started",
                "  note: web1: a balancer has it out of service (MAINT); it will be put back",
            ]
        );
    }
}
