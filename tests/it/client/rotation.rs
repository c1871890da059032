//! Rotating a secret under a running receiver.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use http::HeaderMap;
use webhook_sdk::preo::{self, PreoClient};
use webhook_sdk::signature::{Key, Keyring, Retire, Signer, Verifier, VerifyError};
use webhook_sdk::testing::{Fault, PreoFake};
use webhook_sdk::{RetryPolicy, Rotation, Secret};
use wiremock::matchers::any;
use wiremock::{Mock, ResponseTemplate};

use crate::fakes::support::preo_webhook;
use crate::support::{preo_and_server, webhook};

/// A receiver with the present secret of an endpoint under the name `old`.
async fn running() -> (PreoFake, PreoClient, String, Keyring) {
    let fake = PreoFake::start().await;
    let id = fake.seed(preo_webhook("http://127.0.0.1:9/")).id;
    let preo = PreoClient::builder(fake.credentials())
        .base_url(fake.base_url())
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let keyring = Keyring::new(Key::new("old", &secret(&fake, &id)).unwrap());
    (fake, preo, id, keyring)
}

fn secret(fake: &PreoFake, id: &str) -> Secret {
    fake.webhook(id).unwrap().secret.unwrap()
}

/// The key that accepts a delivery signed with this secret, at a moment this far ahead.
fn accepted(keyring: &Keyring, secret: &Secret, ahead: Duration) -> Result<String, VerifyError> {
    let mut headers = HeaderMap::new();
    let signer = Signer::new(preo::scheme(), secret).unwrap();
    signer.sign(&mut headers, b"{}").unwrap();
    let verifier = Verifier::new(preo::scheme(), keyring.clone()).clock(move || Utc::now() + ahead);
    let verified = verifier.verify(&headers, b"{}")?;
    Ok(verified.key_name().to_owned())
}

const GRACE: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn old_and_new_are_accepted_until_the_grace_period_ends() {
    let (fake, preo, id, keyring) = running().await;
    let old = secret(&fake, &id);
    let rotation = Rotation::new(&keyring, "old", "new").grace(GRACE);
    let webhook = preo.rotate_webhook_secret(&id).rotate(rotation);
    let webhook = webhook.await.unwrap();

    let new = secret(&fake, &id);
    assert_ne!(old, new);
    assert_eq!(webhook.secret.as_ref(), Some(&new));
    assert_eq!(keyring.names(), ["new", "old"]);
    let soon = GRACE - Duration::from_secs(60);
    assert_eq!(accepted(&keyring, &old, soon).as_deref(), Ok("old"));
    assert_eq!(accepted(&keyring, &new, soon).as_deref(), Ok("new"));
    let refused = accepted(&keyring, &old, GRACE);
    assert_eq!(refused, Err(VerifyError::Mismatch));
    assert_eq!(accepted(&keyring, &new, GRACE).as_deref(), Ok("new"));
}

#[tokio::test]
async fn grace_period_can_be_zero_or_endless() {
    for (grace, expected) in [
        (Duration::ZERO, Err(VerifyError::Mismatch)),
        (Duration::MAX, Ok("old".to_owned())),
    ] {
        let (fake, preo, id, keyring) = running().await;
        let old = secret(&fake, &id);
        let rotation = Rotation::new(&keyring, "old", "new").grace(grace);
        let call = preo.rotate_webhook_secret(&id).rotate(rotation);
        call.await.unwrap();
        assert_eq!(accepted(&keyring, &old, Duration::ZERO), expected);
    }
}

#[tokio::test]
async fn invalid_name_is_rejected_before_the_call() {
    let (fake, preo, id, keyring) = running().await;
    let before = secret(&fake, &id);
    for (old, new) in [("older", "new"), ("old", "old")] {
        let rotation = Rotation::new(&keyring, old, new);
        let call = preo.rotate_webhook_secret(&id).rotate(rotation);
        assert!(call.await.unwrap_err().is_configuration());
    }
    assert_eq!(secret(&fake, &id), before);
    assert!(fake.requests().is_empty());
    assert_eq!(keyring.names(), ["old"]);
}

#[tokio::test]
async fn a_call_that_fails_leaves_the_keyring_as_it_was() {
    let (fake, preo, id, keyring) = running().await;
    let old = secret(&fake, &id);
    fake.fail_next(1, Fault::status(500));
    let rotation = Rotation::new(&keyring, "old", "new").grace(Duration::ZERO);
    let call = preo.rotate_webhook_secret(&id).rotate(rotation);
    assert_eq!(call.await.unwrap_err().status().unwrap(), 500);
    assert_eq!(keyring.names(), ["old"]);
    assert_eq!(accepted(&keyring, &old, GRACE).as_deref(), Ok("old"));
}

