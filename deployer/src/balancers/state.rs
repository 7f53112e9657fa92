//! How a balancer sees a server, in words that all kinds of balancers share.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a balancer sees one of its servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerState {
    /// The status in the balancer's own words: `UP`, `MAINT`, `Init Drn Ok`, `unused` …
    pub status: String,
    /// What the balancer was told to do with it.
    pub rotation: Rotation,
    /// Whether the balancer sends requests there.
    pub serving: bool,
    /// Requests or connections that are there or wait to go there; `None` where this kind of balancer can't count.
    pub connections: Option<u64>,
    /// What went there so far; `None` where this kind of balancer does not tell.
    pub counters: Option<Counters>,
}

/// What a server was told to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Gets requests, if it is well.
    In,
    /// Gets nothing new, as far as the balancer can; what is there may end.
    Draining,
    /// Gets nothing.
    Out,
}

/// What a balancer counted of a server since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests that it sent there.
    pub requests: u64,
    /// Those that failed: no connection, no whole answer, a status of 500 and above.
    pub errors: u64,
}

impl ServerState {
    /// Whether nothing new goes there and nothing is left there, as far as the balancer knows.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        match self.connections {
            Some(connections) => self.rotation != Rotation::In && connections == 0,
            None => self.rotation == Rotation::Out,
        }
    }
}

impl ServerState {
    /// Whether the balancer takes it for dead and nothing is there: HAProxy says `DOWN` of a drained server, too, once
    /// its check fails.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.serving && self.connections == Some(0)
    }
}

impl fmt::Display for ServerState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.status)
    }
}

impl Rotation {
    /// The word for it, as scripts and commands are given it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Draining => "draining",
            Self::Out => "out",
        }
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Counters {
    /// What was counted since an earlier look; everything, where the balancer began anew in between.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        if self.requests < earlier.requests || self.errors < earlier.errors {
            return self;
        }
        Self { requests: self.requests - earlier.requests, errors: self.errors - earlier.errors }
    }

    /// Which share of the requests failed, in percent; nothing where there were none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "it is for people to read")]
    pub fn error_rate(self) -> Option<f64> {
        (self.requests > 0).then(|| self.errors as f64 * 100.0 / self.requests as f64)
    }

    /// Whether a greater share of the requests failed than of others.
    #[must_use]
    pub fn fails_more_than(self, others: Self) -> bool {
        let (own, other) = (u128::from(self.errors), u128::from(others.errors));
        let requests = |counters: Self| u128::from(counters.requests.max(counters.errors).max(1));
        own * requests(others) > other * requests(self)
    }
}

impl std::iter::Sum for Counters {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            requests: sum.requests + one.requests,
            errors: sum.errors + one.errors,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greater_share_of_errors_is_more() {
        let counters = |errors, requests| Counters { requests, errors };
        for (own, others, expected) in [
            (counters(0, 0), counters(0, 0), false),
            (counters(0, 100), counters(5, 100), false),
            (counters(1, 100), counters(0, 100), true),
            (counters(1, 100), counters(1, 100), false),
            (counters(2, 100), counters(10, 1000), true),
            (counters(1, 0), counters(0, 0), true),
        ] {
            assert_eq!(own.fails_more_than(others), expected, "{own:?} {others:?}");
        }
        assert_eq!(counters(3, 10).since(counters(1, 4)), counters(2, 6));
        assert_eq!(counters(0, 2).since(counters(1, 4)), counters(0, 2));
    }
}
