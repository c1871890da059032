//! Rust for what the generator can't express: open enums, request bodies, the operation table.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::document::Error;
use super::prepare::{Constraint, Field, Kind, OpenEnum, OperationRow, Prepared, Request, Rule};

/// The module `models` and the table `OPERATIONS`.
pub(crate) fn models(prepared: &Prepared) -> Result<TokenStream, Error> {
    let enums = prepared
        .enums
        .iter()
        .map(open_enum)
        .collect::<Result<Vec<_>, _>>()?;
    let requests = prepared
        .requests
        .iter()
        .map(request)
        .collect::<Result<Vec<_>, _>>()?;
    let operations = prepared.operations.iter().map(operation);
    Ok(quote! {
        /// Open enums and request bodies.
        pub mod models {
            #(#enums)*
            #(#requests)*
        }

        pub(crate) static OPERATIONS: &[crate::client::Operation] = &[#(#operations),*];
    })
}

fn open_enum(open: &OpenEnum) -> Result<TokenStream, Error> {
    let name = ident(&open.name)?;
    let doc = &open.doc;
    let mut variants = Vec::new();
    for value in &open.values {
        let variant = ident(&variant_name(value))?;
        if variants.iter().any(|(other, _, _)| *other == variant) {
            let cause = format!("two values would both be named {variant}");
            return Err(Error::new(&open.name, cause));
        }
        variants.push((variant, value, format!("`{value}`")));
    }
    let lines = variants.iter().map(|(variant, value, doc)| {
        quote! { #[doc = #doc] #variant = #value }
    });
    Ok(quote! {
        crate::open_enum::open_enum! {
            #[doc = #doc]
            pub enum #name { #(#lines),* , }
        }
    })
}

/// `wallet.apple.pass-added` becomes `WalletApplePassAdded`, `-name` becomes `NameDesc`.
fn variant_name(value: &str) -> String {
    let descending = value.starts_with('-');
    let words = value.split(|c: char| !c.is_ascii_alphanumeric());
    let mut name: String = words
        .flat_map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
        })
        .collect();
    if descending {
        name.push_str("Desc");
    }
    name
}

