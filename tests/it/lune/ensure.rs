//! `ensure_webhook` of Lune, against the fake.

use webhook_sdk::Ensured;
use webhook_sdk::lune::{
    LuneClient, Webhook, WebhookCreate, WebhookUpdate, WebhookUrl, WebhookWithSecret,
};
use webhook_sdk::testing::LuneFake;

type Outcome = Result<Ensured<WebhookWithSecret, Webhook>, webhook_sdk::Error>;

fn url() -> WebhookUrl {
    WebhookUrl::try_from("https://hooks.example.com/lune").unwrap()
}

fn desired(accounts: &[&str]) -> WebhookCreate {
    let desired = WebhookCreate::builder().url(url());
    match accounts {
        [] => desired.build(),
        accounts => desired.account_ids(accounts.iter().copied()).build(),
    }
}

async fn lune() -> (LuneClient, LuneFake) {
    let fake = LuneFake::builder()
        .accounts(["acc_1", "acc_2", "acc_3"])
        .start()
        .await;
    (fake.client(), fake)
}

async fn ensure(lune: &LuneClient, accounts: &[&str]) -> Outcome {
    lune.ensure_webhook(desired(accounts)).send().await
}

#[tokio::test]
async fn only_a_created_webhook_has_its_secret() {
    let (lune, _fake) = lune().await;
    let Ensured::Created(created) = ensure(&lune, &[]).await.unwrap() else {
        panic!("created");
    };
    let Ensured::Unchanged(found) = ensure(&lune, &[]).await.unwrap() else {
        panic!("unchanged");
    };
    assert_eq!(found.id, created.id);
    assert!(found.secret.matches(&created.secret));
    assert_eq!(lune.list_webhooks().all().await.unwrap(), [found]);
}

#[tokio::test]
async fn accounts_are_updated_and_compared_as_a_set() {
    let (lune, _fake) = lune().await;
    ensure(&lune, &["acc_1", "acc_2"]).await.unwrap();
    let same = ensure(&lune, &["acc_2", "acc_1"]).await.unwrap();
    assert!(matches!(same, Ensured::Unchanged(_)), "{same:?}");
    let other = ensure(&lune, &["acc_3"]).await.unwrap();
    let Ensured::Updated { webhook, changed } = other else {
        panic!("{other:?}");
    };
    assert_eq!(changed, ["account_ids"]);
    assert_eq!(webhook.account_ids, ["acc_3"]);
}

#[tokio::test]
async fn removing_an_account_limit_is_an_error() {
    let (lune, _fake) = lune().await;
    ensure(&lune, &["acc_1"]).await.unwrap();
    let error = ensure(&lune, &[]).await.unwrap_err();
    assert!(error.is_validation(), "{error:?}");
    assert_eq!(error.field_errors()[0].field, "account_ids");
    assert!(error.to_string().contains("can't be cleared"), "{error}");
}

#[tokio::test]
async fn webhook_with_the_same_accounts_is_preferred() {
    let (lune, _fake) = lune().await;
    let mut ids = Vec::new();
    for account in ["acc_1", "acc_2"] {
        let created = lune
            .create_webhook(desired(&[account]))
            .send()
            .await
            .unwrap();
        ids.push(created.id);
    }
    let Ensured::Unchanged(found) = ensure(&lune, &["acc_2"]).await.unwrap() else {
        panic!("unchanged");
    };
    assert_eq!(found.id, ids[1]);
    let error = ensure(&lune, &["acc_3"]).await.unwrap_err();
    assert!(error.is_conflict());
    assert!(
        ids.iter().all(|id| error.to_string().contains(id)),
        "{error}"
    );
}

#[tokio::test]
async fn a_disabled_webhook_is_enabled_unless_told_otherwise() {
    let (lune, _fake) = lune().await;
    let created = lune.create_webhook(desired(&[])).send().await.unwrap();
    let pause = WebhookUpdate::builder().url(url()).enabled(false).build();
    lune.update_webhook(&created.id, pause)
        .send()
        .await
        .unwrap();

    let paused = lune
        .ensure_webhook(desired(&[]))
        .enabled(false)
        .send()
        .await
        .unwrap();
    assert!(matches!(paused, Ensured::Unchanged(_)), "{paused:?}");
    let enabled = ensure(&lune, &[]).await.unwrap();
    let Ensured::Updated { webhook, changed } = enabled else {
        panic!("{enabled:?}");
    };
    assert_eq!(changed, ["enabled"]);
    assert!(webhook.enabled);
}

#[tokio::test]
async fn list_can_be_streamed_like_those_of_other_services() {
    let (lune, _fake) = lune().await;
    for account in ["acc_1", "acc_2"] {
        lune.create_webhook(desired(&[account]))
            .send()
            .await
            .unwrap();
    }
    let mut webhooks = lune.list_webhooks().stream();
    let mut count = 0;
    while webhooks.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 2);
}
