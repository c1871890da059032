//! All there is to test: the operations of the documents, and what the API listing names.

use std::collections::BTreeSet;

use crate::yaml;

pub(crate) const LUNE: &str = include_str!("../../openapi-lune.yaml");
pub(crate) const PREO: &str = include_str!("../../openapi.yaml");
pub(crate) const PRETIX: &str = include_str!("../../openapi-pretix.yaml");

/// The public API with all features, a line each.
const LISTING: &str = include_str!("../api/all.txt");

/// The ids of a document's operations.
pub(crate) fn operations(document: &str) -> BTreeSet<String> {
    let document = yaml::read(document).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let items = paths.flat_map(|path| path.as_object().unwrap().values());
    let ids = items.filter_map(|item| item.get("operationId")?.as_str());
    ids.map(str::to_owned).collect()
}

/// What the listing has between `before` and `after`.
pub(crate) fn listed(before: &str, after: &str) -> BTreeSet<&'static str> {
    let rest = LISTING
        .lines()
        .filter_map(|line| line.strip_prefix(before))
        .filter(|rest| !rest.is_empty());
    rest.filter_map(|rest| Some(rest.split_once(after)?.0))
        .collect()
}

/// The names and types of a public struct's public fields.
pub(crate) fn fields(of: &str) -> Vec<(&'static str, &'static str)> {
    let prefix = format!("pub webhook_sdk::{of}::");
    let lines = LISTING.lines();
    let fields = lines.filter_map(|line| line.strip_prefix(&prefix)?.split_once(": "));
    fields.filter(|(name, _)| !name.contains("::")).collect()
}

/// The names of a public enum's variants.
pub(crate) fn variants(of: &str) -> BTreeSet<&'static str> {
    let prefix = format!("webhook_sdk::{of}::");
    let variants = LISTING
        .lines()
        .filter_map(|line| line.strip_prefix(&prefix));
    let names = variants.filter_map(|variant| variant.split([' ', '(']).next());
    names.filter(|name| !name.contains("::")).collect()
}

#[test]
fn inventory_is_read() {
    assert_eq!(operations(LUNE).len(), 6);
    assert_eq!(operations(PREO).len(), 9);
    assert_eq!(operations(PRETIX).len(), 6);
    assert!(listed("pub fn webhook_sdk::", "::example() ").contains("preo::Webhook"));
    assert!(fields("lune::Order").contains(&("id", "String")));
    assert!(variants("receiver::Refusal").contains("BodyTooLarge"));
}
