//! Which secrets become keys, and how a keyring changes while it is used.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use webhook_sdk::Secret;
use webhook_sdk::signature::{
    Key, KeyError, Keyring, KeyringError, Retire, Scheme, Signer, Verifier, VerifyError,
};

use super::verify::{BODY, NOW, at, headers, hex, key, moment, refusal, ring};

const HOUR: Duration = Duration::from_secs(3600);

fn error(text: &str) -> KeyError {
    let error = Key::new("main", &Secret::from(text)).unwrap_err();
    let scheme = Scheme::builder("x-signature").build().unwrap();
    let signer = Signer::new(scheme, &Secret::from(text));
    assert_eq!(signer.err().as_ref(), Some(&error));
    error
}

/// A verifier with a stopped clock.
fn verifier(keys: impl Into<Keyring>) -> Verifier {
    let scheme = Scheme::builder("x-signature").build().unwrap();
    Verifier::new(scheme, keys).clock(at(NOW))
}

/// The name of the key that accepts what is signed with a secret.
fn accepted(verifier: &Verifier, secret: &str) -> Result<String, VerifyError> {
    let headers = headers(&[("x-signature", &hex(secret, &[BODY]))]);
    let verified = verifier.verify(&headers, BODY)?;
    Ok(verified.key_name().to_owned())
}

#[test]
fn a_blank_secret_is_not_a_key() {
    for blank in [
        "", " ", "\n", "\r\n", "\t \n", "\0", "\0\0", "\u{a0}", "\u{feff}",
    ] {
        assert_eq!(error(blank), KeyError::EmptySecret, "{blank:?}");
    }
    for zeros in [&[][..], &[0], &[0; 32], &[0; 64], &[0; 65], &[0; 100]] {
        let key = Key::from_bytes("main", zeros);
        assert_eq!(key.unwrap_err(), KeyError::EmptySecret, "{}", zeros.len());
    }
}

#[test]
fn a_secret_with_whitespace_at_an_end_is_not_a_key() {
    for untrimmed in [
        "secret\n",
        "secret\r\n",
        "secret ",
        " secret",
        "\tsecret",
        "\nsecret",
        "secret\u{a0}",
        "\u{2003}secret",
        "\u{feff}secret",
        "secret\u{200b}",
        "secret\0",
        "\0secret",
    ] {
        assert_eq!(
            error(untrimmed),
            KeyError::SurroundingWhitespace,
            "{untrimmed:?}"
        );
    }
    for untrimmed in [
        &b"secret\n"[..],
        b"secret\r\n",
        b" secret",
        b"\n",
        b" ",
        b"\t\t",
        "schl\u{fc}ssel\n".as_bytes(),
        "\u{feff}secret".as_bytes(),
        "secret\u{a0}".as_bytes(),
    ] {
        let key = Key::from_bytes("main", untrimmed);
        assert_eq!(
            key.unwrap_err(),
            KeyError::SurroundingWhitespace,
            "{untrimmed:?}"
        );
    }
}

#[test]
fn a_secret_with_a_control_character_inside_is_not_a_key() {
    for text in [
        "one\ntwo",
        "one\ttwo",
        "one\0two",
        "one\u{7f}two",
        "one\u{85}two",
    ] {
        assert_eq!(error(text), KeyError::ControlCharacter, "{text:?}");
    }
}

#[test]
fn other_secrets_are_keys_byte_for_byte() {
    for secret in [
        "x",
        "two words",
        "whsec_C2FVsBQIhrsc+/=",
        "pässword",
        "雪",
        "a\u{200b}b",
    ] {
        assert_eq!(
            accepted(&verifier(key("main", secret)), secret).as_deref(),
            Ok("main")
        );
    }
    let binary: [&[u8]; 5] = [&[0x0b; 20], &[0, 1], &[1, 0], b"\x80\n", &[0xff; 131]];
    for bytes in binary {
        assert!(Key::from_bytes("main", bytes).is_ok(), "{bytes:?}");
    }
}

#[test]
fn secret_error_explains_the_fix_without_the_secret() {
    for (secret, advice) in [
        (" swordfish", "trim it"),
        ("sword\nfish", "Key::from_bytes"),
        ("\n", "pass the secret that the service issued"),
    ] {
        let error = error(secret);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(advice), "{shown}");
        assert!(!shown.contains("sword"), "{shown}");
    }
}

