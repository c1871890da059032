//! Component schemas: the Rust type of each, and its part for the generator.

use serde_json::{Value, json};

use super::super::document::{Error, Object, array, schema_name};
use super::{Constraint, Kind, OpenEnum, Preparation, Response, ResponseField, Rule};

/// The keywords that become a [`Rule`], and those that are unsupported.
const CHECKED: &[&str] = &[
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
];
const UNCHECKED: &[&str] = &[
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minProperties",
    "maxProperties",
];

impl Preparation<'_> {
    /// Copies the component schemas that responses refer to, and those that these refer to.
    pub(super) fn finish_schemas(&mut self) -> Result<(), Error> {
        while let Some(name) = self.pending.pop() {
            if self.requests.contains_key(&name) {
                return Err(self.document.error(
                    &name,
                    "is a request body and part of a response; give each its own schema",
                ));
            }
            if self.schemas.contains_key(&name) {
                continue;
            }
            let schema = self.document.resolve(&reference(&name))?.clone();
            let prepared = self.response_schema(&name, &schema)?;
            let response = self.response(&name, &schema, &prepared)?;
            self.responses.insert(name.clone(), response);
            self.schemas.insert(name, prepared);
        }
        Ok(())
    }

    /// A schema for a response, without constraints or required nullable properties.
    pub(super) fn response_schema(&mut self, at: &str, schema: &Value) -> Result<Value, Error> {
        if let Some(name) = schema_name(schema) {
            self.refer(name)?;
            return Ok(schema.clone());
        }
        let mut prepared = Object::new();
        for key in ["type", "format", "nullable", "uniqueItems"] {
            if let Some(value) = schema.get(key) {
                prepared.insert(key.to_owned(), value.clone());
            }
        }
        let doc = described(schema, schema);
        if !doc.is_empty() {
            prepared.insert("description".to_owned(), json!(doc));
        }
        if schema.get("allOf").is_some() {
            let [only] = array(schema, "allOf") else {
                let cause = "has an allOf of other than one schema, which isn't supported";
                return Err(self.document.error(at, cause));
            };
            let inner = self.response_schema(at, only)?;
            prepared.insert("allOf".to_owned(), json!([inner]));
            return Ok(Value::Object(prepared));
        }
        match text(schema, "type").as_str() {
            "object" => {
                let mut fields = Object::new();
                for (field, property) in properties(schema) {
                    let at = format!("{at}.{field}");
                    let mut prepared = self.response_schema(&at, property)?;
                    if prepared.get("$ref").is_some() {
                        let doc = described(self.document.resolve(property)?, &Value::Null);
                        prepared = json!({ "description": doc, "allOf": [prepared] });
                    }
                    fields.insert(field.clone(), prepared);
                }
                let required = array(schema, "required").iter().filter(|name| {
                    let property = name.as_str().and_then(|name| fields.get(name));
                    property.and_then(|property| property.get("nullable"))
                        != Some(&Value::Bool(true))
                });
                prepared.insert("required".to_owned(), required.cloned().collect());
                prepared.insert("properties".to_owned(), Value::Object(fields));
                if let Some(values) = schema.get("additionalProperties").filter(|v| v.is_object()) {
                    let values = self.response_schema(at, values)?;
                    prepared.insert("additionalProperties".to_owned(), values);
                }
            }
            "array" => {
                let items = schema.get("items").cloned().unwrap_or_else(|| json!({}));
                prepared.insert("items".to_owned(), self.response_schema(at, &items)?);
            }
            "string" if schema.get("enum").is_some() => return Err(self.unnamed_enum(at)),
            "string" if text(schema, "format") == "password" => {
                prepared.retain(|key, _| key == "description" || key == "nullable");
                prepared.insert("allOf".to_owned(), json!([self.secret()]));
            }
            "integer" => {
                let format = if is_unsigned(schema) {
                    "uint64"
                } else {
                    "int64"
                };
                prepared.insert("format".to_owned(), json!(format));
            }
            _ => {}
        }
        Ok(Value::Object(prepared))
    }

    /// The description of a response object for test code.
    fn response(
        &mut self,
        name: &str,
        schema: &Value,
        prepared: &Value,
    ) -> Result<Response, Error> {
        let required = array(prepared, "required");
        let mut fields = Vec::new();
        for (field, property) in properties(prepared) {
            // A map has no setter.
            let Ok(kind) = self.response_kind(&format!("{name}.{field}"), property) else {
                continue;
            };
            let is_list = matches!(kind, Kind::List(_) | Kind::Set(_));
            fields.push(ResponseField {
                name: field.clone(),
                doc: described(property, property),
                optional: !is_list && !required.contains(&json!(field)),
                kind,
            });
        }
        Ok(Response {
            name: name.to_owned(),
            fields,
            example: self.example(schema)?,
        })
    }

    fn response_kind(&mut self, at: &str, schema: &Value) -> Result<Kind, Error> {
        let schema = single(schema);
        if let Some(items) = schema.get("items") {
            return Ok(list(schema, self.response_kind(at, items)?));
        }
        match schema_name(schema) {
            Some(name) => Ok(Kind::Named(match self.replacements.get(name) {
                Some(path) => path.clone(),
                None => format!("crate::{}::generated::types::{name}", self.provider.module),
            })),
            None => self.kind(at, schema),
        }
    }

    /// The `example` of a schema, or one with every property.
    pub(super) fn example(&self, schema: &Value) -> Result<Value, Error> {
        if let Some(example) = schema.get("example") {
            return Ok(example.clone());
        }
        let schema = single(schema);
        if schema.get("$ref").is_some() {
            return self.example(self.document.resolve(schema)?);
        }
        let first = array(schema, "enum").first();
        Ok(match text(schema, "type").as_str() {
            "object" => {
                let fields = properties(schema)
                    .map(|(name, property)| Ok((name.clone(), self.example(property)?)));
                Value::Object(fields.collect::<Result<_, Error>>()?)
            }
            "array" => match schema.get("items") {
                Some(items) => json!([self.example(items)?]),
                None => json!([]),
            },
            "boolean" => json!(true),
            "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
            _ if first.is_some() => first.cloned().unwrap_or_default(),
            _ if text(schema, "format") == "date-time" => json!("2026-11-21T12:00:00Z"),
            _ => json!("text"),
        })
    }

    /// The Rust type of a request field or a parameter.
    pub(super) fn kind(&mut self, at: &str, schema: &Value) -> Result<Kind, Error> {
        let schema = single(schema);
        if let Some(name) = schema_name(schema) {
            if let Some(path) = self.refer(name)? {
                return Ok(Kind::Named(path));
            }
            let target = self.document.resolve(schema)?.clone();
            return self.kind(at, &target);
        }
        match (
            text(schema, "type").as_str(),
            text(schema, "format").as_str(),
        ) {
            ("string", _) if schema.get("enum").is_some() => Err(self.unnamed_enum(at)),
            ("string", "password") => {
                self.secret();
                Ok(Kind::Named("crate::Secret".to_owned()))
            }
            ("string", "date-time") => Ok(Kind::DateTime),
            ("string", _) if schema.get("pattern").is_some() => Err(self.document.error(
                at,
                "has a pattern, which isn't checked: give the schema a name and a handwritten type",
            )),
            ("string", _) => Ok(Kind::Text),
            ("boolean", _) => Ok(Kind::Boolean),
            ("integer", _) if is_unsigned(schema) => Ok(Kind::Unsigned),
            ("integer", _) => Ok(Kind::Signed),
            ("number", _) => Ok(Kind::Number),
            ("array", _) => {
                let items = schema
                    .get("items")
                    .ok_or_else(|| self.document.error(at, "is an array without items"))?;
                Ok(list(schema, self.kind(at, items)?))
            }
            (other, _) => Err(self
                .document
                .error(at, format!("has the unsupported type {other:?}"))),
        }
    }

    /// Records the checks of a field before it is sent, and rejects unsupported ones.
    pub(super) fn rules(
        &self,
        at: &str,
        field: &str,
        schema: &Value,
        constraints: &mut Vec<Constraint>,
    ) -> Result<(), Error> {
        let schema = self.document.resolve(single(schema))?;
        let items = schema
            .get("items")
            .filter(|items| schema_name(items).is_none());
        let in_items = items.into_iter().flat_map(|items| {
            CHECKED
                .iter()
                .chain(UNCHECKED)
                .filter(|key| items.get(**key).is_some())
        });
        let fractional = ["minimum", "maximum"].iter().filter(|key| {
            schema
                .get(**key)
                .is_some_and(|bound| bound.as_i64().is_none())
        });
        let mut unchecked = UNCHECKED
            .iter()
            .filter(|key| schema.get(**key).is_some())
            .chain(fractional)
            .chain(in_items);
        if let Some(keyword) = unchecked.next() {
            let at = format!("{at}.{field}");
            return Err(self
                .document
                .error(at, format!("has a {keyword}, which isn't checked")));
        }
        let unsigned = |key: &str| schema.get(key).and_then(Value::as_u64);
        let signed = |key: &str| schema.get(key).and_then(Value::as_i64);
        let minimum = signed("minimum").filter(|minimum| *minimum > 0 || !is_unsigned(schema));
        let found = [
            unsigned("minLength").map(Rule::MinLength),
            unsigned("maxLength").map(Rule::MaxLength),
            minimum.map(Rule::Minimum),
            signed("maximum").map(Rule::Maximum),
            unsigned("minItems").map(Rule::MinItems),
            unsigned("maxItems").map(Rule::MaxItems),
        ];
        let found = found.into_iter().flatten();
        constraints.extend(found.map(|rule| Constraint {
            field: field.to_owned(),
            rule,
        }));
        Ok(())
    }

    /// Records that a component schema is used, and returns its Rust path unless it is a generated
    /// struct.
    pub(super) fn refer(&mut self, name: &str) -> Result<Option<String>, Error> {
        let known = self
            .replacements
            .get(name)
            .filter(|_| !self.requests.contains_key(name));
        if let Some(path) = known {
            return Ok(Some(path.clone()));
        }
        let reference = reference(name);
        let schema = self.document.resolve(&reference)?;
        let path = if self.provider.handwritten.contains(&name) {
            self.handwritten_path(name)
        } else if schema.get("enum").is_some() {
            let values = array(schema, "enum").iter().map(|value| {
                value.as_str().map(str::to_owned).ok_or_else(|| {
                    self.document
                        .error(name, "lists a value that isn't a string")
                })
            });
            let open = OpenEnum {
                name: name.to_owned(),
                doc: description(schema).unwrap_or_default(),
                values: values.collect::<Result<_, _>>()?,
            };
            self.enums.insert(name.to_owned(), open);
            self.model_path(name)
        } else {
            self.pending.push(name.to_owned());
            return Ok(None);
        };
        self.replacements.insert(name.to_owned(), path.clone());
        Ok(Some(path))
    }

    pub(super) fn secret(&mut self) -> Value {
        self.replacements
            .insert("Secret".to_owned(), "crate::Secret".to_owned());
        reference("Secret")
    }

    pub(super) fn handwritten_path(&self, name: &str) -> String {
        format!("crate::{}::{name}", self.provider.module)
    }

    pub(super) fn model_path(&self, name: &str) -> String {
        format!("crate::{}::generated::models::{name}", self.provider.module)
    }

    pub(super) fn unnamed_enum(&self, at: &str) -> Error {
        self.document
            .error(at, "has an enum; give it a name under components.schemas")
    }
}

