//! The code that the build script makes from `openapi-lune.yaml`.

use crate::transport::runtime as progenitor_client;

include!(concat!(env!("OUT_DIR"), "/lune.rs"));
