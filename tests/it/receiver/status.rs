//! The table of answers in the documentation of the receiver, row by row.

use std::future::{pending, ready};
use std::time::Duration;

use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use webhook_sdk::receiver::{
    Ack, BoxError, Claim, ClaimToken, DedupStore, EventKey, Source, StoreError,
};

use crate::receiver::support::{
    Batches, Lune, Preo, Pretix, Runs, Service, Way, builder, genuine, head, received, request,
    serve,
};

/// A handler that does nothing, and a handler that counts.
fn done<E>(_: E) -> std::future::Ready<()> {
    ready(())
}

fn counting<E>(runs: &Runs) -> impl FnMut(E) -> std::future::Ready<()> + Clone + use<E> {
    let runs = runs.clone();
    move |_| {
        runs.add();
        ready(())
    }
}

fn failing<E>(_: E) -> std::future::Ready<Result<(), BoxError>> {
    ready(Err("out of stock".into()))
}

/// Checks what every answer has to be, and returns its status.
fn status(answer: Response<Bytes>) -> u16 {
    assert_eq!(answer.body().len(), 0, "the body tells something");
    let retry_after = answer.headers().get(RETRY_AFTER);
    let status = answer.status().as_u16();
    assert_eq!(
        retry_after.map(HeaderValue::as_bytes),
        (status == 503).then_some(&b"30"[..])
    );
    for name in answer.headers().keys() {
        let plain = ["content-length", "date", "connection", "retry-after"];
        assert!(plain.contains(&name.as_str()), "unexpected header {name}");
    }
    status
}

async fn missing_malformed_or_wrong_signature_gets_401<S: Service>() {
    for way in Way::BOTH {
        let receiver = builder::<S>().build().unwrap();
        let runs = Runs::default();
        for headers in S::unproven().into_iter().chain(S::forged()) {
            let forged = request(headers, S::body(1));
            let answer = way.send(&receiver, forged, counting(&runs)).await;
            assert_eq!(status(answer), 401, "{way:?}");
        }
        assert_eq!(runs.count(), 0);
    }
}

async fn a_changed_byte_is_401<S: Service>() {
    for way in Way::BOTH {
        let mut changed = genuine::<S>(S::body(1));
        *changed.body_mut() = Bytes::from(S::body(2));
        let answer = way
            .send(&builder::<S>().build().unwrap(), changed, done)
            .await;
        assert_eq!(status(answer), 401, "{way:?}");
    }
}

#[tokio::test]
async fn expired_or_future_signature_gets_401() {
    let tolerance = TimeDelta::from_std(Batches::TOLERANCE).unwrap();
    let minute = TimeDelta::minutes(1);
    let cases = [
        (Utc::now() - tolerance - minute, 401),
        (Utc::now() + tolerance + minute, 401),
        (Utc::now() - tolerance + minute, 204),
    ];
    for way in Way::BOTH {
        for (signed_at, expected) in cases {
            let mut headers = HeaderMap::new();
            let body = Batches::body(1);
            let signer = Batches::signer();
            signer.sign_at(&mut headers, &body, signed_at).unwrap();
            let receiver = builder::<Batches>().build().unwrap();
            let answer = way.send(&receiver, request(headers, body), done).await;
            assert_eq!(status(answer), expected, "{way:?} {signed_at}");
        }
    }
}

async fn too_long_is_413<S: Service>() {
    for way in Way::BOTH {
        let body = S::body(1);
        for (limit, expected) in [(body.len() - 1, 413), (body.len(), 204)] {
            let receiver = builder::<S>().max_body_bytes(limit).build().unwrap();
            let answer = way.send(&receiver, genuine::<S>(body.clone()), done).await;
            assert_eq!(status(answer), expected, "{way:?}");
        }
    }
}

async fn the_default_limit_is_that_of_the_source<S: Service>() {
    let limit = S::source().max_body_bytes();
    let receiver = builder::<S>().build().unwrap();
    for (length, expected) in [(limit + 1, 413), (limit, 400)] {
        let delivery = genuine::<S>(vec![b' '; length]);
        let answer = Way::Function.send(&receiver, delivery, done).await;
        assert_eq!(status(answer), expected);
    }
}

