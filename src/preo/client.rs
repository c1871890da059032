use http::header::HeaderName;

use super::generated::{OPERATIONS, PreoClient, operation, types};
use crate::client::pagination::paginated;
use crate::client::{Auth, Built, ClientBuilder, ErrorResponse, Operation, Service, sealed};
use crate::error::Error;

impl PreoClient {
    /// Returns a builder for a client with a token.
    ///
    /// ```
    /// use webhook_sdk::preo::PreoClient;
    ///
    /// let preo = PreoClient::builder("token").user_agent("shop/1.0").build()?;
    /// # let _ = preo;
    /// # Ok::<_, webhook_sdk::Error>(())
    /// ```
    ///
    /// Preo doesn't publish how it authenticates clients: `Authorization: Bearer <token>` is our
    /// default. Pass an [`Auth`] for anything else.
    pub fn builder(auth: impl Into<Auth>) -> ClientBuilder<Self> {
        ClientBuilder::new(auth.into(), ())
    }
}

impl Service for PreoClient {
    type Extra = ();
}

impl sealed::Sealed for PreoClient {
    const BASE_URL: &'static str = "https://api.preo.dev";
    const API_PATH: &'static str = "/v1";
    const AUTH_SCHEME: &'static str = "Bearer";
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    const OPERATIONS: &'static [Operation] = OPERATIONS;

    fn hint(response: &ErrorResponse<'_>, (): &()) -> Option<String> {
        let hint = match response.status.as_u16() {
            401 => "Preo rejects the token, or expects it in another form; see `Auth`",
            403 => "the token lacks a permission",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn from_built(built: Built, (): ()) -> Result<Self, Error> {
        Ok(Self::new(built))
    }
}

paginated!("list_webhooks", ListWebhooks: WebhookPage of WebhookSummary);
paginated!("list_webhook_deliveries", ListWebhookDeliveries: WebhookDeliveryPage of WebhookDeliverySummary);
