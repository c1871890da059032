use serde_json::json;
use webhook_sdk::testing::{PreoFake, PreoWebhookSeed};

use super::{Caller, valid_body};

#[tokio::test]
async fn create_answers_201_with_the_whole_endpoint() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);

    let (status, created) = caller.create(&valid_body()).await;

    let secret = created["secret"].as_str().unwrap();
    assert_eq!(status, 201);
    assert_eq!(secret.len(), 64);
    assert_eq!(
        created,
        json!({
            "id": "endpoint-000001",
            "organization_id": "org_1",
            "name": "Shop",
            "url": "https://shop.example/preo",
            "edition_id": null,
            "events": ["purchase.action", "consent.given"],
            "is_active": true,
            "timeout_seconds": 10,
            "created": "2026-01-01T00:00:00.001000Z",
            "modified": "2026-01-01T00:00:00.001000Z",
            "secret": secret,
        })
    );
    assert_eq!(caller.get("/endpoint-000001").await, (200, created));
}

#[tokio::test]
async fn create_takes_every_documented_field_and_ignores_others() {
    let preo = PreoFake::start().await;
    let mut body = valid_body();
    body["edition_id"] = json!("ed_1");
    body["is_active"] = json!(false);
    body["timeout_seconds"] = json!(0);
    body["id"] = json!("mine");
    body["secret"] = json!("mine");
    body["colour"] = json!("blue");

    let (status, created) = Caller::of(&preo).create(&body).await;

    assert_eq!(status, 201);
    assert_eq!(created["edition_id"], "ed_1");
    assert_eq!(created["is_active"], false);
    assert_eq!(created["timeout_seconds"], 0);
    assert_eq!(created["id"], "endpoint-000001");
    assert_ne!(created["secret"], "mine");
    assert_eq!(created.get("colour"), None);
}

#[tokio::test]
async fn list_items_are_endpoints_without_a_secret() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let (_, mut created) = caller.create(&valid_body()).await;
    created.as_object_mut().unwrap().remove("secret");

    let (status, list) = caller.get("").await;

    assert_eq!(status, 200);
    assert_eq!(
        list,
        json!({"count": 1, "next": null, "previous": null, "results": [created]})
    );
}

#[tokio::test]
async fn update_changes_what_it_names_and_the_time_of_change() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let (_, before) = caller.create(&valid_body()).await;

    let (status, after) = caller
        .update("endpoint-000001", &json!({"name": "Kiosk"}))
        .await;

    let mut expected = before.clone();
    expected["name"] = json!("Kiosk");
    expected["modified"] = json!("2026-01-01T00:00:00.002000Z");
    assert_eq!((status, &after), (200, &expected));
    assert_eq!(caller.get("/endpoint-000001").await, (200, expected));
}

#[tokio::test]
async fn update_takes_every_documented_field() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    caller.create(&valid_body()).await;
    let changes = json!({
        "name": "Kiosk",
        "url": "http://localhost:8080/x?y=z",
        "edition_id": "ed_2",
        "events": [],
        "is_active": false,
        "timeout_seconds": 2_147_483_647,
    });

    let (_, after) = caller.update("endpoint-000001", &changes).await;

    for (name, value) in changes.as_object().unwrap() {
        assert_eq!(&after[name], value, "{name}");
    }
}

#[tokio::test]
async fn update_tells_null_from_absent() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let mut body = valid_body();
    body["edition_id"] = json!("ed_1");
    caller.create(&body).await;

    let (_, absent) = caller.update("endpoint-000001", &json!({})).await;
    let (_, null) = caller
        .update("endpoint-000001", &json!({"edition_id": null}))
        .await;

    assert_eq!(absent["edition_id"], "ed_1");
    assert_eq!(null["edition_id"], json!(null));
}

