use webhook_sdk::preo::Source;
use webhook_sdk::receiver::Delivery;

async fn store(_: String) -> Result<(), std::io::Error> {
    Ok(())
}

pub fn receive(delivery: Delivery<Source>) {
    let _ = delivery.handle(async |event| store(event.to_string()).await);
}
