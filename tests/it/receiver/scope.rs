//! Whose events count as the same.

use bytes::Bytes;
use http::{Request, StatusCode};
use webhook_sdk::pretix::{BasicAuth, Credentials, Source};
use webhook_sdk::receiver::{BuildError, EventKey, MemoryStore, Receiver};
use webhook_sdk::signature::{Key, Keyring, Signer, Verifier};
use webhook_sdk::{Secret, preo, pretix};

use crate::receiver::handling::Failing;
use crate::receiver::support::{
    Lune, Preo, Pretix, Runs, Service, basic, builder, genuine, received, request,
};

fn signed(secret: &str) -> Request<Bytes> {
    let mut request = genuine::<Preo>(Preo::body(1));
    let body = request.body().clone();
    let signer = Signer::new(preo::scheme(), &Secret::from(secret)).unwrap();
    signer.sign(request.headers_mut(), &body).unwrap();
    request
}

async fn runs_of<S: webhook_sdk::receiver::Source>(
    deliveries: Vec<(&Receiver<S>, Request<Bytes>)>,
) -> usize {
    let runs = Runs::default();
    for (receiver, request) in deliveries {
        let delivery = received(receiver, request).await;
        assert_eq!(
            delivery.handle(|_| async { runs.add() }).await.status(),
            204
        );
    }
    runs.count()
}

#[tokio::test]
async fn event_is_a_duplicate_after_key_rotation() {
    let old = Key::new("2026-10", &Secret::from("old")).unwrap();
    let keyring = Keyring::new(old);
    let verifier = Verifier::new(preo::scheme(), keyring.clone());
    let receiver = Receiver::new(preo::Source::new(verifier));
    let before = runs_of(vec![(&receiver, signed("old"))]).await;
    keyring
        .add(Key::new("2026-11", &Secret::from("new")).unwrap())
        .unwrap();
    let after = runs_of(vec![(&receiver, signed("new")), (&receiver, signed("old"))]).await;
    assert_eq!((before, after), (1, 0));
}

#[tokio::test]
async fn key_owners_in_one_keyring_have_separate_events() {
    let key = |name: &str, secret: &str, owner: &str| {
        Key::new(name, &Secret::from(secret)).unwrap().owner(owner)
    };
    let keyring = Keyring::from_keys([
        key("acme-1", "acme old", "acme"),
        key("acme-2", "acme new", "acme"),
        key("globex", "globex", "globex"),
    ]);
    let verifier = Verifier::new(preo::scheme(), keyring.unwrap());
    let receiver = Receiver::new(preo::Source::new(verifier));
    let deliveries = ["globex", "acme old", "acme new", "globex"];
    let deliveries = deliveries.map(|secret| (&receiver, signed(secret)));
    assert_eq!(runs_of(deliveries.into()).await, 2);
}

#[tokio::test]
async fn pretix_users_have_separate_notifications() {
    let credentials =
        |user: &str, password: &str| Credentials::new(user, Secret::from(password)).unwrap();
    let auth = BasicAuth::new("acme old", &credentials("acme", "old"));
    auth.add("acme new", &credentials("acme", "new")).unwrap();
    auth.add("globex", &credentials("globex", "secret"))
        .unwrap();
    let receiver = Receiver::new(Source::new(auth));
    let deliveries = [("globex", "secret"), ("acme", "old"), ("acme", "new")];
    let deliveries = deliveries.map(|(user, password)| {
        let headers = basic(user, password);
        (&receiver, request(headers, Pretix::body(1)))
    });
    assert_eq!(runs_of(deliveries.into()).await, 2);
}

#[tokio::test]
async fn receivers_that_share_a_store_share_events_only_by_name() {
    for (names, expected) in [
        ([None, None], 2),
        ([Some("mail"), Some("stock")], 2),
        ([Some("orders"), None], 2),
        ([Some("orders"), Some("orders")], 1),
    ] {
        let store = MemoryStore::default();
        let receivers = names.map(|name| {
            let mut builder = builder::<Preo>().store(store.clone());
            if let Some(name) = name {
                builder = builder.name(name);
            }
            builder.build().unwrap()
        });
        let deliveries = receivers
            .iter()
            .map(|receiver| (receiver, genuine::<Preo>(Preo::body(1))));
        assert_eq!(runs_of(deliveries.collect()).await, expected, "{names:?}");
    }
}

#[tokio::test]
async fn receivers_of_two_services_with_one_name_do_not_share_events() {
    let store = MemoryStore::default();
    let preo = builder::<Preo>()
        .name("all")
        .store(store.clone())
        .build()
        .unwrap();
    let lune = builder::<Lune>().name("all").store(store).build().unwrap();
    let first = runs_of(vec![(&preo, genuine::<Preo>(Preo::body(1)))]).await;
    let second = runs_of(vec![(&lune, genuine::<Lune>(Lune::body(1)))]).await;
    assert_eq!((first, second), (1, 1));
}

