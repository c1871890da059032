use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Decimal, Timestamp, json};
use crate::open_enum::open_enum;
use crate::text::debug_fields;

/// An order of carbon credits, at the time of the event.
///
/// Only `id` is always present. Lune's schema requires most fields, but its published sample
/// delivery omits some, so every other field is optional. `null` is the same as absent. Amounts of
/// money are in [`currency`](Self::currency). `Debug` shows ids and statuses, but no
/// customer data or amounts.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Order {
    /// The order's identifier.
    pub id: String,
    /// The client's own id of the order, unique per account, at most 100 characters.
    pub idempotency_key: Option<String>,
    /// Whether the order was placed by quantity or by value; `type` on the wire.
    #[serde(rename = "type")]
    pub kind: Option<OrderKind>,
    /// The order's status.
    pub status: Option<OrderStatus>,
    /// The order's currency code, such as `GBP`.
    pub currency: Option<String>,
    /// Net cost of the offsets, set when bundles are assigned. Can be below `requested_value`.
    pub offset_cost: Option<Decimal>,
    /// Total cost with fees.
    pub total_cost: Option<Decimal>,
    /// Lune's fee, set when bundles are assigned.
    pub commission: Option<Decimal>,
    /// Offsets purchased, in tonnes of CO2.
    pub quantity: Option<Decimal>,
    /// How the order will be paid.
    pub payment_method: Option<PaymentMethod>,
    /// When the order was created.
    pub created_at: Option<Timestamp>,
    /// The order's bundles; set from the status `placed` on.
    pub bundles: Option<Vec<OrderBundle>>,
    /// The order's projects; set from the status `retiring` on.
    pub projects: Option<Vec<OrderProject>>,
    /// URL of the PDF certificate, set when the order is complete. It requires the API key.
    pub certificate: Option<String>,
    /// URL of the public certificate, accessible if the account's sustainability page shows it.
    pub public_certificate_url: Option<String>,
    /// The client's own key-value pairs, empty if Lune sends none.
    #[serde(default, deserialize_with = "json::or_default")]
    pub metadata: BTreeMap<String, String>,
    /// The offset link that the order was placed through.
    pub offset_link_id: Option<String>,
    /// The end user's email address, set on orders placed through an offset link.
    pub email: Option<String>,
    /// The requested quantity in tonnes of CO2, set on orders by quantity or by estimate.
    pub requested_quantity: Option<Decimal>,
    /// The requested value, set on orders by value.
    pub requested_value: Option<Decimal>,
    /// The emission estimate that the order was created from.
    pub estimate_id: Option<String>,
}

open_enum! {
    /// Whether an order was placed by quantity or by value.
    pub enum OrderKind {
        /// By a mass of CO2.
        Quantity = "quantity",
        /// By an amount of money.
        Value = "value",
    }
}

open_enum! {
    /// The status of an order.
    pub enum OrderStatus {
        /// The order was received by Lune.
        Received = "received",
        /// Bundles are assigned.
        Placed = "placed",
        /// The order is paid.
        Paid = "paid",
        /// Its credits are being retired.
        Retiring = "retiring",
        /// The order was canceled.
        Cancelled = "cancelled",
        /// The order is complete. Its event is `order.completed`.
        Complete = "complete",
        /// The order failed.
        Failed = "failed",
    }
}

open_enum! {
    /// The payment method of an order.
    pub enum PaymentMethod {
        /// Lune sends an invoice by email.
        Invoice = "invoice",
        /// Lune charges the account's card.
        Card = "card",
    }
}

/// A bundle's share of an order.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct OrderBundle {
    /// The bundle's identifier.
    pub bundle_id: String,
    /// The bundle's name.
    pub bundle_name: Option<String>,
    /// URL of the bundle's image.
    pub primary_image: Option<String>,
    /// Offsets from this bundle, in tonnes of CO2.
    pub quantity: Option<Decimal>,
    /// Price of a tonne of CO2, in the order's currency.
    pub unit_price: Option<Decimal>,
    /// Price of a tonne of CO2 with fees, in the order's currency.
    pub gross_unit_price: Option<Decimal>,
    /// Net cost of this bundle's offsets, in the order's currency.
    pub offset_cost: Option<Decimal>,
    /// Whether the bundle's available quantity is insufficient for the order.
    pub insufficient_available_quantity: Option<bool>,
}

/// A project's share of an order.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct OrderProject {
    /// The project's identifier.
    pub project_id: String,
    /// The project's name.
    pub project_name: Option<String>,
    /// The project's type as free text, such as `Forest Conservation`.
    pub project_type: Option<String>,
    /// The project's unique slug.
    pub project_slug: Option<String>,
    /// URL of the project's logo.
    pub project_logo: Option<String>,
    /// Offsets from this project, in tonnes of CO2.
    pub quantity: Option<Decimal>,
    /// Price of a tonne of CO2, in the order's currency.
    pub unit_price: Option<Decimal>,
    /// Net cost of this project's offsets, in the order's currency.
    pub offset_cost: Option<Decimal>,
    /// Whether the project's credits are allocated or retired.
    pub status: Option<OrderProjectStatus>,
}

open_enum! {
    /// The status of a project's credits.
    pub enum OrderProjectStatus {
        /// Allocated to the order.
        Allocated = "allocated",
        /// Retired for the order.
        Retired = "retired",
    }
}

debug_fields! {
    Order { id, kind, status, bundles, projects }
    OrderBundle { bundle_id }
    OrderProject { project_id, status }
}
