//! What is known of each of many hosts, of which most are in the same case: each value is there once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names of hosts, each in memory once however many deployments were about it.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<Arc<str>>);

/// A value for each host.
#[derive(Debug, Clone)]
pub(super) struct PerHost<T>(BTreeMap<Arc<str>, Arc<T>>);

impl Names {
    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.0.insert(Arc::clone(&name));
        name
    }
}

impl<T: PartialEq> PerHost<T> {
    /// Of a host that comes twice, the last value counts.
    pub(super) fn new(values: impl IntoIterator<Item = (String, T)>, names: &mut Names) -> Self {
        let mut different: Vec<Arc<T>> = Vec::new();
        let mut hosts = BTreeMap::new();
        for (host, value) in values {
            // The case before this one is the likeliest; with very many cases there is little to share.
            let known = different.iter().rev().take(8).find(|known| ***known == value).map(Arc::clone);
            let value = known.unwrap_or_else(|| {
                let value = Arc::new(value);
                different.push(Arc::clone(&value));
                value
            });
            hosts.insert(names.shared(&host), value);
        }
        Self(hosts)
    }
}

impl<T> PerHost<T> {
    pub(super) fn get(&self, host: &str) -> Option<&T> {
        self.0.get(host).map(AsRef::as_ref)
    }

    pub(super) fn name(&self, host: &str) -> Option<&str> {
        self.0.get_key_value(host).map(|(name, _)| &**name)
    }

    /// In the order of the hosts' names.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(host, value)| (&**host, &**value))
    }
}

impl<T> Default for PerHost<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_there_once() {
        let mut names = Names::default();
        let values = |values: [(&str, u8); 4]| values.map(|(host, value)| (host.to_owned(), value));
        let first = PerHost::new(values([("b", 1), ("a", 1), ("c", 2), ("a", 2)]), &mut names);
        assert_eq!(first.iter().collect::<Vec<_>>(), [("a", &2), ("b", &1), ("c", &2)]);
        assert!(Arc::ptr_eq(&first.0["a"], &first.0["c"]));
        let second = PerHost::new(values([("a", 7), ("x", 1), ("y", 1), ("x", 3)]), &mut names);
        assert_eq!((second.get("x"), second.get("b"), second.name("y")), (Some(&3), None, Some("y")));
        assert_eq!(names.0.len(), 5);
        assert!(std::ptr::eq(first.name("a").unwrap(), second.name("a").unwrap()));
    }
}
