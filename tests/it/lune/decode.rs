//! From the body of a Lune delivery to typed events.

use std::collections::BTreeMap;

use serde_json::json;
use webhook_sdk::lune::{
    AllocationChange, AllocationStatus, ApiVersion, Batch, BatchError, Decimal, Event, EventData,
    EventError, EventType, Order, OrderKind, OrderProjectStatus, OrderStatus, PaymentMethod,
    Sequence,
};

const SAMPLE: &str = include_str!("../../data/lune/sample-delivery.json");

fn decode(body: &str) -> Batch {
    Batch::from_slice(body.as_bytes()).unwrap()
}

fn order(event: &Event) -> &Order {
    match event.data() {
        EventData::Order(order) => order,
        other => panic!("not an order: {other:?}"),
    }
}

fn allocation(event: &Event) -> &AllocationChange {
    match event.data() {
        EventData::Allocation(change) => change,
        other => panic!("not an allocation: {other:?}"),
    }
}

fn amount(text: &str) -> Option<Decimal> {
    Some(Decimal::from(text))
}

fn one_order(order: &str) -> Event {
    let body = format!(
        r#"{{"events":[{{"event_id":"e","event_type":"order.paid","data":{{"order":{order}}}}}]}}"#
    );
    decode(&body).into_events().remove(0)
}

#[test]
fn published_sample_is_decoded() {
    let batch = decode(SAMPLE);
    assert_eq!(batch.len(), 1);
    let event = &batch.events()[0];

    assert_eq!(event.event_id(), Some("va1BER4JZqnzPkYxJgALg0GeQDoXlWO5"));
    assert!(matches!(event.event_type(), Some(EventType::OrderReceived)));
    assert!(matches!(event.api_version(), Some(ApiVersion::V1)));
    assert_eq!(
        event.sequence().map(Sequence::as_str),
        Some("2021-09-13T16:21:29.067Z")
    );
    assert_eq!(event.account_id(), None);

    let order = order(event);
    assert_eq!(order.id, "va1BER4JZqnzPkYxJgALg0GeQDoXlWO5");
    assert_eq!(order.idempotency_key.as_deref(), Some("5bd808a954e"));
    assert!(matches!(order.kind, Some(OrderKind::Quantity)));
    assert!(matches!(order.status, Some(OrderStatus::Complete)));
    assert_eq!(order.currency.as_deref(), Some("GBP"));
    assert_eq!(order.offset_cost, amount("7176.00"));
    assert_eq!(order.total_cost, amount("7696.00"));
    assert_eq!(order.commission, amount("520.00"));
    assert_eq!(order.quantity, amount("1040"));
    assert!(matches!(order.payment_method, Some(PaymentMethod::Invoice)));
    let created_at = order.created_at.as_ref().unwrap();
    assert_eq!(
        (created_at.as_str(), created_at.to_utc()),
        ("created_at", None)
    );
    assert_eq!(
        order.certificate.as_deref(),
        Some("https://api.lune.co/v1/orders/08QD7GPaBx5b6Y60ndAONXLvrZljRE2e/certificate")
    );
    assert_eq!(
        order.public_certificate_url.as_deref(),
        Some("https://sustainability.lune.co/account?certificate=1")
    );
    assert!(order.metadata.is_empty());
    assert_eq!(
        order.offset_link_id.as_deref(),
        Some("UwjfkXjfksoHXzA1qjANL58GhjwqkxpB")
    );
    assert_eq!(order.email.as_deref(), Some("[email protected]"));
    assert_eq!(order.requested_quantity, amount("1045"));
    assert_eq!(order.requested_value, None);
    assert_eq!(order.estimate_id, None);

    let [bundle] = order.bundles.as_deref().unwrap() else {
        panic!("one bundle")
    };
    assert_eq!(bundle.bundle_id, "va1BEV2VZqnzPkYxJgALg0GeQDoXlWO5");
    assert_eq!(
        bundle.bundle_name.as_deref(),
        Some("Latin America Forestry")
    );
    assert_eq!(bundle.primary_image, None);
    assert_eq!(bundle.quantity, amount("1040"));
    assert_eq!(bundle.unit_price, amount("6.90"));
    assert_eq!(bundle.gross_unit_price, amount("7.90"));
    assert_eq!(bundle.offset_cost, amount("7176.00"));
    assert_eq!(bundle.insufficient_available_quantity, Some(true));

    let [first, second] = order.projects.as_deref().unwrap() else {
        panic!("two projects")
    };
    assert_eq!(first.project_id, "gMbvJoOaX54V1wpNaRY8dWDGQ7m239Bx");
    assert_eq!(first.project_name.as_deref(), Some("Madre De Dios"));
    assert_eq!(first.project_type.as_deref(), Some("Forest Conservation"));
    assert_eq!(first.project_slug.as_deref(), Some("madre-de-dios"));
    assert_eq!(first.project_logo, None);
    assert_eq!(first.quantity, amount("600"));
    assert_eq!(first.unit_price, amount("6.90"));
    assert_eq!(first.offset_cost, amount("4140.00"));
    assert_eq!(first.status, None);
    assert_eq!(second.project_id, "xe1BEV2VZqnzPkYxJgALg0GeQDoXlWO5");
    assert_eq!(second.offset_cost, amount("3036.00"));
}

