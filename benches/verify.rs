//! A full verification beside the bare SHA-256 of the same body.
//!
//! After Criterion's figures it prints how many times as long as SHA-256 each takes: the fastest of
//! many short samples, taken in turns so that other work on the machine disturbs all alike.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use http::HeaderMap;
use sha2::{Digest, Sha256};
use webhook_sdk::Secret;
use webhook_sdk::signature::{DigestEncoding, Key, Keyring, Part, Scheme, Signer, Verifier};

const SIZES: [usize; 3] = [64, 1024, 64 * 1024];

type Contestants<'a> = [(&'static str, &'a dyn Fn()); 4];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for size in SIZES {
        let body = vec![b'x'; size];
        let (plain, plain_headers) = delivery(body_scheme(), &body);
        let (dated, dated_headers) = delivery(field_scheme(), &body);
        let contestants: Contestants<'_> = [
            ("sha256", &|| {
                black_box(Sha256::digest(black_box(&body)));
            }),
            ("verify body", &|| {
                let verdict = plain.verify(black_box(&plain_headers), black_box(&body));
                assert!(black_box(&verdict).is_ok());
            }),
            ("verify fields", &|| {
                let verdict = dated.verify(black_box(&dated_headers), black_box(&body));
                assert!(black_box(&verdict).is_ok());
            }),
            ("begin, finish", &|| {
                let verification = plain.begin(black_box(&plain_headers)).unwrap();
                assert!(black_box(&verification.finish(&body)).is_ok());
            }),
        ];

        let mut group = criterion.benchmark_group(format!("{size} B"));
        group.throughput(Throughput::Bytes(size as u64));
        for (name, work) in contestants {
            group.bench_function(name, |bencher| bencher.iter(work));
        }
        group.finish();
        compare(size, &contestants);
    }
    criterion.final_summary();
}

fn compare(size: usize, contestants: &Contestants<'_>) {
    let repetitions = 1 + 1_000_000 / (size + 1000);
    let mut fastest = [Duration::MAX; 4];
    for _ in 0..500 {
        for (fastest, (_, work)) in fastest.iter_mut().zip(contestants) {
            let start = Instant::now();
            for _ in 0..repetitions {
                work();
            }
            *fastest = (*fastest).min(start.elapsed());
        }
    }
    for (time, (name, _)) in fastest.iter().zip(contestants) {
        let nanoseconds = time.as_secs_f64() * 1e9 / repetitions as f64;
        let ratio = time.as_secs_f64() / fastest[0].as_secs_f64();
        println!("ratio at {size} B: {name:<14} {nanoseconds:>8.0} ns  {ratio:.3}");
    }
    println!();
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
