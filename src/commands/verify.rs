//! `pkg verify`: each link of the chain from a running host back to the commit, held against a hash or a signature.

mod deployments;
mod evidence;
mod file;
mod hosts;
mod link;
mod metadata;
mod remembered;
mod repository;
mod subject;
mod text;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::anyhow;
use ledger::Store;
use nevra::Nevra;
use repo_api::{Client, EnvironmentSettings, TagName};
use serde::Serialize;

use self::deployments::{Approvers, Deployments};
use self::evidence::Evidence;
use self::file::PackageFile;
use self::hosts::{Asked, ask};
use self::link::{Link, Standing};
use self::metadata::Metadata;
use self::remembered::Remembered;
use self::repository::Repository;
use self::subject::Subject;
use self::trust::Trust;
use super::connection::{failure, read_token};
use super::deploy;
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Prove what runs on a host, or on all hosts of an environment: each link of the chain back to the commit, by hash and
/// signature.
///
/// From the host backwards: the files there (`rpm -V`); the installed package's header, which is that of the repository's file;
/// the file's bytes, which are those of the ledger; who signed it; the signed metadata that lists it; the commits that published
/// and promoted it, in their chain; the deployment that brought it, in the environment's chain; the signatures of those who
/// agreed to its plan; what the package says of its build, and the WAR that it holds. Each is proven, not proven, or not there,
/// and is said to be held against what.
///
/// The exit code is 0 if nothing was left unproven, and 1 otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A host, as its environment names it; or an environment: a path to its file (.toml), or its name.
    #[arg(value_name = "HOST|ENV")]
    subject: String,
    /// The environment of the host, where several have one of that name.
    #[arg(long, value_name = "ENV")]
    env: Option<String>,
    /// OpenPGP keys, armored, whose signatures count, and no others. May be given more than once. [default: those in the host's
    /// rpm database, and those that the environment's file pins]
    #[arg(long, value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// A git checkout in which the source commit is looked for.
    #[arg(long, value_name = "DIR")]
    sources: Option<PathBuf>,
    /// A file that remembers how far each ledger was seen, so that one that is written anew as a whole is found.
    #[arg(long, value_name = "FILE")]
    remember: Option<PathBuf>,
    /// Read the server's store instead of asking the server: a directory, s3://BUCKET/PREFIX, gs://… or az://….
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// The repository server's address. [default: what the environment's file names, or http://127.0.0.1:8080]
    #[arg(long, value_name = "URL", env = "PKG_SERVER")]
    server: Option<String>,
    /// A file whose first line is the token; PKG_TOKEN holds the token itself.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  pkg verify prod --keys company.asc
  pkg verify web1 --keys company.asc --sources ~/src/petclinic --remember ~/.pkg-heads
  pkg verify web1 --json | jq '.hosts[].packages[].links[] | select(.standing != \"proven\")'

Hosts are asked over ssh if the environment's file is here; without it, what only they can tell is not proven. The whole ledger
of the repository is given to tokens with the scope `admin`; without it, what the server says of a package is compared, and not
proven. A host tells of itself: whoever owns its rpm can make it say anything.";

/// All that was looked at.
#[derive(Debug, Serialize)]
struct Report {
    /// Of the ledgers themselves.
    ledgers: Vec<Link>,
    hosts: Vec<HostReport>,
}

#[derive(Debug, Serialize)]
struct HostReport {
    environment: TagName,
    host: String,
    /// Where nothing of what is deployed is there, or the host can't be asked.
    links: Vec<Link>,
    packages: Vec<PackageReport>,
}

#[derive(Debug, Serialize)]
struct PackageReport {
    nevra: Nevra,
    links: Vec<Link>,
}

/// An environment with what its ledger and its hosts say.
struct Place {
    subject: Subject,
    deployments: Deployments,
    approvers: Approvers,
    hosts: BTreeMap<String, Asked>,
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let subjects = Subject::by_files(&args.subject, args.env.as_deref(), printer)?;
    let evidence = evidence(&args, &subjects).await?;
    let subjects = if subjects.is_empty() {
        let of = args.env.as_deref().map(str::parse).transpose().map_err(Failure::input)?;
        Subject::by_ledgers(&args.subject, of.as_ref(), &evidence).await?
    } else {
        subjects
    };
    let named = Trust::named(&args.keys)?;
    let mut remembered = Remembered::read(args.remember.as_deref())?;
    let (mut places, mut ledgers) = (Vec::new(), Vec::new());
    for subject in subjects {
        let (place, links) = Place::visit(subject, &evidence, &mut remembered).await;
        places.push(place);
        ledgers.extend(links);
    }
    let wanted: BTreeSet<Nevra> = places.iter().flat_map(Place::packages).map(|(_, nevra)| nevra).collect();
    let repository = Repository::read(&evidence, &wanted).await;
    ledgers.insert(0, repository.chain.clone());
    ledgers.extend(remembered.check(&evidence.repository(), repository.position.as_ref()).await);
    let judge = Judge::new(&args, &evidence, &repository, (&wanted, named)).await;
    let hosts = places.iter().flat_map(|place| judge.hosts(place)).collect();
    remembered.write()?;
    let report = Report { ledgers, hosts };
    if printer.is_json() {
        printer.json(&report);
    } else {
        text::print(&report, printer);
    }
    Ok(if report.links().any(|link| link.standing == Standing::NotProven) { Exit::Failed } else { Exit::Done })
}

