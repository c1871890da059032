//! The client, the verifier and the fake together.

use chrono::{TimeDelta, Utc};
use http::HeaderMap;
use serde_json::json;
use webhook_sdk::preo::{
    self, DeliveryStatus, PreoClient, Webhook, WebhookCreate, WebhookEvent, WebhookOrdering,
    WebhookUpdate,
};
use webhook_sdk::signature::{Key, Keyring, Retire, Scheme, Verifier, VerifyError};
use webhook_sdk::testing::PreoFake;
use webhook_sdk::{ErrorKind, Patch, Secret};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fakes::support::preo_webhook;
use crate::support;

async fn fake_and_client() -> (PreoFake, PreoClient) {
    let fake = PreoFake::start().await;
    let preo = fake.client();
    (fake, preo)
}

/// A receiver that fails `failures` times and then accepts everything.
async fn receiver(failures: u64) -> MockServer {
    let server = MockServer::start().await;
    if failures > 0 {
        let failure = Mock::given(any()).respond_with(ResponseTemplate::new(500));
        failure.up_to_n_times(failures).mount(&server).await;
    }
    Mock::given(any())
        .respond_with(ResponseTemplate::new(204))
        .mount(&server)
        .await;
    server
}

async fn create(preo: &PreoClient, url: &str) -> Webhook {
    let body = WebhookCreate::builder()
        .organization_id("org_1")
        .name("Orders")
        .url(url)
        .events([WebhookEvent::PurchaseAction])
        .build();
    preo.create_webhook(body).send().await.unwrap()
}

/// Headers and body of what was received last.
async fn last(receiver: &MockServer) -> (HeaderMap, Vec<u8>) {
    let request = receiver.received_requests().await.unwrap().pop().unwrap();
    (request.headers, request.body)
}

#[tokio::test]
async fn webhook_lifecycle_from_create_to_delete() {
    let (_fake, preo) = fake_and_client().await;
    let webhook = create(&preo, "https://example.com/hook").await;
    assert!(webhook.secret.is_some());

    let update = WebhookUpdate::new()
        .name("Renamed")
        .edition_id("ed_1")
        .is_active(false);
    let changed = preo
        .update_webhook(&webhook.id, update)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.edition_id.as_deref()),
        ("Renamed", Some("ed_1"))
    );
    let update = WebhookUpdate::new().edition_id(Patch::Null);
    let changed = preo
        .update_webhook(&webhook.id, update)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (changed.name.as_str(), changed.edition_id.as_deref()),
        ("Renamed", None)
    );
    assert_eq!(changed.is_active, Some(false));

    preo.delete_webhook(&webhook.id).send().await.unwrap();
    let error = preo.retrieve_webhook(&webhook.id).send().await.unwrap_err();
    assert!(error.is_not_found());
}

#[tokio::test]
async fn the_secret_of_the_create_call_verifies_a_delivery_and_nothing_else() {
    let (fake, preo) = fake_and_client().await;
    let receiver = receiver(0).await;
    let webhook = create(&preo, &receiver.uri()).await;
    fake.emit("purchase.action", json!({ "purchase": "p_1" }))
        .await;

    let (headers, body) = last(&receiver).await;
    let verifier = webhook.verifier().unwrap();
    assert_eq!(
        verifier.verify(&headers, &body).unwrap().key_name(),
        webhook.id
    );
    for index in 0..body.len() {
        let mut changed = body.clone();
        changed[index] ^= 1;
        assert_eq!(
            verifier.verify(&headers, &changed).err(),
            Some(VerifyError::Mismatch)
        );
    }
    let other = create(&preo, &receiver.uri()).await.verifier().unwrap();
    assert_eq!(
        other.verify(&headers, &body).err(),
        Some(VerifyError::Mismatch)
    );
}

