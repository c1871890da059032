use serde_json::{Value, json};
use webhook_sdk::pretix::{ActionType, Notification, NotificationError};

const DELIVERIES: &str = include_str!("../../data/pretix/deliveries.jsonl");

fn read(body: &Value) -> Notification {
    Notification::from_slice(body.to_string().as_bytes()).unwrap()
}

/// The family and the object's id.
fn told(notification: &Notification) -> (&'static str, Value) {
    match notification {
        Notification::Order(order) => ("order", json!(order.code)),
        Notification::CheckIn(check_in) => ("check-in", json!(check_in.orderposition_id)),
        Notification::Event(event) => ("event", json!(event.event)),
        Notification::SubEvent(sub_event) => ("sub-event", json!(sub_event.subevent)),
        Notification::Item(item) => ("item", json!(item.item)),
        Notification::Quota(quota) => ("quota", json!(quota.quota)),
        Notification::Voucher(voucher) => ("voucher", json!(voucher.voucher)),
        Notification::WaitingList(waiting) => ("waiting list", json!(waiting.entry)),
        Notification::Customer(customer) => ("customer", json!(customer.customer)),
        Notification::GiftCard(gift_card) => ("gift card", json!(gift_card.giftcard)),
        _ => ("unknown", Value::Null),
    }
}

/// The same, from the keys of a recorded body; only quotas need the action.
fn family_by_keys(body: &Value) -> (&'static str, Value) {
    let families = [
        ("orderposition_id", "check-in"),
        ("code", "order"),
        ("subevent", "sub-event"),
        ("voucher", "voucher"),
        ("waitinglistentry", "waiting list"),
        ("customer", "customer"),
        ("giftcard", "gift card"),
        ("item", "item"),
        ("event", "event"),
    ];
    let (key, family) = families
        .into_iter()
        .find(|(key, _)| body.get(key).is_some())
        .unwrap();
    let is_quota = body["action"].as_str().unwrap().contains("quota");
    (if is_quota { "quota" } else { family }, body[key].clone())
}

