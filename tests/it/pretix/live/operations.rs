use reqwest::Method;
use serde_json::json;
use webhook_sdk::Patch;
use webhook_sdk::pretix::{ActionType, EventScope, WebhookCreate, WebhookReplace};

use super::{Live, NEVER, nowhere, unique, update};
use crate::pretix::support::{PASSWORD, target};

#[tokio::test]
#[ignore = "needs a pretix"]
async fn every_operation_works() {
    let live = Live::find().await;
    let pretix = live.client();
    let comment = unique("operations");
    let events = EventScope::only([&live.event]);
    let body = WebhookCreate::builder()
        .target_url(target())
        .events(events.clone())
        .action_types(NEVER)
        .comment(format!(" {comment} "))
        .build();
    let response = pretix.create_webhook(body).send_with_response().await;
    let (made, parts) = response.unwrap().into_parts();
    assert_eq!(parts.status(), 201);
    assert!(made.enabled);
    assert_eq!(made.events(), events);
    assert_eq!(made.target_url, target());
    assert_eq!(made.action_types, NEVER);
    assert_eq!(
        made.comment.as_ref(),
        Some(&comment),
        "white space is trimmed"
    );
    assert!(!format!("{made:?}").contains(PASSWORD));

    let id = made.id;
    let found = pretix.retrieve_webhook(id).send().await.unwrap();
    assert_eq!(found, made);

    let change = update().comment(Patch::Null).enabled(false);
    let changed = pretix.update_webhook(id, change).send().await.unwrap();
    assert_eq!((changed.enabled, &changed.comment), (false, &None));
    assert_eq!(changed.events(), events);

    let actions = [ActionType::SubEventAdded, ActionType::CustomerAnonymized];
    let all = WebhookReplace::builder()
        .target_url(nowhere())
        .events(EventScope::All)
        .action_types(actions)
        .enabled(true)
        .comment(comment.clone())
        .build();
    let replaced = pretix.replace_webhook(id, all).send().await.unwrap();
    assert!(replaced.enabled);
    assert_eq!(replaced.events(), EventScope::All);
    assert_eq!(
        replaced.action_types,
        [ActionType::CustomerAnonymized, ActionType::SubEventAdded],
        "sorted"
    );
    assert_eq!(replaced.comment, Some(comment));

    let mut list = pretix.list_webhooks().enabled(true).stream();
    let mut listed = None;
    while let Some(webhook) = list.try_next().await.unwrap() {
        if webhook.id == id {
            listed = Some(webhook);
        }
    }
    assert_eq!(listed.unwrap(), replaced);

    let left = pretix.delete_webhook_and_retrieve(id).await.unwrap();
    assert!(!left.enabled);
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn delete_disables_and_can_be_reverted() {
    let live = Live::find().await;
    let pretix = live.client();
    let body = WebhookCreate::builder()
        .target_url(nowhere())
        .events(EventScope::All)
        .action_types(NEVER)
        .build();
    let id = pretix.create_webhook(body).send().await.unwrap().id;
    for _ in 0..2 {
        let deleted = pretix.delete_webhook(id).send_with_response().await;
        assert_eq!(deleted.unwrap().status(), 204);
        let left = pretix.retrieve_webhook(id).send().await.unwrap();
        assert!(!left.enabled);
    }
    let revive = pretix.update_webhook(id, update().enabled(true));
    assert!(revive.send().await.unwrap().enabled);
    pretix.delete_webhook(id).send().await.unwrap();
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn a_redirect_of_delete_is_not_followed_and_following_it_would_delete_nothing() {
    let live = Live::find().await;
    let pretix = live.client();
    let body = WebhookCreate::builder()
        .target_url(nowhere())
        .events(EventScope::All)
        .action_types(NEVER)
        .build();
    let id = pretix.create_webhook(body).send().await.unwrap().id;
    let path = format!("webhooks/{id}");
    let redirect = live.raw(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(redirect.status(), 301);
    assert!(
        redirect.headers()["location"]
            .to_str()
            .unwrap()
            .ends_with(&format!("/{path}/"))
    );
    assert!(pretix.retrieve_webhook(id).send().await.unwrap().enabled);

    // What a client does that follows it with another method.
    let answer = live.raw(Method::GET, &format!("{path}/")).send().await;
    assert_eq!(answer.unwrap().status(), 200);
    let webhook = pretix.retrieve_webhook(id).send().await.unwrap();
    assert!(webhook.enabled);

    pretix.delete_webhook(id).send().await.unwrap();
    assert!(!pretix.retrieve_webhook(id).send().await.unwrap().enabled);
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn omitting_all_events_causes_a_contradiction_that_a_scope_fixes() {
    let live = Live::find().await;
    let pretix = live.client();
    let body = json!({
        "target_url": nowhere(), "limit_events": [live.event], "action_types": NEVER,
    });
    let (status, made) = live.raw_json(Method::POST, "webhooks/", &body).await;
    assert_eq!(status, 201);
    assert_eq!(made["all_events"], true, "the trap");
    let id = made["id"].as_i64().unwrap();

    let webhook = pretix.retrieve_webhook(id).send().await.unwrap();
    assert_eq!(webhook.limit_events, [&*live.event]);
    assert_eq!(webhook.events(), EventScope::All);
    let refused = pretix.update_webhook(id, update().comment("x"));
    let refused = refused.send().await.unwrap_err();
    assert_eq!(refused.status().unwrap(), 400);
    assert_eq!(refused.field_errors()[0].field, "non_field_errors");

    let repair = update().events(EventScope::only([&live.event]));
    let repaired = pretix.update_webhook(id, repair).send().await.unwrap();
    assert_eq!(repaired.events(), EventScope::only([&live.event]));
    pretix.delete_webhook(id).send().await.unwrap();
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn a_scope_changes_in_one_call_in_every_direction() {
    let live = Live::find().await;
    let pretix = live.client();
    let (one, two) = (live.event.as_str(), live.second_event.as_str());
    let body = WebhookCreate::builder()
        .target_url(nowhere())
        .events(EventScope::only([one]))
        .action_types(NEVER)
        .build();
    let id = pretix.create_webhook(body).send().await.unwrap().id;

    let half = json!({"all_events": true});
    let (status, error) = live
        .raw_json(Method::PATCH, &format!("webhooks/{id}/"), &half)
        .await;
    assert_eq!(status, 400, "half of a scope is refused");
    assert!(error.get("non_field_errors").is_some());

    for (events, found) in [
        (EventScope::All, EventScope::All),
        (
            EventScope::only([two, one, two]),
            EventScope::only([one, two]),
        ),
        (
            EventScope::Only(Default::default()),
            EventScope::Only(Default::default()),
        ),
        (EventScope::only([one]), EventScope::only([one])),
        (EventScope::All, EventScope::All),
    ] {
        let change = pretix.update_webhook(id, update().events(events));
        let changed = change.send().await.unwrap();
        let EventScope::Only(found) = found else {
            assert_eq!(changed.events(), EventScope::All);
            continue;
        };
        let (mut slugs, mut found) = (changed.limit_events.to_vec(), found.to_vec());
        assert!(!changed.all_events);
        slugs.sort();
        found.sort();
        found.dedup();
        assert_eq!(slugs, found, "each once, in the server's own order");
    }
    pretix.delete_webhook(id).send().await.unwrap();
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn put_keeps_omitted_fields_and_a_replacement_has_every_field() {
    let live = Live::find().await;
    let pretix = live.client();
    let body = WebhookCreate::builder()
        .target_url(nowhere())
        .events(EventScope::only([&live.event]))
        .action_types(NEVER)
        .enabled(false)
        .comment("keep me?")
        .build();
    let id = pretix.create_webhook(body).send().await.unwrap().id;
    let least = json!({
        "target_url": nowhere(), "limit_events": [live.event], "action_types": NEVER,
    });
    let (status, kept) = live
        .raw_json(Method::PUT, &format!("webhooks/{id}/"), &least)
        .await;
    assert_eq!(status, 200);
    assert_eq!(kept["enabled"], false, "not reset");
    assert_eq!(kept["all_events"], false, "not reset");
    assert_eq!(kept["comment"], "keep me?", "not reset");

    let mut replacement = WebhookReplace::from(pretix.retrieve_webhook(id).send().await.unwrap());
    replacement.comment = None;
    replacement.events = EventScope::All;
    let replace = pretix.replace_webhook(id, replacement);
    let replaced = replace.send().await.unwrap();
    assert_eq!(
        (replaced.events(), &replaced.comment),
        (EventScope::All, &None)
    );
    assert!(!replaced.enabled);
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn every_known_action_type_is_accepted_and_returned() {
    let live = Live::find().await;
    let pretix = live.client();
    let all = ActionType::KNOWN.to_vec();
    assert_eq!(all.len(), 47);
    let body = WebhookCreate::builder()
        .target_url(nowhere())
        .events(EventScope::All)
        .action_types(all.clone())
        .enabled(false)
        .build();
    let made = pretix.create_webhook(body).send().await.unwrap();
    let mut sorted = all;
    sorted.sort();
    assert_eq!(made.action_types[..], sorted);
    assert!(made.action_types.iter().all(|name| !name.is_unknown()));
}

#[tokio::test]
#[ignore = "needs a pretix"]
async fn list_of_120_webhooks_is_complete_and_ordered() {
    let live = Live::find().await;
    let pretix = live.client();
    let comment = unique("paging");
    let mut made = Vec::new();
    for number in 0..120 {
        let body = WebhookCreate::builder()
            .target_url(nowhere())
            .events(EventScope::All)
            .action_types(NEVER)
            .enabled(number % 3 == 0)
            .comment(&*comment)
            .build();
        made.push(pretix.create_webhook(body).send().await.unwrap().id);
    }
    for (page_size, prefetch) in [(50, 0), (50, 3), (7, 5)] {
        let mut list = pretix
            .list_webhooks()
            .page_size(page_size)
            .stream()
            .prefetch(prefetch);
        let mut ids = Vec::new();
        let mut found = Vec::new();
        while let Some(webhook) = list.try_next().await.unwrap() {
            ids.push(webhook.id);
            if webhook.comment.as_ref() == Some(&comment) {
                found.push(webhook.id);
            }
        }
        assert_eq!(found, made);
        assert!(ids.is_sorted_by(|a, b| a < b), "always by id, each once");
    }
    for enabled in [true, false] {
        let mut list = pretix.list_webhooks().enabled(enabled).stream();
        let mut found = 0;
        while let Some(webhook) = list.try_next().await.unwrap() {
            assert_eq!(webhook.enabled, enabled);
            found += usize::from(webhook.comment.as_ref() == Some(&comment));
        }
        assert_eq!(found, if enabled { 40 } else { 80 });
    }
    let mut pages = pretix.list_webhooks().page_size(50).pages();
    let first = pages.try_next().await.unwrap().unwrap();
    assert_eq!((first.items.len(), first.has_next), (50, true));
    assert!(first.count >= 120);
    live.disable_all().await;
}
