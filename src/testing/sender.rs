use std::pin::Pin;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::redirect::Policy;
use reqwest::{Body, Client, Url};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};

use crate::client::is_loopback;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How a body is sent.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    AtOnce,
    /// In chunks, over this duration.
    Slow(Duration),
    /// The first half, after which the connection is closed.
    CutOff,
}

/// One HTTP POST to a receiver.
pub(crate) struct Outgoing {
    /// The keys of the deliveries in the body.
    pub(crate) deliveries: Vec<u64>,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout: Duration,
    pub(crate) pace: Pace,
    /// How often the request is sent. The last response counts.
    pub(crate) copies: u8,
}

/// Sends deliveries from a separate thread, outside of the test's runtime.
///
/// [`stop`](Self::stop) ends the thread and aborts the deliveries in flight, which reference the
/// sender.
pub(crate) struct Sender {
    /// `None` ends the thread.
    jobs: mpsc::UnboundedSender<Option<Job>>,
    in_flight: watch::Sender<usize>,
}

impl Sender {
    /// # Panics
    ///
    /// Panics if the operating system has no thread or event queue left.
    #[expect(
        clippy::expect_used,
        reason = "a machine out of threads fails the test that asked for one"
    )]
    pub(crate) fn start() -> Self {
        let (jobs, mut inbox) = mpsc::unbounded_channel::<Option<Job>>();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("an event queue for deliveries");
        thread::Builder::new()
            .name("webhook-sender".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    while let Some(Some(job)) = inbox.recv().await {
                        tokio::spawn(job);
                    }
                });
            })
            .expect("a thread for deliveries");
        Self {
            jobs,
            in_flight: watch::Sender::new(0),
        }
    }

    /// Runs a job to completion, even if nobody waits for its result.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        job: impl Future<Output = T> + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let in_flight = InFlight::new(&self.in_flight);
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::pin(async move {
            let result = job.await;
            drop(in_flight);
            drop(sender.send(result));
        });
        drop(self.jobs.send(Some(job)));
        receiver
    }

    pub(crate) fn stop(&self) {
        drop(self.jobs.send(None));
    }

    /// Waits until no job is left.
    pub(crate) async fn idle(&self) {
        let mut count = self.in_flight.subscribe();
        drop(count.wait_for(|count| *count == 0).await);
    }
}

/// Counts one job as in flight until it is dropped.
struct InFlight(watch::Sender<usize>);

impl InFlight {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Outgoing {
    /// The status of the response, if there was one.
    pub(crate) async fn send(&self, client: &Client, anywhere: bool) -> Option<StatusCode> {
        let url = Url::parse(&self.url).ok()?;
        if !anywhere && !is_loopback(&url) {
            return None;
        }
        let mut status = None;
        for _ in 0..self.copies {
            let request = client
                .post(url.clone())
                .headers(self.headers.clone())
                .timeout(self.timeout);
            let request = match self.pace {
                Pace::AtOnce => request.body(self.body.clone()),
                pace => request
                    .header(CONTENT_LENGTH, self.body.len())
                    .body(paced(&self.body, pace)),
            };
            let response = request.send().await;
            status = response.ok().map(|response| response.status());
        }
        status
    }
}

/// A client that doesn't follow redirects, ignores proxy settings, and opens a connection per call.
pub(crate) fn client() -> Option<Client> {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        .build()
        .ok()
}

const PIECES: u32 = 10;

fn paced(body: &[u8], pace: Pace) -> Body {
    let (body, pause, cut) = match pace {
        Pace::Slow(time) => (body, time / PIECES, false),
        _ => (&body[..body.len() / 2], Duration::ZERO, true),
    };
    let size = body.len().div_ceil(PIECES as usize).max(1);
    let pieces: Vec<_> = body.chunks(size).map(Bytes::copy_from_slice).collect();
    let end = cut.then(|| Err("the connection was cut off on purpose"));
    let frames = pieces
        .into_iter()
        .map(|piece| Ok(Frame::data(piece)))
        .chain(end);
    let frames = stream::unfold(frames, move |mut frames| async move {
        let frame = frames.next()?;
        tokio::time::sleep(pause).await;
        Some((frame, frames))
    });
    Body::wrap(StreamBody::new(frames))
}
