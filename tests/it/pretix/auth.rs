use std::time::Duration;

use chrono::{TimeDelta, Utc};
use data_encoding::BASE64;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use webhook_sdk::Secret;
use webhook_sdk::pretix::{AuthError, BasicAuth, Credentials, CredentialsError, TargetUrl};
use webhook_sdk::signature::{KeyringError, Retire};

fn credentials(password: &str) -> Credentials {
    Credentials::new("pretix", Secret::from(password)).unwrap()
}

fn swordfish() -> BasicAuth {
    BasicAuth::new("2025", &credentials("swordfish"))
}

fn header(value: impl AsRef<[u8]>) -> HeaderMap {
    HeaderMap::from_iter([(
        AUTHORIZATION,
        HeaderValue::from_bytes(value.as_ref()).unwrap(),
    )])
}

fn basic(pair: impl AsRef<[u8]>) -> HeaderMap {
    header(format!("Basic {}", BASE64.encode(pair.as_ref())))
}

fn refusal(headers: &HeaderMap) -> AuthError {
    swordfish().verify(headers).unwrap_err()
}

#[test]
fn matching_credentials_are_named() {
    assert_eq!(
        swordfish()
            .verify(&basic("pretix:swordfish"))
            .unwrap()
            .key_name(),
        "2025"
    );
}

#[test]
fn what_pretix_sent_for_a_recorded_delivery_is_accepted() {
    let request = include_str!("../../data/pretix/delivery-with-credentials.http");
    let value = request
        .lines()
        .find_map(|line| line.strip_prefix("Authorization: "))
        .unwrap();
    let credentials = Credentials::new("user", Secret::from("pa ss")).unwrap();
    let auth = BasicAuth::new("recorded", &credentials);
    assert!(auth.verify(&header(value)).is_ok());
    assert_eq!(refusal(&header(value)), AuthError::Mismatch);
}

#[test]
fn credentials_of_a_target_url_are_accepted() {
    let target = TargetUrl::new("https://example.org/", &credentials("a:b @ c")).unwrap();
    let auth = BasicAuth::new("2025", &target.credentials().unwrap());
    assert!(auth.verify(&basic("pretix:a:b @ c")).is_ok());
}

#[test]
fn the_scheme_is_matched_in_any_case() {
    for scheme in ["Basic", "basic", "BASIC", "Basic  "] {
        let headers = header(format!("{scheme} {}", BASE64.encode(b"pretix:swordfish")));
        assert!(swordfish().verify(&headers).is_ok(), "{scheme}");
    }
}

#[test]
fn wrong_user_and_wrong_password_get_the_same_error() {
    for pair in [
        "pretix:swordfis",
        "pretix:swordfish ",
        "pretix:swordfish\0",
        "pretix:Swordfish",
        "pretix:",
        "pretix::swordfish",
        "Pretix:swordfish",
        ":swordfish",
        ":",
        "pretixs:wordfish",
        "pretix:marlin",
        "2025:swordfish",
    ] {
        assert_eq!(refusal(&basic(pair)), AuthError::Mismatch, "{pair:?}");
    }
}

#[test]
fn a_missing_header_is_refused() {
    assert_eq!(refusal(&HeaderMap::new()), AuthError::HeaderMissing);
}

#[test]
fn a_repeated_header_is_refused_even_if_both_are_right() {
    let mut headers = basic("pretix:swordfish");
    headers.append(AUTHORIZATION, headers[AUTHORIZATION].clone());
    assert_eq!(refusal(&headers), AuthError::HeaderRepeated);
}

#[test]
fn another_scheme_is_refused() {
    for value in [
        "",
        "Basic",
        "Token abc",
        "Bearer cHJldGl4OnN3b3JkZmlzaA==",
        "cHJldGl4OnN3b3JkZmlzaA==",
        " ",
        "Basic\tx",
    ] {
        assert_eq!(refusal(&header(value)), AuthError::NotBasic, "{value:?}");
    }
}

