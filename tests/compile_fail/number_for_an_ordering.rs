use webhook_sdk::preo::PreoClient;

pub fn list(preo: PreoClient) {
    let _ = preo.list_webhooks().ordering([1]);
}
