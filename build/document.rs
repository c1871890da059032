//! An OpenAPI document as parsed from its file.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fmt, fs};

use serde_json::{Map, Value};

use super::yaml;

/// An error in a document, with its location and cause.
#[derive(Debug)]
pub(crate) struct Error {
    place: String,
    cause: String,
}

impl Error {
    pub(crate) fn new(place: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self {
            place: place.to_string(),
            cause: cause.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.cause)
    }
}

impl std::error::Error for Error {}

/// A JSON object of the document.
pub(crate) type Object = Map<String, Value>;

/// A parsed document and the name of its file for error messages.
#[derive(Debug)]
pub(crate) struct Document {
    name: String,
    root: Value,
}

/// An operation with its parameters resolved and those of its path merged in.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) path: String,
    pub(crate) method: String,
    pub(crate) id: String,
    pub(crate) parameters: Vec<Value>,
    pub(crate) value: Value,
}

const UNSUPPORTED: [&str; 3] = ["head", "options", "trace"];
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

impl Document {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| Error::new(&name, error))?;
        Self::parse(&name, &text)
    }

    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let root = yaml::read(text).map_err(|error| Error::new(name, error))?;
        Self::new(name, root)
    }

    pub(crate) fn new(name: &str, root: Value) -> Result<Self, Error> {
        let document = Self {
            name: name.to_owned(),
            root,
        };
        match document.root.get("openapi").and_then(Value::as_str) {
            Some(version) if version.starts_with("3.0.") => Ok(document),
            Some(version) => {
                Err(document.error("openapi", format!("is {version}, supported is 3.0.x")))
            }
            None => Err(document.error("openapi", "is missing: this isn't an OpenAPI document")),
        }
    }

    pub(crate) fn error(&self, at: impl fmt::Display, cause: impl fmt::Display) -> Error {
        Error::new(&self.name, format!("{at}: {cause}"))
    }

    /// The text of `info.<field>`.
    pub(crate) fn info(&self, field: &str) -> Option<&str> {
        self.root.get("info")?.get(field)?.as_str()
    }

    /// The operations in the order of the document.
    pub(crate) fn operations(&self) -> Result<Vec<Operation>, Error> {
        let paths = self
            .root
            .get("paths")
            .and_then(Value::as_object)
            .ok_or_else(|| self.error("paths", "is missing or not an object"))?;
        let mut operations = Vec::new();
        for (path, item) in paths {
            if let Some(method) = UNSUPPORTED.iter().find(|method| item.get(method).is_some()) {
                return Err(self.error(format!("paths.{path}.{method}"), "isn't supported"));
            }
            for method in METHODS {
                if let Some(value) = item.get(method) {
                    operations.push(self.operation(path, method, item, value)?);
                }
            }
        }
        Ok(operations)
    }

    /// Resolves a `$ref`; anything else is returned unchanged.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> Result<&'a Value, Error> {
        let Some(reference) = value.get("$ref") else {
            return Ok(value);
        };
        let reference = reference.as_str().unwrap_or("$ref");
        reference
            .strip_prefix('#')
            .and_then(|pointer| self.root.pointer(pointer))
            .ok_or_else(|| self.error(reference, "isn't in this document"))
    }

    /// Rejects a value whose references have no end.
    pub(crate) fn refuse_cycles(&self, value: &Value) -> Result<(), Error> {
        self.follow(value, &mut Vec::new(), &mut BTreeSet::new())
    }

    fn follow<'a>(
        &'a self,
        value: &'a Value,
        open: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Result<(), Error> {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            if open.contains(&reference) {
                return Err(self.error(reference, "refers to itself, which isn't supported"));
            }
            if done.insert(reference) {
                open.push(reference);
                self.follow(self.resolve(value)?, open, done)?;
                open.pop();
            }
        }
        let fields = value.as_object().into_iter().flat_map(Object::values);
        let mut all = fields.chain(value.as_array().into_iter().flatten());
        all.try_for_each(|value| self.follow(value, open, done))
    }

    fn operation(
        &self,
        path: &str,
        method: &str,
        item: &Value,
        value: &Value,
    ) -> Result<Operation, Error> {
        let at = format!("paths.{path}.{method}");
        let id = value
            .get("operationId")
            .and_then(Value::as_str)
            .ok_or_else(|| {
                self.error(
                    &at,
                    "has no operationId, which the method's name is derived from",
                )
            })?;
        let mut parameters: Vec<Value> = Vec::new();
        for parameter in array(item, "parameters")
            .iter()
            .chain(array(value, "parameters"))
        {
            let parameter = self.resolve(parameter)?;
            let same = |other: &Value| {
                ["name", "in"]
                    .iter()
                    .all(|key| other[key] == parameter[key])
            };
            parameters.retain(|other| !same(other));
            parameters.push(parameter.clone());
        }
        Ok(Operation {
            path: path.to_owned(),
            method: method.to_owned(),
            id: id.to_owned(),
            parameters,
            value: value.clone(),
        })
    }
}

/// The name of the component schema that `value` refers to.
pub(crate) fn schema_name(value: &Value) -> Option<&str> {
    value
        .get("$ref")?
        .as_str()?
        .strip_prefix("#/components/schemas/")
}

/// The array under `key`, or an empty one.
pub(crate) fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
