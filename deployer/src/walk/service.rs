//! The service of a host: stopped, started, or left running while Tomcat's manager redeploys the application.

use std::time::Duration;

use tokio::time::Instant;

use super::{Station, StepError, Walk};
use crate::Script;
use crate::environment::Endpoint;
use crate::journal::Direction;
use crate::services::{SERVICE, version_name};
use crate::transport::run_checked;

/// A stop waits for requests in flight; systemd's own limit is 90 s.
const SERVICE_LIMIT: Duration = Duration::from_secs(180);
/// How often it is asked whether sessions of an earlier version have ended.
const SESSIONS_INTERVAL: Duration = Duration::from_secs(1);

impl Walk<'_> {
    /// Stops the service, unless the application is redeployed while it goes on.
    pub(super) async fn stop_service(&self, station: Station<'_>) -> Result<Option<String>, StepError> {
        if self.site.environment.service.redeployment().is_some() {
            return Ok(Some("goes on: Tomcat's manager redeploys".to_owned()));
        }
        self.service(station, "stop", include_str!("../scripts/stop.sh")).await.map(|()| None)
    }

    /// Starts the service, or has the application redeployed.
    pub(super) async fn start_service(
        &self,
        station: Station<'_>,
        direction: Direction,
    ) -> Result<Option<String>, StepError> {
        let Some(redeployment) = self.site.environment.service.redeployment() else {
            return self.service(station, "start", include_str!("../scripts/start.sh")).await.map(|()| None);
        };
        let version = self.health_version(station, direction);
        let name = version_name(self.journal.token(), direction, version.as_ref());
        self.run(&station.host.endpoint, &redeployment.deploy(self.fence(), &name)).await?;
        Ok(Some(format!("deployed as `{name}`")))
    }

    /// Undeploys what the newest version has taken the place of, once its sessions have ended or had their time.
    pub(super) async fn retire(&self, station: Station<'_>) -> Result<Option<String>, StepError> {
        let Some(redeployment) = self.site.environment.service.redeployment() else { return Ok(None) };
        let began = Instant::now();
        loop {
            let over = began.elapsed() >= redeployment.sessions_timeout();
            let left = self.run(&station.host.endpoint, &redeployment.retire(self.fence(), over)).await?;
            if left.trim().is_empty() {
                return Ok(over.then(|| "sessions of the version before were ended".to_owned()));
            }
            tokio::time::sleep(SESSIONS_INTERVAL).await;
        }
    }

    async fn service(&self, station: Station<'_>, name: &'static str, part: &'static str) -> Result<(), StepError> {
        let script = self.site.environment.service.tell(self.fenced(name, &[SERVICE, part]));
        self.run(&station.host.endpoint, &script.time_limit(SERVICE_LIMIT)).await.map(drop)
    }

    /// The last that the service said.
    pub(super) async fn service_log(&self, endpoint: &Endpoint) -> Vec<String> {
        let script = Script::new("service log", &[SERVICE, include_str!("../scripts/service_log.sh")]);
        let script = self.site.environment.service.tell(script);
        let text = run_checked(&*self.site.tools.transport, endpoint, &script).await;
        text.map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default()
    }
}
