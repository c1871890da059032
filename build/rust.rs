//! Rust code for values of a document: the type, the argument of a setter, and the conversion.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::document::Error;
use super::prepare::Kind;

/// Whether a value can be omitted, and whether it can be `null`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Presence {
    Required,
    RequiredNullable,
    Optional,
    OptionalNullable,
}

impl Presence {
    pub(crate) fn new(required: bool, nullable: bool) -> Self {
        match (required, nullable) {
            (true, false) => Self::Required,
            (true, true) => Self::RequiredNullable,
            (false, false) => Self::Optional,
            (false, true) => Self::OptionalNullable,
        }
    }
}

pub(crate) fn rust_type(kind: &Kind) -> Result<TokenStream, Error> {
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
        Kind::Set(item) => {
            let item = rust_type(item)?;
            quote! { crate::Unordered<#item> }
        }
    })
}

/// The type of a setter's argument.
pub(crate) fn argument(kind: &Kind, presence: Presence) -> Result<TokenStream, Error> {
    let whole = rust_type(kind)?;
    Ok(match (presence, kind) {
        (Presence::RequiredNullable | Presence::OptionalNullable, _) => {
            quote! { impl Into<crate::Patch<#whole>> }
        }
        (_, Kind::List(item) | Kind::Set(item)) => {
            let exact = is_exact(item);
            let item = rust_type(item)?;
            match exact {
                true => quote! { impl IntoIterator<Item = #item> },
                false => quote! { impl IntoIterator<Item = impl Into<#item>> },
            }
        }
        (Presence::Optional, _) => quote! { impl crate::IntoOptional<#whole> },
        (Presence::Required, kind) if is_exact(kind) => whole,
        (Presence::Required, _) => quote! { impl Into<#whole> },
    })
}

/// Converts the argument `name` into the stored value, which is an `Option` unless it is required.
pub(crate) fn converted(kind: &Kind, presence: Presence, name: &Ident) -> TokenStream {
    let list = match kind {
        Kind::List(item) | Kind::Set(item) if is_exact(item) => {
            Some(quote! { #name.into_iter().collect() })
        }
        Kind::List(_) | Kind::Set(_) => {
            Some(quote! { #name.into_iter().map(Into::into).collect() })
        }
        _ => None,
    };
    match (presence, list) {
        (Presence::RequiredNullable, _) => quote! { #name.into().or(None) },
        (Presence::OptionalNullable, _) => quote! { #name.into() },
        (Presence::Optional, None) => quote! { crate::IntoOptional::into_optional(#name) },
        (Presence::Optional, Some(list)) => quote! { ::std::option::Option::Some(#list) },
        (Presence::Required, Some(list)) => list,
        (Presence::Required, None) if is_exact(kind) => quote! { #name },
        (Presence::Required, None) => quote! { #name.into() },
    }
}

/// Whether a setter takes the type itself instead of a conversion.
fn is_exact(kind: &Kind) -> bool {
    !matches!(kind, Kind::Text | Kind::Named(_))
}

/// The code of each item.
pub(crate) fn each<'a, T: 'a>(
    all: impl IntoIterator<Item = &'a T>,
    code: impl Fn(&'a T) -> Result<TokenStream, Error>,
) -> Result<Vec<TokenStream>, Error> {
    all.into_iter().map(code).collect()
}

pub(crate) fn ident(name: &str) -> Result<Ident, Error> {
    syn::parse_str(name).map_err(|_| Error::new(name, "can't be a name in Rust"))
}

/// `rotate_webhook_secret` becomes `RotateWebhookSecret`, `-name` becomes `NameDesc`.
pub(crate) fn type_name(text: &str) -> Ident {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
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
    if text.starts_with('-') {
        name.push_str("Desc");
    }
    format_ident!("{name}")
}

/// Doc attributes for the paragraphs of a text. Empty paragraphs are skipped.
pub(crate) fn docs<'a>(paragraphs: impl IntoIterator<Item = &'a str>) -> TokenStream {
    let mut lines = Vec::new();
    for paragraph in paragraphs {
        let paragraph = paragraph.trim();
        if paragraph.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(paragraph.lines().map(|line| format!(" {line}")));
    }
    quote! { #(#[doc = #lines])* }
}
