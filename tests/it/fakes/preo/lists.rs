use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use webhook_sdk::testing::{PreoFake, PreoWebhookSeed};

use super::Caller;

/// Three endpoints in each of two organizations, every second one inactive.
async fn varied() -> PreoFake {
    let preo = PreoFake::start().await;
    for (id, organization, edition, active, name) in [
        ("a", "org_1", Some("ed_1"), true, "beta"),
        ("b", "org_1", Some("ed_2"), false, "alpha"),
        ("c", "org_1", None, true, "beta"),
        ("d", "org 2&", Some("ed_1"), false, "alpha"),
        ("e", "org 2&", Some("ed_2"), true, "gamma"),
        ("f", "org 2&", None, false, "beta"),
    ] {
        let mut seed = PreoWebhookSeed::new("https://x.example/")
            .id(id)
            .organization_id(organization)
            .is_active(active)
            .name(name);
        if let Some(edition) = edition {
            seed = seed.edition_id(edition);
        }
        preo.insert(seed);
    }
    preo
}

async fn ids(preo: &PreoFake, query: &str) -> String {
    Caller::of(preo).list(query, "id").await.concat()
}

#[tokio::test]
async fn a_page_has_100_items_unless_told_otherwise() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let ids = preo.seed_webhooks(101);

    assert_eq!(caller.list("", "id").await, ids[..100]);
    assert_eq!(caller.list("?page=2", "id").await, ids[100..]);
    assert_eq!(caller.list("?page_size=101", "id").await, ids);
    assert_eq!(caller.list("?page_size=40&page=3", "id").await, ids[80..]);
    assert_eq!(
        caller.list("?page_size=40&page=last", "id").await,
        ids[80..]
    );
    assert_eq!(caller.get("?page=2").await.1["count"], 101);
}

#[tokio::test]
async fn links_are_absolute_and_keep_the_other_parameters() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.seed_webhooks(5);
    let at = |query: &str| json!(format!("{}/v1/webhooks{query}", preo.base_url()));
    let link = |page: &Value, name: &str| page[name].clone();

    let (_, first) = caller
        .get("?page_size=2&x=%26+a&x=b&organization_id=org_1")
        .await;
    let (_, second) = caller.get("?page_size=2&page=2").await;
    let (_, third) = caller.get("?page_size=2&page=3").await;
    let (_, alone) = caller.get("?page=1").await;

    assert_eq!(
        link(&first, "next"),
        at("?organization_id=org_1&page=2&page_size=2&x=%26+a&x=b")
    );
    assert_eq!(link(&first, "previous"), json!(null));
    assert_eq!(link(&second, "next"), at("?page=3&page_size=2"));
    assert_eq!(link(&second, "previous"), at("?page_size=2"));
    assert_eq!(link(&third, "next"), json!(null));
    assert_eq!(link(&third, "previous"), at("?page=2&page_size=2"));
    assert_eq!(link(&alone, "next"), json!(null));
    assert_eq!(link(&alone, "previous"), json!(null));
}

#[tokio::test]
async fn a_previous_link_to_the_first_page_of_defaults_has_no_query() {
    let preo = PreoFake::start().await;
    preo.seed_webhooks(101);

    let (_, second) = Caller::of(&preo).get("?page=2").await;

    let first = format!("{}/v1/webhooks", preo.base_url());
    assert_eq!(second["previous"], json!(first));
}

#[tokio::test]
async fn following_the_links_meets_each_of_10_000_endpoints_once() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    let expected: HashSet<String> = preo.seed_webhooks(10_000).into_iter().collect();

    let mut met = Vec::new();
    let mut created = Vec::new();
    let mut next = Some(format!("{}/v1/webhooks", preo.base_url()));
    while let Some(url) = next {
        let request = caller.client.get(url).bearer_auth(&caller.token);
        let page: Value = request.send().await.unwrap().json().await.unwrap();
        for item in page["results"].as_array().unwrap() {
            met.push(item["id"].as_str().unwrap().to_owned());
            let time: DateTime<Utc> = item["created"].as_str().unwrap().parse().unwrap();
            created.push(time);
        }
        next = page["next"].as_str().map(str::to_owned);
    }

    assert_eq!(met.len(), 10_000);
    assert_eq!(met.into_iter().collect::<HashSet<_>>(), expected);
    assert!(created.is_sorted_by(|earlier, later| earlier < later));
    assert_eq!(preo.requests().len(), 100);
}

#[tokio::test]
async fn a_page_that_does_not_exist_answers_404() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);
    preo.seed_webhooks(3);

    for page in ["0", "-1", "4", "x", "1.0", "%00", "99999999999999999999999"] {
        let answer = caller.get(&format!("?page_size=1&page={page}")).await;
        assert_eq!(answer, (404, json!({"detail": "Invalid page."})), "{page}");
    }
}

