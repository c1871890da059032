//! Generates the examples of the client's methods, and `example()` of the response types.

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::document::Error;
use super::prepare::{AnswerType, Kind, OperationRow, Prepared, Request, Response, ResponseField};
use super::rust::{Presence, argument, converted, docs, each, ident, rust_type, type_name};

/// A doc example that calls an operation.
pub(crate) fn call(prepared: &Prepared, row: &OperationRow) -> String {
    let module = prepared.provider.module;
    let client = type_name(&format!("{module}-client"));
    let required = row.parameters.iter().filter(|parameter| parameter.required);
    let mut arguments: Vec<_> = required
        .map(|parameter| literal(prepared, &parameter.kind, &parameter.example))
        .collect();
    let request = prepared
        .requests
        .iter()
        .find(|request| row.request.as_ref() == Some(&request.name));
    let body = request.map(|request| {
        arguments.push("body".to_owned());
        format!("let body = {};\n", body(prepared, request))
    });
    let optional = row.parameters.iter().find(|parameter| !parameter.required);
    let setter = optional.map(|parameter| {
        let value = literal(prepared, &parameter.kind, &parameter.example);
        format!(".{}({value})", parameter.name)
    });
    let (binding, shown) = match &row.answer {
        AnswerType::Nothing => ("", ""),
        AnswerType::One(_) | AnswerType::List(_) => {
            ("let response = ", "println!(\"{response:?}\");\n")
        }
    };
    format!(
        "```no_run\n\
         # async fn example({module}: webhook_sdk::{module}::{client}) -> Result<(), Box<dyn std::error::Error>> {{\n\
         {}{binding}{module}.{}({}){}.send().await?;\n\
         {shown}\
         # Ok(())\n\
         # }}\n\
         ```",
        body.unwrap_or_default(),
        row.id,
        arguments.join(", "),
        setter.unwrap_or_default(),
    )
}

/// An expression for a request body, with its required fields or else its first optional one.
fn body(prepared: &Prepared, request: &Request) -> String {
    let path = format!(
        "webhook_sdk::{}::{}",
        prepared.provider.module, request.name
    );
    let setter = |field: &super::prepare::Field| {
        let value = literal(prepared, &field.kind, &field.example);
        format!("\n    .{}({value})", field.name)
    };
    let required: String = request
        .fields
        .iter()
        .filter(|field| field.required)
        .map(setter)
        .collect();
    if required.is_empty() {
        let first = request.fields.first().map(setter).unwrap_or_default();
        return format!("{path}::new(){}", first.trim_start());
    }
    format!("{path}::builder(){required}\n    .build()")
}

fn literal(prepared: &Prepared, kind: &Kind, example: &Value) -> String {
    if let Kind::Named(path) = kind {
        let name = path.rsplit("::").next();
        let mut known = prepared.provider.examples.iter();
        if let Some((_, expression)) = known.find(|(known, _)| Some(*known) == name) {
            return (*expression).to_owned();
        }
    }
    match (kind, example) {
        (Kind::List(item) | Kind::Set(item), Value::Array(items)) => {
            let items: Vec<_> = items
                .iter()
                .map(|example| literal(prepared, item, example))
                .collect();
            format!("[{}]", items.join(", "))
        }
        (Kind::Named(_) | Kind::Text, Value::String(text)) if kind != &Kind::DateTime => {
            format!("{text:?}")
        }
        (Kind::DateTime, _) => "chrono::DateTime::UNIX_EPOCH".to_owned(),
        (_, Value::Null) => "None".to_owned(),
        (_, example) => example.to_string(),
    }
}

/// `example()` and the setters of the response types, for tests.
pub(crate) fn responses(prepared: &Prepared) -> Result<TokenStream, Error> {
    let types = each(&prepared.responses, response)?;
    Ok(quote! { #(#types)* })
}

fn response(response: &Response) -> Result<TokenStream, Error> {
    let name = ident(&response.name)?;
    let example = response.example.to_string();
    let setters = each(&response.fields, setter)?;
    Ok(quote! {
        #[cfg(feature = "testing")]
        impl types::#name {
            /// Creates an example with a value in every field, for tests.
            ///
            /// A field has the example of the OpenAPI document, or else the first value of an enum,
            /// `true`, the minimum of a number or 1, 2026-11-21T12:00:00Z, or `"text"`. A list has
            /// one item. Use the setters to change fields.
            pub fn example() -> Self {
                crate::testing::example(#example)
            }

            #(#setters)*
        }
    })
}

fn setter(field: &ResponseField) -> Result<TokenStream, Error> {
    let name = ident(&field.name)?;
    let doc = docs([&*field.doc]);
    let (argument, value) = match field.optional {
        // `None` is only used as a value here.
        true => {
            let kind = rust_type(&field.kind)?;
            (
                quote! { impl Into<crate::Patch<#kind>> },
                quote! { #name.into().or(self.#name) },
            )
        }
        false => (
            argument(&field.kind, Presence::Required)?,
            converted(&field.kind, Presence::Required, &name),
        ),
    };
    Ok(quote! {
        #doc
        #[must_use]
        pub fn #name(mut self, #name: #argument) -> Self {
            self.#name = #value;
            self
        }
    })
}
