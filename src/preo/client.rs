use std::borrow::Cow;

use http::header::HeaderName;

use super::generated::{Client, OPERATIONS, builder, types};
use crate::Secret;
use crate::error::Error;
use crate::pagination::{Items, Listed, Page, Pages};
use crate::transport::{Auth, Built, ClientBuilder, Operation, Service, sealed};

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

    fn from_built(built: Built, (): ()) -> Result<Self, Error> {
        Ok(Self::new_with_client(
            &built.base_url,
            built.http,
            built.transport,
        ))
    }
}

impl<'a> builder::ListWebhooks<'a> {
    /// Every webhook endpoint that the filters let through, page by page as it is read.
    pub fn stream(self) -> Items<'a, types::WebhookSummary> {
        self.pages().items()
    }

    /// The pages themselves, from the first one on.
    pub fn pages(self) -> Pages<'a, types::WebhookSummary> {
        Pages::new(move |number| {
            let request = self.clone().page(number);
            async move { Ok(request.send().await?.into_inner().into()) }
        })
    }

    /// Like [`stream`](Self::stream), with up to `pages` pages requested ahead of the reader.
    pub fn prefetch(self, pages: usize) -> Items<'a, types::WebhookSummary> {
        self.pages().prefetch(pages).items()
    }
}

impl<'a> builder::ListWebhookDeliveries<'a> {
    /// Every delivery that the filters let through, page by page as it is read.
    pub fn stream(self) -> Items<'a, types::WebhookDeliverySummary> {
        self.pages().items()
    }

    /// The pages themselves, from the first one on.
    pub fn pages(self) -> Pages<'a, types::WebhookDeliverySummary> {
        Pages::new(move |number| {
            let request = self.clone().page(number);
            async move { Ok(request.send().await?.into_inner().into()) }
        })
    }

    /// Like [`stream`](Self::stream), with up to `pages` pages requested ahead of the reader.
    pub fn prefetch(self, pages: usize) -> Items<'a, types::WebhookDeliverySummary> {
        self.pages().prefetch(pages).items()
    }
}

impl Listed for types::WebhookSummary {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }
}

impl Listed for types::WebhookDeliverySummary {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }
}

impl From<types::WebhookPage> for Page<types::WebhookSummary> {
    fn from(page: types::WebhookPage) -> Self {
        Self::new(page.results, page.count, page.next.is_some())
    }
}

impl From<types::WebhookDeliveryPage> for Page<types::WebhookDeliverySummary> {
    fn from(page: types::WebhookDeliveryPage) -> Self {
        Self::new(page.results, page.count, page.next.is_some())
    }
}
