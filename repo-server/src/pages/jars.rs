//! Which packages carry a jar: `log4j-core`, `<2.17.1`, now or at some time.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use nevra::{Nevra, rpmvercmp};
use repo_api::{FoundJar, JarCarrier, JarHost, JarList};
use serde::Serialize;

use super::catalog::Indexed;
use super::event::Link;
use super::template::{PageError, Shell, render};
use super::visible::Visible;

/// How many packages the page names.
const ROWS: usize = 500;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct JarSearch {
    /// `artifact` or `group:artifact`.
    pub(crate) jar: String,
    /// All of which have to hold.
    pub(crate) versions: Bounds,
    /// As of when; `None` for the present.
    pub(crate) at: Option<AsOf>,
    /// Also what no channel lists any longer.
    pub(crate) with_withdrawn: bool,
}

/// A moment of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AsOf {
    /// The newest commit then.
    pub(crate) commit: u64,
    pub(crate) time: DateTime<Utc>,
}

/// The hosts that run each package, as far as the reader may watch them.
pub(crate) type Running = BTreeMap<Nevra, Vec<JarHost>>;

/// Bounds of a version: `<2.17.1`, `>=2.0,<2.17.1`, `=1.2.17`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bounds(Vec<Bound>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    orders: &'static [Ordering],
    version: String,
}

/// Says that a text is no bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` bounds no version: allowed are `<`, `<=`, `>`, `>=` and `=` with a version each, such as `>=2.0,<2.17.1`"
)]
pub(crate) struct ParseBoundsError(String);

/// `/ui/jars`
#[derive(Debug, Serialize)]
pub(crate) struct JarsPage {
    jar: String,
    version: String,
    at: String,
    with_withdrawn: bool,
    /// What is wrong with the question.
    wrong: Option<String>,
    is_asked: bool,
    list: Vec<JarRow>,
    /// How many more packages there are.
    more: usize,
    read: usize,
    of: usize,
}

#[derive(Debug, Serialize)]
struct JarRow {
    component: String,
    version: String,
    is_known: bool,
    packages: Vec<CarrierRow>,
}

#[derive(Debug, Serialize)]
struct CarrierRow {
    package: Link,
    channels: Vec<String>,
    environments: Vec<String>,
    hosts: Vec<HostsRow>,
}

/// The hosts of an environment.
#[derive(Debug, Serialize)]
struct HostsRow {
    environment: String,
    hosts: Vec<String>,
}

/// Takes the kind off a component: `maven:group:artifact` becomes `group:artifact`.
pub(super) fn without_kind(component: &str) -> &str {
    ["maven:", "jar:"].iter().find_map(|kind| component.strip_prefix(kind)).unwrap_or(component)
}

impl JarSearch {
    /// Tells whether a component is meant: by its artifact, or by group and artifact; `*` at an end stands for anything.
    fn means(&self, component: &str) -> bool {
        let component = without_kind(component);
        let artifact = component.rsplit(':').next().unwrap_or(component);
        let asked = self.jar.as_str();
        [component, artifact].into_iter().any(|name| match (asked.strip_prefix('*'), asked.strip_suffix('*')) {
            (Some(_), Some(_)) => name.contains(asked.trim_matches('*')),
            (Some(end), None) => name.ends_with(end),
            (None, Some(start)) => name.starts_with(start),
            _ => name == asked,
        })
    }

