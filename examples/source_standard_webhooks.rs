//! Receives from services that follow Standard Webhooks through a `Source` of your own.
//!
//! `cargo run --example source_standard_webhooks --features receiver`

use std::time::Duration;

use data_encoding::BASE64;
use http::{Request, request::Parts};
use serde_json::Value;
use webhook_sdk::receiver::{
    Authenticated, Authentication, BoxError, DecodeError, Event, Receiver, Refusal, Source,
};
use webhook_sdk::signature::{DigestEncoding, Key, Part, Scheme, Signer, Verifier};

pub(crate) struct StandardWebhooks(pub(crate) Verifier);

/// The rules of Standard Webhooks, and the key of a secret such as `whsec_MfKQ9r8G`.
pub(crate) fn rules(secret: &str) -> Result<(Scheme, Key), BoxError> {
    let [id, dot] = [Part::header("webhook-id"), Part::literal(".")];
    let scheme = Scheme::builder("webhook-signature")
        .prefix("v1,")
        .list(" ")
        .encoding(DigestEncoding::Base64)
        .timestamp_header("webhook-timestamp")
        .sign([id, dot.clone(), Part::Timestamp, dot, Part::Body])
        .tolerance(Duration::from_secs(300));
    let key = secret.strip_prefix("whsec_").ok_or("no whsec_")?;
    let key = Key::from_bytes("1", &BASE64.decode(key.as_bytes())?)?;
    Ok((scheme.build()?, key))
}

impl Source for StandardWebhooks {
    type Event = Value;
    fn name(&self) -> &str {
        "standard-webhooks"
    }
    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        Ok(self.0.begin(&parts.headers)?.into())
    }
    fn decode(&self, request: &Authenticated<'_>) -> Result<Vec<Event<Value>>, DecodeError> {
        let key = request.event_key(&[request.header("webhook-id")?]);
        Ok(vec![request.event(key, request.json()?)])
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let (scheme, key) = rules("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
    let receiver = Receiver::new(StandardWebhooks(Verifier::new(scheme.clone(), &key)));
    let mut request = Request::post("/")
        .header("webhook-id", "msg_1")
        .body("{}".to_owned())?;
    Signer::with_key(scheme, key).sign(request.headers_mut(), b"{}")?;
    let (parts, body) = request.into_parts();
    let delivery = receiver.receive(&parts, body).await?;
    assert_eq!(delivery.handle(async |_| ()).await.status(), 204);
    Ok(())
}