#[test]
fn equivalent_keys_cannot_share_a_keyring() {
    let padded = |name: &str, bytes: &[u8]| Key::from_bytes(name, bytes).unwrap();
    let taken = |name: &str| KeyringError::SecretTaken {
        name: name.into(),
        other: "first".into(),
    };
    for equivalent in [&b"key"[..], b"key\0", b"key\0\0\0"] {
        let keys = [padded("first", b"key"), padded("second", equivalent)];
        assert_eq!(Keyring::from_keys(keys).unwrap_err(), taken("second"));
    }
    let keyring = Keyring::new(padded("first", b"key"));
    assert_eq!(keyring.add(padded("third", b"key\0")), Err(taken("third")));
    assert_eq!(keyring.add(padded("third", b"key\0\x01")), Ok(()));
}

#[test]
fn a_key_is_a_keyring() {
    let key = key("main", "secret");
    assert!(accepted(&verifier(&key), "secret").is_ok());
    let keyring = Keyring::from(key.clone());
    assert!(accepted(&verifier(&keyring), "secret").is_ok());
    assert!(accepted(&verifier(key), "secret").is_ok());
}

#[test]
fn a_keyring_has_a_key_and_its_names_differ() {
    assert_eq!(Keyring::from_keys([]).unwrap_err(), KeyringError::Empty);
    let twins = [key("main", "one"), key("main", "two")];
    let name = || "main".to_owned();
    let taken = || KeyringError::NameTaken { name: name() };
    assert_eq!(Keyring::from_keys(twins).unwrap_err(), taken());
    let keyring = ring("one");
    assert_eq!(keyring.add(key("main", "two")), Err(taken()));
    let last = keyring.retire("main", Retire::now());
    assert_eq!(last, Err(KeyringError::Last { name: name() }));
    let nobody = keyring.retire("nobody", Retire::now());
    assert_eq!(
        nobody,
        Err(KeyringError::NotFound {
            name: "nobody".into()
        })
    );
    assert!(accepted(&verifier(keyring), "one").is_ok());
}

#[test]
fn keys_are_added_and_retired_while_a_verifier_uses_them() {
    let keyring = ring("old");
    let verifier = verifier(&keyring);
    let by = |secret| accepted(&verifier, secret);

    assert_eq!(by("new"), Err(VerifyError::Mismatch));
    keyring.add(key("new", "new")).unwrap();
    assert_eq!(
        (by("old"), by("new")),
        (Ok("main".into()), Ok("new".into()))
    );

    keyring.retire("main", Retire::at(moment(NOW + 1))).unwrap();
    assert_eq!(by("old"), Ok("main".into()));
    keyring.retire("main", Retire::at(moment(NOW))).unwrap();
    assert_eq!(
        (by("old"), by("new")),
        (Err(VerifyError::Mismatch), Ok("new".into()))
    );
    keyring.retire("main", Retire::at(moment(NOW + 9))).unwrap();
    assert_eq!(
        by("old"),
        Err(VerifyError::Mismatch),
        "an end is never put off"
    );

    keyring.retire("main", Retire::now()).unwrap();
    assert_eq!(keyring.names(), ["new"]);
    keyring.retire("new", Retire::at(moment(NOW))).unwrap();
    assert_eq!(by("new"), Err(VerifyError::NoActiveKey));
    let headers = headers(&[("x-signature", &hex("new", &[BODY]))]);
    assert_eq!(refusal(&verifier, &headers, BODY), VerifyError::NoActiveKey);
}

#[test]
fn a_retired_key_is_refused_while_the_body_is_still_arriving() {
    let keyring = Keyring::from_keys([key("old", "old"), key("new", "new")]).unwrap();
    let verifier = verifier(&keyring);
    let signed = |secret| headers(&[("x-signature", &hex(secret, &[BODY]))]);
    let (old, new) = (
        verifier.begin(&signed("old")),
        verifier.begin(&signed("new")),
    );
    keyring.retire("old", Retire::now()).unwrap();
    assert_eq!(old.unwrap().finish(BODY).err(), Some(VerifyError::Mismatch));
    assert_eq!(new.unwrap().finish(BODY).unwrap().key_name(), "new");
}

#[test]
fn an_expired_key_is_skipped_and_the_others_are_tried_in_order() {
    let keys = [
        key("expired", "one").expires_at(moment(NOW)),
        key("second", "two"),
        key("third", "three"),
    ];
    let verifier = verifier(Keyring::from_keys(keys).unwrap());
    assert_eq!(accepted(&verifier, "one"), Err(VerifyError::Mismatch));
    assert_eq!(accepted(&verifier, "two").as_deref(), Ok("second"));
    assert_eq!(accepted(&verifier, "three").as_deref(), Ok("third"));
    let earlier = verifier.clock(at(NOW - 1));
    assert_eq!(accepted(&earlier, "one").as_deref(), Ok("expired"));
}

