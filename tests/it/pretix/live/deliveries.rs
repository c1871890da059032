use std::collections::BTreeSet;

use reqwest::{Client, Method};
use serde_json::json;
use webhook_sdk::Secret;
use webhook_sdk::pretix::{
    ActionType, BasicAuth, Credentials, EventScope, Notification, TargetUrl, WebhookCreate,
};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{Live, unique, update, variable};

async fn receiver(status: u16) -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn received(receiver: &MockServer) -> Vec<Request> {
    receiver.received_requests().await.unwrap()
}

fn credentials() -> Credentials {
    Credentials::new("pretix", Secret::from("p@ss:/?#[ ]%&=+~word")).unwrap()
}

/// Has `receiver` called for these actions, and tells the webhook's id.
async fn subscribe<const N: usize>(
    live: &Live,
    receiver: &MockServer,
    events: EventScope,
    actions: [ActionType; N],
) -> i64 {
    let target =
        TargetUrl::new(&format!("{}/hook?shop=1", receiver.uri()), &credentials()).unwrap();
    let body = WebhookCreate::builder()
        .target_url(target)
        .events(events)
        .action_types(actions)
        .build();
    let made = live.client().create_webhook(body).send().await;
    made.unwrap().id
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn deliveries_are_authenticated_decoded_and_refetched() {
    let live = Live::find().await;
    live.disable_all().await;
    let receiver = receiver(204).await;
    subscribe(
        &live,
        &receiver,
        EventScope::only([&live.event]),
        [
            ActionType::EventChanged,
            ActionType::QuotaAny,
            ActionType::ItemAny,
            ActionType::VoucherAdded,
            ActionType::OrderPlaced,
            ActionType::OrderPaid,
        ],
    )
    .await;

    live.rename_event().await;
    let below = |path: &str| format!("events/{}/{path}/", live.event);
    let post = async |path: String, body: serde_json::Value| {
        let (status, answer) = live.raw_json(Method::POST, &path, &body).await;
        assert!((200..300).contains(&status), "{path}: {answer}");
        answer
    };
    let items = live.raw(Method::GET, &below("items")).send().await.unwrap();
    let items: serde_json::Value = items.json().await.unwrap();
    let item = items["results"][0]["id"].clone();
    let quota =
        json!({"name": "More", "size": null, "items": [item], "variations": [], "subevent": null});
    post(below("quotas"), quota).await;
    let voucher = json!({"code": unique("V").replace(' ', ""), "item": item});
    post(below("vouchers"), voucher).await;
    let more = json!({"name": {"en": "Poster"}, "default_price": "5.00"});
    post(below("items"), more).await;
    let order = json!({
        "email": "guest@example.org", "locale": "en", "sales_channel": "web",
        "payment_provider": "manual", "positions": [{"item": item, "variation": null}],
    });
    let order = post(below("orders"), order).await;
    let code = order["code"].as_str().unwrap().to_owned();
    post(below(&format!("orders/{code}/mark_paid")), json!({})).await;

    let auth = BasicAuth::new("live", &credentials());
    let stranger = Credentials::new("pretix", Secret::from("another")).unwrap();
    let stranger = BasicAuth::new("stranger", &stranger);
    let mut subscriptions = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let mut order_codes = BTreeSet::new();
    for request in received(&receiver).await {
        assert_eq!(request.method.as_str(), "POST");
        assert_eq!(request.url.query(), Some("shop=1"));
        assert_eq!(request.headers["content-type"], "application/json");
        auth.verify(&request.headers).unwrap();
        stranger.verify(&request.headers).unwrap_err();

        let notification = Notification::from_slice(&request.body).unwrap();
        assert!(!matches!(notification, Notification::Unknown(_)));
        ids.insert(notification.notification_id());
        subscriptions.insert(notification.action().subscription().unwrap());
        if let Notification::Order(order) = &notification {
            order_codes.extend(order.code.clone());
        }
        let path = notification.refetch_path().unwrap();
        let token = format!("Token {}", variable("PRETIX_TOKEN"));
        let fetch = Client::new().get(format!("{}{path}", live.base_url));
        let found = fetch.header("authorization", token).send().await.unwrap();
        assert_eq!(found.status(), 200, "{path}");
    }
    let expected = BTreeSet::from([
        ActionType::EventChanged,
        ActionType::QuotaAny,
        ActionType::ItemAny,
        ActionType::VoucherAdded,
        ActionType::OrderPlaced,
        ActionType::OrderPaid,
    ]);
    assert_eq!(subscriptions, expected);
    assert_eq!(order_codes, BTreeSet::from([code]));
    assert_eq!(ids.len(), received(&receiver).await.len());
    live.disable_all().await;
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn scope_limits_deliveries_and_its_absence_does_not() {
    let live = Live::find().await;
    live.disable_all().await;
    let actions = [ActionType::EventChanged];
    let scopes = [
        (EventScope::All, 1),
        (EventScope::only([&live.event]), 1),
        (EventScope::only([&live.second_event]), 0),
        (EventScope::Only(Default::default()), 0),
    ];
    let mut receivers = Vec::new();
    for (scope, expected) in scopes {
        let receiver = receiver(204).await;
        subscribe(&live, &receiver, scope, actions.clone()).await;
        receivers.push((receiver, expected));
    }
    let contradictory = receiver(204).await;
    let body = json!({
        "target_url": contradictory.uri(), "limit_events": [live.second_event],
        "action_types": actions,
    });
    assert_eq!(live.raw_json(Method::POST, "webhooks/", &body).await.0, 201);
    receivers.push((contradictory, 1));

    live.rename_event().await;
    let mut ids = BTreeSet::new();
    for (receiver, expected) in &receivers {
        let requests = received(receiver).await;
        assert_eq!(requests.len(), *expected);
        for request in requests {
            let notification = Notification::from_slice(&request.body).unwrap();
            ids.insert(notification.notification_id());
        }
    }
    assert_eq!(ids.len(), 1, "one notification for all");
    live.disable_all().await;
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn a_410_disables_the_webhook_until_it_is_enabled_again() {
    let live = Live::find().await;
    live.disable_all().await;
    let pretix = live.client();
    let receiver = receiver(410).await;
    let id = subscribe(
        &live,
        &receiver,
        EventScope::All,
        [ActionType::EventChanged],
    )
    .await;
    live.rename_event().await;
    assert_eq!(received(&receiver).await.len(), 1);
    assert!(!pretix.retrieve_webhook(id).send().await.unwrap().enabled);
    live.rename_event().await;
    assert_eq!(received(&receiver).await.len(), 1);

    let revive = pretix.update_webhook(id, update().enabled(true));
    revive.send().await.unwrap();
    live.rename_event().await;
    assert_eq!(received(&receiver).await.len(), 2);
    live.disable_all().await;
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn failed_delivery_is_redelivered_with_the_same_id() {
    let live = Live::find().await;
    live.disable_all().await;
    let receiver = receiver(503).await;
    let id = subscribe(
        &live,
        &receiver,
        EventScope::All,
        [ActionType::EventChanged],
    )
    .await;
    live.rename_event().await;
    let requests = received(&receiver).await;
    assert!(requests.len() > 1, "sent again");
    let ids: BTreeSet<u64> = requests
        .iter()
        .map(|request| {
            Notification::from_slice(&request.body)
                .unwrap()
                .notification_id()
        })
        .collect();
    assert_eq!(ids.len(), 1);
    let webhook = live.client().retrieve_webhook(id).send().await.unwrap();
    assert!(webhook.enabled, "failing disables nothing");
    live.disable_all().await;
}