/// The store, or the server that the caller or an environment's file names.
async fn evidence(args: &Args, subjects: &[Subject]) -> Result<Evidence, Failure> {
    if let Some(store) = &args.store {
        return Ok(Evidence::Store(Store::open_existing(store).await.map_err(Failure::failed)?));
    }
    let of_file = subjects
        .iter()
        .filter_map(|subject| subject.file.as_ref())
        .find_map(|environment| deploy::repository_server(environment).map(str::to_owned));
    let server = args.server.clone().or(of_file).unwrap_or_else(|| "http://127.0.0.1:8080".to_owned());
    let token = read_token(args.token_file.as_ref(), "PKG_TOKEN")?;
    Ok(Evidence::Server(Client::new(&server, token.as_deref()).map_err(failure)?))
}

impl Place {
    /// Reads the environment's ledger and asks its hosts.
    async fn visit(subject: Subject, evidence: &Evidence, remembered: &mut Remembered) -> (Self, Vec<Link>) {
        let own = subject.file.as_ref().map(|environment| &environment.ledger);
        let (deployments, memory) = match own.filter(|ledger| !deploy::is_server(ledger)) {
            Some(location) => match Store::open_existing(location).await {
                Ok(store) => {
                    read(&subject.name, &store.ledger(&format!("environments/{}", subject.name)), remembered).await
                }
                Err(error) => {
                    let error = anyhow!(error);
                    (Deployments::unreadable(&subject.name, &format!("{error:#}")), None)
                }
            },
            None => read(&subject.name, &evidence.environment(&subject.name), remembered).await,
        };
        let settings = evidence.settings(&subject.name).await;
        let settings = settings.unwrap_or_else(|_| EnvironmentSettings::default());
        let approvers = Approvers::of(subject.approvers(), &settings, &evidence.to_string());
        let approvers = approvers.unwrap_or_else(|_| Approvers::unknown());
        let hosts = ask(&subject, &deployments).await;
        let links = [deployments.chain.clone()].into_iter().chain(memory).collect();
        (Self { subject, deployments, approvers, hosts }, links)
    }

    /// Each host with each package that it has, or should have.
    fn packages(&self) -> Vec<(String, Nevra)> {
        let mut packages = BTreeSet::new();
        for (host, asked) in &self.hosts {
            packages.extend(asked.packages().map(|nevra| (host.clone(), nevra.clone())));
            let left = self.deployments.left_with(host).into_values().flatten();
            packages.extend(left.map(|nevra| (host.clone(), nevra)));
        }
        packages.into_iter().collect()
    }
}

async fn read(
    name: &TagName,
    ledger: &ledger::Ledger<serde_json::Value>,
    remembered: &mut Remembered,
) -> (Deployments, Option<Link>) {
    let deployments = Deployments::read(name, ledger).await;
    let memory = remembered.check(ledger, deployments.position.as_ref()).await;
    (deployments, memory)
}

/// Holds one thing against the other.
struct Judge<'a> {
    args: &'a Args,
    repository: &'a Repository,
    files: BTreeMap<Nevra, PackageFile>,
    metadata: Metadata,
    named: Trust,
    offered: Option<String>,
}

impl<'a> Judge<'a> {
    async fn new(
        args: &'a Args,
        evidence: &Evidence,
        repository: &'a Repository,
        (wanted, named): (&BTreeSet<Nevra>, Trust),
    ) -> Self {
        let mut files = BTreeMap::new();
        for nevra in wanted {
            files.insert(nevra.clone(), PackageFile::fetch(evidence, repository.packages.get(nevra)).await);
        }
        let channels = repository.packages.values().flat_map(|package| package.listed.clone()).collect();
        let metadata = Metadata::read(evidence, repository, channels).await;
        Self { args, repository, files, metadata, named, offered: evidence.offered_keys().await }
    }

    fn hosts(&self, place: &Place) -> Vec<HostReport> {
        let packages = place.packages();
        let mut reports = Vec::new();
        for (host, asked) in &place.hosts {
            let trust = if self.named.is_empty() {
                Trust::of_host(host, asked.keys(), self.offered.as_deref(), &place.subject.pinned())
            } else {
                self.named.clone()
            };
            let of_host = packages.iter().filter(|(name, _)| name == host).map(|(_, nevra)| nevra);
            let packages: Vec<PackageReport> = of_host
                .map(|nevra| PackageReport {
                    nevra: nevra.clone(),
                    links: self.links(place, (host, asked), nevra, &trust),
                })
                .collect();
            let nothing =
                || vec![Link::not_there("host", "nothing of what is deployed from here is known to be there")];
            let links = match asked.failure() {
                Some(link) => vec![link],
                None if packages.is_empty() => nothing(),
                None => Vec::new(),
            };
            reports.push(HostReport { environment: place.subject.name.clone(), host: host.clone(), links, packages });
        }
        reports
    }

    fn links(&self, place: &Place, (host, asked): (&str, &Asked), nevra: &Nevra, trust: &Trust) -> Vec<Link> {
        let Some(file) = self.files.get(nevra) else { return Vec::new() };
        let mut links = asked.links(host, nevra, file.header_sha256.as_deref());
        links.push(file.bytes.clone());
        links.push(file.signature(trust));
        if let Some(package) = self.repository.packages.get(nevra) {
            let of_channel = |channel| self.metadata.link(channel, &package.sha256, trust);
            links.extend(package.listed.iter().map(of_channel));
            if package.listed.is_empty() {
                links.push(Link::not_there("metadata", "no channel lists it any longer"));
            }
        }
        links.push(self.repository.link(nevra));
        links.extend(place.deployments.links(host, nevra, &place.approvers));
        links.extend(file.build(self.args.sources.as_deref()));
        links
    }
}

impl Report {
    fn links(&self) -> impl Iterator<Item = &Link> {
        let packages = self.hosts.iter().flat_map(|host| &host.packages);
        let of_hosts = self.hosts.iter().flat_map(|host| &host.links);
        self.ledgers.iter().chain(of_hosts).chain(packages.flat_map(|package| &package.links))
    }
}
