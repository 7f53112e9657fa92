//! The check page of a server or a proxy: a file makes it answer 503, and whatever balancer asks for it goes elsewhere.
//!
//! It works with every balancer that checks its servers over HTTP. It takes the time until the balancer has noticed; then
//! connections are counted on the machine itself. Connections that clients keep open end only if the server closes them:
//! while the file exists, it should answer every request with `Connection: close`.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;

use super::{BalancerError, Control, Drive, Member, Rotation, ServerState, Views};
use crate::Script;
use crate::environment::Endpoint;

/// A check page, on each server itself or on a machine in front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthPage {
    /// The machine with the page; without it, each server's own.
    pub host: Option<Endpoint>,
    /// The file that the page tests for.
    pub file: String,
    /// The page as the machine itself reaches it.
    pub url: String,
    /// The port on which connections are counted.
    pub port: u16,
    /// How long it takes until every balancer has noticed: interval × fall (or rise) + timeout.
    pub notice: Duration,
}

#[async_trait]
impl Drive for HealthPage {
    async fn view(&self, control: &Control<'_>, members: &[Member<'_>]) -> Result<Views, BalancerError> {
        let script = Script::new("view of the health page", &[include_str!("../scripts/health_page_view.sh")])
            .set("FILE", &self.file)
            .set("URL", &self.url)
            .set("PORT", self.port.to_string())
            .set("NOTICE", self.notice_seconds().to_string());
        let script = &script;
        let asked = members.iter().map(|member| async move {
            let text = control.ask(self.machine(member), script).await?;
            let state = parse(&text)
                .ok_or_else(|| BalancerError::Answer { balancer: self.to_string(), problem: format!("`{text}`") })?;
            Ok((member.server.to_owned(), state))
        });
        join_all(asked).await.into_iter().collect()
    }

    async fn set(&self, control: &Control<'_>, member: &Member<'_>, to: Rotation) -> Result<(), BalancerError> {
        let script = control
            .change("change of the health page", &[include_str!("../scripts/health_page_set.sh")])
            .set("FILE", &self.file)
            .set("TO", to.as_str());
        control.run(self.machine(member), &script).await?;
        Ok(())
    }

    fn notice(&self) -> Duration {
        Duration::from_secs(self.notice_seconds() + 1)
    }
}

impl HealthPage {
    fn machine<'a>(&'a self, member: &Member<'a>) -> &'a Endpoint {
        self.host.as_ref().unwrap_or(member.endpoint)
    }

    fn notice_seconds(&self) -> u64 {
        self.notice.as_secs() + u64::from(self.notice.subsec_nanos() > 0)
    }
}

impl fmt::Display for HealthPage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(formatter, "health page on `{}` (file `{}`)", host.name, self.file),
            None => write!(formatter, "health page on each host (file `{}`)", self.file),
        }
    }
}

/// Reads what `health_page_view.sh` prints.
fn parse(text: &str) -> Option<ServerState> {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    let (state, page) = (value("state")?, value("page")?);
    let connections: u64 = value("connections")?.trim().parse().ok()?;
    let well = page.starts_with('2') || page.starts_with('3');
    let (rotation, serving) = match state {
        "in" => (Rotation::In, well),
        "returning" => (Rotation::In, false),
        // The file is there, and the page does not care: nobody notices anything.
        "leaving" | "out" if well => (Rotation::In, true),
        "leaving" => (Rotation::Draining, false),
        "out" => (Rotation::Out, false),
        _ => return None,
    };
    let status = format!("{state} (page {page})");
    // Before everybody has noticed, no connection now says nothing about the next moment.
    let connections = (rotation != Rotation::Draining).then_some(connections);
    Some(ServerState { status, rotation, serving, connections, counters: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_out_only_when_everybody_has_noticed() {
        for (text, rotation, serving, drained) in [
            ("state in\npage 200\nconnections 3\n", Rotation::In, true, false),
            ("state in\npage 000\nconnections 0\n", Rotation::In, false, false),
            ("state leaving\npage 503\nconnections 0\n", Rotation::Draining, false, false),
            ("state leaving\npage 200\nconnections 0\n", Rotation::In, true, false),
            ("state out\npage 503\nconnections 2\n", Rotation::Out, false, false),
            ("state out\npage 502\nconnections 0\n", Rotation::Out, false, true),
            ("state returning\npage 200\nconnections 0\n", Rotation::In, false, false),
        ] {
            let state = parse(text).unwrap();
            assert_eq!((state.rotation, state.serving, state.is_drained()), (rotation, serving, drained), "{text}");
        }
        for text in ["", "state in\n", "state gone\npage 200\nconnections 0\n", "state in\npage 200\nconnections x\n"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
