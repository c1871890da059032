use std::collections::{BTreeMap, HashMap};

/// Rows in the order of their insertion, with look-up by id.
pub(crate) struct Table<T> {
    rows: BTreeMap<u64, T>,
    places: HashMap<String, u64>,
    next: u64,
}

impl<T> Table<T> {
    pub(crate) fn new() -> Self {
        Self {
            rows: BTreeMap::new(),
            places: HashMap::new(),
            next: 0,
        }
    }

    /// Adds a row at the end; a row of the same id gives way to it.
    pub(crate) fn insert(&mut self, id: String, row: T) -> &mut T {
        self.remove(&id);
        let place = self.next;
        self.next += 1;
        self.places.insert(id, place);
        self.rows.entry(place).or_insert(row)
    }

    pub(crate) fn find(&self, id: &str) -> Option<&T> {
        self.rows.get(self.places.get(id)?)
    }

    pub(crate) fn find_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(self.places.get(id)?)
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let place = self.places.remove(id)?;
        self.rows.remove(&place)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}
