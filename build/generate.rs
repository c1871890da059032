//! Runs the generator over the prepared document.

use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TypeImpl, TypePatch};
use quote::quote;
use syn::{File, Item, parse_quote};

use super::document::{Document, Error};
use super::examples;
use super::models::models;
use super::operations::operations;
use super::prepare::{Kind, Prepared, prepare};
use super::provider::Provider;
use super::rust::rust_type;
use super::stubs::stubs;

/// The formatted code of one service.
pub(crate) fn generate(document: &Document, provider: &Provider) -> Result<String, Error> {
    let prepared = prepare(document, provider)?;
    let place = |error: &dyn std::fmt::Display| document.error("generating", error);
    let calls = calls(&prepared).map_err(|error| place(&error))?;
    let mut calls = syn::parse2(calls).map_err(|error| place(&error))?;
    make_sets(&mut calls, &prepared).map_err(|error| place(&error))?;
    let operations = operations(&prepared, &calls).map_err(|error| place(&error))?;
    let models = models(&prepared).map_err(|error| place(&error))?;
    let examples = examples::responses(&prepared).map_err(|error| place(&error))?;
    let stubs = stubs(&prepared).map_err(|error| place(&error))?;
    let file = syn::parse2(quote! { #calls #operations #models #examples #stubs })
        .map_err(|error| document.error("formatting the generated code", error))?;
    Ok(prettyplease::unparse(&file))
}

/// Turns the lists of response types whose order has no meaning into sets.
fn make_sets(calls: &mut File, prepared: &Prepared) -> Result<(), Error> {
    let types = calls.items.iter_mut().filter_map(|item| match item {
        Item::Mod(module) if module.ident == "types" => module.content.as_mut(),
        _ => None,
    });
    for item in types.flat_map(|(_, items)| items) {
        let Item::Struct(item) = item else { continue };
        let mut responses = prepared.responses.iter();
        let response = responses.find(|response| item.ident == response.name);
        for field in response.iter().flat_map(|response| &response.fields) {
            let kept = item.fields.iter_mut();
            let mut kept =
                kept.filter(|kept| kept.ident.as_ref().is_some_and(|i| *i == field.name));
            if let (Kind::Set(_), Some(kept)) = (&field.kind, kept.next()) {
                let set = rust_type(&field.kind)?;
                kept.ty = parse_quote! { #set };
                kept.attrs
                    .retain(|attribute| attribute.path().is_ident("doc"));
                kept.attrs.push(parse_quote! { #[serde(default)] });
            }
        }
    }
    Ok(())
}

/// The response types, and a private client.
fn calls(prepared: &Prepared) -> Result<TokenStream, progenitor::Error> {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote! { crate::client::Transport })
        .with_derive("PartialEq");
    for (component, path) in &prepared.replacements {
        let impls = [TypeImpl::Display, TypeImpl::FromStr];
        settings.with_replacement(component, path, impls.into_iter());
    }
    for (component, schema) in prepared
        .openapi
        .components
        .iter()
        .flat_map(|all| &all.schemas)
    {
        if !prepared.replacements.contains_key(component) && schema.as_item().is_some() {
            settings.with_patch(
                component,
                TypePatch::default().with_attr("#[non_exhaustive]"),
            );
        }
    }
    Generator::new(&settings).generate_tokens(&prepared.openapi)
}
