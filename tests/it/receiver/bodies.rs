//! What of a body is read, when, and how much of all bodies is kept.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body::{Body, Frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use webhook_sdk::preo;
use webhook_sdk::receiver::{BuildError, Delivery, Receiver, Refusal, Source};
use webhook_sdk::signature::Verifier;

use crate::receiver::support::{
    Batches, Lune, Preo, Pretix, Service, builder, genuine, head, request, serve,
};

/// A body whose frames come from a function, and which counts how often it was asked.
struct Frames<F> {
    next: F,
    asked: Arc<AtomicUsize>,
}

impl<F: FnMut() -> Option<Result<Frame<Bytes>, io::Error>> + Unpin> Body for Frames<F> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Poll::Ready((self.next)())
    }
}

/// A body that is written while it is read; it breaks off where the writer is dropped unfinished.
struct Piecemeal(mpsc::UnboundedReceiver<Bytes>);

fn piecemeal() -> (mpsc::UnboundedSender<Bytes>, Piecemeal) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, Piecemeal(receiver))
}

impl Body for Piecemeal {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.0.poll_recv(context);
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// What became of a request with a body of these frames, and how often the body was asked.
async fn receive<S: Source>(
    receiver: &Receiver<S>,
    headers: &HeaderMap,
    next: impl FnMut() -> Option<Result<Frame<Bytes>, io::Error>> + Unpin,
) -> (Result<Delivery<S>, Refusal>, usize) {
    let asked = Arc::new(AtomicUsize::new(0));
    let body = Frames {
        next,
        asked: Arc::clone(&asked),
    };
    let (mut parts, ()) = Request::post("/").body(()).unwrap().into_parts();
    parts.headers = headers.clone();
    let result = receiver.receive(&parts, body).await;
    (result, asked.load(Ordering::SeqCst))
}

fn data(bytes: &'static [u8]) -> Option<Result<Frame<Bytes>, io::Error>> {
    Some(Ok(Frame::data(Bytes::from_static(bytes))))
}

async fn headers_are_judged_before_the_body<S: Service>() {
    for headers in S::unproven() {
        let (result, asked) =
            receive(&builder::<S>().build().unwrap(), &headers, || data(b"{}")).await;
        assert!(matches!(
            result,
            Err(Refusal::Signature(_) | Refusal::Credentials(_))
        ));
        assert_eq!(asked, 0);
    }

    let mut headers = genuine::<S>(S::body(1)).headers().clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    let (result, asked) = receive(&builder::<S>().build().unwrap(), &headers, || data(b"{}")).await;
    assert_eq!(result.unwrap_err(), Refusal::UnsupportedMediaType);
    assert_eq!(asked, 0);

    let limit = S::source().max_body_bytes();
    let mut headers = genuine::<S>(S::body(1)).headers().clone();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(limit + 1));
    let (result, asked) = receive(&builder::<S>().build().unwrap(), &headers, || data(b"{}")).await;
    assert_eq!(result.unwrap_err(), Refusal::BodyTooLarge { limit });
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn headers_are_checked_before_the_body_is_read() {
    headers_are_judged_before_the_body::<Preo>().await;
    headers_are_judged_before_the_body::<Lune>().await;
    headers_are_judged_before_the_body::<Pretix>().await;
    headers_are_judged_before_the_body::<Batches>().await;
}

#[tokio::test]
async fn body_with_a_known_length_is_refused_without_reading_it() {
    struct Known(Arc<AtomicBool>);
    impl Body for Known {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.store(true, Ordering::SeqCst);
            Poll::Ready(None)
        }

        fn size_hint(&self) -> http_body::SizeHint {
            http_body::SizeHint::with_exact(1_048_577)
        }
    }

