//! How often somebody may ask: a bucket of tokens for each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many are remembered before those who have been silent are forgotten.
const MANY: usize = 10_000;

/// Lets each key through so many times at once and so many times a second.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: f64,
    at_once: f64,
    buckets: Mutex<HashMap<String, Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    level: f64,
    at: Instant,
}

impl Rate {
    pub(super) fn new(per_second: u32, at_once: u32) -> Self {
        Self { per_second: per_second.into(), at_once: at_once.max(1).into(), buckets: Mutex::default() }
    }

    /// Lets a key through, or says after how many seconds to come again.
    pub(super) fn pass(&self, key: &str, now: Instant) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MANY {
            buckets.retain(|_, bucket| self.level(bucket, now) < self.at_once);
        }
        if !buckets.contains_key(key) {
            buckets.insert(key.to_owned(), Bucket { level: self.at_once, at: now });
        }
        let Some(bucket) = buckets.get_mut(key) else { return Ok(()) };
        let level = self.level(bucket, now);
        *bucket = Bucket { level, at: now };
        if level >= 1.0 {
            bucket.level -= 1.0;
            return Ok(());
        }
        let seconds = if self.per_second > 0.0 { ((1.0 - level) / self.per_second).ceil() } else { 60.0 };
        // A whole number of seconds, at least one.
        Err(seconds.clamp(1.0, 3600.0) as u64)
    }

    fn level(&self, bucket: &Bucket, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(bucket.at).as_secs_f64() * self.per_second;
        (bucket.level + gained).min(self.at_once)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn so_many_at_once_and_so_many_a_second() {
        let rate = Rate::new(2, 3);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(rate.pass("ci", start), Ok(()));
        }
        assert_eq!(rate.pass("ci", start), Err(1));
        assert_eq!(rate.pass("ana", start), Ok(()), "another one is not held up");
        let later = start + Duration::from_secs(1);
        assert_eq!([rate.pass("ci", later), rate.pass("ci", later), rate.pass("ci", later)], [Ok(()), Ok(()), Err(1)]);
        let slow = Rate::new(0, 1);
        assert_eq!([slow.pass("ci", start), slow.pass("ci", later)], [Ok(()), Err(60)]);
    }

    #[test]
    fn the_silent_are_forgotten() {
        let rate = Rate::new(1, 2);
        let start = Instant::now();
        for number in 0..MANY {
            rate.pass(&number.to_string(), start).unwrap();
        }
        rate.pass("one more", start + Duration::from_secs(10)).unwrap();
        assert_eq!(rate.buckets.lock().unwrap().len(), 1);
    }
}
