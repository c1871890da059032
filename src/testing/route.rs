use http::Method;
use percent_encoding::percent_decode_str;
use wiremock::Request;

use crate::client::Operation;

/// The result of routing a request.
pub(crate) enum Route {
    Operation(Call),
    /// The allowed methods.
    WrongMethod(String),
    Nowhere,
}

/// An operation with its path parameters, in order.
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) parameters: Vec<String>,
}

impl Call {
    pub(crate) fn parameter(&self, index: usize) -> &str {
        self.parameters.get(index).map_or("", String::as_str)
    }
}

impl Route {
    /// Finds the operation of a request. The paths of `operations` are relative to `root`.
    pub(crate) fn find(root: &str, operations: &'static [Operation], request: &Request) -> Self {
        let method = match request.method {
            Method::HEAD => &Method::GET,
            ref method => method,
        };
        let mut allowed = Vec::new();
        for operation in operations {
            let template = [root, operation.path].concat();
            let Some(parameters) = parameters(&template, request.url.path()) else {
                continue;
            };
            if operation.method == *method {
                return Self::Operation(Call {
                    operation,
                    parameters,
                });
            }
            allowed.push(operation.method.as_str());
        }
        match allowed.is_empty() {
            true => Self::Nowhere,
            false => Self::WrongMethod(allowed.join(", ")),
        }
    }

    /// The id of the operation.
    pub(crate) fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Operation(call) => Some(call.operation.id),
            Self::WrongMethod(_) | Self::Nowhere => None,
        }
    }
}

/// The decoded parameters of a path, if it matches the template.
fn parameters(template: &str, path: &str) -> Option<Vec<String>> {
    let mut parameters = Vec::new();
    let mut segments = path.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        let segment = percent_decode_str(segment).decode_utf8_lossy();
        if expected.starts_with('{') && !segment.is_empty() {
            parameters.push(segment.into_owned());
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(parameters)
}
