//! Reduces an OpenAPI document to what the generator supports, and records the rest.
//!
//! The generator doesn't support open enums, "absent or null", secrets, comma-joined arrays, and
//! checks of requests only. Each is read here from its standard keyword, replaced by a reference to
//! a named type, and described for [`models`](super::models).

#[path = "prepare/schema.rs"]
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use openapiv3::OpenAPI;
use serde_json::{Value, json};

use super::document::{Document, Error, Object, Operation, array, schema_name};
use super::provider::Provider;
use schema::{described, description, is_text_enum, properties, reference, single, text};

/// The input of code generation.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) openapi: OpenAPI,
    /// The service's module.
    pub(crate) provider: Provider,
    pub(crate) title: String,
    /// Component schemas with an existing Rust type, and its path.
    pub(crate) replacements: BTreeMap<String, String>,
    pub(crate) enums: Vec<OpenEnum>,
    pub(crate) requests: Vec<Request>,
    pub(crate) responses: Vec<Response>,
    pub(crate) operations: Vec<OperationRow>,
}

/// A string `enum`. Unlisted values are kept.
#[derive(Debug)]
pub(crate) struct OpenEnum {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) values: Vec<String>,
}

/// The schema of a request body.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) fields: Vec<Field>,
}

/// A property of a request body.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
    /// Whether the value is flattened into its fields.
    pub(crate) flat: bool,
    pub(crate) kind: Kind,
    pub(crate) example: Value,
}

/// An object of a response, whose type is generated.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) name: String,
    pub(crate) fields: Vec<ResponseField>,
    pub(crate) example: Value,
}

#[derive(Debug)]
pub(crate) struct ResponseField {
    pub(crate) name: String,
    pub(crate) doc: String,
    /// Whether it is an `Option`.
    pub(crate) optional: bool,
    pub(crate) kind: Kind,
}

/// The type of a property.
#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    DateTime,
    Boolean,
    Unsigned,
    Signed,
    Number,
    /// A Rust path: a secret, an open enum, or a handwritten type.
    Named(String),
    List(Box<Kind>),
    /// An array with `uniqueItems`, whose order has no meaning.
    Set(Box<Kind>),
}

/// An operation of the client.
#[derive(Debug)]
pub(crate) struct OperationRow {
    pub(crate) id: String,
    pub(crate) summary: String,
    pub(crate) doc: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) parameters: Vec<Parameter>,
    /// The component schema of the request body.
    pub(crate) request: Option<String>,
    pub(crate) query: Vec<Constraint>,
    pub(crate) body: Vec<Constraint>,
    /// The status of a success.
    pub(crate) status: u16,
    pub(crate) answer: AnswerType,
}

/// A parameter of a path or a query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) required: bool,
    pub(crate) kind: Kind,
    /// Whether a list is one comma-separated value.
    pub(crate) joined: bool,
    pub(crate) example: Value,
}

/// The content of a success response.
#[derive(Debug, PartialEq)]
pub(crate) enum AnswerType {
    Nothing,
    One(String),
    List(String),
}

/// A check of one field of a request.
#[derive(Debug, PartialEq)]
pub(crate) struct Constraint {
    pub(crate) field: String,
    pub(crate) rule: Rule,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Rule {
    MinLength(u64),
    MaxLength(u64),
    Minimum(i64),
    Maximum(i64),
    MinItems(u64),
    MaxItems(u64),
}

/// Prepares `document` for the generator.
pub(crate) fn prepare(document: &Document, provider: &Provider) -> Result<Prepared, Error> {
    let mut preparation = Preparation {
        document,
        provider,
        replacements: BTreeMap::new(),
        enums: BTreeMap::new(),
        requests: BTreeMap::new(),
        responses: BTreeMap::new(),
        schemas: Object::new(),
        pending: Vec::new(),
    };
    let mut paths = Object::new();
    let mut rows = Vec::new();
    for mut operation in document.operations()? {
        preparation.strip_root(&mut operation)?;
        let (reduced, row) = preparation.operation(&operation)?;
        paths
            .entry(operation.path)
            .or_insert_with(|| json!({}))
            .as_object_mut()
            .map(|item| item.insert(operation.method, reduced));
        rows.push(row);
    }
    preparation.finish_schemas()?;
    preparation.finish(paths, rows)
}

struct Preparation<'a> {
    document: &'a Document,
    provider: &'a Provider,
    replacements: BTreeMap<String, String>,
    enums: BTreeMap<String, OpenEnum>,
    requests: BTreeMap<String, Request>,
    responses: BTreeMap<String, Response>,
    schemas: Object,
    pending: Vec<String>,
}

