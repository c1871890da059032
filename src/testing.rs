//! Fakes of the services, for test suites.
//!
//! A fake is a small server on loopback that keeps state, answers the service's API over real HTTP
//! and delivers events to the receivers registered with it. Nothing leaves the machine.
//!
//! Each fake stands alone: it has a port, a clock and a token of its own, several run side by side,
//! and it ends when it is dropped.

#[cfg(feature = "preo")]
mod answer;
#[cfg(feature = "preo")]
mod clock;
#[cfg(feature = "preo")]
mod courier;
#[cfg(feature = "preo")]
mod drf;
#[cfg(feature = "preo")]
mod fault;
#[cfg(feature = "preo")]
mod host;
#[cfg(feature = "preo")]
mod lock;
#[cfg(feature = "preo")]
mod preo;
#[cfg(feature = "preo")]
mod record;
#[cfg(feature = "client")]
mod stub;
#[cfg(feature = "preo")]
mod table;

#[cfg(feature = "preo")]
pub use fault::Fault;
#[cfg(feature = "preo")]
pub use preo::{
    PreoEmission, PreoFake, PreoFakeBuilder, PreoFakeDelivery, PreoFakeDeliveryStatus,
    PreoFakeWebhook, PreoOperation, PreoWebhookSeed,
};
#[cfg(feature = "preo")]
pub use record::RecordedRequest;
#[cfg(feature = "client")]
pub use stub::Stub;
