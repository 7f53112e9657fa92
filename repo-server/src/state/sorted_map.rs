//! A sorted map whose next version shares all but a few entries with the one before.

use std::borrow::Borrow;
use std::fmt;
use std::ops::{Index, RangeToInclusive};
use std::sync::Arc;

/// How many entries a chunk has at most: what a change copies.
const CHUNK: usize = 256;

/// What stands in a [`SortedMap`]: it knows its own key.
pub trait Keyed: Clone {
    /// By what it is found and sorted.
    type Key: Ord;

    /// Its key.
    fn key(&self) -> &Self::Key;
}

/// Entries sorted by their keys, in shared chunks: cloning costs nothing, and a change copies one chunk of them.
#[derive(Clone)]
pub struct SortedMap<V> {
    /// Never empty ones; sorted.
    chunks: Arc<Vec<Arc<Vec<V>>>>,
    length: usize,
}

impl<V> Default for SortedMap<V> {
    fn default() -> Self {
        Self { chunks: Arc::default(), length: 0 }
    }
}

impl<V: Keyed> SortedMap<V> {
    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The entry of a key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        V::Key: Borrow<Q>,
    {
        let chunk = self.chunks.get(self.chunk_of(key))?;
        chunk.binary_search_by(|entry| entry.key().borrow().cmp(key)).ok().map(|at| &chunk[at])
    }

    /// Whether there is an entry of a key.
    #[must_use]
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        V::Key: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// All entries in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// All keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &V::Key> {
        self.values().map(Keyed::key)
    }

    /// The entry of the greatest key.
    #[must_use]
    pub fn last(&self) -> Option<&V> {
        self.chunks.last().and_then(|chunk| chunk.last())
    }

    /// The entry of the greatest key that is not above the bound.
    #[must_use]
    pub fn last_in(&self, bound: RangeToInclusive<V::Key>) -> Option<&V> {
        let chunk = self.chunks.get(self.chunk_of(&bound.end))?;
        let after = chunk.partition_point(|entry| *entry.key() <= bound.end);
        after.checked_sub(1).map(|at| &chunk[at])
    }

    /// Puts an entry in its place, and gives the one that was there.
    pub fn insert(&mut self, entry: V) -> Option<V> {
        let index = self.chunk_of(entry.key());
        let chunks = Arc::make_mut(&mut self.chunks);
        let Some(chunk) = chunks.get_mut(index) else {
            chunks.push(Arc::new(vec![entry]));
            self.length += 1;
            return None;
        };
        let chunk = Arc::make_mut(chunk);
        match chunk.binary_search_by(|other| other.key().cmp(entry.key())) {
            Ok(at) => Some(std::mem::replace(&mut chunk[at], entry)),
            Err(at) => {
                chunk.insert(at, entry);
                self.length += 1;
                if chunk.len() > CHUNK {
                    // What comes in order fills its chunks; what comes in any order halves them.
                    let half = if at + 1 == chunk.len() { CHUNK } else { CHUNK / 2 };
                    let rest = chunk.split_off(half);
                    chunks.insert(index + 1, Arc::new(rest));
                }
                None
            }
        }
    }

    /// Takes the entry of a key out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        V::Key: Borrow<Q>,
    {
        let index = self.chunk_of(key);
        let at = self.chunks.get(index)?.binary_search_by(|entry| entry.key().borrow().cmp(key)).ok()?;
        let chunks = Arc::make_mut(&mut self.chunks);
        let chunk = Arc::make_mut(&mut chunks[index]);
        let removed = chunk.remove(at);
        if chunk.is_empty() {
            chunks.remove(index);
        }
        self.length -= 1;
        Some(removed)
    }

    /// The entries of this version that the other has not or has otherwise, in the order of their keys. Chunks that both
    /// share are not looked at.
    pub(crate) fn not_in<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a V>
    where
        V: PartialEq,
    {
        let shared = |chunk: &Arc<Vec<V>>| {
            let first = chunk.first().map(Keyed::key);
            let twin = first.and_then(|first| other.chunks.get(other.chunk_of(first)));
            twin.is_some_and(|twin| Arc::ptr_eq(twin, chunk))
        };
        let chunks = self.chunks.iter().filter(move |chunk| !shared(chunk));
        chunks.flat_map(|chunk| chunk.iter()).filter(|entry| other.get(entry.key()) != Some(entry))
    }

    /// The index of the chunk in which a key stands or would stand: the last that does not begin after it.
    fn chunk_of<Q: Ord + ?Sized>(&self, key: &Q) -> usize
    where
        V::Key: Borrow<Q>,
    {
        let after = self.chunks.partition_point(|chunk| chunk.first().is_some_and(|first| first.key().borrow() <= key));
        after.saturating_sub(1)
    }
}

impl<V: Keyed, Q: Ord + ?Sized> Index<&Q> for SortedMap<V>
where
    V::Key: Borrow<Q>,
{
    type Output = V;

    /// # Panics
    /// Where there is no entry of the key.
    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("the key has an entry")
    }
}

impl<V: Keyed> FromIterator<V> for SortedMap<V> {
    fn from_iter<I: IntoIterator<Item = V>>(entries: I) -> Self {
        let mut map = Self::default();
        for entry in entries {
            map.insert(entry);
        }
        map
    }
}

impl<V: Keyed + PartialEq> PartialEq for SortedMap<V> {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length && self.values().eq(other.values())
    }
}

impl<V: Keyed + Eq> Eq for SortedMap<V> {}

impl<V: Keyed + fmt::Debug> fmt::Debug for SortedMap<V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.values()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    impl Keyed for (u32, u32) {
        type Key = u32;

        fn key(&self) -> &u32 {
            &self.0
        }
    }

    #[test]
    fn behaves_as_the_standard_map() {
        let mut random = StdRng::seed_from_u64(1);
        let (mut map, mut model) = (SortedMap::default(), BTreeMap::new());
        for step in 0..20_000_u32 {
            let key = random.gen_range(0..3000);
            let before = map.clone();
            if random.gen_bool(0.6) {
                assert_eq!(map.insert((key, step)), model.insert(key, step).map(|value| (key, value)));
                assert_eq!(map.not_in(&before).copied().collect::<Vec<_>>(), [(key, step)]);
            } else {
                let removed = model.remove(&key).map(|value| (key, value));
                assert_eq!(map.remove(&key), removed);
                assert_eq!(before.not_in(&map).copied().next(), removed);
            }
            assert_eq!((map.len(), map.get(&key).copied()), (model.len(), model.get(&key).map(|value| (key, *value))));
            let bound = random.gen_range(0..3000);
            let expected = model.range(..=bound).next_back().map(|(key, value)| (*key, *value));
            assert_eq!(map.last_in(..=bound).copied(), expected);
        }
        assert!(map.values().copied().eq(model.into_iter()));
        assert!(map.keys().is_sorted() && map.last().map(Keyed::key) == map.keys().next_back());
    }

    #[test]
    fn entries_in_order_fill_their_chunks() {
        let map: SortedMap<(u32, u32)> = (0..10_000).map(|key| (key, key)).collect();
        assert_eq!(map.chunks.len(), 10_000_usize.div_ceil(CHUNK));
        assert!(map.get(&10_000).is_none());
    }
}
