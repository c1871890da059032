//! Generates open enums and request bodies, which the generator doesn't support.

use proc_macro2::TokenStream;
use quote::quote;

use super::document::Error;
use super::prepare::{OpenEnum, Prepared};
use super::requests::{missing_fields, request};
use super::rust::{docs, each, ident, type_name};

/// The modules `models` and `missing`.
pub(crate) fn models(prepared: &Prepared) -> Result<TokenStream, Error> {
    let enums = each(&prepared.enums, open_enum)?;
    let requests = each(&prepared.requests, request)?;
    let missing = missing_fields(&prepared.requests);
    Ok(quote! {
        pub mod models {
            #(#enums)*
            #(#requests)*
        }

        #missing
    })
}

fn open_enum(open: &OpenEnum) -> Result<TokenStream, Error> {
    let name = ident(&open.name)?;
    let doc = docs([&*open.doc]);
    let mut variants = Vec::new();
    for value in &open.values {
        let variant = ident(&type_name(value).to_string())?;
        if variants.iter().any(|(other, _, _)| *other == variant) {
            let cause = format!("two values would both be named {variant}");
            return Err(Error::new(&open.name, cause));
        }
        variants.push((variant, value, format!(" `{value}`")));
    }
    let lines = variants.iter().map(|(variant, value, doc)| {
        quote! { #[doc = #doc] #variant = #value }
    });
    Ok(quote! {
        crate::open_enum::open_enum! {
            #doc
            pub enum #name { #(#lines),* , }
        }
        crate::optional::optional_text! { #name }
    })
}
