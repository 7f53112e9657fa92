//! Publishing notes after a deployment: to a file, to a web hook, to a command such as one that sends mail.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::{Audience, Format, Kind, Line, Prose, ReleaseNotes, TemplateError, Templates, WebAddress};

/// Where notes are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Whom they are for there.
    pub audience: Audience,
    /// The place.
    pub place: Place,
}

/// A place where notes are published.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// Replaced as a whole; its name's ending says the format: `.html`, `.json`, `.txt`, else Markdown.
    File(PathBuf),
    /// Sent as JSON: `text`, which Slack, Mattermost and their like show, `notes`, all of it, and the occasion.
    Webhook(WebAddress),
    /// A command for `sh -c` with the text on its stdin, and PKG_NOTES_HEADING, PKG_ENVIRONMENT and PKG_DEPLOYMENT in its
    /// environment.
    Command(String),
}

/// What notes are published on the occasion of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    /// The environment that was deployed to.
    pub environment: String,
    /// The deployment, such as `D-0012`.
    pub deployment: String,
    /// The version that was taken back, where what runs now is an older one: the notes tell what is no longer there.
    pub taken_back: Option<Line>,
}

/// An address of a web hook is a secret: it is never printed.
impl fmt::Debug for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
            Self::Webhook(address) => formatter.debug_tuple("Webhook").field(&address.host()).finish(),
            Self::Command(command) => formatter.debug_tuple("Command").field(command).finish(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "`{}`", path.display()),
            Self::Webhook(address) => write!(formatter, "the web hook at `{}`", address.host()),
            Self::Command(command) => write!(formatter, "`{command}`"),
        }
    }
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

impl Destination {
    /// Publishes notes there, for its audience; tells whether anything was. Where nothing is told to it, nobody is bothered, but
    /// a file is written, so that it tells of no other version.
    ///
    /// # Errors
    /// [`AnnouncementError`], after some attempts where the other side is away for a moment.
    pub async fn publish(&self, notes: &ReleaseNotes, occasion: &Occasion) -> Result<bool, AnnouncementError> {
        let mut projected = match self.audience {
            Audience::Internal => notes.clone(),
            Audience::Customer => notes.for_customers().0,
        };
        if let Some(version) = &occasion.taken_back {
            take_back(&mut projected, version);
        }
        if projected.is_empty() && !matches!(self.place, Place::File(_)) {
            return Ok(false);
        }
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
                let Occasion { environment, deployment, .. } = occasion;
                let body = serde_json::json!({
                    "text": text, "notes": projected, "environment": environment, "deployment": deployment,
                });
                post(address, &body).await
            }
            Place::Command(command) => {
                let text = templates.render(&projected, Format::Text)?;
                run(command, (&projected.heading(), &text), occasion).await
            }
        }
        .map(|()| true)
    }
}

/// Makes of the notes of a version those of its taking back: what it brought, and that it is gone.
fn take_back(notes: &mut ReleaseNotes, version: &Line) {
    // What is to be known before going to it, and what does not work in it, is gone with it and of no interest.
    notes.changes.retain(|change| !matches!(change.kind, Kind::UpgradeNote | Kind::KnownIssue));
    let rest = if notes.changes.is_empty() { "." } else { ": what follows is not there any longer." };
    notes.introduction = Prose::new(&format!("{version} was taken back{rest}"));
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

async fn run(command: &str, (heading, text): (&str, &str), occasion: &Occasion) -> Result<(), AnnouncementError> {
    let failed = |source| AnnouncementError::Run { program: command.to_owned(), source };
    let mut child = tokio::process::Command::new("sh")
        .args(["-c", command])
        .env("PKG_NOTES_HEADING", heading)
        .env("PKG_ENVIRONMENT", &occasion.environment)
        .env("PKG_DEPLOYMENT", &occasion.deployment)
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
    let ended = |ended: String| AnnouncementError::Command { program: command.to_owned(), ended };
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

    fn to(audience: Audience, place: Place) -> Destination {
        Destination { audience, place }
    }

    fn occasion() -> Occasion {
        let (environment, deployment) = ("prod".to_owned(), "D-0012".to_owned());
        Occasion { environment, deployment, taken_back: None }
    }

    fn hook_at(url: &str) -> Place {
        Place::Webhook(url.to_owned().try_into().unwrap())
    }

    #[tokio::test]
    async fn files_and_commands() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let now = occasion();
        for (name, expected) in [("a.md", "# 1.4"), ("a.html", "<!DOCTYPE html>"), ("a.json", "{"), ("a.txt", "1.4\n")]
        {
            let to = to(Audience::Customer, Place::File(path(name)));
            to.publish(&notes(), &now).await.unwrap();
            let text = fs_err::read_to_string(path(name)).unwrap();
            assert!(
                text.starts_with(expected) && text.contains("Carts are kept.") && !text.contains("secret"),
                "{text}"
            );
        }
        let command = |text: &str| to(Audience::Internal, Place::Command(text.to_owned()));
        let told = "test \"$PKG_NOTES_HEADING $PKG_ENVIRONMENT $PKG_DEPLOYMENT\" = '1.4 prod D-0012' && cat >/dev/null";
        command(told).publish(&notes(), &now).await.unwrap();
        command(&format!("tee '{}'", path("tee").display())).publish(&notes(), &now).await.unwrap();
        assert!(fs_err::read_to_string(path("tee")).unwrap().contains("secret internals"));
        let nothing = to(Audience::Customer, Place::Command("false".to_owned()));
        assert!(!nothing.publish(&ReleaseNotes::new(Vec::new()), &now).await.unwrap(), "nobody is bothered");
        let error = command("false").publish(&notes(), &now).await.unwrap_err();
        assert_eq!(error.to_string(), "`false` ended with exit status: 1");
        let nowhere = to(Audience::Internal, Place::File("/nope/a.md".into()));
        let error = nowhere.publish(&notes(), &now).await.unwrap_err();
        assert!(matches!(error, AnnouncementError::File(_)));
    }

    #[tokio::test]
    async fn a_version_that_is_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.txt");
        let mut notes = notes();
        notes.changes.push(Change::new(Kind::KnownIssue, Line::new("slow")));
        let back = Occasion { taken_back: Some(Line::new("1.5")), ..occasion() };
        to(Audience::Customer, Place::File(file.clone())).publish(&notes, &back).await.unwrap();
        let text = fs_err::read_to_string(&file).unwrap();
        let expected =
            "1.4\n\n1.5 was taken back: what follows is not there any longer.\n\nNew features:\n- Carts are kept.\n";
        assert_eq!(text, expected);
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
        to(Audience::Customer, hook_at(&url)).publish(&notes(), &occasion()).await.unwrap();
        let body: serde_json::Value = serde_json::from_str(&bodies.await.unwrap()[1]).unwrap();
        assert_eq!(body["text"], "1.4\n\nNew features:\n- Carts are kept.\n");
        assert_eq!(body["notes"]["changes"][0]["title"], "Carts are kept.");
        assert_eq!((&body["environment"], &body["deployment"]), (&"prod".into(), &"D-0012".into()));
        let (url, _) = hook(&[404]).await;
        let error = to(Audience::Internal, hook_at(&url)).publish(&notes(), &occasion()).await.unwrap_err();
        assert!(
            matches!(&error, AnnouncementError::Refused { status: 404, .. }) && !error.to_string().contains("secret")
        );
    }
}
