//! Problems: how the API says what went wrong (RFC 9457, `application/problem+json`).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a request was refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What kind of problem it is, for programs.
    #[serde(rename = "type")]
    pub kind: ProblemKind,
    /// What kind of problem it is, for people; the same for all problems of a kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time.
    pub detail: String,
    /// What can be done about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The request, as the server's log names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// The kinds of problems. On the wire a kind is a URN, `urn:pkg:problem:` and its name; names never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub enum ProblemKind {
    /// The URL is none that the server answers.
    NotFound,
    /// The URL does not take the method.
    MethodNotAllowed,
    /// The request can't be read.
    BadRequest,
    /// There is no such channel.
    UnknownChannel,
    /// The channel has no such package.
    UnknownPackage,
    /// A query names several packages, or a name without its version.
    AmbiguousPackage,
    /// A file was named that has not been uploaded.
    MissingUpload,
    /// The bytes that came are not those that were announced.
    DigestMismatch,
    /// The upload stopped half-way.
    InterruptedUpload,
    /// More bytes came than allowed.
    TooLarge,
    /// The file is no RPM that can be read.
    NotAnRpm,
    /// The file is an RPM that this repository does not take.
    RefusedPackage,
    /// The repository knows the NEVRA, or the file name that follows from it, with other bytes.
    Conflict,
    /// A token is missing or wrong.
    Unauthorized,
    /// The token does not allow it, or the request comes from where nothing may be changed.
    Forbidden,
    /// The environment asks for an approval that is not there.
    ApprovalMissing,
    /// Nothing may be deployed to the environment at this time.
    Frozen,
    /// Another deployment holds the environment's lease, or took it over.
    LeaseHeld,
    /// Another writer made the commit.
    CommitTaken,
    /// There is no such commit.
    UnknownCommit,
    /// Requests come faster than allowed.
    TooManyRequests,
    /// Other writers were faster too often.
    Busy,
    /// The server failed.
    Internal,
    /// A kind that this program does not know: a newer server's.
    Unknown,
}

const URN: &str = "urn:pkg:problem:";

/// Every kind with its name, HTTP status and title.
const KINDS: [(ProblemKind, &str, u16, &str); 23] = [
    (ProblemKind::NotFound, "not-found", 404, "no such thing here"),
    (ProblemKind::MethodNotAllowed, "method-not-allowed", 405, "the URL does not take this method"),
    (ProblemKind::BadRequest, "bad-request", 400, "the request can't be read"),
    (ProblemKind::UnknownChannel, "unknown-channel", 404, "no such channel"),
    (ProblemKind::UnknownPackage, "unknown-package", 404, "no such package in the channel"),
    (ProblemKind::AmbiguousPackage, "ambiguous-package", 422, "exactly one package must be named"),
    (ProblemKind::MissingUpload, "missing-upload", 404, "a file has not been uploaded"),
    (ProblemKind::DigestMismatch, "digest-mismatch", 422, "the bytes are not those that were announced"),
    (ProblemKind::InterruptedUpload, "interrupted-upload", 400, "the upload stopped half-way"),
    (ProblemKind::TooLarge, "too-large", 413, "the body is too large"),
    (ProblemKind::NotAnRpm, "not-an-rpm", 422, "the file is no RPM that can be read"),
    (ProblemKind::RefusedPackage, "refused-package", 422, "the package can't be in this repository"),
    (ProblemKind::Conflict, "conflict", 409, "the repository has other bytes for this package"),
    (ProblemKind::Unauthorized, "unauthorized", 401, "a token is needed"),
    (ProblemKind::Forbidden, "forbidden", 403, "this is not allowed"),
    (ProblemKind::ApprovalMissing, "approval-missing", 403, "an approval is missing"),
    (ProblemKind::Frozen, "frozen", 403, "nothing may be deployed now"),
    (ProblemKind::LeaseHeld, "lease-held", 409, "another deployment holds the lease"),
    (ProblemKind::CommitTaken, "commit-taken", 409, "another writer made this commit"),
    (ProblemKind::UnknownCommit, "unknown-commit", 404, "no such commit"),
    (ProblemKind::TooManyRequests, "too-many-requests", 429, "requests come faster than allowed"),
    (ProblemKind::Busy, "busy", 503, "other writers were faster"),
    (ProblemKind::Internal, "internal", 500, "the server failed"),
];

impl Problem {
    /// Makes a problem of a kind.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            hint: None,
            instance: None,
        }
    }

    /// Adds what can be done about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.title, self.detail)
    }
}

impl ProblemKind {
    fn row(self) -> Option<&'static (Self, &'static str, u16, &'static str)> {
        KINDS.iter().find(|(kind, ..)| *kind == self)
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(self) -> u16 {
        self.row().map_or(500, |row| row.2)
    }

    fn title(self) -> &'static str {
        self.row().map_or("a problem of a kind unknown to this program", |row| row.3)
    }
}

impl From<String> for ProblemKind {
    fn from(text: String) -> Self {
        let known = |name: &str| KINDS.iter().find(|row| row.1 == name).map(|row| row.0);
        text.strip_prefix(URN).and_then(known).unwrap_or(Self::Unknown)
    }
}

impl From<ProblemKind> for String {
    fn from(kind: ProblemKind) -> Self {
        format!("{URN}{}", kind.row().map_or("unknown", |row| row.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_form() {
        let problem =
            Problem::new(ProblemKind::UnknownChannel, "there is no channel `pord`").hint("did you mean `prod`?");
        let text = serde_json::to_string(&problem).unwrap();
        assert_eq!(
            text,
            r#"{"type":"urn:pkg:problem:unknown-channel","title":"no such channel","status":404,"detail":"there is no channel `pord`","hint":"did you mean `prod`?"}"#
        );
        assert_eq!(serde_json::from_str::<Problem>(&text).unwrap(), problem);
    }

    #[test]
    fn kinds_of_newer_servers_are_read() {
        assert_eq!(ProblemKind::from("urn:pkg:problem:quota".to_owned()), ProblemKind::Unknown);
        for (kind, ..) in KINDS {
            assert_eq!(ProblemKind::from(String::from(kind)), kind);
        }
    }
}