#[test]
fn only_canonical_base64_is_accepted() {
    for value in [
        "Basic cHJldGl4OnN3b3JkZmlzaA",
        "Basic cHJldGl4OnN3b3JkZmlzaA=",
        "Basic cHJldGl4OnN3b3JkZmlzaB==",
        "Basic cHJl dGl4OnN3b3JkZmlzaA==",
        "Basic pretix:swordfish",
        "Basic cHJldGl4OnN3b3JkZmlzaA==, Basic cHJldGl4OnN3b3JkZmlzaA==",
        "Basic !!!!",
    ] {
        assert_eq!(refusal(&header(value)), AuthError::Mismatch, "{value:?}");
    }
    for value in [&b"Basic \xff\xff\xff\xff"[..], b"Basic "] {
        assert_eq!(refusal(&header(value)), AuthError::Mismatch, "{value:?}");
    }
}

#[test]
fn credentials_that_are_no_pair_or_not_utf8_are_refused() {
    assert_eq!(refusal(&basic("pretix")), AuthError::Mismatch);
    assert_eq!(refusal(&basic(b"pretix:\xfc")), AuthError::Mismatch);
}

#[test]
fn credentials_of_any_length_are_compared() {
    let long = basic("a:".repeat(100_000));
    assert_eq!(refusal(&long), AuthError::Mismatch);
    let longest = "x".repeat(1000);
    let auth = BasicAuth::new("long", &credentials(&longest));
    assert!(auth.verify(&basic(format!("pretix:{longest}"))).is_ok());
}

#[test]
fn old_and_new_credentials_are_accepted_during_a_rotation() {
    let auth = swordfish();
    let elsewhere = auth.clone();
    assert_eq!(
        auth.verify(&basic("pretix:marlin")),
        Err(AuthError::Mismatch)
    );

    auth.add("2026", &credentials("marlin")).unwrap();
    assert_eq!(elsewhere.names(), ["2026", "2025"]);
    assert_eq!(
        elsewhere
            .verify(&basic("pretix:swordfish"))
            .unwrap()
            .key_name(),
        "2025"
    );
    assert_eq!(
        elsewhere
            .verify(&basic("pretix:marlin"))
            .unwrap()
            .key_name(),
        "2026"
    );

    auth.retire("2025", Retire::now()).unwrap();
    assert_eq!(
        elsewhere.verify(&basic("pretix:swordfish")),
        Err(AuthError::Mismatch)
    );
    assert_eq!(
        elsewhere
            .verify(&basic("pretix:marlin"))
            .unwrap()
            .key_name(),
        "2026"
    );
}

#[test]
fn last_credentials_cannot_be_removed() {
    let auth = swordfish();
    assert_eq!(
        auth.retire("2025", Retire::now()),
        Err(KeyringError::Last {
            name: "2025".into()
        })
    );
    assert_eq!(
        auth.retire("2026", Retire::now()),
        Err(KeyringError::NotFound {
            name: "2026".into()
        })
    );
    assert_eq!(
        auth.add("2025", &credentials("marlin")),
        Err(KeyringError::NameTaken {
            name: "2025".into()
        })
    );
    assert_eq!(auth.names(), ["2025"]);
    assert!(auth.verify(&basic("pretix:swordfish")).is_ok());
    assert_eq!(
        auth.verify(&basic("pretix:marlin")),
        Err(AuthError::Mismatch)
    );
}

#[test]
fn verification_sees_changes_atomically() {
    let auth = swordfish();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..1000 {
                auth.add("2026", &credentials("marlin")).unwrap();
                auth.retire("2026", Retire::now()).unwrap();
            }
        });
        for _ in 0..1000 {
            assert_eq!(
                auth.verify(&basic("pretix:swordfish")).unwrap().key_name(),
                "2025"
            );
        }
    });
    assert_eq!(auth.names(), ["2025"]);
}

