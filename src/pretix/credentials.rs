use std::fmt;

use thiserror::Error;

use crate::Secret;

/// A user and a password that pretix can send in HTTP Basic authentication.
///
/// ```
/// use webhook_sdk::Secret;
/// use webhook_sdk::pretix::{Credentials, CredentialsError};
///
/// let credentials = Credentials::new("pretix", Secret::from("swordfish"))?;
/// assert_eq!(credentials.user(), "pretix");
/// assert!(!format!("{credentials:?}").contains("swordfish"));
///
/// assert_eq!(Credentials::new("pretix", Secret::from("")), Err(CredentialsError::EmptyPassword));
/// # Ok::<(), CredentialsError>(())
/// ```
///
/// The same credentials go into a [`TargetUrl`](super::TargetUrl) and into the
/// [`BasicAuth`](super::BasicAuth) that checks what comes back. Printable ASCII only: pretix
/// 2026.8.0 sends other characters in Latin-1, and with one that Latin-1 lacks it drops the
/// delivery without a retry. Take a password of at least 32 random characters; nothing slows down
/// guessing.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: Secret,
}

impl Credentials {
    /// Credentials from a user and a password, neither percent-encoded.
    ///
    /// # Errors
    ///
    /// If either is empty or has a character other than printable ASCII (space to `~`), or if the
    /// user has a colon.
    pub fn new(user: impl Into<String>, password: Secret) -> Result<Self, CredentialsError> {
        let user = user.into();
        if user.is_empty() {
            return Err(CredentialsError::EmptyUser);
        }
        if password.is_empty() {
            return Err(CredentialsError::EmptyPassword);
        }
        if !is_printable_ascii(&user) || !is_printable_ascii(password.expose()) {
            return Err(CredentialsError::NotPrintableAscii);
        }
        if user.contains(':') {
            return Err(CredentialsError::ColonInUser);
        }
        Ok(Self { user, password })
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password.
    #[must_use]
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

/// Why [`Credentials`] can't be built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The user is empty.
    #[error("the user is empty")]
    EmptyUser,
    /// The password is empty.
    #[error("the password is empty")]
    EmptyPassword,
    /// The user or the password has a control character or one outside of ASCII.
    #[error("user and password may have printable ASCII characters only")]
    NotPrintableAscii,
    /// The user has a colon, which would end it.
    #[error("the user contains a colon; move it into the password")]
    ColonInUser,
}

fn is_printable_ascii(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