/// The only member of an `allOf`, which OpenAPI 3.0 requires to describe a reference.
pub(super) fn single(schema: &Value) -> &Value {
    match array(schema, "allOf") {
        [only] => only,
        _ => schema,
    }
}

/// The kind of an array of `item`.
fn list(schema: &Value, item: Kind) -> Kind {
    match schema.get("uniqueItems") {
        Some(Value::Bool(true)) => Kind::Set(Box::new(item)),
        _ => Kind::List(Box::new(item)),
    }
}

pub(super) fn is_text_enum(schema: &Value) -> bool {
    text(schema, "type") == "string" && schema.get("enum").is_some()
}

pub(super) fn is_unsigned(schema: &Value) -> bool {
    let minimum = schema
        .get("minimum")
        .and_then(Value::as_i64)
        .is_some_and(|minimum| minimum >= 0);
    minimum || text(schema, "format") == "uint64"
}

pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

pub(super) fn description(schema: &Value) -> Option<String> {
    schema
        .get("description")
        .and_then(Value::as_str)
        .map(|text| text.trim().to_owned())
}

/// The description with the limits of the schema.
pub(super) fn described(value: &Value, schema: &Value) -> String {
    let description = description(value).unwrap_or_default();
    let bounds = bounds(schema);
    let gap = match (description.contains("\n\n"), description.is_empty()) {
        _ if bounds.is_empty() => "",
        (_, true) => "",
        (true, _) => "\n\n",
        (false, _) => " ",
    };
    format!("{description}{gap}{bounds}")
}

/// The limits and the default of a schema, as sentences.
fn bounds(schema: &Value) -> String {
    let number = |key: &str| schema.get(key).and_then(Value::as_i64);
    let range = |from: Option<i64>, to: Option<i64>, unit: &str| match (from, to) {
        (None | Some(0), None) => None,
        (Some(from), None) => Some(format!("At least {from}{unit}.")),
        (None, Some(to)) => Some(format!("At most {to}{unit}.")),
        (Some(from), Some(to)) => Some(format!("From {from} to {to}{unit}.")),
    };
    let sentences = [
        range(number("minLength"), number("maxLength"), " characters"),
        range(number("minimum"), number("maximum"), ""),
        range(number("minItems"), number("maxItems"), " items"),
        schema
            .get("default")
            .map(|value| format!("The default is {value}.")),
    ];
    let sentences: Vec<_> = sentences.into_iter().flatten().collect();
    sentences.join(" ")
}

pub(super) fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}
