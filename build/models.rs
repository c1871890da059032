//! Open enums and request bodies, which the generator can't express.

use proc_macro2::TokenStream;
use quote::quote;

use super::document::Error;
use super::prepare::{Field, OpenEnum, Prepared, Request};
use super::rust::{Presence, argument, converted, docs, ident, rust_type, type_name};

/// The module `models`.
pub(crate) fn models(prepared: &Prepared) -> Result<TokenStream, Error> {
    let enums = each(&prepared.enums, open_enum)?;
    let requests = each(&prepared.requests, request)?;
    Ok(quote! {
        pub mod models {
            #(#enums)*
            #(#requests)*
        }
    })
}

fn each<'a, T>(
    all: impl IntoIterator<Item = &'a T>,
    code: impl Fn(&'a T) -> Result<TokenStream, Error>,
) -> Result<Vec<TokenStream>, Error>
where
    T: 'a,
{
    all.into_iter().map(code).collect()
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

fn request(request: &Request) -> Result<TokenStream, Error> {
    let name = ident(&request.name)?;
    let doc = docs([&*request.doc]);
    let fields = each(&request.fields, field)?;
    let (required, optional): (Vec<_>, Vec<_>) =
        request.fields.iter().partition(|field| field.required);
    let arguments = each(required.iter().copied(), |field| {
        let name = ident(&field.name)?;
        let argument = argument(&field.kind, presence(field))?;
        Ok(quote! { #name: #argument })
    })?;
    let given = each(required.iter().copied(), assignment)?;
    let absent = each(optional.iter().copied(), |field| {
        let name = ident(&field.name)?;
        Ok(quote! { #name: ::std::default::Default::default() })
    })?;
    let setters = each(optional, setter)?;
    let default = required.is_empty().then(|| quote! { Default, });
    // An invalid value in a flattened optional field would be read as if it were absent.
    let forgiving = request
        .fields
        .iter()
        .any(|field| field.flat && !field.required);
    let deserialize = (!forgiving).then(|| quote! { ::serde::Deserialize, });
    let new_doc = if required.is_empty() {
        " An update that changes nothing."
    } else {
        " A body with the required fields; setters add the others."
    };
    Ok(quote! {
        #doc
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
    let doc = docs([&*field.doc]);
    let kind = rust_type(&field.kind)?;
    let (kind, attribute) = match presence(field) {
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
                #[serde(default, skip_serializing_if = "::std::option::Option::is_none")]
            }),
        ),
        Presence::OptionalNullable => (
            quote! { crate::Patch<#kind> },
            Some(quote! { #[serde(default, skip_serializing_if = "crate::Patch::is_absent")] }),
        ),
    };
    Ok(quote! { #doc #attribute pub #name: #kind })
}

fn setter(field: &Field) -> Result<TokenStream, Error> {
    let name = ident(&field.name)?;
    let doc = docs([&*field.doc]);
    let argument = argument(&field.kind, presence(field))?;
    let assignment = assignment(field)?;
    Ok(quote! {
        #doc
        #[must_use]
        pub fn #name(self, #name: #argument) -> Self {
            Self { #assignment, ..self }
        }
    })
}

fn assignment(field: &Field) -> Result<TokenStream, Error> {
    let name = ident(&field.name)?;
    let value = converted(&field.kind, presence(field), &name);
    Ok(quote! { #name: #value })
}

fn presence(field: &Field) -> Presence {
    Presence::new(field.required, field.nullable)
}
