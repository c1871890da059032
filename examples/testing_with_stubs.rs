//! Tests of an application's calls with typed stubs.
//!
//! `cargo test --features testing --example testing_with_stubs` runs the tests.

use webhook_sdk::Error;
use webhook_sdk::preo::{PreoClient, WebhookUpdate};

/// Disables the active webhooks of an organization, and returns their number.
pub async fn pause(preo: &PreoClient, organization: &str) -> Result<usize, Error> {
    let active = preo.list_webhooks().organization_id(organization);
    let active = active.is_active(true).all().await?;
    for webhook in &active {
        let off = WebhookUpdate::new().is_active(false);
        match preo.update_webhook(&webhook.id, off).send().await {
            Err(error) if error.is_not_found() => {}
            result => drop(result?),
        }
    }
    Ok(active.len())
}

fn main() {
    println!("run this example as a test");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use webhook_sdk::preo::{Webhook, WebhookSummary, stub};
    use webhook_sdk::testing::{StubServer, page_of};

    use super::*;

    #[tokio::test]
    async fn every_active_webhook_is_switched_off() -> Result<(), Error> {
        let server = StubServer::start().await;
        let hooks = ["wh_1", "wh_2"].map(|id| WebhookSummary::example().id(id));
        stub::list_webhooks()
            .organization_id("org_1")
            .is_active(true)
            .answers(page_of(hooks))
            .expect(1)
            .mount(&server)
            .await;
        for id in ["wh_1", "wh_2"] {
            let updated = stub::update_webhook(id).is_active(false);
            updated
                .answers(Webhook::example())
                .expect(1)
                .mount(&server)
                .await;
        }
        assert_eq!(pause(&server.preo(), "org_1").await?, 2);
        Ok(())
    }

    #[tokio::test]
    async fn a_webhook_that_is_gone_counts_as_off() -> Result<(), Error> {
        let server = StubServer::start().await;
        let hook = page_of([WebhookSummary::example()]);
        stub::list_webhooks().answers(hook).mount(&server).await;
        stub::update_webhook("wh_1")
            .not_found()
            .mount(&server)
            .await;
        assert_eq!(pause(&server.preo(), "org_1").await?, 1);
        Ok(())
    }

    #[tokio::test]
    async fn the_rate_limit_is_waited_out() -> Result<(), Error> {
        let server = StubServer::start().await;
        stub::list_webhooks()
            .rate_limited(Duration::from_secs(1))
            .up_to_n_times(1)
            .mount(&server)
            .await;
        let none = page_of::<WebhookSummary>([]);
        stub::list_webhooks()
            .answers(none)
            .expect(1)
            .mount(&server)
            .await;
        assert_eq!(pause(&server.preo(), "org_1").await?, 0);
        Ok(())
    }
}
