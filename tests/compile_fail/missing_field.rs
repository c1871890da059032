use webhook_sdk::preo::WebhookCreate;

pub fn body() -> WebhookCreate {
    WebhookCreate::builder()
        .organization_id("org_1")
        .name("Consents")
        .events(["consent.given"])
        .build()
}
