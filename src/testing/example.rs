use serde::de::DeserializeOwned;

/// Decodes an example of an OpenAPI document.
///
/// # Panics
///
/// Panics if the example doesn't match the type, which the tests of this crate rule out.
pub(crate) fn example<T: DeserializeOwned>(json: &str) -> T {
    match serde_json::from_str(json) {
        Ok(value) => value,
        Err(error) => panic!("an example of the document doesn't fit its schema: {error}"),
    }
}