async fn another_content_type_than_json_is_415<S: Service>() {
    let types = [
        (Some("text/plain"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("application/jsonp"), 415),
        (Some("json"), 415),
        (Some(""), 415),
        (Some("application/json"), 204),
        (Some("Application/JSON; charset=utf-8"), 204),
        (Some("application/cloudevents+json"), 204),
        (None, 204),
    ];
    for way in Way::BOTH {
        for (content_type, expected) in types {
            let mut delivery = genuine::<S>(S::body(1));
            match content_type {
                Some(value) => delivery
                    .headers_mut()
                    .insert(CONTENT_TYPE, HeaderValue::from_static(value)),
                None => delivery.headers_mut().remove(CONTENT_TYPE),
            };
            let answer = way
                .send(&builder::<S>().build().unwrap(), delivery, done)
                .await;
            assert_eq!(status(answer), expected, "{way:?} {content_type:?}");
        }
    }
}

async fn not_complete_in_time_is_408<S: Service>() {
    let receiver = builder::<S>()
        .body_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let address = serve(&receiver, done).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let delivery = genuine::<S>(S::body(1));
    let length = delivery.body().len();
    let head = head(delivery.headers()) + &format!("content-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
        .write_all(&delivery.body()[..length - 1])
        .await
        .unwrap();
    assert_eq!(raw_status(&mut stream).await, 408);
}

async fn broken_off_is_400<S: Service>() {
    let address = serve(&builder::<S>().build().unwrap(), done).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let delivery = genuine::<S>(S::body(1));
    let head =
        head(delivery.headers()) + "transfer-encoding: chunked\r\n\r\n3\r\n{\"i\r\nno length\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(raw_status(&mut stream).await, 400);
}

async fn genuine_but_undocumented_is_400<S: Service>() {
    for way in Way::BOTH {
        for body in [
            S::undocumented_body(),
            b"{".to_vec(),
            b"\xff".to_vec(),
            Vec::new(),
        ] {
            let answer = way
                .send(&builder::<S>().build().unwrap(), genuine::<S>(body), done)
                .await;
            assert_eq!(status(answer), 400, "{way:?}");
        }
    }
}

async fn handled_before_is_204_without_a_run<S: Service>() {
    for way in Way::BOTH {
        let receiver = builder::<S>().build().unwrap();
        let runs = Runs::default();
        for number in [1, 1, 2, 1, 2] {
            let delivery = genuine::<S>(S::body(number));
            let answer = way.send(&receiver, delivery, counting(&runs)).await;
            assert_eq!(status(answer), 204, "{way:?}");
        }
        assert_eq!(runs.count(), 2, "{way:?}");
    }
}

async fn handled_by_another_process_is_503<S: Service>() {
    for way in Way::BOTH {
        let receiver = builder::<S>()
            .name("test")
            .store(Answering(Ok(Claim::Held)))
            .build()
            .unwrap();
        let runs = Runs::default();
        let answer = way.send(&receiver, genuine::<S>(S::body(1)), counting(&runs));
        assert_eq!(status(answer.await), 503, "{way:?}");
        assert_eq!(runs.count(), 0, "{way:?}");
    }
}

async fn a_store_out_of_reach_is_503<S: Service>() {
    for way in Way::BOTH {
        let down = StoreError::Unavailable("connection refused".to_owned());
        let receiver = builder::<S>()
            .name("test")
            .store(Answering(Err(down)))
            .build()
            .unwrap();
        let runs = Runs::default();
        let answer = way.send(&receiver, genuine::<S>(S::body(1)), counting(&runs));
        assert_eq!(status(answer.await), 503, "{way:?}");
        assert_eq!(runs.count(), 0, "{way:?}");
    }
}

async fn a_failed_handler_is_500<S: Service>() {
    for way in Way::BOTH {
        let receiver = builder::<S>().build().unwrap();
        for _ in 0..2 {
            let answer = way.send(&receiver, genuine::<S>(S::body(1)), failing).await;
            assert_eq!(status(answer), 500, "{way:?}");
        }
        let answer = way.send(&receiver, genuine::<S>(S::body(1)), done).await;
        assert_eq!(status(answer), 204, "{way:?}");
    }
}

async fn a_handler_past_its_lease_is_500<S: Service>() {
    for way in Way::BOTH {
        let receiver = builder::<S>()
            .lease(Duration::from_millis(10))
            .build()
            .unwrap();
        let answer = way.send(&receiver, genuine::<S>(S::body(1)), |_| pending::<()>());
        assert_eq!(status(answer.await), 500, "{way:?}");
    }
}

async fn handled_is_204<S: Service>() {
    for way in Way::BOTH {
        let receiver = builder::<S>().build().unwrap();
        let runs = Runs::default();
        let answer = way.send(&receiver, genuine::<S>(S::body(1)), counting(&runs));
        assert_eq!(status(answer.await), 204, "{way:?}");
        assert_eq!(runs.count(), 1, "{way:?}");
    }
}

async fn a_result_that_is_ok_is_204<S: Service>() {
    for way in Way::BOTH {
        let receiver = builder::<S>().build().unwrap();
        let handler = |_| ready(Ok(()));
        let answer = way.send(&receiver, genuine::<S>(S::body(1)), handler).await;
        assert_eq!(status(answer), 204, "{way:?}");
    }
}

#[tokio::test]
async fn pretix_handler_sets_the_status() {
    let replies = [
        (Ack::<webhook_sdk::pretix::Source>::done(), 204, 1),
        (Ack::retry(), 503, 2),
        (Ack::danger_disable_webhook(), 410, 1),
    ];
    for way in Way::BOTH {
        for (reply, expected, runs_of_two) in replies {
            let receiver = builder::<Pretix>().build().unwrap();
            let runs = Runs::default();
            let handler = {
                let runs = runs.clone();
                move |_| {
                    runs.add();
                    ready(Ok(reply))
                }
            };
            let first = genuine::<Pretix>(Pretix::body(1));
            let answer = way.send(&receiver, first, handler.clone()).await;
            assert_eq!(status(answer), expected, "{way:?} {reply:?}");
            let second = genuine::<Pretix>(Pretix::body(1));
            way.send(&receiver, second, handler).await;
            assert_eq!(runs.count(), runs_of_two, "{way:?} {reply:?}");
        }
    }
}

#[tokio::test]
async fn only_a_handled_delivery_is_a_success() {
    type Reply = Result<Ack<webhook_sdk::pretix::Source>, BoxError>;
    let replies: [(fn() -> Reply, bool); 4] = [
        (|| Ok(Ack::done()), true),
        (|| Ok(Ack::danger_disable_webhook()), true),
        (|| Ok(Ack::retry()), false),
        (|| Err("out of stock".into()), false),
    ];
    for (reply, expected) in replies {
        let receiver = builder::<Pretix>().build().unwrap();
        let delivery = received(&receiver, genuine::<Pretix>(Pretix::body(1))).await;
        let outcome = delivery.handle(|_| ready(reply())).await;
        assert_eq!(outcome.is_success(), expected, "{outcome:?}");
    }
}

#[test]
fn decisions_of_the_same_kind_are_equal() {
    let decisions = [
        Ack::<webhook_sdk::pretix::Source>::done(),
        Ack::retry(),
        Ack::danger_disable_webhook(),
    ];
    for (index, one) in decisions.iter().enumerate() {
        for (other_index, other) in decisions.iter().enumerate() {
            assert_eq!(one == other, index == other_index, "{one:?} {other:?}");
        }
    }
}

macro_rules! rows {
    ($($module:ident: $service:ty { $($row:ident)* })*) => {
        $(mod $module {
            use super::*;
            $(#[tokio::test]
            async fn $row() {
                super::$row::<$service>().await;
            })*
        })*
    };
}

macro_rules! every_row {
    ($($module:ident: $service:ty,)*) => {
        rows! { $($module: $service {
            missing_malformed_or_wrong_signature_gets_401
            too_long_is_413
            the_default_limit_is_that_of_the_source
            another_content_type_than_json_is_415
            not_complete_in_time_is_408
            broken_off_is_400
            genuine_but_undocumented_is_400
            handled_before_is_204_without_a_run
            handled_by_another_process_is_503
            a_store_out_of_reach_is_503
            a_failed_handler_is_500
            a_handler_past_its_lease_is_500
            handled_is_204
            a_result_that_is_ok_is_204
        })* }
    };
}

every_row! {
    lune: Lune,
    preo: Preo,
    pretix: Pretix,
    batches: Batches,
}

rows! {
    lune_signature: Lune { a_changed_byte_is_401 }
    preo_signature: Preo { a_changed_byte_is_401 }
    batches_signature: Batches { a_changed_byte_is_401 }
}

#[tokio::test]
async fn every_unauthenticated_delivery_gets_the_same_response() {
    async fn answers<S: Service>() -> Vec<Response<Bytes>> {
        let receiver = builder::<S>().build().unwrap();
        let mut answers = Vec::new();
        for headers in S::unproven().into_iter().chain(S::forged()) {
            let forged = request(headers, S::body(1));
            answers.push(Way::Axum.send(&receiver, forged, done).await);
        }
        answers
    }
    let mut all = answers::<Preo>().await;
    all.extend(answers::<Lune>().await);
    all.extend(answers::<Pretix>().await);
    all.extend(answers::<Batches>().await);
    for answer in &mut all {
        answer.headers_mut().remove("date");
    }
    let first = &all[0];
    assert!(all.len() > 10);
    for answer in &all {
        assert_eq!(answer.status(), first.status());
        assert_eq!(answer.headers(), first.headers());
        assert_eq!(answer.body(), first.body());
    }
}

#[tokio::test]
async fn method_is_not_checked() {
    let address = serve(&builder::<Preo>().build().unwrap(), done).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .get(format!("http://{address}/"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 405);
}

async fn raw_status(stream: &mut TcpStream) -> u16 {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer.to_vec()).unwrap();
    answer["HTTP/1.1 ".len()..].parse().unwrap()
}

/// A store that answers every claim so.
pub(crate) struct Answering(pub(crate) Result<Claim, StoreError>);

impl DedupStore for Answering {
    async fn claim(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<Claim, StoreError> {
        self.0.clone()
    }

    async fn commit(&self, _: &EventKey, _: ClaimToken, _: Duration) -> Result<(), StoreError> {
        unreachable!("nothing was granted")
    }

    async fn release(&self, _: &EventKey, _: ClaimToken) -> Result<(), StoreError> {
        Ok(())
    }
}
