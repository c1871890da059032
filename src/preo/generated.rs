//! The code that the build script makes from `openapi.yaml`.

use crate::client::runtime as progenitor_client;

include!(concat!(env!("OUT_DIR"), "/preo.rs"));
