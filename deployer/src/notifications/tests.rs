use std::collections::BTreeMap;

use chrono::Utc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::approval::{Agreement, Consent};
use crate::environment::News;
use crate::fixture;
use crate::journal::{Action, Ending};
use crate::observer::Happening;
use crate::{DeploymentId, Report};

fn event(happening: Happening) -> Event {
    Event { at: Utc::now(), deployment: DeploymentId::after(6), happening }
}

fn finished(ending: Ending) -> Event {
    let reason = (ending != Ending::Done).then(|| "web1: \"check\" failed".to_owned());
    event(Happening::Finished {
        report: Report { deployment: DeploymentId::after(6), ending, reason, hosts: Vec::new(), left_out: Vec::new() },
    })
}

fn story(notifier: &Notifier) {
    let environment = "test".parse().unwrap();
    notifier.observe(&event(Happening::Begun { environment, action: Action::Deploy, token: 1 }));
    notifier.observe(&event(Happening::Approved { agreement: Agreement::by(Consent::Confirmed) }));
    notifier.observe(&finished(Ending::RolledBack));
}

/// Answers so many requests, each with the next status; gives their bodies.
async fn webhook(listener: TcpListener, statuses: &[u16]) -> Vec<serde_json::Value> {
    let mut bodies = Vec::new();
    for status in statuses {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let body = loop {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap();
            request.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8_lossy(&request).into_owned();
            let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
            if let Ok(body) = serde_json::from_str::<serde_json::Value>(body) {
                break body;
            }
        };
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
        bodies.push(body);
    }
    bodies
}

#[tokio::test]
async fn a_webhook_is_told_in_order_and_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret", listener.local_addr().unwrap());
    let mut environment = fixture::environment(1);
    environment.notifications = vec![Notification { via: Via::Webhook(url), on: vec![News::Begun, News::RolledBack] }];
    let server = tokio::spawn(webhook(listener, &[500, 200, 200]));
    let notifier = Notifier::start(&environment);
    story(&notifier);
    assert_eq!(notifier.end().await, Vec::<String>::new());
    let bodies = server.await.unwrap();
    let events: Vec<&str> = bodies.iter().map(|body| body["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["begun", "begun", "rolled-back"]);
    assert_eq!(bodies[2]["deployment"], "D-0007");
    assert_eq!(bodies[2]["reason"], "web1: \"check\" failed");
    let text = bodies[2]["text"].as_str().unwrap();
    assert!(text.ends_with("to test failed and was rolled back: web1: \"check\" failed"), "{text}");
}

#[tokio::test]
async fn a_command_gets_the_message_and_a_failure_is_said_without_the_address() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("told");
    let command = format!("printf '%s ' \"$PKG_EVENT\" >>{0}; cat >>{0}; echo >>{0}", file.display());
    let mut environment = fixture::environment(1);
    let all = |via| Notification { via, on: vec![News::Done, News::Failed] };
    environment.notifications =
        vec![all(Via::Command(command)), all(Via::Webhook("http://127.0.0.1:9/secret".to_owned()))];
    let notifier = Notifier::start(&environment);
    story(&notifier);
    notifier.observe(&finished(Ending::Done));
    notifier.cut_off("lease lost");
    let troubles = notifier.end().await;
    assert_eq!(troubles.len(), 2, "{troubles:?}");
    assert!(troubles[0].starts_with("notification 2 of `done` was not sent"), "{troubles:?}");
    assert!(troubles.iter().all(|trouble| !trouble.contains("secret")), "{troubles:?}");
    let told = fs_err::read_to_string(file).unwrap();
    let told: BTreeMap<&str, serde_json::Value> = told
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(event, json)| (event, serde_json::from_str(json).unwrap()))
        .collect();
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), ["done", "failed"]);
    assert_eq!(told["failed"]["reason"], "lease lost");
}
