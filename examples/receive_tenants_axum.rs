//! One axum state with two receivers, one of them for many tenants, a database, and metrics.
//!
//! `cargo run --example receive_tenants_axum --features axum,lune`

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::post;
use http::HeaderMap;
use http::request::Parts;
use tokio::net::TcpListener;
use webhook_sdk::receiver::{BoxError, Delivery, Observed, Outcome, Receiver, Tenants};
use webhook_sdk::signature::{Signer, Verifier};
use webhook_sdk::{Secret, lune, preo};

type Preo = preo::Source;

/// A substitute for a database.
#[derive(Clone, Default)]
struct Db {
    secrets: Arc<HashMap<String, String>>,
    events: Arc<Mutex<Vec<String>>>,
}

impl Db {
    async fn verifier(&self, tenant: &str) -> Result<Option<Verifier>, BoxError> {
        let secret = self.secrets.get(tenant);
        Ok(secret
            .map(|secret| preo::verifier(&Secret::from(secret.as_str())))
            .transpose()?)
    }

    async fn store(&self, event: String) -> Result<(), BoxError> {
        self.events
            .lock()
            .map_err(|_| "the database is broken")?
            .push(event);
        Ok(())
    }
}

#[derive(Clone)]
struct AppState {
    preo: Receiver<Preo>,
    lune: Receiver<lune::Source>,
    db: Db,
}

impl FromRef<AppState> for Receiver<Preo> {
    fn from_ref(state: &AppState) -> Self {
        state.preo.clone()
    }
}

impl FromRef<AppState> for Receiver<lune::Source> {
    fn from_ref(state: &AppState) -> Self {
        state.lune.clone()
    }
}

async fn receive_preo(State(app): State<AppState>, delivery: Delivery<Preo>) -> Outcome {
    delivery
        .handle(async |event| {
            let tenant = event.tenant().ok_or("no tenant")?;
            app.db.store(format!("{tenant}: {}", event["id"])).await?;
            Ok(())
        })
        .await
}

async fn receive_lune(State(app): State<AppState>, delivery: Delivery<lune::Source>) -> Outcome {
    delivery
        .handle(async |event| {
            app.db
                .store(format!("lune: {:?}", event.event_type()))
                .await
        })
        .await
}

/// Counts and times every outcome, for whichever exporter the process installs.
fn measure(observed: &Observed<'_>) {
    let labels = [
        ("source", observed.source().to_owned()),
        ("outcome", observed.label().to_owned()),
    ];
    metrics::counter!("webhook_events_total", &labels).increment(1);
    metrics::histogram!("webhook_event_seconds", &labels).record(observed.duration());
}

fn tenant(parts: &Parts) -> Option<String> {
    Some(parts.uri.path().strip_prefix("/hooks/preo/")?.to_owned())
}

fn app(db: Db, lune_secret: &Secret) -> Result<Router, BoxError> {
    let loading = db.clone();
    let tenants = Tenants::new(tenant, move |tenant| {
        let db = loading.clone();
        async move { db.verifier(&tenant).await }
    });
    let lune = lune::Source::new(lune::verifier(lune_secret)?);
    let state = AppState {
        preo: Receiver::builder(Preo::for_tenants(tenants))
            .observer(measure)
            .build()?,
        lune: Receiver::builder(lune).observer(measure).build()?,
        db,
    };
    Ok(Router::new()
        .route("/hooks/preo/{tenant}", post(receive_preo))
        .route("/hooks/lune", post(receive_lune))
        .with_state(state))
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let db = Db {
        secrets: Arc::new(HashMap::from([(
            "acme".to_owned(),
            "secret of acme".to_owned(),
        )])),
        ..Db::default()
    };
    let router = app(db.clone(), &Secret::from("secret of lune"))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hooks/preo", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let client = reqwest::Client::builder().no_proxy().build()?;
    for (tenant, secret, expected) in [
        ("acme", "secret of acme", 204),
        ("acme", "secret of globex", 401),
        ("globex", "secret of globex", 401),
    ] {
        let body = r#"{"id":"event-1"}"#;
        let mut headers = HeaderMap::new();
        Signer::new(preo::scheme(), &Secret::from(secret))?.sign(&mut headers, body.as_bytes())?;
        let request = client
            .post(format!("{url}/{tenant}"))
            .headers(headers)
            .body(body);
        let status = request.send().await?.status();
        if status != expected {
            return Err(format!("{tenant}: {status} instead of {expected}").into());
        }
    }
    let events = db.events.lock().map_err(|_| "a handler panicked")?;
    if *events != ["acme: \"event-1\""] {
        return Err(format!("unexpected events: {events:?}").into());
    }
    Ok(())
}
