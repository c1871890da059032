use http::Method;
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// One of the six operations of Lune's webhook API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LuneOperation {
    /// `GET /webhooks`
    ListWebhooks,
    /// `POST /webhooks`
    CreateWebhook,
    /// `GET /webhooks/{id}`
    RetrieveWebhook,
    /// `PUT /webhooks/{id}`
    UpdateWebhook,
    /// `DELETE /webhooks/{id}`
    DeleteWebhook,
    /// `PUT /webhooks/{id}/rotate-secret`
    RotateWebhookSecret,
}

/// An operation and the id in its path, empty where there is none.
pub(super) struct Call {
    pub(super) operation: LuneOperation,
    pub(super) id: String,
}

impl Call {
    /// What a method and a path ask for, if it is anything.
    pub(super) fn of(method: &Method, url: &Url) -> Option<Self> {
        let segments: Vec<String> = url
            .path_segments()?
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["v1", "webhooks", rest @ ..] = segments.as_slice() else {
            return None;
        };
        let (operation, id) = match (rest, method) {
            ([], &Method::GET) => (LuneOperation::ListWebhooks, ""),
            ([], &Method::POST) => (LuneOperation::CreateWebhook, ""),
            ([""] | ["", ..], _) => return None,
            ([id], &Method::GET) => (LuneOperation::RetrieveWebhook, *id),
            ([id], &Method::PUT) => (LuneOperation::UpdateWebhook, *id),
            ([id], &Method::DELETE) => (LuneOperation::DeleteWebhook, *id),
            ([id, "rotate-secret"], &Method::PUT) => (LuneOperation::RotateWebhookSecret, *id),
            _ => return None,
        };
        Some(Self {
            operation,
            id: id.to_owned(),
        })
    }
}
