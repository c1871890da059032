//! What later versions of a service may send is decoded: more fields, other values, fewer options.

use std::collections::BTreeSet;
use std::fmt::Debug;

use fastrand::Rng;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::runtime::Builder;
use webhook_sdk::lune::{Allocation, AllocationChange, Batch, Event, EventData, LuneClient, Order};
use webhook_sdk::preo::PreoClient;
use webhook_sdk::pretix::{Notification, PretixClient};
use webhook_sdk::{RetryPolicy, lune, preo, pretix};
use wiremock::matchers::any as any_request;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::inventory::{LUNE, PREO, PRETIX, fields, listed};
use crate::support::TOKEN;
use crate::yaml;

/// The schemas of a service's objects, by name.
struct Schemas {
    service: &'static str,
    all: Value,
    open_enums: BTreeSet<&'static str>,
}

impl Schemas {
    fn of(service: &'static str, document: &str) -> Self {
        let document = yaml::read(document).unwrap();
        Self::new(service, document["components"]["schemas"].clone())
    }

    fn new(service: &'static str, all: Value) -> Self {
        Self {
            service,
            all,
            open_enums: listed("pub const webhook_sdk::", "::KNOWN: "),
        }
    }

    fn named(&self, name: &str) -> &Value {
        &self.all[name]
    }

    /// A value in every field.
    fn example(&self, schema: &Value) -> Value {
        let (schema, _) = self.resolve(schema);
        if let Some(known) = schema.get("example").or(schema["enum"].get(0)) {
            return known.clone();
        }
        match (schema["properties"].as_object(), schema.get("items")) {
            (Some(fields), _) => {
                let fields = fields
                    .iter()
                    .map(|(name, field)| (name.clone(), self.example(field)));
                Value::Object(fields.collect())
            }
            (_, Some(item)) => json!([self.example(item)]),
            _ => json!("text"),
        }
    }

    /// The schema itself, and whether it is an open enum.
    fn resolve<'a>(&'a self, schema: &'a Value) -> (&'a Value, bool) {
        let reference = schema["$ref"]
            .as_str()
            .or(schema["allOf"][0]["$ref"].as_str());
        let Some(name) = reference.and_then(|reference| reference.rsplit('/').next()) else {
            return (schema, false);
        };
        let path = format!("{}::{name}", self.service);
        (self.named(name), self.open_enums.contains(&*path))
    }

    /// Makes of a value what a later version may.
    fn evolve(&self, value: &mut Value, schema: &Value, changes: &mut Changes) {
        let (schema, is_open) = self.resolve(schema);
        match value {
            Value::Object(object) => {
                let required = schema["required"].as_array().into_iter().flatten();
                let required: Vec<_> = required.filter_map(Value::as_str).collect();
                let known = schema["properties"].as_object().into_iter().flatten();
                for (name, property) in known {
                    if !required.contains(&&**name) && changes.random.bool() {
                        object.remove(name);
                    } else if let Some(field) = object.get_mut(name) {
                        self.evolve(field, property, changes);
                    }
                }
                if schema["properties"].is_object() {
                    object.extend(changes.added.clone());
                }
            }
            Value::Array(items) => {
                if self.resolve(&schema["items"]).1 {
                    items.push(json!(changes.text()));
                }
                for item in items {
                    self.evolve(item, &schema["items"], changes);
                }
            }
            _ if is_open && changes.random.bool() => *value = json!(changes.text()),
            _ => {}
        }
    }

    /// Fails if a known field was lost or changed.
    fn assert_kept(&self, sent: &Value, kept: &Value, schema: &Value) {
        let (schema, _) = self.resolve(schema);
        match (sent, kept, schema["properties"].as_object()) {
            (Value::Object(sent), Value::Object(kept), Some(known)) => {
                let sent = sent.iter().filter(|(_, value)| !value.is_null());
                for (name, value) in sent {
                    if let Some(property) = known.get(name) {
                        self.assert_kept(value, &kept[name], property);
                    }
                }
            }
            (Value::Array(sent), Value::Array(kept), _) => {
                assert_eq!(sent.len(), kept.len());
                for (sent, kept) in sent.iter().zip(kept) {
                    self.assert_kept(sent, kept, &schema["items"]);
                }
            }
            _ => assert_eq!(sent, kept),
        }
    }
}

