//! Generates request bodies: a struct, setters, and a builder if fields are required.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::document::Error;
use super::prepare::{Field, Kind, Request};
use super::rust::{Presence, argument, converted, docs, each, ident, rust_type, type_name};

pub(crate) fn request(request: &Request) -> Result<TokenStream, Error> {
    let name = ident(&request.name)?;
    let doc = docs([&*request.doc]);
    let fields = each(&request.fields, |field| {
        let name = ident(&field.name)?;
        let doc = docs([&*field.doc]);
        let (kept, attribute) = kept(field)?;
        Ok(quote! { #doc #attribute pub #name: #kept })
    })?;
    let required = request.fields.iter().any(|field| field.required);
    let made = match required {
        true => builder(request)?,
        false => setters(request)?,
    };
    let default = (!required).then(|| quote! { Default, });
    let unknown = request.fields.iter().filter(|field| match &field.kind {
        Kind::List(item) | Kind::Set(item) => matches!(**item, Kind::Named(_)),
        _ => false,
    });
    let unknown = each(unknown, |field| {
        let label = &field.name;
        let name = ident(label)?;
        let values = match field.required {
            true => quote! { self.#name.iter() },
            false => quote! { self.#name.iter().flatten() },
        };
        Ok(quote! {
            for value in #values.filter(|value| value.is_unknown()) {
                crate::client::log::unknown(operation, #label, value.as_str());
            }
        })
    })?;
    // An invalid value in a flattened optional field would be read as if it were absent.
    let forgiving = request
        .fields
        .iter()
        .any(|field| field.flat && !field.required);
    let deserialize = (!forgiving).then(|| quote! { ::serde::Deserialize, });
    Ok(quote! {
        #doc
        #[derive(Clone, Debug, PartialEq, #default #deserialize ::serde::Serialize)]
        #[non_exhaustive]
        pub struct #name { #(#fields),* }

        impl #name {
            /// Logs values that the document doesn't list.
            pub(crate) fn warn_unknown(&self, operation: &str) {
                let _ = operation;
                #(#unknown)*
            }
        }

        #made
    })
}

/// `new` and a setter for each field, for a body without required fields.
fn setters(request: &Request) -> Result<TokenStream, Error> {
    let name = ident(&request.name)?;
    let setters = each(&request.fields, |field| {
        let (name, doc, argument, value) = setter(field)?;
        Ok(quote! {
            #doc
            #[must_use]
            pub fn #name(self, #name: #argument) -> Self {
                Self { #name: #value, ..self }
            }
        })
    })?;
    Ok(quote! {
        impl #name {
            /// Creates an empty body.
            pub fn new() -> Self {
                Self::default()
            }

            #(#setters)*
        }
    })
}

/// A builder whose `build` doesn't compile before the required fields are set.
fn builder(request: &Request) -> Result<TokenStream, Error> {
    let body = ident(&request.name)?;
    let builder = format_ident!("{body}Builder");
    let names = request
        .fields
        .iter()
        .map(|field| ident(&field.name))
        .collect::<Result<Vec<_>, _>>()?;
    let required: Vec<_> = request
        .fields
        .iter()
        .filter(|field| field.required)
        .collect();
    let states: Vec<_> = required.iter().map(|field| state(field)).collect();
    let defaults: Vec<_> = states.iter().map(missing).collect();
    let fields = each(&request.fields, |field| {
        let name = ident(&field.name)?;
        let (kept, _) = kept(field)?;
        let state = state(field);
        Ok(match field.required {
            true => quote! { #name: #state },
            false => quote! { #name: #kept },
        })
    })?;
    let initial = each(&request.fields, |field| {
        let name = ident(&field.name)?;
        let missing = missing(&state(field));
        Ok(match field.required {
            true => quote! { #name: super::missing::#missing(()) },
            false => quote! { #name: ::std::default::Default::default() },
        })
    })?;
    let setters = each(&request.fields, |field| {
        let (name, doc, argument, value) = setter(field)?;
        if !field.required {
            return Ok(quote! {
                #doc
                pub fn #name(self, #name: #argument) -> Self {
                    Self { #name: #value, ..self }
                }
            });
        }
        let (kept, _) = kept(field)?;
        let after = required.iter().map(|other| match other.name == field.name {
            true => kept.clone(),
            false => {
                let state = state(other);
                quote! { #state }
            }
        });
        let others = names.iter().filter(|other| **other != name);
        Ok(quote! {
            #doc
            pub fn #name(self, #name: #argument) -> #builder<#(#after),*> {
                #builder { #name: #value, #(#others: self.#others),* }
            }
        })
    })?;
    let bounds = each(required.iter().copied(), |field| {
        let state = state(field);
        let (kept, _) = kept(field)?;
        Ok(quote! { #state: crate::RequiredField<#kept> })
    })?;
    let built = each(&request.fields, |field| {
        let name = ident(&field.name)?;
        Ok(match field.required {
            true => quote! { #name: crate::RequiredField::into_value(self.#name) },
            false => quote! { #name: self.#name },
        })
    })?;
    let listed: Vec<_> = required
        .iter()
        .map(|field| format!("`{}`", field.name))
        .collect();
    let listed = format!(" Required: {}.", listed.join(", "));
    let intro = format!(" A builder for a [`{body}`].");
    let start =
        format!(" Returns a builder; [`build`]({builder}::build) requires all required fields.");
    let shown = builder.to_string();
    Ok(quote! {
        impl #body {
            #[doc = #start]
            ///
            #[doc = #listed]
            pub fn builder() -> #builder {
                #builder { #(#initial),* }
            }
        }

        #[doc = #intro]
        ///
        #[doc = #listed]
        #[derive(Clone)]
        #[must_use = "a builder does nothing until `build` is called"]
        pub struct #builder<#(#states = super::missing::#defaults),*> {
            #(#fields),*
        }

        impl<#(#states),*> #builder<#(#states),*> {
            #(#setters)*

            /// Builds the body.
            #[must_use]
            pub fn build(self) -> #body
            where
                #(#bounds),*
            {
                #body { #(#built),* }
            }
        }

        impl<#(#states),*> ::std::fmt::Debug for #builder<#(#states),*> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#shown).finish_non_exhaustive()
            }
        }
    })
}

/// The markers of unset required fields, for all bodies of a service.
pub(crate) fn missing_fields(requests: &[Request]) -> TokenStream {
    let fields = requests.iter().flat_map(|request| &request.fields);
    let mut names: Vec<_> = fields.filter(|field| field.required).collect();
    names.sort_by_key(|field| &field.name);
    names.dedup_by_key(|field| &field.name);
    let markers = names.iter().map(|field| {
        let marker = missing(&state(field));
        let doc = format!(" `{}` isn't set.", field.name);
        quote! {
            #[doc = #doc]
            #[derive(Clone, Copy, Debug)]
            pub struct #marker(pub(super) ());
        }
    });
    quote! {
        /// Markers for required fields of a request body that aren't set yet.
        pub mod missing {
            #(#markers)*
        }
    }
}

fn state(field: &Field) -> Ident {
    type_name(&field.name)
}

fn missing(state: &Ident) -> Ident {
    format_ident!("Missing{state}")
}

/// The type of the struct's field, and how it is serialized.
fn kept(field: &Field) -> Result<(TokenStream, Option<TokenStream>), Error> {
    let kind = rust_type(&field.kind)?;
    Ok(match presence(field) {
        Presence::Required if field.flat => (kind, Some(quote! { #[serde(flatten)] })),
        _ if field.flat => (
            quote! { ::std::option::Option<#kind> },
            Some(quote! { #[serde(flatten)] }),
        ),
        Presence::Required => (kind, None),
        Presence::RequiredNullable => (quote! { ::std::option::Option<#kind> }, None),
        Presence::Optional => (
            quote! { ::std::option::Option<#kind> },
            Some(quote! {
                #[serde(
                    default,
                    deserialize_with = "crate::optional::not_null",
                    skip_serializing_if = "::std::option::Option::is_none"
                )]
            }),
        ),
        Presence::OptionalNullable => (
            quote! { crate::Patch<#kind> },
            Some(quote! { #[serde(default, skip_serializing_if = "crate::Patch::is_absent")] }),
        ),
    })
}

/// The name, docs, argument, and value of a setter.
fn setter(field: &Field) -> Result<(Ident, TokenStream, TokenStream, TokenStream), Error> {
    let name = ident(&field.name)?;
    let argument = argument(&field.kind, presence(field))?;
    let value = converted(&field.kind, presence(field), &name);
    Ok((name, docs([&*field.doc]), argument, value))
}

fn presence(field: &Field) -> Presence {
    Presence::new(field.required, field.nullable)
}
