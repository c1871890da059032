//! Parsing and verifying agree with a naive oracle on `ring`, and nothing panics.
//!
//! An input is text: the number of a scheme, the signature header, the timestamp header and the
//! identifier header, a line each, then the body. In the signature header, `{hex}` and `{base64}`
//! represent the genuine digest of this input.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::DateTime;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use ring::hmac;
use webhook_sdk::Secret;
use webhook_sdk::signature::{DigestEncoding, Key, Part, Scheme, Verifier};

const SECRET: &str = "swordfish";
const NOW: i64 = 1_700_000_000;
const TOLERANCE: i64 = 300;

#[derive(Clone, Copy)]
enum Layout {
    Single(&'static str),
    List(&'static str, &'static str),
    Fields(&'static str),
}

#[derive(Clone, Copy)]
enum Time {
    No,
    Header,
    Field(&'static str),
}

#[derive(Clone, Copy)]
enum Signed {
    Text(&'static str),
    Time,
    Id,
    Body,
}

struct Rules {
    layout: Layout,
    encoding: DigestEncoding,
    time: Time,
    signed: &'static [Signed],
}

const RULES: [Rules; 6] = [
    Rules {
        layout: Layout::Single("sha256="),
        encoding: DigestEncoding::Hex,
        time: Time::No,
        signed: &[Signed::Body],
    },
    Rules {
        layout: Layout::Fields("v1"),
        encoding: DigestEncoding::HexOrBase64,
        time: Time::Field("t"),
        signed: &[Signed::Time, Signed::Text("."), Signed::Body],
    },
    Rules {
        layout: Layout::List("v1,", " "),
        encoding: DigestEncoding::Base64,
        time: Time::Header,
        signed: &[
            Signed::Id,
            Signed::Text("."),
            Signed::Time,
            Signed::Text("."),
            Signed::Body,
        ],
    },
    Rules {
        layout: Layout::Single(""),
        encoding: DigestEncoding::HexOrBase64,
        time: Time::No,
        signed: &[Signed::Id, Signed::Text("::"), Signed::Body],
    },
    Rules {
        layout: Layout::Fields("s"),
        encoding: DigestEncoding::Hex,
        time: Time::Header,
        signed: &[
            Signed::Text("v0:"),
            Signed::Body,
            Signed::Text("aba"),
            Signed::Id,
            Signed::Text(":"),
            Signed::Time,
        ],
    },
    Rules {
        layout: Layout::List("", ", "),
        encoding: DigestEncoding::Base64,
        time: Time::No,
        signed: &[Signed::Body, Signed::Text("\n")],
    },
];

static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| RULES.iter().map(verifier).collect());

fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(5, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let index = usize::from(line().first().copied().unwrap_or_default()) % RULES.len();
    let (signature, time, id, body) = (line(), line(), line(), line());
    let rules = &RULES[index];
    let signature = with_digests(rules, signature, time, id, body);

    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-signature", &signature[..]),
        ("x-time", time),
        ("x-id", id),
    ] {
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return;
        };
        headers.insert(name, value);
    }
    let verifier = &VERIFIERS[index];
    let verdict = verifier.verify(&headers, body).map(drop);
    let in_two_steps = verifier
        .begin(&headers)
        .and_then(|verification| verification.finish(body).map(drop));
    assert_eq!(verdict, in_two_steps);
    let expected = accepts(rules, &signature, time, id, body);
    assert_eq!(verdict.is_ok(), expected.is_some(), "{verdict:?}");
    let _ = verifier.verify_detached(&String::from_utf8_lossy(&signature), body);
});

fn verifier(rules: &Rules) -> Verifier {
    let builder = Scheme::builder("x-signature").encoding(rules.encoding);
    let builder = match rules.layout {
        Layout::Single(prefix) => builder.prefix(prefix),
        Layout::List(prefix, separator) => builder.prefix(prefix).list(separator),
        Layout::Fields(key) => builder.fields(key),
    };
    let tolerance = Duration::from_secs(TOLERANCE.unsigned_abs());
    let builder = match rules.time {
        Time::No => builder,
        Time::Header => builder.timestamp_header("x-time").tolerance(tolerance),
        Time::Field(key) => builder.timestamp_field(key).tolerance(tolerance),
    };
    let parts = rules.signed.iter().map(|part| match part {
        Signed::Text(text) => Part::literal(*text),
        Signed::Time => Part::Timestamp,
        Signed::Id => Part::header("x-id"),
        Signed::Body => Part::Body,
    });
    let scheme = builder.sign(parts).build().unwrap();
    let key = Key::new("main", &Secret::from(SECRET)).unwrap();
    Verifier::new(scheme, key).clock(|| DateTime::from_timestamp(NOW, 0).unwrap())
}