fn request(request: &Request) -> Result<TokenStream, Error> {
    let name = ident(&request.name)?;
    let doc = &request.doc;
    let fields = request
        .fields
        .iter()
        .map(field)
        .collect::<Result<Vec<_>, _>>()?;
    let (required, optional): (Vec<_>, Vec<_>) =
        request.fields.iter().partition(|field| field.required);
    let arguments = required
        .iter()
        .map(|field| argument(field))
        .collect::<Result<Vec<_>, _>>()?;
    let given = required
        .iter()
        .map(|field| assignment(field))
        .collect::<Result<Vec<_>, _>>()?;
    let absent = optional
        .iter()
        .map(|field| {
            Ok::<_, Error>({
                let name = ident(&field.name)?;
                quote! { #name: ::std::default::Default::default() }
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let setters = optional
        .iter()
        .map(|field| setter(field))
        .collect::<Result<Vec<_>, _>>()?;
    let default = required.is_empty().then(|| quote! { Default, });
    // What is wrong with a flattened field that is optional would be read as if it were absent.
    let forgiving = request
        .fields
        .iter()
        .any(|field| field.flat && !field.required);
    let deserialize = (!forgiving).then(|| quote! { ::serde::Deserialize, });
    let new_doc = if required.is_empty() {
        "Leaves every field out."
    } else {
        "Takes what is required and leaves the rest out."
    };
    Ok(quote! {
        #[doc = #doc]
        #[derive(Clone, Debug, PartialEq, #default #deserialize ::serde::Serialize)]
        #[non_exhaustive]
        pub struct #name { #(#fields),* }

        impl #name {
            #[doc = #new_doc]
            #[must_use]
            pub fn new(#(#arguments),*) -> Self {
                Self { #(#given,)* #(#absent,)* }
            }

            #(#setters)*
        }
    })
}

fn field(field: &Field) -> Result<TokenStream, Error> {
    let name = ident(&field.name)?;
    let doc = &field.doc;
    let kind = rust_type(&field.kind)?;
    let (kind, attribute) = match (field.required, field.nullable) {
        (true, _) if field.flat => (kind, Some(quote! { #[serde(flatten)] })),
        (false, _) if field.flat => (
            quote! { ::std::option::Option<#kind> },
            Some(quote! { #[serde(flatten)] }),
        ),
        (true, false) => (kind, None),
        (true, true) => (quote! { ::std::option::Option<#kind> }, None),
        (false, false) => (
            quote! { ::std::option::Option<#kind> },
            Some(quote! {
                #[serde(default, skip_serializing_if = "::std::option::Option::is_none")]
            }),
        ),
        (false, true) => (
            quote! { crate::Patch<#kind> },
            Some(quote! { #[serde(default, skip_serializing_if = "crate::Patch::is_absent")] }),
        ),
    };
    Ok(quote! { #[doc = #doc] #attribute pub #name: #kind })
}

fn setter(field: &Field) -> Result<TokenStream, Error> {
    let name = ident(&field.name)?;
    let doc = &field.doc;
    let argument = argument(field)?;
    let assignment = assignment(field)?;
    Ok(quote! {
        #[doc = #doc]
        #[must_use]
        pub fn #name(self, #argument) -> Self {
            Self { #assignment, ..self }
        }
    })
}

fn argument(field: &Field) -> Result<TokenStream, Error> {
    let name = ident(&field.name)?;
    let kind = rust_type(&field.kind)?;
    Ok(match (&field.kind, field.nullable) {
        (_, true) if field.required => {
            quote! { #name: impl ::std::convert::Into<::std::option::Option<#kind>> }
        }
        (_, true) => quote! { #name: impl ::std::convert::Into<crate::Patch<#kind>> },
        (Kind::List(item), false) => {
            let item = rust_type(item)?;
            quote! {
                #name: impl ::std::iter::IntoIterator<Item = impl ::std::convert::Into<#item>>
            }
        }
        (Kind::Text | Kind::Named(_), false) => {
            quote! { #name: impl ::std::convert::Into<#kind> }
        }
        (_, false) => quote! { #name: #kind },
    })
}

fn assignment(field: &Field) -> Result<TokenStream, Error> {
    let name = ident(&field.name)?;
    let value = match (&field.kind, field.nullable) {
        (_, true) => return Ok(quote! { #name: #name.into() }),
        (Kind::List(_), false) => {
            quote! { #name.into_iter().map(::std::convert::Into::into).collect() }
        }
        (Kind::Text | Kind::Named(_), false) => quote! { #name.into() },
        (_, false) => quote! { #name },
    };
    Ok(match field.required {
        true => quote! { #name: #value },
        false => quote! { #name: ::std::option::Option::Some(#value) },
    })
}

fn rust_type(kind: &Kind) -> Result<TokenStream, Error> {
    Ok(match kind {
        Kind::Text => quote! { ::std::string::String },
        Kind::DateTime => quote! { ::chrono::DateTime<::chrono::Utc> },
        Kind::Boolean => quote! { bool },
        Kind::Unsigned => quote! { u64 },
        Kind::Signed => quote! { i64 },
        Kind::Number => quote! { f64 },
        Kind::Named(path) => {
            let path: syn::Path = syn::parse_str(path).map_err(|e| Error::new(path, e))?;
            quote! { #path }
        }
        Kind::List(item) => {
            let item = rust_type(item)?;
            quote! { ::std::vec::Vec<#item> }
        }
    })
}

fn operation(row: &OperationRow) -> TokenStream {
    let OperationRow {
        id,
        method,
        path,
        query,
        body,
        answer: _,
    } = row;
    let method = Ident::new(method, Span::call_site());
    let query = query.iter().map(constraint);
    let body = body.iter().map(constraint);
    quote! {
        crate::client::Operation {
            id: #id,
            method: ::http::Method::#method,
            path: #path,
            query: &[#(#query),*],
            body: &[#(#body),*],
        }
    }
}

fn constraint(constraint: &Constraint) -> TokenStream {
    let field = &constraint.field;
    let (rule, bound) = match constraint.rule {
        Rule::MinLength(bound) => ("MinLength", quote! { #bound }),
        Rule::MaxLength(bound) => ("MaxLength", quote! { #bound }),
        Rule::Minimum(bound) => ("Minimum", quote! { #bound }),
        Rule::Maximum(bound) => ("Maximum", quote! { #bound }),
        Rule::MinItems(bound) => ("MinItems", quote! { #bound }),
        Rule::MaxItems(bound) => ("MaxItems", quote! { #bound }),
    };
    let rule = format_ident!("{rule}");
    quote! {
        crate::client::Constraint { field: #field, rule: crate::client::Rule::#rule(#bound) }
    }
}

fn ident(name: &str) -> Result<Ident, Error> {
    syn::parse_str(name).map_err(|_| Error::new(name, "can't be a name in Rust"))
}