#[derive(Clone, Debug)]
struct Changes {
    random: Rng,
    texts: Vec<String>,
    added: Map<String, Value>,
}

impl Changes {
    fn any() -> impl Strategy<Value = Self> {
        let added = btree_map("[a-z]{1,8}_added", any_json(), 0..4);
        let texts = vec(any::<String>(), 8);
        (any::<u64>(), texts, added).prop_map(|(seed, texts, added)| Self {
            random: Rng::with_seed(seed),
            texts,
            added: Map::from_iter(added),
        })
    }

    fn text(&mut self) -> &str {
        &self.texts[self.random.usize(..self.texts.len())]
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map("[a-z]{1,5}", inner, 0..3).prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    })
}

fn decodes_later_versions<T>(service: &'static str, document: &str, name: &str, example: &T)
where
    T: Serialize + DeserializeOwned + Debug,
{
    let schemas = Schemas::of(service, document);
    let schema = schemas.named(name);
    let example = serde_json::to_value(example).unwrap();
    proptest!(|(mut changes in Changes::any())| {
        let mut later = example.clone();
        schemas.evolve(&mut later, schema, &mut changes);
        let decoded: T = serde_json::from_value(later.clone()).unwrap();
        schemas.assert_kept(&later, &serde_json::to_value(&decoded).unwrap(), schema);
    });
}

macro_rules! later_versions {
    ($($test:ident: $document:ident $service:ident::$response:ident),+ $(,)?) => {
        $(#[test]
        fn $test() {
            let (service, name) = (stringify!($service), stringify!($response));
            decodes_later_versions(service, $document, name, &$service::$response::example());
        })+

        #[test]
        fn later_versions_of_every_response_are_tested() {
            let tested = [$(concat!(stringify!($service), "::", stringify!($response))),+];
            assert_eq!(listed("pub fn webhook_sdk::", "::example() "), tested.into());
        }
    };
}

later_versions! {
    preo_webhook_decodes_later_versions: PREO preo::Webhook,
    preo_webhook_summary_decodes_later_versions: PREO preo::WebhookSummary,
    preo_webhook_page_decodes_later_versions: PREO preo::WebhookPage,
    preo_webhook_delivery_decodes_later_versions: PREO preo::WebhookDelivery,
    preo_webhook_delivery_summary_decodes_later_versions: PREO preo::WebhookDeliverySummary,
    preo_webhook_delivery_page_decodes_later_versions: PREO preo::WebhookDeliveryPage,
    lune_webhook_decodes_later_versions: LUNE lune::Webhook,
    lune_webhook_with_secret_decodes_later_versions: LUNE lune::WebhookWithSecret,
    pretix_webhook_decodes_later_versions: PRETIX pretix::Webhook,
    pretix_webhook_page_decodes_later_versions: PRETIX pretix::WebhookPage,
}

#[test]
fn every_error_response_decodes_later_versions() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(MockServer::start());
    macro_rules! client {
        ($builder:expr) => {
            $builder
                .base_url(server.uri())
                .requests_per_second(None)
                .retry(RetryPolicy::never())
                .build()
                .unwrap()
        };
    }
    let lune = client!(LuneClient::builder(TOKEN));
    let preo = client!(PreoClient::builder(TOKEN));
    let pretix = client!(PretixClient::builder(TOKEN, "organizer"));
    for (service, document, name, status) in [
        ("lune", LUNE, "ErrorResponse", 400),
        ("preo", PREO, "ErrorDetail", 404),
        ("pretix", PRETIX, "Error", 400),
    ] {
        let schemas = Schemas::of(service, document);
        let schema = schemas.named(name);
        let example = schemas.example(schema);
        proptest!(ProptestConfig::with_cases(64), |(mut changes in Changes::any())| {
            let mut later = example.clone();
            schemas.evolve(&mut later, schema, &mut changes);
            let response = ResponseTemplate::new(status).set_body_json(&later);
            let error = runtime.block_on(async {
                server.reset().await;
                Mock::given(any_request()).respond_with(response).mount(&server).await;
                match service {
                    "lune" => lune.retrieve_webhook("w_1").send().await.unwrap_err(),
                    "preo" => preo.retrieve_webhook("wh_1").send().await.unwrap_err(),
                    _ => pretix.retrieve_webhook(1).send().await.unwrap_err(),
                }
            });
            let (code, detail) = match service {
                "lune" => (&later["error"]["error_code"], &later["error"]["message"]),
                _ => (&Value::Null, &later["detail"]),
            };
            assert_eq!(error.code(), code.as_str(), "{later}");
            assert_eq!(error.detail(), detail.as_str(), "{later}");
        });
    }
}

