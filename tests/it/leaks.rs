//! No secret, token, or payload in any log, span, `Debug`, `Display`, or error source.

mod client;
mod http2;
mod receiver;
mod signature;
mod testing;

use std::any::type_name;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{self, Debug, Write};
use std::panic::{self, resume_unwind};
use std::pin::Pin;
use std::sync::Mutex;
use std::thread;

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::runtime::Builder;
use webhook_sdk::lune::{BatchError, EventError, WebhookUrlError};
use webhook_sdk::pretix::{AuthError, CredentialsError, NotificationError, TargetUrlError};
use webhook_sdk::receiver::{BuildError, InboxError, RedisStoreError, Refusal, StoreError};
use webhook_sdk::signature::{KeyError, KeyringError, SignError, VerifyError};

use crate::inventory::{listed, variants};

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

/// Everything that was shown, each piece with where it comes from.
#[derive(Default)]
struct Shown {
    pieces: Vec<(String, String)>,
    /// The variants of the enums that explain a failure, such as `Refusal::Overloaded`.
    variants: BTreeSet<String>,
}

/// The enum and the variant, without its fields.
fn variant<T: Debug>(value: &T) -> String {
    let (_, name) = type_name::<T>().rsplit_once("::").unwrap();
    let text = format!("{value:?}");
    let variant = text.split(|c: char| !c.is_alphanumeric()).next().unwrap();
    format!("{name}::{variant}")
}

impl Shown {
    fn add(&mut self, place: impl fmt::Display, text: String) {
        self.pieces.push((place.to_string(), text));
    }

    fn debug(&mut self, place: impl fmt::Display, value: &impl Debug) {
        self.add(place, format!("{value:?}\n{value:#?}"));
    }

    fn error(&mut self, place: impl fmt::Display, error: &(dyn Error + 'static)) {
        let mut text = String::new();
        let mut next = Some(error);
        while let Some(error) = next {
            write!(text, "{error}\n{error:?}\n{error:#?}\n").unwrap();
            self.record(error);
            next = error.source();
        }
        self.add(place, text);
    }

    fn record(&mut self, error: &(dyn Error + 'static)) {
        macro_rules! record {
            ($($error:ty),+ $(,)?) => {
                $(self.variants.extend(error.downcast_ref::<$error>().map(variant));)+
            };
        }
        record!(
            AuthError,
            BatchError,
            BuildError,
            CredentialsError,
            EventError,
            InboxError,
            KeyError,
            KeyringError,
            NotificationError,
            RedisStoreError,
            Refusal,
            SignError,
            StoreError,
            TargetUrlError,
            VerifyError,
            WebhookUrlError,
        );
        if let Some(error) = error.downcast_ref::<webhook_sdk::Error>() {
            self.variants.insert(variant(&error.kind()));
        }
    }

    fn result<T: Debug, E: Error + 'static>(
        &mut self,
        place: impl fmt::Display,
        result: &Result<T, E>,
    ) {
        match result {
            Ok(value) => self.debug(place, value),
            Err(error) => self.error(place, error),
        }
    }

    fn extend(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
        self.variants.extend(other.variants);
    }

    /// Fails if a failure that the API lists wasn't shown.
    fn assert_complete(&self) {
        let enums = listed("pub enum webhook_sdk::", " #[non_exhaustive]");
        let failures = ["ErrorKind", "Observation", "Refusal"];
        let is_failure = |name: &str| {
            let is_error = name.ends_with("Error") && !SECRETLESS.contains(&name);
            is_error || failures.contains(&name)
        };
        let mut missing = Vec::new();
        for path in enums {
            let name = path.rsplit("::").next().unwrap();
            let all = variants(path).into_iter();
            let all = all.map(|variant| format!("{name}::{variant}"));
            missing.extend(all.filter(|full| is_failure(name) && !self.variants.contains(full)));
        }
        assert!(missing.is_empty(), "never shown: {missing:#?}");
        println!(
            "{} variants shown, {} pieces",
            self.variants.len(),
            self.pieces.len()
        );
    }

    /// Fails if any mark is shown in any form.
    fn assert_clean(&self) {
        let marks = [TOKEN, SECRET, PASSWORD, URL_PATH, PAYLOAD];
        let forms: Vec<_> = marks.iter().flat_map(Mark::forms).collect();
        let forms: Vec<_> = forms.iter().map(|form| form.to_lowercase()).collect();
        let mut leaks = Vec::new();
        for (place, text) in &self.pieces {
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

/// Errors from what is built of names alone, before there is a secret or payload.
const SECRETLESS: [&str; 1] = ["SchemeError"];

/// What panics in the library say. Those of the tests are their own.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn record_panics() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(|place| place.file());
        if place.is_some_and(|file| !file.starts_with("tests")) {
            PANICS.lock().unwrap().push(info.to_string());
        }
        report(info);
    }));
}

type Section = fn() -> Pin<Box<dyn Future<Output = Shown>>>;

/// Each runs in a thread of its own, where it logs everything.
const SECTIONS: [Section; 11] = [
    || Box::pin(client::preo()),
    || Box::pin(client::lune()),
    || Box::pin(client::pretix()),
    || Box::pin(client::kinds()),
    || Box::pin(http2::all()),
    || Box::pin(receiver::preo()),
    || Box::pin(receiver::lune()),
    || Box::pin(receiver::pretix()),
    || Box::pin(receiver::others()),
    || Box::pin(signature::all()),
    || Box::pin(testing::all()),
];

#[test]
fn no_operation_or_refusal_of_any_service_shows_a_token_secret_url_or_payload() {
    record_panics();
    let threads = SECTIONS.map(|section| {
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(section())
        })
    });
    let mut shown = Shown::default();
    for thread in threads {
        shown.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
    }
    shown.add("panics", PANICS.lock().unwrap().join("\n"));
    shown.assert_clean();
    shown.assert_complete();
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
        let mut shown = Shown::default();
        shown.add("here", text.clone());
        let caught = std::panic::catch_unwind(|| shown.assert_clean());
        assert!(caught.is_err(), "{text}");
    }
}