#[test]
fn fields_missing_from_the_sample_are_decoded() {
    let event = one_order(
        r#"{
            "id": "or1", "type": "value", "status": "retiring", "payment_method": "card",
            "created_at": "2023-01-04T15:00:27.349Z", "metadata": {"invoice": "4711", "a b": "ü"},
            "requested_quantity": null, "requested_value": "0.54", "estimate_id": "es1",
            "bundles": [{"bundle_id": "bu1", "primary_image": "https://a.example/b.png", "insufficient_available_quantity": null}],
            "projects": [{"project_id": "pr1", "project_logo": "https://a.example/p.png", "status": "retired"},
                         {"project_id": "pr2", "status": "allocated"}]
        }"#,
    );
    let order = order(&event);
    assert!(matches!(order.kind, Some(OrderKind::Value)));
    assert!(matches!(order.payment_method, Some(PaymentMethod::Card)));
    assert_eq!(
        order
            .created_at
            .as_ref()
            .unwrap()
            .to_utc()
            .unwrap()
            .timestamp_millis(),
        1_672_844_427_349
    );
    let metadata: BTreeMap<_, _> = [("a b", "ü"), ("invoice", "4711")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
    assert_eq!(order.metadata, metadata);
    assert_eq!(order.requested_quantity, None);
    assert_eq!(order.requested_value, amount("0.54"));
    assert_eq!(order.estimate_id.as_deref(), Some("es1"));
    let bundle = &order.bundles.as_ref().unwrap()[0];
    assert_eq!(
        bundle.primary_image.as_deref(),
        Some("https://a.example/b.png")
    );
    assert_eq!(bundle.insufficient_available_quantity, None);
    let projects = order.projects.as_ref().unwrap();
    assert_eq!(
        projects[0].project_logo.as_deref(),
        Some("https://a.example/p.png")
    );
    assert!(matches!(
        projects[0].status,
        Some(OrderProjectStatus::Retired)
    ));
    assert!(matches!(
        projects[1].status,
        Some(OrderProjectStatus::Allocated)
    ));
}

#[test]
fn order_requires_only_an_id() {
    let event = one_order(r#"{"id": "or1"}"#);
    let bare = order(&event);
    assert_eq!(bare.id, "or1");
    assert_eq!(bare.bundles, None);

    let event = one_order(
        r#"{"id":"or1","idempotency_key":null,"type":null,"status":null,"currency":null,"offset_cost":null,
            "total_cost":null,"commission":null,"quantity":null,"payment_method":null,"created_at":null,
            "bundles":null,"projects":null,"certificate":null,"public_certificate_url":null,"metadata":null,
            "offset_link_id":null,"email":null,"requested_quantity":null,"requested_value":null,"estimate_id":null}"#,
    );
    assert_eq!(order(&event), bare);

    assert!(matches!(
        one_order("{}").data(),
        EventData::Undecodable(EventError::Unfit { .. })
    ));
}

#[test]
fn unknown_values_and_fields_are_accepted() {
    let event = one_order(
        r#"{"id":"or1","type":"mass","status":"refunded","payment_method":"crypto","new_field":[{"x":1}],"id2":null,
            "projects":[{"project_id":"pr1","status":"sold","rating":{"a":[]}}]}"#,
    );
    let order = order(&event);
    assert_eq!(order.kind.as_ref().map(OrderKind::as_str), Some("mass"));
    assert_eq!(order.status, Some(OrderStatus::from("refunded")));
    assert_eq!(
        order.payment_method.as_ref().map(PaymentMethod::as_str),
        Some("crypto")
    );
    let project = &order.projects.as_ref().unwrap()[0];
    assert_eq!(
        project.status.as_ref().map(OrderProjectStatus::as_str),
        Some("sold")
    );
}

