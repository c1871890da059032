//! Reads YAML into JSON values.

use serde_json::Value;
use yaml_rust2::{ScanError, Yaml, YamlLoader};

pub(crate) fn read(text: &str) -> Result<Value, ScanError> {
    let documents = YamlLoader::load_from_str(text)?;
    Ok(documents.into_iter().next().map(value).unwrap_or_default())
}

fn value(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Boolean(value) => value.into(),
        Yaml::Integer(value) => value.into(),
        Yaml::Real(text) => text.parse::<f64>().map(Value::from).unwrap_or_default(),
        Yaml::String(text) => text.into(),
        Yaml::Array(items) => items.into_iter().map(value).collect(),
        Yaml::Hash(members) => members
            .into_iter()
            .map(|(name, member)| (key(name), value(member)))
            .collect(),
        Yaml::Alias(_) | Yaml::Null | Yaml::BadValue => Value::Null,
    }
}

/// A member's name, such as a status without quotation marks.
fn key(yaml: Yaml) -> String {
    match value(yaml) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}
