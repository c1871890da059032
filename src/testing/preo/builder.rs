use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use uuid::Uuid;

use crate::testing::courier::Courier;
use crate::testing::drf::page::Paging;
use crate::testing::host::Host;
use crate::testing::preo::PreoFake;
use crate::testing::preo::api::Api;
use crate::testing::preo::state::State;

/// The published default size of a page.
const PAGE_SIZE: usize = 100;
/// 2026-01-01T00:00:00Z, in seconds since 1970.
const START: i64 = 1_767_225_600;

/// Settings of a [`PreoFake`] that is about to start.
///
/// ```
/// use std::time::Duration;
/// use webhook_sdk::testing::PreoFake;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let preo = PreoFake::builder()
///     .token("t_1")
///     .max_page_size(50)
///     .max_attempts(2)
///     .retry_delay(Duration::ZERO)
///     .start()
///     .await;
/// assert_eq!(preo.token(), "t_1");
/// # }
/// ```
///
/// `Debug` shows no token.
#[must_use = "nothing runs until `start` is called"]
pub struct PreoFakeBuilder {
    settings: Settings,
}

/// All of these are unpublished; the defaults are ours.
pub(super) struct Settings {
    pub(super) token: String,
    pub(super) auth_header: HeaderName,
    pub(super) auth_scheme: HeaderValue,
    pub(super) signature_header: HeaderName,
    pub(super) max_page_size: Option<usize>,
    pub(super) max_attempts: u32,
    pub(super) retry_delay: Duration,
    pub(super) default_timeout: Duration,
    pub(super) start_time: DateTime<Utc>,
    pub(super) record: bool,
    pub(super) anywhere: bool,
}

impl PreoFakeBuilder {
    pub(super) fn new() -> Self {
        Self {
            settings: Settings {
                token: Uuid::new_v4().simple().to_string(),
                auth_header: AUTHORIZATION,
                auth_scheme: HeaderValue::from_static("Bearer"),
                signature_header: HeaderName::from_static("x-preo-signature"),
                max_page_size: None,
                max_attempts: 5,
                retry_delay: Duration::from_secs(60),
                default_timeout: Duration::from_secs(10),
                start_time: DateTime::from_timestamp(START, 0).unwrap_or_default(),
                record: true,
                anywhere: false,
            },
        }
    }

    /// The only token that the server accepts; random unless set.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.settings.token = token.into();
        self
    }

    /// Where the token is expected; `authorization` and `Bearer` unless set.
    ///
    /// With an empty scheme the header's whole value is the token.
    pub fn auth(mut self, header: HeaderName, scheme: HeaderValue) -> Self {
        self.settings.auth_header = header;
        self.settings.auth_scheme = scheme;
        self
    }

    /// The header that carries a delivery's signature; `x-preo-signature` unless set.
    pub fn signature_header(mut self, header: HeaderName) -> Self {
        self.settings.signature_header = header;
        self
    }

    /// The most items on a page, whatever `page_size` asks for; unbounded unless set.
    ///
    /// 0 counts as 1.
    pub fn max_page_size(mut self, items: usize) -> Self {
        self.settings.max_page_size = Some(items);
        self
    }

    /// After how many failed attempts a delivery is `exhausted`; 5 unless set.
    ///
    /// 0 counts as 1.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.settings.max_attempts = attempts;
        self
    }

    /// How long after a failure the next attempt is due; 60 s of the server's time unless set.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.settings.retry_delay = delay;
        self
    }

    /// How long a receiver has if its `timeout_seconds` is 0; 10 s of real time unless set.
    pub fn default_timeout(mut self, timeout: Duration) -> Self {
        self.settings.default_timeout = timeout;
        self
    }

    /// What the server's clock shows at the start; 2026-01-01T00:00:00Z unless set.
    pub fn start_time(mut self, time: DateTime<Utc>) -> Self {
        self.settings.start_time = time;
        self
    }

    /// Whether requests are kept for [`PreoFake::requests`]; they are unless set.
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
    pub async fn start(self) -> PreoFake {
        let settings = Arc::new(self.settings);
        let host = Host::start(settings.record, |base_url| Api {
            state: Arc::new(Mutex::new(State::new(Arc::clone(&settings)))),
            courier: Courier::start(settings.anywhere),
            paging: Paging {
                base_url,
                default_size: PAGE_SIZE,
                max_size: settings.max_page_size,
            },
            settings,
        });
        PreoFake { host: host.await }
    }
}

impl fmt::Debug for PreoFakeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreoFakeBuilder").finish_non_exhaustive()
    }
}
