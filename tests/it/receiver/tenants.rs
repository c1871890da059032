//! One endpoint for many senders, each with keys of its own.

use std::collections::HashMap;
use std::fmt;
use std::future::ready;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::Full;
use tokio::sync::Notify;
use webhook_sdk::pretix::{BasicAuth, Credentials};
use webhook_sdk::receiver::{BoxError, Observation, Receiver, Refusal, Source, Tenants};
use webhook_sdk::signature::{Key, Retire, Scheme, Signer, Verifier, VerifyError};
use webhook_sdk::{Secret, lune, preo, pretix};

use crate::receiver::support::{Runs, basic, received};

type Preo = preo::Source;

/// The users' database of secrets.
#[derive(Clone, Default)]
struct Secrets {
    of: Arc<Mutex<HashMap<String, String>>>,
    loads: Runs,
}

impl Secrets {
    fn set(&self, tenant: &str, secret: &str) {
        let mut secrets = self.of.lock().unwrap();
        secrets.insert(tenant.to_owned(), secret.to_owned());
    }

    fn get(&self, tenant: &str) -> Option<Secret> {
        self.loads.add();
        self.of
            .lock()
            .unwrap()
            .get(tenant)
            .cloned()
            .map(Secret::from)
    }
}

fn by_path(parts: &Parts) -> Option<String> {
    Some(parts.uri.path().strip_prefix("/hooks/")?.to_owned())
}

fn preo_tenants(secrets: &Secrets) -> Tenants<Verifier> {
    let secrets = secrets.clone();
    Tenants::new(by_path, move |tenant| {
        let secret = secrets.get(&tenant);
        async move {
            tokio::task::yield_now().await;
            Ok(secret.map(|secret| preo::verifier(&secret)).transpose()?)
        }
    })
}

fn to(tenant: &str, secret: &str, body: &str) -> Request<Bytes> {
    let path = format!("/hooks/{tenant}");
    let mut request = Request::post(path)
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    let signer = Signer::new(preo::scheme(), &Secret::from(secret)).unwrap();
    signer.sign(request.headers_mut(), body.as_bytes()).unwrap();
    request
}

async fn status<S: Source>(receiver: &Receiver<S>, request: Request<Bytes>) -> StatusCode {
    let (parts, body) = request.into_parts();
    match receiver.receive(&parts, Full::new(body)).await {
        Ok(delivery) => delivery.handle(|_| ready(())).await.status(),
        Err(refusal) => refusal.status(),
    }
}

async fn refusal<S: Source>(receiver: &Receiver<S>, request: Request<Bytes>) -> Refusal {
    let (parts, body) = request.into_parts();
    receiver.receive(&parts, Full::new(body)).await.unwrap_err()
}

#[tokio::test]
async fn each_tenant_has_its_own_keys() {
    let secrets = Secrets::default();
    secrets.set("acme", "secret of acme");
    secrets.set("globex", "secret of globex");
    let receiver = Receiver::new(Preo::for_tenants(preo_tenants(&secrets)));
    let delivery = received(&receiver, to("acme", "secret of acme", "{}")).await;
    assert_eq!(delivery.tenant(), Some("acme"));
    assert_eq!(delivery.events()[0].tenant(), Some("acme"));
    let crossed = to("globex", "secret of acme", "{}");
    assert_eq!(status(&receiver, crossed).await, 401);
}

#[tokio::test]
async fn an_unknown_tenant_is_refused_like_a_wrong_signature_after_its_body_was_read() {
    let secrets = Secrets::default();
    secrets.set("acme", "secret of acme");
    let receiver = Receiver::new(Preo::for_tenants(preo_tenants(&secrets)));
    let long = "x".repeat(10_000);
    let mut answers = Vec::new();
    for tenant in ["acme", "nobody", "", &long] {
        let (parts, body) = to(tenant, "guessed", "{}").into_parts();
        let refusal = receiver.receive(&parts, Full::new(body)).await.unwrap_err();
        assert_eq!(
            tenant == "acme",
            refusal != Refusal::UnknownTenant,
            "{refusal}"
        );
        let answer = refusal.response::<()>();
        answers.push((answer.status(), answer.headers().clone()));

        let mut read = false;
        let body =
            http_body_util::BodyExt::map_frame(Full::new(Bytes::from_static(b"{}")), |frame| {
                read = true;
                frame
            });
        receiver.receive(&parts, body).await.unwrap_err();
        assert!(read);
    }
    assert!(
        answers
            .iter()
            .all(|answer| *answer == (StatusCode::UNAUTHORIZED, HeaderMap::new()))
    );

    let malformed = |tenant| {
        let mut request = to(tenant, "guessed", "{}");
        request.headers_mut().clear();
        request
    };
    let known = refusal(&receiver, malformed("acme")).await;
    assert_eq!(known, refusal(&receiver, malformed("nobody")).await);
}

