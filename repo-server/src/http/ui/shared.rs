//! Pages that many follow: each is made once for all who ask for it within a moment.
//!
//! Whoever follows a deployment asks for its page a quarter of a second after an entry was written, and so does everybody else
//! who follows it. A page that was made later than the entry shows it, so those who say that they take what is no older than a
//! moment (`Cache-Control: max-age=1`, RFC 9111, section 5.2.1.1) need not have one made for themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use ledger::Digest;

/// How old a page may be: less than followers wait after an entry (`live.js`).
const OLDEST: Duration = Duration::from_millis(200);
/// From how many pages on those are let go that nobody asked for lately.
const MANY: usize = 64;

/// The pages that were made a moment ago.
#[derive(Debug, Default)]
pub(in super::super) struct SharedPages {
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

type Slot = tokio::sync::Mutex<Option<Made>>;

#[derive(Debug, Clone)]
pub(super) struct Made {
    at: Instant,
    pub(super) digest: Digest,
    pub(super) html: Bytes,
}

impl SharedPages {
    /// Gives the page of a key, made a moment ago or now. The key says all that the page depends on but time.
    pub(super) async fn page<E>(&self, key: String, make: impl Future<Output = Result<String, E>>) -> Result<Made, E> {
        let (slot, asked) = (self.slot(key), Instant::now());
        let mut made = slot.lock().await;
        // Who waited for it while it was being made takes it, however long that took.
        let is_fresh = |made: &&Made| made.at >= asked || made.at.elapsed() < OLDEST;
        if let Some(made) = made.as_ref().filter(is_fresh) {
            return Ok(made.clone());
        }
        // What is written while it is made may be missing in it.
        let at = Instant::now();
        let html = Bytes::from(make.await?);
        let page = Made { at, digest: Digest::of(&html), html };
        *made = Some(page.clone());
        Ok(page)
    }

    fn slot(&self, key: String) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MANY {
            slots.retain(|_, slot| {
                let in_use = |made: &Option<Made>| made.as_ref().is_some_and(|made| made.at.elapsed() < OLDEST);
                slot.try_lock().map_or(true, |made| in_use(&made))
            });
        }
        Arc::clone(slots.entry(key).or_default())
    }
}

/// Whether the asker takes a page that was made a moment ago.
pub(super) fn is_shared(headers: &HeaderMap) -> bool {
    let said = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut words = said.flat_map(|value| value.split(',')).map(str::trim);
    words.any(|word| word.strip_prefix("max-age=").and_then(|age| age.parse::<u64>().ok()).is_some_and(|age| age >= 1))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn made_once_for_all_who_ask_in_a_moment() {
        let (pages, count) = (SharedPages::default(), AtomicUsize::new(0));
        let ask = |key: &str| {
            pages.page(key.to_owned(), async {
                let number = count.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                if number == 3 { Err("fails") } else { Ok(format!("page {number}")) }
            })
        };
        let all = futures::future::join_all((0..50).map(|_| ask("a"))).await;
        assert!(all.iter().all(|made| made.as_ref().unwrap().html == "page 0"));
        assert_eq!(ask("b").await.unwrap().html, "page 1");
        std::thread::sleep(OLDEST);
        assert_eq!(ask("a").await.unwrap().html, "page 2");
        assert_eq!(ask("c").await.unwrap_err(), "fails");
        assert_eq!(ask("c").await.unwrap().html, "page 4");
        std::thread::sleep(OLDEST);
        for number in 0..200 {
            ask(&number.to_string()).await.unwrap();
        }
        std::thread::sleep(OLDEST);
        ask("d").await.unwrap();
        assert_eq!(pages.slots.lock().unwrap().len(), 1);
    }

    #[test]
    fn who_takes_it() {
        let takes = |value: &'static str| is_shared(&HeaderMap::from_iter([(CACHE_CONTROL, value.parse().unwrap())]));
        assert!(takes("max-age=1") && takes("no-transform, max-age=60"));
        assert!(!takes("max-age=0") && !takes("no-cache") && !takes("max-age=x") && !is_shared(&HeaderMap::new()));
    }
}
