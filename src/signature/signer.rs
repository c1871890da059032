use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use hmac::Mac;
use http::{HeaderMap, HeaderValue};

use super::headers::SignedContent;
use super::scheme::{Layout, TimestampSource, is_field_key};
use super::{Key, KeyError, Scheme, SignError};
use crate::Secret;

/// Signs bodies like a service, for senders and tests.
///
/// ```
/// use chrono::DateTime;
/// use http::HeaderMap;
/// use webhook_sdk::Secret;
/// use webhook_sdk::signature::{Part, Scheme, Signer};
///
/// let scheme = Scheme::builder("lune-hmac")
///     .fields("v1")
///     .timestamp_field("timestamp")
///     .sign([Part::Timestamp, Part::literal("."), Part::Body])
///     .build()?;
/// let signer = Signer::new(scheme, &Secret::from("secret-xxxx"))?.field("organisation", "org_1");
///
/// let mut headers = HeaderMap::new();
/// signer.sign_at(&mut headers, br#"{"events":[]}"#, DateTime::UNIX_EPOCH)?;
/// assert!(headers["lune-hmac"].to_str()?.starts_with("timestamp=0,organisation=org_1,v1="));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signer {
    scheme: Arc<Scheme>,
    key: Key,
    fields: Vec<(String, String)>,
}

impl Signer {
    /// Creates a signer from the UTF-8 bytes of a secret.
    ///
    /// # Errors
    ///
    /// Same as [`Key::new`].
    pub fn new(scheme: Scheme, secret: &Secret) -> Result<Self, KeyError> {
        Ok(Self::with_key(scheme, Key::new("signer", secret)?))
    }

    /// Creates a signer from a key. Its expiry is ignored.
    pub fn with_key(scheme: Scheme, key: Key) -> Self {
        Self {
            scheme: Arc::new(scheme),
            key,
            fields: Vec::new(),
        }
    }

    /// Adds an unsigned field to the signature header, between timestamp and signature.
    #[must_use]
    pub fn field(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((key.into(), value.into()));
        self
    }

    /// Signs a body, and sets the signature header and any timestamp header.
    ///
    /// Headers that the scheme signs must already be set. Existing signature and timestamp headers
    /// are replaced.
    ///
    /// # Errors
    ///
    /// Returns a [`SignError`] if the body can't be signed. The headers are then unchanged.
    pub fn sign(&self, headers: &mut HeaderMap, body: &[u8]) -> Result<(), SignError> {
        self.sign_at(headers, body, Utc::now())
    }

    /// Like [`sign`](Self::sign), but at the given time.
    ///
    /// # Errors
    ///
    /// Returns a [`SignError`] if the body can't be signed. The headers are then unchanged.
    pub fn sign_at(
        &self,
        headers: &mut HeaderMap,
        body: &[u8],
        time: DateTime<Utc>,
    ) -> Result<(), SignError> {
        let scheme = &self.scheme;
        let seconds = time.timestamp();
        let timestamp = match scheme.timestamp {
            Some(_) if seconds < 0 => return Err(SignError::TimeBeforeEpoch),
            Some(_) => Some(seconds.to_string()),
            None => None,
        };
        let mut signed = SignedContent::default();
        signed
            .gather(scheme, headers, timestamp.as_deref().map(str::as_bytes))
            .map_err(SignError::SignedHeader)?;
        let digest = self.digest(&signed, body);
        let signature = self.header_value(&digest, timestamp.as_deref())?;

        if let Some(TimestampSource::Header(name)) = &scheme.timestamp {
            headers.insert(name, HeaderValue::from(seconds));
        }
        headers.insert(&scheme.header, signature);
        Ok(())
    }

    /// Returns the digest of a body, without prefix or field key.
    ///
    /// # Errors
    ///
    /// Returns [`SignError::SignedHeader`] if the scheme signs anything but the body and literals.
    pub fn sign_detached(&self, body: &[u8]) -> Result<String, SignError> {
        let mut signed = SignedContent::default();
        signed
            .gather_literals(&self.scheme)
            .map_err(SignError::SignedHeader)?;
        Ok(self.digest(&signed, body))
    }

    fn digest(&self, signed: &SignedContent, body: &[u8]) -> String {
        let mut mac = self.key.entry.secret.mac();
        signed.feed(&mut mac, body);
        self.scheme.encoding.encode(mac.finalize().as_bytes())
    }

    fn header_value(
        &self,
        digest: &str,
        timestamp: Option<&str>,
    ) -> Result<HeaderValue, SignError> {
        let name = self.scheme.header.as_str();
        match &self.scheme.layout {
            Layout::Single | Layout::List(_) => match self.fields.first() {
                Some((key, _)) => Err(SignError::Field { key: key.clone() }),
                None => header_value(&format!("{}{digest}", self.scheme.prefix), name),
            },
            Layout::Fields(signature) => {
                let mut text = String::new();
                let timestamp_key = match &self.scheme.timestamp {
                    Some(TimestampSource::Field(key)) => Some(key),
                    _ => None,
                };
                if let (Some(key), Some(timestamp)) = (timestamp_key, timestamp) {
                    text += &format!("{key}={timestamp},");
                }
                for (key, value) in &self.fields {
                    let clashes = key == signature || Some(key) == timestamp_key;
                    if clashes || !is_field_key(key) || value.contains(',') {
                        return Err(SignError::Field { key: key.clone() });
                    }
                    header_value(value, key)?;
                    text += &format!("{key}={value},");
                }
                header_value(&format!("{text}{signature}={digest}"), name)
            }
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("scheme", &self.scheme)
            .field("key", &self.key.name())
            .finish_non_exhaustive()
    }
}

fn header_value(text: &str, field: &str) -> Result<HeaderValue, SignError> {
    HeaderValue::from_str(text).map_err(|_| SignError::Field { key: field.into() })
}
