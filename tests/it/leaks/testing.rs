//! The fakes, what they record, and what they deliver.

use http::HeaderValue;
use http::header::AUTHORIZATION;
use serde_json::json;
use webhook_sdk::Secret;
use webhook_sdk::testing::{Fault, LuneFake, PreoFake, PretixFake};

use super::{PASSWORD, PAYLOAD, SECRET, Shown, TOKEN, URL_PATH};
use crate::fakes::support::{lune_webhook, preo_webhook, pretix_webhook};
use crate::log;

pub(super) async fn all() -> Shown {
    let (log, _guard) = log::listen();
    let mut shown = Shown::default();
    let url = format!(
        "http://127.0.0.1:1/{}?token={}",
        URL_PATH.in_url(),
        URL_PATH.in_url()
    );
    let secret = || Secret::from(SECRET.0);
    macro_rules! show {
        ($fake:ident, $event:literal, $webhook:expr) => {
            let builder = $fake::builder().credentials(TOKEN.0);
            shown.debug("builder", &builder);
            let fake = builder.start().await;
            let webhook = fake.seed($webhook);
            let fault = Fault::status(400)
                .header(AUTHORIZATION, HeaderValue::from_static(TOKEN.0))
                .json(&json!({ "url": [SECRET.0] }));
            shown.debug("fault", &fault);
            fake.fail_next(1, fault);
            for _ in 0..2 {
                let list = fake.client().list_webhooks().send_with_response().await;
                shown.result("list", &list);
            }
            let data = json!({ "email": PAYLOAD.0 });
            let emission = fake.emit($event, data.clone());
            shown.debug("emission", &emission);
            emission.await;
            fake.emit($event, data).forged().await;
            let deliveries = fake.deliveries(webhook.id);
            assert!(!deliveries.is_empty(), "nothing was delivered");
            shown.debug("deliveries", &deliveries);
            shown.debug("webhooks", &fake.webhooks());
            shown.debug("requests", &fake.requests());
            shown.debug("fake", &fake);
        };
    }
    show!(
        PreoFake,
        "purchase.action",
        preo_webhook(&*url).secret(secret())
    );
    show!(LuneFake, "order.paid", lune_webhook(&url).secret(secret()));
    let with_password = url.replace("://", &format!("://user:{}@", PASSWORD.in_url()));
    show!(
        PretixFake,
        "pretix.event.changed",
        pretix_webhook(with_password)
    );
    let text = log.text();
    assert!(text.contains("webhook_sdk.call"), "nothing was logged");
    shown.add("log", text);
    shown
}
