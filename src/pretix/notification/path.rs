use std::fmt::Write;

use percent_encoding::utf8_percent_encode;

use crate::percent::RESERVED;

/// The path of an organizer's object, such as `["customers", "Y9WUVZX"]`.
pub(super) fn of_organizer(organizer: &str, segments: &[&str]) -> Option<String> {
    let mut path = String::from("/api/v1/organizers");
    for segment in [organizer].iter().chain(segments) {
        // Percent-encoding doesn't protect dot segments: a URL parser treats even `%2E%2E` as a
        // parent segment.
        if matches!(*segment, "" | "." | "..") {
            return None;
        }
        write!(path, "/{}", utf8_percent_encode(segment, RESERVED)).ok()?;
    }
    path.push('/');
    Some(path)
}

/// The path of an event's object, such as `["orders", "XUBZQ"]`.
pub(super) fn of_event(organizer: &str, event: &str, segments: &[&str]) -> Option<String> {
    of_organizer(organizer, &[&["events", event], segments].concat())
}
