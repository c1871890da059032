use std::fmt;
use std::marker::PhantomData;

use http::{Response, StatusCode};

use super::response::respond;

/// A handler's error. The `?` operator converts any error type and strings into it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The response to a delivery after its handler has run.
///
/// With the feature `axum`, it implements `IntoResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the sender learns of it only if it is sent"]
pub struct Outcome(pub(super) StatusCode);

impl Outcome {
    /// The status: 204, 410, 500, or 503.
    pub fn status(self) -> StatusCode {
        self.0
    }

    /// Whether all events were handled: the status is 204 or 410.
    pub fn is_success(self) -> bool {
        matches!(self.0, StatusCode::NO_CONTENT | StatusCode::GONE)
    }

    /// The complete response, with an empty body.
    pub fn response<B: Default>(self) -> Response<B> {
        respond(self.0)
    }
}

/// A handler's decision about an event, if it is more than `Ok(())`.
///
/// ```
/// use webhook_sdk::receiver::{Ack, BoxError, Event};
/// # use webhook_sdk::receiver::Source;
///
/// async fn handle_event<S: Source>(event: Event<S::Event>) -> Result<Ack<S>, BoxError> {
///     # let database_is_locked = true;
///     if database_is_locked {
///         return Ok(Ack::retry());
///     }
///     Ok(Ack::done())
/// }
/// ```
#[must_use = "a handler has to return it"]
pub struct Ack<S: ?Sized> {
    pub(super) kind: AckKind,
    source: PhantomData<fn(&S)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AckKind {
    Done,
    Retry,
    Disable,
}

impl<S: ?Sized> Ack<S> {
    /// The event was handled: responds with 204, and won't handle the event again.
    pub const fn done() -> Self {
        Self::new(AckKind::Done)
    }

    /// The event can't be handled now: responds with 503 and `Retry-After`, so that the service
    /// redelivers it.
    pub const fn retry() -> Self {
        Self::new(AckKind::Retry)
    }

    pub(crate) const fn new(kind: AckKind) -> Self {
        Self {
            kind,
            source: PhantomData,
        }
    }
}

impl<S: ?Sized> Clone for Ack<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: ?Sized> Copy for Ack<S> {}

impl<S: ?Sized> PartialEq for Ack<S> {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl<S: ?Sized> Eq for Ack<S> {}

impl<S: ?Sized> fmt::Debug for Ack<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ack").field(&self.kind).finish()
    }
}

/// What a handler may return: `()`, an [`Ack`], or a `Result` of either with a [`BoxError`].
///
/// The error type is fixed, so that closures can infer it: `async |event| { store(event).await?;
/// Ok(()) }`. To call a function with another error type, write `async |event|
/// Ok(store(event).await?)`.
#[diagnostic::on_unimplemented(
    message = "a webhook handler can't return `{Self}`",
    label = "returns `{Self}`",
    note = "a handler returns `()`, `Ack`, `Result<(), BoxError>`, or `Result<Ack, BoxError>`",
    note = "for a function with another error type, write `async |event| Ok(function(event).await?)`"
)]
pub trait IntoAck<S: ?Sized> {
    /// Converts into the decision, or into the error that makes the service redeliver.
    ///
    /// # Errors
    ///
    /// Returns the handler's error.
    fn into_ack(self) -> Result<Ack<S>, BoxError>;
}

impl<S: ?Sized> IntoAck<S> for () {
    fn into_ack(self) -> Result<Ack<S>, BoxError> {
        Ok(Ack::done())
    }
}

impl<S: ?Sized> IntoAck<S> for Ack<S> {
    fn into_ack(self) -> Result<Ack<S>, BoxError> {
        Ok(self)
    }
}

impl<S: ?Sized, T: IntoAck<S>> IntoAck<S> for Result<T, BoxError> {
    fn into_ack(self) -> Result<Ack<S>, BoxError> {
        self.and_then(T::into_ack)
    }
}
