//! `ensure_webhook` of pretix, against the fake.

use serde_json::json;
use webhook_sdk::pretix::{
    ActionType, Credentials, EventScope, PretixClient, TargetUrl, Webhook, WebhookCreate,
};
use webhook_sdk::testing::PretixFake;
use webhook_sdk::{Ensured, Error, Secret};
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::pretix::support::{pretix, target};

fn desired() -> WebhookCreate {
    WebhookCreate::builder()
        .target_url(target())
        .events(EventScope::only(["democon", "secondcon"]))
        .action_types([ActionType::OrderPlaced, ActionType::OrderPaid])
        .build()
}

async fn fake() -> (PretixClient, PretixFake) {
    let fake = PretixFake::builder()
        .organizer("bigevents", ["democon", "secondcon"])
        .start()
        .await;
    (fake.client(), fake)
}

async fn ensure(pretix: &PretixClient, desired: WebhookCreate) -> Result<Ensured<Webhook>, Error> {
    pretix.ensure_webhook(desired).send().await
}

#[tokio::test]
async fn webhook_is_created_once_regardless_of_list_order() {
    let (pretix, _fake) = fake().await;
    let created = ensure(&pretix, desired()).await.unwrap();
    assert!(matches!(created, Ensured::Created(_)), "{created:?}");
    let mut reordered = desired();
    reordered.events = EventScope::only(["secondcon", "democon"]);
    reordered.action_types = [
        ActionType::OrderPaid,
        ActionType::OrderPlaced,
        ActionType::OrderPaid,
    ]
    .into();
    let found = ensure(&pretix, reordered).await.unwrap();
    assert!(matches!(found, Ensured::Unchanged(_)), "{found:?}");
    assert_eq!(found.webhook().id, created.webhook().id);
}

#[tokio::test]
async fn other_credentials_are_updated_and_shown_nowhere() {
    let (pretix, _fake) = fake().await;
    ensure(&pretix, desired()).await.unwrap();
    let credentials = Credentials::new("pretix", Secret::from("another-password")).unwrap();
    let target = TargetUrl::new("https://example.org/hook", &credentials).unwrap();
    let mut desired = desired();
    desired.target_url = target.clone();
    let updated = ensure(&pretix, desired).await.unwrap();
    assert!(!format!("{updated:?}").contains("another-password"));
    let Ensured::Updated { webhook, changed } = updated else {
        panic!("{updated:?}");
    };
    assert_eq!(changed, ["target_url"]);
    assert_eq!(webhook.target_url, target);
}

#[tokio::test]
async fn deleted_webhook_is_enabled_unless_there_is_an_enabled_one() {
    let (pretix, _fake) = fake().await;
    let first = ensure(&pretix, desired()).await.unwrap().into_webhook().id;
    pretix.delete_webhook(first).send().await.unwrap();
    let revived = ensure(&pretix, desired()).await.unwrap();
    let Ensured::Updated { webhook, changed } = revived else {
        panic!("{revived:?}");
    };
    assert_eq!((webhook.id, changed), (first, vec!["enabled"]));

    pretix.delete_webhook(first).send().await.unwrap();
    let second = pretix.create_webhook(desired()).send().await.unwrap().id;
    let found = ensure(&pretix, desired()).await.unwrap();
    assert!(matches!(found, Ensured::Unchanged(_)), "{found:?}");
    assert_eq!(found.webhook().id, second);
}

#[tokio::test]
async fn concurrent_calls_end_with_one_enabled_webhook() {
    let (pretix, _fake) = fake().await;
    let (a, b) = tokio::join!(ensure(&pretix, desired()), ensure(&pretix, desired()));
    let ids = [a.unwrap().into_webhook().id, b.unwrap().into_webhook().id];
    let left = pretix.list_webhooks().enabled(true).all().await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(ids, [left[0].id; 2]);
}

#[tokio::test]
async fn a_contradictory_webhook_is_repaired() {
    let server = MockServer::start().await;
    let stored = json!({
        "id": 7, "enabled": true, "target_url": target().expose(), "all_events": true,
        "limit_events": ["democon"], "action_types": ["pretix.event.order.paid"], "comment": null,
    });
    let page = json!({ "count": 1, "next": null, "previous": null, "results": [stored] });
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(page))
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(&stored))
        .mount(&server)
        .await;
    let pretix = pretix(&server.uri()).build().unwrap();
    let mut desired = desired();
    desired.events = EventScope::All;
    desired.action_types = [ActionType::OrderPaid].into();
    let updated = ensure(&pretix, desired).await.unwrap();
    assert!(
        matches!(&updated, Ensured::Updated { changed, .. } if changed == &["events"]),
        "{updated:?}"
    );
    let requests = server.received_requests().await.unwrap();
    let sent: serde_json::Value = requests.last().unwrap().body_json().unwrap();
    assert_eq!(sent, json!({ "all_events": true, "limit_events": [] }));
}
