//! The tokens of a repository: a ledger of their making and revoking, which all servers of a store share.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, SubsecRound, Utc};
use ledger::{AppendError, Author, Commit, Digest, Ledger, LedgerError, Position, Store};
use repo_api::{NewToken, Permission, Scope, TokenInfo, TokenList, TokenName, TokenRequest};
use serde::{Deserialize, Serialize};

const LEDGER: &str = "access";
/// How often a change is tried against other writers.
const ATTEMPTS: u32 = 20;
/// What a token begins with, so that it is known for one wherever it turns up.
const PREFIX: &str = "pkg_";

/// What a commit of the ledger says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum TokenChange {
    Created {
        name: TokenName,
        /// The sha256 of the token, which has too many possibilities to be guessed from it.
        sha256: Digest,
        scopes: Vec<Scope>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unattended: bool,
    },
    Revoked {
        name: TokenName,
    },
}

/// A token that has not been revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// What is shown of it.
    pub info: TokenInfo,
    sha256: Digest,
}

/// The tokens, as this process knows them.
#[derive(Debug)]
pub struct TokenBook {
    ledger: Ledger<TokenChange>,
    tokens: RwLock<Arc<Tokens>>,
}

#[derive(Debug, Clone)]
struct Tokens {
    position: Position,
    by_name: BTreeMap<TokenName, Arc<TokenRecord>>,
    by_sha256: HashMap<Digest, Arc<TokenRecord>>,
}

/// Says why a token was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum TokenBookError {
    /// Another token has the name.
    #[error("there is a token `{0}` already; a name can be used again once its token is revoked")]
    NameTaken(TokenName),
    /// No token has the name.
    #[error("there is no token `{name}`{}", known(names))]
    Unknown {
        /// The name.
        name: TokenName,
        /// The names that there are.
        names: Vec<String>,
    },
    /// The token would allow nothing.
    #[error("a token without a scope allows nothing: name at least one")]
    NoScope,
    /// The token would never hold.
    #[error("the token would end at {0}, which has passed")]
    Past(DateTime<Utc>),
    /// Other writers were faster too often.
    #[error("other writers were faster {ATTEMPTS} times in a row")]
    Busy,
    /// The ledger failed.
    #[error("the ledger of tokens failed")]
    Ledger(#[from] LedgerError),
}

impl TokenBook {
    /// Opens the book of a store.
    ///
    /// # Errors
    /// [`TokenBookError::Ledger`]
    pub async fn open(store: &Store) -> Result<Self, TokenBookError> {
        let book = Self { ledger: store.ledger(LEDGER), tokens: RwLock::default() };
        book.refresh().await?;
        Ok(book)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`TokenBookError`]; nothing has changed then.
    pub async fn create(&self, request: TokenRequest, author: Author) -> Result<NewToken, TokenBookError> {
        let expires_at = request.expires_at.map(|at| at.trunc_subsecs(0));
        if request.scopes.is_empty() {
            return Err(TokenBookError::NoScope);
        }
        if let Some(past) = expires_at.filter(|at| *at <= Utc::now()) {
            return Err(TokenBookError::Past(past));
        }
        let token = format!("{PREFIX}{}", secret());
        let mut scopes = request.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        let name = request.name;
        let sha256 = Digest::of(token.as_bytes());
        let unattended = request.unattended;
        let change = TokenChange::Created { name: name.clone(), sha256, scopes, expires_at, unattended };
        let tokens = self
            .change(author, change, |tokens| match tokens.by_name.get(&name) {
                Some(_) => Err(TokenBookError::NameTaken(name.clone())),
                None => Ok(()),
            })
            .await?;
        let record = tokens.by_name.get(&name).filter(|record| record.sha256 == sha256);
        let info = record.map(|record| record.info.clone());
        // Another writer can have revoked it by now.
        info.map(|info| NewToken { token, info }).ok_or_else(|| tokens.unknown(&name))
    }

