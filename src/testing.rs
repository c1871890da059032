//! Fakes of the services, for test suites.
//!
//! A fake is a small server on loopback that keeps state, answers the service's API over real HTTP
//! and delivers events to the receivers registered with it. Nothing leaves the machine.
//!
//! Each fake stands alone: it has a port, a clock and a token of its own, several run side by side,
//! and it ends when it is dropped.

#[cfg(service)]
mod answer;
#[cfg(service)]
mod clock;
#[cfg(service)]
mod controls;
#[cfg(service)]
mod courier;
#[cfg(pages)]
#[cfg_attr(
    not(all(feature = "preo", feature = "pretix")),
    allow(dead_code, reason = "each service uses a part of it")
)]
mod drf;
mod example;
#[cfg(service)]
mod fault;
#[cfg(service)]
mod host;
#[cfg(service)]
mod lock;
#[cfg(feature = "lune")]
mod lune;
#[cfg(feature = "preo")]
mod preo;
#[cfg(feature = "pretix")]
mod pretix;
#[cfg(service)]
mod record;
#[cfg(feature = "client")]
mod stub;
#[cfg(any(feature = "lune", feature = "preo"))]
mod table;

#[cfg(service)]
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
#[cfg(service)]
pub use record::RecordedRequest;
#[cfg(feature = "client")]
pub use stub::Stub;

pub(crate) use example::example;
