//! What an environment is to run.

use std::collections::{BTreeMap, BTreeSet};

use nevra::{Nevra, PackageQuery};
use serde::{Deserialize, Serialize};

use crate::HostName;

/// What an environment is to run: what a person wrote, or what the journal says host by host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The newest package that each query names, on every host.
    Packages(Vec<PackageQuery>),
    /// Exact packages per host; hosts that are not named keep what they have.
    Hosts(BTreeMap<HostName, Vec<Nevra>>),
}

impl Target {
    /// The names that the packages on a host may have.
    ///
    /// A query such as `a-b-1.0-2` can be of `a`, `a-b`, `a-b-1.0` or the whole; only what exists tells.
    #[must_use]
    pub(crate) fn possible_names(&self, host: &HostName) -> BTreeSet<String> {
        match self {
            Self::Packages(queries) => queries.iter().flat_map(|query| beginnings(query.as_str())).collect(),
            Self::Hosts(hosts) => {
                hosts.get(host).into_iter().flatten().map(|package| package.name.to_string()).collect()
            }
        }
    }
}

/// All that ends before a `-`, and the whole.
fn beginnings(text: &str) -> impl Iterator<Item = String> {
    let ends = text.match_indices('-').map(|(index, _)| index).chain([text.len()]);
    ends.filter(|end| *end > 0).map(|end| text[..end].to_owned()).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_may_be_of_many_names() {
        let host: HostName = "web1".parse().unwrap();
        let target = Target::Packages(vec!["a-b-1.0-2".parse().unwrap(), "c".parse().unwrap()]);
        let names: Vec<String> = target.possible_names(&host).into_iter().collect();
        assert_eq!(names, ["a", "a-b", "a-b-1.0", "a-b-1.0-2", "c"]);
        let exact = Target::Hosts([(host.clone(), vec!["a-b-1.0-2.noarch".parse().unwrap()])].into());
        assert_eq!(exact.possible_names(&host), BTreeSet::from(["a-b".to_owned()]));
        assert!(exact.possible_names(&"web2".parse().unwrap()).is_empty());
    }
}
