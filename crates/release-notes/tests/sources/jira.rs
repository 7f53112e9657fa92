//! Tickets over JIRA's API: pages, refusals, limits of rate, keys that are not there, HTML where it should not be.

use release_notes::{Credentials, Format, Jira, JiraError, Kind, ReleaseNotes, Rules, Sources, Templates, TicketTypes};

use super::jira_server::{JiraServer, Manner};

fn client(server: &JiraServer, credentials: Credentials) -> Jira {
    Jira::new(&server.url, credentials, Some("customfield_1")).unwrap()
}

#[tokio::test]
async fn pages_of_both_kinds() {
    for (manner, paths) in [
        (Manner::Server, vec!["/rest/api/2/search"; 3]),
        (Manner::Cloud, [vec!["/rest/api/2/search"], vec!["/rest/api/2/search/jql"; 3]].concat()),
        (Manner::Limited, vec!["/rest/api/2/search"; 6]),
    ] {
        let server = JiraServer::start(manner).await;
        let credentials = Credentials::User("ana@example.org".to_owned(), "secret".to_owned());
        let tickets = client(&server, credentials).search("fixVersion = \"1.4\" order by key").await.unwrap();
        let keys: Vec<&str> = tickets.iter().map(|ticket| ticket.key.as_str()).collect();
        assert_eq!((keys.len(), keys[0], keys[119]), (120, "SHOP-1", "SHOP-120"), "{manner:?}");
        assert_eq!(server.paths(), paths, "{manner:?}");
        let (target, authorization) = server.asked.lock().unwrap()[0].clone();
        assert!(authorization.starts_with("Basic ") && !target.contains("secret"));
        assert_eq!(tickets[0].customer.as_ref().unwrap().as_str(), "Orders can be <paid>.");
        assert_eq!(tickets[1].description.as_ref().unwrap().as_str(), "A document.");
        assert_eq!(tickets[0].url.as_ref().unwrap().as_str(), format!("{}/browse/SHOP-1", server.url));
    }
}

#[tokio::test]
async fn a_key_that_is_missing_hides_no_other() {
    let server = JiraServer::start(Manner::Server).await;
    let jira = client(&server, Credentials::Token("secret".to_owned()));
    let keys = ["SHOP-1", "SHOP-404", "SHOP-5", "SECRET-1", "SHOP-7", "no key\") or x = (\""].map(str::to_owned);
    let found = jira.tickets(&keys).await.unwrap();
    assert_eq!(found.tickets.keys().collect::<Vec<_>>(), ["SHOP-1", "SHOP-5", "SHOP-7"]);
    assert_eq!(found.missing, ["SHOP-404", "SECRET-1"]);
    assert_eq!(server.asked.lock().unwrap()[0].1, "Bearer secret");
    let many: Vec<String> = (1..=250).map(|number| format!("SHOP-{number}")).collect();
    assert_eq!(jira.tickets(&many).await.unwrap().tickets.len(), 250);
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let error = |manner, jql: &'static str| async move {
        let server = JiraServer::start(manner).await;
        client(&server, Credentials::Nobody).search(jql).await.unwrap_err()
    };
    let query = error(Manner::Server, "nonsense").await;
    assert!(
        matches!(&query, JiraError::Query { .. }) && query.to_string().contains("Error in the JQL Query"),
        "{query}"
    );
    let refused = error(Manner::Unauthorized, "x").await;
    assert!(matches!(&refused, JiraError::Refused { status: 401, .. }), "{refused}");
    assert!(matches!(error(Manner::Closed, "x").await, JiraError::Busy { seconds: 3600, attempts: 1, .. }));
    assert!(matches!(error(Manner::Foreign, "x").await, JiraError::Foreign { status: 200, .. }));
    for bad in ["", "jira.example.org", "ftp://a", "https://user:secret@a", "https://a?b"] {
        assert!(matches!(Jira::new(bad, Credentials::Nobody, None), Err(JiraError::Address(_))), "{bad}");
    }
    let token = Credentials::Token("a\nb".to_owned());
    assert!(matches!(Jira::new("https://a", token, None), Err(JiraError::Token)));
}

#[tokio::test]
async fn html_in_tickets_stays_text() {
    let server = JiraServer::start(Manner::Server).await;
    let tickets = client(&server, Credentials::Nobody).search("fixVersion = \"1.4\"").await.unwrap();
    let sources = Sources { tickets, ..Sources::default() };
    let notes = ReleaseNotes::new(sources.changes(&Rules::default(), &TicketTypes::default()));
    let count = |kind| notes.of_kind(kind).count();
    assert_eq!(
        (count(Kind::Fix), count(Kind::Feature), count(Kind::Improvement), count(Kind::Other)),
        (30, 30, 30, 30)
    );
    let templates = Templates::usual().unwrap();
    for notes in [notes.clone(), notes.for_customers().0] {
        let html = templates.render(&notes, Format::Html).unwrap();
        assert!(!html.contains("<img") && !html.contains("<b>text") && !html.contains("<paid>"), "{html}");
        for format in [Format::Html, Format::Markdown, Format::Text] {
            let text = templates.render(&notes, format).unwrap();
            assert!(!text.contains(['\u{202e}', '\u{1b}']), "{text}");
        }
    }
    assert_eq!(notes.for_customers().0.changes.len(), 1);
}
