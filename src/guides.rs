//! Guides to receiving in production, recovering, testing, debugging, migrating, and extending.

#[doc = include_str!("../docs/adding-a-service.md")]
pub mod adding_a_service {}
#[doc = include_str!("../docs/debugging-signatures.md")]
pub mod debugging_signatures {}
#[doc = include_str!("../docs/migration.md")]
pub mod migration {}
// The first definition of a link counts: these go before those of the file, which lead to other files.
#[doc = concat!("[receiver picture]: ", env!("PICTURE_RECEIVER"))]
#[doc = concat!("[rotation picture]: ", env!("PICTURE_ROTATION"))]
#[doc = "[debugging guide]: debugging_signatures"]
#[doc = "[recovery guide]: recovery"]
#[doc = ""]
#[doc = include_str!("../docs/receiving.md")]
pub mod receiving {}
#[doc = include_str!("../docs/recovery.md")]
pub mod recovery {}
#[doc = include_str!("../docs/testing.md")]
pub mod testing {}
