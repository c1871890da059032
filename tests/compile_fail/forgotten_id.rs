use webhook_sdk::preo::PreoClient;

pub fn retrieve(preo: PreoClient) {
    let _ = preo.retrieve_webhook();
}
