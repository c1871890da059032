use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use wiremock::Request;

use super::error_format::{ErrorFormat, WHOLE_BODY};
use super::reply::Reply;
use crate::FieldError;
use crate::client::Operation;

/// Decodes a JSON body into the operation's type, and checks the bounds of the document.
///
/// # Errors
///
/// The response to a body that doesn't match.
pub(crate) fn decode<T: DeserializeOwned>(
    request: &Request,
    operation: &Operation,
    format: ErrorFormat,
) -> Result<T, Reply> {
    let content_type = request.headers.get(CONTENT_TYPE);
    let content_type = content_type.map(HeaderValue::as_bytes).unwrap_or_default();
    let content_type = String::from_utf8_lossy(content_type);
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !request.body.is_empty() && !essence.eq_ignore_ascii_case("application/json") {
        let message = format!("Unsupported media type \"{content_type}\" in request.");
        return Err(format.with_message(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message));
    }
    let body: Value = serde_json::from_slice(&request.body).map_err(|error| {
        let message = format!("JSON parse error - {error}");
        format.with_message(StatusCode::BAD_REQUEST, &message)
    })?;
    let Value::Object(fields) = body else {
        let error = FieldError::new(WHOLE_BODY, "Expected a JSON object.");
        return Err(format.invalid(&[error]));
    };
    let mut errors = Vec::new();
    operation.check_body(&fields, &mut errors);
    match serde_path_to_error::deserialize(Value::Object(fields)) {
        Ok(body) if errors.is_empty() => return Ok(body),
        Ok(_) => {}
        Err(error) => {
            let message = error.inner().to_string();
            let path = error.path().to_string();
            let field = match path.as_str() {
                // serde only names a missing field in the message.
                "." => message.split('`').nth(1).unwrap_or(WHOLE_BODY).to_owned(),
                path => path.replace('[', ".").replace(']', ""),
            };
            errors.push(FieldError::new(field, message));
        }
    }
    Err(format.invalid(&errors))
}

/// The place of the first item of a list that has been there before.
pub(crate) fn repeated<T: PartialEq>(items: &[T]) -> Option<usize> {
    (1..items.len()).find(|place| items[..*place].contains(&items[*place]))
}
