#![deny(unused_must_use)]

use webhook_sdk::preo::PreoClient;

pub fn list(preo: PreoClient) {
    preo.list_webhooks().stream();
}
