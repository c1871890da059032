use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::LuneFake;
use crate::testing::courier::Courier;
use crate::testing::host::Host;
use crate::testing::lune::api::Api;
use crate::testing::lune::state::State;

/// 2026-01-01T00:00:00Z in seconds since 1970.
const START: i64 = 1_767_225_600;
/// The latest version of the API that is published.
const VERSION: &str = "2024-08-08";
/// How long a receiver has, as published.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Settings of a [`LuneFake`] that is about to start.
///
/// ```
/// use webhook_sdk::testing::LuneFake;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let lune = LuneFake::builder()
///     .key("k_1")
///     .accounts(["acc_1", "acc_2"])
///     .batch_limit(2)
///     .base64_signatures(true)
///     .start()
///     .await;
/// assert_eq!(lune.key(), "k_1");
/// # }
/// ```
///
/// `Debug` shows no key.
#[must_use = "nothing runs until `start` is called"]
pub struct LuneFakeBuilder {
    settings: Settings,
}

pub(super) struct Settings {
    pub(super) key: String,
    pub(super) organisation: String,
    pub(super) accounts: Vec<String>,
    pub(super) test_mode: bool,
    pub(super) version: String,
    pub(super) max_webhooks: Option<usize>,
    pub(super) batch_limit: usize,
    pub(super) mix_accounts: bool,
    pub(super) base64_signatures: bool,
    pub(super) keep_old_secrets: bool,
    pub(super) timeout: Duration,
    pub(super) start_time: DateTime<Utc>,
    pub(super) record: bool,
    pub(super) anywhere: bool,
}

impl LuneFakeBuilder {
    pub(super) fn new() -> Self {
        Self {
            settings: Settings {
                key: Uuid::new_v4().simple().to_string(),
                organisation: "organisation-0000000000000000001".to_owned(),
                accounts: Vec::new(),
                test_mode: false,
                version: VERSION.to_owned(),
                max_webhooks: None,
                batch_limit: 100,
                mix_accounts: false,
                base64_signatures: false,
                keep_old_secrets: false,
                timeout: TIMEOUT,
                start_time: DateTime::from_timestamp(START, 0).unwrap_or_default(),
                record: true,
                anywhere: false,
            },
        }
    }

    /// The only API key that the server accepts; random unless set.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.settings.key = key.into();
        self
    }

    /// The organisation's id, as it stands in the signature header.
    pub fn organisation(mut self, id: impl Into<String>) -> Self {
        self.settings.organisation = id.into();
        self
    }

    /// The organisation's accounts; any id is one unless set.
    ///
    /// An `account_ids` or a `Lune-Account` with another id is refused.
    pub fn accounts<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.settings.accounts = ids.into_iter().map(Into::into).collect();
        self
    }

    /// Whether the key is one of the test mode; it is one of the live mode unless set.
    ///
    /// This shows in `account_type`.
    pub fn test_mode(mut self, test: bool) -> Self {
        self.settings.test_mode = test;
        self
    }

    /// The API version that the organisation is pinned to; `2024-08-08` unless set.
    ///
    /// Answers carry it in `Lune-Version`, unless the request asks for another.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.settings.version = version.into();
        self
    }

    /// How many webhooks there can be; any number unless set.
    ///
    /// Lune publishes that there is a limit, not which.
    pub fn max_webhooks(mut self, webhooks: usize) -> Self {
        self.settings.max_webhooks = Some(webhooks);
        self
    }

    /// How many events a batch has at most; 100 unless set, and 0 counts as 1.
    ///
    /// Lune publishes that there is a limit, not which.
    pub fn batch_limit(mut self, events: usize) -> Self {
        self.settings.batch_limit = events.max(1);
        self
    }

    /// Whether a batch can hold events of several accounts; it can't unless set.
    ///
    /// Which of both Lune does is unpublished.
    pub fn mix_accounts(mut self, mix: bool) -> Self {
        self.settings.mix_accounts = mix;
        self
    }

    /// Whether signatures are in standard base64 with padding; they are in lower-case hex unless
    /// set.
    ///
    /// Which of both Lune does is unpublished.
    pub fn base64_signatures(mut self, base64: bool) -> Self {
        self.settings.base64_signatures = base64;
        self
    }

    /// Whether a rotated secret stays active, so that deliveries have a `v1` for each secret.
    ///
    /// It is invalid at once unless set, as published. Lune has reserved the right to send several
    /// `v1`. The oldest secret's comes first.
    pub fn keep_old_secrets(mut self, keep: bool) -> Self {
        self.settings.keep_old_secrets = keep;
        self
    }

    /// How long a receiver has to answer; 30 s of real time, as published, unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// What the server's clock shows at the start; 2026-01-01T00:00:00Z unless set.
    pub fn start_time(mut self, time: DateTime<Utc>) -> Self {
        self.settings.start_time = time;
        self
    }

    /// Whether requests are kept for [`LuneFake::requests`]; they are unless set.
    pub fn record_requests(mut self, record: bool) -> Self {
        self.settings.record = record;
        self
    }

    /// Whether deliveries may leave the machine; they may not unless set.
    pub fn deliver_anywhere(mut self, anywhere: bool) -> Self {
        self.settings.anywhere = anywhere;
        self
    }

    /// Starts the server on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// If the machine has no free port or thread.
    pub async fn start(self) -> LuneFake {
        let settings = Arc::new(self.settings);
        let host = Host::start(settings.record, |_| {
            let state = Arc::new(Mutex::new(State::new(Arc::clone(&settings))));
            Api::new(
                Arc::clone(&settings),
                state,
                Courier::start(settings.anywhere),
            )
        })
        .await;
        let base_url = host.base_url().to_owned();
        LuneFake { host, base_url }
    }
}

impl fmt::Debug for LuneFakeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LuneFakeBuilder").finish_non_exhaustive()
    }
}
