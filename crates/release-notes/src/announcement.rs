//! Publishing notes after a deployment: to a file, to a web hook, to a command such as one that sends mail.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncWriteExt;

use crate::{Audience, Format, ReleaseNotes, TemplateError, Templates, WebAddress};

/// Where notes are published. In TOML: `{ file = "…" }`, `{ webhook = "https://…" }` or `{ command = ["mail", "…"] }`, each
/// with `audience = "internal" | "customer"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, try_from = "RawDestination")]
pub struct Destination {
    /// Whom they are for there.
    pub audience: Audience,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Replaced as a whole; its name's ending says the format: `.html`, `.json`, `.txt`, else Markdown.
    File(PathBuf),
    /// Sent as JSON: `text`, which Slack, Mattermost and their like show, and `notes`, all of it.
    Webhook(WebAddress),
    /// Run with the text on its stdin, and PKG_NOTES_HEADING in its environment.
    Command(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDestination {
    #[serde(default)]
    audience: Audience,
    file: Option<PathBuf>,
    webhook: Option<WebAddress>,
    command: Option<Vec<String>>,
}

/// Says why notes could not be published.
#[derive(Debug, thiserror::Error)]
pub enum AnnouncementError {
    /// The usual templates do not hold.
    #[error("the notes can't be written")]
    Template(#[from] TemplateError),
    /// The file could not be written.
    #[error("could not write the notes")]
    File(#[source] io::Error),
    /// The web hook could not be reached.
    #[error("the web hook at `{host}` can't be reached")]
    Unreachable {
        /// Its host; the path may be a secret.
        host: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The web hook refused.
    #[error("the web hook at `{host}` answered {status}")]
    Refused {
        /// Its host.
        host: String,
        /// The HTTP status.
        status: u16,
    },
    /// The command could not be run.
    #[error("could not run `{program}`")]
    Run {
        /// The program.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The command failed.
    #[error("`{program}` {ended}")]
    Command {
        /// The program.
        program: String,
        /// How it ended.
        ended: String,
    },
}

const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(30);
const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);

impl TryFrom<RawDestination> for Destination {
    type Error = &'static str;

    fn try_from(raw: RawDestination) -> Result<Self, Self::Error> {
        let place = match (raw.file, raw.webhook, raw.command) {
            (Some(file), None, None) => Place::File(file),
            (None, Some(webhook), None) => Place::Webhook(webhook),
            (None, None, Some(command)) if !command.is_empty() => Place::Command(command),
            _ => return Err("allowed is one of `file`, `webhook`, `command` (which has a program)"),
        };
        Ok(Self { audience: raw.audience, place })
    }
}

impl Destination {
    /// Publishes notes there, for its audience.
    ///
    /// # Errors
    /// [`AnnouncementError`], after some attempts where the other side is away for a moment.
    pub async fn publish(&self, notes: &ReleaseNotes) -> Result<(), AnnouncementError> {
        let projected = match self.audience {
            Audience::Internal => notes.clone(),
            Audience::Customer => notes.for_customers().0,
        };
        let templates = Templates::usual()?;
        match &self.place {
            Place::File(path) => {
                let format = match path.extension().and_then(|extension| extension.to_str()) {
                    Some("html" | "htm") => Some(Format::Html),
                    Some("txt") => Some(Format::Text),
                    Some("json") => None,
                    _ => Some(Format::Markdown),
                };
                let text =
                    format.map_or_else(|| Ok(projected.to_json()), |format| templates.render(&projected, format))?;
                replace(path, &text).map_err(AnnouncementError::File)
            }
            Place::Webhook(address) => {
                let text = templates.render(&projected, Format::Text)?;
                post(address, &serde_json::json!({ "text": text, "notes": projected })).await
            }
            Place::Command(command) => {
                let text = templates.render(&projected, Format::Text)?;
                run(command, &projected.heading(), &text).await
            }
        }
    }
}

/// Whoever reads the file sees the old text or the new one.
fn replace(path: &std::path::Path, text: &str) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".notes-").permissions(readable()).tempfile_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn readable() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

async fn post(address: &WebAddress, body: &serde_json::Value) -> Result<(), AnnouncementError> {
    // Every user of TLS in the process may ask for this; the first one decides, and all ask for the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let host = address.host().to_owned();
    let unreachable =
        |source: reqwest::Error| AnnouncementError::Unreachable { host: host.clone(), source: source.without_url() };
    let builder = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none());
    let client = builder.build().map_err(unreachable)?;
    let mut attempt = 1;
    loop {
        let outcome = client.post(address.as_str()).json(body).send().await;
        let passes = match &outcome {
            Ok(response) => matches!(response.status().as_u16(), 408 | 429 | 500..),
            Err(error) => !error.is_builder(),
        };
        if !passes || attempt == ATTEMPTS {
            let status = outcome.map_err(unreachable)?.status();
            return if status.is_success() {
                Ok(())
            } else {
                Err(AnnouncementError::Refused { host, status: status.as_u16() })
            };
        }
        tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(attempt - 1)).await;
        attempt += 1;
    }
}

async fn run(command: &[String], heading: &str, text: &str) -> Result<(), AnnouncementError> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let failed = |source| AnnouncementError::Run { program: program.clone(), source };
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .env("PKG_NOTES_HEADING", heading)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let stdin = child.stdin.take();
    let feed = async {
        if let Some(mut stdin) = stdin {
            // One that does not want to read all of it may still succeed.
            let _ = stdin.write_all(text.as_bytes()).await;
        }
    };
    let both = async { tokio::join!(feed, child.wait()).1 };
    let ended = |ended: String| AnnouncementError::Command { program: program.clone(), ended };
    match tokio::time::timeout(COMMAND_TIMEOUT, both).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(ended(format!("ended with {status}"))),
        Ok(Err(source)) => Err(failed(source)),
        Err(_) => Err(ended(format!("took longer than {} seconds", COMMAND_TIMEOUT.as_secs()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Kind, Line, Prose};

    fn notes() -> ReleaseNotes {
        let mut change = Change::new(Kind::Feature, Line::new("secret internals"));
        change.customer = Prose::new("Carts are kept.");
        let mut notes = ReleaseNotes::new(vec![change]);
        notes.version = Some(Line::new("1.4"));
        notes
    }

    fn destination(toml: &str) -> Result<Destination, toml::de::Error> {
        toml::from_str(toml)
    }

    #[tokio::test]
    async fn files_and_commands() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        for (name, expected) in [("a.md", "# 1.4"), ("a.html", "<!DOCTYPE html>"), ("a.json", "{"), ("a.txt", "1.4\n")]
        {
            let to = destination(&format!("file = '{}'\naudience = 'customer'", path(name))).unwrap();
            to.publish(&notes()).await.unwrap();
            let text = fs_err::read_to_string(path(name)).unwrap();
            assert!(
                text.starts_with(expected) && text.contains("Carts are kept.") && !text.contains("secret"),
                "{text}"
            );
        }
        let command = "command = ['sh', '-c', 'test \"$PKG_NOTES_HEADING\" = 1.4 && cat >/dev/null']";
        destination(command).unwrap().publish(&notes()).await.unwrap();
        let tee = destination(&format!("command = ['tee', '{}']", path("tee"))).unwrap();
        tee.publish(&notes()).await.unwrap();
        assert!(fs_err::read_to_string(path("tee")).unwrap().contains("secret internals"));
        let error = destination("command = ['false']").unwrap().publish(&notes()).await.unwrap_err();
        assert_eq!(error.to_string(), "`false` ended with exit status: 1");
        let error = destination("file = '/nope/a.md'").unwrap().publish(&notes()).await.unwrap_err();
        assert!(matches!(error, AnnouncementError::File(_)));
    }

    /// Answers each request with the next status, and gives the bodies that came.
    async fn hook(statuses: &'static [u16]) -> (String, tokio::task::JoinHandle<Vec<String>>) {
        use tokio::io::AsyncReadExt;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/secret-path", listener.local_addr().unwrap());
        let bodies = tokio::spawn(async move {
            let mut bodies = Vec::new();
            for status in statuses {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
                loop {
                    let count = stream.read(&mut buffer).await.unwrap();
                    request.extend_from_slice(&buffer[..count]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let length = text
                        .lines()
                        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
                    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
                    if let (Some(length), Some(body)) = (length, body)
                        && body.len() >= length
                    {
                        bodies.push(body);
                        break;
                    }
                }
                let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            bodies
        });
        (url, bodies)
    }

    #[tokio::test]
    async fn web_hooks() {
        let (url, bodies) = hook(&[503, 200]).await;
        let to = destination(&format!("webhook = '{url}'\naudience = 'customer'")).unwrap();
        to.publish(&notes()).await.unwrap();
        let body: serde_json::Value = serde_json::from_str(&bodies.await.unwrap()[1]).unwrap();
        assert_eq!(body["text"], "1.4\n\nNew features:\n- Carts are kept.\n");
        assert_eq!(body["notes"]["changes"][0]["title"], "Carts are kept.");
        let (url, _) = hook(&[404]).await;
        let error = destination(&format!("webhook = '{url}'")).unwrap().publish(&notes()).await.unwrap_err();
        assert!(
            matches!(&error, AnnouncementError::Refused { status: 404, .. }) && !error.to_string().contains("secret")
        );
    }

    #[test]
    fn one_place_each() {
        for bad in ["", "command = []", "file = 'a'\nwebhook = 'https://a'", "webhook = 'ftp://a'", "colour = 1"] {
            assert!(destination(bad).is_err(), "{bad}");
        }
    }
}
