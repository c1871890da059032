use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::testing::drf;

/// A delivery in the state of a [`PreoFake`](super::PreoFake), at one moment.
///
/// `Debug` shows neither the payload nor the signature.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PreoFakeDelivery {
    /// Such as `delivery-000001`, counted in the order of creation.
    pub id: String,
    /// The endpoint that it goes to.
    pub endpoint_id: String,
    /// The event.
    pub event: String,
    /// The body that is sent, byte for byte.
    pub payload: String,
    /// Lower-case hex of the payload's HMAC-SHA256; empty if the endpoint has no secret.
    pub signature: String,
    /// How far it has got.
    pub status: PreoFakeDeliveryStatus,
    /// How many attempts have ended.
    pub attempts: u32,
    /// What the receiver answered last; `None` if nothing.
    pub response_status_code: Option<u16>,
    /// When the last attempt ended.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// When the next attempt is due, if one is.
    pub next_retry_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created: DateTime<Utc>,
}

impl PreoFakeDelivery {
    /// As a list shows it.
    pub(super) fn view(&self) -> DeliveryView<'_> {
        DeliveryView {
            id: &self.id,
            status: self.status,
            event: &self.event,
            attempts: self.attempts,
            response_status_code: self.response_status_code,
            last_attempt_at: self.last_attempt_at.map(drf::timestamp),
            next_retry_at: self.next_retry_at.map(drf::timestamp),
            created: drf::timestamp(self.created),
        }
    }

    /// As it is shown alone.
    pub(super) fn detail(&self) -> DeliveryDetail<'_> {
        DeliveryDetail {
            delivery: self.view(),
            endpoint_id: &self.endpoint_id,
            payload: &self.payload,
            signature: &self.signature,
        }
    }
}

impl fmt::Debug for PreoFakeDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreoFakeDelivery")
            .field("id", &self.id)
            .field("endpoint_id", &self.endpoint_id)
            .field("event", &self.event)
            .field("status", &self.status)
            .field("attempts", &self.attempts)
            .field("response_status_code", &self.response_status_code)
            .finish_non_exhaustive()
    }
}

/// How far a delivery has got: the published names, with meanings of the fake's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PreoFakeDeliveryStatus {
    /// Its first attempt has not ended.
    Pending,
    /// A receiver answered 2xx.
    Success,
    /// The last attempt failed, and another is due.
    Failed,
    /// An attempt after the first is under way.
    Retrying,
    /// The last attempt failed, and no other is due.
    Exhausted,
}

impl PreoFakeDeliveryStatus {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Retrying => "retrying",
            Self::Exhausted => "exhausted",
        }
    }
}

#[derive(Serialize)]
pub(super) struct DeliveryView<'a> {
    id: &'a str,
    status: PreoFakeDeliveryStatus,
    event: &'a str,
    attempts: u32,
    response_status_code: Option<u16>,
    last_attempt_at: Option<String>,
    next_retry_at: Option<String>,
    created: String,
}

#[derive(Serialize)]
pub(super) struct DeliveryDetail<'a> {
    #[serde(flatten)]
    delivery: DeliveryView<'a>,
    endpoint_id: &'a str,
    payload: &'a str,
    signature: &'a str,
}
