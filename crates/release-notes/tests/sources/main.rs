//! Release notes from the real sources: git, and a server that speaks JIRA's documented API.

mod histories;
mod jira;
mod jira_server;
