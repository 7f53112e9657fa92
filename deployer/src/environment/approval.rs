//! Who has to agree to a change.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::EnvironmentProblem;
use super::reader::{Checked, Located, Reader, Text};

/// Who has to agree before a deployment changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Nobody: a job may deploy on its own.
    None,
    /// A person at a terminal, who has seen the plan and types the environment's name.
    Person,
    /// Such a person, and another one, who both sign the plan's digest.
    Two,
}

impl Reader<'_> {
    /// The file of those who may approve, which `two` needs.
    pub(super) fn approvers(&self, approval: Approval, file: Option<&Text>, name: &Text) -> Checked<Option<PathBuf>> {
        if approval == Approval::Two && file.is_none() {
            let problem = EnvironmentProblem::Needs {
                what: "`approval = \"two\"`",
                needs: "`approvers`: the file of those who may sign, as ALLOWED SIGNERS in ssh-keygen(1)",
            };
            return Err(Located { span: name.span(), problem });
        }
        file.map(|file| self.path(file)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::environment::{Environment, EnvironmentError, HookPoint, News, On, OnFailure};

    const PEOPLE: &str = r#"
name = "prod"
ledger = "store"
approval = "two"
approvers = "approvers"
freeze = "https://ops.example.org/freeze"
[repository]
ids = ["pkg-prod"]
[service]
name = "tomcat"
[health]
url = "http://{address}:8080/"
[strategy]
kind = "rolling"
[policy]
on_failure = "roll-back"
max_failed_hosts = 2
[[windows]]
days = ["mon-thu"]
hours = "09:00-16:00"
zone = "Europe/Berlin"
[[hooks]]
at = "after-host"
on = "one"
role = "web"
command = "./smoke"
timeout = "30s"
[[notifications]]
kind = "webhook"
url = "${WEBHOOK}"
on = ["failed", "rolled-back"]
[tasks.clear-cache]
command = "rm -rf /var/cache/shop/*"
batch = 2
[standard]
packages = ["tomcat-9.0.85-1.el9"]
sudo_user = "deploy"
[[hosts]]
name = "web1"
roles = ["web"]
"#;

    fn parse(text: &str) -> Result<Environment, EnvironmentError> {
        let variables = |name: &str| (name == "WEBHOOK").then(|| "https://hooks.example.org/secret".to_owned());
        Environment::parse(text, Path::new("prod.toml"), &variables)
    }

    #[test]
    fn reads_what_people_have_to_do_with() {
        let prod = parse(PEOPLE).unwrap();
        assert_eq!(prod.windows[0].to_string(), "Mon Tue Wed Thu 09:00-16:00 Europe/Berlin");
        assert_eq!((prod.policy.on_failure, prod.policy.max_failed_hosts), (Some(OnFailure::RollBack), 2));
        let hook = &prod.hooks[0];
        assert_eq!((hook.at, hook.place.on, hook.required), (HookPoint::AfterHost, On::One, false));
        assert_eq!(hook.place.to_string(), "the first host of role web");
        assert_eq!(prod.notifications[0].on, [News::Failed, News::RolledBack]);
        assert!(!format!("{:?}", prod.notifications).contains("secret"));
        assert_eq!((prod.tasks["clear-cache"].place.on, prod.tasks["clear-cache"].batch), (On::Host, Some(2)));
        assert_eq!(prod.standard.sudo_user.as_deref(), Some("deploy"));
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        for (good, bad, expected) in [
            ("approvers = \"approvers\"\n", "", "prod.toml:2: `approval = \"two\"` needs `approvers`"),
            ("mon-thu", "monday to friday", "days `monday to friday` is not a day"),
            ("09:00-16:00", "9 to 5", "hours `9 to 5` is not a span"),
            ("Europe/Berlin", "CEST", "zone `CEST` is not a time zone"),
            ("roll-back", "rollback", "unknown variant `rollback`"),
            ("after-host", "after-hosts", "did you mean `after-host`?"),
            ("command = \"./smoke\"", "command = \" \"", "command ` ` is nothing that `sh -c` runs"),
            ("kind = \"webhook\"", "kind = \"command\"", "`[[notifications]]` needs `command`"),
            ("\"${WEBHOOK}\"", "\"hooks.example.org\"", "url `hooks.example.org` is not a URL"),
            ("batch = 2", "batch = 0", "nonzero"),
            ("tomcat-9.0.85-1.el9", "tomcat; reboot", "packages `tomcat; reboot` is not a package"),
            ("\"deploy\"", "\"deploy ALL\"", "sudo_user `deploy ALL` is not a word"),
        ] {
            assert!(PEOPLE.contains(good), "{good}");
            let error = parse(&PEOPLE.replace(good, bad)).unwrap_err().to_string();
            assert!(error.contains(expected), "{bad}: {error}");
        }
    }
}
