use std::fmt;

use super::claim::Claim;
use super::{Verified, Verifier, VerifyError};

/// A verification with checked headers that still needs the body.
///
/// Returned by [`Verifier::begin`]. It borrows nothing, so it can be kept while the body is read.
pub struct Verification {
    pub(super) verifier: Verifier,
    pub(super) claim: Claim,
}

impl Verification {
    /// Verifies the body: first its signature with the current keys, then the timestamp.
    ///
    /// # Errors
    ///
    /// Returns [`VerifyError::NoActiveKey`], [`VerifyError::Mismatch`], [`VerifyError::TooOld`] or
    /// [`VerifyError::TooNew`].
    pub fn finish<B: AsRef<[u8]>>(mut self, body: B) -> Result<Verified<B>, VerifyError> {
        self.verifier.judge(&mut self.claim, body)
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification")
            .field("verifier", &self.verifier)
            .finish_non_exhaustive()
    }
}
