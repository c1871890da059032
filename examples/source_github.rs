//! Receives GitHub's webhooks through a `Source` of your own.
//!
//! `cargo run --example source_github --features receiver`

use http::Request;
use http::request::Parts;
use webhook_sdk::Secret;
use webhook_sdk::receiver::{
    Authenticated, Authentication, BoxError, DecodeError, Event, Receiver, Refusal, Source,
};
use webhook_sdk::signature::{Key, Scheme, Verifier};

pub(crate) struct GitHub(Verifier);

impl GitHub {
    pub(crate) fn new(secret: &Secret) -> Result<Self, BoxError> {
        let scheme = Scheme::builder("x-hub-signature-256").prefix("sha256=");
        Ok(Self(Verifier::new(scheme.build()?, Key::new("1", secret)?)))
    }
}

impl Source for GitHub {
    /// The name of the event. Its header isn't signed, so a replay can change it.
    type Event = String;

    fn name(&self) -> &str {
        "github"
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        Ok(self.0.begin(&parts.headers)?.into())
    }

    /// `x-github-delivery` isn't signed either, so the digest of the body identifies the event.
    fn decode(&self, request: &Authenticated<'_>) -> Result<Vec<Event<String>>, DecodeError> {
        let name = request.header("x-github-event")?.to_owned();
        let key = request.digest_key(request.body());
        Ok(vec![request.event(key, name)])
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let receiver = Receiver::new(GitHub::new(&Secret::from("It's a Secret to Everybody"))?);
    let digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let request = Request::post("/")
        .header("x-github-event", "ping")
        .header("x-hub-signature-256", format!("sha256={digest}"));
    let (parts, body) = request.body("Hello, World!".to_owned())?.into_parts();
    let delivery = receiver.receive(&parts, body).await?;
    let outcome =
        delivery.handle(async |event| println!("{} of {} bytes", *event, event.raw().len()));
    assert_eq!(outcome.await.status(), 204);
    Ok(())
}
