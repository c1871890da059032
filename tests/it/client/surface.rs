//! The public surface of the generated code, so that a change to a document shows in review.
//!
//! `INSTA_UPDATE=always cargo test --all-features surface` renews the snapshots.

use quote::ToTokens;
use syn::{Fields, File, ImplItem, Item, Visibility, parse_quote};

#[cfg(feature = "lune")]
#[test]
fn the_surface_of_lune_is_the_committed_one() {
    insta::assert_snapshot!(
        "lune",
        surface(include_str!(concat!(env!("OUT_DIR"), "/lune.rs")))
    );
}

#[cfg(feature = "preo")]
#[test]
fn the_surface_of_preo_is_the_committed_one() {
    insta::assert_snapshot!(
        "preo",
        surface(include_str!(concat!(env!("OUT_DIR"), "/preo.rs")))
    );
}

#[cfg(feature = "pretix")]
#[test]
fn the_surface_of_pretix_is_the_committed_one() {
    insta::assert_snapshot!(
        "pretix",
        surface(include_str!(concat!(env!("OUT_DIR"), "/pretix.rs")))
    );
}

/// Everything public without docs, attributes, bodies and trait implementations.
fn surface(code: &str) -> String {
    let file: File = syn::parse_file(code).unwrap();
    let items = reduce(file.items);
    prettyplease::unparse(&File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items,
    })
}

fn reduce(items: Vec<Item>) -> Vec<Item> {
    items.into_iter().filter_map(reduce_item).collect()
}

fn reduce_item(item: Item) -> Option<Item> {
    match item {
        Item::Struct(mut item) if is_public(&item.vis) => {
            item.attrs.clear();
            if let Fields::Named(fields) = &mut item.fields {
                fields.named = std::mem::take(&mut fields.named)
                    .into_iter()
                    .filter(|field| is_public(&field.vis))
                    .map(|field| syn::Field {
                        attrs: Vec::new(),
                        ..field
                    })
                    .collect();
            }
            Some(Item::Struct(item))
        }
        Item::Mod(mut item) if is_public(&item.vis) => {
            item.attrs.clear();
            if let Some((_, items)) = &mut item.content {
                *items = reduce(std::mem::take(items));
            }
            Some(Item::Mod(item))
        }
        Item::Impl(mut item) if item.trait_.is_none() => {
            item.attrs.clear();
            item.items = item.items.into_iter().filter_map(signature).collect();
            (!item.items.is_empty()).then_some(Item::Impl(item))
        }
        Item::Macro(mut item) => {
            let tokens = item.mac.tokens.to_token_stream();
            let mut open: syn::ItemEnum = syn::parse2(tokens).ok()?;
            open.attrs.clear();
            for variant in &mut open.variants {
                variant.attrs.clear();
            }
            item.mac.tokens = open.to_token_stream();
            Some(Item::Enum(open))
        }
        _ => None,
    }
}

fn signature(item: ImplItem) -> Option<ImplItem> {
    match item {
        ImplItem::Fn(mut function) if is_public(&function.vis) => {
            function.attrs.clear();
            function.block = parse_quote!({});
            Some(ImplItem::Fn(function))
        }
        _ => None,
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}