    let (parts, _) = genuine::<Preo>(Preo::body(1)).into_parts();
    let asked = Arc::new(AtomicBool::new(false));
    let receiver = builder::<Preo>().build().unwrap();
    let result = receiver.receive(&parts, Known(Arc::clone(&asked))).await;
    assert_eq!(result.unwrap_err().status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(!asked.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_forged_body_is_read_once_and_never_decoded() {
    let decoded = Arc::new(AtomicBool::new(false));
    let verifier = Verifier::new(preo::scheme(), Preo::keyring());
    let deliveries = {
        let decoded = Arc::clone(&decoded);
        preo::Source::new(verifier).identified_by(move |_: &serde_json::Value| {
            decoded.store(true, Ordering::SeqCst);
            None
        })
    };
    let receiver = Receiver::new(deliveries);

    let mut left = 64;
    let next = || {
        left -= 1;
        if left < 0 { None } else { data(&[b' '; 1024]) }
    };
    let (result, asked) = receive(&receiver, &Preo::forged().unwrap(), next).await;
    assert!(matches!(
        result,
        Err(Refusal::Signature(_) | Refusal::Credentials(_))
    ));
    assert_eq!(asked, 64 + 1);
    assert!(!decoded.load(Ordering::SeqCst));

    let body = Preo::body(1);
    let headers = genuine::<Preo>(body.clone()).headers().clone();
    let mut frames = VecDeque::from([body]);
    let next = || {
        frames
            .pop_front()
            .map(|body| Ok(Frame::data(Bytes::from(body))))
    };
    assert!(receive(&receiver, &headers, next).await.0.is_ok());
    assert!(decoded.load(Ordering::SeqCst));
}

#[tokio::test]
async fn endless_body_is_cut_off_at_the_limit() {
    let limit = 64 * 1024;
    let receiver = builder::<Pretix>().max_body_bytes(limit).build().unwrap();
    let headers = genuine::<Pretix>(Vec::new()).headers().clone();
    let (result, asked) = receive(&receiver, &headers, || data(&[b' '; 1024])).await;
    assert_eq!(result.unwrap_err(), Refusal::BodyTooLarge { limit });
    assert_eq!(asked, limit / 1024 + 1);
}

#[tokio::test]
async fn endless_chunked_body_gets_413() {
    let receiver = builder::<Preo>().max_body_bytes(64 * 1024).build().unwrap();
    let address = serve(&receiver, |_| ready(())).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = head(&Preo::forged().unwrap()) + "transfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut answers, mut requests) = stream.split();
    let chunk = [b"400\r\n".as_slice(), &[b' '; 0x400], b"\r\n"].concat();
    let mut answer = [0; 12];
    let endless = async { while requests.write_all(&chunk).await.is_ok() {} };
    tokio::select! {
        read = answers.read_exact(&mut answer) => drop(read.unwrap()),
        () = endless => drop(answers.read_exact(&mut answer).await.unwrap()),
    }
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test(start_paused = true)]
async fn stalled_body_is_cut_off_at_the_timeout() {
    let timeout = Duration::from_secs(7);
    let receiver = builder::<Preo>().body_timeout(timeout).build().unwrap();
    let (parts, body) = genuine::<Preo>(Preo::body(1)).into_parts();
    let (sender, piecemeal) = piecemeal();
    sender.send(body.slice(..4)).unwrap();
    let result = receiver.receive(&parts, piecemeal).await;
    assert_eq!(result.unwrap_err(), Refusal::BodyTimeout { limit: timeout });
}

#[tokio::test(start_paused = true)]
async fn slow_body_has_one_timeout_in_total() {
    let timeout = Duration::from_secs(7);
    let receiver = builder::<Preo>().body_timeout(timeout).build().unwrap();
    let (parts, _) = genuine::<Preo>(Preo::body(1)).into_parts();
    let (sender, piecemeal) = piecemeal();
    let trickle = tokio::spawn(async move {
        while sender.send(Bytes::from_static(b" ")).is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let result = receiver.receive(&parts, piecemeal).await;
    assert_eq!(result.unwrap_err(), Refusal::BodyTimeout { limit: timeout });
    trickle.await.unwrap();
}

#[tokio::test]
async fn endless_empty_frames_are_cut_off_at_the_timeout() {
    let timeout = Duration::from_millis(50);
    let receiver = builder::<Preo>().body_timeout(timeout).build().unwrap();
    let headers = genuine::<Preo>(Preo::body(1)).headers().clone();
    let (result, _) = receive(&receiver, &headers, || data(b"")).await;
    assert_eq!(result.unwrap_err(), Refusal::BodyTimeout { limit: timeout });
}

#[tokio::test]
async fn truncated_body_is_refused_even_with_a_valid_signature() {
    let body: &'static [u8] = Preo::body(1).leak();
    let headers = genuine::<Preo>(body.to_vec()).headers().clone();
    let mut frames = VecDeque::from([
        data(body),
        Some(Err(io::Error::from(io::ErrorKind::ConnectionReset))),
    ]);
    let next = || frames.pop_front().flatten();
    let (result, _) = receive(&builder::<Preo>().build().unwrap(), &headers, next).await;
    assert_eq!(result.unwrap_err(), Refusal::BodyIncomplete);
}

#[tokio::test]
async fn body_is_the_same_in_any_chunks() {
    let body: &'static [u8] = Preo::body(1).leak();
    let headers = genuine::<Preo>(body.to_vec()).headers().clone();
    for size in 1..=body.len() {
        let mut chunks = body.chunks(size);
        let receiver = builder::<Preo>()
            .max_body_bytes(body.len())
            .build()
            .unwrap();
        let next = || chunks.next().and_then(data);
        let (result, _) = receive(&receiver, &headers, next).await;
        assert_eq!(result.unwrap().events()[0].id, "event-1");
    }
}

#[tokio::test]
async fn trailers_are_not_part_of_the_body() {
    let body: &'static [u8] = Preo::body(1).leak();
    let headers = genuine::<Preo>(body.to_vec()).headers().clone();
    let trailers = Some(Ok(Frame::trailers(HeaderMap::new())));
    let mut frames = VecDeque::from([data(body), trailers]);
    let next = || frames.pop_front().flatten();
    let (result, _) = receive(&builder::<Preo>().build().unwrap(), &headers, next).await;
    assert_eq!(result.unwrap().key_name(), "2026-11");
}

const OPEN: usize = 4;
/// Not what doubling arrives at.
const SIZE: usize = 60 * 1024;

type Receiving<'a> = Pin<Box<dyn Future<Output = Result<Delivered, Refusal>> + 'a>>;
type Delivered = Delivery<<Preo as Service>::Source>;

fn with_buffer_for_four() -> Receiver<<Preo as Service>::Source> {
    builder::<Preo>()
        .max_body_bytes(OPEN * SIZE)
        .max_buffered_bytes(OPEN * SIZE)
        .build()
        .unwrap()
}

fn padded(number: usize) -> Vec<u8> {
    let mut body = Preo::body(number as u32);
    body.resize(SIZE, b' ');
    body
}

fn signed(body: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    Preo::prove(&mut headers, body);
    headers
}

fn forged(_: &[u8]) -> HeaderMap {
    Preo::forged().unwrap()
}

/// Opens a request and has all of its body received but for the last byte.
async fn open<'a>(
    receiver: &'a Receiver<<Preo as Service>::Source>,
    number: usize,
    headers: fn(&[u8]) -> HeaderMap,
) -> (mpsc::UnboundedSender<Bytes>, Receiving<'a>) {
    let body = Bytes::from(padded(number));
    let mut headers = headers(&body);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(SIZE));
    let (parts, _) = request(headers, Vec::new()).into_parts();
    let (writer, piecemeal) = piecemeal();
    for chunk in body[..SIZE - 1].chunks(16 * 1024) {
        writer.send(Bytes::copy_from_slice(chunk)).unwrap();
    }
    let mut receiving: Receiving<'a> =
        Box::pin(async move { receiver.receive(&parts, piecemeal).await });
    tokio::task::yield_now().await;
    assert!(poll_once(&mut receiving).await.is_pending());
    (writer, receiving)
}

async fn poll_once(receiving: &mut Receiving<'_>) -> Poll<Result<Delivered, Refusal>> {
    std::future::poll_fn(|context| Poll::Ready(receiving.as_mut().poll(context))).await
}

/// A small request from beginning to end.
async fn another(receiver: &Receiver<<Preo as Service>::Source>) -> Result<Delivered, Refusal> {
    let (parts, body) = genuine::<Preo>(Preo::body(9)).into_parts();
    receiver
        .receive(&parts, http_body_util::Full::new(body))
        .await
}

#[tokio::test]
async fn requests_over_the_buffer_limit_get_503_without_affecting_earlier_ones() {
    let receiver = with_buffer_for_four();
    let mut opened = Vec::new();
    for number in 0..OPEN {
        opened.push(open(&receiver, number, signed).await);
    }
    let refusal = another(&receiver).await.unwrap_err();
    assert_eq!(refusal, Refusal::Overloaded);
    let answer = refusal.response::<()>();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "30");

    for (number, (writer, receiving)) in opened.into_iter().enumerate() {
        writer.send(Bytes::from_static(b" ")).unwrap();
        drop(writer);
        let delivery = receiving.await.unwrap();
        assert_eq!(delivery.events()[0].id, format!("event-{number}"));
    }
    assert!(another(&receiver).await.is_ok());
}

#[tokio::test]
async fn forged_requests_free_their_buffer_space() {
    let receiver = with_buffer_for_four();
    for _ in 0..3 {
        let mut opened = Vec::new();
        for number in 0..OPEN {
            opened.push(open(&receiver, number, forged).await);
        }
        assert!(another(&receiver).await.is_err());
        let (writer, receiving) = opened.pop().unwrap();
        writer.send(Bytes::from_static(b" ")).unwrap();
        drop(writer);
        assert!(matches!(
            receiving.await,
            Err(Refusal::Signature(_) | Refusal::Credentials(_))
        ));
        assert!(another(&receiver).await.is_ok());
    }
}

#[tokio::test]
async fn dropped_request_frees_its_buffer_space() {
    let receiver = with_buffer_for_four();
    for _ in 0..3 {
        let mut opened = Vec::new();
        for number in 0..OPEN {
            opened.push(open(&receiver, number, signed).await);
        }
        assert!(another(&receiver).await.is_err());
        drop(opened);
    }
    assert!(another(&receiver).await.is_ok());
}

#[tokio::test]
async fn announced_length_takes_no_buffer_space() {
    let receiver = with_buffer_for_four();
    let mut headers = Preo::forged().unwrap();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(OPEN * SIZE));
    let (parts, _) = request(headers, Vec::new()).into_parts();
    let (_writer, piecemeal) = piecemeal();
    let mut receiving: Receiving<'_> = Box::pin(receiver.receive(&parts, piecemeal));
    assert!(poll_once(&mut receiving).await.is_pending());
    let (writer, last) = open(&receiver, OPEN - 1, signed).await;
    writer.send(Bytes::from_static(b" ")).unwrap();
    drop(writer);
    assert!(last.await.is_ok());
}

#[tokio::test]
async fn too_many_open_requests_get_503_over_http() {
    let receiver = with_buffer_for_four();
    let mut opened = Vec::new();
    for number in 0..OPEN {
        opened.push(open(&receiver, number, signed).await);
    }
    let address = serve(&receiver, |_| ready(())).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = head(&Preo::forged().unwrap());
    let head = head + &format!("content-length: {SIZE}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[b' '; SIZE]).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");
}

#[tokio::test]
async fn stalled_body_occupies_little_more_than_it_sent() {
    const MIB: usize = 1024 * 1024;
    let receiver = builder::<Preo>()
        .max_body_bytes(8 * MIB)
        .max_buffered_bytes(11 * MIB)
        .build()
        .unwrap();
    let (parts, _) = request(Preo::forged().unwrap(), Vec::new()).into_parts();
    let mut stalled = Vec::new();
    for _ in 0..2 {
        let (writer, piecemeal) = piecemeal();
        for _ in 0..4 * 16 + 1 {
            writer.send(Bytes::from_static(&[b' '; MIB / 16])).unwrap();
        }
        let mut receiving: Receiving<'_> = Box::pin(receiver.receive(&parts, piecemeal));
        // One poll reads no more than the budget of a task.
        for _ in 0..4 {
            tokio::task::yield_now().await;
            assert!(poll_once(&mut receiving).await.is_pending());
        }
        stalled.push((writer, receiving));
    }
    tokio::task::yield_now().await;
    assert!(another(&receiver).await.is_ok());
}

#[test]
fn a_body_in_many_frames_is_copied_few_times() {
    const KIB: usize = 1024;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    for (frames, length, at_most) in [(KIB, KIB, 12), (32, KIB * KIB, 24)] {
        let receiver = builder::<Preo>()
            .max_body_bytes(frames * length)
            .build()
            .unwrap();
        let headers = Preo::forged().unwrap();
        let frame = Bytes::from(vec![b' '; length]);
        let allocations = [1, 1, frames].map(|mut left| {
            let next = || {
                left = left.checked_sub(1)?;
                Some(Ok(Frame::data(frame.clone())))
            };
            let receiving = receive(&receiver, &headers, next);
            let measured = allocation_counter::measure(|| {
                let (result, _) = runtime.block_on(receiving);
                assert!(matches!(result, Err(Refusal::Signature(_))));
            });
            measured.count_total
        });
        // The first one includes what is allocated once.
        let [_, of_one, of_all] = allocations;
        assert!(of_all <= of_one + at_most, "{allocations:?}");
    }
}

#[test]
fn all_bodies_may_occupy_at_least_64_mib() {
    const LEAST: usize = 64 * 1024 * 1024;
    assert!(builder::<Preo>().max_body_bytes(LEAST).build().is_ok());
    assert!(builder::<Preo>().max_body_bytes(LEAST + 1).build().is_err());
}

#[test]
fn all_bodies_may_occupy_at_least_eight_times_the_limit_of_one() {
    let most = 8 * Lune::source().max_body_bytes();
    assert!(builder::<Lune>().max_body_bytes(most).build().is_ok());
    let error = builder::<Lune>().max_body_bytes(most + 1).build();
    assert_eq!(
        error.unwrap_err(),
        BuildError::BodyAboveBuffer {
            max_body_bytes: most + 1,
            max_buffered_bytes: most,
        }
    );
}
