//! No secret, token, or payload in any log, span, `Debug`, `Display`, or error source.

mod client;
mod receiver;

use std::error::Error;
use std::fmt::{self, Write};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Long, so that a part of it is still unique, and changed by each encoding.
struct Mark(&'static str);

const TOKEN: Mark = Mark("tOkEn/51c7+96f2e4a0b8d3/c5e7+1f90a2b4c6d8");
const SECRET: Mark = Mark("sEcReT/0b9d+7f31a5c8e2/64d0+b8f7a9c1e3d5");
const PASSWORD: Mark = Mark("pAsSwOrD/e3a1+5d79c2b4f6/80e1+a3c5d7f9b1");
const URL_PATH: Mark = Mark("uRlPaTh/4c8e+20f6b1d3a5/97c9+e1f3b5d7a9c1");
const PAYLOAD: Mark = Mark("pAyLoAd/a7f5+d3c1e9b7a5/f3d1+c9e7b5a3f1d9");

impl Mark {
    /// Percent-encoded, as in the path or the user information of a URL.
    fn in_url(&self) -> String {
        utf8_percent_encode(self.0, NON_ALPHANUMERIC).to_string()
    }

    /// Every form in which a half of the mark can appear.
    fn forms(&self) -> Vec<String> {
        let halves = [self.0.split_at(20).0, self.0.split_at(20).1];
        halves.into_iter().flat_map(forms).collect()
    }
}

fn forms(text: &str) -> Vec<String> {
    let numbers: Vec<_> = text.bytes().map(|byte| byte.to_string()).collect();
    let mut forms = vec![
        text.to_owned(),
        text.replace('/', "\\/"),
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        HEXLOWER.encode(text.as_bytes()),
        numbers.join(", "),
    ];
    // What comes before shifts base64, and the characters at both ends depend on their neighbors.
    for shift in 0..3 {
        let shifted = [&vec![0; shift][..], text.as_bytes()].concat();
        for encoding in [BASE64_NOPAD, BASE64URL_NOPAD] {
            let encoded = encoding.encode(&shifted);
            forms.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    forms
}

/// Everything that a test has shown, each piece with where it comes from.
#[derive(Default)]
struct Shown(Vec<(String, String)>);

impl Shown {
    fn add(&mut self, place: impl fmt::Display, text: String) {
        self.0.push((place.to_string(), text));
    }

    fn debug(&mut self, place: impl fmt::Display, value: &impl fmt::Debug) {
        self.add(place, format!("{value:?}\n{value:#?}"));
    }

    fn error(&mut self, place: impl fmt::Display, error: &dyn Error) {
        let mut text = String::new();
        let mut next = Some(error);
        while let Some(error) = next {
            write!(text, "{error}\n{error:?}\n{error:#?}\n").unwrap();
            next = error.source();
        }
        self.add(place, text);
    }

    fn result<T: fmt::Debug, E: Error>(&mut self, place: impl fmt::Display, result: &Result<T, E>) {
        match result {
            Ok(value) => self.debug(place, value),
            Err(error) => self.error(place, error),
        }
    }

    /// Fails if any mark is shown in any form.
    fn assert_clean(&self) {
        let marks = [TOKEN, SECRET, PASSWORD, URL_PATH, PAYLOAD];
        let forms: Vec<_> = marks.iter().flat_map(Mark::forms).collect();
        let forms: Vec<_> = forms.iter().map(|form| form.to_lowercase()).collect();
        let mut leaks = Vec::new();
        for (place, text) in &self.0 {
            for line in text.to_lowercase().lines() {
                let found = forms.iter().find(|&form| line.contains(form));
                leaks.extend(found.map(|form| format!("{place}: {form}: {line}")));
            }
        }
        let count = leaks.len();
        leaks.truncate(50);
        assert!(count == 0, "{count} leaks:\n{}", leaks.join("\n"));
    }
}

#[test]
fn search_finds_a_mark_in_every_form() {
    let shown = [
        SECRET.0.to_owned(),
        format!("https://example.com/{}", SECRET.in_url()),
        format!(
            "Basic {}",
            BASE64_NOPAD.encode(format!("user:{}", SECRET.0).as_bytes())
        ),
        format!("{:?}", SECRET.0.as_bytes()),
        HEXLOWER.encode(SECRET.0.as_bytes()),
        SECRET.0[20..].to_owned(),
    ];
    for text in shown {
        let shown = Shown(vec![("here".into(), text.clone())]);
        let caught = std::panic::catch_unwind(|| shown.assert_clean());
        assert!(caught.is_err(), "{text}");
    }
}