/// The naive reading of the rules: `Some` if the request is genuine and fresh.
fn accepts(rules: &Rules, signature: &[u8], time: &[u8], id: &[u8], body: &[u8]) -> Option<()> {
    let text = String::from_utf8(signature.to_vec()).ok()?;
    if text.is_empty() || !text.is_ascii() {
        return None;
    }
    let (written, field) = fields(rules, &text)?;
    if written.is_empty() || written.len() > 8 {
        return None;
    }
    let digests: Option<Vec<Vec<u8>>> = written
        .iter()
        .map(|digest| decode(rules.encoding, digest))
        .collect();
    let time = match rules.time {
        Time::No => None,
        Time::Header => Some(String::from_utf8(time.to_vec()).ok()?),
        Time::Field(_) => Some(field?),
    };
    if let Some(time) = &time {
        let is_number = !time.is_empty() && time.chars().all(|c| c.is_ascii_digit());
        let seconds: i128 = time.parse().ok().filter(|_| is_number)?;
        if (seconds - i128::from(NOW)).abs() > TOLERANCE.into() {
            return None;
        }
    }
    let bytes = signed_bytes(
        rules,
        time.as_deref().unwrap_or_default().as_bytes(),
        id,
        body,
    )?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let genuine = |digest: &Vec<u8>| hmac::verify(&key, &bytes, digest).is_ok();
    digests?.iter().any(genuine).then_some(())
}

/// The digests as they are written, and the timestamp field.
fn fields(rules: &Rules, text: &str) -> Option<(Vec<String>, Option<String>)> {
    let mut time = None;
    let written = match rules.layout {
        Layout::Single(prefix) => vec![text.strip_prefix(prefix)?.to_owned()],
        Layout::List(prefix, separator) => text
            .split(separator)
            .filter(|entry| !entry.is_empty())
            .filter_map(|entry| entry.strip_prefix(prefix))
            .map(str::to_owned)
            .collect(),
        Layout::Fields(signature) => {
            let mut written = Vec::new();
            for field in text.split(',') {
                match field.trim_start().split_once('=') {
                    Some((key, value)) if key == signature => written.push(value.to_owned()),
                    Some((key, value)) if matches!(rules.time, Time::Field(t) if t == key) => {
                        if time.replace(value.to_owned()).is_some() {
                            return None;
                        }
                    }
                    _ => {}
                }
            }
            written
        }
    };
    Some((written, time))
}

fn decode(encoding: DigestEncoding, text: &str) -> Option<Vec<u8>> {
    let hex = || {
        (text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit())).then(|| {
            (0..32)
                .map(|index| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap())
                .collect()
        })
    };
    let base64 = || {
        let config =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        [STANDARD, URL_SAFE]
            .iter()
            .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
            .filter(|digest: &Vec<u8>| digest.len() == 32)
    };
    match encoding {
        DigestEncoding::Hex => hex(),
        DigestEncoding::Base64 => base64(),
        _ if text.len() == 64 => hex(),
        _ => base64(),
    }
}

/// The signed bytes, if a reader who searches for the delimiters would find the same parts.
fn signed_bytes(rules: &Rules, time: &[u8], id: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for (index, part) in rules.signed.iter().enumerate() {
        let before_body = rules.signed[index..]
            .iter()
            .any(|part| matches!(part, Signed::Body));
        match part {
            Signed::Text(text) => bytes.extend_from_slice(text.as_bytes()),
            Signed::Time => bytes.extend_from_slice(time),
            Signed::Body => bytes.extend_from_slice(body),
            Signed::Id => {
                let neighbor = if before_body { index + 1 } else { index - 1 };
                let Signed::Text(delimiter) = rules.signed[neighbor] else {
                    unreachable!("a header is delimited");
                };
                let delimiter = delimiter.as_bytes();
                let joined = match before_body {
                    true => [id, delimiter].concat(),
                    false => [delimiter, id].concat(),
                };
                let found = joined
                    .windows(delimiter.len())
                    .filter(|window| *window == delimiter)
                    .count();
                if id.is_empty() || found != 1 {
                    return None;
                }
                bytes.extend_from_slice(id);
            }
        }
    }
    Some(bytes)
}

/// Puts genuine digests in place of `{hex}` and `{base64}`.
fn with_digests(rules: &Rules, text: &[u8], time: &[u8], id: &[u8], body: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(text) else {
        return text.to_vec();
    };
    let time = match rules.time {
        Time::Field(_) => match fields(rules, text) {
            Some((_, Some(time))) => time.into_bytes(),
            _ => return text.as_bytes().to_vec(),
        },
        _ => time.to_vec(),
    };
    let Some(bytes) = signed_bytes(rules, &time, id, body) else {
        return text.as_bytes().to_vec();
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let digest = hmac::sign(&key, &bytes);
    let hex: String = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let base64 = base64::prelude::BASE64_STANDARD.encode(digest);
    text.replace("{hex}", &hex)
        .replace("{base64}", &base64)
        .into_bytes()
}
