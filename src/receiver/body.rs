//! Reads a body within a size, a time, and what all bodies together may take.

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Rejection;

/// The bounds of one body, and the room that all of them share.
pub(super) struct Bounds<'a> {
    pub(super) max_bytes: usize,
    pub(super) room: &'a Semaphore,
}

impl Bounds<'_> {
    /// Reads a body and shows each piece of it to `seen` as it arrives.
    pub(super) async fn read<B: Body>(
        &self,
        headers: &HeaderMap,
        body: B,
        mut seen: impl FnMut(&[u8]),
    ) -> Result<Bytes, Rejection> {
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > self.max_bytes) {
            return Err(self.too_large());
        }
        let mut body = std::pin::pin!(body);
        let mut room = self
            .room
            .try_acquire_many(0)
            .map_err(|_| Rejection::Overloaded)?;
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Rejection::BrokenBody)?;
            let Ok(mut data) = frame.into_data() else {
                continue;
            };
            let length = data.remaining();
            if length > self.max_bytes - whole.len() {
                return Err(self.too_large());
            }
            room.merge(self.reserve(length)?);
            while data.has_remaining() {
                let chunk = data.chunk();
                seen(chunk);
                whole.extend_from_slice(chunk);
                let length = chunk.len();
                data.advance(length);
            }
        }
        Ok(whole.freeze())
    }

    fn reserve(&self, bytes: usize) -> Result<SemaphorePermit<'_>, Rejection> {
        let permits = u32::try_from(bytes).map_err(|_| self.too_large())?;
        self.room
            .try_acquire_many(permits)
            .map_err(|_| Rejection::Overloaded)
    }

    fn too_large(&self) -> Rejection {
        Rejection::TooLarge {
            limit: self.max_bytes,
        }
    }
}
