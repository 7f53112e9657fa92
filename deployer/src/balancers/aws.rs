//! A target group of AWS's load balancers, by the `aws` command on the controller.
//!
//! `deregister-targets` begins the draining; a target is out once `describe-target-health` calls it `unused` (ELBv2 API
//! reference, DescribeTargetHealth). How long that takes is `deregistration_delay.timeout_seconds` of the group, 300 by
//! default. Credentials, profile and endpoint are those of the command's own environment.

use std::fmt;

use async_trait::async_trait;
use serde::Deserialize;

use super::{BalancerError, Control, Drive, Member, Rotation, ServerState, Views};

/// A target group; what a server is called in it is an instance's id or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsTargetGroup {
    /// Its ARN.
    pub arn: String,
    /// The region; without it, the one of the command's environment.
    pub region: Option<String>,
    /// The port of the targets; without it, the group's own.
    pub port: Option<u16>,
    /// The command, `aws` by default.
    pub command: String,
}

#[async_trait]
impl Drive for AwsTargetGroup {
    async fn view(&self, _control: &Control<'_>, members: &[Member<'_>]) -> Result<Views, BalancerError> {
        // Named, a target that is not registered is answered for, too.
        let mut arguments = vec!["--targets".to_owned()];
        arguments.extend(members.iter().map(|member| self.target(member)));
        let text = self.run("describe-target-health", arguments).await?;
        parse(&text).map_err(|problem| BalancerError::Answer { balancer: self.to_string(), problem })
    }

    async fn set(&self, _control: &Control<'_>, member: &Member<'_>, to: Rotation) -> Result<(), BalancerError> {
        let operation = match to {
            Rotation::In => "register-targets",
            Rotation::Draining | Rotation::Out => "deregister-targets",
        };
        self.run(operation, vec!["--targets".to_owned(), self.target(member)]).await.map(drop)
    }
}

impl AwsTargetGroup {
    fn target(&self, member: &Member<'_>) -> String {
        match self.port {
            Some(port) => format!("Id={},Port={port}", member.server),
            None => format!("Id={}", member.server),
        }
    }

    async fn run(&self, operation: &str, further: Vec<String>) -> Result<String, BalancerError> {
        let mut arguments: Vec<String> = [&self.command, "elbv2", operation, "--output", "json", "--target-group-arn"]
            .map(ToString::to_string)
            .to_vec();
        arguments.push(self.arn.clone());
        if let Some(region) = &self.region {
            arguments.extend(["--region".to_owned(), region.clone()]);
        }
        arguments.extend(further);
        // Nobody is there to turn the pages.
        super::local::run(&self.to_string(), &arguments, &[("AWS_PAGER", "")]).await
    }
}

impl fmt::Display for AwsTargetGroup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AWS target group `{}`", self.arn)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    target_health_descriptions: Vec<Description>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    target: Target,
    target_health: Health,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    state: String,
    reason: Option<String>,
}