#[test]
fn neither_debug_nor_a_refusal_shows_a_password() {
    let auth = swordfish();
    assert_eq!(format!("{auth:?}"), r#"BasicAuth(["2025"])"#);
    let error = refusal(&basic("pretix:marlin"));
    assert!(!format!("{error} {error:?}").contains("marlin"));
}

#[test]
fn replaced_credentials_are_accepted_until_the_grace_period_ends() {
    let auth = swordfish();
    let marlin = credentials("marlin");
    let hour = Duration::from_secs(3600);
    auth.replace([("2026", &marlin)], Retire::after(hour))
        .unwrap();
    assert_eq!(auth.names(), ["2026", "2025"]);
    let key_name = |pair| auth.verify(&basic(pair)).map(|v| v.key_name().to_owned());
    assert_eq!(key_name("pretix:swordfish").as_deref(), Ok("2025"));
    assert_eq!(key_name("pretix:marlin").as_deref(), Ok("2026"));

    let ended = Retire::at(Utc::now() - TimeDelta::seconds(1));
    auth.replace([("2026", &marlin)], ended).unwrap();
    assert_eq!(key_name("pretix:swordfish"), Err(AuthError::Mismatch));
    assert_eq!(key_name("pretix:marlin").as_deref(), Ok("2026"));
    auth.replace([("2026", &marlin)], Retire::now()).unwrap();
    assert_eq!(auth.names(), ["2026"]);
}

#[test]
fn a_password_that_changed_under_its_name_is_replaced() {
    let auth = swordfish();
    let elsewhere = auth.clone();
    let marlin = credentials("marlin");
    auth.replace([("2025", &marlin)], Retire::now()).unwrap();
    let old = elsewhere.verify(&basic("pretix:swordfish"));
    assert_eq!(old, Err(AuthError::Mismatch));
    assert!(elsewhere.verify(&basic("pretix:marlin")).is_ok());
}

#[test]
fn failed_reload_leaves_the_credentials_unchanged() {
    let auth = swordfish();
    let (one, two) = (credentials("one"), credentials("two"));
    let none: [(&str, &Credentials); 0] = [];
    assert_eq!(auth.replace(none, Retire::now()), Err(KeyringError::Empty));
    let taken = auth.replace([("a", &one), ("a", &two)], Retire::now());
    assert_eq!(taken, Err(KeyringError::NameTaken { name: "a".into() }));
    let alike = auth.replace([("a", &one), ("b", &one)], Retire::now());
    let (name, other) = ("b".into(), "a".into());
    assert_eq!(alike, Err(KeyringError::SecretTaken { name, other }));
    assert_eq!(auth.names(), ["2025"]);
    assert!(auth.verify(&basic("pretix:swordfish")).is_ok());
}

#[test]
fn invalid_credentials_are_rejected() {
    let error = |user: &str, password: &str| {
        let error = Credentials::new(user, Secret::from(password)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("swordfish"));
        error
    };
    for blank in ["", " ", "\n", "\u{a0}"] {
        assert_eq!(error(blank, "swordfish"), CredentialsError::EmptyUser);
        assert_eq!(error("pretix", blank), CredentialsError::EmptyPassword);
    }
    for untrimmed in [
        "swordfish\n",
        "swordfish ",
        " swordfish",
        "\tswordfish",
        "swordfish\u{a0}",
    ] {
        let expected = CredentialsError::SurroundingWhitespace;
        assert_eq!(error("pretix", untrimmed), expected, "{untrimmed:?}");
        assert_eq!(error(untrimmed, "password"), expected, "{untrimmed:?}");
    }
    for odd in [
        "sword\nfish",
        "sword\0fish",
        "schwertfisch\u{df}x",
        "\0",
        "\u{feff}x",
    ] {
        let expected = CredentialsError::NotPrintableAscii;
        assert_eq!(error("pretix", odd), expected, "{odd:?}");
        assert_eq!(error(odd, "password"), expected, "{odd:?}");
    }
    assert_eq!(error("a:b", "swordfish"), CredentialsError::ColonInUser);
    assert!(Credentials::new("a b", Secret::from("c:d e")).is_ok());
}
