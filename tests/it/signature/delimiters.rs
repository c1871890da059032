//! No byte can move from one signed part to another without changing the signature.
//!
//! Every input of a small universe is signed by plain concatenation. What the verifier accepts is
//! compared with a reader that searches for the delimiters.

use std::collections::HashMap;

use chrono::DateTime;
use http::HeaderName;
use webhook_sdk::signature::{Part, Scheme, SchemeError, Verifier, VerifyError};

use super::verify::{headers, hex, key};

const SECRET: &str = "swordfish";
const DELIMITERS: [&str; 12] = [
    ".", "..", "::", "--", "aa", "a.", ".a.", "aba", "a.a", "1.", ".1", "1.1",
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece {
    Literal(&'static str),
    Timestamp,
    Header,
    Body,
}

use Piece::{Body, Header, Literal, Timestamp};

#[derive(Clone, Debug, PartialEq)]
struct Input {
    timestamp: String,
    header: String,
    body: String,
}

fn scheme(pieces: &[Piece]) -> Result<Scheme, SchemeError> {
    let parts = pieces.iter().map(|piece| match piece {
        Literal(text) => Part::literal(*text),
        Timestamp => Part::Timestamp,
        Header => Part::header("x-id"),
        Body => Part::Body,
    });
    let scheme = Scheme::builder("x-signature").sign(parts);
    match pieces.contains(&Timestamp) {
        true => scheme.timestamp_header("x-time").build(),
        false => scheme.build(),
    }
}

fn signed(pieces: &[Piece], input: &Input) -> String {
    let texts = pieces.iter().map(|piece| match piece {
        Literal(text) => *text,
        Timestamp => &input.timestamp,
        Header => &input.header,
        Body => &input.body,
    });
    texts.collect()
}

fn verify(verifier: &Verifier, pieces: &[Piece], input: &Input) -> Result<(), VerifyError> {
    let digest = hex(SECRET, &[signed(pieces, input).as_bytes()]);
    let headers = headers(&[
        ("x-signature", &digest),
        ("x-time", &input.timestamp),
        ("x-id", &input.header),
    ]);
    verifier.verify(&headers, input.body.as_bytes()).map(drop)
}

/// All texts of these lengths.
fn texts(alphabet: &str, lengths: std::ops::RangeInclusive<u32>) -> Vec<String> {
    let letters: Vec<char> = alphabet.chars().collect();
    let of_length = |length: u32| {
        (0..letters.len().pow(length)).map({
            let letters = &letters;
            move |mut index| {
                let digit = |_| {
                    let letter = letters[index % letters.len()];
                    index /= letters.len();
                    letter
                };
                (0..length).map(digit).collect()
            }
        })
    };
    lengths.flat_map(of_length).collect()
}

fn universe(pieces: &[Piece], alphabet: &str, digits: u32) -> Vec<Input> {
    let or_one = |piece, texts: Vec<String>| match pieces.contains(&piece) {
        true => texts,
        false => vec!["1".to_owned()],
    };
    let mut inputs = Vec::new();
    for timestamp in or_one(Timestamp, texts("01", 1..=digits)) {
        for header in or_one(Header, texts(alphabet, 1..=3)) {
            for body in texts(alphabet, 0..=4) {
                let (timestamp, header) = (timestamp.clone(), header.clone());
                inputs.push(Input {
                    timestamp,
                    header,
                    body,
                });
            }
        }
    }
    inputs
}

/// Whether a reader who searches for the delimiter finds the end of the header.
fn is_delimited(pieces: &[Piece], header: &str) -> bool {
    let position = |piece| pieces.iter().position(|other| *other == piece);
    let (Some(at), Some(body)) = (position(Header), position(Body)) else {
        return true;
    };
    let Literal(delimiter) = pieces[if at < body { at + 1 } else { at - 1 }] else {
        panic!("no literal in {pieces:?}");
    };
    match at < body {
        true => format!("{header}{delimiter}").find(delimiter) == Some(header.len()),
        false => format!("{delimiter}{header}").rfind(delimiter) == Some(0),
    }
}

#[test]
fn two_inputs_never_have_the_same_signature() {
    let (mut accepted, mut refused) = (0, 0);
    for text in DELIMITERS {
        let delimiter = Literal(text);
        let alphabet = match text {
            "::" => ":1",
            "--" => "-1",
            "." | ".." => ".1",
            "aa" => "a1",
            _ if text.contains('1') => ".1",
            _ => "a.",
        };
        for pieces in [
            &[Header, delimiter, Body][..],
            &[Body, delimiter, Header],
            &[Timestamp, delimiter, Body],
            &[Body, delimiter, Timestamp],
            &[Header, delimiter, Timestamp, delimiter, Body],
            &[Timestamp, delimiter, Header, delimiter, Body],
            &[Timestamp, delimiter, Body, delimiter, Header],
            &[Literal("v0:"), Header, delimiter, Body, Literal("\n")],
        ] {
            let time = || DateTime::UNIX_EPOCH;
            let verifier = Verifier::new(scheme(pieces).unwrap(), key("main", SECRET)).clock(time);
            let mut seen: HashMap<String, Input> = HashMap::new();
            for input in universe(pieces, alphabet, 2) {
                let expected = match is_delimited(pieces, &input.header) {
                    true => Ok(()),
                    false => Err(VerifyError::HeaderNotDelimited {
                        header: HeaderName::from_static("x-id"),
                    }),
                };
                assert_eq!(
                    verify(&verifier, pieces, &input),
                    expected,
                    "{pieces:?} {input:?}"
                );
                if expected.is_err() {
                    refused += 1;
                    continue;
                }
                accepted += 1;
                if let Some(other) = seen.insert(signed(pieces, &input), input.clone()) {
                    panic!("{pieces:?} signs {other:?} and {input:?} alike");
                }
            }
        }
    }
    assert!(
        accepted > 10_000 && refused > 1_000,
        "{accepted} accepted, {refused} refused"
    );
}

#[test]
fn undelimited_parts_are_rejected() {
    for pieces in [
        &[Timestamp, Body][..],
        &[Header, Body],
        &[Body, Timestamp],
        &[Body, Header],
        &[Header, Timestamp, Literal("."), Body],
        &[Timestamp, Header, Literal("."), Body],
        &[Body, Literal("."), Timestamp, Header],
        &[Literal("v0:"), Timestamp, Body],
        &[Timestamp, Literal("1"), Body],
        &[Timestamp, Literal("0"), Literal("1"), Body],
        &[Body, Literal("1"), Timestamp],
    ] {
        let refused = scheme(pieces).unwrap_err();
        assert!(
            matches!(refused, SchemeError::NotDelimited { .. }),
            "{pieces:?}"
        );
        let mut seen: HashMap<String, Input> = HashMap::new();
        let collision = universe(pieces, "01", 3).into_iter().any(|input| {
            let other = seen.insert(signed(pieces, &input), input.clone());
            other.is_some_and(|other| other != input)
        });
        assert!(collision, "{pieces:?} would have been safe");
    }
}

#[test]
fn adjacent_literals_are_one_delimiter() {
    for pieces in [
        &[Header, Literal(":"), Literal(":"), Body][..],
        &[Body, Literal(":"), Literal(":"), Header],
    ] {
        let verifier = Verifier::new(scheme(pieces).unwrap(), key("main", SECRET));
        let accepts = |header: &str| {
            let input = Input {
                timestamp: String::new(),
                header: header.into(),
                body: "b".into(),
            };
            verify(&verifier, pieces, &input).is_ok()
        };
        assert!(accepts("a:b"));
        assert!(!accepts("a::b"));
        assert_eq!(accepts("a:"), pieces[0] == Body);
        assert_eq!(accepts(":a"), pieces[0] == Header);
    }
    let digits_and_more = [Timestamp, Literal("1"), Literal("."), Body];
    assert!(scheme(&digits_and_more).is_ok());
}

#[test]
fn undelimited_part_is_named_with_the_fix() {
    let error = scheme(&[Header, Body]).unwrap_err().to_string();
    assert!(
        error.contains("the header x-id") && error.contains("Part::literal"),
        "{error}"
    );
    let error = scheme(&[Timestamp, Body]).unwrap_err().to_string();
    assert!(error.contains("the timestamp"), "{error}");
}
