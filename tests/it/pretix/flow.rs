//! The client and the fake together: whole flows, and the traps of pretix's API.

use std::time::Duration;

use serde_json::json;
use webhook_sdk::pretix::{
    ActionType, BasicAuth, Credentials, EventScope, Notification, PretixClient, TargetUrl, Webhook,
    WebhookCreate, WebhookReplace, WebhookUpdate,
};
use webhook_sdk::testing::{Fault, Pretix, PretixFake};
use webhook_sdk::{Patch, Secret};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fakes::support::pretix_webhook;
use crate::pretix::support::{pretix_as, target};

fn client(fake: &PretixFake) -> PretixClient {
    fake.client()
}

fn limited(url: &str) -> Webhook {
    let mut webhook = pretix_webhook(url);
    webhook.all_events = false;
    webhook.limit_events = ["democon".to_owned()].into();
    webhook
}

fn create(events: EventScope) -> WebhookCreate {
    WebhookCreate::builder()
        .target_url(target())
        .events(events)
        .action_types([ActionType::OrderPaid])
        .build()
}

#[tokio::test]
async fn webhook_is_created_deleted_and_enabled_again() {
    let fake = PretixFake::start().await;
    let pretix = client(&fake);
    let mut body = create(EventScope::only(["democon"]));
    body.comment = "gate".into();
    let response = pretix.create_webhook(body).send_with_response().await;
    let (made, parts) = response.unwrap().into_parts();
    assert_eq!(parts.status(), 201);
    assert_eq!(made.events(), EventScope::only(["democon"]));
    assert_eq!(made.target_url, target());

    let all = WebhookUpdate::new()
        .events(EventScope::All)
        .comment(Patch::Null);
    let update = pretix.update_webhook(made.id, all);
    let updated = update.send().await.unwrap();
    assert_eq!(
        (updated.events(), &updated.comment),
        (EventScope::All, &None)
    );

    let left = pretix.delete_webhook_and_retrieve(made.id).await.unwrap();
    assert!(!left.enabled);
    let disabled = pretix.list_webhooks().enabled(false).send().await.unwrap();
    assert_eq!(disabled.results, [left]);

    let revive = WebhookUpdate::new().enabled(true);
    let update = pretix.update_webhook(made.id, revive);
    assert!(update.send().await.unwrap().enabled);
}

#[tokio::test]
async fn a_replacement_resets_what_pretix_would_keep() {
    let fake = PretixFake::start().await;
    let mut seed = limited("https://a.example/");
    seed.enabled = false;
    seed.comment = Some("keep me?".to_owned());
    let id = fake.seed(seed).id;
    let body = WebhookReplace::builder()
        .target_url(target())
        .events(EventScope::All)
        .action_types(["pretix.event.order.paid"])
        .enabled(true)
        .comment(None)
        .build();
    let replace = client(&fake);
    let replaced = replace.replace_webhook(id, body).send().await.unwrap();
    assert!(replaced.enabled && replaced.all_events);
    assert_eq!(replaced.limit_events, [""; 0]);
    assert_eq!(replaced.comment, None);
}

#[tokio::test]
async fn contradictory_webhook_is_fixed_by_sending_its_events() {
    let fake = PretixFake::start().await;
    let mut seed = limited("https://a.example/");
    seed.all_events = true;
    let id = fake.seed(seed).id;
    let pretix = client(&fake);
    let update = |body| pretix.update_webhook(id, body).send();
    let refused = update(WebhookUpdate::new().comment("x")).await.unwrap_err();
    assert_eq!(refused.field_errors()[0].field, "non_field_errors");
    let repaired = update(WebhookUpdate::new().events(EventScope::only(["democon"]))).await;
    assert!(!repaired.unwrap().all_events);
    update(WebhookUpdate::new().comment("x")).await.unwrap();
}

#[tokio::test]
async fn create_with_a_lost_response_creates_one_webhook() {
    let fake = PretixFake::start().await;
    let pretix = client(&fake);
    for fault in [
        Fault::closed_connection().after_operation(),
        Fault::bad_gateway().after_operation(),
        PretixFake::key_in_use(Duration::ZERO),
        Fault::rate_limited(Duration::ZERO),
    ] {
        let before = fake.webhooks().len();
        fake.fail_next_on("create_webhook", 2, fault);
        let made = pretix.create_webhook(create(EventScope::All)).send().await;
        assert_eq!(
            fake.webhook(made.unwrap().id).unwrap().action_types.len(),
            1
        );
        assert_eq!(fake.webhooks().len(), before + 1);
        assert_eq!(fake.pending_faults(), 0);
    }
}

