use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::signature::{Key, Keyring, KeyringError, Retire};

/// How a key of a running receiver gives way to its successor.
///
/// It is handed to `rotate_webhook_secret(…).rotate(…)` of Preo or Lune. The old key is accepted
/// until its grace period ends, for deliveries that were signed before, or until the end that was set
/// for it already, if that is earlier; the new one from the moment on in which the service has told
/// it. Should its name be taken during the call, a number is added to it.
///
/// **There is a gap.** A service signs with the new secret from some moment during the call, and
/// nobody else knows the secret before the call returns. What is delivered in between is refused
/// with 401, and is accepted when it is delivered again.
///
/// This changes one keyring in one process, and nothing that lasts: write the new secret to where
/// the receivers read theirs when they start, and have the rest of a fleet add it too.
#[derive(Clone)]
#[must_use = "nothing is rotated until it is handed to a call"]
pub struct Rotation<'a> {
    keyring: &'a Keyring,
    old: &'a str,
    new: &'a str,
    grace: Duration,
}

impl<'a> Rotation<'a> {
    /// Lets the key `old` of a keyring give way to a key that will be named `new`.
    pub fn new(keyring: &'a Keyring, old: &'a str, new: &'a str) -> Self {
        Self {
            keyring,
            old,
            new,
            grace: Duration::from_secs(4 * 24 * 60 * 60),
        }
    }

    /// How long the old key is accepted after the call; 4 days by default.
    ///
    /// How long the services retry with a signature that they have once made is unpublished. Shorten
    /// it where the old secret has leaked.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Makes the rotating call, and puts the key of its answer into the keyring.
    pub(crate) async fn run<T>(
        self,
        call: impl Future<Output = Result<T, Error>>,
        key: impl Fn(&T, &str) -> Result<Key, Error>,
    ) -> Result<T, Error> {
        let names = self.keyring.names();
        if !names.iter().any(|name| name == self.old) {
            return Err(Error::configuration("the keyring lacks the old key"));
        }
        if names.iter().any(|name| name == self.new) {
            return Err(Error::configuration(
                "the keyring has a key of the new name already",
            ));
        }
        let answer = call.await?;
        if !self.admit(|name| key(&answer, name)).map_err(rotated)? {
            return Ok(answer);
        }
        match self.keyring.retire(self.old, Retire::after(self.grace)) {
            // Somebody else has removed it meanwhile.
            Ok(()) | Err(KeyringError::NotFound { .. }) => Ok(answer),
            Err(error) => {
                let message = "the old key can't be retired";
                Err(rotated(
                    Error::new(ErrorKind::Secret, message).with_source(error),
                ))
            }
        }
    }

    /// Adds the new key, under a number if its name was taken during the call, because the secret
    /// must not be lost. Returns whether it differs from the old key's secret.
    fn admit(&self, key: impl Fn(&str) -> Result<Key, Error>) -> Result<bool, Error> {
        let mut name = self.new.to_owned();
        let mut number = 2_u64;
        loop {
            match self.keyring.add(key(&name)?) {
                Err(KeyringError::NameTaken { .. }) => {
                    name = format!("{} {number}", self.new);
                    number += 1;
                }
                Err(KeyringError::SecretTaken { other, .. }) => return Ok(other != self.old),
                Ok(()) | Err(_) => return Ok(true),
            }
        }
    }
}

impl fmt::Debug for Rotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("old", &self.old)
            .field("new", &self.new)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

/// An error after the service has rotated the secret.
fn rotated(error: Error) -> Error {
    error
        .with_operation("rotate_webhook_secret")
        .with_attempts(1)
        .with_applied(true)
}
