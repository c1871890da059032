//! What a subscriber sees of a refusal: the reason, and nothing that was sent.

use std::future::ready;
use std::sync::{Arc, Mutex};

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use webhook_sdk::receiver::{Ack, BoxError, EventKey, Observed, Tenants};
use webhook_sdk::{Secret, preo};

use crate::log::listen;
use crate::receiver::support::{
    Batches, Preo, Pretix, SECRET, Service, Way, basic, builder, genuine, received, request,
};

async fn logged<S: Service>(headers: HeaderMap, body: &[u8]) -> String {
    let mut all = String::new();
    for way in Way::BOTH {
        let (log, guard) = listen();
        let receiver = builder::<S>().build().unwrap();
        let delivery = request(headers.clone(), body.to_vec());
        way.send(&receiver, delivery, |_| {
            ready(Err::<(), BoxError>("handler-error".into()))
        })
        .await;
        drop(guard);
        let ours: Vec<_> = log
            .text()
            .lines()
            .filter(|line| line.contains("webhook_sdk"))
            .map(str::to_owned)
            .collect();
        assert_eq!(ours.len(), 1, "{way:?}: {ours:?}");
        all += &ours[0];
    }
    for hidden in [SECRET, "payload-"] {
        assert!(!all.contains(hidden), "{hidden} shows in {all}");
    }
    all
}

#[tokio::test]
async fn refusal_reason_is_logged_without_content() {
    let body = br#"{"id":"payload-1"}"#;
    let forged = Preo::forged().unwrap();
    let digest = "0f".repeat(32);
    let log = logged::<Preo>(forged, body).await;
    for part in [
        "WARN",
        "source=\"preo\"",
        "status=401",
        "no signature matches",
    ] {
        assert!(log.contains(part), "{log} lacks {part}");
    }
    assert!(!log.contains(&digest), "{log}");

    let log = logged::<Preo>(HeaderMap::new(), body).await;
    assert!(
        log.contains("the header x-preo-signature is missing"),
        "{log}"
    );

    let log = logged::<Pretix>(basic("payload-user", "payload-password"), body).await;
    for part in [
        "source=\"pretix\"",
        "status=401",
        "match no accepted credentials",
    ] {
        assert!(log.contains(part), "{log} lacks {part}");
    }
}

async fn undocumented<S: Service>(body: &[u8]) {
    let headers = genuine::<S>(body.to_vec()).headers().clone();
    let log = logged::<S>(headers, body).await;
    assert!(log.contains("status=400"), "{log}");
    assert!(log.contains("authentic but undecodable"), "{log}");
}

#[tokio::test]
async fn a_genuine_body_that_cannot_be_decoded_is_not_quoted() {
    for body in [
        &br#"{"name":"payload-1"}"#[..],
        br#"{"payload-1":1,"payload-1":2}"#,
        br#"payload-1"#,
        br#"{"id":{"payload-1":["payload-2"]}}"#,
        br#"{"notification_id":"payload-1","action":"payload-2"}"#,
        br#"{"notification_id":1,"action":["payload-2"]}"#,
    ] {
        undocumented::<Preo>(body).await;
        undocumented::<Pretix>(body).await;
        undocumented::<Batches>(body).await;
    }
}

#[tokio::test]
async fn a_content_type_is_not_quoted() {
    let mut headers = genuine::<Preo>(Preo::body(1)).headers().clone();
    let mut delivery = request(headers.clone(), Preo::body(1));
    headers.insert(CONTENT_TYPE, "text/payload-1".parse().unwrap());
    *delivery.headers_mut() = headers;
    let (log, guard) = listen();
    let receiver = builder::<Preo>().build().unwrap();
    Way::Function.send(&receiver, delivery, |_| ready(())).await;
    drop(guard);
    assert!(log.text().contains("status=415"), "{}", log.text());
    assert!(!log.text().contains("payload-1"), "{}", log.text());
}

#[tokio::test]
async fn a_failed_handler_is_logged_with_the_events_key_and_its_own_error() {
    let body = br#"{"id":"event-1","name":"payload-1"}"#;
    let headers = genuine::<Preo>(body.to_vec()).headers().clone();
    let log = logged::<Preo>(headers, body).await;
    for part in [
        "ERROR",
        "handler failed",
        ":preo:::id:event-1",
        "reason=handler-error",
    ] {
        assert!(log.contains(part), "{log} lacks {part}");
    }
}

#[test]
fn receiver_never_shows_a_secret() {
    let receiver = builder::<Preo>().build().unwrap();
    let shown = format!("{receiver:?} {:?}", builder::<Pretix>());
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(shown.contains("max_body_bytes: 1048576"), "{shown}");
}

#[tokio::test]
async fn debug_of_each_type_names_it_and_shows_its_settings_and_no_content() {
    let observed = Arc::new(Mutex::new(String::new()));
    let observer = {
        let observed = Arc::clone(&observed);
        move |seen: &Observed<'_>| *observed.lock().unwrap() = format!("{seen:?}")
    };
    let builder = builder::<Batches>().name("shop");
    let building = format!("{builder:?}");
    let receiver = builder.observer(observer).build().unwrap();
    let verifier = preo::verifier(&Secret::from(SECRET)).unwrap();
    let tenants = Tenants::new(|_| None, move |_| ready(Ok(Some(verifier.clone()))));
    let position = EventKey::new(["shop", "batches", "", ""], &["payload-1"])
        .with_position("payload-2", "payload-3");
    let ack = Ack::<<Batches as Service>::Source>::retry();

    let delivery = received(&receiver, Batches::of(&["payload-1"])).await;
    let limits = "max_body_bytes: 1048576, body_timeout: 10s, lease: 60s, remember: 345600s";
    for (shown, parts) in [
        (building, ["ReceiverBuilder {", "Some(\"shop\")", limits]),
        (
            format!("{receiver:?}"),
            ["Receiver {", "\"batches\"", limits],
        ),
        (
            format!("{delivery:?}"),
            ["Delivery {", "\"2026-11\"", "events: 1"],
        ),
        (
            format!("{:?}", delivery.events()[0]),
            ["Event {", "EventKey(", "\"2026-11\""],
        ),
        (format!("{tenants:?}"), ["Tenants {", "lifetime: 60s", ""]),
        (
            format!("{:?}", position.position().unwrap()),
            ["Position {", "", ""],
        ),
        (format!("{ack:?}"), ["Ack(", "Retry", ""]),
        (
            {
                let _ = delivery.handle(|_| ready(ack)).await;
                observed.lock().unwrap().clone()
            },
            ["Observed {", "\"batches\"", "\"retry\""],
        ),
    ] {
        assert!(shown.starts_with(parts[0]), "{shown}");
        for part in parts {
            assert!(shown.contains(part), "{shown} lacks {part}");
        }
        for hidden in [SECRET, "payload-"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
}
