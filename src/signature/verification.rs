use std::fmt;
use std::sync::Arc;

use hmac::Mac;
use smallvec::SmallVec;

use super::VerifyError;
use super::claim::{Claim, Signatures, feed};
use super::clock::{Clock, Moment};
use super::digest::{HmacSha256, authenticates};
use super::freshness::Freshness;
use super::key::Key;
use super::verified::{UnsignedFields, Verified};

/// A verification whose headers are read and whose body is still arriving.
///
/// Made by [`Verifier::begin`](super::Verifier::begin). It borrows nothing, so it can travel with
/// the body. The keys are those that were active at its beginning.
pub struct Verification {
    candidates: SmallVec<[Candidate; 2]>,
    after_body: SmallVec<[u8; 64]>,
    signatures: Signatures,
    freshness: Freshness,
    clock: Option<Arc<dyn Clock>>,
    fields: UnsignedFields,
}

impl Verification {
    pub(super) fn begin(
        claim: &Claim<'_>,
        keys: &[Key],
        freshness: Freshness,
        clock: Option<Arc<dyn Clock>>,
    ) -> Result<Self, VerifyError> {
        let moment = Moment::of(clock.as_deref());
        let candidates: SmallVec<_> = keys
            .iter()
            .filter(|key| key.is_active(&moment))
            .map(|key| {
                let mut mac = key.mac();
                feed(&mut mac, &claim.before_body);
                Candidate {
                    name: key.shared_name(),
                    mac,
                }
            })
            .collect();
        if candidates.is_empty() {
            return Err(VerifyError::NoActiveKey);
        }
        Ok(Self {
            candidates,
            after_body: claim
                .after_body
                .iter()
                .copied()
                .flatten()
                .copied()
                .collect(),
            signatures: claim.signatures.clone(),
            freshness,
            clock,
            fields: UnsignedFields::of(&claim.others),
        })
    }

    /// Takes the next bytes of the body, however it is cut.
    pub fn update(&mut self, bytes: &[u8]) {
        for candidate in &mut self.candidates {
            candidate.mac.update(bytes);
        }
    }

    /// Judges the whole: the signature first, then the timestamp against the present moment.
    ///
    /// # Errors
    /// [`VerifyError::Mismatch`], [`VerifyError::TooOld`] or [`VerifyError::TooNew`].
    pub fn finish(self) -> Result<Verified<()>, VerifyError> {
        for mut candidate in self.candidates {
            candidate.mac.update(&self.after_body);
            if authenticates(candidate.mac, &self.signatures) {
                self.freshness.check(&Moment::of(self.clock.as_deref()))?;
                let timestamp = self.freshness.timestamp();
                return Ok(Verified::new((), candidate.name, timestamp, self.fields));
            }
        }
        Err(VerifyError::Mismatch)
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.candidates.iter().map(|candidate| &candidate.name);
        f.debug_struct("Verification")
            .field("keys", &keys.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

struct Candidate {
    name: Arc<str>,
    mac: HmacSha256,
}