    /// Revokes a token, and gives what it was.
    ///
    /// # Errors
    /// [`TokenBookError`]; nothing has changed then.
    pub async fn revoke(&self, name: &TokenName, author: Author) -> Result<TokenInfo, TokenBookError> {
        self.refresh().await?;
        let tokens = self.tokens();
        let info = tokens.by_name.get(name).map(|record| record.info.clone()).ok_or_else(|| tokens.unknown(name))?;
        let change = TokenChange::Revoked { name: name.clone() };
        self.change(author, change, |tokens| match tokens.by_name.contains_key(name) {
            true => Ok(()),
            false => Err(tokens.unknown(name)),
        })
        .await?;
        Ok(info)
    }

    /// The tokens that have not been revoked.
    #[must_use]
    pub fn list(&self) -> TokenList {
        TokenList { tokens: self.tokens().by_name.values().map(|record| record.info.clone()).collect() }
    }

    /// Takes in what other processes changed since.
    ///
    /// # Errors
    /// [`TokenBookError::Ledger`]
    pub async fn refresh(&self) -> Result<(), TokenBookError> {
        let commits = self.ledger.since(&self.tokens().position).await?;
        if !commits.is_empty() {
            self.adopt(&commits);
        }
        Ok(())
    }

    /// Finds a token by its sha256.
    pub(crate) fn find(&self, sha256: &Digest) -> Option<Arc<TokenRecord>> {
        self.tokens().by_sha256.get(sha256).cloned()
    }

    /// Tells whether no token was ever made.
    pub(crate) fn never_had_any(&self) -> bool {
        self.tokens().position.number == 0
    }

    async fn change(
        &self,
        author: Author,
        change: TokenChange,
        fits: impl Fn(&Tokens) -> Result<(), TokenBookError>,
    ) -> Result<Arc<Tokens>, TokenBookError> {
        for _ in 0..ATTEMPTS {
            self.refresh().await?;
            let tokens = self.tokens();
            fits(&tokens)?;
            match self.ledger.append(&tokens.position, author.clone(), change.clone()).await {
                Ok(commit) => return Ok(self.adopt(&[commit])),
                Err(AppendError::Lost { .. }) => {}
                Err(AppendError::Ledger(error)) => return Err(error.into()),
            }
        }
        Err(TokenBookError::Busy)
    }

