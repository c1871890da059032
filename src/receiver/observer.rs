use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use super::proof::Proof;
use super::{BoxError, Claim, EventKey, Refusal, StoreError};
use crate::clock::milliseconds;

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
    pub(super) observation: &'a Observation,
    pub(super) event: Option<(&'a EventKey, &'a Proof)>,
    pub(super) started: Instant,
}

/// The outcome of an event, or a refused request.
#[derive(Debug)]
#[non_exhaustive]
pub enum Observation {
    /// The handler succeeded and the event is committed.
    Handled,
    /// Like [`Handled`](Self::Handled), and the handler asked to disable the webhook.
    Disabled,
    /// The event was handled before.
    Duplicate,
    /// The event is older than the last one handled in its stream, and is skipped.
    Stale,
    /// The request was refused before a handler ran.
    Refused(Refusal),
    /// The handler requested a retry.
    Retry,
    /// The handler failed.
    Failed(BoxError),
    /// The handler panicked.
    Panicked,
    /// The handler took longer than the lease.
    TimedOut,
    /// Another delivery of the event is being handled, or no inbox connection is free.
    Held,
    /// The store failed. If the handler had succeeded, the event will be handled again.
    StoreUnavailable(StoreError),
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

    /// The outcome, or the refusal.
    pub fn observation(&self) -> &'a Observation {
        self.observation
    }

    /// The outcome as a metric label: `handled`, `disabled`, `duplicate`, `stale`, `refused`,
    /// `retry`, `failed`, `panicked`, `timed_out`, `held`, `store_unavailable`, or `abandoned`.
    pub fn label(&self) -> &'static str {
        self.observation.label()
    }

    /// The event's key; `None` for a refused request.
    pub fn event(&self) -> Option<&'a EventKey> {
        self.event.map(|(key, _)| key)
    }

    /// The name of the key or credentials; `None` for a refused request.
    pub fn key_name(&self) -> Option<&'a str> {
        self.event.map(|(_, proof)| proof.key_name())
    }

    /// The tenant whose keys authenticated the event.
    pub fn tenant(&self) -> Option<&'a str> {
        self.event.and_then(|(_, proof)| proof.tenant.as_deref())
    }

    /// The time since the claim began, or since a refused request arrived.
    pub fn duration(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn log(&self) {
        macro_rules! log {
            ($level:ident, $message:literal $(, $field:ident = $value:expr)?) => {
                tracing::$level!(
                    target: "webhook_sdk",
                    source = self.source,
                    receiver = self.receiver,
                    event = self.event().map(display),
                    key_name = self.key_name(),
                    tenant = self.tenant(),
                    outcome = self.label(),
                    elapsed_ms = milliseconds(self.duration()),
                    $($field = $value,)?
                    $message
                )
            };
        }
        match self.observation {
            Observation::Refused(refusal) => tracing::warn!(
                target: "webhook_sdk",
                source = self.source,
                receiver = self.receiver,
                status = refusal.status().as_u16(),
                reason = %refusal,
                "delivery refused"
            ),
            Observation::Failed(error) => {
                log!(error, "handler failed", reason = display(Chain(&**error)));
            }
            Observation::Panicked | Observation::TimedOut => log!(error, "handler failed"),
            Observation::StoreUnavailable(error) => {
                log!(error, "store unavailable", reason = display(error));
            }
            Observation::Retry | Observation::Held | Observation::Abandoned => {
                log!(warn, "event not handled");
            }
            Observation::Handled
            | Observation::Disabled
            | Observation::Duplicate
            | Observation::Stale => log!(debug, "event handled"),
        }
    }
}

impl Observation {
    /// `Ok` if the event was claimed.
    pub(super) fn from_claim(claim: Result<Claim, StoreError>) -> Result<(), Self> {
        match claim {
            Ok(Claim::Granted) => Ok(()),
            Ok(Claim::Committed) => Err(Self::Duplicate),
            Ok(Claim::Stale) => Err(Self::Stale),
            Ok(Claim::Held) => Err(Self::Held),
            Err(error) => Err(Self::StoreUnavailable(error)),
        }
    }

    /// The response status, if the delivery stops at this event.
    pub(super) fn failure_status(&self) -> Option<StatusCode> {
        match self {
            Self::Handled | Self::Disabled | Self::Duplicate | Self::Stale => None,
            Self::Failed(_) | Self::Panicked | Self::TimedOut => {
                Some(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Retry | Self::Held | Self::StoreUnavailable(_) | Self::Abandoned => {
                Some(StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Refused(refusal) => Some(refusal.status()),
        }
    }

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
            .field("event", &self.event())
            .field("duration", &self.duration())
            .finish_non_exhaustive()
    }
}

pub(super) type Observer = Arc<dyn Fn(&Observed<'_>) + Send + Sync>;

/// An error and its sources, on one line. What an error repeats of its source is shown once.
pub(super) struct Chain<'a>(pub(super) &'a (dyn std::error::Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            let text = error.to_string();
            if !last.ends_with(&text) {
                write!(f, ": {text}")?;
                last = text;
            }
            source = error.source();
        }
        Ok(())
    }
}
