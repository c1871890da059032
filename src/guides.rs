//! Guides to receiving in production, testing, debugging, migrating, and extending.

#[doc = include_str!("../docs/adding-a-service.md")]
pub mod adding_a_service {}
#[doc = include_str!("../docs/debugging-signatures.md")]
pub mod debugging_signatures {}
#[doc = include_str!("../docs/migration.md")]
pub mod migration {}
#[doc = include_str!("../docs/receiving.md")]
pub mod receiving {}
#[doc = include_str!("../docs/testing.md")]
pub mod testing {}