#[test]
fn a_replacement_without_grace_drops_every_old_key() {
    let keyring = Keyring::from_keys([key("a", "one"), key("b", "two")]).unwrap();
    let verifier = verifier(&keyring);
    keyring.replace([key("c", "three")], Retire::now()).unwrap();
    assert_eq!(keyring.names(), ["c"]);
    assert_eq!(accepted(&verifier, "one"), Err(VerifyError::Mismatch));
    assert_eq!(accepted(&verifier, "two"), Err(VerifyError::Mismatch));
    assert_eq!(accepted(&verifier, "three").as_deref(), Ok("c"));
}

#[test]
fn replaced_keys_are_accepted_until_the_grace_period_ends() {
    let keyring = ring("old");
    let retire = Retire::at(moment(NOW));
    keyring.replace([key("new", "new")], retire).unwrap();
    assert_eq!(keyring.names(), ["new", "main"]);
    let before = verifier(&keyring).clock(at(NOW - 1));
    assert_eq!(accepted(&before, "old").as_deref(), Ok("main"));
    assert_eq!(accepted(&before, "new").as_deref(), Ok("new"));
    let after = verifier(&keyring);
    assert_eq!(accepted(&after, "old"), Err(VerifyError::Mismatch));
    assert_eq!(accepted(&after, "new").as_deref(), Ok("new"));
}

#[test]
fn the_grace_period_counts_from_now_on_the_system_clock() {
    let keyring = ring("old");
    let verifier = |seconds: i64| {
        let now = Utc::now() + TimeDelta::seconds(seconds);
        verifier(&keyring).clock(move || now)
    };
    keyring
        .replace([key("new", "new")], Retire::after(HOUR))
        .unwrap();
    assert!(accepted(&verifier(3500), "old").is_ok());
    assert!(accepted(&verifier(3601), "old").is_err());
    let forever = Retire::after(Duration::MAX);
    keyring.replace([key("newer", "newer")], forever).unwrap();
    assert!(accepted(&verifier(3601), "new").is_ok());
    assert!(
        accepted(&verifier(3601), "old").is_err(),
        "an end is never put off"
    );
}

#[test]
fn a_secret_that_changed_under_its_name_is_replaced() {
    let keyring = ring("old");
    let verifier = verifier(&keyring);
    keyring
        .replace([key("main", "new")], Retire::at(moment(NOW + 1)))
        .unwrap();
    assert_eq!(keyring.names(), ["main", "main"]);
    assert_eq!(accepted(&verifier, "old").as_deref(), Ok("main"));
    assert_eq!(accepted(&verifier, "new").as_deref(), Ok("main"));
    keyring
        .replace([key("main", "new")], Retire::now())
        .unwrap();
    assert_eq!(keyring.names(), ["main"]);
    assert_eq!(accepted(&verifier, "old"), Err(VerifyError::Mismatch));
    assert_eq!(accepted(&verifier, "new").as_deref(), Ok("main"));
}

#[test]
fn retiring_a_name_at_once_ends_the_older_keys_of_a_reload_first() {
    let names = |keyring: &Keyring| keyring.names().join(" ");
    for others in [vec![], vec![key("other", "other")]] {
        let keyring = ring("leaked");
        let verifier = verifier(&keyring);
        let new = [key("main", "new")].into_iter().chain(others.clone());
        keyring.replace(new, Retire::after(HOUR)).unwrap();
        let reloaded = names(&keyring);

        keyring.retire("main", Retire::now()).unwrap();
        assert_eq!(format!("{} main", names(&keyring)), reloaded);
        assert_eq!(accepted(&verifier, "leaked"), Err(VerifyError::Mismatch));
        assert_eq!(accepted(&verifier, "new").as_deref(), Ok("main"));

        match keyring.retire("main", Retire::now()) {
            Ok(()) => assert_eq!(names(&keyring), "other"),
            Err(error) => assert!(others.is_empty(), "{error}"),
        }
    }
}

#[test]
fn retiring_a_name_after_a_grace_period_ends_all_of_its_keys() {
    let keyring = ring("old");
    let verifier = verifier(&keyring);
    keyring
        .replace([key("main", "new")], Retire::after(HOUR))
        .unwrap();
    keyring.retire("main", Retire::at(moment(NOW))).unwrap();
    assert_eq!(accepted(&verifier, "old"), Err(VerifyError::NoActiveKey));
    assert_eq!(accepted(&verifier, "new"), Err(VerifyError::NoActiveKey));
    // An older key that has expired no longer protects the current one.
    keyring.add(key("other", "other")).unwrap();
    keyring.retire("main", Retire::now()).unwrap();
    assert_eq!(keyring.names(), ["other"]);
}