/// Reads `describe-target-health`.
fn parse(text: &str) -> Result<Views, String> {
    let answer: Answer = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut views = Views::new();
    for Description { target, target_health } in answer.target_health_descriptions {
        let (rotation, serving) = match (target_health.state.as_str(), target_health.reason.as_deref()) {
            ("healthy" | "unhealthy.draining", _) => (Rotation::In, target_health.state == "healthy"),
            ("draining", _) => (Rotation::Draining, false),
            // It is registered, but its group or its zone is not in use: nothing goes there.
            ("unused", Some("Target.NotInUse" | "Target.InvalidState")) => (Rotation::In, false),
            ("unused", _) => (Rotation::Out, false),
            // initial, unhealthy, unavailable
            _ => (Rotation::In, false),
        };
        let status = target_health.state;
        views.insert(target.id, ServerState { status, rotation, serving, connections: None, counters: None });
    }
    Ok(views)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::balancers::{Driver, Front};
    use crate::environment::{Balancer, Endpoint};

    #[test]
    fn reads_the_documented_answer() {
        let text = r#"{"TargetHealthDescriptions": [
            {"HealthCheckPort": "80", "Target": {"Id": "i-1", "Port": 80}, "TargetHealth": {"State": "healthy"}},
            {"Target": {"Id": "i-2", "Port": 80}, "TargetHealth": {"State": "draining",
             "Reason": "Target.DeregistrationInProgress", "Description": "Target deregistration is in progress"}},
            {"Target": {"Id": "i-3"}, "TargetHealth": {"State": "unused", "Reason": "Target.NotRegistered"}},
            {"Target": {"Id": "i-4"}, "TargetHealth": {"State": "unused", "Reason": "Target.NotInUse"}},
            {"Target": {"Id": "i-5"}, "TargetHealth": {"State": "initial", "Reason": "Elb.RegistrationInProgress"}}]}"#;
        let views = parse(text).unwrap();
        let seen = |id: &str| (views[id].rotation, views[id].serving, views[id].is_drained());
        assert_eq!(seen("i-1"), (Rotation::In, true, false));
        assert_eq!(seen("i-2"), (Rotation::Draining, false, false));
        assert_eq!(seen("i-3"), (Rotation::Out, false, true));
        assert_eq!(seen("i-4"), (Rotation::In, false, false));
        assert_eq!(seen("i-5"), (Rotation::In, false, false));
        assert!(parse("An error occurred").is_err());
    }

    /// As the command's help and the API's reference have it; draining takes two looks, coming back one.
    const AWS: &str = r#"#!/bin/sh
cd "${0%/*}" || exit
echo "$*" >>said
[ "$1 $2" = "elbv2 $2" ] || exit 2
health() {
    state=$(cat state 2>/dev/null || echo healthy)
    echo '{"TargetHealthDescriptions": [{"Target": {"Id": "i-1", "Port": 8080}, "TargetHealth": {"State": "'"$state"'"}}]}'
    case $state in
    draining) echo draining-still >state ;;
    draining-still) echo unused >state ;;
    initial) echo healthy >state ;;
    esac
}
case $2 in
describe-target-health) health | sed s/-still// ;;
deregister-targets) [ -e state ] && ! grep -q healthy state || echo draining >state ;;
register-targets) echo initial >state ;;
esac
"#;

    #[tokio::test]
    async fn a_target_is_waited_for_until_it_is_unused_and_until_it_is_healthy() {
        let directory = tempfile::tempdir().unwrap();
        let command = directory.path().join("aws");
        std::fs::write(&command, AWS).unwrap();
        std::fs::set_permissions(&command, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let driver = AwsTargetGroup {
            arn: "arn:aws:e:1:2:targetgroup/a/b".to_owned(),
            region: Some("eu-central-1".to_owned()),
            port: Some(8080),
            command: command.display().to_string(),
        };
        let balancers = [Balancer { driver: Driver::AwsTargetGroup(driver), drain_timeout: Duration::from_secs(20) }];
        let endpoint = Endpoint { name: "web1".parse().unwrap(), address: "10.0.0.1".to_owned() };
        let member = Member { server: "i-1", endpoint: &endpoint };
        let nowhere = crate::Ssh::new(crate::SshSettings::default()).unwrap();
        let control = Control::looking(&nowhere);
        let front = Front { balancers: &balancers, control, members: vec![member], port: None, told: None };
        assert_eq!(front.take_out(&member).await.unwrap(), None);
        assert_eq!(front.keep_out(&member).await.unwrap(), None);
        let back = front.put_back(&member, Duration::from_millis(1), Duration::from_secs(20)).await.unwrap();
        assert_eq!(back, "healthy");
        let said = std::fs::read_to_string(directory.path().join("said")).unwrap();
        let end = "--output json --target-group-arn arn:aws:e:1:2:targetgroup/a/b --region eu-central-1 \
                   --targets Id=i-1,Port=8080";
        let changes: Vec<&str> = said.lines().filter(|line| !line.contains("describe-target-health")).collect();
        assert_eq!(changes, [format!("elbv2 deregister-targets {end}"), format!("elbv2 register-targets {end}")]);
        assert!(said.starts_with(&format!("elbv2 describe-target-health {end}\n")), "{said}");
    }
}