#[tokio::test]
async fn signature_header_can_be_configured() {
    let header = "x-webhook-signature";
    let scheme = Scheme::builder(header).build().unwrap();
    let fake = PreoFake::builder().scheme(scheme.clone()).start().await;
    let preo = fake.client();
    let receiver = receiver(0).await;
    let webhook = create(&preo, &receiver.uri()).await;
    fake.emit("purchase.action", json!({})).await;

    let (headers, body) = last(&receiver).await;
    let keyring = Keyring::new(webhook.signing_key("a").unwrap());
    Verifier::new(scheme, keyring)
        .verify(&headers, &body)
        .unwrap();
    let refusal = webhook.verifier().unwrap().verify(&headers, &body).err();
    assert!(matches!(refusal, Some(VerifyError::HeaderMissing { .. })));
}

#[tokio::test]
async fn a_failed_delivery_is_found_audited_and_retried() {
    let (fake, preo) = fake_and_client().await;
    let receiver = receiver(1).await;
    let webhook = create(&preo, &receiver.uri()).await;
    fake.emit("purchase.action", json!({ "purchase": "p_1" }))
        .await;

    let failed = preo
        .list_webhook_deliveries(&webhook.id)
        .status(DeliveryStatus::Failed);
    let entry = failed.clone().stream().try_next().await.unwrap().unwrap();
    assert_eq!(
        (entry.attempts, entry.response_status_code),
        (Some(1), Some(500))
    );

    let retrieve = preo.retrieve_webhook_delivery(&webhook.id, &entry.id);
    let delivery = retrieve.clone().send().await.unwrap();
    let keyring = Keyring::new(webhook.signing_key("current").unwrap());
    let verified = delivery.verify(&keyring).unwrap();
    assert_eq!(*verified.payload(), delivery.payload.as_bytes());

    let retry = preo.retry_webhook_delivery(&webhook.id, &entry.id);
    retry.send().await.unwrap();
    fake.wait_idle().await;
    let delivery = retrieve.send().await.unwrap();
    assert_eq!(
        (delivery.status.clone(), delivery.attempts),
        (Some(DeliveryStatus::Success), Some(2))
    );
    assert!(failed.stream().try_next().await.unwrap().is_none());
    assert_eq!(last(&receiver).await.1, delivery.payload.as_bytes());
}

#[tokio::test]
async fn an_audit_refuses_another_secret_and_a_delivery_without_a_signature() {
    let stored = |signature: Option<&str>| {
        let mut delivery = json!({
            "id": "dl_1", "endpoint_id": "wh_1", "event": "e", "payload": "what was sent",
            "created": "2026-01-02T03:04:05Z",
        });
        if let Some(signature) = signature {
            delivery["signature"] = json!(signature);
        }
        serde_json::from_value::<preo::WebhookDelivery>(delivery).unwrap()
    };
    // printf 'what was sent' | openssl dgst -sha256 -hmac 'key'
    let signature = "17045b3b3d8132b6e8cb312ed1c8f5982e260eaeb1a9be30dd9a4ff98efc4e31";
    let ring = |secret| Keyring::new(Key::new("k", &Secret::from(secret)).unwrap());
    assert!(stored(Some(signature)).verify(ring("key")).is_ok());
    assert!(
        stored(Some(&signature.to_uppercase()))
            .verify(ring("key"))
            .is_ok()
    );
    let refusal = stored(Some(signature)).verify(ring("other")).err();
    assert_eq!(refusal, Some(VerifyError::Mismatch));
    assert_eq!(
        stored(None).verify(ring("key")).err(),
        Some(VerifyError::NoSignature)
    );
    assert!(stored(Some("")).verify(ring("key")).is_err());
    assert!(stored(Some(&signature[1..])).verify(ring("key")).is_err());
}

