//! Tests of an application that receives Preo's deliveries.
//!
//! `cargo test --example testing_a_receiver --all-features`

use serde_json::Value;
use webhook_sdk::preo;
use webhook_sdk::receiver::{BuildError, Receiver};
use webhook_sdk::signature::Verifier;

/// The application: one receiver, whose events have Preo's delivery id.
pub fn receiver(verifier: Verifier) -> Result<Receiver<preo::Source>, BuildError> {
    let source = preo::Source::new(verifier);
    let id = |event: &Value| event["id"].as_str().map(str::to_owned);
    Receiver::builder(source.identified_by(id))
        .max_body_bytes(1024)
        .build()
}

fn main() {
    println!("run the tests: cargo test --example testing_a_receiver --all-features");
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;
    use serde_json::json;
    use std::time::Duration;
    use tokio::net::TcpListener;
    use webhook_sdk::preo::{self, Webhook};
    use webhook_sdk::receiver::{Delivery, Outcome};
    use webhook_sdk::testing::{PreoFake, signed_request};
    use webhook_sdk::{Secret, preo::Source};

    use super::receiver;

    /// Without a network: passes a signed request directly to the receiver.
    #[tokio::test]
    async fn an_event_is_handled_once() {
        let secret = Secret::from("swordfish");
        let receiver = receiver(preo::verifier(&secret).unwrap()).unwrap();
        let request = || signed_request(preo::scheme(), &secret, r#"{"id":"dl_1"}"#);

        let (response, events) = receiver.test(request()).await;
        assert_eq!((response.status().as_u16(), events.len()), (204, 1));
        let (response, events) = receiver.test(request()).await;
        assert_eq!((response.status().as_u16(), events.len()), (204, 0));
    }

    /// End to end: the fake sends valid and invalid deliveries to a server.
    #[tokio::test]
    async fn what_isnt_genuine_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let preo = PreoFake::start().await;
        let webhook = Webhook::example().url(url).events(["purchase.action"]);
        let secret = preo.seed(webhook).secret.unwrap();
        let app = Router::new()
            .route("/", post(handle))
            .with_state(receiver(preo::verifier(&secret).unwrap()).unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });

        let emit = || preo.emit("purchase.action", json!({ "id": "p_1" }));
        for (emission, expected) in [
            (emit(), 204),
            (emit().duplicated(), 204),
            (emit().out_of_order(), 204),
            (emit().forged(), 401),
            (emit().altered(), 401),
            (emit().without_signature(), 401),
            (emit().signed_twice(), 401),
            (emit().oversized(2 * 1024), 413),
            (emit().slow(Duration::from_millis(100)), 204),
        ] {
            let delivery = emission.await.remove(0);
            assert_eq!(delivery.response_status, Some(expected));
        }
        assert_eq!(emit().cut_off().await[0].response_status, None);
    }

    async fn handle(delivery: Delivery<Source>) -> Outcome {
        delivery.handle(async |_| ()).await
    }
}
