//! The secret text.

use webhook_sdk::Secret;

#[test]
fn secret_is_only_shown_by_expose() {
    let secret = Secret::from("swordfish".to_owned());
    assert_eq!(secret.expose(), "swordfish");
    assert_eq!(
        format!("{secret:?} {:#?}", [&secret])
            .matches("Secret(..)")
            .count(),
        2
    );
    assert!(!format!("{secret:?} {:?}", Some(&secret)).contains("sword"));
    assert!(!secret.is_empty());
    assert!(Secret::from("").is_empty());
}

#[test]
fn secrets_are_equal_by_their_text() {
    let secret = Secret::from("swordfish");
    assert_eq!(secret, secret.clone());
    for other in ["", "swordfisH", "swordfish ", "swordfis"] {
        assert_ne!(secret, Secret::from(other));
    }
}

#[test]
fn a_secret_passes_through_json_unchanged() {
    let text = r#""say \"swordfish\" é""#;
    let secret: Secret = serde_json::from_str(text).unwrap();
    assert_eq!(secret.expose(), "say \"swordfish\" é");
    assert_eq!(serde_json::to_string(&secret).unwrap(), text);
    let refused = serde_json::from_str::<Secret>("12345").unwrap_err();
    assert!(refused.is_data());
}
