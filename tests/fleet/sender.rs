//! A service that delivers until it is acknowledged.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http::HeaderMap;
use reqwest::Client;
use tokio::runtime::Builder;
use webhook_sdk::signature::Signer;
use webhook_sdk::{Secret, preo};

use crate::SEED;
use crate::receiver::SECRET;

/// Where the receivers are now.
pub(crate) type Addresses = Arc<RwLock<Vec<String>>>;

pub(crate) const AT_ONCE: usize = 48;
/// After this a delivery is sent again, though the first one may still be handled.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct Sender {
    schedule: Vec<usize>,
    addresses: Addresses,
    signer: Signer,
    client: Client,
    next: AtomicUsize,
    acknowledged: AtomicUsize,
    repeats: AtomicUsize,
}

impl Sender {
    pub(crate) fn new(schedule: Vec<usize>, addresses: Addresses) -> Self {
        Self {
            schedule,
            addresses,
            signer: Signer::new(preo::scheme(), &Secret::from(SECRET)).unwrap(),
            client: Client::builder().no_proxy().build().unwrap(),
            next: AtomicUsize::new(0),
            acknowledged: AtomicUsize::new(0),
            repeats: AtomicUsize::new(0),
        }
    }

    /// Delivers everything from a thread of its own.
    pub(crate) fn start(self: &Arc<Self>, deadline: Instant) -> JoinHandle<()> {
        let sender = Arc::clone(self);
        thread::spawn(move || {
            fastrand::seed(SEED);
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let workers: Vec<_> = (0..AT_ONCE)
                    .map(|_| {
                        let sender = Arc::clone(&sender);
                        tokio::spawn(async move { sender.work(deadline).await })
                    })
                    .collect();
                for worker in workers {
                    worker.await.unwrap();
                }
            });
        })
    }

    /// The part of the deliveries that is acknowledged, from 0 to 1.
    pub(crate) fn progress(&self) -> f64 {
        self.acknowledged.load(Ordering::SeqCst) as f64 / self.schedule.len() as f64
    }

    /// How many deliveries had to be sent again, each time counted.
    pub(crate) fn repeats(&self) -> usize {
        self.repeats.load(Ordering::SeqCst)
    }

    async fn work(&self, deadline: Instant) {
        while let Some(event) = self.schedule.get(self.next.fetch_add(1, Ordering::SeqCst)) {
            while !self.deliver(*event).await {
                assert!(
                    Instant::now() < deadline,
                    "event {event} wasn't acknowledged"
                );
                self.repeats.fetch_add(1, Ordering::SeqCst);
                let wait = Duration::from_millis(fastrand::u64(20..200));
                tokio::time::sleep(wait).await;
            }
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn deliver(&self, event: usize) -> bool {
        let address = {
            let addresses = self.addresses.read().unwrap();
            addresses[fastrand::usize(..addresses.len())].clone()
        };
        let body = format!(r#"{{"id":{event},"event":"purchase.action"}}"#);
        let mut headers = HeaderMap::new();
        self.signer.sign(&mut headers, body.as_bytes()).unwrap();
        let request = self.client.post(format!("http://{address}/"));
        let sending = tokio::spawn(request.headers(headers).body(body).send());
        match tokio::time::timeout(PATIENCE, sending).await {
            Ok(answer) => answer
                .unwrap()
                .is_ok_and(|answer| answer.status().is_success()),
            Err(_) => false,
        }
    }
}
