use std::hash::RandomState;
use std::mem;

use hashbrown::HashTable;

use super::Page;
use crate::error::{Error, ErrorKind};

/// A healthy server doesn't even send two; our limit.
const MAX_EMPTY_PAGES: u32 = 100;

/// The minimum number of items among which a repeated one is recognized; our default.
const MIN_REMEMBERED: usize = 5_000;

/// Detects a list that changed while it was read.
#[derive(Default)]
pub(super) struct Changes {
    state: RandomState,
    /// Hashes of the ids of the last items read.
    recent: HashTable<u64>,
    /// Those of the items before them.
    earlier: HashTable<u64>,
    /// The hash of the item at the last power of two. It is read again in a cycle of any length, as
    /// in Brent's algorithm.
    marked: Option<u64>,
    /// The count reported by the first page, and the highest so far.
    counts: Option<(u64, u64)>,
    page_size: u64,
    read: u64,
    repeated: u64,
    empty: u32,
}

impl Changes {
    /// The highest reported count.
    pub(super) fn count(&self) -> u64 {
        self.counts.map_or(0, |(_, highest)| highest)
    }

    /// The number of pages for the reported count.
    pub(super) fn announced_pages(&self) -> u64 {
        match self.page_size {
            0 => 0,
            size => self.count().div_ceil(size),
        }
    }

    /// Removes items that were already read, and rejects a page that contradicts earlier ones.
    ///
    /// `known` is the count when the page was requested. Responses can arrive out of order, so a
    /// count can only be compared with one known before the request.
    pub(super) fn observe<T>(
        &mut self,
        number: u64,
        known: u64,
        page: &mut Page<T>,
        id: fn(&T, &RandomState) -> u64,
    ) -> Result<(), Error> {
        if page.count < known {
            let count = page.count;
            return Err(changed(format!(
                "the list shrank from {known} to {count} items before page {number}"
            )));
        }
        let (first, highest) = self.counts.unwrap_or((page.count, page.count));
        let highest = highest.max(page.count);
        self.counts = Some((first, highest));

        let length = page.items.len() as u64;
        self.page_size = self.page_size.max(length);
        page.items
            .retain(|item| self.remember(id(item, &self.state)));
        let new = page.items.len() as u64;
        self.repeated += length - new;
        if self.repeated > highest - first {
            return Err(changed(format!("page {number} repeats items")));
        }

        self.empty = if new == 0 { self.empty + 1 } else { 0 };
        if self.empty == MAX_EMPTY_PAGES && page.has_next {
            return Err(Error::new(
                ErrorKind::EndlessList,
                format!("{MAX_EMPTY_PAGES} pages up to page {number} have no new items"),
            ));
        }
        Ok(())
    }

    /// Returns whether the id is new.
    fn remember(&mut self, id: u64) -> bool {
        let is_in = |ids: &HashTable<u64>| ids.find(id, |known| *known == id).is_some();
        if self.marked == Some(id) || is_in(&self.recent) || is_in(&self.earlier) {
            return false;
        }
        if self.recent.len() == MIN_REMEMBERED {
            self.earlier = mem::take(&mut self.recent);
        }
        self.recent.insert_unique(id, id, |known| *known);
        self.read += 1;
        if self.read.is_power_of_two() {
            self.marked = Some(id);
        }
        true
    }

    /// Rejects the end of a list that grew, if fewer items were read than there were at first.
    ///
    /// This happens if the server handles the request for a page before that for the previous page.
    pub(super) fn finish(&self, start: u64) -> Result<(), Error> {
        let skipped = (start.saturating_sub(1)).saturating_mul(self.page_size);
        match self.counts {
            Some((first, highest))
                if highest > first && self.read.saturating_add(skipped) < first =>
            {
                let read = self.read;
                Err(changed(format!("the list ended after {read} items")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn page_vanished(number: u64) -> Error {
        changed(format!("page {number} no longer exists"))
    }
}

fn changed(what: String) -> Error {
    let advice = "items may have been skipped because the list changed while it was read; \
                  collect the items before you change any";
    Error::new(ErrorKind::ListChanged, format!("{what}: {advice}"))
}
