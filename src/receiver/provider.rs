use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::error::Category;
use thiserror::Error;

use super::EventKey;
use crate::signature::{Verification, VerifyError};

/// A service that deliveries come from: how they prove themselves and what they hold.
///
/// The services of this crate implement it. Another service that signs by a
/// [`Scheme`](crate::signature::Scheme) needs these two functions.
pub trait Provider: Send + Sync + 'static {
    /// What a handler gets.
    type Event: Send;

    /// The service's name, for logs and for the keys of its events.
    fn name(&self) -> &str;

    /// Judges the headers, before any of the body is read.
    ///
    /// # Errors
    ///
    /// The reason, which goes to the log and not to the sender.
    fn authenticate(&self, headers: &HeaderMap) -> Result<Authentication, ProviderError>;

    /// Reads a genuine body: its events, in the order in which they are to be handled.
    ///
    /// # Errors
    ///
    /// When the body isn't what the service documents.
    fn decode(&self, body: &Bytes) -> Result<Vec<Event<Self::Event>>, ProviderError>;
}

/// How far the headers alone prove a delivery.
#[derive(Debug)]
pub enum Authentication {
    /// The body must match a signature.
    Signed(Box<Verification>),
    /// The sender has shown credentials; the name of the pair that matched.
    Credentials(String),
}

/// An event and the key under which it is told from others.
#[derive(Clone)]
#[non_exhaustive]
pub struct Event<T> {
    /// What tells the event from others: from authenticated content only.
    pub key: EventKey,
    /// The event itself.
    pub data: T,
}

impl<T> Event<T> {
    /// An event with its key.
    pub fn new(key: EventKey, data: T) -> Self {
        Self { key, data }
    }
}

impl<T> fmt::Debug for Event<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Why a provider refuses a delivery. No variant holds a byte of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The signature is missing, malformed, wrong or stale.
    #[error("{0}")]
    Signature(#[from] VerifyError),
    /// The credentials are missing, malformed or wrong.
    #[error("{0}")]
    Credentials(String),
    /// The body isn't what the service documents.
    #[error("{0}")]
    Body(String),
}

impl ProviderError {
    /// A body that isn't the JSON it should be; the decoder's own words can quote it.
    pub(crate) fn json(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        Self::Body(match error.classify() {
            Category::Data => {
                format!("the body doesn't fit its type at line {line} column {column}")
            }
            _ => format!("the body is no JSON at line {line} column {column}"),
        })
    }
}
