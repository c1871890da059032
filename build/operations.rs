//! Generates the public client: a method and a request builder for each operation.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{FnArg, ImplItem, Item, Pat, Signature};

use super::document::Error;
use super::examples;
use super::prepare::{AnswerType, Constraint, Kind, OperationRow, Parameter, Prepared, Rule};
use super::rust::{Presence, argument, converted, docs, ident, rust_type, type_name};

/// The client, the module `operation`, and the table `OPERATIONS`.
///
/// `calls` is the generated code, whose signatures define the order of arguments.
pub(crate) fn operations(prepared: &Prepared, calls: &syn::File) -> Result<TokenStream, Error> {
    let client = type_name(&format!("{}-client", prepared.provider.module));
    let mut methods = Vec::new();
    let mut builders = Vec::new();
    for row in &prepared.operations {
        let call = signature(calls, &row.id)
            .ok_or_else(|| Error::new(&row.id, "the generator made no call of this name"))?;
        let operation = Operation::new(row)?;
        methods.push(operation.method(&examples::call(prepared, row)));
        builders.push(operation.builder(&client, call)?);
    }
    let rows = prepared.operations.iter().map(table_row);
    let name = client.to_string();
    let doc = format!(" A client for {}.", prepared.title);
    Ok(quote! {
        #[doc = #doc]
        ///
        /// Cloning is cheap, and clones share connections and settings. Each method returns a
        /// request builder, which is sent with `send`. Start with [`builder`](Self::builder).
        #[derive(Clone)]
        pub struct #client {
            pub(crate) calls: ::std::sync::Arc<Client>,
        }

        impl #client {
            pub(crate) fn new(built: crate::client::Built) -> Self {
                let crate::client::Built { base_url, http, transport } = built;
                let calls = Client::new_with_client(&base_url, http, transport);
                Self { calls: ::std::sync::Arc::new(calls) }
            }

            #(#methods)*
        }

        impl ::std::fmt::Debug for #client {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(#name)
                    .field("base_url", &self.calls.baseurl)
                    .field("transport", &self.calls.inner)
                    .finish_non_exhaustive()
            }
        }

        /// A request builder for each operation.
        pub mod operation {
            use super::{#client, models, types};

            #(#builders)*
        }

        pub(crate) static OPERATIONS: &[crate::client::Operation] = &[#(#rows),*];
    })
}

/// The generated method that makes a call.
fn signature<'a>(calls: &'a syn::File, id: &str) -> Option<&'a Signature> {
    let methods = calls.items.iter().filter_map(|item| match item {
        Item::Impl(item) if item.trait_.is_none() => Some(&item.items),
        _ => None,
    });
    methods.flatten().find_map(|item| match item {
        ImplItem::Fn(method) if method.sig.ident == id => Some(&method.sig),
        _ => None,
    })
}

struct Operation<'a> {
    row: &'a OperationRow,
    method: Ident,
    builder: Ident,
    /// The required parameters and the body.
    required: Vec<Input<'a>>,
    optional: Vec<Input<'a>>,
}

/// A parameter or the body.
struct Input<'a> {
    name: Ident,
    doc: &'a str,
    /// The type of the setter's or method's argument.
    argument: TokenStream,
    /// The stored type. A missing list is stored as an empty one.
    kept: TokenStream,
    value: TokenStream,
    pass: Pass,
    /// Whether it filters by a field that a caller can change.
    switch: bool,
}

/// How a stored value is passed to the generated call.
enum Pass {
    Value,
    Reference,
    OptionalText,
    OptionalReference,
    List,
    JoinedList,
}

impl<'a> Operation<'a> {
    fn new(row: &'a OperationRow) -> Result<Self, Error> {
        let mut required = Vec::new();
        let mut optional = Vec::new();
        for parameter in &row.parameters {
            let inputs = match parameter.required {
                true => &mut required,
                false => &mut optional,
            };
            inputs.push(Input::parameter(parameter)?);
        }
        if let Some(request) = &row.request {
            required.push(Input::body(request)?);
        }
        Ok(Self {
            row,
            method: ident(&row.id)?,
            builder: type_name(&row.id),
            required,
            optional,
        })
    }

    /// The client's method.
    fn method(&self, example: &str) -> TokenStream {
        let Self {
            method, builder, ..
        } = self;
        let summary = sentence(&self.row.summary);
        let doc = docs([&*summary, example, &*self.row.doc]);
        let names = self.required.iter().map(|input| &input.name);
        let arguments = self.required.iter().map(|Input { name, argument, .. }| {
            quote! { #name: #argument }
        });
        let values = self.required.iter().map(|Input { name, value, .. }| {
            quote! { let #name = #value; }
        });
        let absent = self.optional.iter().map(|input| &input.name);
        quote! {
            #doc
            pub fn #method(&self, #(#arguments),*) -> operation::#builder {
                #(#values)*
                operation::#builder {
                    client: self.clone(),
                    #(#names,)*
                    #(#absent: ::std::default::Default::default(),)*
                }
            }
        }
    }