#[tokio::test]
async fn only_names_of_1_to_256_bytes_are_loaded() {
    let secrets = Secrets::default();
    let receiver = Receiver::new(Preo::for_tenants(preo_tenants(&secrets)));
    for (length, loads) in [(0, 0), (257, 0), (1, 1), (256, 2)] {
        let request = to(&"x".repeat(length), "guessed", "{}");
        assert_eq!(status(&receiver, request).await, 401);
        assert_eq!(secrets.loads.count(), loads, "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_sees_the_tenant_and_how_long_its_event_took() {
    let secrets = Secrets::default();
    secrets.set("acme", "secret");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let receiver = Receiver::builder(Preo::for_tenants(preo_tenants(&secrets)))
        .observer(move |observed| {
            let tenant = observed.tenant().map(str::to_owned);
            log.lock().unwrap().push((tenant, observed.duration()));
        })
        .build()
        .unwrap();
    let took = Duration::from_secs(7);
    let delivery = received(&receiver, to("acme", "secret", "{}")).await;
    let outcome = delivery.handle(|_| tokio::time::sleep(took)).await;
    assert_eq!(outcome.status(), 204);
    assert_eq!(status(&receiver, to("nobody", "secret", "{}")).await, 401);
    let expected = [(Some("acme".to_owned()), took), (None, Duration::ZERO)];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn failing_loader_gets_503_and_is_retried_after_a_second() {
    let loads = Runs::default();
    let counted = loads.clone();
    let tenants = Tenants::<Verifier>::new(by_path, move |_| {
        counted.add();
        let cause = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        ready(Err(BoxError::from(Caused(cause))))
    });
    let receiver = Receiver::new(Preo::for_tenants(tenants));
    for attempt in 0..3 {
        let refused = refusal(&receiver, to("acme", "secret", "{}")).await;
        assert!(matches!(refused, Refusal::KeysUnavailable(_)));
        let shown = refused.to_string();
        assert_eq!(
            shown.ends_with("the database is away: connection refused"),
            attempt == 0,
            "{shown}"
        );
        assert_eq!(refused.response::<()>().headers()["retry-after"], "30");
    }
    assert_eq!(loads.count(), 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(status(&receiver, to("acme", "secret", "{}")).await, 503);
    assert_eq!(loads.count(), 2);
}

#[derive(Debug)]
struct Caused(std::io::Error);

impl std::error::Error for Caused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for Caused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database is away")
    }
}

/// An error that panics when it is displayed.
#[derive(Debug)]
struct Unprintable;

impl std::error::Error for Unprintable {}

impl fmt::Display for Unprintable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("on purpose")
    }
}

