use webhook_sdk::pretix::PretixClient;

pub fn retrieve(pretix: PretixClient) {
    let _ = pretix.retrieve_webhook("7");
}