#[tokio::test]
async fn secret_can_be_retrieved_after_a_lost_rotation_response() {
    let (fake, preo, id, keyring) = running().await;
    fake.fail_next(1, Fault::closed_connection().after_operation());
    let rotation = Rotation::new(&keyring, "old", "new").grace(GRACE);
    let call = preo.rotate_webhook_secret(&id).rotate(rotation);
    assert!(call.await.is_err());
    let new = secret(&fake, &id);
    let refused = accepted(&keyring, &new, Duration::ZERO);
    assert_eq!(refused, Err(VerifyError::Mismatch));

    let webhook = preo.retrieve_webhook(&id).send().await.unwrap();
    keyring.add(webhook.signing_key("new").unwrap()).unwrap();
    let name = accepted(&keyring, &new, Duration::ZERO);
    assert_eq!(name.as_deref(), Ok("new"));
}

#[test]
fn rotation_shows_names_and_no_keys() {
    let keyring = Keyring::new(Key::new("old", &Secret::from("swordfish")).unwrap());
    let shown = format!("{:?}", Rotation::new(&keyring, "old", "new"));
    assert_eq!(
        shown,
        r#"Rotation { old: "old", new: "new", grace: 345600s, .. }"#
    );
}

#[tokio::test]
async fn earlier_expiry_of_the_old_key_is_kept() {
    for end in [
        Utc::now() - TimeDelta::hours(1),
        Utc::now() + TimeDelta::minutes(1),
    ] {
        let (fake, preo, id, keyring) = running().await;
        let old = secret(&fake, &id);
        keyring.retire("old", Retire::at(end)).unwrap();
        let rotation = Rotation::new(&keyring, "old", "new").grace(GRACE);
        let call = preo.rotate_webhook_secret(&id).rotate(rotation);
        call.await.unwrap();
        let refused = accepted(&keyring, &old, Duration::from_secs(120));
        assert_eq!(refused, Err(VerifyError::Mismatch));
    }
}

#[tokio::test]
async fn the_new_secret_is_not_lost_when_the_keyring_changes_during_the_call() {
    let (fake, preo, id, keyring) = running().await;
    let delay = Duration::from_millis(300);
    fake.fail_next(1, Fault::slow(delay));
    let rotation = Rotation::new(&keyring, "old", "new").grace(GRACE);
    let call = preo.rotate_webhook_secret(&id).rotate(rotation);
    let meanwhile = async {
        tokio::task::yield_now().await;
        let other = Key::new("new", &Secret::from("other"));
        keyring.add(other.unwrap()).unwrap();
        keyring.retire("old", Retire::now()).unwrap();
    };
    let (webhook, ()) = tokio::join!(call, meanwhile);
    assert!(webhook.is_ok());
    assert_eq!(keyring.names(), ["new 2", "new"]);
    let new = secret(&fake, &id);
    assert_eq!(
        accepted(&keyring, &new, Duration::ZERO).as_deref(),
        Ok("new 2")
    );
}

#[tokio::test]
async fn secret_of_expired_key_can_be_added_again() {
    for expired in ["old", "earlier"] {
        let mut webhook = webhook("wh_1");
        webhook["secret"] = "again-current".into();
        let (preo, server) = preo_and_server().await;
        let response = ResponseTemplate::new(200).set_body_json(webhook);
        let rotated = Mock::given(any()).respond_with(response);
        rotated.mount(&server).await;
        let current = Secret::from("again-current");
        let key = |name: &str| match name == expired {
            true => Key::new(name, &current).unwrap(),
            false => Key::new(name, &Secret::from("another")).unwrap(),
        };
        let keyring = Keyring::from_keys([key("old"), key("earlier")]).unwrap();
        let end = Utc::now() - TimeDelta::hours(1);
        keyring.retire(expired, Retire::at(end)).unwrap();

        let rotation = Rotation::new(&keyring, "old", "new").grace(GRACE);
        let call = preo.rotate_webhook_secret("wh_1").rotate(rotation);
        call.await.unwrap();
        let accepted = accepted(&keyring, &current, Duration::ZERO);
        assert_eq!(accepted.as_deref(), Ok("new"), "{expired}");
    }
}
