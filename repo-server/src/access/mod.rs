//! Who may read and who may change the repository: tokens, kept as hashes in a ledger of the store.

mod token_book;

use std::collections::BTreeSet;

use ledger::Digest;
use repo_api::ChannelName;

pub use token_book::{TokenBook, TokenBookError, TokenRecord};

/// The fewest characters of a token that is not made here.
const SHORTEST: usize = 16;

/// Who may read and who may write.
#[derive(Debug)]
pub struct Access {
    pub(crate) tokens: TokenBook,
    /// The sha256 of a token that may do everything.
    pub(crate) master: Option<Digest>,
    pub(crate) reading: Reading,
}

/// Who may read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reading {
    /// Everybody.
    #[default]
    Open,
    /// Who has a token.
    Tokens,
    /// Who has a token, as far as these channels are concerned; everybody else's.
    TokensFor(BTreeSet<ChannelName>),
}

/// Says why a text is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the token has to be {SHORTEST} or more characters of printable ASCII without spaces")]
pub struct TokenError;

impl Access {
    /// Lets those write whose tokens are in the book; until the first one is made, programs on this machine. Reading is
    /// open.
    #[must_use]
    pub fn new(tokens: TokenBook) -> Self {
        Self { tokens, master: None, reading: Reading::Open }
    }

    /// Lets those do everything who have a token that is in no book.
    ///
    /// # Errors
    /// [`TokenError`] for a token that is too short or can't be sent in an HTTP header.
    pub fn with_master(mut self, token: &str) -> Result<Self, TokenError> {
        if token.len() < SHORTEST || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError);
        }
        self.master = Some(Digest::of(token.as_bytes()));
        Ok(self)
    }

    /// Says who may read.
    #[must_use]
    pub fn with_reading(mut self, reading: Reading) -> Self {
        self.reading = reading;
        self
    }

    /// Tells whether programs on this machine may write without a token.
    #[must_use]
    pub fn trusts_this_machine(&self) -> bool {
        self.master.is_none() && self.tokens.never_had_any()
    }

    /// Tells whether a channel, or the list of all of them, is open to everybody.
    pub(crate) fn is_open(&self, channel: Option<&ChannelName>) -> bool {
        match (&self.reading, channel) {
            (Reading::Open, _) => true,
            (Reading::Tokens, _) => false,
            (Reading::TokensFor(channels), Some(channel)) => !channels.contains(channel),
            (Reading::TokensFor(_), None) => true,
        }
    }
}