    /// Searches.
    pub(crate) fn search(&self, indexed: &Indexed, visible: &Visible, running: &Running) -> JarList {
        let commit = self.at.map_or(visible.state.position().number, |at| at.commit);
        let found = indexed.jars(|component| self.means(component)).filter_map(|(component, version, packages)| {
            let is_known = !version.is_empty() && !version.starts_with("sha1.");
            let packages: Vec<JarCarrier> = if !is_known || self.versions.hold(version) {
                packages.into_iter().filter_map(|nevra| self.carrier(nevra, visible, running)).collect()
            } else {
                Vec::new()
            };
            let (component, version) = (without_kind(component).to_owned(), version.to_owned());
            (!packages.is_empty()).then_some(FoundJar { component, version, is_known, packages })
        });
        let mut jars: Vec<FoundJar> = found.collect();
        for jar in &mut jars {
            jar.packages.sort_by(|left, right| {
                left.nevra.name.cmp(&right.nevra.name).then_with(|| right.nevra.evr.compare(&left.nevra.evr))
            });
        }
        jars.sort_by(|left, right| {
            left.component.cmp(&right.component).then_with(|| rpmvercmp(&left.version, &right.version))
        });
        let progress = indexed.progress(visible);
        JarList { commit, read: progress.read, of: progress.of, jars }
    }

    fn carrier(&self, nevra: &Nevra, visible: &Visible, running: &Running) -> Option<JarCarrier> {
        let lists = |channel: &crate::state::Channel| {
            let presence = channel.history().get(nevra)?;
            match self.at {
                Some(at) => presence.at(at.commit).map(drop),
                None => presence.withdrawn_by().is_none().then_some(()),
            }
        };
        let channels: Vec<_> = visible
            .channels()
            .iter()
            .filter(|(_, channel)| lists(channel).is_some())
            .map(|(name, _)| name.clone())
            .collect();
        let holds = visible.state.environments().iter().filter(|(_, hold)| hold.packages.contains(nevra));
        let environments: Vec<_> = match self.at {
            None if visible.has(nevra) => holds.map(|(name, _)| name.clone()).collect(),
            _ => Vec::new(),
        };
        let hosts = running.get(nevra).filter(|_| visible.has(nevra)).cloned().unwrap_or_default();
        let is_somewhere = !channels.is_empty() || !environments.is_empty() || !hosts.is_empty();
        let is_shown = is_somewhere || self.with_withdrawn && visible.has(nevra);
        is_shown.then(|| JarCarrier { nevra: nevra.clone(), channels, environments, hosts })
    }
}

impl Bounds {
    /// Tells whether a version lies within.
    fn hold(&self, version: &str) -> bool {
        self.0.iter().all(|bound| bound.orders.contains(&rpmvercmp(version, &bound.version)))
    }
}

impl FromStr for Bounds {
    type Err = ParseBoundsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        use Ordering::{Equal, Greater, Less};
        let signs: [(&str, &'static [Ordering]); 6] = [
            ("<=", &[Less, Equal]),
            (">=", &[Greater, Equal]),
            ("==", &[Equal]),
            ("<", &[Less]),
            (">", &[Greater]),
            ("=", &[Equal]),
        ];
        let bound = |part: &str| {
            let sign = signs.iter().find_map(|(sign, orders)| Some((*orders, part.strip_prefix(sign)?)));
            let (orders, version) = sign.unwrap_or((&[Equal], part));
            let version = as_rpm_writes(version.trim());
            let fits = |c: char| c.is_ascii_alphanumeric() || "._+~^".contains(c);
            let is_version = version.starts_with(|c: char| c.is_ascii_alphanumeric()) && version.chars().all(fits);
            is_version.then_some(Bound { orders, version }).ok_or_else(|| ParseBoundsError(text.to_owned()))
        };
        // A blank parts bounds, but not a sign from its version.
        let mut parts: Vec<String> = Vec::new();
        for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
            match parts.last_mut() {
                Some(last) if last.ends_with(['<', '>', '=']) => last.push_str(word),
                _ => parts.push(word.to_owned()),
            }
        }
        parts.iter().map(|part| bound(part)).collect::<Result<_, _>>().map(Self)
    }
}

