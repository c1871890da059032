//! Verifies a payload with the webhook's secret.
//!
//! `cargo run --example verify_payload --no-default-features --features preo`

use http::{HeaderMap, HeaderValue};
use webhook_sdk::{Secret, preo};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = preo::verifier(&Secret::from("the secret of the create call"))?;

    let mut headers = HeaderMap::new();
    headers.insert(
        "x-preo-signature",
        HeaderValue::from_static(
            "003a53eedde68f5d234fa29fd108feff2a8303481b0825c9c624335ddcdd5822",
        ),
    );
    let verified = verifier.verify(&headers, br#"{"event":"consent.given"}"#)?;
    println!("{} verified bytes", verified.payload().len());

    let forged = verifier.verify(&headers, br#"{"event":"consent.taken"}"#);
    println!("refused: {}", forged.err().ok_or("a forgery was accepted")?);
    Ok(())
}
