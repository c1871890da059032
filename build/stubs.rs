//! Generates typed wiremock stubs for each operation, and pages of lists.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::document::Error;
use super::operations::answer;
use super::prepare::{Field, Kind, OperationRow, Parameter, Prepared, Response};
use super::rust::{Presence, argument, converted, docs, each, ident, rust_type, type_name};

/// The module `stub`.
pub(crate) fn stubs(prepared: &Prepared) -> Result<TokenStream, Error> {
    let functions = each(&prepared.operations, |row| function(prepared, row))?;
    let matchers = each(&prepared.operations, |row| matchers(prepared, row))?;
    let pages = prepared.responses.iter().filter_map(page);
    Ok(quote! {
        /// Typed stubs for wiremock, one for each operation.
        ///
        /// See [`Stub`](crate::testing::Stub).
        #[cfg(feature = "testing")]
        pub mod stub {
            use super::{models, operation, types};
            use crate::testing::Stub;

            #(#functions)*
            #(#matchers)*
        }

        #(#pages)*
    })
}

fn function(prepared: &Prepared, row: &OperationRow) -> Result<TokenStream, Error> {
    let OperationRow {
        id, method, status, ..
    } = row;
    let name = ident(id)?;
    let path = format!("{}{}", prepared.provider.root, row.path);
    let client = type_name(&format!("{}-client", prepared.provider.module));
    let doc = format!(" A stub for [`{id}`](super::{client}::{id}).");
    let operation = type_name(id);
    let answer = answer(&row.answer);
    let method = format_ident!("{method}");
    let errors = format_ident!("{}", prepared.provider.errors);
    let required: Vec<_> = row.parameters.iter().filter(|one| one.required).collect();
    let arguments = each(required.iter().copied(), |parameter| {
        let name = ident(&parameter.name)?;
        let argument = argument(&parameter.kind, Presence::Required)?;
        Ok(quote! { #name: #argument })
    })?;
    let paths = each(required, |parameter| {
        let text = &parameter.name;
        let value = converted(&parameter.kind, Presence::Required, &ident(text)?);
        let value = match parameter.kind {
            Kind::Text => quote! { { let value: ::std::string::String = #value; value } },
            _ => value,
        };
        Ok(quote! { .path(#text, #value) })
    })?;
    Ok(quote! {
        #[doc = #doc]
        pub fn #name(#(#arguments),*) -> Stub<operation::#operation, #answer> {
            Stub::new(crate::testing::StubOperation {
                id: #id,
                method: ::http::Method::#method,
                path: #path,
                status: #status,
                errors: crate::testing::ErrorFormat::#errors,
            })
            #(#paths)*
        }
    })
}

/// A setter for each optional parameter and for each field of the body.
fn matchers(prepared: &Prepared, row: &OperationRow) -> Result<TokenStream, Error> {
    let operation = type_name(&row.id);
    let answer = answer(&row.answer);
    let optional = row.parameters.iter().filter(|one| !one.required);
    let parameters = each(optional, parameter)?;
    let mut requests = prepared.requests.iter();
    let request = requests.find(|request| row.request.as_ref() == Some(&request.name));
    let body = request.map(|request| {
        let name = format_ident!("{}", request.name);
        quote! {
            /// Matches only requests with exactly this body.
            pub fn body(self, body: models::#name) -> Self {
                self.whole_body(body)
            }
        }
    });
    let fields = each(
        request.into_iter().flat_map(|request| &request.fields),
        field,
    )?;
    if parameters.is_empty() && fields.is_empty() {
        return Ok(TokenStream::new());
    }
    Ok(quote! {
        impl Stub<operation::#operation, #answer> {
            #(#parameters)*
            #body
            #(#fields)*
        }
    })
}

fn parameter(parameter: &Parameter) -> Result<TokenStream, Error> {
    let text = &parameter.name;
    let name = ident(text)?;
    let doc = docs([
        &*format!("Matches only requests with this `{text}`."),
        &parameter.doc,
    ]);
    let argument = argument(&parameter.kind, Presence::Required)?;
    let value = converted(&parameter.kind, Presence::Required, &name);
    let kept = rust_type(&parameter.kind)?;
    let values = match parameter.kind {
        Kind::List(_) if parameter.joined => {
            quote! { crate::query::CommaSeparated::new(#name) }
        }
        Kind::List(_) => quote! { #name },
        Kind::DateTime => quote! { [#name.to_rfc3339()] },
        _ => quote! { [#name] },
    };
    Ok(quote! {
        #doc
        pub fn #name(self, #name: #argument) -> Self {
            let #name: #kept = #value;
            self.query(#text, #values)
        }
    })
}

fn field(field: &Field) -> Result<TokenStream, Error> {
    let text = &field.name;
    let name = ident(text)?;
    let doc = docs([
        &*format!("Matches only requests with this `{text}`."),
        &field.doc,
    ]);
    let kept = rust_type(&field.kind)?;
    if field.nullable {
        return Ok(quote! {
            #doc
            pub fn #name(self, #name: impl Into<crate::Patch<#kept>>) -> Self {
                match #name.into() {
                    crate::Patch::Absent => self.no_field(#text),
                    value => self.field(#text, value),
                }
            }
        });
    }
    let argument = argument(&field.kind, Presence::Required)?;
    let value = converted(&field.kind, Presence::Required, &name);
    let matches = match field.flat {
        true => quote! { self.fields(#name) },
        false => quote! { self.field(#text, #name) },
    };
    Ok(quote! {
        #doc
        pub fn #name(self, #name: #argument) -> Self {
            let #name: #kept = #value;
            #matches
        }
    })
}

/// Converts items into the only page of a list, for a response with `count` and `results`.
fn page(response: &Response) -> Option<TokenStream> {
    let field = |name: &str| response.fields.iter().find(|field| field.name == name);
    field("count")?;
    let Kind::List(item) = &field("results")?.kind else {
        return None;
    };
    let item = rust_type(item).ok()?;
    let page = format_ident!("{}", response.name);
    Some(quote! {
        #[cfg(feature = "testing")]
        impl crate::testing::PageItem for #item {
            type Page = types::#page;

            fn page_of(items: Vec<Self>) -> Self::Page {
                types::#page::example().count(items.len() as u64).results(items)
            }
        }
    })
}
