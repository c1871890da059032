//! A document is prepared in the same way each time, into code that parses, or refused by name.
//!
//! An input is a whole document, or, if it begins with `!`, a change of Lune's in each line: the
//! number of a node, and the JSON to put there.
#![no_main]
#![allow(dead_code, reason = "the build script uses what this target doesn't")]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[path = "../../build/document.rs"]
mod document;
#[path = "../../build/models.rs"]
mod models;
#[path = "../../build/prepare.rs"]
mod prepare;
#[path = "../../build/provider.rs"]
mod provider;
#[path = "../../build/requests.rs"]
mod requests;
#[path = "../../build/rust.rs"]
mod rust;
#[path = "../../build/yaml.rs"]
mod yaml;

const NAME: &str = "fuzz.yaml";

static LUNE: LazyLock<Value> =
    LazyLock::new(|| yaml::read(include_str!("../../openapi-lune.yaml")).unwrap());

/// How many nodes the document has, so that every number is that of a node.
static NODES: LazyLock<usize> = LazyLock::new(|| nodes(&LUNE));

fn nodes(node: &Value) -> usize {
    let fields = node.as_object().into_iter().flat_map(|all| all.values());
    let items = node.as_array().into_iter().flatten();
    1 + fields.chain(items).map(nodes).sum::<usize>()
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let document = match text.strip_prefix('!') {
        Some(changes) => document::Document::new(NAME, changed(changes)),
        None => document::Document::parse(NAME, text),
    };
    let lune = &provider::PROVIDERS[0];
    let prepare = |document: &_| prepare::prepare(document, lune);
    let twice = document.and_then(|document| Ok((prepare(&document)?, prepare(&document)?)));
    match twice {
        Err(error) => assert!(error.to_string().starts_with("fuzz.yaml: "), "{error}"),
        Ok((prepared, again)) => {
            assert_eq!(format!("{prepared:?}"), format!("{again:?}"));
            if let Ok(code) = models::models(&prepared) {
                syn::parse2::<syn::File>(code).unwrap();
            }
        }
    }
});

/// Lune's document after the changes. It isn't written and read again, which takes most of the time.
fn changed(changes: &str) -> Value {
    let mut document = LUNE.clone();
    for change in changes.lines().take(8) {
        let Some((number, value)) = change.split_once(' ') else {
            continue;
        };
        if let (Ok(number), Ok(value)) = (number.parse::<usize>(), serde_json::from_str(value)) {
            replace(&mut document, &mut (number % *NODES), &value);
        }
    }
    document
}

/// Puts the value in place of the node with this number, counted in depth.
fn replace(node: &mut Value, number: &mut usize, value: &Value) -> bool {
    if *number == 0 {
        *node = value.clone();
        return true;
    }
    *number -= 1;
    match node {
        Value::Object(fields) => fields
            .values_mut()
            .any(|field| replace(field, number, value)),
        Value::Array(items) => items.iter_mut().any(|item| replace(item, number, value)),
        _ => false,
    }
}
