//! The URLs that Lune accepts.

use regex::Regex;
use webhook_sdk::RedactedUrl;
use webhook_sdk::lune::{WebhookUrl, WebhookUrlError as Rule};

use crate::yaml;

/// As the page <https://docs.lune.co/api-reference/webhooks> has it.
const PUBLISHED: &str =
    r"^https:\/\/[-a-zA-Z0-9@:%._\+~#=]{2,256}\.[a-z]{2,6}\b([-a-zA-Z0-9@:%_\+.~#?&\/\/=]*)$";

fn pattern() -> Regex {
    Regex::new(&format!("(?-u:{PUBLISHED})")).unwrap()
}

fn rule(url: &str) -> Option<Rule> {
    WebhookUrl::try_from(url).err()
}

#[test]
fn the_document_has_the_published_pattern() {
    let document = yaml::read(include_str!("../../../openapi-lune.yaml")).unwrap();
    for schema in ["WebhookUrl", "RedactedUrl"] {
        assert_eq!(
            document["components"]["schemas"][schema]["pattern"],
            PUBLISHED
        );
    }
}

#[test]
fn valid_urls_are_kept_unchanged() {
    for url in [
        "https://lune.co/webhook-receiver",
        "https://example.com",
        "https://example.com:8443/x",
        "https://user:pw@ex.com/h",
        "https://EXAMPLE.com/x",
        "https://ab.co?x=1&y=%2C#z",
        "https://hooks.foo.technology/x",
        "https://a-b.museum/~x/@y/z_+.=",
    ] {
        assert!(pattern().is_match(url), "{url}");
        assert_eq!(WebhookUrl::try_from(url).unwrap().as_str(), url);
        assert_eq!(
            url.parse::<WebhookUrl>(),
            WebhookUrl::try_from(url.to_owned())
        );
    }
}

#[test]
fn error_names_the_violated_rule() {
    let long = "a".repeat(257);
    let cases = [
        ("", Rule::Scheme),
        ("http://example.com/x", Rule::Scheme),
        ("HTTPS://example.com/x", Rule::Scheme),
        (" https://example.com", Rule::Scheme),
        ("https:/example.com", Rule::Scheme),
        (
            "https://exa mple.com/x",
            Rule::HostCharacter { position: 11 },
        ),
        (
            "https://exämple.com/x",
            Rule::HostCharacter { position: 10 },
        ),
        ("https://[::1]/x", Rule::HostCharacter { position: 8 }),
        (
            "https://example.com:80,81/x",
            Rule::HostCharacter { position: 22 },
        ),
        (
            "https://example.com/a,b",
            Rule::PathCharacter { position: 21 },
        ),
        (
            "https://example.com/?a=1;b=2",
            Rule::PathCharacter { position: 24 },
        ),
        (
            "https://example.com/a b",
            Rule::PathCharacter { position: 21 },
        ),
        (
            "https://example.com/ü",
            Rule::PathCharacter { position: 20 },
        ),
        (
            "https://example.com/x\n",
            Rule::PathCharacter { position: 21 },
        ),
        ("https://", Rule::NoDot),
        ("https://localhost/x.y", Rule::NoDot),
        ("https://localhost:8443", Rule::NoDot),
        ("https://127.0.0.1/x", Rule::TopLevelDomain),
        ("https://EXAMPLE.COM/x", Rule::TopLevelDomain),
        ("https://foo.technology/x", Rule::TopLevelDomain),
        ("https://example.c/x", Rule::TopLevelDomain),
        ("https://example.com_/x", Rule::TopLevelDomain),
        ("https://example./x", Rule::TopLevelDomain),
        ("https://a.com/x", Rule::HostLength),
        (&format!("https://{long}.com/x"), Rule::HostLength),
    ];
    for (url, broken) in cases {
        assert!(!pattern().is_match(url), "{url}");
        assert_eq!(rule(url), Some(broken), "{url}");
    }
}

#[test]
fn host_can_have_256_characters_before_its_last_dot() {
    for (length, accepted) in [(1, false), (2, true), (256, true), (257, false)] {
        let url = format!("https://{}.com", "a".repeat(length));
        assert_eq!(pattern().is_match(&url), accepted);
        assert_eq!(rule(&url).is_none(), accepted, "{length}");
    }
}

#[test]
fn errors_never_show_the_url() {
    for url in [
        "https://user:hunter2@ex.com/,",
        "https://user:hun,ter2@ex.com/",
    ] {
        let error = rule(url).unwrap();
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("user") && !shown.contains("ter2"),
            "{shown}"
        );
    }
}

#[test]
fn debug_shows_the_host_and_no_credentials_path_or_query() {
    for (url, shown) in [
        ("https://user:hunter2@ex.com/h", "https://***@ex.com/***"),
        ("https://us.er:hun&ter2@ex.com/h", "https://***@ex.com/***"),
        ("https://ex.com/h#a:hunter2@b", "https://***"),
        ("https://ex.com/path?q=1", "https://ex.com/***"),
    ] {
        let url = WebhookUrl::try_from(url).unwrap();
        assert_eq!(format!("{url:?}"), format!("WebhookUrl({shown})"));
        assert_eq!(format!("{:?}", RedactedUrl::from(url)), shown);
    }
}

#[test]
fn deserializing_a_url_validates_it() {
    let url: WebhookUrl = serde_json::from_str(r#""https://example.com/x""#).unwrap();
    assert_eq!(
        serde_json::to_string(&url).unwrap(),
        r#""https://example.com/x""#
    );
    assert!(serde_json::from_str::<WebhookUrl>(r#""https://localhost""#).is_err());
    let odd: RedactedUrl = serde_json::from_str(r#""https://localhost""#).unwrap();
    assert_eq!(odd.as_str(), "https://localhost");
}

/// A small generator of numbers, the same ones on each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

#[test]
fn rules_match_the_published_pattern_on_generated_urls() {
    /// The first 30 are of accepted characters alone.
    const PIECES: [&str; 40] = [
        ".",
        ".com",
        ".co",
        ".museum",
        ".technology",
        ".COM",
        ".Co",
        ".c",
        ".1",
        ".com_",
        "a",
        "ab",
        "z9",
        "127",
        "_",
        "-",
        "@",
        ":",
        ":8443",
        "%2C",
        "~",
        "+",
        "=",
        "#",
        "/",
        "/",
        "?",
        "&",
        "user:pw@",
        "c",
        ",",
        ";",
        " ",
        "é",
        "\n",
        "[",
        "\\",
        "\"",
        "!",
        "$",
    ];
    let pattern = pattern();
    let mut numbers = Numbers(42);
    let mut accepted = 0;
    let total = 40_000;
    for round in 0..total {
        let scheme = if round % 50 == 0 {
            "http://"
        } else {
            "https://"
        };
        let mut url = scheme.to_owned();
        if round % 20 == 0 {
            url.push_str(&"a".repeat(245 + numbers.below(14)));
        }
        for _ in 0..numbers.below(9) {
            // Mostly pieces that are accepted, so that the rarer rules get their turn.
            let range = if numbers.below(20) == 0 {
                PIECES.len()
            } else {
                30
            };
            url.push_str(PIECES[numbers.below(range)]);
        }
        let expected = pattern.is_match(&url);
        assert_eq!(rule(&url).is_none(), expected, "{url:?}: {:?}", rule(&url));
        accepted += usize::from(expected);
    }
    assert!(
        accepted > total / 20 && accepted < total * 19 / 20,
        "{accepted}"
    );
}
