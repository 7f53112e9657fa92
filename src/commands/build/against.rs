//! `pkg build --against`: what a repository, a folder or a file holds already. No package may sort below that, and lint
//! looks at each as the successor of the newest.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use nevra::{Name, Nevra};
use packager::{ListedPackage, not_below};
use rpm_header::PackageHeader;

use crate::commands::holder::Holder;
use crate::commands::inspect::package_source::PackageSource;
use crate::exit::Failure;

/// What packages are held against.
#[derive(Debug, clap::Args)]
pub(super) struct AgainstArgs {
    /// Refuse a package that sorts below one of its name that is there already, and check it as that one's successor: in
    /// the yum repository at this URL or in this folder, in a folder of packages, or a single package's file or URL. Give
    /// it once for each.
    #[arg(long, value_name = "URL|DIR|FILE")]
    against: Vec<Holder>,
    /// Build also what sorts below what is there already.
    #[arg(long, requires = "against")]
    allow_older: bool,
}

impl AgainstArgs {
    /// Checks the order of all packages, before anything is written. Gives the newest of each name that is there.
    pub(super) async fn check(&self, packages: &[Nevra]) -> Result<Vec<PackageHeader>, Failure> {
        let names: Vec<Name> = packages.iter().map(|package| package.name.clone()).collect();
        let mut newest: BTreeMap<Name, (Nevra, PackageSource)> = BTreeMap::new();
        for holder in &self.against {
            let failed = || format!("could not find out what `{holder}` holds");
            let there = holder.read(&names).await.with_context(failed).map_err(Failure::input)?;
            let nevras: Vec<Nevra> = there.iter().map(|package| package.nevra.clone()).collect();
            for package in packages.iter().filter(|_| !self.allow_older) {
                not_below(package, &nevras).map_err(|error| {
                    let hint = "give it a higher version or release, or `--allow-older` if it is meant to be older";
                    Failure::input(anyhow!("{error} (`{holder}`)")).hint(hint)
                })?;
            }
            for ListedPackage { nevra, href } in there {
                if newest.get(&nevra.name).is_none_or(|(other, _)| other.evr < nevra.evr) {
                    let source = holder.package(&href).map_err(Failure::input)?;
                    newest.insert(nevra.name.clone(), (nevra, source));
                }
            }
        }
        let mut headers = Vec::new();
        for (_, source) in newest.values() {
            headers.push(source.read().await.map_err(Failure::input)?.header);
        }
        Ok(headers)
    }
}
