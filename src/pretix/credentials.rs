use std::fmt;

use thiserror::Error;

use crate::Secret;

/// A user and a password that pretix sends in HTTP Basic authentication.
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::pretix::{Credentials, CredentialsError};
///
/// let credentials = Credentials::new("pretix", Secret::from("swordfish"))?;
/// assert_eq!(credentials.user(), "pretix");
/// assert!(!format!("{credentials:?}").contains("swordfish"));
///
/// let empty = Credentials::new("pretix", Secret::from(""));
/// assert_eq!(empty, Err(CredentialsError::EmptyPassword));
/// # Ok::<(), CredentialsError>(())
/// ```
///
/// The same credentials go into a [`TargetUrl`](super::TargetUrl) and into the
/// [`BasicAuth`](super::BasicAuth) that checks deliveries. Use a password of at least 32 random
/// characters, because guesses aren't rate limited.
///
/// Only printable ASCII is accepted: pretix 2026.8.0 sends other characters as Latin-1, and with a
/// character that Latin-1 lacks it drops the delivery without a retry.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: Secret,
}

impl Credentials {
    /// Creates credentials from a user and a password, neither percent-encoded.
    ///
    /// # Errors
    ///
    /// Returns a [`CredentialsError`] if either is empty or blank, begins or ends with whitespace,
    /// or contains anything but printable ASCII (space to `~`), or if the user contains a colon.
    /// Nothing is trimmed silently.
    pub fn new(user: impl Into<String>, password: Secret) -> Result<Self, CredentialsError> {
        let user = user.into();
        if user.trim().is_empty() {
            return Err(CredentialsError::EmptyUser);
        }
        if password.expose().trim().is_empty() {
            return Err(CredentialsError::EmptyPassword);
        }
        for text in [&user, password.expose()] {
            if text.trim() != text {
                return Err(CredentialsError::SurroundingWhitespace);
            }
            if !is_printable_ascii(text) {
                return Err(CredentialsError::NotPrintableAscii);
            }
        }
        if user.contains(':') {
            return Err(CredentialsError::ColonInUser);
        }
        Ok(Self { user, password })
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password.
    pub fn password(&self) -> &Secret {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// An error from creating [`Credentials`]. It never contains the password.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The user is empty or blank.
    #[error("the user is empty")]
    EmptyUser,
    /// The password is empty or blank; anyone could send it.
    #[error("the password is empty or blank; use at least 32 random characters")]
    EmptyPassword,
    /// The user or the password begins or ends with whitespace.
    #[error(
        "the user or password begins or ends with whitespace; trim it, for example a newline at the \
         end of a file"
    )]
    SurroundingWhitespace,
    /// The user or the password contains a control character or a non-ASCII character.
    #[error("the user or password contains a character other than printable ASCII; use ASCII only")]
    NotPrintableAscii,
    /// The user contains a colon, which separates it from the password.
    #[error("the user contains a colon; move it into the password")]
    ColonInUser,
}

#[cfg(feature = "client")]
impl From<CredentialsError> for crate::Error {
    /// A configuration error.
    fn from(error: CredentialsError) -> Self {
        Self::configuration(error.to_string())
    }
}

fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
