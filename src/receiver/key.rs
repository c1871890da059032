use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use memchr::memchr3;
use sha2::{Digest, Sha256};

/// An event's deduplication key.
///
/// ```
/// use webhook_sdk::receiver::EventKey;
///
/// let key = EventKey::new(["shop", "preo", "acme", ""], &["event-1"]);
/// assert_eq!(key.as_str(), "shop:preo:acme::id:event-1");
/// ```
///
/// It consists of the receiver's name, the source's name, the tenant, the owner of the signing key
/// if there is one, and the event's id. The parts are escaped, so different parts never produce the
/// same key. It doesn't include the name of the signing key: after a rotation, a redelivered event
/// is still a duplicate.
///
/// `Display` shows the key with control characters escaped. `Debug` shows a fingerprint of it.
#[derive(Clone)]
pub struct EventKey {
    text: Arc<str>,
    position: Option<Arc<Position>>,
}

impl EventKey {
    fn from_text(text: String) -> Self {
        Self {
            text: text.into(),
            position: None,
        }
    }

    /// Creates a key from a scope (receiver, source, tenant, key owner) and an id.
    ///
    /// Use it to test a [`DedupStore`](super::DedupStore). A source calls
    /// [`Authenticated::event_key`](super::Authenticated::event_key) instead.
    pub fn new(scope: [&str; 4], id: &[&str]) -> Self {
        Scope(scope).key(id)
    }

    /// The key's text, at most 647 bytes.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The event's position in its stream, if the source skips stale events.
    ///
    /// A store that [supports positions](super::DedupStore::supports_positions) refuses a claim on
    /// an event whose sequence is lower than the last one committed in its stream.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_deref()
    }

    /// Sets the event's position in a stream of its scope, such as an account's events.
    ///
    /// A sequence of more than 128 bytes is ignored, which bounds what a store keeps. This is our
    /// default.
    #[must_use]
    pub fn with_position(mut self, stream: &str, sequence: &str) -> Self {
        if sequence.len() > MAX_PART {
            return self;
        }
        let mut key = self.text.splitn(SCOPE_PARTS + 1, ':');
        let scope: Vec<_> = key.by_ref().take(SCOPE_PARTS).collect();
        let mut text = scope.join(":");
        text.push_str(":stream");
        push_bounded(&mut text, &[stream]);
        self.position = Some(Arc::new(Position {
            stream: text,
            sequence: sequence.to_owned(),
        }));
        self
    }
}

impl PartialEq for EventKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for EventKey {}

impl Hash for EventKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.escape_debug().fmt(f)
    }
}

impl fmt::Debug for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = Sha256::digest(self.text.as_bytes());
        write!(f, "EventKey({})", HEXLOWER.encode(&digest[..6]))
    }
}

/// An event's position in an ordered stream, such as the events of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Position {
    stream: String,
    sequence: String,
}

impl Position {
    /// The key of the stream. A store uses it to keep the last sequence.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// The sequence, compared byte by byte.
    pub fn sequence(&self) -> &str {
        &self.sequence
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Position").finish_non_exhaustive()
    }
}

/// What the keys of one sender have in common: the receiver's name, the source's name, the tenant,
/// and the owner of the signing key.
pub(super) struct Scope<'a>(pub(super) [&'a str; SCOPE_PARTS]);

impl Scope<'_> {
    pub(super) fn key(&self, id: &[&str]) -> EventKey {
        let mut text = self.text("id");
        push_bounded(&mut text, id);
        EventKey::from_text(text)
    }

    pub(super) fn digest(&self, bytes: &[u8]) -> EventKey {
        let mut text = self.text("sha256");
        text.push(':');
        digest(&mut text, "", bytes);
        EventKey::from_text(text)
    }

    fn text(&self, kind: &str) -> String {
        let mut text = String::with_capacity(128);
        for part in self.0 {
            let start = text.len();
            escape(&mut text, part);
            digest_if_long(&mut text, start);
            text.push(':');
        }
        text + kind
    }
}

/// Receiver, source, tenant, and owner.
const SCOPE_PARTS: usize = 4;

/// In bytes after escaping, far above any id that the services use. It bounds the size of a key.
const MAX_PART: usize = 128;

/// Appends each part, or a digest of all parts if they are long.
fn push_bounded(text: &mut String, parts: &[&str]) {
    let start = text.len();
    for part in parts {
        text.push(':');
        escape(text, part);
    }
    digest_if_long(text, start + 1);
}

fn digest_if_long(text: &mut String, start: usize) {
    if text.len().saturating_sub(start) > MAX_PART {
        let escaped = text.split_off(start);
        digest(text, "~", escaped.as_bytes());
    }
}

/// Escapes separators, escape characters, and digest markers.
fn escape(text: &mut String, part: &str) {
    let mut rest = part;
    while let Some(at) = memchr3(b':', b'%', b'~', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        let _ = write!(text, "%{:02X}", rest.as_bytes()[at]);
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
}

fn digest(text: &mut String, mark: &str, bytes: &[u8]) {
    text.push_str(mark);
    HEXLOWER.encode_append(&Sha256::digest(bytes), text);
}
