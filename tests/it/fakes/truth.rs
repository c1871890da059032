//! Every call with the fewest and with all arguments, through a proxy that validates both sides.
//!
//! `tests/truth/run.py prism` starts the proxies and runs these tests. A violation makes the proxy
//! respond with an error, so that every call must succeed.

use std::env;

use webhook_sdk::lune::{self, LuneClient, WebhookUrl};
use webhook_sdk::preo::{self, PreoClient, WebhookEvent, WebhookOrdering};
use webhook_sdk::pretix::{self, ActionType, Credentials, EventScope, PretixClient, TargetUrl};
use webhook_sdk::{RetryPolicy, Secret};

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} isn't set: run tests/truth/run.py prism"))
}

#[tokio::test]
#[ignore = "needs a Prism proxy"]
async fn preo() {
    let client = PreoClient::builder(variable("TRUTH_CREDENTIALS"))
        .base_url(variable("TRUTH_BASE_URL"))
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let id = variable("TRUTH_WEBHOOK_ID");

    client.list_webhooks().send().await.unwrap();
    client
        .list_webhooks()
        .edition_id("ed_1")
        .is_active(true)
        .ordering([WebhookOrdering::NameDesc, WebhookOrdering::Created])
        .organization_id("org_1")
        .page(1)
        .page_size(1)
        .send()
        .await
        .unwrap();
    let create = preo::WebhookCreate::builder()
        .organization_id("org_1")
        .name("Shop")
        .url("https://example.com/preo")
        .events([WebhookEvent::ConsentGiven]);
    let minimal = client
        .create_webhook(create.clone().build())
        .send()
        .await
        .unwrap();
    let whole = create
        .edition_id("ed_1")
        .is_active(false)
        .timeout_seconds(5);
    client.create_webhook(whole.build()).send().await.unwrap();
    client.retrieve_webhook(&minimal.id).send().await.unwrap();
    let nothing = preo::WebhookUpdate::new();
    client
        .update_webhook(&minimal.id, nothing)
        .send()
        .await
        .unwrap();
    let everything = preo::WebhookUpdate::new()
        .name("Kiosk")
        .url("https://example.com/kiosk")
        .edition_id(None)
        .events(WebhookEvent::KNOWN.to_vec())
        .is_active(true)
        .timeout_seconds(0);
    client
        .update_webhook(&minimal.id, everything)
        .send()
        .await
        .unwrap();
    client
        .rotate_webhook_secret(&minimal.id)
        .send()
        .await
        .unwrap();
    client.delete_webhook(&minimal.id).send().await.unwrap();

    let page = client.list_webhook_deliveries(&id).send().await.unwrap();
    let delivery = &page.results[0].id;
    client
        .list_webhook_deliveries(&id)
        .edition_id("ed_1")
        .is_active(true)
        .ordering([WebhookOrdering::ModifiedDesc])
        .organization_id("org_1")
        .page(1)
        .page_size(1)
        .status("failed")
        .send()
        .await
        .unwrap();
    client
        .retrieve_webhook_delivery(&id, delivery)
        .send()
        .await
        .unwrap();
    client
        .retry_webhook_delivery(&id, delivery)
        .send()
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "needs a Prism proxy"]
async fn lune() {
    let client = LuneClient::builder(variable("TRUTH_CREDENTIALS"))
        // The version is part of the document's server URL, which the proxy replaces.
        .base_url(variable("TRUTH_BASE_URL"))
        .account("acc_1")
        .version("2024-08-08")
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let url = || WebhookUrl::try_from("https://example.com/lune").unwrap();

    client.list_webhooks().send().await.unwrap();
    client
        .list_webhooks()
        .account_id(["acc_1", "acc_2"])
        .send()
        .await
        .unwrap();
    let create = lune::WebhookCreate::builder().url(url());
    let minimal = client
        .create_webhook(create.clone().build())
        .send()
        .await
        .unwrap();
    let whole = create.account_ids(["acc_1"]).build();
    client.create_webhook(whole).send().await.unwrap();
    client.retrieve_webhook(&minimal.id).send().await.unwrap();
    let update = lune::WebhookUpdate::builder().url(url()).enabled(false);
    client
        .update_webhook(&minimal.id, update.clone().build())
        .send()
        .await
        .unwrap();
    let whole = update.account_ids(["acc_1", "acc_2"]).build();
    client
        .update_webhook(&minimal.id, whole)
        .send()
        .await
        .unwrap();
    client
        .rotate_webhook_secret(&minimal.id)
        .send()
        .await
        .unwrap();
    client.delete_webhook(&minimal.id).send().await.unwrap();
}

#[tokio::test]
#[ignore = "needs a Prism proxy"]
async fn pretix() {
    let client = PretixClient::builder(variable("TRUTH_CREDENTIALS"), "bigevents")
        .base_url(variable("TRUTH_BASE_URL"))
        .retry(RetryPolicy::never())
        .build()
        .unwrap();
    let credentials = Credentials::new("pretix", Secret::from("swordfish")).unwrap();
    let target = || TargetUrl::new("https://example.org/hooks", &credentials).unwrap();

    client.list_webhooks().send().await.unwrap();
    client
        .list_webhooks()
        .enabled(true)
        .page(1)
        .page_size(50)
        .send()
        .await
        .unwrap();
    let create = pretix::WebhookCreate::builder()
        .target_url(target())
        .events(EventScope::All)
        .action_types([ActionType::OrderPaid]);
    let minimal = client
        .create_webhook(create.clone().build())
        .send()
        .await
        .unwrap();
    let whole = create
        .events(EventScope::only(["democon"]))
        .enabled(false)
        .comment("gate");
    client.create_webhook(whole.build()).send().await.unwrap();
    client.retrieve_webhook(minimal.id).send().await.unwrap();
    let nothing = pretix::WebhookUpdate::new();
    client
        .update_webhook(minimal.id, nothing)
        .send()
        .await
        .unwrap();
    let everything = pretix::WebhookUpdate::new()
        .enabled(true)
        .target_url(target())
        .events(EventScope::only(["secondcon"]))
        .action_types(ActionType::KNOWN.to_vec())
        .comment(None);
    client
        .update_webhook(minimal.id, everything)
        .send()
        .await
        .unwrap();
    let replace = pretix::WebhookReplace::builder()
        .target_url(target())
        .events(EventScope::All)
        .action_types([ActionType::OrderPaid])
        .enabled(true)
        .comment(Some("gate".to_owned()))
        .build();
    client
        .replace_webhook(minimal.id, replace)
        .send()
        .await
        .unwrap();
    client.delete_webhook(minimal.id).send().await.unwrap();
}
