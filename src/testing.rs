//! Fakes and typed stubs of the services, for tests.
//!
//! A `Fake` is a small stateful server on loopback that implements the service's API over real
//! HTTP, and delivers events to the registered receivers. A `Stub` responds to one operation. No
//! request leaves the machine.

#[cfg(service)]
mod access;
#[cfg(service)]
mod body;
#[cfg(service)]
mod clock;
#[cfg(service)]
mod delivery;
#[cfg(service)]
mod dispatch;
#[cfg(service)]
mod emission;
#[cfg(service)]
mod error_format;
#[cfg(service)]
mod example;
#[cfg(service)]
mod fake;
#[cfg(service)]
mod fault;
#[cfg(service)]
mod fault_queue;
#[cfg(feature = "lune")]
mod lune;
#[cfg(pages)]
mod page;
#[cfg(feature = "preo")]
mod preo;
#[cfg(feature = "pretix")]
mod pretix;
#[cfg(service)]
mod recorded;
#[cfg(service)]
mod reply;
mod request;
#[cfg(service)]
mod route;
#[cfg(service)]
mod sender;
#[cfg(service)]
mod server;
#[cfg(service)]
mod service;
#[cfg(service)]
mod stub;

#[cfg(service)]
pub use self::delivery::{FakeDelivery, FakeDeliveryStatus};
#[cfg(service)]
pub use self::emission::Emission;
#[cfg(service)]
pub use self::fake::{Fake, FakeBuilder};
#[cfg(service)]
pub use self::fault::Fault;
#[cfg(feature = "lune")]
pub use self::lune::{Lune, LuneFake};
#[cfg(feature = "preo")]
pub use self::preo::{Preo, PreoFake};
#[cfg(feature = "pretix")]
pub use self::pretix::{Pretix, PretixFake};
#[cfg(service)]
pub use self::recorded::RecordedRequest;
#[cfg(feature = "pretix")]
pub use self::request::credentialed_request;
pub use self::request::{sign, signed_request};
#[cfg(service)]
pub use self::service::FakeService;
#[cfg(service)]
pub use self::stub::{AnsweringStub, PageItem, Stub, StubGuard, StubHost, StubServer, page_of};

#[cfg(service)]
pub(crate) use self::error_format::ErrorFormat;
#[cfg(service)]
pub(crate) use self::example::example;
#[cfg(service)]
pub(crate) use self::stub::StubOperation;
