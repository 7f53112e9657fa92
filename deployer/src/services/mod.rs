//! The service that runs the application: what scripts have to know to stop, start and ask for it.

mod tomcat_manager;

pub(crate) use tomcat_manager::{Redeployment, version_name};

use crate::Script;
use crate::environment::{Service, ServiceKind};

/// The functions that a script about the service begins with.
pub(crate) const SERVICE: &str = include_str!("../scripts/service.sh");

impl Service {
    /// Gives a script that has [`SERVICE`] among its parts the variables that it wants.
    pub(crate) fn tell(&self, script: Script) -> Script {
        let (kind, start, stop, status) = match &self.kind {
            ServiceKind::Host | ServiceKind::TomcatManager(_) => ("host", "", "", ""),
            ServiceKind::Systemd => ("systemd", "", "", ""),
            ServiceKind::SysV => ("sysv", "", "", ""),
            ServiceKind::Command { start, stop, status } => ("command", start.as_str(), stop.as_str(), status.as_str()),
        };
        let script = if kind == "command" { script.foreign() } else { script };
        script
            .set("SERVICE", &self.name)
            .set("SERVICE_KIND", kind)
            .set("SERVICE_START", start)
            .set("SERVICE_STOP", stop)
            .set("SERVICE_STATUS", status)
    }

    /// Tomcat's manager, where it redeploys the application while the service goes on.
    pub(crate) fn redeployment(&self) -> Option<Redeployment<'_>> {
        match &self.kind {
            ServiceKind::TomcatManager(manager) => Some(Redeployment { service: self, manager }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn run(service: &Service, part: &'static str) -> (i32, String) {
        let script = service.tell(Script::new("test", &[SERVICE, part]));
        let output = Command::new("sh").args(["-c", &script.text()]).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    #[test]
    fn commands_of_the_users_start_and_stop() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("running");
        let kind = ServiceKind::Command {
            start: format!("touch '{}'", file.display()),
            stop: format!("rm -f '{}'", file.display()),
            status: format!("[ -e '{}' ]", file.display()),
        };
        let service = Service { name: "shop".to_owned(), kind, port: None };
        let (start, stop) = (include_str!("../scripts/start.sh"), include_str!("../scripts/stop.sh"));
        assert_eq!(run(&service, start), (0, String::new()));
        assert!(file.exists());
        assert_eq!(run(&service, stop), (0, String::new()));
        assert!(!file.exists());

        let deaf = |start: &str, stop: &str, status: &str| {
            let kind =
                ServiceKind::Command { start: start.to_owned(), stop: stop.to_owned(), status: status.to_owned() };
            Service { name: "shop".to_owned(), kind, port: None }
        };
        assert_eq!(
            run(&deaf("true", "true", "false"), start),
            (1, "`shop` is inactive after it was started".to_owned())
        );
        assert_eq!(run(&deaf("true", "true", "true"), stop), (1, "`shop` is active after it was stopped".to_owned()));
        assert_eq!(run(&deaf("exit 7", "true", "true"), start).0, 7);
    }
}