#[tokio::test]
async fn an_empty_list_has_one_page() {
    let preo = PreoFake::start().await;
    let caller = Caller::of(&preo);

    let empty = json!({"count": 0, "next": null, "previous": null, "results": []});
    assert_eq!(caller.get("?page=1").await, (200, empty.clone()));
    assert_eq!(caller.get("?page=last").await, (200, empty));
    assert_eq!(caller.get("?page=2").await.0, 404);
}

#[tokio::test]
async fn a_page_size_that_makes_no_sense_means_the_default() {
    let preo = PreoFake::start().await;
    preo.seed_webhooks(101);

    for size in ["0", "-5", "x", "", "1e3"] {
        let query = format!("?page_size={size}");
        let list = Caller::of(&preo).list(&query, "id").await;
        assert_eq!(list.len(), 100, "{size}");
    }
}

#[tokio::test]
async fn the_builder_bounds_the_page_size() {
    let preo = PreoFake::builder().max_page_size(2).start().await;
    preo.seed_webhooks(3);

    let (_, page) = Caller::of(&preo).get("?page_size=1000").await;

    assert_eq!(page["results"].as_array().unwrap().len(), 2);
    assert_ne!(page["next"], json!(null));
}

#[tokio::test]
async fn each_filter_keeps_what_matches() {
    let preo = varied().await;

    assert_eq!(ids(&preo, "").await, "abcdef");
    assert_eq!(ids(&preo, "?organization_id=org_1").await, "abc");
    assert_eq!(ids(&preo, "?organization_id=org+2%26").await, "def");
    assert_eq!(ids(&preo, "?organization_id=org").await, "");
    assert_eq!(ids(&preo, "?edition_id=ed_1").await, "ad");
    assert_eq!(ids(&preo, "?is_active=true").await, "ace");
    assert_eq!(ids(&preo, "?is_active=False").await, "bdf");
    assert_eq!(ids(&preo, "?is_active=1").await, "ace");
    assert_eq!(ids(&preo, "?is_active=0").await, "bdf");
}

#[tokio::test]
async fn filters_apply_together_and_count() {
    let preo = varied().await;
    let query = "?organization_id=org_1&edition_id=ed_1&is_active=true";

    let (_, page) = Caller::of(&preo).get(query).await;

    assert_eq!(page["count"], 1);
    assert_eq!(page["results"][0]["id"], "a");
}

#[tokio::test]
async fn blank_and_senseless_filters_are_none_and_the_last_of_several_counts() {
    let preo = varied().await;

    assert_eq!(ids(&preo, "?organization_id=&edition_id=").await, "abcdef");
    assert_eq!(ids(&preo, "?is_active=maybe").await, "abcdef");
    assert_eq!(ids(&preo, "?colour=blue").await, "abcdef");
    assert_eq!(ids(&preo, "?is_active=true&is_active=false").await, "bdf");
}

#[tokio::test]
async fn ordering_takes_each_key_in_both_directions() {
    let preo = varied().await;
    Caller::of(&preo).update("b", &json!({})).await;

    assert_eq!(ids(&preo, "?ordering=created").await, "abcdef");
    assert_eq!(ids(&preo, "?ordering=-created").await, "fedcba");
    assert_eq!(ids(&preo, "?ordering=modified").await, "acdefb");
    assert_eq!(ids(&preo, "?ordering=-modified").await, "bfedca");
    assert_eq!(ids(&preo, "?ordering=name").await, "bdacfe");
    assert_eq!(ids(&preo, "?ordering=-name").await, "eacfbd");
}

#[tokio::test]
async fn ordering_by_several_keys_goes_from_the_first_to_the_last() {
    let preo = varied().await;

    assert_eq!(ids(&preo, "?ordering=name,-created").await, "dbfcae");
    assert_eq!(ids(&preo, "?ordering=-name,created").await, "eacfbd");
    assert_eq!(ids(&preo, "?ordering=-name%2C-created").await, "efcadb");
    let page = "?ordering=name,-created&is_active=false&page_size=2&page=2";
    assert_eq!(ids(&preo, page).await, "f");
}

#[tokio::test]
async fn repeated_ordering_keys_are_not_joined() {
    let preo = varied().await;

    let repeated = ids(&preo, "?ordering=name&ordering=-created").await;

    assert_eq!(repeated, "fedcba");
}

#[tokio::test]
async fn an_unknown_ordering_key_answers_400() {
    let preo = varied().await;

    for (query, key) in [("name,url", "url"), ("--name", "--name"), ("Name", "Name")] {
        let answer = Caller::of(&preo).get(&format!("?ordering={query}")).await;
        let message = format!("Select a valid choice. {key} is not one of the available choices.");
        assert_eq!(answer, (400, json!({"ordering": [message]})));
    }
}