impl Preparation<'_> {
    fn finish(mut self, paths: Object, operations: Vec<OperationRow>) -> Result<Prepared, Error> {
        for name in self.replacements.keys() {
            self.schemas
                .insert(name.clone(), json!({ "type": "string" }));
        }
        let reduced = json!({
            "openapi": "3.0.3",
            "info": {
                "title": self.provider.module,
                "version": "",
            },
            "paths": paths,
            "components": { "schemas": self.schemas },
        });
        let openapi = serde_json::from_value(reduced)
            .map_err(|error| self.document.error("after preparation", error))?;
        Ok(Prepared {
            openapi,
            provider: *self.provider,
            title: self.document.info("title").unwrap_or_default().to_owned(),
            replacements: self.replacements,
            enums: self.enums.into_values().collect(),
            requests: self.requests.into_values().collect(),
            responses: self.responses.into_values().collect(),
            operations,
        })
    }

    /// Removes from an operation what the client sets for all operations.
    fn strip_root(&self, operation: &mut Operation) -> Result<(), Error> {
        let root = self.provider.root;
        let Some(path) = operation.path.strip_prefix(root) else {
            let cause = format!("doesn't begin with {root}");
            return Err(self.document.error(&operation.path, cause));
        };
        operation.path = path.to_owned();
        operation.parameters.retain(|parameter| {
            let name = text(parameter, "name");
            match text(parameter, "in").as_str() {
                "path" => !root.contains(&format!("{{{name}}}")),
                "header" => !self.provider.headers.contains(&name.as_str()),
                _ => true,
            }
        });
        Ok(())
    }

    fn operation(&mut self, operation: &Operation) -> Result<(Value, OperationRow), Error> {
        let at = &operation.id;
        let mut reduced = Object::new();
        reduced.insert("operationId".to_owned(), json!(operation.id));
        let mut query = Vec::new();
        let mut parameters = Vec::new();
        let mut schemas = Vec::new();
        for parameter in &operation.parameters {
            self.document.refuse_cycles(parameter)?;
            let (parameter, schema) = self.parameter(at, parameter, &mut query)?;
            parameters.push(parameter);
            schemas.push(schema);
        }
        reduced.insert("parameters".to_owned(), Value::Array(schemas));
        let mut body = Vec::new();
        let mut request = None;
        if let Some(content) = operation.value.get("requestBody") {
            self.document.refuse_cycles(content)?;
            let name = self.request_body(at, content, &mut body)?;
            let content = json!({ "application/json": { "schema": reference(&name) } });
            reduced.insert(
                "requestBody".to_owned(),
                json!({ "required": true, "content": content }),
            );
            request = Some(name);
        }
        let (responses, status, answer) = self.responses(at, operation)?;
        reduced.insert("responses".to_owned(), responses);
        let row = OperationRow {
            id: operation.id.clone(),
            summary: text(&operation.value, "summary"),
            doc: text(&operation.value, "description"),
            method: operation.method.to_uppercase(),
            path: operation.path.clone(),
            parameters,
            request,
            query,
            body,
            status,
            answer,
        };
        Ok((Value::Object(reduced), row))
    }

    fn parameter(
        &mut self,
        at: &str,
        parameter: &Value,
        constraints: &mut Vec<Constraint>,
    ) -> Result<(Parameter, Value), Error> {
        let name = text(parameter, "name");
        let place = text(parameter, "in");
        let at = format!("{at}: parameter {name}");
        let schema = parameter
            .get("schema")
            .ok_or_else(|| self.document.error(&at, "has no schema"))?;
        if place != "query" && place != "path" {
            return Err(self
                .document
                .error(&at, format!("is in {place}; the client sets headers")));
        }
        let kind = self.kind(&at, schema)?;
        if matches!(kind, Kind::Set(_)) {
            let cause = "has uniqueItems, which is supported in bodies only";
            return Err(self.document.error(&at, cause));
        }
        if place == "query" {
            self.rules(&at, &name, schema, constraints)?;
        }
        let joined = parameter.get("explode") == Some(&Value::Bool(false));
        let shape = match &kind {
            Kind::List(item) if joined => self.comma_separated(&at, item)?,
            kind => Self::plain_schema(kind),
        };
        let parameter = Parameter {
            doc: described(parameter, schema),
            example: match parameter.get("example") {
                Some(example) => example.clone(),
                None => self.example(schema)?,
            },
            required: parameter.get("required") == Some(&Value::Bool(true)),
            kind,
            joined,
            name,
        };
        let reduced = json!({
            "name": parameter.name,
            "in": place,
            "required": parameter.required,
            "schema": shape,
        });
        Ok((parameter, reduced))
    }

    fn comma_separated(&mut self, at: &str, item: &Kind) -> Result<Value, Error> {
        let (name, path) = match item {
            Kind::Named(path) => (path.rsplit("::").next().unwrap_or(path), path.as_str()),
            Kind::Text => ("Text", "::std::string::String"),
            _ => {
                return Err(self
                    .document
                    .error(at, "is a comma-joined list of something other than strings"));
            }
        };
        let component = format!("CommaSeparated{name}");
        self.replacements.insert(
            component.clone(),
            format!("crate::query::CommaSeparated<{path}>"),
        );
        Ok(reference(&component))
    }

    /// The schema of a parameter without its constraints, which are checked by the transport.
    fn plain_schema(kind: &Kind) -> Value {
        match kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::DateTime => json!({ "type": "string", "format": "date-time" }),
            Kind::Boolean => json!({ "type": "boolean" }),
            Kind::Unsigned => json!({ "type": "integer", "format": "uint64" }),
            Kind::Signed => json!({ "type": "integer", "format": "int64" }),
            Kind::Number => json!({ "type": "number", "format": "double" }),
            Kind::List(item) | Kind::Set(item) => {
                json!({ "type": "array", "items": Self::plain_schema(item) })
            }
            Kind::Named(path) => reference(path.rsplit("::").next().unwrap_or(path)),
        }
    }

    fn request_body(
        &mut self,
        at: &str,
        body: &Value,
        constraints: &mut Vec<Constraint>,
    ) -> Result<String, Error> {
        let schema = self.json_content(at, body, "request body")?;
        let name = schema_name(schema).ok_or_else(|| {
            self.document.error(
                at,
                "the request body needs a schema with a name under components.schemas",
            )
        })?;
        let resolved = self.document.resolve(schema)?.clone();
        self.request(name, &resolved)?;
        for (field, property) in properties(&resolved) {
            self.rules(name, field, property, constraints)?;
        }
        Ok(name.to_owned())
    }

    fn request(&mut self, name: &str, schema: &Value) -> Result<(), Error> {
        if self.requests.contains_key(name) {
            return Ok(());
        }
        let required: Vec<_> = array(schema, "required")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let position = |field: &str| {
            let place = required.iter().position(|name| *name == field);
            place.unwrap_or(usize::MAX)
        };
        let mut fields = Vec::new();
        for group in self.provider.groups {
            let found = group
                .properties
                .iter()
                .filter(|field| properties(schema).any(|(property, _)| property == **field));
            match found.count() {
                0 => continue,
                all if all == group.properties.len() => {}
                _ => {
                    let cause = format!("has some of {:?} and not all", group.properties);
                    return Err(self.document.error(name, cause));
                }
            }
            let places = group.properties.iter().map(|field| position(field));
            let place = places.min().unwrap_or(usize::MAX);
            let field = Field {
                name: group.field.to_owned(),
                doc: group.doc.to_owned(),
                required: place != usize::MAX,
                nullable: false,
                flat: true,
                kind: Kind::Named(self.handwritten_path(group.handwritten)),
                example: Value::Null,
            };
            fields.push((place, field));
        }
        for (field, property) in properties(schema) {
            let mut groups = self.provider.groups.iter();
            if groups.any(|group| group.properties.contains(&field.as_str())) {
                continue;
            }
            let at = format!("{name}.{field}");
            let resolved = self.document.resolve(single(property))?;
            let prepared = Field {
                name: field.clone(),
                doc: match description(property) {
                    Some(_) => described(property, resolved),
                    None => described(resolved, resolved),
                },
                example: self.example(property)?,
                required: required.contains(&field.as_str()),
                nullable: property.get("nullable") == Some(&Value::Bool(true)),
                flat: false,
                kind: self.kind(&at, property)?,
            };
            fields.push((position(field), prepared));
        }
        if fields.is_empty() {
            return Err(self
                .document
                .error(name, "is a request body without properties"));
        }
        fields.sort_by_key(|(place, _)| *place);
        self.replacements
            .insert(name.to_owned(), self.model_path(name));
        let doc = description(schema).unwrap_or_default();
        self.requests.insert(
            name.to_owned(),
            Request {
                name: name.to_owned(),
                doc,
                fields: fields.into_iter().map(|(_, field)| field).collect(),
            },
        );
        Ok(())
    }

    fn responses(
        &mut self,
        at: &str,
        operation: &Operation,
    ) -> Result<(Value, u16, AnswerType), Error> {
        let responses = operation.value.get("responses").and_then(Value::as_object);
        let mut success = responses
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with('2'));
        let Some((status, response)) = success.next() else {
            return Err(self.document.error(at, "has no 2xx response"));
        };
        let status = status.parse().unwrap_or(200);
        if success.next().is_some() {
            return Err(self
                .document
                .error(at, "has two 2xx responses; one is supported"));
        }
        self.document.refuse_cycles(response)?;
        self.error_enums(responses)?;
        let response = self.document.resolve(response)?;
        let mut reduced = json!({ "description": text(response, "description").trim() });
        let mut answer = AnswerType::Nothing;
        if response.get("content").is_some() {
            let schema = self.json_content(at, response, "response")?.clone();
            answer = match (
                schema_name(&schema),
                schema.get("items").and_then(schema_name),
            ) {
                (Some(name), _) => AnswerType::One(name.to_owned()),
                (None, Some(name)) => AnswerType::List(name.to_owned()),
                (None, None) => {
                    return Err(self
                        .document
                        .error(at, "the response needs a schema with a name"));
                }
            };
            let schema = self.response_schema(at, &schema)?;
            reduced["content"] = json!({ "application/json": { "schema": schema } });
        }
        Ok((json!({ "2XX": reduced }), status, answer))
    }

    /// Records the open enums in error responses, which need no other code.
    fn error_enums(&mut self, responses: Option<&Object>) -> Result<(), Error> {
        let mut pending: Vec<&Value> = responses
            .into_iter()
            .flatten()
            .filter(|(status, _)| !status.starts_with('2'))
            .map(|(_, response)| response)
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(value) = pending.pop() {
            let target = self.document.resolve(value)?;
            match schema_name(value) {
                Some(name) if is_text_enum(target) => {
                    self.refer(name)?;
                }
                _ if !seen.insert(std::ptr::from_ref(target)) => {}
                _ => {
                    let members = target.as_object().into_iter().flat_map(Object::values);
                    pending.extend(members.chain(target.as_array().into_iter().flatten()));
                }
            }
        }
        Ok(())
    }

    fn json_content<'v>(&self, at: &str, value: &'v Value, what: &str) -> Result<&'v Value, Error> {
        value
            .get("content")
            .and_then(|content| content.get("application/json"))
            .and_then(|media| media.get("schema"))
            .ok_or_else(|| {
                self.document
                    .error(at, format!("the {what} has no JSON schema"))
            })
    }
}
