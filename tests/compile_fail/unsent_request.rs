#![deny(unused_must_use)]

use webhook_sdk::preo::PreoClient;

pub fn delete(preo: PreoClient) {
    preo.delete_webhook("wh_1");
}
