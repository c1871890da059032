//! Reads a body, within its own size limit and the limit shared by all bodies.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::coop;

use super::Refusal;

/// The limits on one body, and the buffer space that all bodies share.
pub(super) struct BodyLimits<'a> {
    pub(super) max_bytes: usize,
    pub(super) buffer: &'a Arc<Semaphore>,
}

/// A complete body. It occupies buffer space until it is dropped.
pub(super) struct Buffered {
    pub(super) bytes: Bytes,
    pub(super) permit: OwnedSemaphorePermit,
}

impl BodyLimits<'_> {
    /// Reads a body.
    pub(super) async fn read<B: Body>(
        &self,
        headers: &HeaderMap,
        body: B,
    ) -> Result<Buffered, Refusal> {
        let declared = declared_length(headers, &body);
        if declared.is_some_and(|length| length > self.max_bytes) {
            return Err(self.too_large());
        }
        let likely = declared.unwrap_or(self.max_bytes);
        let mut body = std::pin::pin!(body);
        let mut whole = Vec::new();
        let mut permit = self.reserve(0)?;
        while let Some(frame) = body.frame().await {
            // Without this, a body that is always ready would keep the timeout from being polled.
            coop::consume_budget().await;
            let frame = frame.map_err(|_| Refusal::BodyIncomplete)?;
            let Ok(mut data) = frame.into_data() else {
                continue;
            };
            let needed = whole
                .len()
                .checked_add(data.remaining())
                .filter(|needed| *needed <= self.max_bytes)
                .ok_or_else(|| self.too_large())?;
            if needed > whole.capacity() {
                let capacity = needed.max(next_capacity(whole.capacity()).min(likely));
                permit.merge(self.reserve(capacity - whole.capacity())?);
                whole.reserve_exact(capacity - whole.len());
            }
            while data.has_remaining() {
                let chunk = data.chunk();
                whole.extend_from_slice(chunk);
                let length = chunk.len();
                data.advance(length);
            }
        }
        Ok(Buffered {
            bytes: Bytes::from(whole),
            permit,
        })
    }

    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
        u32::try_from(bytes)
            .ok()
            .and_then(|permits| Arc::clone(self.buffer).try_acquire_many_owned(permits).ok())
            .ok_or(Refusal::Overloaded)
    }

    fn too_large(&self) -> Refusal {
        Refusal::BodyTooLarge {
            limit: self.max_bytes,
        }
    }
}

/// The next capacity. A stalled body holds at most 1 MiB or an eighth more than it sent.
fn next_capacity(capacity: usize) -> usize {
    capacity + capacity.min(MAX_GROWTH.max(capacity / 8))
}

const MAX_GROWTH: usize = 1024 * 1024;

/// The declared minimum length of the body.
fn declared_length<B: Body>(headers: &HeaderMap, body: &B) -> Option<usize> {
    let hinted = body.size_hint().lower();
    let header = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let length = header.map_or(hinted, |header| header.max(hinted));
    (length > 0).then(|| usize::try_from(length).unwrap_or(usize::MAX))
}
