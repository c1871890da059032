//! Fakes of the services, for test suites.
//!
//! A fake is a small server on loopback that keeps state, answers the service's API over real HTTP
//! and delivers events to the receivers registered with it. Nothing leaves the machine.
//!
//! Each fake stands alone: it has a port, a clock and a token of its own, several run side by side,
//! and it ends when it is dropped.

#[cfg(any(feature = "lune", feature = "preo"))]
mod answer;
#[cfg(any(feature = "lune", feature = "preo"))]
mod clock;
#[cfg(any(feature = "lune", feature = "preo"))]
mod courier;
#[cfg(feature = "preo")]
mod drf;
#[cfg(any(feature = "lune", feature = "preo"))]
mod fault;
#[cfg(any(feature = "lune", feature = "preo"))]
mod host;
#[cfg(any(feature = "lune", feature = "preo"))]
mod lock;
#[cfg(feature = "lune")]
mod lune;
#[cfg(feature = "preo")]
mod preo;
#[cfg(any(feature = "lune", feature = "preo"))]
mod record;
#[cfg(feature = "client")]
mod stub;
#[cfg(any(feature = "lune", feature = "preo"))]
mod table;

#[cfg(any(feature = "lune", feature = "preo"))]
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
#[cfg(any(feature = "lune", feature = "preo"))]
pub use record::RecordedRequest;
#[cfg(feature = "client")]
pub use stub::Stub;
