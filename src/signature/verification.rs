use std::fmt;

use super::claim::Claim;
use super::{Verified, Verifier, VerifyError};

/// A verification whose headers have been checked and whose body hasn't arrived yet.
///
/// Returned by [`Verifier::begin`]. It borrows nothing, so it can wait for the body.
pub struct Verification {
    pub(super) verifier: Verifier,
    pub(super) claim: Claim,
}

impl Verification {
    /// Verifies the body: its signature by the keys of this moment, then the timestamp's age.
    ///
    /// # Errors
    ///
    /// [`VerifyError::NoActiveKey`], [`VerifyError::Mismatch`], [`VerifyError::TooOld`] or
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
