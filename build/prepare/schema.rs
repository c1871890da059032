//! The component schemas: which Rust type each is, and what of it reaches the generator.

use serde_json::{Value, json};

use super::super::document::{Error, Object, array, schema_name};
use super::{Constraint, Kind, OpenEnum, Preparation, Rule};

/// The keywords that become a [`Rule`], and those that nothing checks.
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
    "uniqueItems",
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
                    "is a request body and part of a response; give each a schema of its own",
                ));
            }
            if self.schemas.contains_key(&name) {
                continue;
            }
            let schema = self.document.resolve(&reference(&name))?.clone();
            let prepared = self.response_schema(&name, &schema)?;
            self.schemas.insert(name, prepared);
        }
        Ok(())
    }

    /// A schema as a response needs it: no constraint, nothing nullable that is required.
    pub(super) fn response_schema(&mut self, at: &str, schema: &Value) -> Result<Value, Error> {
        if let Some(name) = schema_name(schema) {
            self.refer(name)?;
            return Ok(schema.clone());
        }
        let mut prepared = Object::new();
        for key in ["type", "description", "format", "nullable"] {
            if let Some(value) = schema.get(key) {
                prepared.insert(key.to_owned(), value.clone());
            }
        }
        if schema.get("allOf").is_some() {
            let inner = self.response_schema(at, single(schema))?;
            prepared.insert("allOf".to_owned(), json!([inner]));
            return Ok(Value::Object(prepared));
        }
        match text(schema, "type").as_str() {
            "object" => {
                let mut fields = Object::new();
                for (field, property) in properties(schema) {
                    let at = format!("{at}.{field}");
                    fields.insert(field.clone(), self.response_schema(&at, property)?);
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
                Ok(Kind::List(Box::new(self.kind(at, items)?)))
            }
            (other, _) => Err(self
                .document
                .error(at, format!("has the unsupported type {other:?}"))),
        }
    }

    /// Notes what is checked of a field before it is sent, and refuses what wouldn't be.
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

    /// Notes that a component schema is used; the Rust path, where it is no generated struct.
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
                value
                    .as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| self.document.error(name, "lists a value that is no string"))
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

/// The only member of an `allOf`, which OpenAPI 3.0 needs to describe a reference.
pub(super) fn single(schema: &Value) -> &Value {
    match array(schema, "allOf") {
        [only] => only,
        _ => schema,
    }
}

pub(super) fn is_text_enum(schema: &Value) -> bool {
    text(schema, "type") == "string" && schema.get("enum").is_some()
}

pub(super) fn is_unsigned(schema: &Value) -> bool {
    schema
        .get("minimum")
        .and_then(Value::as_i64)
        .is_some_and(|minimum| minimum >= 0)
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
