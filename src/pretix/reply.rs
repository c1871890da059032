use http::StatusCode;

/// What to answer to a notification, for a handler to return.
///
/// ```
/// use webhook_sdk::pretix::Reply;
///
/// assert_eq!(Reply::done().status(), 204);
/// assert_eq!(Reply::send_again().status(), 503);
/// assert_eq!(Reply::danger_disable_webhook().status(), 410);
/// ```
///
/// A reply can't be made from a status code. So a handler that forwards the status of some other
/// call, such as the 410 of a deleted object, can't switch the webhook off by accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "pretix learns of it only if it is sent"]
pub struct Reply(pub(super) Kind);

impl Reply {
    /// The notification is dealt with, or not of interest: 204.
    pub const fn done() -> Self {
        Self(Kind::Done)
    }

    /// The notification can't be dealt with now: 503, and pretix sends it again.
    ///
    /// After 5, 30 and 60 seconds, 5 and 20 minutes, 1, 4, 6, 12, 12 and 24 hours, about; then
    /// never again. A self-hosted pretix without a task queue may do less. Source: pretix 2026.8.0.
    pub const fn send_again() -> Self {
        Self(Kind::SendAgain)
    }

    /// Switches the webhook off at pretix: 410, and **no further notification** of any kind comes
    /// from it.
    ///
    /// pretix sets `enabled` to false at once, as after a `DELETE`, and tells nobody. What happens
    /// from then on is lost, until somebody sets `enabled` again through the API or the web
    /// interface. Say it only when this receiver is to be shut down for good.
    pub const fn danger_disable_webhook() -> Self {
        Self(Kind::DisableWebhook)
    }

    /// The status code to answer with.
    ///
    /// pretix ignores headers and body, but keeps the first MiB of the body in a log that the
    /// organizer's staff can read. Source: pretix 2026.8.0.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self.0 {
            Kind::Done => StatusCode::NO_CONTENT,
            Kind::SendAgain => StatusCode::SERVICE_UNAVAILABLE,
            Kind::DisableWebhook => StatusCode::GONE,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Done,
    SendAgain,
    DisableWebhook,
}
