//! A source of your own: any service that follows <https://www.standardwebhooks.com>.
//!
//! `cargo run --example source_standard_webhooks --features receiver`

use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;
use data_encoding::BASE64;
use http::Request;
use http::request::Parts;
use http_body_util::Full;
use serde_json::Value;
use webhook_sdk::receiver::{
    Authenticated, Authentication, DecodeError, Event, Receiver, Refusal, Source,
};
use webhook_sdk::signature::{DigestEncoding, Key, Part, Scheme, Verifier};

struct StandardWebhooks {
    verifier: Verifier,
}

/// `v1,` and the base64 digest of `id.timestamp.body`, several signatures separated by spaces.
fn verifier(secret: &str) -> Result<Verifier, Box<dyn std::error::Error>> {
    let scheme = Scheme::builder("webhook-signature")
        .prefix("v1,")
        .list(" ")
        .encoding(DigestEncoding::Base64)
        .timestamp_header("webhook-timestamp")
        .sign([
            Part::header("webhook-id"),
            Part::literal("."),
            Part::Timestamp,
            Part::literal("."),
            Part::Body,
        ])
        .tolerance(Duration::from_secs(300))
        .build()?;
    let secret = secret.strip_prefix("whsec_").unwrap_or(secret);
    let key = Key::from_bytes("main", &BASE64.decode(secret.as_bytes())?)?;
    Ok(Verifier::new(scheme, key))
}

impl Source for StandardWebhooks {
    type Event = Value;

    fn name(&self) -> &str {
        "standard-webhooks"
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        Ok(self.verifier.begin(&parts.headers)?.into())
    }

    fn decode(&self, delivery: &Authenticated<'_>) -> Result<Vec<Event<Value>>, DecodeError> {
        let key = delivery.event_key(&[delivery.header("webhook-id")?]);
        Ok(vec![delivery.event(key, delivery.json()?)])
    }
}

/// Receives the example of the specification's reference libraries.
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let signed_at = DateTime::from_timestamp(1_614_265_330, 0).ok_or("no such time")?;
    let verifier = verifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?.clock(move || signed_at);
    let receiver = Receiver::new(StandardWebhooks { verifier });
    let request = |id: &str| {
        let genuine = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let other = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
        Request::post("/hooks")
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", "1614265330")
            .header("webhook-signature", format!("{other} {genuine}"))
            .body(Full::<Bytes>::from(r#"{"test": 2432232314}"#))
    };
    let (parts, body) = request("msg_p5jXN8AQM9LWM0D4loKWxJek")?.into_parts();
    let delivery = receiver.receive(&parts, body).await?;
    let outcome = delivery
        .handle(async |event| println!("{}", event["test"]))
        .await;
    let (parts, body) = request("msg_another")?.into_parts();
    let forged = receiver.receive(&parts, body).await;
    if outcome.status() != 204 || !forged.is_err_and(|refusal| refusal.status() == 401) {
        return Err("an unexpected answer".into());
    }
    println!("source_standard_webhooks: ok");
    Ok(())
}