#[tokio::test]
async fn update_ignores_the_organization() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    caller.create(&valid_body()).await;

    let (status, after) = caller
        .update("endpoint-000001", &json!({"organization_id": "org_2"}))
        .await;

    assert_eq!(status, 200);
    assert_eq!(after["organization_id"], "org_1");
}

#[tokio::test]
async fn delete_answers_204_once_and_leaves_nothing() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    caller.create(&valid_body()).await;

    let first = caller.delete("endpoint-000001").await;
    let second = caller.delete("endpoint-000001").await;

    assert_eq!(first.status(), 204);
    assert_eq!(first.bytes().await.unwrap(), "");
    assert_eq!(second.status(), 404);
    assert_eq!(caller.get("").await.1["count"], 0);
    assert!(preo.webhooks().is_empty());
}

#[tokio::test]
async fn unknown_ids_answer_404_on_every_operation() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let id = preo.seed_webhooks(1).remove(0);
    let not_found = (404, json!({"detail": "Not found."}));

    assert_eq!(caller.get("/nobody").await, not_found);
    assert_eq!(caller.update("nobody", &json!({})).await, not_found);
    assert_eq!(caller.delete("nobody").await.status(), 404);
    assert_eq!(caller.post("/nobody/rotate-secret").await, not_found);
    assert_eq!(caller.get("/nobody/deliveries").await, not_found);
    assert_eq!(caller.get("/nobody/deliveries/x").await, not_found);
    assert_eq!(caller.post("/nobody/deliveries/x/retry").await, not_found);
    assert_eq!(caller.get(&format!("/{id}/deliveries/x")).await, not_found);
    let retry = format!("/{id}/deliveries/x/retry");
    assert_eq!(caller.post(&retry).await, not_found);
}

#[tokio::test]
async fn rotation_replaces_the_secret_and_nothing_else() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let (_, before) = caller.create(&valid_body()).await;

    let (status, rotated) = caller.post("/endpoint-000001/rotate-secret").await;

    assert_eq!(status, 200);
    assert_ne!(rotated["secret"], before["secret"]);
    assert_eq!(rotated["secret"].as_str().unwrap().len(), 64);
    let mut expected = before;
    expected["secret"] = rotated["secret"].clone();
    expected["modified"] = json!("2026-01-01T00:00:00.002000Z");
    assert_eq!(caller.get("/endpoint-000001").await, (200, expected));
}

#[tokio::test]
async fn a_seed_is_served_as_it_is() {
    let preo = PreoFake::start().await;
    let seed = PreoWebhookSeed::new("https://x.example/")
        .id("a/b ü?")
        .without_organization()
        .name("")
        .edition_id("ed_1")
        .events(["consent.given", "moon.landing"])
        .is_active(false)
        .timeout_seconds(7)
        .secret("s3cret");

    let webhook = preo.insert(seed);
    let (status, served) = Caller::of(&preo).get("/a%2Fb%20%C3%BC%3F").await;

    assert_eq!(webhook.id, "a/b ü?");
    assert_eq!(
        (status, served),
        (
            200,
            json!({
                "id": "a/b ü?",
                "organization_id": null,
                "name": "",
                "url": "https://x.example/",
                "edition_id": "ed_1",
                "events": ["consent.given", "moon.landing"],
                "is_active": false,
                "timeout_seconds": 7,
                "created": "2026-01-01T00:00:00.001000Z",
                "modified": "2026-01-01T00:00:00.001000Z",
                "secret": "s3cret",
            })
        )
    );
}

#[tokio::test]
async fn a_seed_takes_the_place_of_one_with_its_id() {
    let preo = PreoFake::start().await;
    preo.insert(
        PreoWebhookSeed::new("https://x.example/")
            .id("one")
            .name("old"),
    );
    preo.insert(
        PreoWebhookSeed::new("https://x.example/")
            .id("one")
            .name("new"),
    );

    assert_eq!(preo.webhooks().len(), 1);
    assert_eq!(preo.webhook("one").unwrap().name, "new");
}