#[tokio::test]
async fn old_and_new_secret_are_both_accepted_until_the_old_one_retires() {
    let (fake, preo) = fake_and_client().await;
    let receiver = receiver(0).await;
    let webhook = create(&preo, &receiver.uri()).await;
    fake.emit("purchase.action", json!({ "n": 1 })).await;
    let before = last(&receiver).await;

    let keyring = Keyring::new(webhook.signing_key("old").unwrap());
    let running = Verifier::new(preo::scheme(), keyring.clone());
    let rotated = preo
        .rotate_webhook_secret(&webhook.id)
        .send()
        .await
        .unwrap();
    assert!(rotated.secret != webhook.secret);
    keyring.add(rotated.signing_key("new").unwrap()).unwrap();
    fake.emit("purchase.action", json!({ "n": 2 })).await;
    let after = last(&receiver).await;

    assert_eq!(
        running.verify(&before.0, &before.1).unwrap().key_name(),
        "old"
    );
    assert_eq!(
        running.verify(&after.0, &after.1).unwrap().key_name(),
        "new"
    );
    keyring
        .retire("old", Retire::at(Utc::now() - TimeDelta::seconds(1)))
        .unwrap();
    assert_eq!(
        running.verify(&before.0, &before.1).err(),
        Some(VerifyError::Mismatch)
    );
    assert_eq!(
        running.verify(&after.0, &after.1).unwrap().key_name(),
        "new"
    );
}

#[test]
fn a_webhook_without_a_secret_makes_no_verifier() {
    let mut webhook = support::webhook("wh_1");
    webhook.as_object_mut().unwrap().remove("secret");
    let without: Webhook = serde_json::from_value(webhook.clone()).unwrap();
    webhook["secret"] = json!("");
    let empty: Webhook = serde_json::from_value(webhook).unwrap();
    for webhook in [without, empty] {
        for error in [
            webhook.verifier().unwrap_err(),
            webhook.signing_key("name").unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Secret);
        }
    }
}

#[tokio::test]
async fn validation_errors_name_the_fields() {
    let (_fake, preo) = fake_and_client().await;
    let body = WebhookCreate::builder()
        .organization_id("org_1")
        .name("Shop")
        .url("nowhere")
        .events(["consent.given", "no.such-event"])
        .build();
    let error = preo.create_webhook(body).send().await.unwrap_err();
    assert!(error.is_validation());
    let mut fields: Vec<_> = error
        .field_errors()
        .iter()
        .map(|error| error.field.clone())
        .collect();
    fields.sort();
    assert_eq!(fields, ["events.1", "url"]);
}

#[tokio::test]
async fn a_wrong_token_is_unauthorized() {
    let fake = PreoFake::start().await;
    let preo = PreoClient::builder("wrong")
        .base_url(fake.base_url())
        .build()
        .unwrap();
    let error = preo.list_webhooks().send().await.unwrap_err();
    assert!(error.is_unauthorized() && error.attempts() == 1);
}

#[tokio::test]
async fn ten_thousand_webhooks_are_listed_completely_and_in_order() {
    let (fake, preo) = fake_and_client().await;
    let seed = || fake.seed(preo_webhook("https://receiver.invalid/")).id;
    let seeded: Vec<_> = (0..10_000).map(|_| seed()).collect();
    for prefetch in [0, 4] {
        let mut items = preo
            .list_webhooks()
            .ordering([WebhookOrdering::Created])
            .page_size(100)
            .stream()
            .prefetch(prefetch);
        let mut read = Vec::new();
        while let Some(webhook) = items.try_next().await.unwrap() {
            read.push(webhook.id);
        }
        assert!(read == seeded, "{} of {} arrived", read.len(), seeded.len());
    }
    assert_eq!(fake.requests().len(), 200);
}

#[tokio::test]
async fn filters_are_applied() {
    let (fake, preo) = fake_and_client().await;
    for _ in 0..3 {
        fake.seed(preo_webhook("https://receiver.invalid/"));
    }
    let mine = create(&preo, "https://example.com/hook").await;
    let update = WebhookUpdate::new().is_active(false).edition_id("ed_9");
    preo.update_webhook(&mine.id, update).send().await.unwrap();
    let lists = [
        preo.list_webhooks().is_active(false),
        preo.list_webhooks().edition_id("ed_9"),
        preo.list_webhooks()
            .ordering([WebhookOrdering::CreatedDesc])
            .page_size(1),
    ];
    for list in lists {
        let first = list.stream().try_next().await.unwrap().unwrap();
        assert_eq!(first.id, mine.id);
    }
}
