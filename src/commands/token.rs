//! `pkg token`: makes, lists and revokes the tokens of a repository server.

use chrono::{DateTime, Days, TimeDelta, Utc};
use ledger::{Author, Store};
use repo_api::{Client, ReasonRequest, Scope, TokenInfo, TokenName, TokenRequest};
use repo_server::TokenBook;

use super::connection::{ServerArgs, failure, who};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// Make, list and revoke tokens of a repository server.
///
/// Asks the server, which needs a token with the scope `admin`; or works on the store itself with --store, as for the first
/// token. Servers know within two seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: TokenCommand,
    /// Work on this store itself, as the server's --store names it, instead of asking a server.
    #[arg(long, global = true, value_name = "STORE")]
    store: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, clap::Subcommand)]
enum TokenCommand {
    /// Make a token, and print it: it is shown this once.
    Create {
        /// A name, by which the history of the repository knows who used it.
        name: TokenName,
        /// What it allows: read:CHANNEL, publish:CHANNEL, promote:CHANNEL, withdraw:CHANNEL, watch:ENVIRONMENT,
        /// deploy:ENVIRONMENT, with `*` for all of them, or admin; may be repeated.
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// When it ends to hold: a time (2027-01-31T12:00:00Z), or from now on, such as 90d or 12h [default: never].
        #[arg(long, value_name = "WHEN", value_parser = expiry)]
        expires: Option<DateTime<Utc>>,
        /// It is for a program that runs with no person present: it can't deploy where a person has to agree.
        #[arg(long)]
        unattended: bool,
        /// The reason, for the history of tokens.
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
    },
    /// List the tokens that have not been revoked; never the tokens themselves.
    List,
    /// Revoke a token.
    Revoke {
        /// Its name.
        name: TokenName,
        /// The reason, for the history of tokens.
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
    },
}

const EXAMPLES: &str = "\
Examples:
  pkg token create ana --scope admin --store /srv/pkg/repository     the first one, on the server's machine
  PKG_TOKEN=… pkg token create ci --scope publish:dev --expires 90d
  pkg token create release --scope promote:qa,promote:prod,withdraw:prod
  pkg token create nightly --scope deploy:qa --unattended
  pkg token list
  pkg token revoke ci --why leaked";

/// Who keeps the tokens.
enum Keeper {
    Server(Client),
    Store(TokenBook),
}

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let keeper = match &args.store {
        None => Keeper::Server(args.server.client()?),
        Some(location) => {
            let store = Store::open(location).await.map_err(Failure::failed)?;
            Keeper::Store(TokenBook::open(&store).await.map_err(Failure::failed)?)
        }
    };
    match args.command {
        TokenCommand::Create { name, scopes, expires, unattended, why } => {
            create(&keeper, TokenRequest { name, scopes, expires_at: expires, unattended, who: who(), why }, printer)
                .await
        }
        TokenCommand::List => list(&keeper, printer).await,
        TokenCommand::Revoke { name, why } => revoke(&keeper, &name, why, printer).await,
    }
}

async fn create(keeper: &Keeper, request: TokenRequest, printer: &Printer) -> Result<Exit, Failure> {
    let made = match keeper {
        Keeper::Server(client) => client.create_token(&request).await.map_err(failure)?,
        Keeper::Store(book) => {
            let author = author(request.why.clone());
            book.create(request, author).await.map_err(Failure::failed)?
        }
    };
    if printer.is_json() {
        printer.json(&made);
    } else {
        printer.data(&made.token);
        printer.talk(&format!("token {}; keep it: it is not shown again", line(&made.info)));
    }
    Ok(Exit::Done)
}

async fn list(keeper: &Keeper, printer: &Printer) -> Result<Exit, Failure> {
    let list = match keeper {
        Keeper::Server(client) => client.tokens().await.map_err(failure)?,
        Keeper::Store(book) => book.list(),
    };
    if printer.is_json() {
        printer.json(&list);
        return Ok(Exit::Done);
    }
    for token in &list.tokens {
        printer.data(&line(token));
    }
    if list.tokens.is_empty() {
        printer.talk("there are no tokens");
    }
    Ok(Exit::Done)
}

async fn revoke(keeper: &Keeper, name: &TokenName, why: Option<String>, printer: &Printer) -> Result<Exit, Failure> {
    let revoked = match keeper {
        Keeper::Server(client) => {
            client.revoke_token(name, &ReasonRequest { who: who(), why }).await.map_err(failure)?
        }
        Keeper::Store(book) => book.revoke(name, author(why)).await.map_err(Failure::failed)?,
    };
    if printer.is_json() {
        printer.json(&revoked);
    } else {
        printer.data(&format!("{}  revoked", revoked.name));
    }
    Ok(Exit::Done)
}

fn author(why: Option<String>) -> Author {
    Author { who: who().unwrap_or_else(|| "unknown".to_owned()), from: "store".to_owned(), why }
}

fn line(token: &TokenInfo) -> String {
    let scopes: Vec<String> = token.scopes.iter().map(ToString::to_string).collect();
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let ends = match token.expires_at {
        None => "never expires".to_owned(),
        Some(at) if at <= Utc::now() => format!("expired {}", time(at)),
        Some(at) => format!("expires {}", time(at)),
    };
    let by = printable(&token.created_by);
    let ends = if token.unattended { format!("unattended  {ends}") } else { ends };
    format!("{}  {}  {ends}  made {} by {by}", token.name, scopes.join(","), time(token.created_at))
}

/// A time, or how long from now on.
fn expiry(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let now = Utc::now();
    let from_now = || {
        let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let count: u32 = count.parse().ok()?;
        match unit {
            "d" => now.checked_add_days(Days::new(count.into())),
            "h" => now.checked_add_signed(TimeDelta::hours(count.into())),
            "m" => now.checked_add_signed(TimeDelta::minutes(count.into())),
            _ => None,
        }
    };
    from_now()
        .ok_or_else(|| "allowed are a time such as 2027-01-31T12:00:00Z, and 90d, 12h, 30m from now on".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiries() {
        assert_eq!(expiry("2027-01-31T12:00:00+01:00").unwrap().to_rfc3339(), "2027-01-31T11:00:00+00:00");
        let days = expiry("90d").unwrap() - Utc::now();
        assert!(days <= TimeDelta::days(90) && days > TimeDelta::days(89));
        for bad in ["", "d", "90", "-1d", "1.5d", "90 d", "tomorrow", "ü", "4294967295d0"] {
            assert!(expiry(bad).is_err(), "{bad}");
        }
    }
}
