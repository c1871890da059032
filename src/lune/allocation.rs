use serde::Deserialize;

use super::{Decimal, Timestamp};
use crate::open_enum::open_enum;
use crate::text::debug_fields;

/// The data of an `allocation.*` event.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AllocationChange {
    /// The allocation at the time of the event.
    pub allocation: Allocation,
    /// The allocation that this one was split from; `splitFrom` on the wire.
    #[serde(rename = "splitFrom")]
    pub split_from: Option<Allocation>,
}

/// Credits of one project set aside for an order.
///
/// Only `id` is always present, as in an [`Order`](super::Order).
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Allocation {
    /// The allocation's identifier.
    pub id: String,
    /// The order that the credits are for.
    pub order_id: Option<String>,
    /// The project that the credits come from.
    pub project_id: Option<String>,
    /// The allocated quantity. Lune doesn't publish the unit; an order's quantities are in tonnes
    /// of CO2.
    pub quantity: Option<Decimal>,
    /// The allocation's status.
    pub status: Option<AllocationStatus>,
    /// When the allocation was created.
    pub created_at: Option<Timestamp>,
}

debug_fields! { Allocation { id, order_id, project_id, status } }

open_enum! {
    /// The status of an allocation.
    pub enum AllocationStatus {
        /// Created.
        New = "new",
        /// Retired.
        Retired = "retired",
    }
}
