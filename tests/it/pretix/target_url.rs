use serde_json::{Value, json};
use webhook_sdk::Secret;
use webhook_sdk::pretix::{Credentials, CredentialsError, TargetUrl, TargetUrlError};

const EXCHANGES: &str = include_str!("../../data/pretix/exchanges.jsonl");

fn credentials(user: &str, password: &str) -> Credentials {
    Credentials::new(user, Secret::from(password)).unwrap()
}

fn stored(url: &str) -> TargetUrl {
    serde_json::from_value(json!(url)).unwrap()
}

#[test]
fn credentials_are_percent_encoded_into_the_url() {
    let target = |url: &str, user: &str, password: &str| {
        TargetUrl::new(url, &credentials(user, password))
            .unwrap()
            .expose()
            .to_owned()
    };
    assert_eq!(
        target("https://example.org", "u", "p"),
        "https://u:p@example.org"
    );
    assert_eq!(
        target("http://example.org:8443/a/b?c=d&e=%20", "u", "p"),
        "http://u:p@example.org:8443/a/b?c=d&e=%20"
    );
    assert_eq!(
        target("https://[::1]:9/x", "u", "p"),
        "https://u:p@[::1]:9/x"
    );
    assert_eq!(
        target("https://example.org/", "a@b/c", "p:q@r/s?t#u%20 +&"),
        "https://a%40b%2Fc:p%3Aq%40r%2Fs%3Ft%23u%2520%20%2B%26@example.org/",
    );
}

/// Each character is encoded as it was for pretix 2026.8.0, which sent the plain text back.
#[test]
fn printable_characters_are_encoded_as_tested_with_pretix() {
    let all: String = (' '..='~').collect();
    let user = format!("u{}", all.replace(':', ""));
    let password = format!("p{all}");
    let target = TargetUrl::new("http://127.0.0.1:9/h", &credentials(&user, &password)).unwrap();
    assert_eq!(
        target.expose(),
        "http://u%20%21%22%23%24%25%26%27%28%29%2A%2B%2C-.%2F0123456789%3B%3C%3D%3E%3F%40ABCDEFGHIJKLMNOPQRSTUVWXYZ\
         %5B%5C%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~\
         :p%20%21%22%23%24%25%26%27%28%29%2A%2B%2C-.%2F0123456789%3A%3B%3C%3D%3E%3F%40ABCDEFGHIJKLMNOPQRSTUVWXYZ\
         %5B%5C%5D%5E_%60abcdefghijklmnopqrstuvwxyz%7B%7C%7D~@127.0.0.1:9/h",
    );
    assert_eq!(target.credentials(), Some(credentials(&user, &password)));
}

#[test]
fn url_that_pretix_cannot_call_is_rejected() {
    let refusal = |url: &str| TargetUrl::new(url, &credentials("u", "p")).unwrap_err();
    for url in [
        "",
        "example.org",
        "/hooks",
        "https://",
        "https:///x",
        "https://:443/x",
        "https:example.org",
        "http//x",
    ] {
        assert_eq!(refusal(url), TargetUrlError::NotAUrl, "{url}");
    }
    for url in [
        "https://exämple.org/",
        "https://example.org/ü",
        "https://example.org/a b",
        " https://example.org/",
        "https://example.org/\n",
    ] {
        assert_eq!(refusal(url), TargetUrlError::NotAUrl, "{url}");
    }
    for url in [
        "ftp://example.org/",
        "ftps://example.org/",
        "ws://example.org/",
    ] {
        assert_eq!(refusal(url), TargetUrlError::Scheme, "{url}");
    }
    for url in [
        "https://a:b@example.org/",
        "https://a@example.org/",
        "https://@example.org/",
        "https://:@example.org/",
    ] {
        assert_eq!(refusal(url), TargetUrlError::HasCredentials, "{url}");
    }
    assert_eq!(
        refusal("https://example.org/#top"),
        TargetUrlError::HasFragment
    );
    assert_eq!(
        TargetUrl::without_credentials("ftp://example.org/").unwrap_err(),
        TargetUrlError::Scheme
    );
}

#[test]
fn an_at_sign_in_the_path_is_not_a_credential() {
    let target =
        TargetUrl::new("https://example.org/@hooks?to=a@b", &credentials("u", "p")).unwrap();
    assert_eq!(target.expose(), "https://u:p@example.org/@hooks?to=a@b");
    assert_eq!(target.to_string(), "https://***");
}

#[test]
fn the_length_counts_the_encoded_credentials() {
    let base = "https://example.org/";
    let path = "a".repeat(TargetUrl::MAX_LENGTH - base.len() - "u:%2F@".len());
    let fits = TargetUrl::new(&format!("{base}{path}"), &credentials("u", "/")).unwrap();
    assert_eq!(fits.expose().len(), 1024);
    assert_eq!(
        TargetUrl::new(&format!("{base}{path}a"), &credentials("u", "/")),
        Err(TargetUrlError::TooLong { length: 1025 })
    );
    assert_eq!(
        TargetUrl::without_credentials(&format!("{base}{}", "a".repeat(1005))),
        Err(TargetUrlError::TooLong { length: 1025 })
    );
}

#[test]
fn a_target_without_credentials_is_the_url_itself() {
    let target = TargetUrl::without_credentials("https://example.org/hooks").unwrap();
    assert_eq!(target.expose(), "https://example.org/hooks");
    assert_eq!(target.credentials(), None);
}

