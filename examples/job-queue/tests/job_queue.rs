#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../../tests/it/receiver/postgres_server.rs"]
mod postgres_server;

use axum::body::Body;
use axum::http::Request;
use job_queue::app;
use postgres_server::PostgresServer;
use sqlx::PgPool;
use tower::ServiceExt;
use webhook_sdk::signature::Signer;
use webhook_sdk::{Secret, preo};

const SECRET: &str = "job-queue-secret";

fn delivery(id: &str) -> Request<Body> {
    let body = format!(r#"{{"id":"{id}"}}"#);
    let mut request = Request::post("/hooks/preo").body(Body::empty()).unwrap();
    let signer = Signer::new(preo::scheme(), &Secret::from(SECRET)).unwrap();
    signer.sign(request.headers_mut(), body.as_bytes()).unwrap();
    *request.body_mut() = Body::from(body);
    request
}

async fn count(pool: &PgPool, table: &'static str) -> i64 {
    sqlx::query_scalar(table).fetch_one(pool).await.unwrap()
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn event_and_its_job_commit_together() {
    let server = PostgresServer::start();
    let pool = PgPool::connect(&server.url()).await.unwrap();
    let (router, worker) = app(pool.clone(), &Secret::from(SECRET)).await.unwrap();

    for id in ["c_1", "c_2", "c_1"] {
        let response = router.clone().oneshot(delivery(id)).await.unwrap();
        assert_eq!(response.status(), 204);
    }
    assert_eq!(count(&pool, "select count(*) from consents").await, 2);
    assert_eq!(count(&pool, "select count(*) from confirmations").await, 0);
    worker.run_once().await.unwrap();
    assert_eq!(count(&pool, "select count(*) from confirmations").await, 2);

    // The queue is gone, so the event isn't recorded either, and its booking is rolled back.
    sqlx::raw_sql("alter schema graphile_worker rename to gone")
        .execute(&pool)
        .await
        .unwrap();
    let response = router.clone().oneshot(delivery("c_3")).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(count(&pool, "select count(*) from consents").await, 2);
    sqlx::raw_sql("alter schema gone rename to graphile_worker")
        .execute(&pool)
        .await
        .unwrap();
    let response = router.oneshot(delivery("c_3")).await.unwrap();
    assert_eq!(response.status(), 204);
    worker.run_once().await.unwrap();
    assert_eq!(count(&pool, "select count(*) from confirmations").await, 3);
}
