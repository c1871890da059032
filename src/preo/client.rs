use http::header::HeaderName;

use super::generated::{OPERATIONS, PreoClient, operation, types};
use crate::Secret;
use crate::client::pagination::paginated;
use crate::client::{Auth, Built, ClientBuilder, Operation, Service, sealed};
use crate::error::Error;

impl PreoClient {
    /// Sets up a client with a bearer token.
    ///
    /// How Preo authenticates its callers is unpublished: a bearer token is our default, and
    /// [`ClientBuilder::auth`] changes it.
    ///
    /// ```
    /// use webhook_sdk::preo::PreoClient;
    ///
    /// let preo = PreoClient::builder("token").user_agent("shop/1.0").build()?;
    /// # let _ = preo;
    /// # Ok::<_, webhook_sdk::Error>(())
    /// ```
    pub fn builder(token: impl Into<Secret>) -> ClientBuilder<Self> {
        ClientBuilder::new(token.into())
    }
}

impl Service for PreoClient {
    type Extra = ();
}

impl sealed::Sealed for PreoClient {
    const BASE_URL: &'static str = "https://api.preo.dev";
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    const OPERATIONS: &'static [Operation] = OPERATIONS;

    fn auth(token: Secret) -> Auth {
        Auth::bearer(token)
    }

    fn from_built(built: Built, (): ()) -> Result<Self, Error> {
        Ok(Self::new(built))
    }
}

paginated!("list_webhooks", ListWebhooks: WebhookPage of WebhookSummary);
paginated!("list_webhook_deliveries", ListWebhookDeliveries: WebhookDeliveryPage of WebhookDeliverySummary);
