//! A source of your own: GitHub, which puts the event's name and id into headers.
//!
//! `cargo run --example source_github --features receiver`

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use http_body_util::Full;
use webhook_sdk::Secret;
use webhook_sdk::receiver::{
    Authenticated, Authentication, DecodeError, Event, Receiver, Refusal, Source,
};
use webhook_sdk::signature::{Key, Scheme, Verifier};

struct GitHub {
    verifier: Verifier,
}

struct GitHubEvent {
    name: String,
    payload: Bytes,
}

impl GitHub {
    fn new(secret: &Secret) -> Result<Self, Box<dyn std::error::Error>> {
        let scheme = Scheme::builder("x-hub-signature-256")
            .prefix("sha256=")
            .build()?;
        let verifier = Verifier::new(scheme, Key::new("main", secret)?);
        Ok(Self { verifier })
    }
}

impl Source for GitHub {
    type Event = GitHubEvent;

    fn name(&self) -> &str {
        "github"
    }

    /// GitHub's own cap on a payload.
    fn max_body_bytes(&self) -> usize {
        25 * 1024 * 1024
    }

    async fn authenticate(&self, parts: &Parts) -> Result<Authentication, Refusal> {
        Ok(self.verifier.begin(&parts.headers)?.into())
    }

    /// The signature covers the body alone, so name and id are as trustworthy as the connection.
    fn decode(&self, delivery: &Authenticated<'_>) -> Result<Vec<Event<GitHubEvent>>, DecodeError> {
        let name = delivery.header("x-github-event")?.to_owned();
        let key = delivery.event_key(&[delivery.header("x-github-delivery")?]);
        let payload = delivery.body().clone();
        Ok(vec![delivery.event(key, GitHubEvent { name, payload })])
    }
}

/// Receives the test values of GitHub's page "Validating webhook deliveries".
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let receiver = Receiver::new(GitHub::new(&Secret::from("It's a Secret to Everybody"))?);
    let digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let request = |body: &'static str| {
        Request::post("/hooks/github")
            .header("content-type", "application/json")
            .header("x-github-event", "push")
            .header("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
            .header("x-hub-signature-256", format!("sha256={digest}"))
            .body(Full::<Bytes>::from(body))
    };
    let (parts, body) = request("Hello, World!")?.into_parts();
    let delivery = receiver.receive(&parts, body).await?;
    let outcome = delivery
        .handle(async |event| println!("{} of {} bytes", event.name, event.payload.len()))
        .await;
    let (parts, body) = request("Hello, world!")?.into_parts();
    let forged = receiver.receive(&parts, body).await;
    if outcome.status() != 204 || !forged.is_err_and(|refusal| refusal.status() == 401) {
        return Err("an unexpected answer".into());
    }
    println!("source_github: ok");
    Ok(())
}
