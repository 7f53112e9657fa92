//! Which repomd.xml each client was given last, so that the signature it asks for next is that one's.
//!
//! A client with a plain base URL asks for repomd.xml and then for repomd.xml.asc; where something is published in between,
//! the newest signature is not of the bytes that it holds, and it reports a forgery. Clients with a metalink or a mirror
//! list ask for both at one commit and need none of this.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ledger::Digest;
use repo_api::ChannelName;

/// How long a client may take from the one to the other.
const KEPT: Duration = Duration::from_secs(60);
/// How many clients are remembered before those who have been silent are forgotten.
const MANY: usize = 50_000;

/// What each address was given last of each channel.
#[derive(Debug, Default)]
pub(super) struct Pairs(Mutex<HashMap<IpAddr, Vec<Given>>>);

#[derive(Debug)]
struct Given {
    channel: ChannelName,
    repomd: Digest,
    at: Instant,
}

impl Pairs {
    /// Notes that a client is given a repomd.xml as the newest.
    pub(super) fn note(&self, address: IpAddr, channel: &ChannelName, repomd: Digest, now: Instant) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if clients.len() >= MANY && !clients.contains_key(&address) {
            clients.retain(|_, given| given.iter().any(|given| is_fresh(given, now)));
            // Whoever has so many clients a minute gives them a metalink.
            if clients.len() >= MANY {
                clients.clear();
            }
        }
        let given = clients.entry(address).or_default();
        match given.iter_mut().find(|given| given.channel == *channel) {
            Some(given) => (given.repomd, given.at) = (repomd, now),
            None => given.push(Given { channel: channel.clone(), repomd, at: now }),
        }
    }

    /// Gives the repomd.xml that a client was given last, if that was a moment ago.
    pub(super) fn last(&self, address: IpAddr, channel: &ChannelName, now: Instant) -> Option<Digest> {
        let clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let given = clients.get(&address)?.iter().find(|given| given.channel == *channel)?;
        is_fresh(given, now).then_some(given.repomd)
    }
}

fn is_fresh(given: &Given, now: Instant) -> bool {
    now.saturating_duration_since(given.at) < KEPT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_and_channel_for_a_while() {
        let (pairs, start) = (Pairs::default(), Instant::now());
        let [ana, ben] = ["192.0.2.1", "2001:db8::1"].map(|address| address.parse::<IpAddr>().unwrap());
        let [dev, prod] = ["dev", "prod"].map(|name| name.parse::<ChannelName>().unwrap());
        let [first, second] = [Digest::of(b"1"), Digest::of(b"2")];
        pairs.note(ana, &dev, first, start);
        pairs.note(ben, &dev, second, start);
        assert_eq!(pairs.last(ana, &dev, start), Some(first));
        assert_eq!(pairs.last(ana, &prod, start), None);
        assert_eq!(pairs.last(ben, &dev, start), Some(second));
        pairs.note(ana, &dev, second, start + Duration::from_secs(50));
        assert_eq!(pairs.last(ana, &dev, start + Duration::from_secs(70)), Some(second));
        assert_eq!(pairs.last(ben, &dev, start + Duration::from_secs(70)), None);
    }

    #[test]
    fn the_silent_are_forgotten() {
        let (pairs, start) = (Pairs::default(), Instant::now());
        let dev: ChannelName = "dev".parse().unwrap();
        for number in 0..MANY as u32 {
            pairs.note(IpAddr::from(number.to_be_bytes()), &dev, Digest::of(b"1"), start);
        }
        let one_more: IpAddr = "2001:db8::1".parse().unwrap();
        pairs.note(one_more, &dev, Digest::of(b"2"), start + KEPT);
        assert_eq!(pairs.0.lock().unwrap().len(), 1);
        assert!(pairs.last(one_more, &dev, start + KEPT).is_some());
    }
}
