use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::signature::Verified;

/// What authenticated a delivery.
pub(super) struct Proof {
    pub(super) by: By,
    pub(super) tenant: Option<Arc<str>>,
}

pub(super) enum By {
    Signature(Verified<()>),
    Credentials(Arc<str>),
}

impl Proof {
    pub(super) fn verified(&self) -> Option<&Verified<()>> {
        match &self.by {
            By::Signature(verified) => Some(verified),
            By::Credentials(_) => None,
        }
    }

    pub(super) fn key_name(&self) -> &str {
        match &self.by {
            By::Signature(verified) => verified.key_name(),
            By::Credentials(name) => name,
        }
    }

    pub(super) fn timestamp(&self) -> Option<DateTime<Utc>> {
        self.verified().and_then(Verified::timestamp)
    }
}