    fn builder(&self, client: &Ident, call: &Signature) -> Result<TokenStream, Error> {
        let Self {
            row,
            method,
            builder,
            ..
        } = self;
        let doc =
            format!(" A request builder for [`{client}::{method}`](super::{client}::{method}).");
        let inputs = || self.required.iter().chain(&self.optional);
        let fields = inputs().map(|Input { name, kept, .. }| {
            quote! { pub(crate) #name: #kept }
        });
        let setters = self.optional.iter().map(|input| input.setter(&row.id));
        let answer = answer(&row.answer);
        let names = inputs().map(|input| &input.name);
        let joined = inputs().filter(|input| matches!(input.pass, Pass::JoinedList));
        let joined = joined.map(|Input { name, .. }| {
            quote! { let #name = crate::query::CommaSeparated::new(#name); }
        });
        let warned = row.request.as_ref().map(|_| {
            let id = &row.id;
            quote! { body.warn_unknown(#id); }
        });
        let mut passed = Vec::new();
        for argument in &call.inputs {
            let FnArg::Typed(argument) = argument else {
                continue;
            };
            let name = match &*argument.pat {
                Pat::Ident(pattern) => &pattern.ident,
                other => return Err(Error::new(&row.id, other.to_token_stream())),
            };
            let input = inputs()
                .find(|input| input.name == *name)
                .ok_or_else(|| Error::new(&row.id, format!("{name} isn't in the document")))?;
            passed.push(input.passed());
        }
        Ok(quote! {
            #[doc = #doc]
            #[derive(Clone, Debug)]
            #[must_use = "a request does nothing until it is sent"]
            pub struct #builder {
                pub(super) client: #client,
                #(#fields,)*
            }

            impl #builder {
                #(#setters)*

                /// Sends the request and returns the value of the response.
                ///
                /// # Errors
                ///
                /// See [`Error`](crate::Error).
                pub async fn send(self) -> Result<#answer, crate::Error> {
                    let (value, _) = self.send_with_response().await?.into_parts();
                    Ok(value)
                }

                /// Sends the request and returns the value with the status and headers of the
                /// response.
                ///
                /// # Errors
                ///
                /// See [`Error`](crate::Error).
                pub async fn send_with_response(
                    self,
                ) -> Result<crate::Response<#answer>, crate::Error> {
                    let Self { client, #(#names),* } = self;
                    #(#joined)*
                    #warned
                    client.calls.#method(#(#passed),*).await.map_err(|error| error.0)
                }
            }
        })
    }
}

impl<'a> Input<'a> {
    fn parameter(parameter: &'a Parameter) -> Result<Self, Error> {
        let Parameter {
            name, doc, kind, ..
        } = parameter;
        let name = ident(name)?;
        let presence = Presence::new(parameter.required, false);
        let whole = rust_type(kind)?;
        let (kept, value, pass) = match (kind, parameter.required) {
            (Kind::List(_), _) if parameter.joined => (
                whole,
                converted(kind, Presence::Required, &name),
                Pass::JoinedList,
            ),
            (Kind::List(_), _) => (
                whole,
                converted(kind, Presence::Required, &name),
                Pass::List,
            ),
            (_, true) => {
                let pass = match is_copy(kind) {
                    true => Pass::Value,
                    false => Pass::Reference,
                };
                (whole, converted(kind, presence, &name), pass)
            }
            (_, false) => {
                let pass = match kind {
                    Kind::Text => Pass::OptionalText,
                    kind if is_copy(kind) => Pass::Value,
                    _ => Pass::OptionalReference,
                };
                let kept = quote! { ::std::option::Option<#whole> };
                (kept, converted(kind, presence, &name), pass)
            }
        };
        Ok(Self {
            argument: argument(kind, presence)?,
            name,
            doc,
            kept,
            value,
            pass,
            switch: matches!(kind, Kind::Boolean),
        })
    }

    fn body(request: &'a str) -> Result<Self, Error> {
        let request = ident(request)?;
        let kept = quote! { models::#request };
        Ok(Self {
            name: format_ident!("body"),
            doc: "",
            argument: kept.clone(),
            kept,
            value: quote! { body },
            pass: Pass::Reference,
            switch: false,
        })
    }

    fn setter(&self, operation: &str) -> TokenStream {
        let Self {
            name,
            argument,
            value,
            ..
        } = self;
        let empty = match self.pass {
            Pass::List | Pass::JoinedList => "An empty list omits the parameter.",
            _ => "",
        };
        let changing = match self.switch {
            true => format!(
                "Collect the items before you change this field: removing items from a list while \
                 it is streamed skips others. \
                 `for item in client.{operation}(..).{name}(true).all().await? {{ .. }}`"
            ),
            false => String::new(),
        };
        let doc = docs([self.doc, empty, &*changing]);
        quote! {
            #doc
            pub fn #name(mut self, #name: #argument) -> Self {
                self.#name = #value;
                self
            }
        }
    }

    fn passed(&self) -> TokenStream {
        let name = &self.name;
        match self.pass {
            Pass::Value => quote! { #name },
            Pass::Reference => quote! { &#name },
            Pass::OptionalText => quote! { #name.as_deref() },
            Pass::OptionalReference | Pass::JoinedList => quote! { #name.as_ref() },
            Pass::List => quote! { Some(&#name).filter(|list| !list.is_empty()) },
        }
    }
}

/// Whether the generated call takes the value itself.
fn is_copy(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Boolean | Kind::Unsigned | Kind::Signed | Kind::Number
    )
}

/// The type of a success.
pub(crate) fn answer(answer: &AnswerType) -> TokenStream {
    match answer {
        AnswerType::Nothing => quote! { () },
        AnswerType::One(schema) => {
            let schema = format_ident!("{schema}");
            quote! { types::#schema }
        }
        AnswerType::List(schema) => {
            let schema = format_ident!("{schema}");
            quote! { ::std::vec::Vec<types::#schema> }
        }
    }
}

/// A summary as the first sentence of a doc comment.
fn sentence(summary: &str) -> String {
    format!("{}.", summary.trim().trim_end_matches('.'))
}

fn table_row(row: &OperationRow) -> TokenStream {
    let OperationRow {
        id, method, path, ..
    } = row;
    let method = format_ident!("{method}");
    let query = row.query.iter().map(constraint);
    let body = row.body.iter().map(constraint);
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
