use http::header::HeaderName;

use super::generated::{Client, OPERATIONS, builder, types};
use crate::Secret;
use crate::client::pagination::paginated;
use crate::client::{Auth, Built, ClientBuilder, Operation, Refusal, Service, sealed};
use crate::error::Error;

impl Client {
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

impl Service for Client {
    type Extra = ();
}

impl sealed::Sealed for Client {
    const BASE_URL: &'static str = "https://api.preo.dev";
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    const OPERATIONS: &'static [Operation] = OPERATIONS;

    fn auth(token: Secret) -> Auth {
        Auth::bearer(token)
    }

    fn advice(refusal: &Refusal<'_>, (): &()) -> Option<String> {
        let advice = match refusal.status.as_u16() {
            401 => "Preo rejects the token, or expects it in another header, see `auth`",
            403 => "the token lacks a permission",
            _ => return None,
        };
        Some(advice.to_owned())
    }

    fn from_built(built: Built, (): ()) -> Result<Self, Error> {
        Ok(Self::new_with_client(
            &built.base_url,
            built.http,
            built.transport,
        ))
    }
}

paginated!(ListWebhooks: WebhookPage of WebhookSummary);
paginated!(ListWebhookDeliveries: WebhookDeliveryPage of WebhookDeliverySummary);
