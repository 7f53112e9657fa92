//! The service that runs the application.

use std::fmt;
use std::time::Duration;

use super::EnvironmentProblem;
use super::fields::{Fields, RawFields};
use super::reader::{Checked, Reader, at};

/// The service that runs the application, and who runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name: a systemd unit, a script of /etc/init.d, or, for commands, what it is called in logs.
    pub name: String,
    /// Who runs it.
    pub kind: ServiceKind,
    /// The port that it serves on; where it is known, its connections are counted for balancers that can't count.
    pub port: Option<u16>,
}

/// Who runs a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceKind {
    /// systemd where it runs, `service` elsewhere.
    Host,
    /// systemd.
    Systemd,
    /// A script of /etc/init.d, by `service`.
    SysV,
    /// Commands of the user's, each for a shell.
    Command {
        /// Starts it; it may run already.
        start: String,
        /// Stops it, and returns once it has stopped; it may have stopped already.
        stop: String,
        /// Ends with 0 while it runs.
        status: String,
    },
    /// Tomcat's manager redeploys the application while Tomcat goes on.
    TomcatManager(TomcatManager),
}

/// Tomcat's manager, by its text interface (Tomcat's manager how-to).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TomcatManager {
    /// The interface as the host itself reaches it.
    pub url: String,
    /// The application's context path.
    pub path: String,
    /// The WAR on the host, as the package installs it: outside of `webapps`.
    pub war: String,
    /// The file on the host that holds `user:password` for the role `manager-script`.
    pub credentials_file: String,
    /// How long sessions of the version before may go on.
    pub sessions_timeout: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Host,
    Systemd,
    SysV,
    Command,
    TomcatManager,
}

const KINDS: [(&str, Kind); 5] = [
    ("host", Kind::Host),
    ("systemd", Kind::Systemd),
    ("sysv", Kind::SysV),
    ("command", Kind::Command),
    ("tomcat-manager", Kind::TomcatManager),
];

/// The keys depend on the kind.
pub(super) type RawService = RawFields;

impl Reader<'_> {
    pub(super) fn service(&self, raw: &RawService) -> Checked<Service> {
        let mut fields = Fields::new(self, raw);
        let kind = match fields.kind(&KINDS, Some(Kind::Host))? {
            Kind::Host => ServiceKind::Host,
            Kind::Systemd => ServiceKind::Systemd,
            Kind::SysV => ServiceKind::SysV,
            Kind::Command => ServiceKind::Command {
                start: fields.shell("start")?,
                stop: fields.shell("stop")?,
                status: fields.shell("status")?,
            },
            Kind::TomcatManager => ServiceKind::TomcatManager(fields.tomcat_manager()?),
        };
        let service = Service { name: fields.word("name")?, kind, port: fields.number("port")? };
        fields.finish()?;
        Ok(service)
    }
}

impl Fields<'_> {
    fn tomcat_manager(&mut self) -> Checked<TomcatManager> {
        let path = self.needed("path")?;
        let value = self.reader().text(&path)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if !value.starts_with('/') || value.len() < 2 || !value.chars().all(fits) {
            let rule = "not a context path such as `/shop`";
            return Err(at(&path, EnvironmentProblem::Text { field: "path", value, rule }));
        }
        Ok(TomcatManager {
            url: self.url_or("url", "http://localhost:8080/manager/text")?,
            path: value,
            war: self.path("war")?,
            credentials_file: self.path("credentials_file")?,
            sessions_timeout: self.time("sessions_timeout", Duration::from_secs(300))?,
        })
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}
