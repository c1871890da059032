//! Verifies a payload by the secret, in one call and piece by piece.
//!
//! `cargo run --example verify_payload --no-default-features --features preo`

use http::{HeaderMap, HeaderValue};
use webhook_sdk::signature::{Key, Keyring, Verifier};
use webhook_sdk::{Secret, preo};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::from("the secret of the create call");
    let body = br#"{"event":"consent.given"}"#;
    let mut headers = HeaderMap::new();
    headers.insert(
        preo::SIGNATURE_HEADER,
        HeaderValue::from_static(
            "003a53eedde68f5d234fa29fd108feff2a8303481b0825c9c624335ddcdd5822",
        ),
    );

    let verifier = Verifier::new(preo::scheme(), Keyring::new(Key::new("2026-11", &secret)?));

    let verified = verifier.verify(&headers, body)?;
    println!(
        "{} bytes are genuine by the key {}",
        verified.payload().len(),
        verified.key()
    );

    let mut verification = verifier.begin(&headers)?;
    for chunk in body.chunks(10) {
        verification.update(chunk);
    }
    println!(
        "so are its pieces, by the key {}",
        verification.finish()?.key()
    );

    let refusal = verifier.verify(&headers, b"{}");
    println!(
        "another body: {}",
        refusal.err().ok_or("a forgery was accepted")?
    );
    Ok(())
}