#[tokio::test(start_paused = true)]
async fn hanging_or_panicking_loader_gets_503() {
    let hanging = Tenants::<Verifier>::new(by_path, |_| std::future::pending());
    let panicking = Tenants::<Verifier>::new(by_path, async |_| panic!("on purpose"));
    let unprintable = Tenants::<Verifier>::new(by_path, |_| ready(Err(Unprintable.into())));
    for tenants in [hanging, panicking, unprintable] {
        let receiver = Receiver::new(Preo::for_tenants(tenants));
        assert_eq!(status(&receiver, to("acme", "secret", "{}")).await, 503);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_are_cached_and_concurrent_requests_load_them_once() {
    let secrets = Secrets::default();
    secrets.set("acme", "old");
    let lifetime = Duration::from_secs(60);
    let tenants = preo_tenants(&secrets).cache(NonZeroUsize::new(10).unwrap(), lifetime);
    let receiver = Receiver::new(Preo::for_tenants(tenants.clone()));
    let requests = (0..50).map(|_| {
        let receiver = receiver.clone();
        tokio::spawn(async move { status(&receiver, to("acme", "old", "{}")).await })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_ne!(request.await.unwrap(), 401);
    }
    assert_eq!(secrets.loads.count(), 1);

    secrets.set("acme", "new");
    assert_eq!(status(&receiver, to("acme", "new", "{}")).await, 401);
    tokio::time::advance(lifetime).await;
    assert_eq!(status(&receiver, to("acme", "new", "{}")).await, 204);
    assert_eq!(secrets.loads.count(), 2);

    secrets.set("acme", "newest");
    tenants.invalidate("acme");
    assert_eq!(status(&receiver, to("acme", "newest", "{}")).await, 204);
    tenants.invalidate_all();
    assert_eq!(status(&receiver, to("acme", "newest", "{}")).await, 204);
    assert_eq!(secrets.loads.count(), 4);
}

#[tokio::test]
async fn invalidating_an_unknown_tenant_loads_it_again() {
    let secrets = Secrets::default();
    let tenants = preo_tenants(&secrets);
    let receiver = Receiver::new(Preo::for_tenants(tenants.clone()));
    for _ in 0..3 {
        assert_eq!(status(&receiver, to("acme", "secret", "{}")).await, 401);
    }
    assert_eq!(secrets.loads.count(), 1);
    secrets.set("acme", "secret");
    tenants.invalidate("acme");
    assert_eq!(status(&receiver, to("acme", "secret", "{}")).await, 204);
}

#[tokio::test]
async fn keys_loaded_before_an_invalidation_are_not_cached() {
    let (loading, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let secret = Arc::new(Mutex::new("old"));
    let tenants = Tenants::new(by_path, {
        let (loading, go_on, secret) = (loading.clone(), go_on.clone(), secret.clone());
        move |_| {
            let (loading, go_on) = (loading.clone(), go_on.clone());
            let verifier = preo::verifier(&Secret::from(*secret.lock().unwrap()));
            async move {
                loading.notify_one();
                go_on.notified().await;
                Ok(Some(verifier?))
            }
        }
    });
    let receiver = Receiver::new(Preo::for_tenants(tenants.clone()));
    let first = tokio::spawn({
        let receiver = receiver.clone();
        async move { status(&receiver, to("acme", "old", "{}")).await }
    });
    loading.notified().await;
    *secret.lock().unwrap() = "new";
    tenants.invalidate("acme");
    go_on.notify_one();
    assert_eq!(first.await.unwrap(), 204);
    go_on.notify_one();
    assert_eq!(status(&receiver, to("acme", "new", "{ }")).await, 204);
}

#[tokio::test]
async fn unknown_tenants_are_checked_by_the_scheme_of_known_ones() {
    let tenants = Tenants::new(by_path, async |tenant: String| {
        let scheme = Scheme::builder("x-own-signature").build()?;
        let key = Key::new("own", &Secret::from("secret"))?;
        Ok((tenant == "acme").then(|| Verifier::new(scheme, key)))
    });
    let receiver = Receiver::new(Preo::for_tenants(tenants));
    let forged = |tenant: &str, content_type: &str, length: usize| {
        Request::post(format!("/hooks/{tenant}"))
            .header("content-type", content_type)
            .header("x-own-signature", "00".repeat(32))
            .body(Bytes::from(vec![b' '; length]))
            .unwrap()
    };
    for (content_type, length, expected) in [
        ("application/json", 2, 401),
        ("text/plain", 2, 415),
        ("application/json", 2_000_000, 413),
    ] {
        for tenant in ["acme", "nobody"] {
            let request = forged(tenant, content_type, length);
            assert_eq!(status(&receiver, request).await, expected, "{tenant}");
        }
    }
}

#[tokio::test]
async fn a_later_tenant_with_another_scheme_does_not_change_how_unknown_ones_are_checked() {
    let tenants = Tenants::new(by_path, async |tenant: String| {
        let scheme = match tenant.as_str() {
            "acme" => preo::scheme(),
            "globex" => Scheme::builder("x-own-signature").build()?,
            _ => return Ok(None),
        };
        let key = Key::new("own", &Secret::from("secret"))?;
        Ok(Some(Verifier::new(scheme, key)))
    });
    let receiver = Receiver::new(Preo::for_tenants(tenants));
    for tenant in ["acme", "globex", "nobody"] {
        let request = to(tenant, "guessed", "{}");
        let refused = refusal(&receiver, request).await;
        let is_missing = matches!(
            refused,
            Refusal::Signature(VerifyError::HeaderMissing { .. })
        );
        assert_eq!(is_missing, tenant == "globex", "{tenant}: {refused}");
    }
}

#[tokio::test]
async fn keys_can_be_cached_forever() {
    let secrets = Secrets::default();
    secrets.set("acme", "secret");
    let tenants = preo_tenants(&secrets).cache(NonZeroUsize::new(10).unwrap(), Duration::MAX);
    let receiver = Receiver::new(Preo::for_tenants(tenants));
    for (tenant, expected) in [("acme", 204), ("nobody", 401)].repeat(2) {
        let request = to(tenant, "secret", "{}");
        assert_eq!(status(&receiver, request).await, expected);
    }
    assert_eq!(secrets.loads.count(), 2);
}

/// Sends 20 requests at once, and returns their statuses.
async fn at_once(receiver: &Receiver<Preo>, tenant: &'static str) -> Vec<StatusCode> {
    let requests = (0..20).map(|number| {
        let receiver = receiver.clone();
        let request = to(tenant, "secret", &format!("[{number}]"));
        tokio::spawn(async move { status(&receiver, request).await })
    });
    let mut statuses = Vec::new();
    for request in requests.collect::<Vec<_>>() {
        statuses.push(request.await.unwrap());
    }
    statuses
}

#[tokio::test(start_paused = true)]
async fn requests_that_wait_for_a_load_share_its_result_without_a_cache() {
    let loads = Runs::default();
    let counted = loads.clone();
    let tenants = Tenants::new(by_path, move |tenant: String| {
        counted.add();
        async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let verifier = preo::verifier(&Secret::from("secret"))?;
            Ok((tenant == "acme").then_some(verifier))
        }
    });
    let tenants = tenants.cache(NonZeroUsize::new(10).unwrap(), Duration::ZERO);
    let receiver = Receiver::new(Preo::for_tenants(tenants));
    assert_eq!(at_once(&receiver, "acme").await, [204; 20]);
    assert_eq!(loads.count(), 1);
    assert_eq!(at_once(&receiver, "nobody").await, [401; 20]);
    assert_eq!(loads.count(), 2);
    for expected in [3, 4] {
        assert_eq!(status(&receiver, to("acme", "secret", "{}")).await, 204);
        assert_eq!(loads.count(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_share_a_failed_load_although_another_tenant_is_invalidated() {
    let loads = Runs::default();
    let counted = loads.clone();
    let tenants = Tenants::<Verifier>::new(by_path, move |_| {
        counted.add();
        std::future::pending()
    });
    let receiver = Receiver::new(Preo::for_tenants(tenants.clone()));
    let invalidating = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(3)).await;
            tenants.invalidate("globex");
        }
    });
    assert_eq!(at_once(&receiver, "acme").await, [503; 20]);
    assert_eq!(loads.count(), 1);
    invalidating.abort();
}

/// A loader that finds nothing after a second, and invalidates a tenant during each load.
fn empty_after_invalidating(tenant: &'static str) -> (Receiver<Preo>, Runs) {
    let (loads, tenants) = (Runs::default(), Arc::new(OnceLock::<Tenants<_>>::new()));
    let (counted, invalidated) = (loads.clone(), Arc::clone(&tenants));
    let loader = move |_| {
        let invalidated = Arc::clone(&invalidated);
        counted.add();
        async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            invalidated.get().unwrap().invalidate(tenant);
            Ok(None)
        }
    };
    let tenants = tenants.get_or_init(|| Tenants::new(by_path, loader));
    (Receiver::new(Preo::for_tenants(tenants.clone())), loads)
}

#[tokio::test(start_paused = true)]
async fn an_unknown_tenant_is_cached_although_another_is_invalidated_during_its_load() {
    let (receiver, loads) = empty_after_invalidating("globex");
    assert_eq!(at_once(&receiver, "acme").await, [401; 20]);
    assert_eq!(status(&receiver, to("acme", "secret", "{}")).await, 401);
    assert_eq!(loads.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_tenant_that_is_invalidated_during_its_load_is_loaded_again() {
    let (receiver, loads) = empty_after_invalidating("acme");
    assert_eq!(status(&receiver, to("acme", "secret", "{}")).await, 401);
    assert_eq!(status(&receiver, to("acme", "secret", "{}")).await, 401);
    assert_eq!(loads.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_64_tenants_are_loaded_at_once() {
    let loading = Arc::new(Mutex::new((0, 0)));
    let counted = Arc::clone(&loading);
    let tenants = Tenants::<Verifier>::new(by_path, move |_| {
        let counted = Arc::clone(&counted);
        async move {
            {
                let (now, most) = &mut *counted.lock().unwrap();
                *now += 1;
                *most = (*now).max(*most);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            counted.lock().unwrap().0 -= 1;
            Ok(None)
        }
    });
    let receiver = Receiver::new(Preo::for_tenants(tenants));
    let requests = (0..500).map(|number| {
        let receiver = receiver.clone();
        let request = to(&format!("tenant-{number}"), "secret", "{}");
        tokio::spawn(async move { status(&receiver, request).await })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap(), 401);
    }
    assert_eq!(*loading.lock().unwrap(), (0, 64));
}

#[tokio::test]
async fn panic_in_your_functions_gets_500_and_is_observed() {
    let observed = Runs::default();
    let verifier = || preo::verifier(&Secret::from("secret")).unwrap();
    let nameless = Tenants::<Verifier>::new(|_| panic!("on purpose"), async |_| Ok(None));
    let unidentified =
        Preo::new(verifier()).identified_by(|_: &serde_json::Value| panic!("on purpose"));
    for source in [Preo::for_tenants(nameless), unidentified] {
        let counted = observed.clone();
        let receiver = Receiver::builder(source)
            .observer(move |outcome| match outcome.observation() {
                Observation::Refused(Refusal::Panicked) => counted.add(),
                _ => unreachable!(),
            })
            .build()
            .unwrap();
        let refused = refusal(&receiver, to("acme", "secret", "{}")).await;
        assert_eq!(refused, Refusal::Panicked);
        assert_eq!(refused.status(), 500);
    }
    assert_eq!(observed.count(), 2);
}

#[tokio::test]
async fn made_up_tenants_do_not_evict_known_ones() {
    let secrets = Secrets::default();
    secrets.set("acme", "secret");
    let few = NonZeroUsize::new(10).unwrap();
    let tenants = preo_tenants(&secrets).cache(few, Duration::from_secs(60));
    let receiver = Receiver::new(Preo::for_tenants(tenants));
    assert_eq!(status(&receiver, to("acme", "secret", "{}")).await, 204);
    for number in 0..1_000 {
        let made_up = to(&format!("tenant-{number}"), "guessed", "{}");
        assert_eq!(status(&receiver, made_up).await, 401);
    }
    let loads = secrets.loads.count();
    assert_eq!(status(&receiver, to("acme", "secret", "{}")).await, 204);
    assert_eq!(secrets.loads.count(), loads);
}

#[tokio::test]
async fn tenants_have_separate_events() {
    let secrets = Secrets::default();
    secrets.set("acme", "secret of acme");
    secrets.set("globex", "secret of globex");
    let source = Preo::for_tenants(preo_tenants(&secrets));
    let receiver =
        Receiver::new(source.identified_by(|_: &serde_json::Value| Some("event-1".to_owned())));
    let runs = Runs::default();
    for (tenant, secret) in [
        ("globex", "secret of globex"),
        ("acme", "secret of acme"),
        ("acme", "secret of acme"),
    ] {
        let delivery = received(&receiver, to(tenant, secret, "{}")).await;
        let outcome = delivery.handle(|_| async { runs.add() }).await;
        assert_eq!(outcome.status(), 204);
    }
    assert_eq!(runs.count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_tenants_rotate_their_keys_while_they_deliver() {
    const TENANTS: usize = 1_000;
    let secrets = Secrets::default();
    let keyrings: Arc<Mutex<HashMap<String, Verifier>>> = Arc::default();
    for number in 0..TENANTS {
        secrets.set(&format!("t{number}"), &format!("old secret {number}"));
    }
    let tenants = Tenants::new(by_path, {
        let (secrets, keyrings) = (secrets.clone(), Arc::clone(&keyrings));
        move |tenant: String| {
            let secret = secrets.get(&tenant);
            let keyrings = Arc::clone(&keyrings);
            async move {
                tokio::task::yield_now().await;
                let verifier = secret.map(|secret| preo::verifier(&secret)).transpose()?;
                if let Some(verifier) = &verifier {
                    keyrings.lock().unwrap().insert(tenant, verifier.clone());
                }
                Ok(verifier)
            }
        }
    });
    let source = Preo::for_tenants(tenants.clone());
    let receiver = Receiver::new(source);
    let runs = Runs::default();
    let mut tasks = Vec::new();
    for number in 0..TENANTS {
        let (receiver, runs, secrets) = (receiver.clone(), runs.clone(), secrets.clone());
        let (tenants, keyrings) = (tenants.clone(), Arc::clone(&keyrings));
        tasks.push(tokio::spawn(async move {
            let tenant = format!("t{number}");
            let (old, new) = (
                format!("old secret {number}"),
                format!("new secret {number}"),
            );
            let deliver = async |secret: &str, body: &str| {
                let (parts, body) = to(&tenant, secret, body).into_parts();
                let delivery = receiver.receive(&parts, Full::new(body)).await.unwrap();
                assert_eq!(delivery.tenant(), Some(&*tenant));
                delivery.handle(|_| async { runs.add() }).await.status()
            };
            assert_eq!(deliver(&old, "1").await, 204);
            match number % 2 {
                // With a grace period, on the keyring in use.
                0 => {
                    let verifier = keyrings.lock().unwrap()[&tenant].clone();
                    let key = webhook_sdk::signature::Key::new("new", &Secret::from(new.as_str()));
                    let grace = Retire::after(Duration::from_secs(3600));
                    verifier.keyring().replace([key.unwrap()], grace).unwrap();
                    assert_eq!(deliver(&old, "2").await, 204);
                }
                // At once, in the database.
                _ => {
                    secrets.set(&tenant, &new);
                    tenants.invalidate(&tenant);
                }
            }
            assert_eq!(deliver(&new, "1").await, 204);
            assert_eq!(deliver(&new, "3").await, 204);
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    // Of each tenant 1 and 3, and of half of them 2: a rotation makes no event new.
    assert_eq!(runs.count(), TENANTS * 2 + TENANTS / 2);
    assert_eq!(secrets.loads.count(), TENANTS + TENANTS / 2);
}

#[tokio::test]
async fn lune_and_pretix_have_tenants_too() {
    let lune_tenants = Tenants::new(by_path, async |_| {
        Ok(Some(lune::verifier(&Secret::from("secret of lune"))?))
    });
    let receiver = Receiver::new(lune::Source::for_tenants(lune_tenants));
    let mut request = to("acme", "unused", r#"{"events":[]}"#);
    let signer = Signer::new(lune::scheme(), &Secret::from("secret of lune")).unwrap();
    signer
        .sign(request.headers_mut(), br#"{"events":[]}"#)
        .unwrap();
    assert_eq!(received(&receiver, request).await.tenant(), Some("acme"));

    let pretix_tenants = Tenants::new(by_path, async |tenant: String| match tenant.as_str() {
        "acme" => {
            let credentials = Credentials::new("pretix", Secret::from("password"))?;
            Ok(Some(BasicAuth::new("2026", &credentials)))
        }
        _ => Ok(None),
    });
    let receiver = Receiver::new(pretix::Source::for_tenants(pretix_tenants));
    let notification = r#"{"notification_id":1,"action":"pretix.event.live.activated"}"#;
    for (tenant, password, expected) in [
        ("acme", "password", None),
        ("acme", "guessed", Some(false)),
        ("nobody", "password", Some(true)),
    ] {
        let mut request = to(tenant, "unused", notification);
        request.headers_mut().extend(basic("pretix", password));
        let (parts, body) = request.into_parts();
        let refused = receiver.receive(&parts, Full::new(body)).await.err();
        assert_eq!(
            refused.map(|refusal| refusal == Refusal::UnknownTenant),
            expected
        );
    }
}
