use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;

use http::header::{HeaderName, HeaderValue};

use super::generated::types::Webhook;
use super::generated::{LuneClient, OPERATIONS, operation};
use crate::client::pagination::{Items, Page, Pages};
use crate::client::{Auth, Built, ClientBuilder, ErrorResponse, Operation, Service, sealed};
use crate::error::Error;

/// The default rate limit of an API key, <https://docs.lune.co/key-concepts/rate-limits>.
const REQUESTS_PER_SECOND: Option<NonZeroU32> = NonZeroU32::new(15);

impl LuneClient {
    /// Returns a builder for a client with an API key.
    ///
    /// ```
    /// use webhook_sdk::lune::LuneClient;
    ///
    /// let lune = LuneClient::builder("key").account("acc_1").version("2024-08-08").build()?;
    /// # let _ = lune;
    /// # Ok::<_, webhook_sdk::Error>(())
    /// ```
    ///
    /// The key also selects live or test mode. The client sends at most 15 requests per second,
    /// Lune's published default limit; [`requests_per_second`](ClientBuilder::requests_per_second)
    /// changes or removes that limit. Clones of a client share the limit. Other clients and
    /// processes with the same key don't.
    pub fn builder(key: impl Into<Auth>) -> ClientBuilder<Self> {
        ClientBuilder::new(key.into(), Extra::default())
    }
}

impl operation::ListWebhooks {
    /// Streams all matching webhooks. Lune returns them in one response.
    pub fn stream(self) -> Items<Webhook> {
        let id = |webhook: &Webhook, state: &RandomState| state.hash_one(&webhook.id);
        Pages::new("list_webhooks", id, move |_| {
            let request = self.clone();
            async move {
                let webhooks = request.send().await?;
                let count = webhooks.len() as u64;
                Ok(Page::new(webhooks, count, false))
            }
        })
        .items()
    }

    /// Returns all matching webhooks, like [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// Same as [`Items::all`].
    pub async fn all(self) -> Result<Vec<Webhook>, Error> {
        self.stream().all().await
    }
}

impl ClientBuilder<LuneClient> {
    /// Selects an account other than the key's own, in the same mode (`Lune-Account`).
    ///
    /// Webhooks belong to the whole organization, and Lune doesn't publish how the account affects
    /// them. The `account_ids` of a webhook select the accounts whose events it gets.
    #[must_use]
    pub fn account(mut self, id: impl Into<String>) -> Self {
        self.extra.account = Some(id.into());
        self
    }

    /// Requests a version of the API (`Lune-Version`), such as `2024-08-08`.
    ///
    /// By default, no version is requested. Lune then uses the version that the organization is
    /// pinned to; **the first request without a version pins it** to the latest one. The
    /// `lune-version` header of each response contains its version.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.extra.version = Some(version.into());
        self
    }
}

/// The settings specific to Lune.
#[derive(Clone, Debug, Default)]
#[expect(
    unnameable_types,
    reason = "set by methods of the builder, which alone holds it"
)]
pub struct Extra {
    account: Option<String>,
    version: Option<String>,
}

impl Service for LuneClient {
    type Extra = Extra;
}

impl sealed::Sealed for LuneClient {
    const BASE_URL: &'static str = "https://api.lune.co";
    const API_PATH: &'static str = "/v1";
    const AUTH_SCHEME: &'static str = "Bearer";
    const REQUEST_ID: HeaderName = HeaderName::from_static("cf-ray");
    const OPERATIONS: &'static [Operation] = OPERATIONS;
    const REQUESTS_PER_SECOND: Option<NonZeroU32> = REQUESTS_PER_SECOND;

    fn headers(extra: &Extra) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        let account = header("account", "lune-account", extra.account.as_deref())?;
        let version = header("version", "lune-version", extra.version.as_deref())?;
        Ok(account.into_iter().chain(version).collect())
    }

    fn hint(response: &ErrorResponse<'_>, extra: &Extra) -> Option<String> {
        let hint = match (response.status.as_u16(), &extra.account) {
            (401, None) => "Lune rejects the API key",
            (401, Some(_)) => "Lune rejects the API key, or the account that `account` selects",
            (403, None) => "the API key lacks a permission",
            (403, Some(_)) => "the API key may not act for the account that `account` selects",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn from_built(built: Built, _: Extra) -> Result<Self, Error> {
        Ok(Self::new(built))
    }
}

fn header(
    setting: &str,
    name: &'static str,
    value: Option<&str>,
) -> Result<Option<(HeaderName, HeaderValue)>, Error> {
    let Some(value) = value else {
        return Ok(None);
    };
    match HeaderValue::try_from(value) {
        Ok(header) if !value.trim().is_empty() => Ok(Some((HeaderName::from_static(name), header))),
        Ok(_) => Err(Error::configuration(format!(
            "`{setting}` is empty; leave it out to omit the header"
        ))),
        Err(_) => Err(Error::configuration(format!(
            "`{setting}` contains a character that isn't allowed in a header"
        ))),
    }
}
