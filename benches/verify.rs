//! A full verification beside the bare SHA-256 of the same body.
#![allow(clippy::unwrap_used, missing_docs)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use webhook_sdk::Secret;
use webhook_sdk::signature::{DigestEncoding, Key, Keyring, Part, Scheme, Signer, Verifier};

const SIZES: [usize; 3] = [64, 1024, 64 * 1024];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let fastest = Fastest::default();
    for size in SIZES {
        let body = vec![b'x'; size];
        let mut group = criterion.benchmark_group(format!("{size} B"));
        group.throughput(Throughput::Bytes(size as u64));

        let mut run = |name: &'static str, work: &dyn Fn()| {
            group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
                bencher.iter_custom(|rounds| fastest.time(name, size, rounds, work));
            });
        };
        run("sha256", &|| {
            black_box(Sha256::digest(black_box(&body)));
        });
        for (name, scheme) in [
            ("verify body", body_scheme()),
            ("verify fields", field_scheme()),
        ] {
            let (verifier, headers) = delivery(scheme, &body);
            run(name, &|| {
                let verdict = verifier.verify(black_box(&headers), black_box(&body));
                assert!(black_box(&verdict).is_ok());
            });
        }
        group.finish();
    }
    criterion.final_summary();
    fastest.report();
}

fn body_scheme() -> Scheme {
    let scheme = Scheme::builder("x-hub-signature-256").prefix("sha256=");
    scheme.build().unwrap()
}

fn field_scheme() -> Scheme {
    Scheme::builder("lune-hmac")
        .fields("v1")
        .timestamp_field("timestamp")
        .encoding(DigestEncoding::HexOrBase64)
        .sign([Part::Timestamp, Part::literal("."), Part::Body])
        .tolerance(Duration::from_secs(24 * 60 * 60))
        .build()
        .unwrap()
}

fn delivery(scheme: Scheme, body: &[u8]) -> (Verifier, HeaderMap) {
    let secret = Secret::from("a secret of a usual length, 32 B");
    let mut signer = Signer::new(scheme.clone(), &secret).unwrap();
    if scheme.tolerance().is_some() {
        signer = signer.field("organisation", "kjmkOq7zXd139gAE9WALWQ8ZGVD7ExNz");
    }
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    signer.sign(&mut headers, body).unwrap();
    let keyring = Keyring::new(Key::new("main", &secret).unwrap());
    (Verifier::new(scheme, keyring), headers)
}

/// The fastest sample of each benchmark, which other work on the machine disturbs least.
#[derive(Default)]
struct Fastest(RefCell<BTreeMap<(usize, &'static str), f64>>);

impl Fastest {
    fn time(&self, name: &'static str, size: usize, rounds: u64, work: &dyn Fn()) -> Duration {
        let start = Instant::now();
        for _ in 0..rounds {
            work();
        }
        let elapsed = start.elapsed();
        let mut samples = self.0.borrow_mut();
        let fastest = samples.entry((size, name)).or_insert(f64::INFINITY);
        *fastest = fastest.min(elapsed.as_secs_f64() * 1e9 / rounds as f64);
        elapsed
    }

    fn report(&self) {
        let samples = self.0.borrow();
        for ((size, name), nanoseconds) in samples.iter() {
            if let Some(sha256) = samples.get(&(*size, "sha256")) {
                let ratio = nanoseconds / sha256;
                println!("{size:>6} B  {name:<14}{nanoseconds:>10.0} ns  {ratio:.2} x sha256");
            }
        }
    }
}
