use webhook_sdk::preo::PreoClient;

pub fn list(preo: PreoClient) {
    let _ = preo.list_webhooks().edition_id(7);
}
