//! What types of text and of customer data have in common.

/// Implements the conversions of a `struct Name(String)` that keeps text as received.
///
/// `display` adds `Display`. `redacted` adds a `Debug` that doesn't show the text.
macro_rules! text_type {
    ($name:ident $(, $extra:ident)*) => {
        impl $name {
            /// The text, as received.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::convert::From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> Self {
                Self(text)
            }
        }

        impl ::std::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(::std::borrow::ToOwned::to_owned(text))
            }
        }

        impl ::std::convert::From<$name> for ::std::string::String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl ::std::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        $($crate::text::text_type!(@$extra $name);)*
    };
    (@display $name:ident) => {
        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(&self.0)
            }
        }
    };
    (@redacted $name:ident) => {
        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(::std::concat!(::std::stringify!($name), "(..)"))
            }
        }
    };
}

/// Implements a `Debug` that shows only these fields, because others can hold customer data.
macro_rules! debug_fields {
    ($($name:ident { $($field:ident),* })+) => {
        $(impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(::std::stringify!($name))
                    $(.field(::std::stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        })+
    };
}

pub(crate) use debug_fields;
pub(crate) use text_type;
