use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::runtime;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// How many deliveries are under way at once, far below the usual limit of 1,024 open files.
const AT_ONCE: usize = 32;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One HTTP POST to a receiver.
pub(crate) struct Parcel {
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) timeout: Duration,
}

/// Delivers parcels from a thread of its own, as a service outside of the test's runtime does.
///
/// The thread ends, and what is under way with it, when the courier is dropped.
pub(crate) struct Courier {
    jobs: mpsc::UnboundedSender<Job>,
    under_way: watch::Sender<usize>,
    desk: Arc<Desk>,
}

impl Courier {
    /// # Panics
    ///
    /// If the operating system gives no thread or no event queue.
    #[expect(
        clippy::expect_used,
        reason = "a machine out of threads fails the test that asked for one"
    )]
    pub(crate) fn start(anywhere: bool) -> Self {
        let (jobs, mut inbox) = mpsc::unbounded_channel::<Job>();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("an event queue for deliveries");
        thread::Builder::new()
            .name("webhook-courier".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    while let Some(job) = inbox.recv().await {
                        tokio::spawn(job);
                    }
                });
            })
            .expect("a thread for deliveries");
        Self {
            jobs,
            under_way: watch::Sender::new(0),
            desk: Arc::new(Desk {
                anywhere,
                permits: Semaphore::new(AT_ONCE),
                client: OnceLock::new(),
            }),
        }
    }

    /// Sends `parcel` and hands the answer's status, or `None` without one, to `done`.
    pub(crate) fn dispatch<T: Send + 'static>(
        &self,
        parcel: Parcel,
        done: impl FnOnce(Option<StatusCode>) -> T + Send + 'static,
    ) -> Sent<T> {
        let desk = Arc::clone(&self.desk);
        let under_way = UnderWay::new(&self.under_way);
        let (finished, sent) = oneshot::channel();
        let job: Job = Box::pin(async move {
            let outcome = done(desk.send(parcel).await);
            drop(under_way);
            // Fails if nobody waits for the end.
            drop(finished.send(outcome));
        });
        // A job that can't be taken is dropped, which ends the wait for it.
        drop(self.jobs.send(job));
        Sent(sent)
    }

    /// Waits until nothing is under way.
    pub(crate) async fn settled(&self) {
        // Fails only if the sender is gone, and it is in `self`.
        drop(
            self.under_way
                .subscribe()
                .wait_for(|count| *count == 0)
                .await,
        );
    }
}

/// The end of one delivery.
pub(crate) struct Sent<T>(oneshot::Receiver<T>);

impl<T> Sent<T> {
    /// What the delivery's `done` returned; `None` if the courier ended before.
    pub(crate) async fn wait(self) -> Option<T> {
        self.0.await.ok()
    }
}

struct Desk {
    anywhere: bool,
    permits: Semaphore,
    client: OnceLock<Option<Client>>,
}

impl Desk {
    async fn send(&self, parcel: Parcel) -> Option<StatusCode> {
        let _permit = self.permits.acquire().await.ok()?;
        let url = Url::parse(&parcel.url).ok()?;
        if !self.anywhere && !is_loopback(&url) {
            return None;
        }
        let client = self.client.get_or_init(client).as_ref()?;
        let response = client
            .post(url)
            .headers(parcel.headers)
            .body(parcel.body)
            .timeout(parcel.timeout)
            .send()
            .await;
        response.ok().map(|response| response.status())
    }
}

/// Counts one delivery as under way for as long as it lives.
struct UnderWay(watch::Sender<usize>);

impl UnderWay {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// A client that follows no redirect, reads no proxy settings and opens a connection for each call.
fn client() -> Option<Client> {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        .build()
        .ok()
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}
