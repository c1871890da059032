//! Fakes of the services, for test suites.
//!
//! A fake is a small server on loopback that keeps state, answers the service's API over real HTTP
//! and delivers events to the receivers registered with it. Nothing leaves the machine.
//!
//! Each fake stands alone: it has a port, a clock and a token of its own, several run side by side,
//! and it ends when it is dropped.

#[cfg(any(feature = "lune", feature = "preo", feature = "pretix"))]
mod answer;
#[cfg(any(feature = "lune", feature = "preo", feature = "pretix"))]
mod clock;
#[cfg(any(feature = "lune", feature = "preo", feature = "pretix"))]
mod controls;
#[cfg(any(feature = "lune", feature = "preo", feature = "pretix"))]
mod courier;
#[cfg(any(feature = "preo", feature = "pretix"))]
#[cfg_attr(
    not(all(feature = "preo", feature = "pretix")),
    allow(dead_code, reason = "each service uses a part of it")
)]
mod drf;
#[cfg(any(feature = "lune", feature = "preo", feature = "pretix"))]
mod fault;
#[cfg(any(feature = "lune", feature = "preo", feature = "pretix"))]
mod host;
#[cfg(any(feature = "lune", feature = "preo", feature = "pretix"))]
mod lock;
#[cfg(feature = "lune")]
mod lune;
#[cfg(feature = "preo")]
mod preo;
#[cfg(feature = "pretix")]
mod pretix;
#[cfg(any(feature = "lune", feature = "preo", feature = "pretix"))]
mod record;
#[cfg(feature = "client")]
mod stub;
#[cfg(any(feature = "lune", feature = "preo"))]
mod table;

#[cfg(any(feature = "lune", feature = "preo", feature = "pretix"))]
pub use fault::Fault;
#[cfg(feature = "lune")]
pub use lune::{
    LuneFake, LuneFakeBuilder, LuneFakeDelivery, LuneFakeEvent, LuneFakeWebhook, LuneOperation,
    LuneWebhookSeed,
};
#[cfg(feature = "preo")]
pub use preo::{
    PreoEmission, PreoFake, PreoFakeBuilder, PreoFakeDelivery, PreoFakeDeliveryStatus,
    PreoFakeWebhook, PreoOperation, PreoWebhookSeed,
};
#[cfg(feature = "pretix")]
pub use pretix::{
    PretixFake, PretixFakeBuilder, PretixFakeDelivery, PretixFakeDeliveryStatus, PretixFakeWebhook,
    PretixOperation, PretixWebhookSeed,
};
#[cfg(any(feature = "lune", feature = "preo", feature = "pretix"))]
pub use record::RecordedRequest;
#[cfg(feature = "client")]
pub use stub::Stub;
