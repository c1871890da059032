//! Runs the generator over the prepared document.

use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TypeImpl, TypePatch};
use quote::quote;

use super::document::{Document, Error};
use super::examples;
use super::models::models;
use super::operations::operations;
use super::prepare::{Prepared, prepare};
use super::provider::Provider;
use super::stubs::stubs;

/// The formatted code of one service.
pub(crate) fn generate(document: &Document, provider: &Provider) -> Result<String, Error> {
    let prepared = prepare(document, provider)?;
    let place = |error: &dyn std::fmt::Display| document.error("generating", error);
    let calls = calls(&prepared).map_err(|error| place(&error))?;
    let file = syn::parse2(calls.clone()).map_err(|error| place(&error))?;
    let operations = operations(&prepared, &file).map_err(|error| place(&error))?;
    let models = models(&prepared).map_err(|error| place(&error))?;
    let examples = examples::responses(&prepared).map_err(|error| place(&error))?;
    let stubs = stubs(&prepared).map_err(|error| place(&error))?;
    let file = syn::parse2(quote! { #calls #operations #models #examples #stubs })
        .map_err(|error| document.error("formatting the generated code", error))?;
    Ok(prettyplease::unparse(&file))
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
