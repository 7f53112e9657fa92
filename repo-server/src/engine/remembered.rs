//! What was read of the store and never changes, kept in memory up to a weight.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Values that are kept by their keys until they weigh too much together.
pub(super) struct Remembered<K, V> {
    limit: usize,
    kept: Mutex<Kept<K, V>>,
}

struct Kept<K, V> {
    weight: usize,
    values: HashMap<K, Arc<V>>,
}

impl<K: Eq + Hash, V> Remembered<K, V> {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, kept: Mutex::new(Kept { weight: 0, values: HashMap::new() }) }
    }

    pub(super) fn get(&self, key: &K) -> Option<Arc<V>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).values.get(key).cloned()
    }

    /// Keeps a value, unless it alone weighs too much.
    pub(super) fn keep(&self, key: K, value: V, weight: usize) -> Arc<V> {
        let value = Arc::new(value);
        if weight > self.limit {
            return value;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.weight + weight > self.limit {
            // What is in use comes back soon; a finer order would cost more than it saves.
            kept.values.clear();
            kept.weight = 0;
        }
        if kept.values.insert(key, Arc::clone(&value)).is_none() {
            kept.weight += weight;
        }
        value
    }
}

impl<K, V> fmt::Debug for Remembered<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Remembered").field("limit", &self.limit).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within_its_limit() {
        let remembered = Remembered::new(100);
        for number in 0..10 {
            assert_eq!(*remembered.keep(number, number, 30), number);
            assert_eq!(remembered.get(&number).as_deref(), Some(&number));
            let kept = remembered.kept.lock().unwrap();
            assert!(kept.weight <= 100 && kept.weight == kept.values.len() * 30);
        }
        assert_eq!(*remembered.keep(11, 11, 101), 11);
        assert_eq!(remembered.get(&11), None);
    }
}
