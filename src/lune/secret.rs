use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// The last 4 characters of a webhook's secret, for telling secrets apart.
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
/// Lune shows a whole secret only when a webhook is created or its secret rotated. This is what it
/// shows otherwise, and nothing can be verified with it, so it becomes no key:
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
    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a whole secret ends like this, so that it may be the one that is valid now.
    ///
    /// Secrets that differ can end alike. An empty suffix matches nothing.
    #[must_use]
    pub fn matches(&self, secret: &Secret) -> bool {
        !self.0.is_empty() && secret.expose().ends_with(&self.0)
    }
}

impl From<String> for SecretSuffix {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for SecretSuffix {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for SecretSuffix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretSuffix(..)")
    }
}
