use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

/// How many characters of a secret are shown after its creation, as published.
const SHOWN: usize = 4;

/// A webhook in the state of a [`LuneFake`](super::LuneFake), at one moment.
///
/// `Debug` shows no secret and no URL.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LuneFakeWebhook {
    /// 32 characters, counted in the order of creation.
    pub id: String,
    /// Where events are delivered.
    pub url: String,
    /// Whether events are delivered.
    pub enabled: bool,
    /// Whether it belongs to the test mode.
    pub test_mode: bool,
    /// The accounts whose events it gets; those of all accounts if empty.
    pub account_ids: Vec<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The secret that was made last.
    pub secret: String,
    /// Older secrets that are still active, oldest first.
    pub old_secrets: Vec<String>,
}

impl LuneFakeWebhook {
    /// As create and rotate show it.
    pub(super) fn with_secret(&self) -> WebhookView<'_> {
        WebhookView {
            id: &self.id,
            url: &self.url,
            enabled: self.enabled,
            account_type: if self.test_mode { "test" } else { "live" },
            account_ids: &self.account_ids,
            created_at: timestamp(self.created_at),
            secret: &self.secret,
        }
    }

    /// As it is shown otherwise.
    pub(super) fn with_suffix(&self) -> WebhookView<'_> {
        let hidden = self.secret.chars().count().saturating_sub(SHOWN);
        let shown = self.secret.char_indices().nth(hidden);
        WebhookView {
            secret: shown.map_or("", |(place, _)| &self.secret[place..]),
            ..self.with_secret()
        }
    }

    /// Whether it gets the events of an account.
    pub(super) fn concerns(&self, account_id: &str) -> bool {
        self.account_ids.is_empty() || self.account_ids.iter().any(|id| id == account_id)
    }
}

impl fmt::Debug for LuneFakeWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LuneFakeWebhook")
            .field("id", &self.id)
            .field("enabled", &self.enabled)
            .field("account_ids", &self.account_ids)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
pub(super) struct WebhookView<'a> {
    id: &'a str,
    url: &'a str,
    enabled: bool,
    account_type: &'a str,
    account_ids: &'a [String],
    created_at: String,
    secret: &'a str,
}

/// A webhook to add to a [`LuneFake`](super::LuneFake) without a request.
///
/// ```
/// use webhook_sdk::testing::LuneWebhookSeed;
///
/// let seed = LuneWebhookSeed::new("http://127.0.0.1:8080/lune").account_ids(["acc_1"]);
/// # let _ = seed;
/// ```
///
/// Nothing is validated. `Debug` shows no secret and no URL.
#[derive(Clone)]
#[must_use = "a seed does nothing until it is inserted into a fake"]
pub struct LuneWebhookSeed {
    pub(super) id: Option<String>,
    pub(super) url: String,
    pub(super) enabled: bool,
    pub(super) account_ids: Vec<String>,
    pub(super) secret: Option<String>,
}

impl LuneWebhookSeed {
    /// An enabled webhook at `url` that gets the events of all accounts.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            id: None,
            url: url.into(),
            enabled: true,
            account_ids: Vec::new(),
            secret: None,
        }
    }

    /// The id; the next of the fake's own if not set.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Whether events are delivered.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// The accounts whose events it gets; those of all accounts if empty.
    pub fn account_ids<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.account_ids = ids.into_iter().map(Into::into).collect();
        self
    }

    /// The secret; random if not set.
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }
}

impl fmt::Debug for LuneWebhookSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LuneWebhookSeed")
            .field("account_ids", &self.account_ids)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

/// RFC 3339 in UTC, with milliseconds.
pub(super) fn timestamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
