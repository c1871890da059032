use std::fmt;
use std::time::Duration;

use super::log;
use crate::error::{Error, ErrorKind, Sent};
use crate::signature::{Key, Keyring, KeyringError, Retire};

/// The operation name in errors.
const OPERATION: &str = "rotate_webhook_secret";

/// Replaces a signing key of a running receiver, with a grace period.
///
/// Pass it to `rotate_webhook_secret(…).rotate(…)` of Preo or Lune. The new key is accepted as soon
/// as the service returns it. The old key is accepted until its grace period ends, or until its own
/// expiry if that is earlier. If the new name is taken during the call, a number is appended to it.
///
/// **There is a gap.** The service starts to sign with the new secret during the call, but the
/// receiver only knows that secret after the call returns. Deliveries in between are refused with
/// 401, and accepted when they are redelivered.
///
/// A rotation only changes a keyring in memory, in one process. Save the new secret where receivers
/// read it when they start, and add it to the keyrings of the other processes.
#[derive(Clone)]
#[must_use = "nothing is rotated until it is passed to a call"]
pub struct Rotation<'a> {
    keyring: &'a Keyring,
    old: &'a str,
    new: &'a str,
    grace: Duration,
}

impl<'a> Rotation<'a> {
    /// Replaces the key `old` of a keyring with a key named `new`.
    pub fn new(keyring: &'a Keyring, old: &'a str, new: &'a str) -> Self {
        Self {
            keyring,
            old,
            new,
            grace: Duration::from_secs(4 * 24 * 60 * 60),
        }
    }

    /// Sets how long the old key is accepted after the call. Defaults to 4 days.
    ///
    /// The services don't publish for how long they resend an existing signature. Choose a shorter
    /// period if the old secret has leaked.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Calls the service, and adds the key from its response to the keyring.
    pub(crate) async fn run<T>(
        self,
        call: impl Future<Output = Result<T, Error>>,
        key: impl Fn(&T, &str) -> Result<Key, Error>,
    ) -> Result<T, Error> {
        let names = self.keyring.names();
        let unusable = |message| {
            let error = Error::configuration(message).with_operation(OPERATION);
            Err(log::failed(error))
        };
        if !names.iter().any(|name| name == self.old) {
            return unusable(format!("the keyring has no key named `{}`", self.old));
        }
        if names.iter().any(|name| name == self.new) {
            return unusable("the keyring already has a key with the new name".to_owned());
        }
        let response = call.await?;
        if !self.admit(|name| key(&response, name)).map_err(rotated)? {
            return Ok(response);
        }
        match self.keyring.retire(self.old, Retire::after(self.grace)) {
            // It was removed in the meantime.
            Ok(()) | Err(KeyringError::NotFound { .. }) => Ok(response),
            Err(error) => {
                let message = "the old key can't be retired";
                Err(rotated(
                    Error::new(ErrorKind::Secret, message).with_source(error),
                ))
            }
        }
    }

    /// Adds the new key, with a number in its name if the name was taken during the call, because
    /// the secret must not be lost. Returns whether it differs from the old key's secret.
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
                Ok(()) => return Ok(true),
                Err(error) => {
                    let message = "the new key can't be added";
                    return Err(Error::new(ErrorKind::Secret, message).with_source(error));
                }
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

/// An error after the service rotated the secret.
fn rotated(error: Error) -> Error {
    let sent = Sent {
        attempts: 1,
        applied: true,
    };
    log::failed(error.with_operation(OPERATION).with_sent(sent))
}
