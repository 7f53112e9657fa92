//! What an argument means: a host, or an environment with all of its hosts.

use anyhow::anyhow;
use deployer::{Approval, Environment, Host};
use repo_api::TagName;

use super::super::deploy;
use super::evidence::Evidence;
use crate::exit::Failure;
use crate::render::Printer;

/// An environment with those of its hosts that are asked about.
pub(super) struct Subject {
    pub(super) name: TagName,
    /// Its file, without which no host can be asked.
    pub(super) file: Option<Environment>,
    /// Only this host.
    pub(super) only: Option<String>,
}

impl Subject {
    /// By the files at hand; none where they name no such host or environment.
    pub(super) fn by_files(argument: &str, of: Option<&str>, printer: &Printer) -> Result<Vec<Self>, Failure> {
        if let Some(environment) = of.filter(|environment| deploy::is_environment(environment)) {
            return Ok(vec![Self::of(deploy::environment(environment)?, Some(argument))?]);
        }
        if of.is_none() && deploy::is_environment(argument) {
            return Ok(vec![Self::of(deploy::environment(argument)?, None)?]);
        }
        let mut found: Vec<Self> = Vec::new();
        for (file, environment) in deploy::known_environments() {
            match environment {
                Ok(environment)
                    if of.is_none() && environment.hosts.iter().any(|host| host.name().as_str() == argument) =>
                {
                    let subject = Self::of(environment, Some(argument))?;
                    // One that several directories hold is looked up in the first.
                    if found.iter().all(|known| known.name != subject.name) {
                        found.push(subject);
                    }
                }
                Ok(_) => {}
                Err(error) => printer.detail(&format!("`{}` was not looked at: {error}", file.display())),
            }
        }
        Ok(found)
    }

    /// By what the server knows of environments and hosts.
    pub(super) async fn by_ledgers(
        argument: &str,
        of: Option<&TagName>,
        evidence: &Evidence,
    ) -> Result<Vec<Self>, Failure> {
        let environments =
            evidence.environments().await.map_err(|error| Failure::new(crate::exit::Exit::Failed, error))?;
        let subjects = environments.into_iter().filter_map(|(name, hosts)| {
            if of.is_none() && name.as_str() == argument {
                return Some(Self { name, file: None, only: None });
            }
            let is_asked = of.is_none_or(|of| *of == name) && hosts.iter().any(|host| host == argument);
            is_asked.then(|| Self { name, file: None, only: Some(argument.to_owned()) })
        });
        let subjects: Vec<Self> = subjects.collect();
        if subjects.is_empty() {
            let unknown = anyhow!("neither a host nor an environment `{argument}` is known");
            let hint = "environments are files in $PKG_ENVIRONMENTS, environments/ and specs/environments/, and what the \
                        server at --server keeps";
            return Err(Failure::input(unknown).hint(hint));
        }
        Ok(subjects)
    }

    fn of(environment: Environment, only: Option<&str>) -> Result<Self, Failure> {
        if let Some(host) = only.filter(|host| !environment.hosts.iter().any(|known| known.name().as_str() == *host)) {
            let unknown = anyhow!("environment `{}` has no host `{host}`", environment.name);
            return Err(Failure::input(unknown));
        }
        let name = environment.name.as_str().parse().map_err(Failure::input)?;
        Ok(Self { name, file: Some(environment), only: only.map(str::to_owned) })
    }

    /// Those of its file's hosts that are asked about.
    pub(super) fn hosts(&self) -> Vec<&Host> {
        let hosts = self.file.iter().flat_map(|environment| &environment.hosts);
        hosts.filter(|host| self.only.as_deref().is_none_or(|only| host.name().as_str() == only)).collect()
    }

    /// The file of those who may agree, where the environment's own says that two have to.
    pub(super) fn approvers(&self) -> Option<&std::path::Path> {
        let environment = self.file.as_ref().filter(|environment| environment.approval == Approval::Two)?;
        environment.approvers.as_deref()
    }

    /// The fingerprints of the keys that the environment's own file pins.
    pub(super) fn pinned(&self) -> Vec<&str> {
        let repositories = self.file.iter().flat_map(|environment| &environment.standard.repositories);
        repositories.flat_map(|repository| &repository.keys).map(|key| key.fingerprint.as_str()).collect()
    }
}
