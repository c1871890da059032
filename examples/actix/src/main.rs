//! `PREO_WEBHOOK_SECRET=… cargo run -p webhook-sdk-actix-example`

use std::env;
use std::error::Error;

use actix_web::web::{Data, post};
use actix_web::{App, HttpServer};
use webhook_sdk::receiver::Receiver;
use webhook_sdk::{Secret, preo};
use webhook_sdk_actix_example::receive;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = Secret::from(env::var("PREO_WEBHOOK_SECRET")?);
    let receiver = Receiver::new(preo::Source::new(preo::verifier(&secret)?));
    let receiver = Data::new(receiver);
    let app = move || {
        App::new()
            .app_data(receiver.clone())
            .route("/hooks/preo", post().to(receive))
    };
    HttpServer::new(app)
        .bind(("127.0.0.1", 8080))?
        .run()
        .await?;
    Ok(())
}
