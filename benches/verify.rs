//! Verification beside a bare SHA-256 of the same body, and beside published crates.
//!
//! `cargo bench --manifest-path benches/peers/Cargo.toml`
//!
//! After Criterion's figures it prints how many times as long as SHA-256 each takes: the fastest of
//! many short samples, taken in turns so that other work on the machine disturbs all alike. The last
//! table is ready for the README.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use criterion::{Criterion, Throughput};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderValue};
use ring::hmac;
use sha2::{Digest, Sha256};
use webhook_sdk::Secret;
use webhook_sdk::signature::{DigestEncoding, Key, Part, Scheme, Signer, Verifier};

const SIZES: [(usize, &str); 4] = [
    (256, "256 B"),
    (1024, "1 KiB"),
    (16 * 1024, "16 KiB"),
    (1024 * 1024, "1 MiB"),
];
const SECRET: &str = "a secret of a usual length, 32 B";
const ENCODED_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

type Contestants<'a> = [(&'static str, &'a dyn Fn()); 8];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut ratios = Vec::new();
    for (size, title) in SIZES {
        let body = vec![b'x'; size];
        let (by_body, body_headers) = signed(body_scheme(), key(), &body);
        let (by_fields, fields_headers) = signed(field_scheme(), key(), &body);
        let (by_standard, standard_headers) = signed(standard_scheme(), encoded_key(), &body);
        let standardwebhooks = standardwebhooks::Webhook::new(ENCODED_SECRET).unwrap();
        let svix = svix::webhooks::Webhook::new(ENCODED_SECRET).unwrap();
        let ring_key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let ring_tag = hmac::sign(&ring_key, &body);
        let verify = |verifier: &Verifier, headers: &HeaderMap| {
            let verdict = verifier.verify(black_box(headers), black_box(&body));
            assert!(black_box(&verdict).is_ok());
        };
        let contestants: Contestants<'_> = [
            ("SHA-256 (sha2)", &|| {
                black_box(Sha256::digest(black_box(&body)));
            }),
            ("HMAC (ring)", &|| {
                let verdict = hmac::verify(&ring_key, black_box(&body), ring_tag.as_ref());
                assert!(black_box(verdict).is_ok());
            }),
            ("body scheme", &|| verify(&by_body, &body_headers)),
            ("field scheme", &|| verify(&by_fields, &fields_headers)),
            ("field scheme, in two steps", &|| {
                let verification = by_fields.begin(black_box(&fields_headers)).unwrap();
                assert!(black_box(&verification.finish(black_box(&body))).is_ok());
            }),
            ("Standard Webhooks", &|| {
                verify(&by_standard, &standard_headers);
            }),
            ("Standard Webhooks (standardwebhooks)", &|| {
                let verdict = standardwebhooks.verify(black_box(&body), &standard_headers);
                assert!(black_box(verdict).is_ok());
            }),
            ("Standard Webhooks (svix)", &|| {
                let verdict = svix.verify(black_box(&body), &standard_headers);
                assert!(black_box(verdict).is_ok());
            }),
        ];

        let mut group = criterion.benchmark_group(title);
        group.throughput(Throughput::Bytes(size as u64));
        for (name, work) in contestants {
            group.bench_function(name, |bencher| bencher.iter(work));
        }
        group.finish();
        ratios.push(compare(size, title, &contestants));
    }
    criterion.final_summary();
    print_table(&ratios);
}

/// The name of each and its time as a multiple of the first one's.
fn compare(size: usize, title: &str, contestants: &Contestants<'_>) -> Vec<(&'static str, f64)> {
    let repetitions = 1 + 1_000_000 / (size + 1000);
    let rounds = if size > 100_000 { 100 } else { 400 };
    let mut fastest = [Duration::MAX; 8];
    for _ in 0..rounds {
        for (fastest, (_, work)) in fastest.iter_mut().zip(contestants) {
            let start = Instant::now();
            for _ in 0..repetitions {
                work();
            }
            *fastest = (*fastest).min(start.elapsed());
        }
    }
    let ratio = |time: Duration| time.as_secs_f64() / fastest[0].as_secs_f64();
    for (time, (name, _)) in fastest.iter().zip(contestants) {
        let nanoseconds = time.as_secs_f64() * 1e9 / repetitions as f64;
        println!(
            "{title:>6} {name:<37} {nanoseconds:>9.0} ns {:.3}",
            ratio(*time)
        );
    }
    let names = contestants.iter().map(|(name, _)| *name);
    names.zip(fastest.map(ratio)).collect()
}

fn print_table(ratios: &[Vec<(&str, f64)>]) {
    let titles: Vec<_> = SIZES.iter().map(|(_, title)| *title).collect();
    println!(
        "\n| | {} |\n|---|{}",
        titles.join(" | "),
        "--:|".repeat(titles.len())
    );
    for (row, (name, _)) in ratios[0].iter().enumerate() {
        let cells: Vec<_> = ratios
            .iter()
            .map(|size| format!("{:.2}", size[row].1))
            .collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
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

fn standard_scheme() -> Scheme {
    Scheme::builder("webhook-signature")
        .prefix("v1,")
        .list(" ")
        .encoding(DigestEncoding::Base64)
        .timestamp_header("webhook-timestamp")
        .sign([
            Part::header("webhook-id"),
            Part::literal("."),
            Part::Timestamp,
            Part::literal("."),
            Part::Body,
        ])
        .tolerance(Duration::from_secs(24 * 60 * 60))
        .build()
        .unwrap()
}

fn key() -> Key {
    Key::new("main", &Secret::from(SECRET)).unwrap()
}

fn encoded_key() -> Key {
    let bytes = BASE64.decode(ENCODED_SECRET.trim_start_matches("whsec_").as_bytes());
    Key::from_bytes("main", &bytes.unwrap()).unwrap()
}

/// A verifier, and headers that it accepts. The peers allow five minutes, so a slow run signs
/// five minutes ahead.
fn signed(scheme: Scheme, key: Key, body: &[u8]) -> (Verifier, HeaderMap) {
    let mut signer = Signer::with_key(scheme.clone(), key.clone());
    if scheme.header() == "lune-hmac" {
        signer = signer.field("organisation", "kjmkOq7zXd139gAE9WALWQ8ZGVD7ExNz");
    }
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert(
        "webhook-id",
        HeaderValue::from_static("msg_p5jXN8AQM9LWM0D4loKWxJek"),
    );
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let ahead = chrono::DateTime::from_timestamp(now.as_secs().cast_signed() + 290, 0);
    signer.sign_at(&mut headers, body, ahead.unwrap()).unwrap();
    (Verifier::new(scheme, key), headers)
}
