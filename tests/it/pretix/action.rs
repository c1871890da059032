use webhook_sdk::pretix::{Action, ActionType};

/// What pretix 2026.8.0 accepts, from its own registry.
const REGISTERED: &str = include_str!("../../data/pretix/action_types.txt");

#[test]
fn the_known_action_types_are_the_registered_ones() {
    let known: Vec<&str> = ActionType::KNOWN.iter().map(ActionType::as_str).collect();
    assert_eq!(known, REGISTERED.lines().collect::<Vec<_>>());
    assert_eq!(known.len(), 47);
}

#[test]
fn a_plugins_action_type_keeps_its_text() {
    let json = r#""pretix.plugins.badges.printed""#;
    let action_type: ActionType = serde_json::from_str(json).unwrap();
    assert!(action_type.is_unknown());
    assert_eq!(serde_json::to_string(&action_type).unwrap(), json);
}

#[test]
fn action_type_is_case_sensitive_and_not_a_pattern() {
    for name in [
        "pretix.event.order.PLACED",
        "pretix.event.order.*",
        "pretix.event.order.changed.price",
        "pretix.event.order.changed",
        " pretix.event.order.placed",
        "",
    ] {
        assert!(ActionType::from(name).is_unknown(), "{name:?}");
    }
}

#[test]
fn action_has_the_action_type_that_covers_it() {
    for (action, expected) in [
        ("pretix.event.order.placed", "pretix.event.order.placed"),
        (
            "pretix.event.order.placed.require_approval",
            "pretix.event.order.placed.require_approval",
        ),
        (
            "pretix.event.order.changed.price",
            "pretix.event.order.changed.*",
        ),
        (
            "pretix.event.order.changed.split_from",
            "pretix.event.order.changed.*",
        ),
        ("pretix.event.item.added", "pretix.event.item.*"),
        ("pretix.event.item.variation.added", "pretix.event.item.*"),
        ("pretix.event.quota.closed", "pretix.event.quota.*"),
        (
            "pretix.giftcards.transaction.payment",
            "pretix.giftcards.transaction.*",
        ),
        ("pretix.giftcards.created", "pretix.giftcards.created"),
        ("pretix.event.checkin", "pretix.event.checkin"),
    ] {
        let subscription = Action::from(action).subscription().unwrap();
        assert!(!subscription.is_unknown());
        assert_eq!(subscription.as_str(), expected, "{action}");
    }
}

#[test]
fn plain_action_type_does_not_cover_actions_below_it() {
    for action in [
        "pretix.event.order.paid.partially",
        "pretix.event.order.changed",
        "pretix.event.item",
        "pretix.event.order.refund",
        "pretix.event.ORDER.changed.price",
        "pretix.plugins.badges.printed",
        "pretix",
        ".",
        "",
    ] {
        assert_eq!(Action::from(action).subscription(), None, "{action:?}");
    }
}

#[test]
fn looked_up_names_go_from_the_action_upwards() {
    let names = |action: &str| -> Vec<String> {
        Action::from(action)
            .subscriptions()
            .map(|name| name.to_string())
            .collect()
    };
    assert_eq!(
        names("pretix.plugins.badges.badge.printed"),
        [
            "pretix.plugins.badges.badge.printed",
            "pretix.plugins.badges.badge.*",
            "pretix.plugins.badges.*",
            "pretix.plugins.*",
        ]
    );
    assert_eq!(names("pretix.voucher"), ["pretix.voucher"]);
    assert!(names("pretix").is_empty());
    assert!(names("").is_empty());
}

#[test]
fn an_action_longer_than_pretix_stores_matches_nothing() {
    let longest = format!("pretix.event.item.{}", "a".repeat(237));
    assert_eq!(longest.len(), 255);
    assert_eq!(
        Action::from(longest.as_str()).subscription(),
        Some(ActionType::ItemAny)
    );
    assert_eq!(Action::from(longest + "a").subscription(), None);
    assert_eq!(Action::from(".".repeat(4 << 20)).subscriptions().count(), 0);
}

#[test]
fn an_action_shows_its_text() {
    let action = Action::from("pretix.event.order.changed.price");
    assert_eq!(action.to_string(), "pretix.event.order.changed.price");
    assert_eq!(
        serde_json::to_string(&action).unwrap(),
        r#""pretix.event.order.changed.price""#
    );
}