/// The schemas of Lune's events, which no document has, read from the public types.
fn event_schemas() -> Schemas {
    let mut all = Map::new();
    for name in listed("pub struct webhook_sdk::lune::", " #[non_exhaustive]") {
        let fields = fields(&format!("lune::{name}"));
        let optional = |kind: &str| kind.starts_with("Option<") || kind.starts_with("BTreeMap<");
        let required = fields.iter().filter(|(_, kind)| !optional(kind));
        let required: Vec<_> = required.map(|(name, _)| on_the_wire(name)).collect();
        let properties = fields
            .iter()
            .map(|(name, kind)| (on_the_wire(name).to_owned(), schema(kind)));
        let properties: Map<_, _> = properties.collect();
        let schema = json!({ "required": required, "properties": properties });
        all.insert(name.to_owned(), schema);
    }
    Schemas::new("lune", all.into())
}

fn on_the_wire(field: &'static str) -> &'static str {
    match field {
        "kind" => "type",
        "split_from" => "splitFrom",
        other => other,
    }
}

fn inner<'a>(kind: &'a str, outer: &str) -> Option<&'a str> {
    kind.strip_prefix(outer)?.strip_suffix('>')
}

fn schema(kind: &str) -> Value {
    match (inner(kind, "Option<"), inner(kind, "Vec<")) {
        (Some(inner), _) => schema(inner),
        (_, Some(item)) => json!({ "items": schema(item) }),
        _ => match kind.strip_prefix("lune::") {
            Some(name) => json!({ "$ref": name }),
            None => json!({}),
        },
    }
}

/// A value in every field.
fn example(kind: &str) -> Value {
    match (inner(kind, "Option<"), inner(kind, "Vec<")) {
        (Some(inner), _) => example(inner),
        (_, Some(item)) => json!([example(item), example(item)]),
        _ => {
            let fields = fields(kind);
            let fields = fields
                .iter()
                .map(|(name, kind)| (on_the_wire(name).to_owned(), example(kind)));
            let fields: Map<_, _> = fields.collect();
            match kind {
                "bool" => json!(true),
                "lune::Decimal" => json!("1.50"),
                "BTreeMap<String, String>" => json!({ "key": "value" }),
                _ if fields.is_empty() => json!("text"),
                _ => fields.into(),
            }
        }
    }
}

fn envelope(event_type: &str, data: &Value) -> Event {
    let event = json!({ "event_id": "e_1", "event_type": event_type, "data": data, "added": [1] });
    let body = json!({ "events": [event], "added": {} }).to_string();
    let batch = Batch::from_slice(body.as_bytes()).unwrap();
    batch.into_events().remove(0)
}

/// Fails if the text of a field isn't what was sent.
fn assert_text<T: AsRef<str>>(read: Option<T>, sent: &Value) {
    assert_eq!(read.as_ref().map(AsRef::as_ref), sent.as_str());
}

