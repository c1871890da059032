//! String enums that preserve unknown values.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

/// Defines an enum of known strings that keeps any other string in `Unknown`.
///
/// ```ignore
/// open_enum! {
///     /// How an order is paid.
///     pub enum PaymentMethod {
///         /// By invoice.
///         Invoice = "invoice",
///         Card = "card",
///     }
/// }
/// ```
///
/// Values are compared, ordered, and hashed by their text. Every text survives a round trip. Parsing
/// never turns a known text into `Unknown`.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $wire:literal ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(::std::clone::Clone, ::std::fmt::Debug)]
        #[non_exhaustive]
        $vis enum $name {
            $(
                $(#[$variant_meta])*
                #[doc = ""]
                #[doc = ::std::concat!("On the wire: `", $wire, "`.")]
                $variant,
            )+
            /// A value that this version doesn't know, kept unchanged.
            Unknown(::std::string::String),
        }

        impl $name {
            /// All known values, in the order of the variants.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The value's text on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)+
                    Self::Unknown(text) => text,
                }
            }

            /// Whether the value is unknown to this version.
            pub fn is_unknown(&self) -> bool {
                Self::from_known(self.as_str()).is_none()
            }

            fn from_known(text: &str) -> ::std::option::Option<Self> {
                match text {
                    $($wire => ::std::option::Option::Some(Self::$variant),)+
                    _ => ::std::option::Option::None,
                }
            }
        }

        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::from_known(text).unwrap_or_else(|| Self::Unknown(::std::borrow::ToOwned::to_owned(text)))
            }
        }

        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> Self {
                Self::from_known(&text).unwrap_or(Self::Unknown(text))
            }
        }

        #[diagnostic::do_not_recommend]
        impl ::std::convert::From<&$name> for $name {
            fn from(value: &$name) -> Self {
                ::std::clone::Clone::clone(value)
            }
        }

        impl ::std::convert::From<$name> for ::std::string::String {
            fn from(value: $name) -> Self {
                match value {
                    $name::Unknown(text) => text,
                    known => ::std::borrow::ToOwned::to_owned(known.as_str()),
                }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                ::std::result::Result::Ok(Self::from(text))
            }
        }

        impl ::std::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::cmp::PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl ::std::cmp::Eq for $name {}

        impl ::std::cmp::PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> ::std::option::Option<::std::cmp::Ordering> {
                ::std::option::Option::Some(::std::cmp::Ord::cmp(self, other))
            }
        }

        impl ::std::cmp::Ord for $name {
            fn cmp(&self, other: &Self) -> ::std::cmp::Ordering {
                ::std::cmp::Ord::cmp(self.as_str(), other.as_str())
            }
        }

        impl ::std::hash::Hash for $name {
            fn hash<H: ::std::hash::Hasher>(&self, state: &mut H) {
                ::std::hash::Hash::hash(self.as_str(), state);
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                $crate::open_enum::from_text(deserializer)
            }
        }
    };
}

pub(crate) use open_enum;

/// Reads a value from a text, reusing the allocation of the text if there is one.
pub(crate) fn from_text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: From<String> + for<'a> From<&'a str>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_string(TextVisitor(PhantomData))
}

struct TextVisitor<T>(PhantomData<T>);

impl<T: From<String> + for<'a> From<&'a str>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::from(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<T, E> {
        Ok(T::from(text))
    }
}
