use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::testing::courier::Courier;
use crate::testing::drf::page::Paging;
use crate::testing::host::Host;
use crate::testing::pretix::PretixFake;
use crate::testing::pretix::action::ACTION_TYPES;
use crate::testing::pretix::api::Api;
use crate::testing::pretix::state::State;

/// The size of a page, and the most that `page_size` can ask for.
const PAGE_SIZE: usize = 50;
/// 2026-01-01T00:00:00Z, in seconds since 1970.
const START: i64 = 1_767_225_600;
/// How long pretix waits for a receiver.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Settings of a [`PretixFake`] that is about to start.
///
/// ```
/// use webhook_sdk::testing::PretixFake;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let pretix = PretixFake::builder()
///     .token("t_1")
///     .organizer("acme", ["spring", "autumn"])
///     .other_organizer("globex", "t_2", ["fair"])
///     .revoked_token("t_3")
///     .start()
///     .await;
/// assert_eq!((pretix.organizer(), pretix.token()), ("acme", "t_1"));
/// # }
/// ```
///
/// `Debug` shows no token.
#[must_use = "nothing runs until `start` is called"]
pub struct PretixFakeBuilder {
    token: String,
    own: Organizer,
    settings: Settings,
}

pub(super) struct Settings {
    pub(super) auth_scheme: String,
    /// Who may do what; the first is the fake's own.
    pub(super) tokens: Vec<(String, Access)>,
    /// The first is the fake's own.
    pub(super) organizers: Vec<Organizer>,
    pub(super) more_action_types: Vec<String>,
    pub(super) timeout: Duration,
    pub(super) start_time: DateTime<Utc>,
    pub(super) record: bool,
    pub(super) anywhere: bool,
}

/// What a token opens.
pub(super) enum Access {
    /// The webhooks of the organizer of this slug.
    Organizer(String),
    /// Nothing here, for want of a permission.
    Limited,
    /// Nothing any more.
    Revoked,
}

/// An organizer and its events, in the server's own order.
#[derive(Clone)]
pub(super) struct Organizer {
    pub(super) slug: String,
    pub(super) events: Vec<String>,
}

impl Settings {
    pub(super) fn token(&self) -> &str {
        self.tokens.first().map_or("", |(token, _)| token)
    }

    pub(super) fn slug(&self) -> &str {
        self.organizers.first().map_or("", |own| &own.slug)
    }

    pub(super) fn is_action_type(&self, name: &str) -> bool {
        ACTION_TYPES.contains(&name) || self.more_action_types.iter().any(|more| more == name)
    }
}

impl Organizer {
    fn new<S: Into<String>>(slug: impl Into<String>, events: impl IntoIterator<Item = S>) -> Self {
        Self {
            slug: slug.into(),
            events: events.into_iter().map(Into::into).collect(),
        }
    }
}

impl PretixFakeBuilder {
    pub(super) fn new() -> Self {
        Self {
            token: Uuid::new_v4().simple().to_string(),
            own: Organizer::new("bigevents", ["democon", "secondcon"]),
            settings: Settings {
                auth_scheme: "Token".to_owned(),
                tokens: Vec::new(),
                organizers: Vec::new(),
                more_action_types: Vec::new(),
                timeout: TIMEOUT,
                start_time: DateTime::from_timestamp(START, 0).unwrap_or_default(),
                record: true,
                anywhere: false,
            },
        }
    }

    /// The token that may manage the webhooks of the fake's organizer; random unless set.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// The fake's organizer and its events, in the server's own order.
    ///
    /// `bigevents` with `democon` and `secondcon` unless set.
    pub fn organizer<S: Into<String>>(
        mut self,
        slug: impl Into<String>,
        events: impl IntoIterator<Item = S>,
    ) -> Self {
        self.own = Organizer::new(slug, events);
        self
    }

    /// Adds an organizer with a token of its own, neither of which the other can see.
    pub fn other_organizer<S: Into<String>>(
        mut self,
        slug: impl Into<String>,
        token: impl Into<String>,
        events: impl IntoIterator<Item = S>,
    ) -> Self {
        let organizer = Organizer::new(slug, events);
        let access = Access::Organizer(organizer.slug.clone());
        self.settings.tokens.push((token.into(), access));
        self.settings.organizers.push(organizer);
        self
    }

    /// Adds a token of a team without the permission to change the organizer's settings.
    pub fn limited_token(mut self, token: impl Into<String>) -> Self {
        self.settings.tokens.push((token.into(), Access::Limited));
        self
    }

    /// Adds a token that was revoked.
    pub fn revoked_token(mut self, token: impl Into<String>) -> Self {
        self.settings.tokens.push((token.into(), Access::Revoked));
        self
    }

    /// The word before a token, such as `Bearer` or `Device`; `Token` unless set.
    pub fn auth_scheme(mut self, scheme: impl Into<String>) -> Self {
        self.settings.auth_scheme = scheme.into();
        self
    }

    /// Adds action types as a plugin does.
    pub fn action_types<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        let names = names.into_iter().map(Into::into);
        self.settings.more_action_types.extend(names);
        self
    }

    /// How long a receiver has to answer; 30 s of real time unless set, as at pretix.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// What the server's clock shows at the start; 2026-01-01T00:00:00Z unless set.
    pub fn start_time(mut self, time: DateTime<Utc>) -> Self {
        self.settings.start_time = time;
        self
    }

    /// Whether requests are kept for [`PretixFake::requests`]; they are unless set.
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
    pub async fn start(self) -> PretixFake {
        let mut settings = self.settings;
        let own = Access::Organizer(self.own.slug.clone());
        settings.tokens.insert(0, (self.token, own));
        settings.organizers.insert(0, self.own);
        let settings = Arc::new(settings);
        let host = Host::start(settings.record, |base_url| Api {
            state: Arc::new(Mutex::new(State::new(&settings))),
            courier: Courier::start(settings.anywhere),
            paging: Paging {
                base_url,
                default_size: PAGE_SIZE,
                max_size: Some(PAGE_SIZE),
            },
            settings,
        });
        PretixFake { host: host.await }
    }
}

impl fmt::Debug for PretixFakeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PretixFakeBuilder").finish_non_exhaustive()
    }
}
