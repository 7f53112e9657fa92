//! Whether a host serves the right version: one look, by a request, a connection or a command, from here or from there.

mod error;
mod judge;
mod probe;

use std::time::Duration;

use nevra::Evr;
use tokio::time::Instant;

pub use error::HealthError;
use judge::Answer;
pub use probe::{HealthProbe, HttpProbe};

use crate::balancers::local;
use crate::environment::{Check, From, Health, Host, HttpCheck};
use crate::transport::{ScriptError, run_checked};
use crate::{Script, Transport};

/// Looks at hosts.
#[derive(Clone, Copy)]
pub(crate) struct Doctor<'a> {
    /// Makes requests from the controller.
    pub(crate) probe: &'a dyn HealthProbe,
    /// Reaches the hosts.
    pub(crate) transport: &'a dyn Transport,
}

const CONNECT_LIMIT: Duration = Duration::from_secs(3);

impl Doctor<'_> {
    /// Looks once and judges.
    ///
    /// # Errors
    /// [`HealthError`] saying what is not right.
    pub(crate) async fn look(&self, health: &Health, host: &Host, version: Option<&Evr>) -> Result<(), HealthError> {
        match &health.check {
            Check::Http(check) => self.http(check, host, version).await,
            Check::Tcp { port, from: From::Controller } => connect(host, *port).await,
            Check::Tcp { port, from: From::Host } => {
                let script = Script::new("health check", &[include_str!("../scripts/health_tcp.sh")]);
                self.on_host(host, script.set("PORT", port.to_string())).await.map(drop)
            }
            Check::Command { command, from } => {
                let command = judge::fill(&host.fill(command), version);
                let (number, release) = version.map_or(("", ""), |evr| (evr.version(), evr.release()));
                let variables = [
                    ("PKG_HOST", host.name().as_str()),
                    ("PKG_ADDRESS", host.endpoint.bare_address()),
                    ("PKG_VERSION", number),
                    ("PKG_RELEASE", release),
                ];
                if *from == From::Controller {
                    let arguments = ["sh", "-c", &command].map(str::to_owned);
                    let said = local::run("the health check", &arguments, &variables).await;
                    return said.map(drop).map_err(|error| HealthError::Command { reason: error.to_string() });
                }
                let mut script = Script::new("health check", &[include_str!("../scripts/health_command.sh")]).foreign();
                for (name, value) in variables {
                    script = script.set(name, value);
                }
                self.on_host(host, script.set("COMMAND", command)).await.map(drop)
            }
        }
    }

    async fn http(&self, check: &HttpCheck, host: &Host, version: Option<&Evr>) -> Result<(), HealthError> {
        let url = host.fill(&check.url);
        let answer = match check.from {
            From::Controller => {
                let began = Instant::now();
                let (status, body) = self.probe.get(&url).await?;
                Answer { status, body, latency: began.elapsed() }
            }
            From::Host => {
                let script = Script::new("health check", &[include_str!("../scripts/health_http.sh")]).set("URL", &url);
                let text = self.on_host(host, script).await?;
                Answer::parse(&text).ok_or_else(|| HealthError::Request {
                    url: url.clone(),
                    reason: text.lines().next().unwrap_or_default().to_owned(),
                })?
            }
        };
        judge::judge(check, &url, &answer, version)
    }

    async fn on_host(&self, host: &Host, script: Script) -> Result<String, HealthError> {
        match run_checked(self.transport, &host.endpoint, &script).await {
            Ok(text) => Ok(text),
            Err(ScriptError::Failed { output, status, .. }) => {
                let reason = if output.is_empty() { format!("it ended with exit code {status}") } else { output };
                Err(HealthError::Command { reason })
            }
            Err(error) => Err(HealthError::Command { reason: error.to_string() }),
        }
    }
}

async fn connect(host: &Host, port: u16) -> Result<(), HealthError> {
    let address = host.endpoint.bare_address();
    let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    let failed = |reason: String| HealthError::Connection { address: format!("{address}:{port}"), reason };
    match tokio::time::timeout(CONNECT_LIMIT, tokio::net::TcpStream::connect((address, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(_) => Err(failed(format!("no answer within {} s", CONNECT_LIMIT.as_secs()))),
    }
}
