//! The code that the build script generates from `openapi.yaml`.

use crate::client::runtime as progenitor_client;

include!(concat!(env!("OUT_DIR"), "/preo.rs"));
