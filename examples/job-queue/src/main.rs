//! `DATABASE_URL=postgres://… PREO_SECRET=… cargo run`

use std::env;

use job_queue::app;
use tokio::net::TcpListener;
use webhook_sdk::Secret;
use webhook_sdk::receiver::BoxError;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let pool = sqlx::PgPool::connect(&env::var("DATABASE_URL")?).await?;
    let (router, worker) = app(pool, &Secret::from(env::var("PREO_SECRET")?)).await?;
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    println!("receiving at http://{}/hooks/preo", listener.local_addr()?);
    // Both can also run in separate processes, in any number.
    tokio::select! {
        served = axum::serve(listener, router) => served?,
        worked = worker.run() => worked?,
    }
    Ok(())
}
