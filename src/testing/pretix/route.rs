use http::Method;
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// One of the six operations on pretix's webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PretixOperation {
    /// `GET /api/v1/organizers/{organizer}/webhooks/`
    ListWebhooks,
    /// `POST /api/v1/organizers/{organizer}/webhooks/`
    CreateWebhook,
    /// `GET /api/v1/organizers/{organizer}/webhooks/{id}/`
    RetrieveWebhook,
    /// `PATCH /api/v1/organizers/{organizer}/webhooks/{id}/`
    UpdateWebhook,
    /// `PUT /api/v1/organizers/{organizer}/webhooks/{id}/`
    ReplaceWebhook,
    /// `DELETE /api/v1/organizers/{organizer}/webhooks/{id}/`
    DeleteWebhook,
}

/// Where a path leads.
pub(super) enum Route {
    Webhooks {
        organizer: String,
    },
    Webhook {
        organizer: String,
        id: String,
    },
    /// To one of these, but for the slash at the end.
    WithoutSlash,
    Nowhere,
}

impl Route {
    pub(super) fn of(url: &Url) -> Self {
        // Decoded before it is cut, as Django does.
        let path = percent_decode_str(url.path()).decode_utf8_lossy();
        let segments: Vec<&str> = path.split('/').collect();
        let Some(
            [
                "",
                "api",
                "v1",
                "organizers",
                organizer,
                "webhooks",
                rest @ ..,
            ],
        ) = segments.get(..)
        else {
            return Self::Nowhere;
        };
        if organizer.is_empty() {
            return Self::Nowhere;
        }
        let organizer = (*organizer).to_owned();
        match rest {
            [""] => Self::Webhooks { organizer },
            [id, ""] if !id.is_empty() => Self::Webhook {
                organizer,
                id: (*id).to_owned(),
            },
            [] => Self::WithoutSlash,
            [id] if !id.is_empty() => Self::WithoutSlash,
            _ => Self::Nowhere,
        }
    }

    pub(super) fn operation(&self, method: &Method) -> Option<PretixOperation> {
        match (self, method) {
            (Self::Webhooks { .. }, &Method::GET | &Method::HEAD) => {
                Some(PretixOperation::ListWebhooks)
            }
            (Self::Webhooks { .. }, &Method::POST) => Some(PretixOperation::CreateWebhook),
            (Self::Webhook { .. }, &Method::GET | &Method::HEAD) => {
                Some(PretixOperation::RetrieveWebhook)
            }
            (Self::Webhook { .. }, &Method::PATCH) => Some(PretixOperation::UpdateWebhook),
            (Self::Webhook { .. }, &Method::PUT) => Some(PretixOperation::ReplaceWebhook),
            (Self::Webhook { .. }, &Method::DELETE) => Some(PretixOperation::DeleteWebhook),
            _ => None,
        }
    }
}
