use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::redact::SetFields;
use super::{Decimal, Timestamp, json};
use crate::open_enum::open_enum;

/// An order of carbon credits, at the time of the event.
///
/// Only `id` is always present. Lune's schema requires most fields, but its published sample
/// delivery omits some, so every other field is optional. `null` is the same as absent. Amounts of
/// money are in [`currency`](Self::currency). `Debug` shows ids and which fields are set, but no
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
    #[serde(default, deserialize_with = "json::objects")]
    pub bundles: Option<Vec<OrderBundle>>,
    /// The order's projects; set from the status `retiring` on.
    #[serde(default, deserialize_with = "json::objects")]
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

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = [
            ("idempotency_key", self.idempotency_key.is_some()),
            ("currency", self.currency.is_some()),
            ("offset_cost", self.offset_cost.is_some()),
            ("total_cost", self.total_cost.is_some()),
            ("commission", self.commission.is_some()),
            ("quantity", self.quantity.is_some()),
            ("payment_method", self.payment_method.is_some()),
            ("created_at", self.created_at.is_some()),
            ("certificate", self.certificate.is_some()),
            (
                "public_certificate_url",
                self.public_certificate_url.is_some(),
            ),
            ("metadata", !self.metadata.is_empty()),
            ("offset_link_id", self.offset_link_id.is_some()),
            ("email", self.email.is_some()),
            ("requested_quantity", self.requested_quantity.is_some()),
            ("requested_value", self.requested_value.is_some()),
            ("estimate_id", self.estimate_id.is_some()),
        ];
        f.debug_struct("Order")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("bundles", &self.bundles)
            .field("projects", &self.projects)
            .field("set", &SetFields(&set))
            .finish()
    }
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
        /// The order was cancelled.
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

impl fmt::Debug for OrderBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = [
            ("bundle_name", self.bundle_name.is_some()),
            ("primary_image", self.primary_image.is_some()),
            ("quantity", self.quantity.is_some()),
            ("unit_price", self.unit_price.is_some()),
            ("gross_unit_price", self.gross_unit_price.is_some()),
            ("offset_cost", self.offset_cost.is_some()),
            (
                "insufficient_available_quantity",
                self.insufficient_available_quantity.is_some(),
            ),
        ];
        f.debug_struct("OrderBundle")
            .field("bundle_id", &self.bundle_id)
            .field("set", &SetFields(&set))
            .finish()
    }
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

impl fmt::Debug for OrderProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = [
            ("project_name", self.project_name.is_some()),
            ("project_type", self.project_type.is_some()),
            ("project_slug", self.project_slug.is_some()),
            ("project_logo", self.project_logo.is_some()),
            ("quantity", self.quantity.is_some()),
            ("unit_price", self.unit_price.is_some()),
            ("offset_cost", self.offset_cost.is_some()),
        ];
        f.debug_struct("OrderProject")
            .field("project_id", &self.project_id)
            .field("status", &self.status)
            .field("set", &SetFields(&set))
            .finish()
    }
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
