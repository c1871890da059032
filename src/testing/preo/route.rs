use http::Method;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::testing::preo::state::Place;

/// One of the nine operations of Preo's webhook API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PreoOperation {
    /// `GET /v1/webhooks`
    ListWebhooks,
    /// `POST /v1/webhooks`
    CreateWebhook,
    /// `GET /v1/webhooks/{id}`
    RetrieveWebhook,
    /// `PATCH /v1/webhooks/{id}`
    UpdateWebhook,
    /// `DELETE /v1/webhooks/{id}`
    DeleteWebhook,
    /// `POST /v1/webhooks/{id}/rotate-secret`
    RotateWebhookSecret,
    /// `GET /v1/webhooks/{id}/deliveries`
    ListWebhookDeliveries,
    /// `GET /v1/webhooks/{id}/deliveries/{delivery_id}`
    RetrieveWebhookDelivery,
    /// `POST /v1/webhooks/{id}/deliveries/{delivery_id}/retry`
    RetryWebhookDelivery,
}

/// An operation with what its path names.
pub(super) enum Call {
    ListWebhooks,
    CreateWebhook,
    RetrieveWebhook(String),
    UpdateWebhook(String),
    DeleteWebhook(String),
    RotateSecret(String),
    ListDeliveries(String),
    RetrieveDelivery(Place),
    RetryDelivery(Place),
}

impl Call {
    pub(super) fn operation(&self) -> PreoOperation {
        match self {
            Self::ListWebhooks => PreoOperation::ListWebhooks,
            Self::CreateWebhook => PreoOperation::CreateWebhook,
            Self::RetrieveWebhook(_) => PreoOperation::RetrieveWebhook,
            Self::UpdateWebhook(_) => PreoOperation::UpdateWebhook,
            Self::DeleteWebhook(_) => PreoOperation::DeleteWebhook,
            Self::RotateSecret(_) => PreoOperation::RotateWebhookSecret,
            Self::ListDeliveries(_) => PreoOperation::ListWebhookDeliveries,
            Self::RetrieveDelivery(_) => PreoOperation::RetrieveWebhookDelivery,
            Self::RetryDelivery(_) => PreoOperation::RetryWebhookDelivery,
        }
    }
}

/// Where a method and a path lead.
pub(super) enum Route {
    Call(Call),
    WrongMethod { allow: &'static str },
    Nowhere,
}

impl Route {
    pub(super) fn of(method: &Method, url: &Url) -> Self {
        let segments: Vec<String> = url
            .path_segments()
            .map_or_else(Vec::new, |segments| segments.map(decoded).collect());
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let Some(["v1", "webhooks", rest @ ..]) = segments.get(..) else {
            return Self::Nowhere;
        };
        if rest.iter().any(|segment| segment.is_empty()) {
            return Self::Nowhere;
        }
        let call = match (rest, method) {
            ([], &Method::GET) => Call::ListWebhooks,
            ([], &Method::POST) => Call::CreateWebhook,
            ([], _) => return Self::WrongMethod { allow: "GET, POST" },
            ([id], &Method::GET) => Call::RetrieveWebhook((*id).to_owned()),
            ([id], &Method::PATCH) => Call::UpdateWebhook((*id).to_owned()),
            ([id], &Method::DELETE) => Call::DeleteWebhook((*id).to_owned()),
            ([_], _) => {
                let allow = "GET, PATCH, DELETE";
                return Self::WrongMethod { allow };
            }
            ([id, "rotate-secret"], &Method::POST) => Call::RotateSecret((*id).to_owned()),
            ([_, "rotate-secret"], _) => return Self::WrongMethod { allow: "POST" },
            ([id, "deliveries"], &Method::GET) => Call::ListDeliveries((*id).to_owned()),
            ([id, "deliveries", delivery], &Method::GET) => {
                Call::RetrieveDelivery(Place::new(id, delivery))
            }
            ([_, "deliveries"] | [_, "deliveries", _], _) => {
                return Self::WrongMethod { allow: "GET" };
            }
            ([id, "deliveries", delivery, "retry"], &Method::POST) => {
                Call::RetryDelivery(Place::new(id, delivery))
            }
            ([_, "deliveries", _, "retry"], _) => return Self::WrongMethod { allow: "POST" },
            _ => return Self::Nowhere,
        };
        Self::Call(call)
    }
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
