//! Records a consent when its webhook arrives, and moves slow work to a job queue.
//!
//! A sender waits for a response for a limited time. Therefore, the handler only writes the consent
//! and a job for the rest, in the transaction that also records the event: all of them are
//! committed together or not at all. The job then runs in a worker, which retries it until it
//! succeeds.
//!
//! A job runs at least once. If it must not be repeated, pass an idempotency key to the called
//! service, such as the id of the event.

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::post;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, TaskHandler, Worker, WorkerContext, WorkerOptions, WorkerUtils,
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use webhook_sdk::Secret;
use webhook_sdk::preo;
use webhook_sdk::receiver::{BoxError, Delivery, Outcome, PostgresInbox, Receiver};

type Source = preo::Source<Consent>;

/// The fields of Preo's payload that this service uses.
#[derive(Deserialize)]
pub struct Consent {
    id: String,
}

/// Sends a confirmation, which can take minutes.
#[derive(Deserialize, Serialize)]
struct SendConfirmation {
    consent: String,
}

impl TaskHandler for SendConfirmation {
    const IDENTIFIER: &'static str = "send_confirmation";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let pool = context.get_ext::<PgPool>().ok_or("no pool")?;
        sqlx::query("insert into confirmations (consent) values ($1)")
            .bind(self.consent)
            .execute(pool)
            .await
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(())
    }
}

/// The shared state of the routes.
#[derive(Clone)]
struct AppState {
    receiver: Receiver<Source>,
    inbox: PostgresInbox,
    jobs: WorkerUtils,
}

impl FromRef<AppState> for Receiver<Source> {
    fn from_ref(state: &AppState) -> Self {
        state.receiver.clone()
    }
}

async fn hook(State(app): State<AppState>, delivery: Delivery<Source>) -> Outcome {
    delivery
        .handle_in(&app.inbox, async |event, mut tx| {
            sqlx::query("insert into consents (id) values ($1)")
                .bind(&event.id)
                .execute(&mut *tx)
                .await?;
            let job = SendConfirmation {
                consent: event.id.clone(),
            };
            let mut jobs = app.jobs.clone().with_executor(&mut *tx);
            jobs.add_job(job, JobSpec::default()).await?;
            Ok(())
        })
        .await
}

/// Creates the tables, and returns the receiver's route and the worker for its jobs.
///
/// # Errors
///
/// Returns an error if the secret isn't a valid key, or the database fails.
pub async fn app(pool: PgPool, secret: &Secret) -> Result<(Router, Worker), BoxError> {
    for table in [
        "consents (id text not null)",
        "confirmations (consent text not null)",
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "create table if not exists {table}"
        )))
        .execute(&pool)
        .await?;
    }
    let inbox = PostgresInbox::new(pool.clone());
    inbox.migrate().await?;
    let worker = WorkerOptions::default()
        .pg_pool(pool.clone())
        .define_job::<SendConfirmation>()
        .add_extension(pool)
        .init()
        .await?;
    let source = preo::Source::new(preo::verifier(secret)?)
        .identified_by::<Consent>(|consent| Some(consent.id.clone()));
    let state = AppState {
        receiver: Receiver::builder(source).name("consents").build()?,
        inbox,
        jobs: worker.create_utils(),
    };
    let router = Router::new()
        .route("/hooks/preo", post(hook))
        .with_state(state);
    Ok((router, worker))
}
