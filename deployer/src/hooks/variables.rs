//! What a hook's command is told: variables of its environment, documented in `docs/deploying.md`.

use super::Hooks;
use crate::environment::{HookPoint, Host};
use crate::journal::Action;

impl Hooks<'_> {
    /// The variables of a command at a point.
    pub(super) async fn variables(&self, point: HookPoint, host: Option<&Host>) -> Vec<(&'static str, String)> {
        let state = self.journal.state().await;
        let record = state.deployment(self.journal.id());
        let action = record.map(|record| match record.action {
            Action::Deploy => "deploy",
            Action::Rollback => "rollback",
        });
        let (mut from, mut to): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let plans = self.plan.into_iter().flat_map(|plan| &plan.hosts);
        for plan in plans.filter(|plan| host.is_none_or(|host| *host.name() == plan.host)) {
            for change in &plan.changes {
                from.extend(change.from.iter().map(ToString::to_string));
                to.push(change.to.to_string());
            }
        }
        let words = |mut words: Vec<String>| {
            words.sort();
            words.dedup();
            words.join(" ")
        };
        vec![
            ("PKG_ENVIRONMENT", self.site.environment.name.to_string()),
            ("PKG_DEPLOYMENT", self.journal.id().to_string()),
            ("PKG_HOOK", point.to_string()),
            ("PKG_ACTION", action.unwrap_or_default().to_owned()),
            ("PKG_WHO", record.map(|record| record.holder.who.clone()).unwrap_or_default()),
            ("PKG_WHY", record.and_then(|record| record.author.why.clone()).unwrap_or_default()),
            ("PKG_HOST", host.map(|host| host.name().to_string()).unwrap_or_default()),
            ("PKG_ADDRESS", host.map(|host| host.endpoint.address.clone()).unwrap_or_default()),
            ("PKG_FROM", words(from)),
            ("PKG_TO", words(to)),
        ]
    }
}
