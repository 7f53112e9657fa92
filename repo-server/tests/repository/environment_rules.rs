//! The rules of an environment, which hold where the lease is given: who may deploy, when, and who has to agree.

use chrono::{TimeDelta, Utc};
use ledger::Ground;
use repo_api::{ApprovalRule, ClientError, EnvironmentRequest, EnvironmentSettings, Freeze, ProblemKind};
use serde_json::{Value, json};

use crate::environments::{admin, begun, finished, ground, ledger, planned, prod, server, token, twin, who, write};
use crate::support::Running;

async fn set(server: &Running, new: EnvironmentSettings, before: Option<EnvironmentSettings>) -> EnvironmentSettings {
    let request = EnvironmentRequest { settings: new.clone(), before, who: None, why: None };
    admin(&server.url).set_environment(&prod(), &request).await.unwrap();
    new
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_hold_where_the_lease_is_given() {
    let server = server().await;
    let ana = ledger(&server.url, &token(&server, "ana", "deploy:prod", false).await).await;
    let job = ledger(&twin(&server).await, &token(&server, "job", "deploy:prod", true).await).await;
    let done = |id: &str| {
        [planned(id, "app-1-1.noarch", "app-2-1.noarch", ""), finished(id, "app-1-1.noarch", "app-2-1.noarch")]
    };
    write(&job, &who("job"), [begun("D-0001")].into_iter().chain(done("D-0001"))).await.unwrap();

    let person = set(&server, EnvironmentSettings { approval: ApprovalRule::Person, ..Default::default() }, None).await;
    let (refused, detail) = ground(write(&job, &who("job"), [begun("D-0002")]).await);
    assert!(refused == Ground::Approval && detail.contains("unattended"), "{detail}");
    for id in ["D-0001", "D-2", "", "D-00x2"] {
        assert_eq!(ground(write(&ana, &who("ana"), [begun(id)]).await).0, Ground::Other, "{id}");
    }
    write(&ana, &who("ana"), [begun("D-0002")]).await.unwrap();
    let step =
        json!({ "entry": "step_begun", "deployment": "D-0002", "host": "web1", "step": "stop", "direction": "onward" });
    let steps = |steps: &[&Value]| json!({ "entry": "steps", "deployment": "D-0002", "steps": steps });
    for step in [step.clone(), steps(&[&step, &step])] {
        assert_eq!(ground(write(&ana, &who("ana"), [step]).await).0, Ground::Approval, "nobody has agreed yet");
    }
    let plan = planned("D-0002", "app-1-1.noarch", "app-2-1.noarch", "confirmed");
    let (refused, detail) = ground(write(&ana, &who("ana"), [steps(&[&step, &plan])]).await);
    assert!(refused == Ground::Other && detail.contains("something else than steps"), "{detail}");
    for consent in ["unattended", "confirmed", ""] {
        let plan = planned("D-0002", "app-1-1.noarch", "app-2-1.noarch", consent);
        let (refused, detail) = ground(write(&ana, &who("ana"), [plan]).await);
        assert!(refused == Ground::Approval && detail.contains("types its name"), "{detail}");
    }
    let plan = planned("D-0002", "app-1-1.noarch", "app-2-1.noarch", "name_typed");
    let end = finished("D-0002", "app-1-1.noarch", "app-2-1.noarch");
    write(&ana, &who("ana"), [plan, end]).await.unwrap();

    let freeze = Some(Freeze { because: "Christmas".to_owned(), until: None });
    let frozen = set(&server, EnvironmentSettings { freeze, ..Default::default() }, Some(person)).await;
    let (refused, detail) = ground(write(&job, &who("job"), [begun("D-0003")]).await);
    assert!(refused == Ground::Frozen && detail.contains("Christmas"), "{detail}");
    // The way back is open.
    let mut rollback = begun("D-0003");
    rollback["action"] = json!("rollback");
    write(&job, &who("job"), [rollback].into_iter().chain(done("D-0003"))).await.unwrap();

    let request = EnvironmentRequest { settings: EnvironmentSettings::default(), before: None, who: None, why: None };
    let conflict = admin(&server.url).set_environment(&prod(), &request).await;
    assert!(matches!(conflict, Err(ClientError::Problem(problem)) if problem.kind == ProblemKind::Conflict));
    let nobody = EnvironmentSettings { approval: ApprovalRule::Two, ..Default::default() };
    let request = EnvironmentRequest { settings: nobody, before: Some(frozen), who: None, why: None };
    let wrong = admin(&server.url).set_environment(&prod(), &request).await;
    assert!(matches!(wrong, Err(ClientError::Problem(problem)) if problem.kind == ProblemKind::BadRequest));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_sign_the_plan() {
    let server = server().await;
    let directory = tempfile::tempdir().unwrap();
    let mut approvers = String::new();
    for name in ["ana", "ben", "eve"] {
        let mut make = std::process::Command::new("ssh-keygen");
        crate::support::run(make.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(directory.path().join(name)));
        let public = std::fs::read_to_string(directory.path().join(format!("{name}.pub"))).unwrap();
        approvers.push_str(&if name == "eve" { String::new() } else { format!("{name}@example.com {public}") });
    }
    set(&server, EnvironmentSettings { approval: ApprovalRule::Two, approvers: Some(approvers), freeze: None }, None)
        .await;
    let ana = ledger(&server.url, &token(&server, "ana", "deploy:prod", false).await).await;
    write(&ana, &who("ana"), [begun("D-0001")]).await.unwrap();
    let plan = planned("D-0001", "app-1-1.noarch", "app-2-1.noarch", "name_typed");
    let digest = approval::plan_digest(&plan["plan"]);
    let sign = |name: &str, environment: &str, plan: &str| {
        let (at, until) = (Utc::now(), Utc::now() + TimeDelta::hours(1));
        let statement = approval::Statement { environment: environment.into(), plan: plan.into(), at, until };
        serde_json::to_value(statement.sign(&directory.path().join(name)).unwrap()).unwrap()
    };
    let with = |approvals: Vec<Value>| {
        let mut plan = plan.clone();
        plan["agreement"]["approvals"] = json!(approvals);
        plan
    };
    let good = sign("ana", "prod", &digest);
    for approvals in [
        vec![],
        vec![good.clone()],
        vec![good.clone(), good.clone()],
        vec![good.clone(), sign("ana", "prod", &digest)],
        vec![good.clone(), sign("eve", "prod", &digest)],
        vec![good.clone(), sign("ben", "qa", &digest)],
        vec![good.clone(), sign("ben", "prod", &"0".repeat(64))],
    ] {
        let (refused, detail) = ground(write(&ana, &who("ana"), [with(approvals)]).await);
        assert!(refused == Ground::Approval && detail.contains("2 people"), "{detail}");
    }
    let mut other = with(vec![good.clone(), sign("ben", "prod", &digest)]);
    other["plan"]["hosts"][0]["host"] = json!("web2");
    assert_eq!(ground(write(&ana, &who("ana"), [other]).await).0, Ground::Approval, "another plan than the one signed");
    write(&ana, &who("ana"), [with(vec![good, sign("ben", "prod", &digest)])]).await.unwrap();
}
