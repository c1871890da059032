use webhook_sdk::pretix::PretixClient;

pub fn client() {
    let _ = PretixClient::builder("token").build();
}
