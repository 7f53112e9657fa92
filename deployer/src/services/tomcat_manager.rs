//! Redeploying by Tomcat's manager: the new version comes up beside the old one, which goes when its sessions have ended.
//!
//! Tomcat's parallel deployment sends new sessions to the version that is the highest as a string. So a version's name
//! begins with the deployment's fencing token, padded with zeros, and whether it is the way back: it is higher than all
//! before it, also where an older package is gone back to.

use std::time::Duration;

use nevra::Evr;

use super::SERVICE;
use crate::Script;
use crate::environment::{Service, TomcatManager};
use crate::fence::Fence;
use crate::journal::Direction;

/// A redeployment without a stop.
#[derive(Clone, Copy)]
pub(crate) struct Redeployment<'a> {
    pub(super) service: &'a Service,
    pub(super) manager: &'a TomcatManager,
}

const MANAGER: &str = include_str!("../scripts/tomcat_manager.sh");
/// A big application takes its time to start.
const DEPLOY_LIMIT: Duration = Duration::from_secs(300);

/// The name of a version of the application: `0000000042-0-1.4.0-57`.
pub(crate) fn version_name(token: u64, direction: Direction, version: Option<&Evr>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    let version: String = version.map(|evr| evr.to_string().chars().map(plain).collect()).unwrap_or_default();
    let turn = match direction {
        Direction::Onward => 0,
        Direction::Back => 1,
    };
    format!("{token:010}-{turn}-{version}")
}

impl Redeployment<'_> {
    /// The script that deploys the installed WAR under a version's name.
    pub(crate) fn deploy(&self, fence: Fence<'_>, version: &str) -> Script {
        let script = fence
            .script("deploy by Tomcat's manager", &[SERVICE, MANAGER, include_str!("../scripts/tomcat_deploy.sh")]);
        self.tell(script).set("WAR", &self.manager.war).set("VERSION", version).time_limit(DEPLOY_LIMIT)
    }

    /// The script that undeploys what the newest version has taken the place of, and prints what still has sessions.
    pub(crate) fn retire(&self, fence: Fence<'_>, whatever_sessions: bool) -> Script {
        let script = fence
            .script("undeploy of earlier versions", &[SERVICE, MANAGER, include_str!("../scripts/tomcat_retire.sh")]);
        self.tell(script).set("FORCE", if whatever_sessions { "yes" } else { "no" })
    }

    /// How long sessions of earlier versions may go on.
    pub(crate) fn sessions_timeout(&self) -> Duration {
        self.manager.sessions_timeout
    }

    fn tell(&self, script: Script) -> Script {
        self.service
            .tell(script)
            .set("URL", &self.manager.url)
            .set("CREDENTIALS", &self.manager.credentials_file)
            .set("CONTEXT", &self.manager.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_deployments_are_higher_strings() {
        let evr = |text: &str| text.parse::<Evr>().unwrap();
        let names = [
            version_name(9, Direction::Onward, Some(&evr("1.10-1"))),
            version_name(9, Direction::Back, Some(&evr("1.9-1"))),
            version_name(11, Direction::Onward, None),
            version_name(1000, Direction::Onward, Some(&evr("2:1.0~rc1+x^5-1"))),
        ];
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(names, sorted);
        assert_eq!(names[0], "0000000009-0-1.10-1");
        assert_eq!(names[3], "0000001000-0-2_1.0_rc1_x_5-1");
    }
}