/// Writes the version of a library as packages do: what comes before a release gets a `~`, what comes after it a `^`.
fn as_rpm_writes(version: &str) -> String {
    let lower = version.to_ascii_lowercase();
    let is_release = |word: &str| matches!(word, "final" | "ga" | "release");
    let before = ["alpha", "beta", "milestone", "rc", "cr", "snapshot", "m", "pre"];
    let mut written = String::new();
    for (index, word) in lower.split('-').enumerate() {
        let word =
            word.strip_suffix(".final").or(word.strip_suffix(".ga")).or(word.strip_suffix(".release")).unwrap_or(word);
        match index {
            0 => written.push_str(word),
            _ if is_release(word) => {}
            _ if before.iter().any(|start| word.starts_with(start)) => {
                written.push('~');
                written.push_str(word);
            }
            _ => {
                written.push('^');
                written.push_str(word);
            }
        }
    }
    written
}

impl JarsPage {
    /// The page of a question as it was asked, with the answer or what is wrong with it.
    pub(crate) fn new(asked: [&str; 3], with_withdrawn: bool, answer: Result<Option<JarList>, String>) -> Self {
        let [jar, version, at] = asked.map(str::to_owned);
        let is_asked = !jar.is_empty();
        let (wrong, list) = match answer {
            Ok(list) => (None, list),
            Err(wrong) => (Some(wrong), None),
        };
        let (read, of) = list.as_ref().map_or((0, 0), |list| (list.read, list.of));
        let (mut left, mut more) = (ROWS, 0);
        let rows = list.map(|list| list.jars).unwrap_or_default().into_iter().map(|jar| {
            let shown = jar.packages.len().min(left);
            left -= shown;
            more += jar.packages.len() - shown;
            let packages = jar.packages.iter().take(shown).map(CarrierRow::of).collect();
            JarRow { component: jar.component, version: jar.version, is_known: jar.is_known, packages }
        });
        let rows = rows.collect();
        Self { jar, version, at, with_withdrawn, wrong, is_asked, list: rows, more, read, of }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("jars.html", shell, self)
    }
}

impl CarrierRow {
    fn of(carrier: &JarCarrier) -> Self {
        let of_environments = carrier.hosts.chunk_by(|left, right| left.environment == right.environment);
        let hosts = of_environments.map(|hosts| HostsRow {
            environment: hosts.first().map(|host| host.environment.to_string()).unwrap_or_default(),
            hosts: hosts.iter().map(|host| host.host.clone()).collect(),
        });
        Self {
            package: Link::to(&carrier.nevra),
            channels: carrier.channels.iter().map(ToString::to_string).collect(),
            environments: carrier.environments.iter().map(ToString::to_string).collect(),
            hosts: hosts.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        for (bounds, version, holds) in [
            ("<2.17.1", "2.17.0", true),
            ("<2.17.1", "2.17.1", false),
            ("<2.17.1", "2.9.1", true),
            ("<= 2.17.1", "2.17.1", true),
            (">=2.0,<2.17.1", "1.2.17", false),
            (">=2.0 <2.17.1", "2.0~rc1", false),
            (">=2.0-rc1", "2.0~rc1", true),
            ("=5.6.15.Final", "5.6.15", true),
            ("1.2.17", "1.2.17", true),
            (">1.0", "1.0^9", true),
            ("", "7", true),
        ] {
            assert_eq!(bounds.parse::<Bounds>().unwrap().hold(version), holds, "{bounds} {version}");
        }
        for bad in ["<", "<2.0,>", "~2.0", "<2/0", "<<2", "<é"] {
            assert!(bad.parse::<Bounds>().is_err(), "{bad}");
        }
    }

    #[test]
    fn components() {
        let means = |jar: &str, component| JarSearch { jar: jar.to_owned(), ..JarSearch::default() }.means(component);
        let log4j = "maven:org.apache.logging.log4j:log4j-core";
        for (jar, expected) in [
            ("log4j-core", true),
            ("org.apache.logging.log4j:log4j-core", true),
            ("log4j", false),
            ("log4j*", true),
            ("*-core", true),
            ("*logging*", true),
            ("*", true),
            ("", false),
        ] {
            assert_eq!(means(jar, log4j), expected, "{jar}");
        }
        assert!(means("ojdbc8", "jar:ojdbc8"));
    }
}