#[test]
fn recorded_deliveries_have_the_expected_family_and_ids() {
    let mut families = std::collections::BTreeMap::new();
    for line in DELIVERIES.lines() {
        let body: Value = serde_json::from_str(line).unwrap();
        let notification = Notification::from_slice(line.as_bytes()).unwrap();

        assert_eq!(told(&notification), family_by_keys(&body), "{line}");
        assert_eq!(
            json!(notification.notification_id()),
            body["notification_id"]
        );
        assert_eq!(json!(notification.action()), body["action"]);
        let organizer = body.get("organizer").or(body.get("issuer_slug")).unwrap();
        assert_eq!(json!(notification.organizer()), *organizer, "{line}");
        assert_eq!(json!(notification.event()), body["event"], "{line}");
        assert!(notification.action().subscription().is_some(), "{line}");
        *families.entry(told(&notification).0).or_insert(0) += 1;
    }
    let expected = [
        ("check-in", 2),
        ("customer", 3),
        ("event", 39),
        ("gift card", 3),
        ("item", 2),
        ("order", 18),
        ("quota", 2),
        ("sub-event", 3),
        ("voucher", 3),
        ("waiting list", 4),
    ];
    assert_eq!(families.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn each_family_has_a_refetch_path() {
    let event = "/api/v1/organizers/o/events/e";
    for (action, id, expected) in [
        (
            "pretix.event.order.placed",
            json!({"code": "ABC23"}),
            format!("{event}/orders/ABC23/"),
        ),
        (
            "pretix.event.checkin",
            json!({"code": "ABC23"}),
            format!("{event}/orders/ABC23/"),
        ),
        ("pretix.event.changed", json!({}), format!("{event}/")),
        (
            "pretix.event.live.activated",
            json!({}),
            format!("{event}/"),
        ),
        (
            "pretix.event.testmode.deactivated",
            json!({}),
            format!("{event}/"),
        ),
        (
            "pretix.subevent.changed",
            json!({"subevent": 7}),
            format!("{event}/subevents/7/"),
        ),
        (
            "pretix.event.item.changed",
            json!({"item": 7}),
            format!("{event}/items/7/"),
        ),
        (
            "pretix.event.quota.changed",
            json!({"item": 7}),
            format!("{event}/quotas/7/"),
        ),
        (
            "pretix.voucher.changed",
            json!({"voucher": 7}),
            format!("{event}/vouchers/7/"),
        ),
        (
            "pretix.event.orders.waitinglist.added",
            json!({"waitinglistentry": 7}),
            format!("{event}/waitinglistentries/7/"),
        ),
        (
            "pretix.customer.changed",
            json!({"customer": "8WSAJCJ"}),
            "/api/v1/organizers/o/customers/8WSAJCJ/".into(),
        ),
        (
            "pretix.giftcards.created",
            json!({"issuer_id": 4, "issuer_slug": "o", "giftcard": 21}),
            "/api/v1/organizers/o/giftcards/21/".into(),
        ),
    ] {
        let mut body =
            json!({"notification_id": 1, "organizer": "o", "event": "e", "action": action});
        body.as_object_mut()
            .unwrap()
            .extend(id.as_object().unwrap().clone());
        assert_eq!(read(&body).refetch_path(), Some(expected), "{action}");
    }
}

#[test]
fn an_event_deleted_through_the_api_has_no_slug_and_no_path() {
    let notification = read(&json!({
        "notification_id": 14, "organizer": "bigevents", "event": null, "action": "pretix.event.deleted"
    }));
    assert_eq!(told(&notification), ("event", Value::Null));
    assert_eq!(notification.organizer(), Some("bigevents"));
    assert_eq!(notification.event(), None);
    assert_eq!(notification.refetch_path(), None);
}

#[test]
fn a_gift_cards_organizer_is_its_issuer() {
    let Notification::GiftCard(gift_card) = read(&json!({
        "notification_id": 26, "issuer_id": 1, "issuer_slug": "one", "acceptor_id": 2, "acceptor_slug": "two",
        "giftcard": 3, "action": "pretix.giftcards.transaction.payment"
    })) else {
        panic!("a gift card");
    };
    assert_eq!((gift_card.issuer_id, gift_card.acceptor_id), (1, Some(2)));
    assert_eq!(gift_card.acceptor_slug.as_deref(), Some("two"));
    let notification = Notification::GiftCard(gift_card);
    assert_eq!(notification.organizer(), Some("one"));
    assert_eq!(notification.event(), None);
    assert_eq!(
        notification.refetch_path().unwrap(),
        "/api/v1/organizers/one/giftcards/3/"
    );
}

#[test]
fn nullable_fields_can_be_null_or_missing() {
    let check_in = json!({
        "notification_id": 1, "organizer": "o", "event": "e", "code": "A", "action": "pretix.event.checkin.reverted",
        "orderposition_id": null, "orderposition_positionid": null, "checkin_list": null, "type": null,
        "first_checkin": null
    });
    let bare = json!({"notification_id": 1, "organizer": "o", "event": "e", "code": "A",
        "action": "pretix.event.checkin.reverted"});
    assert_eq!(read(&check_in), read(&bare));
    assert!(matches!(read(&bare), Notification::CheckIn(_)));

    let deleted = read(
        &json!({"notification_id": 1, "organizer": "o", "event": "e", "code": null,
        "action": "pretix.event.order.deleted"}),
    );
    assert_eq!(told(&deleted), ("order", Value::Null));
    assert_eq!(deleted.refetch_path(), None);

    let transaction = read(
        &json!({"notification_id": 1, "issuer_id": 1, "issuer_slug": "o", "acceptor_id": null,
        "acceptor_slug": null, "giftcard": 1, "action": "pretix.giftcards.transaction.manual"}),
    );
    assert_eq!(told(&transaction), ("gift card", json!(1)));
}

#[test]
fn a_check_in_keeps_all_its_fields() {
    let line = DELIVERIES
        .lines()
        .find(|line| line.contains(r#""type": "exit""#))
        .unwrap();
    let Notification::CheckIn(check_in) = Notification::from_slice(line.as_bytes()).unwrap() else {
        panic!("a check-in");
    };
    assert_eq!(check_in.code.as_deref(), Some("TVWXN"));
    assert_eq!(check_in.orderposition_id, Some(1));
    assert_eq!(check_in.orderposition_positionid, Some(1));
    assert_eq!(check_in.checkin_list, Some(1));
    assert_eq!(check_in.direction.as_deref(), Some("exit"));
    assert_eq!(check_in.first_checkin, None);
}

#[test]
fn unknown_fields_are_ignored() {
    let notification = read(
        &json!({"notification_id": 1, "organizer": "o", "event": "e", "code": "A",
        "action": "pretix.event.order.paid", "new": {"deep": [1]}}),
    );
    assert_eq!(told(&notification), ("order", json!("A")));
}

#[test]
fn new_action_belongs_to_a_known_family() {
    let notification = read(
        &json!({"notification_id": 1, "organizer": "o", "event": "e", "code": "A",
        "action": "pretix.event.order.split.again"}),
    );
    assert_eq!(told(&notification), ("order", json!("A")));
    assert_eq!(notification.action().subscription(), None);
}

#[test]
fn family_depends_on_the_action_and_not_on_the_keys() {
    for action in [
        "pretix.plugins.badges.printed",
        "pretix.event.order",
        "pretix.event.orders.export",
        "pretix.event.checkinlist.added",
        "pretix.event.settings",
        "pretix.event.added.again",
        "PRETIX.event.order.placed",
        "xpretix.event.order.placed",
        "event.order.placed",
        "pretix.",
        "",
    ] {
        let notification = read(
            &json!({"notification_id": 1, "organizer": "o", "event": "e", "code": "A", "item": 1,
            "action": action}),
        );
        assert_eq!(told(&notification).0, "unknown", "{action:?}");
        assert_eq!(notification.organizer(), Some("o"));
        assert_eq!(notification.event(), Some("e"));
        assert_eq!(notification.refetch_path(), None);
    }
}

#[test]
fn known_family_with_mismatched_fields_keeps_its_json() {
    for fields in [
        json!({"organizer": "o", "event": "e", "item": "seven"}),
        json!({"organizer": "o", "event": "e", "item": -1}),
        json!({"organizer": "o", "event": "e"}),
        json!({"organizer": "o", "event": null, "item": 1}),
        json!({"organizer": 5, "event": "e", "item": 1}),
    ] {
        let mut body = json!({"notification_id": 1, "action": "pretix.event.item.changed"});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        let text = body.to_string();
        let notification = Notification::from_slice(text.as_bytes()).unwrap();

        assert_eq!(notification.organizer(), fields["organizer"].as_str());
        assert_eq!(notification.event(), fields["event"].as_str());
        assert_eq!(
            notification.action().subscription(),
            Some(ActionType::ItemAny)
        );
        let Notification::Unknown(unknown) = notification else {
            panic!("{text}")
        };
        assert_eq!(unknown.raw(), text);
        assert_eq!(unknown.json::<Value>().unwrap(), body);
        let wrong = unknown.json::<Vec<u64>>().unwrap_err().to_string();
        assert_eq!(wrong, "expected a sequence");
    }
}

#[test]
fn body_that_is_not_a_notification_is_an_error() {
    let error = |body: &[u8]| Notification::from_slice(body).unwrap_err();
    let nested = [&[b'['; 100_000][..], &[b']'; 100_000][..]].concat();
    for body in [
        &b""[..],
        b" ",
        b"{",
        b"<html>",
        b"\xff",
        b"{}x",
        b"\xef\xbb\xbf{}",
        b"{\"a\": \"\xff\"}",
    ] {
        assert_eq!(error(body), NotificationError::NotJson);
    }
    for body in ["null", "1", "\"a\"", "[]", r#"[1, "pretix.event.changed"]"#] {
        assert_eq!(
            error(body.as_bytes()),
            NotificationError::NotAnObject,
            "{body}"
        );
    }
    for body in [
        "{}",
        r#"{"notification_id": 1}"#,
        r#"{"action": "pretix.event.changed"}"#,
        r#"{"notification_id": null, "action": "a"}"#,
        r#"{"notification_id": "1", "action": "a"}"#,
        r#"{"notification_id": -1, "action": "a"}"#,
        r#"{"notification_id": 1.5, "action": "a"}"#,
        r#"{"notification_id": 18446744073709551616, "action": "a"}"#,
        r#"{"notification_id": 1, "action": null}"#,
        r#"{"notification_id": 1, "action": ["a"]}"#,
        r#"{"notification_id": 1, "notification_id": 2, "action": "a"}"#,
        r#"{"notification_id": 1, "action": "a", "action": "b"}"#,
    ] {
        assert_eq!(
            error(body.as_bytes()),
            NotificationError::NotANotification,
            "{body}"
        );
    }
    assert!(matches!(
        error(&nested),
        NotificationError::NotJson | NotificationError::NotAnObject
    ));
}

#[test]
fn duplicate_key_is_an_error() {
    let body =
        br#"{"notification_id": 1, "organizer": "o", "organizer": "p", "event": "e", "item": 1,
        "action": "pretix.event.item.changed"}"#;
    let notification = Notification::from_slice(body).unwrap();
    assert!(matches!(notification, Notification::Unknown(_)));
    assert_eq!(notification.organizer(), None);
}

#[test]
fn an_id_cannot_lead_to_another_path() {
    let path = |organizer: &str, event: &str, code: &str| {
        read(
            &json!({"notification_id": 1, "organizer": organizer, "event": event, "code": code,
            "action": "pretix.event.order.paid"}),
        )
        .refetch_path()
    };
    for bad in ["", ".", ".."] {
        assert_eq!(path(bad, "e", "c"), None, "{bad:?}");
        assert_eq!(path("o", bad, "c"), None, "{bad:?}");
        assert_eq!(path("o", "e", bad), None, "{bad:?}");
    }
    assert_eq!(
        path("a/b", "../x", "c?d#e%2f ü\\").unwrap(),
        "/api/v1/organizers/a%2Fb/events/..%2Fx/orders/c%3Fd%23e%252f%20%C3%BC%5C/",
    );
    assert_eq!(
        path("Big-Events.1", "demo.con", "A_b~").unwrap(),
        "/api/v1/organizers/Big-Events.1/events/demo.con/orders/A_b~/"
    );
}

#[test]
fn neither_an_error_nor_debug_shows_the_body() {
    let error =
        Notification::from_slice(br#"{"notification_id": "hush", "action": "hush"}"#).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hush"));

    let unknown = read(
        &json!({"notification_id": 1, "action": "pretix.plugins.x.y", "organizer": "hush", "z": "hush"}),
    );
    assert!(!format!("{unknown:?}").contains("hush"));
}

#[test]
fn debug_output_never_shows_the_object() {
    for (action, field) in [
        ("pretix.event.order.placed", "\"code\":\"hidden\""),
        ("pretix.event.quota.changed", "\"quota\":1,\"item\":2"),
        ("pretix.customer.created", "\"customer\":\"hidden\""),
        ("pretix.plugins.badges.printed", "\"badge\":\"hidden\""),
    ] {
        let body = format!(
            r#"{{"notification_id":7,"organizer":"hidden","event":"hidden","action":"{action}",{field}}}"#
        );
        let shown = format!("{:?}", Notification::from_slice(body.as_bytes()).unwrap());
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains("notification_id: 7"), "{shown}");
    }
}
