//! actix-web answers as the receiver documents.

use std::net::TcpListener;

use actix_web::web::{Data, post};
use actix_web::{App, HttpServer};
use webhook_sdk::preo;
use webhook_sdk::receiver::Receiver;
use webhook_sdk_actix_example::receive;

#[path = "../../../tests/conformance/table.rs"]
mod table;

async fn serve(receiver: Receiver<preo::Source>) -> String {
    let receiver = Data::new(receiver);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let app = move || {
        App::new()
            .app_data(receiver.clone())
            .route("/", post().to(receive))
    };
    let server = HttpServer::new(app).workers(1).disable_signals();
    actix_web::rt::spawn(server.listen(listener).unwrap().run());
    url
}

#[actix_web::test]
async fn actix_responds_as_documented() {
    table::check(async |receiver, request| table::send(serve(receiver).await, request).await).await;
    table::check_server(serve).await;
}
