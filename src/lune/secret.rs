use serde::{Deserialize, Serialize};

use crate::Secret;
use crate::text::text_type;

/// The last 4 characters of a webhook's secret, to identify it.
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::lune::SecretSuffix;
///
/// let suffix = SecretSuffix::from("xxxx");
/// assert!(suffix.matches(&Secret::from("secret-xxxx")));
/// assert!(!suffix.matches(&Secret::from("secret-yyyy")));
/// ```
///
/// Lune returns a complete secret only when a webhook is created or its secret is rotated.
/// Otherwise, it returns this suffix. It can't verify anything, so it can't be used as a key:
///
/// ```compile_fail,E0308
/// use webhook_sdk::lune::SecretSuffix;
/// use webhook_sdk::signature::Key;
///
/// let key = Key::new("main", &SecretSuffix::from("xxxx"));
/// ```
///
/// `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretSuffix(String);

impl SecretSuffix {
    /// Whether a secret ends with this suffix, so that it may be the current one.
    ///
    /// Different secrets can have the same suffix. An empty suffix matches nothing.
    pub fn matches(&self, secret: &Secret) -> bool {
        !self.0.is_empty() && secret.expose().ends_with(&self.0)
    }
}

text_type!(SecretSuffix, redacted);
