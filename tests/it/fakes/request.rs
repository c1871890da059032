//! Receivers without a network.

use bytes::Bytes;
use http::Request;
use serde_json::json;
use webhook_sdk::pretix::{BasicAuth, Credentials};
use webhook_sdk::receiver::Receiver;
use webhook_sdk::signature::{Key, Keyring, Part, Scheme, Verifier};
use webhook_sdk::testing::{credentialed_request, sign, signed_request};
use webhook_sdk::{Secret, lune, preo, pretix};

fn verifier(scheme: Scheme, secret: &Secret) -> Verifier {
    Verifier::new(scheme, Keyring::new(Key::new("main", secret).unwrap()))
}

#[tokio::test]
async fn a_signed_request_reaches_the_handler_of_preo_once() {
    let secret = Secret::from("swordfish");
    let verifier = verifier(preo::scheme(), &secret);
    let receiver = Receiver::new(preo::Source::new(verifier));
    let request = || signed_request(preo::scheme(), &secret, r#"{"id":"c_1"}"#);
    let (response, events) = receiver.test(request()).await;
    assert_eq!((response.status().as_u16(), events.len()), (204, 1));
    assert_eq!(events[0]["id"], "c_1");
    let (response, events) = receiver.test(request()).await;
    assert_eq!((response.status().as_u16(), events.len()), (204, 0));

    let other = Secret::from("another");
    let forged = signed_request(preo::scheme(), &other, r#"{"id":"c_2"}"#);
    let (response, events) = receiver.test(forged).await;
    assert_eq!((response.status().as_u16(), events.len()), (401, 0));
}

#[tokio::test]
async fn a_signed_request_carries_a_batch_of_lune() {
    let secret = Secret::from("swordfish");
    let receiver = Receiver::new(lune::Source::new(verifier(lune::scheme(), &secret)));
    let event = |id: &str| {
        json!({
            "api_version": "v1", "event_id": id, "event_type": "order.paid", "sequence": id,
            "account_id": "acc_1", "data": { "order": { "id": "or_1" } },
        })
    };
    let body = json!({ "events": [event("e1"), event("e2")] }).to_string();
    let (response, events) = receiver
        .test(signed_request(lune::scheme(), &secret, body))
        .await;
    assert_eq!((response.status().as_u16(), events.len()), (204, 2));
}

#[tokio::test]
async fn a_request_with_credentials_carries_a_notification_of_pretix() {
    let credentials = Credentials::new("pretix", Secret::from("swordfish")).unwrap();
    let source = pretix::Source::new(BasicAuth::new("2026", &credentials));
    let receiver = Receiver::new(source);
    let body =
        r#"{"notification_id":1,"organizer":"o","event":"e","action":"pretix.event.changed"}"#;
    let (response, events) = receiver
        .test(credentialed_request(&credentials, body))
        .await;
    assert_eq!((response.status().as_u16(), events.len()), (204, 1));
    let other = Credentials::new("pretix", Secret::from("guessed")).unwrap();
    let (response, _) = receiver.test(credentialed_request(&other, body)).await;
    assert_eq!(response.status(), 401);
}

#[test]
fn a_request_can_be_signed_by_a_scheme_that_covers_a_header() {
    let secret = Secret::from("swordfish");
    let scheme = Scheme::builder("x-signature")
        .sign([Part::header("x-id"), Part::literal("."), Part::Body])
        .build()
        .unwrap();
    let mut request = Request::new(Bytes::from_static(b"{}"));
    request.headers_mut().insert("x-id", "1".parse().unwrap());
    let request = sign(request, scheme.clone(), &secret);
    let verifier = verifier(scheme, &secret);
    verifier.verify(request.headers(), request.body()).unwrap();
}
