use webhook_sdk::preo::PreoClient;

pub fn list(preo: PreoClient) {
    let _ = preo.list_webhooks().is_activ(true);
}