#[test]
fn nothing_shows_the_password() {
    let target = TargetUrl::new(
        "https://example.org/hooks",
        &credentials("pretix", "swordfish"),
    )
    .unwrap();
    assert_eq!(target.to_string(), "https://***@example.org/***");
    assert_eq!(
        format!("{target:?}"),
        "TargetUrl(https://***@example.org/***)"
    );
    assert!(!format!("{:?}", credentials("pretix", "swordfish")).contains("swordfish"));
}

#[test]
fn malformed_stored_url_is_fully_redacted() {
    for (url, shown) in [
        ("https://u:swordfish@example.org", "https://***@example.org"),
        (
            "https://u:sword:fish@example.org/",
            "https://***@example.org/",
        ),
        (
            "https://u:sword@fish@example.org/",
            "https://***@example.org/",
        ),
        ("https://u:sword?fish@example.org/", "https://***"),
        ("https://u:sword/fish@example.org/", "https://***"),
        ("https://u:sword#fish@example.org/", "https://***"),
        ("https://sword/fish%40example.org/", "https://***"),
        ("https://u%3Aswordfish%40example.org/", "https://***"),
        ("https://swordfish@example.org/", "https://***@example.org/"),
        (
            "https://:swordfish@example.org/",
            "https://***@example.org/",
        ),
        ("ftp://u:swordfish@example.org/", "***"),
        ("u:swordfish@example.org", "***"),
        ("//u:swordfish@example.org", "***"),
        ("https:/u:swordfish@example.org", "***"),
        ("u:swordfish@a/?to=http://b", "***"),
        ("https://example.org?to=swordfish@b", "https://***"),
        (
            "https://example.org/?to=swordfish",
            "https://example.org/***",
        ),
        ("https://example.org/swordfish", "https://example.org/***"),
        ("https://u:swordfish@[::1]:9/x", "https://***@[::1]:9/***"),
    ] {
        let target = stored(url);
        let displayed = target.to_string();
        assert!(
            !displayed.contains("swordfish") && !displayed.contains("fish@"),
            "{displayed}"
        );
        assert_eq!(displayed, shown, "{url}");
        assert_eq!(target.expose(), url);
    }
}

#[test]
fn stored_url_without_credentials_is_shown_to_its_host() {
    for (url, shown) in [
        ("https://example.org", "https://example.org"),
        (
            "https://example.org:443/a?b=c",
            "https://example.org:443/***",
        ),
        ("https://example.org/@a/b@c?d=e@f#g@h", "https://***"),
        ("http://[2001:db8::1]/ab", "http://[2001:db8::1]/***"),
        ("http://[2001:db8::1]:80/", "http://[2001:db8::1]:80/"),
        ("not a url", "***"),
        ("", "***"),
    ] {
        assert_eq!(stored(url).to_string(), shown);
        assert_eq!(stored(url).credentials(), None);
    }
}

#[test]
fn credentials_are_read_back_as_pretix_reads_them() {
    assert_eq!(
        stored("https://u:p%2Bq+r%zz@example.org/").credentials(),
        Some(credentials("u", "p+q+r%zz"))
    );
    for url in [
        "https://u@example.org/",
        "https://u:@example.org/",
        "https://:p@example.org/",
        "https://u:%FF@example.org/",
        "https://u:%C3%BC@example.org/",
        "https://example.org?a:b@c",
        "https://u:a/b@example.org/",
    ] {
        assert_eq!(stored(url).credentials(), None, "{url}");
    }
}

#[test]
fn every_recorded_target_url_survives_the_round_trip() {
    let mut seen = 0;
    for line in EXCHANGES.lines() {
        let exchange: Value = serde_json::from_str(line).unwrap();
        let body = &exchange["body"];
        let listed = body["results"].as_array().into_iter().flatten();
        for url in listed
            .chain([body])
            .filter_map(|webhook| webhook["target_url"].as_str())
        {
            let target = stored(url);
            assert_eq!(serde_json::to_value(&target).unwrap(), url);
            if url.contains("user:pass@") {
                assert!(!target.to_string().contains("pass"), "{target}");
            }
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn credentials_that_pretix_cannot_send_are_rejected() {
    let refusal =
        |user: &str, password: &str| Credentials::new(user, Secret::from(password)).unwrap_err();
    assert_eq!(refusal("", "p"), CredentialsError::EmptyUser);
    assert_eq!(refusal("u", ""), CredentialsError::EmptyPassword);
    assert_eq!(refusal("a:b", "p"), CredentialsError::ColonInUser);
    let whitespace = CredentialsError::SurroundingWhitespace;
    assert_eq!(refusal("a\n", "p"), whitespace);
    assert_eq!(refusal("u", " p"), whitespace);
    for text in ["ü", "€", "a\tb", "a\0", "\u{7f}"] {
        assert_eq!(
            refusal(text, "p"),
            CredentialsError::NotPrintableAscii,
            "{text:?}"
        );
        assert_eq!(
            refusal("u", text),
            CredentialsError::NotPrintableAscii,
            "{text:?}"
        );
    }
}

#[test]
fn refusals_convert_into_the_error_of_a_call() {
    fn target(url: &str, user: &str) -> Result<TargetUrl, webhook_sdk::Error> {
        let credentials = Credentials::new(user, Secret::from("swordfish"))?;
        Ok(TargetUrl::new(url, &credentials)?)
    }
    let error = target("ftp://example.org/", "pretix").unwrap_err();
    assert!(error.is_validation());
    assert_eq!(error.field_errors()[0].field, "target_url");
    let error = target("https://example.org/", "").unwrap_err();
    assert!(error.is_configuration());
    assert_eq!(error.to_string(), "the user is empty");
}