    fn tokens(&self) -> Arc<Tokens> {
        Arc::clone(&self.tokens.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes commits in; those that another task took in meanwhile are left.
    fn adopt(&self, commits: &[Commit<TokenChange>]) -> Arc<Tokens> {
        let mut current = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        let mut tokens = Tokens::clone(&current);
        for commit in commits {
            if commit.number == tokens.position.number + 1 {
                tokens.apply(commit);
            }
        }
        *current = Arc::new(tokens);
        Arc::clone(&current)
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self { position: Position::start(), by_name: BTreeMap::new(), by_sha256: HashMap::new() }
    }
}

impl Tokens {
    fn apply(&mut self, commit: &Commit<TokenChange>) {
        match &commit.payload {
            TokenChange::Created { name, sha256, scopes, expires_at, unattended } => {
                let info = TokenInfo {
                    name: name.clone(),
                    scopes: scopes.clone(),
                    created_at: commit.at.trunc_subsecs(0),
                    created_by: commit.author.who.clone(),
                    expires_at: *expires_at,
                    unattended: *unattended,
                };
                let record = Arc::new(TokenRecord { info, sha256: *sha256 });
                self.by_sha256.insert(*sha256, Arc::clone(&record));
                self.by_name.insert(name.clone(), record);
            }
            TokenChange::Revoked { name } => {
                if let Some(record) = self.by_name.remove(name) {
                    self.by_sha256.remove(&record.sha256);
                }
            }
        }
        self.position = commit.position();
    }

    fn unknown(&self, name: &TokenName) -> TokenBookError {
        TokenBookError::Unknown { name: name.clone(), names: self.by_name.keys().map(ToString::to_string).collect() }
    }
}

impl TokenRecord {
    /// Tells whether it has ended to hold.
    #[must_use]
    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.info.expires_at.is_some_and(|at| at <= now)
    }

    /// Tells whether it allows something in a channel; `None` asks whether it does so in any.
    #[must_use]
    pub fn allows(&self, permission: Permission, channel: Option<&repo_api::ChannelName>) -> bool {
        self.info.scopes.iter().any(|scope| scope.allows(permission, channel))
    }

    /// Tells whether it allows something in an environment.
    #[must_use]
    pub fn allows_in(&self, permission: Permission, environment: &repo_api::TagName) -> bool {
        self.info.scopes.iter().any(|scope| scope.allows_in(permission, environment))
    }

    /// What it allows, as text.
    pub(crate) fn scopes(&self) -> String {
        let scopes: Vec<String> = self.info.scopes.iter().map(ToString::to_string).collect();
        scopes.join(", ")
    }
}

/// 256 bits that nobody can guess, hexadecimal.
fn secret() -> String {
    let bytes: [u8; 32] = rand::random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn known(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; there are {}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn request(name: &str, scope: &str) -> TokenRequest {
        TokenRequest {
            name: name.parse().unwrap(),
            scopes: vec![scope.parse().unwrap()],
            expires_at: None,
            unattended: false,
            who: None,
            why: None,
        }
    }

    fn author() -> Author {
        Author { who: "ana".to_owned(), from: "test".to_owned(), why: None }
    }

    #[tokio::test]
    async fn made_found_revoked_by_any_process() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().to_str().unwrap()).await.unwrap();
        let (here, there) = (TokenBook::open(&store).await.unwrap(), TokenBook::open(&store).await.unwrap());
        assert!(here.never_had_any());
        let made = here.create(request("ci", "publish:dev"), author()).await.unwrap();
        let sha256 = Digest::of(made.token.as_bytes());
        assert!(made.token.starts_with("pkg_") && made.token.len() == 68, "{}", made.token);
        assert_eq!(here.find(&sha256).unwrap().info, made.info);
        let again = there.create(request("ci", "admin"), author()).await.unwrap_err();
        assert!(matches!(again, TokenBookError::NameTaken(_)), "{again}");
        assert_eq!(there.list().tokens, std::slice::from_ref(&made.info));

        let ledgers = directory.path().join("ledgers/access");
        for file in std::fs::read_dir(ledgers).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            assert!(!text.contains(&made.token), "{text}");
        }

        assert_eq!(there.revoke(&made.info.name, author()).await.unwrap(), made.info);
        here.refresh().await.unwrap();
        assert!(here.find(&sha256).is_none() && here.list().tokens.is_empty() && !here.never_had_any());
        let unknown = here.revoke(&made.info.name, author()).await.unwrap_err();
        assert!(matches!(unknown, TokenBookError::Unknown { .. }), "{unknown}");
        let other = here.create(request("ci", "admin"), author()).await.unwrap();
        assert_ne!(other.token, made.token);
    }

    #[tokio::test]
    async fn tokens_that_allow_nothing_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().to_str().unwrap()).await.unwrap();
        let book = TokenBook::open(&store).await.unwrap();
        let past = TokenRequest { expires_at: Some(Utc::now() - TimeDelta::seconds(1)), ..request("a", "admin") };
        assert!(matches!(book.create(past, author()).await.unwrap_err(), TokenBookError::Past(_)));
        let empty = TokenRequest { scopes: Vec::new(), ..request("a", "admin") };
        assert!(matches!(book.create(empty, author()).await.unwrap_err(), TokenBookError::NoScope));
        let soon = TokenRequest { expires_at: Some(Utc::now() + TimeDelta::hours(1)), ..request("a", "admin") };
        let made = book.create(soon, author()).await.unwrap();
        let record = book.find(&Digest::of(made.token.as_bytes())).unwrap();
        assert!(!record.has_expired(Utc::now()) && record.has_expired(Utc::now() + TimeDelta::hours(1)));
        assert!(record.allows(Permission::Withdraw, Some(&"prod".parse().unwrap())));
    }
}
