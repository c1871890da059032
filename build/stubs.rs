//! Typed wiremock stubs, one for each operation.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::document::Error;
use super::operations::answer;
use super::prepare::{OperationRow, Prepared};

/// The module `stub`.
pub(crate) fn stubs(prepared: &Prepared) -> Result<TokenStream, Error> {
    let stubs = prepared
        .operations
        .iter()
        .map(|row| stub(prepared.provider.root, row))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(quote! {
        /// A wiremock stub for each operation, whose answer is of the operation's type.
        #[cfg(feature = "testing")]
        pub mod stub {
            use super::types;

            #(#stubs)*
        }
    })
}

fn stub(root: &str, row: &OperationRow) -> Result<TokenStream, Error> {
    let name = format_ident!("{}", row.id);
    let method = &row.method;
    let path = format!("{root}{}", row.path);
    let doc = format!("Stands for `{method} {path}`.");
    let answer = answer(&row.answer);
    let (parameters, pieces) = pieces(&path);
    Ok(quote! {
        #[doc = #doc]
        pub fn #name(#(#parameters: &str),*) -> crate::testing::Stub<#answer> {
            crate::testing::Stub::new(#method, [#(#pieces),*].concat())
        }
    })
}

/// The parameters of a path, and the expressions whose texts together are the path.
fn pieces(path: &str) -> (Vec<proc_macro2::Ident>, Vec<TokenStream>) {
    let mut parameters = Vec::new();
    let mut pieces = Vec::new();
    for piece in path.split_inclusive('}') {
        let (literal, parameter) = piece.split_once('{').unwrap_or((piece, ""));
        pieces.push(quote! { #literal });
        if let Some(name) = parameter.strip_suffix('}') {
            let name = format_ident!("{name}");
            pieces.push(quote! { &super::encode_path(#name) });
            parameters.push(name);
        }
    }
    (parameters, pieces)
}