fn assert_order(order: &Order, sent: &Value) {
    assert_eq!(order.id, sent["id"]);
    assert_text(order.kind.as_ref(), &sent["type"]);
    assert_text(order.status.as_ref(), &sent["status"]);
    assert_text(order.payment_method.as_ref(), &sent["payment_method"]);
    assert_text(order.currency.as_ref(), &sent["currency"]);
    assert_text(order.email.as_ref(), &sent["email"]);
    assert_text(
        order.total_cost.as_ref().map(|cost| cost.as_str()),
        &sent["total_cost"],
    );
    assert_eq!(
        order.metadata.len(),
        usize::from(sent.get("metadata").is_some())
    );
    let (bundles, projects) = (
        order.bundles.iter().flatten(),
        order.projects.iter().flatten(),
    );
    for (index, bundle) in bundles.enumerate() {
        let sent = &sent["bundles"][index];
        assert_eq!(bundle.bundle_id, sent["bundle_id"]);
        assert_text(bundle.bundle_name.as_ref(), &sent["bundle_name"]);
    }
    for (index, project) in projects.enumerate() {
        let sent = &sent["projects"][index];
        assert_eq!(project.project_id, sent["project_id"]);
        assert_text(project.status.as_ref(), &sent["status"]);
    }
    for (list, count) in [
        ("bundles", order.bundles.as_ref().map(Vec::len)),
        ("projects", order.projects.as_ref().map(Vec::len)),
    ] {
        assert_eq!(count, sent[list].as_array().map(Vec::len), "{list}");
    }
}

fn assert_allocation(allocation: &Allocation, sent: &Value) {
    assert_eq!(allocation.id, sent["id"]);
    assert_text(allocation.status.as_ref(), &sent["status"]);
    assert_text(allocation.order_id.as_ref(), &sent["order_id"]);
}

#[test]
fn every_event_of_lune_decodes_later_versions() {
    let schemas = event_schemas();
    let (order, change) = (example("lune::Order"), example("lune::AllocationChange"));
    assert_eq!(
        order.as_object().unwrap().len(),
        fields("lune::Order").len()
    );
    assert!(order["projects"][0]["status"].is_string(), "{order}");
    assert!(change["splitFrom"]["status"].is_string(), "{change}");
    proptest!(ProptestConfig::with_cases(32), |(mut changes in Changes::any())| {
        for event_type in lune::EventType::KNOWN {
            let is_order = event_type.as_str().starts_with("order.");
            let (name, mut later) = match is_order {
                true => ("Order", order.clone()),
                false => ("AllocationChange", change.clone()),
            };
            schemas.evolve(&mut later, schemas.named(name), &mut changes);
            let data = match is_order {
                true => json!({ "order": later, "added": null }),
                false => later.clone(),
            };
            match envelope(event_type.as_str(), &data).data() {
                EventData::Order(order) => assert_order(order, &later),
                EventData::Allocation(change) => {
                    let AllocationChange { allocation, split_from, .. } = &**change;
                    assert_allocation(allocation, &later["allocation"]);
                    let split = later.get("splitFrom");
                    assert_eq!(split_from.is_some(), split.is_some());
                    if let (Some(read), Some(sent)) = (split_from, split) {
                        assert_allocation(read, sent);
                    }
                }
                other => panic!("{event_type}: {other:?}: {later}"),
            }
            let added = format!("{event_type}.{}", changes.text());
            let event = envelope(&added, &data);
            assert_eq!(event.event_type().map(lune::EventType::as_str), Some(&*added));
            assert_eq!(event.data(), &EventData::Unknown);
            assert_eq!(event.data_json::<Value>().unwrap(), data);
        }
    });
}

#[test]
fn every_recorded_notification_decodes_later_versions() {
    let deliveries = include_str!("../../data/pretix/deliveries.jsonl").lines();
    let deliveries: Vec<Value> = deliveries
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    proptest!(ProptestConfig::with_cases(32), |(mut changes in Changes::any())| {
        for delivery in &deliveries {
            let mut later = delivery.as_object().unwrap().clone();
            later.extend(changes.added.clone());
            let read = Notification::from_slice(json!(later).to_string().as_bytes()).unwrap();
            let known = Notification::from_slice(delivery.to_string().as_bytes()).unwrap();
            assert_eq!(read, known, "{delivery}");

            let action = format!("plugin.{}", changes.text());
            later.insert("action".to_owned(), json!(action));
            let read = Notification::from_slice(json!(later).to_string().as_bytes()).unwrap();
            assert!(matches!(read, Notification::Unknown(_)), "{read:?}");
            assert_eq!(read.action().as_str(), action);
        }
    });
}
