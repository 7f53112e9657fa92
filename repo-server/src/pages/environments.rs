//! The pages of environments: what they hold.

use repo_api::TagName;
use serde::Serialize;

use super::event::Link;
use super::template::{PageError, Shell, render};
use super::visible::Visible;
use super::written::Time;

/// `/ui/environments`
#[derive(Debug, Serialize)]
pub(crate) struct EnvironmentsPage {
    environments: Vec<EnvironmentRow>,
}

#[derive(Debug, Serialize)]
struct EnvironmentRow {
    name: String,
    packages: usize,
    said: Time,
    who: String,
}

/// `/ui/environments/NAME`
#[derive(Debug, Serialize)]
pub(crate) struct EnvironmentPage {
    name: String,
    said: Time,
    who: String,
    packages: Vec<HeldRow>,
}

#[derive(Debug, Serialize)]
struct HeldRow {
    package: Link,
    channels: Vec<String>,
}

impl EnvironmentsPage {
    pub(crate) fn new(visible: &Visible) -> Self {
        let row = |(name, hold): (&TagName, &crate::state::Hold)| EnvironmentRow {
            name: name.to_string(),
            packages: hold.packages.iter().filter(|nevra| visible.has(nevra)).count(),
            said: hold.said_at.into(),
            who: hold.said_by.to_string(),
        };
        Self { environments: visible.state.environments().iter().map(row).collect() }
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("environments.html", shell, self)
    }
}

impl EnvironmentPage {
    /// `None` where there is none of that name.
    pub(crate) fn new(name: &TagName, visible: &Visible) -> Option<Self> {
        let hold = visible.state.environments().get(name)?;
        let packages = hold.packages.iter().filter(|nevra| visible.has(nevra)).map(|nevra| HeldRow {
            package: Link::to(nevra),
            channels: visible.listing(nevra).map(ToString::to_string).collect(),
        });
        let (said, who) = (hold.said_at.into(), hold.said_by.to_string());
        Some(Self { name: name.to_string(), said, who, packages: packages.collect() })
    }

    pub(crate) fn render(&self, shell: &Shell) -> Result<String, PageError> {
        render("environment.html", shell, self)
    }
}
