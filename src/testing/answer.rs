use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use wiremock::ResponseTemplate;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(crate) const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// What a fake answers; unlike a [`ResponseTemplate`] it can still be altered by a fault.
#[derive(Clone)]
pub(crate) struct Answer {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
    delay: Option<Duration>,
}

impl Answer {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            headers: Vec::new(),
            body: Vec::new(),
            delay: None,
        }
    }

    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self::empty(status).body(JSON, serde_json::to_vec(body).unwrap_or_default())
    }

    pub(crate) fn body(mut self, content_type: HeaderValue, body: Vec<u8>) -> Self {
        self.content_type = Some(content_type);
        self.body = body;
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn delay(mut self, delay: Option<Duration>) -> Self {
        self.delay = delay;
        self
    }

    /// Keeps the first half of the body.
    pub(crate) fn truncated(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Answer> for ResponseTemplate {
    fn from(answer: Answer) -> Self {
        let mut template = Self::new(answer.status)
            .append_headers(answer.headers)
            .set_body_bytes(answer.body);
        if let Some(content_type) = answer.content_type {
            template = template.insert_header(CONTENT_TYPE, content_type);
        }
        match answer.delay {
            Some(delay) => template.set_delay(delay),
            None => template,
        }
    }
}