#[tokio::test]
async fn installations_and_organizers_have_distinct_keys() {
    let source = |installation: &str| {
        let source = Pretix::source().installation(installation);
        Receiver::builder(source).name("tickets").build().unwrap()
    };
    let notification = |organizer: &str| {
        format!(r#"{{"notification_id":5,"organizer":"{organizer}","action":"pretix.x"}}"#)
    };
    let mut keys = Vec::new();
    for (installation, organizer) in [
        ("h:id", "o"),
        ("h", "id:o"),
        ("", "h:id:o"),
        ("h%3Aid", "o"),
        ("", "o"),
        ("o", ""),
    ] {
        let request = genuine::<Pretix>(notification(organizer).into_bytes());
        let delivery = received(&source(installation), request).await;
        keys.push(delivery.events()[0].key().clone());
    }
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "{key}");
    }
}

#[tokio::test]
async fn empty_id_counts_as_missing() {
    let verifier = Verifier::new(preo::scheme(), Preo::keyring());
    let source = preo::Source::new(verifier);
    let receiver = Receiver::new(source.identified_by(|_: &serde_json::Value| Some(String::new())));
    let deliveries = [1, 2, 1].map(|number| (&receiver, genuine::<Preo>(Preo::body(number))));
    assert_eq!(runs_of(deliveries.into()).await, 2);
}

#[test]
fn debug_of_a_key_tells_keys_apart_without_their_content() {
    let shown = |id| format!("{:?}", EventKey::new(["shop", "preo", "acme", ""], &[id]));
    let key = shown("event-1");
    assert!(
        key.starts_with("EventKey(") && key.len() == "EventKey()".len() + 12,
        "{key}"
    );
    assert_ne!(key, shown("event-2"));
    assert!(
        ["shop", "preo", "acme", "event-1"]
            .iter()
            .all(|part| !key.contains(part)),
        "{key}"
    );
}

#[test]
fn invalid_limits_are_rejected() {
    use std::time::Duration;

    let build = |builder: webhook_sdk::receiver::ReceiverBuilder<_>| builder.build().unwrap_err();
    let zeros = [
        build(builder::<Preo>().lease(Duration::ZERO)),
        build(builder::<Preo>().remember(Duration::ZERO)),
        build(builder::<Preo>().body_timeout(Duration::ZERO)),
        build(builder::<Preo>().max_body_bytes(0)),
        build(builder::<Preo>().max_buffered_bytes(0)),
    ];
    let names = [
        "lease",
        "remember",
        "body_timeout",
        "max_body_bytes",
        "max_buffered_bytes",
    ];
    assert_eq!(zeros.map(|error| error), names.map(BuildError::Zero));
    assert_eq!(build(builder::<Preo>().name("")), BuildError::EmptyName);
    let store = Failing::at("nothing");
    assert_eq!(
        build(builder::<Preo>().store(store)),
        BuildError::NameMissing
    );
    let narrow = build(builder::<Preo>().max_body_bytes(2).max_buffered_bytes(1));
    assert!(
        narrow
            .to_string()
            .contains("max_body_bytes (2) is above max_buffered_bytes (1)")
    );
}

#[tokio::test]
async fn pretix_can_show_its_secret_in_the_path() {
    let accept = |user, secret: &str| Credentials::new(user, Secret::from(secret)).unwrap();
    let auth = BasicAuth::new("2026", &accept("path", "s3cret-path"));
    auth.add("2027", &accept("other", "second-secret-path"))
        .unwrap();
    let receiver = Receiver::new(Source::new(auth).secret_in_path());
    for (path, headers, expected) in [
        ("/hooks/s3cret-path", http::HeaderMap::new(), Ok("2026")),
        (
            "/second-secret-path?x=1",
            http::HeaderMap::new(),
            Ok("2027"),
        ),
        ("/hooks/s3cret-path/", http::HeaderMap::new(), Err(401)),
        ("/s3cret-path/hooks", http::HeaderMap::new(), Err(401)),
        ("/hooks", http::HeaderMap::new(), Err(401)),
        ("/", http::HeaderMap::new(), Err(401)),
        ("/hooks", basic("path", "s3cret-path"), Err(401)),
    ] {
        let (mut parts, body) = request(headers, Pretix::body(1)).into_parts();
        parts.uri = path.parse().unwrap();
        let result = receiver
            .receive(&parts, http_body_util::Full::new(body))
            .await;
        let result = match &result {
            Ok(delivery) => Ok(delivery.key_name()),
            Err(refusal) => Err(refusal.status().as_u16()),
        };
        assert_eq!(result, expected, "{path}");
    }
    let plain: Receiver<pretix::Source> = builder::<Pretix>().build().unwrap();
    let (mut parts, body) = request(http::HeaderMap::new(), Pretix::body(1)).into_parts();
    parts.uri = "/hooks/s3cret-path".parse().unwrap();
    let refused = plain.receive(&parts, http_body_util::Full::new(body)).await;
    assert_eq!(refused.unwrap_err().status(), StatusCode::UNAUTHORIZED);
}