#[test]
fn an_unchanged_key_survives_any_number_of_reloads() {
    let keyring = Keyring::from_keys([key("a", "one"), key("b", "two")]).unwrap();
    for _ in 0..3 {
        let same = [key("b", "two"), key("renamed", "one")];
        keyring.replace(same, Retire::after(HOUR)).unwrap();
        assert_eq!(keyring.names(), ["b", "renamed"]);
    }
    let verifier = verifier(&keyring);
    assert_eq!(accepted(&verifier, "one").as_deref(), Ok("renamed"));
    assert_eq!(accepted(&verifier, "two").as_deref(), Ok("b"));
}

#[test]
fn a_reload_drops_the_keys_whose_grace_period_has_ended() {
    let keyring = ring("first");
    let ended = || Retire::at(Utc::now() - TimeDelta::seconds(1));
    for (name, secret) in [("2", "second"), ("3", "third"), ("4", "fourth")] {
        keyring.replace([key(name, secret)], ended()).unwrap();
    }
    assert_eq!(keyring.names(), ["4", "3"]);
}

#[test]
fn each_of_several_replaced_keys_is_accepted_for_its_grace_period() {
    let keyring = ring("first");
    for (name, secret) in [("2", "second"), ("3", "third")] {
        let retire = Retire::after(HOUR);
        keyring.replace([key(name, secret)], retire).unwrap();
    }
    assert_eq!(keyring.names(), ["3", "2", "main"]);
}

#[test]
fn secret_can_be_added_again_once_its_key_has_expired() {
    let ends = |name, secret, seconds| {
        key(name, secret).expires_at(Utc::now() + TimeDelta::seconds(seconds))
    };
    let keys = |seconds| {
        let keys = [
            ends("old", "one", seconds),
            ends("other", "two", -1),
            key("main", "three"),
        ];
        Keyring::from_keys(keys).unwrap()
    };
    let expired = keys(-1);
    expired.add(key("new", "one")).unwrap();
    assert_eq!(expired.names(), ["new", "other", "main"]);

    let taken = keys(3600).add(key("new", "one"));
    let (name, other) = ("new".into(), "old".into());
    assert_eq!(taken, Err(KeyringError::SecretTaken { name, other }));
}

#[test]
fn failed_reload_changes_nothing() {
    let keyring = ring("secret");
    let twins = || [key("a", "one"), key("a", "two")];
    let alike = || [key("a", "one"), key("b", "one")];
    assert_eq!(keyring.replace([], Retire::now()), Err(KeyringError::Empty));
    for keys in [twins(), alike()] {
        assert!(keyring.replace(keys, Retire::now()).is_err());
    }
    assert_eq!(keyring.names(), ["main"]);
    assert!(accepted(&verifier(keyring), "secret").is_ok());
}

#[test]
fn verification_sees_reloads_atomically() {
    let keyring = ring("stays");
    let verifier = verifier(&keyring);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let keyring = &keyring;
            scope.spawn(move || {
                for index in 0..200 {
                    let other = key(&format!("{thread}-{index}"), &format!("{thread}-{index}"));
                    keyring
                        .replace([other, key("main", "stays")], Retire::now())
                        .unwrap();
                    assert_eq!(keyring.names().len(), 2);
                }
            });
        }
        for _ in 0..500 {
            assert_eq!(accepted(&verifier, "stays").as_deref(), Ok("main"));
        }
    });
}

#[test]
fn concurrent_changes_are_all_kept() {
    let keyring = ring("first");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let keyring = &keyring;
            scope.spawn(move || {
                for index in 0..50 {
                    let name = format!("{thread}-{index}");
                    keyring.add(key(&name, &name)).unwrap();
                }
            });
        }
    });
    assert_eq!(keyring.names().len(), 401);
}

#[test]
fn a_delivery_is_attributed_to_the_owner_of_its_key() {
    let keys = [
        key("acme-2025", "one").owner("acme"),
        key("acme-2026", "two").owner("acme"),
        key("globex", "three").owner("globex"),
        key("other", "four"),
    ];
    let verifier = verifier(Keyring::from_keys(keys).unwrap());
    for (secret, owner) in [
        ("one", Some("acme")),
        ("two", Some("acme")),
        ("three", Some("globex")),
        ("four", None),
    ] {
        let headers = headers(&[("x-signature", &hex(secret, &[BODY]))]);
        assert_eq!(verifier.verify(&headers, BODY).unwrap().owner(), owner);
    }
}
