use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{BoxError, EventKey, Refusal, StoreError};

/// The outcome of a request or an event, as passed to an
/// [observer](super::ReceiverBuilder::observer).
///
/// ```
/// use webhook_sdk::receiver::Observed;
///
/// fn observe(observed: &Observed<'_>) {
///     let took = observed.duration().as_secs_f64();
///     println!("{} {} {took}", observed.source(), observed.label());
/// }
/// ```
///
/// It contains ids and names, never content.
pub struct Observed<'a> {
    pub(super) source: &'a str,
    pub(super) receiver: Option<&'a str>,
    pub(super) what: Observation<'a>,
    pub(super) event: Option<&'a EventKey>,
    pub(super) key_name: Option<&'a str>,
    pub(super) tenant: Option<&'a str>,
    pub(super) duration: Duration,
}

/// The outcome of an event, or a refused request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Observation<'a> {
    /// The handler succeeded and the event is committed.
    Handled,
    /// Like [`Handled`](Self::Handled), and the handler asked to disable the webhook.
    Disabled,
    /// The event was handled before.
    Duplicate,
    /// The event is older than the last one handled in its stream, and is skipped.
    Stale,
    /// The request was refused before a handler ran.
    Refused(&'a Refusal),
    /// The handler requested a retry.
    Retry,
    /// The handler failed.
    Failed(&'a BoxError),
    /// The handler panicked.
    Panicked,
    /// The handler took longer than the lease.
    TimedOut,
    /// Another delivery of the event is being handled.
    Held,
    /// The store failed. If the handler had succeeded, the event will be handled again.
    StoreUnavailable(&'a StoreError),
    /// The request was dropped while the event was being handled.
    ///
    /// The sender may have disconnected.
    Abandoned,
}

impl<'a> Observed<'a> {
    /// The source's name, such as `preo`.
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// The receiver's name, if it has one.
    pub fn receiver(&self) -> Option<&'a str> {
        self.receiver
    }

    /// The outcome.
    pub fn what(&self) -> Observation<'a> {
        self.what
    }

    /// The outcome as a metric label: `handled`, `disabled`, `duplicate`, `stale`, `refused`,
    /// `retry`, `failed`, `panicked`, `timed_out`, `held`, `store_unavailable` or `abandoned`.
    pub fn label(&self) -> &'static str {
        self.what.label()
    }

    /// The event's key; `None` for a refused request.
    pub fn event(&self) -> Option<&'a EventKey> {
        self.event
    }

    /// The name of the key or credentials; `None` for a refused request.
    pub fn key_name(&self) -> Option<&'a str> {
        self.key_name
    }

    /// The tenant whose keys authenticated the event.
    pub fn tenant(&self) -> Option<&'a str> {
        self.tenant
    }

    /// The duration from claim to commit for an event, or from request head to refusal.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    pub(super) fn log(&self) {
        let Self {
            source,
            receiver,
            tenant,
            key_name,
            ..
        } = *self;
        let event = self.event.map(tracing::field::display);
        let outcome = self.label();
        let took = self.duration;
        match self.what {
            Observation::Refused(refusal) => {
                let status = refusal.status().as_u16();
                tracing::warn!(source, receiver, status, reason = %refusal, "delivery refused");
            }
            Observation::Failed(error) => tracing::error!(
                source, receiver, event, key_name, tenant, ?took, reason = %Chain(error.as_ref()),
                "handler failed"
            ),
            Observation::StoreUnavailable(error) => tracing::error!(
                source, receiver, event, key_name, tenant, ?took, reason = %error,
                "store unavailable"
            ),
            Observation::Panicked | Observation::TimedOut => {
                tracing::error!(
                    source,
                    receiver,
                    event,
                    key_name,
                    tenant,
                    ?took,
                    outcome,
                    "handler failed"
                );
            }
            Observation::Retry | Observation::Held | Observation::Abandoned => {
                tracing::warn!(
                    source,
                    receiver,
                    event,
                    key_name,
                    tenant,
                    ?took,
                    outcome,
                    "event not handled"
                );
            }
            Observation::Handled
            | Observation::Disabled
            | Observation::Duplicate
            | Observation::Stale => {
                tracing::debug!(
                    source,
                    receiver,
                    event,
                    key_name,
                    tenant,
                    ?took,
                    outcome,
                    "event handled"
                );
            }
        }
    }
}

impl Observation<'_> {
    fn label(&self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Disabled => "disabled",
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::Refused(_) => "refused",
            Self::Retry => "retry",
            Self::Failed(_) => "failed",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
            Self::Held => "held",
            Self::StoreUnavailable(_) => "store_unavailable",
            Self::Abandoned => "abandoned",
        }
    }
}

impl fmt::Debug for Observed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed")
            .field("source", &self.source)
            .field("label", &self.label())
            .field("event", &self.event)
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

pub(super) type Observer = Arc<dyn Fn(&Observed<'_>) + Send + Sync>;

/// An error and its sources, on one line.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
