//! `Debug` for types with customer data.

use std::fmt;

/// Shows the names of the fields that are set, but not their content.
pub(super) struct SetFields<'a>(pub(super) &'a [(&'static str, bool)]);

impl fmt::Debug for SetFields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.0.iter().filter(|(_, is_set)| *is_set);
        f.debug_list().entries(set.map(|(name, _)| name)).finish()
    }
}
