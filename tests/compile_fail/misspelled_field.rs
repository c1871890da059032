use webhook_sdk::preo::Webhook;

pub fn name(webhook: Webhook) -> String {
    webhook.nam
}