#[tokio::test]
async fn a_rate_limit_loses_nothing() {
    let fake = PretixFake::start().await;
    for _ in 0..120 {
        fake.seed(pretix_webhook("https://receiver.invalid/"));
    }
    fake.limit_rate(1, Duration::ZERO);
    let pretix = client(&fake);
    let mut seen = Vec::new();
    let mut items = pretix.list_webhooks().stream();
    while let Some(webhook) = items.try_next().await.unwrap() {
        seen.push(webhook.id);
    }
    assert_eq!(seen, (1..=120).collect::<Vec<_>>());
    for id in 1..=4 {
        pretix.delete_webhook(id).send().await.unwrap();
    }
    let enabled = fake
        .webhooks()
        .iter()
        .filter(|webhook| webhook.enabled)
        .count();
    assert_eq!(enabled, 116);
}

#[tokio::test]
async fn unknown_action_types_are_named_in_the_error() {
    let fake = PretixFake::start().await;
    let pretix = client(&fake);
    for name in [
        "pretix.event.order.*",
        "pretix.event.order.changed.price",
        "PRETIX.EVENT.ORDER.PAID",
    ] {
        let body = WebhookCreate::builder()
            .target_url(target())
            .events(EventScope::All)
            .action_types([name])
            .build();
        let error = pretix.create_webhook(body).send().await.unwrap_err();
        let [field] = error.field_errors() else {
            panic!("{error}")
        };
        assert_eq!(field.field, "action_types");
        assert!(field.message.contains(name));
        assert!(!error.to_string().contains(name));
    }
    assert!(fake.webhooks().is_empty());
}

#[tokio::test]
async fn another_organizers_webhooks_are_out_of_reach() {
    let fake = PretixFake::start().await;
    for slug in ["otherorg", "BIGEVENTS"] {
        let builder = pretix_as(fake.credentials(), slug, fake.base_url());
        let pretix = builder.build().unwrap();
        let error = pretix.list_webhooks().send().await.unwrap_err();
        assert!(error.is_forbidden());
    }
}

#[tokio::test]
async fn deliveries_of_the_fake_are_authenticated_and_decoded() {
    let credentials =
        Credentials::new("pretix", Secret::from("p@ss: wörd".replace('ö', "o"))).unwrap();
    let auth = BasicAuth::new("2026", &credentials);
    let receiver = MockServer::start().await;
    let gone = 410;
    for status in [503, 204] {
        Mock::given(any())
            .respond_with(ResponseTemplate::new(status))
            .up_to_n_times(1)
            .mount(&receiver)
            .await;
    }
    Mock::given(any())
        .respond_with(ResponseTemplate::new(gone))
        .mount(&receiver)
        .await;

    let fake = PretixFake::start().await;
    let pretix = client(&fake);
    let target = TargetUrl::new(&receiver.uri(), &credentials).unwrap();
    let body = WebhookCreate::builder()
        .target_url(target)
        .events(EventScope::All)
        .action_types([ActionType::OrderChangedAny])
        .build();
    let id = pretix.create_webhook(body).send().await.unwrap().id;
    let order = json!({"event": "democon", "code": "ABC23"});
    fake.emit("pretix.event.order.changed.price", order.clone())
        .await;
    fake.advance(Pretix::RETRY_DELAYS[0]);
    fake.deliver_due().await;
    fake.emit("pretix.event.order.changed.item", order).await;

    let requests = receiver.received_requests().await.unwrap();
    assert_eq!(requests.len(), 3);
    let mut ids = Vec::new();
    for request in &requests {
        auth.verify(&request.headers).unwrap();
        let notification = Notification::from_slice(&request.body).unwrap();
        assert_eq!(
            notification.action().subscription(),
            Some(ActionType::OrderChangedAny)
        );
        ids.push(notification.notification_id());
    }
    assert_eq!(ids[0], ids[1], "a retry is the same notification");
    assert_ne!(ids[1], ids[2]);
    let webhook = pretix.retrieve_webhook(id).send().await.unwrap();
    assert!(!webhook.enabled, "410 was the last word");
}