#[test]
fn numeric_amounts_keep_their_digits() {
    let event = one_order(
        r#"{"id":"or1","offset_cost":0.10,"total_cost":7176.00,"commission":"0.1000000000000000000001",
            "quantity":12345678901234567890.12345678901234567890,"requested_quantity":1e3}"#,
    );
    let order = order(&event);
    assert_eq!(order.offset_cost, amount("0.10"));
    assert_eq!(order.total_cost, amount("7176.00"));
    assert_eq!(order.commission, amount("0.1000000000000000000001"));
    assert_eq!(
        order.quantity,
        amount("12345678901234567890.12345678901234567890")
    );
    assert_eq!(order.requested_quantity, amount("1e3"));
}

#[test]
fn every_order_event_carries_its_order() {
    let types = [
        "received",
        "placed",
        "paid",
        "retiring",
        "cancelled",
        "failed",
        "completed",
    ];
    let events: Vec<_> = types
        .iter()
        .map(|name| json!({"event_id": name, "event_type": format!("order.{name}"), "data": {"order": {"id": name}}}))
        .collect();
    let batch = decode(&json!({ "events": events }).to_string());

    for (event, name) in batch.events().iter().zip(types) {
        assert_eq!(
            event.event_type().unwrap().as_str(),
            format!("order.{name}")
        );
        assert!(!event.event_type().unwrap().is_unknown());
        assert_eq!(order(event).id, name);
    }
    assert_eq!(batch.len(), 7);
}

#[test]
fn every_allocation_event_carries_its_allocation() {
    let batch = decode(
        r#"{"events": [
            {"event_id": "e1", "event_type": "allocation.new", "account_id": "ac1", "data": {
                "allocation": {"id": "al2", "order_id": "or1", "project_id": "pr1", "quantity": "222.667",
                               "status": "new", "created_at": "2023-01-04T15:00:27Z"},
                "splitFrom": {"id": "al1", "quantity": "1000"}}},
            {"event_id": "e2", "event_type": "allocation.retired", "data": {
                "allocation": {"id": "al2", "status": "retired"}, "split_from": {"id": "not the name"}}},
            {"event_id": "e3", "event_type": "allocation.retired", "data": {
                "allocation": {"id": "al3", "status": "lost", "created_at": "soon"}, "splitFrom": null}}
        ]}"#,
    );
    let events = batch.events();

    assert!(matches!(
        events[0].event_type(),
        Some(EventType::AllocationNew)
    ));
    assert_eq!(events[0].account_id(), Some("ac1"));
    let change = allocation(&events[0]);
    assert_eq!(change.allocation.id, "al2");
    assert_eq!(change.allocation.order_id.as_deref(), Some("or1"));
    assert_eq!(change.allocation.project_id.as_deref(), Some("pr1"));
    assert_eq!(change.allocation.quantity, amount("222.667"));
    assert!(matches!(
        change.allocation.status,
        Some(AllocationStatus::New)
    ));
    assert!(
        change
            .allocation
            .created_at
            .as_ref()
            .unwrap()
            .to_utc()
            .is_some()
    );
    let origin = change.split_from.as_ref().unwrap();
    assert_eq!(
        (origin.id.as_str(), &origin.quantity),
        ("al1", &amount("1000"))
    );

    assert!(matches!(
        events[1].event_type(),
        Some(EventType::AllocationRetired)
    ));
    let change = allocation(&events[1]);
    assert!(matches!(
        change.allocation.status,
        Some(AllocationStatus::Retired)
    ));
    assert_eq!(change.split_from, None);

    let change = allocation(&events[2]);
    assert_eq!(
        change.allocation.status,
        Some(AllocationStatus::from("lost"))
    );
    assert_eq!(
        change.allocation.created_at.as_ref().unwrap().to_utc(),
        None
    );
    assert_eq!(change.split_from, None);
}

#[test]
fn an_unknown_event_type_keeps_its_json_byte_for_byte() {
    let event = "{\"event_type\" : \"report.ready\",\n\t\"event_id\":\"e1\", \"sequence\":\"7\", \"api_version\": \"v2\",\
                 \"data\":  {\"n\": 0.1000000000000000000001, \"s\": \"\\u00fc\\/\", \"n\":1.0}, \"more\": null }";
    let batch = decode(&format!("{{\"events\":[ {event}\n]}}"));
    let decoded = &batch.events()[0];

    assert_eq!(decoded.data(), &EventData::Unknown);
    assert_eq!(decoded.event_type(), Some(&EventType::from("report.ready")));
    assert_eq!(decoded.event_id(), Some("e1"));
    assert_eq!(decoded.api_version(), Some(&ApiVersion::from("v2")));
    assert_eq!(decoded.raw(), event);
    assert_eq!(
        decoded.raw_data(),
        Some("{\"n\": 0.1000000000000000000001, \"s\": \"\\u00fc\\/\", \"n\":1.0}")
    );
}

