/// A value for an optional parameter: a `T` or an `Option<T>`.
///
/// `None` omits the parameter. A `String` also accepts `&str` and `&String`.
///
/// ```
/// use webhook_sdk::IntoOptional;
///
/// assert_eq!(IntoOptional::<u64>::into_optional(50), Some(50));
/// assert_eq!(IntoOptional::<u64>::into_optional(None), None);
/// assert_eq!(IntoOptional::<String>::into_optional(Some("ed_1")), Some("ed_1".to_owned()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither `{T}` nor `Option<{T}>`",
    label = "expected `{T}` or `Option<{T}>`"
)]
pub trait IntoOptional<T> {
    /// The value, or `None` to omit the parameter.
    fn into_optional(self) -> Option<T>;
}

impl<T> IntoOptional<T> for T {
    fn into_optional(self) -> Option<T> {
        Some(self)
    }
}

impl<T> IntoOptional<T> for Option<T> {
    fn into_optional(self) -> Option<T> {
        self
    }
}

/// Deserializes an optional field that can be omitted, but not null.
#[cfg(all(service, feature = "client"))]
pub(crate) fn not_null<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Converts borrowed values into an optional parameter of the given type.
macro_rules! optional_from {
    ($target:ty: $($source:ty),+) => {$(
        #[diagnostic::do_not_recommend]
        impl $crate::IntoOptional<$target> for $source {
            fn into_optional(self) -> ::std::option::Option<$target> {
                ::std::option::Option::Some(self.into())
            }
        }

        #[diagnostic::do_not_recommend]
        impl $crate::IntoOptional<$target> for ::std::option::Option<$source> {
            fn into_optional(self) -> ::std::option::Option<$target> {
                self.map(::std::convert::Into::into)
            }
        }
    )+};
}

/// Converts an open enum into an optional text, and a text into an optional open enum.
macro_rules! optional_text {
    ($name:ident) => {
        $crate::optional::optional_from!($name: &str, ::std::string::String, &$name);
        $crate::optional::optional_from!(::std::string::String: $name);

        impl ::std::convert::From<&str> for $crate::Patch<$name> {
            fn from(text: &str) -> Self {
                Self::Value(text.into())
            }
        }
    };
}

optional_from!(String: &str, &String);

pub(crate) use {optional_from, optional_text};
