//! Lune's texts: open enums, amounts, times and sequences.

use std::collections::{BTreeSet, HashSet};
use std::str::FromStr;

use chrono::{TimeZone, Utc};
use webhook_sdk::lune::{Decimal, EventType, OrderStatus, Sequence, Timestamp};

#[test]
fn an_open_enum_knows_its_values_in_the_order_of_its_variants() {
    let texts: Vec<&str> = EventType::KNOWN.iter().map(EventType::as_str).collect();
    assert_eq!(
        texts,
        [
            "order.received",
            "order.placed",
            "order.paid",
            "order.retiring",
            "order.cancelled",
            "order.failed",
            "order.completed",
            "allocation.new",
            "allocation.retired",
        ]
    );
    assert!(EventType::KNOWN.iter().all(|value| !value.is_unknown()));
}

#[test]
fn a_known_text_never_becomes_unknown() {
    assert!(matches!(OrderStatus::from("paid"), OrderStatus::Paid));
    assert!(matches!(
        OrderStatus::from("paid".to_owned()),
        OrderStatus::Paid
    ));
    assert!(matches!(
        OrderStatus::from_str("paid"),
        Ok(OrderStatus::Paid)
    ));
    assert!(matches!(
        serde_json::from_str(r#""paid""#),
        Ok(OrderStatus::Paid)
    ));
    assert!(matches!(
        serde_json::from_str(r#""p\u0061id""#),
        Ok(OrderStatus::Paid)
    ));
    assert!(matches!(
        serde_json::from_value(serde_json::json!("paid")),
        Ok(OrderStatus::Paid)
    ));
}

#[test]
fn unknown_text_is_kept_byte_for_byte() {
    for text in ["", "Paid", " paid", "pàid\n\"", "refunded"] {
        let value = OrderStatus::from(text);
        assert!(value.is_unknown(), "{text:?}");
        assert_eq!(value.as_str(), text);
        assert_eq!(value.to_string(), text);
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        assert_eq!(serde_json::from_str::<OrderStatus>(&json).unwrap(), value);
    }
}

#[test]
fn every_known_value_survives_json() {
    for value in OrderStatus::KNOWN {
        let json = serde_json::to_string(value).unwrap();
        assert_eq!(json, format!("\"{value}\""));
        assert_eq!(&serde_json::from_str::<OrderStatus>(&json).unwrap(), value);
    }
}

#[test]
fn unknown_value_reuses_its_string() {
    let text = String::from("a status of another year");
    let address = text.as_ptr();
    assert_eq!(OrderStatus::from(text).as_str().as_ptr(), address);

    let text = String::from("a status of another year");
    let address = text.as_ptr();
    let value: OrderStatus = serde_json::from_value(serde_json::Value::String(text)).unwrap();
    assert_eq!(value.as_str().as_ptr(), address);
}

#[test]
fn open_enums_compare_order_and_hash_by_text() {
    let disguised = OrderStatus::Unknown("paid".to_owned());
    assert_eq!(disguised, OrderStatus::Paid);
    assert!(!disguised.is_unknown());
    assert_eq!(HashSet::from([disguised, OrderStatus::Paid]).len(), 1);

    let sorted: BTreeSet<OrderStatus> = ["retiring", "zzz", "paid", "a"]
        .map(OrderStatus::from)
        .into();
    let texts: Vec<&str> = sorted.iter().map(AsRef::as_ref).collect();
    assert_eq!(texts, ["a", "paid", "retiring", "zzz"]);
}

#[test]
fn open_enum_is_deserialized_only_from_a_string() {
    for json in ["1", "null", "true", "[]", "{}"] {
        assert!(serde_json::from_str::<OrderStatus>(json).is_err(), "{json}");
    }
}

#[test]
fn open_enum_supports_padding() {
    assert_eq!(
        format!("{:>6}|{:<6}|", OrderStatus::Paid, OrderStatus::from("new")),
        "  paid|new   |"
    );
}

#[test]
fn an_amount_keeps_every_digit() {
    for (json, text) in [
        (r#""7176.00""#, "7176.00"),
        (r#""0.1000000000000000000001""#, "0.1000000000000000000001"),
        ("0.10", "0.10"),
        ("1040", "1040"),
        (
            "123456789012345678901234567890.000",
            "123456789012345678901234567890.000",
        ),
        ("-1E+400", "-1E+400"),
        (r#""7\u0031""#, "71"),
        (r#""about 7""#, "about 7"),
        (r#""""#, ""),
    ] {
        let amount: Decimal = serde_json::from_str(json).unwrap();
        assert_eq!(amount.as_str(), text, "{json}");
        assert_eq!(amount.to_string(), text);
        assert_eq!(
            serde_json::from_str::<String>(&serde_json::to_string(&amount).unwrap()).unwrap(),
            text
        );
    }
}

#[test]
fn amount_is_deserialized_from_a_value() {
    let amount: Decimal = serde_json::from_value(serde_json::json!("0.10")).unwrap();
    assert_eq!(amount, Decimal::from("0.10"));
}

#[test]
fn amount_rejects_lists_objects_and_booleans() {
    for json in ["true", "null", "[1]", r#"{"amount": 1}"#] {
        assert!(serde_json::from_str::<Decimal>(json).is_err(), "{json}");
    }
}

#[test]
fn only_the_published_format_is_a_valid_amount() {
    for text in ["0", "1040", "7176.00", "0.1000000000000000000001", "007"] {
        assert!(Decimal::from(text).is_valid(), "{text}");
    }
    for text in [
        "", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1.2.3", " 1", "1\n", "½", "١",
    ] {
        assert!(!Decimal::from(text).is_valid(), "{text:?}");
    }
}

#[test]
fn amounts_compare_by_text() {
    assert_eq!(Decimal::from("1.0"), Decimal::from("1.0".to_owned()));
    assert_ne!(Decimal::from("1.0"), Decimal::from("1.00"));
}

#[test]
fn valid_timestamps_are_parsed() {
    let time = Timestamp::from("2023-01-04T16:00:27.349+01:00");
    let utc =
        Utc.with_ymd_and_hms(2023, 1, 4, 15, 0, 27).unwrap() + chrono::TimeDelta::milliseconds(349);
    assert_eq!(time.to_utc(), Some(utc));
    assert_eq!(time.as_str(), "2023-01-04T16:00:27.349+01:00");

    for text in [
        "created_at",
        "",
        "2023-01-04",
        "2023-02-30T00:00:00Z",
        "1672844427",
    ] {
        assert_eq!(Timestamp::from(text).to_utc(), None, "{text:?}");
    }
}

#[test]
fn amounts_and_times_do_not_show_in_debug_output() {
    assert_eq!(format!("{:?}", Decimal::from("7176.00")), "Decimal(..)");
    assert_eq!(
        format!("{:?}", Timestamp::from("2023-01-04T15:00:27Z")),
        "Timestamp(..)"
    );
}

#[test]
fn sequences_compare_lexicographically() {
    assert!(
        Sequence::from("2021-09-13T16:21:29.067Z") < Sequence::from("2021-09-13T16:21:29.068Z")
    );
    assert!(Sequence::from("10") < Sequence::from("9"));
    assert!(
        Sequence::from("2021-09-13 23:59:59.999999") < Sequence::from("2021-09-13T00:00:00.000Z")
    );
}