#[test]
fn known_and_malformed_events_keep_their_json() {
    let raw = [
        r#"{"event_type":"order.paid", "data":{"order":{"id":"or1"}}}"#,
        r#"{"event_type":"order.paid", "data": 7.0}"#,
        r#""just a text""#,
        "[ 1.00 ]",
        "null",
    ];
    let batch = decode(&format!(r#"{{"events":[{}]}}"#, raw.join(" , ")));
    let kept: Vec<&str> = batch.events().iter().map(Event::raw).collect();
    assert_eq!(kept, raw);
}

#[test]
fn malformed_event_does_not_affect_others() {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let good = r#"{"event_id":"good","event_type":"order.paid","sequence":"1","data":{"order":{"id":"or1"}}}"#;
    let unfit =
        |data: &str| format!(r#"{{"event_id":"odd","event_type":"order.paid","data":{data}}}"#);
    let odd = [
        "null".to_owned(),
        "[]".to_owned(),
        r#"["v1","odd","order.paid",null,"1",{"order":{"id":"or1"}}]"#.to_owned(),
        "{}".to_owned(),
        r#"{"event_id":"odd","data":{"order":{"id":"or1"}}}"#.to_owned(),
        r#"{"event_id":"odd","event_type":"order.paid"}"#.to_owned(),
        r#"{"event_id":"odd","event_id":"odd","event_type":"order.paid","data":{"order":{"id":"or1"}}}"#.to_owned(),
        unfit("null"),
        unfit("[]"),
        unfit("{}"),
        unfit(r#"{"order":null}"#),
        unfit(r#"{"order":["or1"]}"#),
        unfit(r#"[{"id":"or1"}]"#),
        unfit(r#"{"order":{"id":7}}"#),
        unfit(r#"{"order":{"id":"\ud800"}}"#),
        unfit(r#"{"order":{"id":"or1","quantity":true}}"#),
        unfit(r#"{"order":{"id":"or1","bundles":[["bu1"]]}}"#),
        unfit(r#"{"order":{"id":"or1","metadata":{"a":{"b":1}}}}"#),
        unfit(r#"{"allocation":{"id":"al1"}}"#),
        unfit(&deep),
        unfit(&format!(r#"{{"order":{deep}}}"#)),
        unfit(&format!(r#"{{"order":{{"id":"or1","metadata":{deep}}}}}"#)),
        deep.clone(),
    ];
    let events: Vec<&str> = odd
        .iter()
        .flat_map(|odd| [good, odd.as_str()])
        .chain([good])
        .collect();
    let batch = decode(&format!(r#"{{"events":[{}]}}"#, events.join(",")));

    assert_eq!(batch.len(), odd.len() * 2 + 1);
    for (event, raw) in batch.events().iter().zip(&events) {
        assert_eq!(event.raw(), *raw);
        if raw == &good {
            assert_eq!(order(event).id, "or1");
        } else {
            assert!(
                matches!(event.data(), EventData::Undecodable(_)),
                "{:.100}",
                raw
            );
        }
    }
}

#[test]
fn deep_nesting_in_ignored_fields_is_accepted() {
    let deep = format!("{}{}", r#"{"a":["#.repeat(20_000), "]}".repeat(20_000));
    let event = one_order(&format!(r#"{{"id":"or1","new_field":{deep}}}"#));
    assert_eq!(order(&event).id, "or1");
    assert!(event.data_json::<serde_json::Value>().is_err());
}

#[test]
fn undecodable_event_has_a_reason() {
    let cases = [
        ("7", EventError::NotAnObject),
        ("{}", EventError::NoType),
        (r#"{"event_type":""}"#, EventError::NoType),
        (r#"{"event_type":["order.paid"]}"#, EventError::NoType),
        (r#"{"event_type":"order.paid"}"#, EventError::NoData),
        (
            r#"{"event_type":"order.paid","data":null}"#,
            EventError::NoData,
        ),
    ];
    for (raw, why) in cases {
        assert_eq!(
            Event::from_slice(raw.as_bytes()).unwrap().data(),
            &EventData::Undecodable(why),
            "{raw}"
        );
    }

    let unfit =
        Event::from_slice(b"{\"event_type\":\"order.paid\",\"data\":{\"order\":\n{\"id\":7}}}")
            .unwrap();
    assert!(matches!(
        unfit.data(),
        EventData::Undecodable(EventError::Unfit { line: 2, .. })
    ));
    let twice = Event::from_slice(br#"{"event_id":"a","event_id":"b"}"#).unwrap();
    assert!(matches!(
        twice.data(),
        EventData::Undecodable(EventError::Malformed { line: 1, .. })
    ));
}

#[test]
fn the_envelope_is_read_field_by_field() {
    let event = Event::from_slice(
        br#"{"event_id":7100,"event_type":"order.paid","sequence":{"n":1},"account_id":"","api_version":null,
            "data":{"order":{"id":"or1"}}}"#,
    )
    .unwrap();
    assert_eq!(event.event_id(), Some("7100"));
    assert_eq!(event.sequence(), None);
    assert_eq!(event.account_id(), None);
    assert_eq!(event.api_version(), None);
    assert_eq!(order(&event).id, "or1");
}

#[test]
fn saved_event_can_be_decoded_again() {
    let batch = decode(SAMPLE);
    let event = Event::from_slice(batch.events()[0].raw().as_bytes()).unwrap();
    assert_eq!(event, batch.events()[0]);
    assert_eq!(order(&event), order(&batch.events()[0]));
    assert!(matches!(
        Event::from_slice(b"{"),
        Err(EventError::Malformed { .. })
    ));
}

#[test]
fn unknown_data_can_be_decoded_as_a_custom_type() {
    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Report<'a> {
        correlation_id: &'a str,
    }
    let event =
        Event::from_slice(br#"{"event_type":"report.ready","data":{"correlation_id":"co1"}}"#)
            .unwrap();
    assert_eq!(
        event.data_json(),
        Ok(Report {
            correlation_id: "co1"
        })
    );

    let other =
        Event::from_slice(br#"{"event_type":"report.ready","data":{"id":"secret"}}"#).unwrap();
    let error = other.data_json::<Report<'_>>().unwrap_err();
    assert_eq!(error.to_string(), "a missing field");
    let none = Event::from_slice(br#"{"event_type":"report.ready"}"#).unwrap();
    let error = none.data_json::<Report<'_>>().unwrap_err();
    assert_eq!(error.to_string(), "missing field `data`");
}

#[test]
fn the_order_of_events_is_kept() {
    let ids: Vec<String> = (0..2_000)
        .map(|n| format!("e{}", n * 7919 % 2_000))
        .collect();
    let events: Vec<_> = ids
        .iter()
        .map(|id| json!({"event_id": id, "event_type": "x"}))
        .collect();
    let batch = decode(&json!({ "events": events }).to_string());
    let decoded: Vec<&str> = (&batch).into_iter().filter_map(Event::event_id).collect();
    assert_eq!(decoded, ids);
}

#[test]
fn an_empty_batch_is_a_batch() {
    assert!(decode(r#" {"more": 1, "events": [ ]} "#).is_empty());
}

#[test]
fn body_that_is_not_a_batch_has_a_reason() {
    for body in [
        "",
        "{",
        "hello",
        r#"{"events":[}"#,
        r#"{"events":[{]}"#,
        r#"{"events":[]} x"#,
        r#"{"events":[1,]}"#,
    ] {
        assert!(
            matches!(
                Batch::from_slice(body.as_bytes()),
                Err(BatchError::Malformed { .. })
            ),
            "{body}"
        );
    }
    for body in [
        "null",
        "[]",
        r#"[[]]"#,
        "[[],1]",
        r#"["",{}]"#,
        r#""events""#,
        "7",
        "true",
    ] {
        assert_eq!(
            Batch::from_slice(body.as_bytes()),
            Err(BatchError::NotAnObject),
            "{body}"
        );
    }
    for body in ["{}", r#"{"Events":[]}"#, r#"{"event":{}}"#] {
        assert_eq!(
            Batch::from_slice(body.as_bytes()),
            Err(BatchError::NoEvents),
            "{body}"
        );
    }
    for events in ["null", "{}", r#""[]""#, "7", "false"] {
        let body = format!(r#"{{"events":{events}}}"#);
        assert_eq!(
            Batch::from_slice(body.as_bytes()),
            Err(BatchError::EventsNotArray),
            "{body}"
        );
    }
    let twice = Batch::from_slice(br#"{"events":[],"events":[]}"#);
    assert!(matches!(twice, Err(BatchError::Malformed { line: 1, .. })));
    let not_utf8 = Batch::from_slice(b"{\"events\":[\xff]}");
    assert!(matches!(not_utf8, Err(BatchError::Malformed { .. })));
}

#[test]
fn batch_has_a_maximum_number_of_events() {
    let batch = |events: usize| {
        let zeros = vec!["0"; events].join(",");
        Batch::from_slice(format!(r#"{{"events":[{zeros}]}}"#).as_bytes())
    };
    assert_eq!(batch(Batch::MAX_EVENTS).unwrap().len(), Batch::MAX_EVENTS);
    let too_many = batch(Batch::MAX_EVENTS + 1);
    assert_eq!(too_many, Err(BatchError::TooManyEvents));
}

#[test]
fn an_event_that_is_not_utf8_affects_no_other() {
    let good =
        r#"{"event_id":"caf\u00e9 é","event_type":"order.paid","data":{"order":{"id":"or1"}}}"#;
    let odd = b"{\"event_id\":\"e\",\"event_type\":\"order.paid\",\"data\":\"\xff\xe9\"}";
    let body = [
        b"{\"events\":[",
        good.as_bytes(),
        b",",
        odd,
        b" ,",
        good.as_bytes(),
        b"]}",
    ]
    .concat();
    let batch = Batch::from_slice(&body).unwrap();
    let [first, second, third] = batch.events() else {
        panic!("three events")
    };
    assert_eq!(order(first).id, "or1");
    assert_eq!(third, first);
    assert!(matches!(
        second.data(),
        EventData::Undecodable(EventError::NotUtf8)
    ));
    assert_eq!(second.raw().len(), odd.len());
    assert!(second.raw().contains("\"??\""));
}

#[test]
fn debug_output_has_no_customer_data_or_amounts() {
    let event = one_order(
        r#"{"id":"or1","idempotency_key":"SECRET","currency":"SECRET","offset_cost":"SECRET","total_cost":"SECRET",
            "commission":"SECRET","quantity":"SECRET","created_at":"SECRET","certificate":"SECRET",
            "public_certificate_url":"SECRET","metadata":{"SECRET":"SECRET"},"offset_link_id":"SECRET",
            "email":"SECRET","requested_quantity":"SECRET","requested_value":"SECRET","estimate_id":"SECRET",
            "bundles":[{"bundle_id":"bu1","bundle_name":"SECRET","quantity":"SECRET","unit_price":"SECRET"}],
            "projects":[{"project_id":"pr1","project_name":"SECRET","project_slug":"SECRET","offset_cost":"SECRET"}]}"#,
    );
    let shown = format!("{event:#?}");
    assert!(!shown.contains("SECRET"), "{shown}");
    for visible in ["or1", "bu1", "pr1", "OrderPaid"] {
        assert!(shown.contains(visible), "{visible} in {shown}");
    }

    let allocation = Event::from_slice(
        br#"{"event_type":"allocation.new","data":{"allocation":{"id":"al1","quantity":"SECRET","created_at":"SECRET"},
            "splitFrom":{"id":"al0","quantity":"SECRET"}}}"#,
    )
    .unwrap();
    let shown = format!("{allocation:?}");
    assert!(!shown.contains("SECRET"), "{shown}");
    assert!(shown.contains("al1") && shown.contains("al0"), "{shown}");

    let unknown = Event::from_slice(br#"{"event_type":"x","data":"SECRET"}"#).unwrap();
    assert!(!format!("{unknown:?}").contains("SECRET"));
}

#[test]
fn errors_never_show_the_payload() {
    let shown = |error: &dyn std::error::Error| format!("{error} {error:?}");
    let unfit = one_order(r#"{"id":"or1","bundles":"SECRET","status":"SECRET"}"#);
    let EventData::Undecodable(error) = unfit.data() else {
        panic!("a text for bundles")
    };
    assert!(!shown(error).contains("SECRET"));
    assert!(!shown(&unfit.data_json::<u8>().unwrap_err()).contains("SECRET"));
    assert!(!shown(&Batch::from_slice(br#"{"events":"SECRET"}"#).unwrap_err()).contains("SECRET"));
    assert!(!shown(&Batch::from_slice(br#""SECRET""#).unwrap_err()).contains("SECRET"));
}
