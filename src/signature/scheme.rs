use std::time::Duration;

use http::HeaderName;

use super::digest::is_base64;
use super::part::{Part, Piece, header_name, pieces};
use super::{DigestEncoding, SchemeError};

/// A signature scheme: the header, its format, and what is signed.
///
/// ```
/// use webhook_sdk::signature::Scheme;
///
/// let scheme = Scheme::builder("X-Hub-Signature-256").prefix("sha256=").build()?;
/// assert_eq!(scheme.header(), "x-hub-signature-256");
/// # Ok::<(), webhook_sdk::signature::SchemeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    pub(super) header: HeaderName,
    pub(super) layout: Layout,
    /// The text before each digest. Fields have none.
    pub(super) prefix: String,
    pub(super) encoding: DigestEncoding,
    pub(super) timestamp: Option<TimestampSource>,
    pub(super) before_body: Vec<Piece>,
    pub(super) after_body: Vec<Piece>,
    pub(super) tolerance: Option<Duration>,
}

impl Scheme {
    /// Returns a builder for one hexadecimal digest of the body, without a prefix.
    pub fn builder(header: impl Into<String>) -> SchemeBuilder {
        SchemeBuilder {
            header: header.into(),
            layout: Layout::Single,
            prefix: String::new(),
            encoding: DigestEncoding::default(),
            timestamp: None,
            parts: vec![Part::Body],
            tolerance: None,
        }
    }

    /// The signature header's name.
    pub fn header(&self) -> &HeaderName {
        &self.header
    }

    /// The default tolerance of a verifier; `None` means that the age isn't checked.
    pub fn tolerance(&self) -> Option<Duration> {
        self.tolerance
    }

    /// The header of a request whose signature was stored, with or without the prefix.
    ///
    /// What can't be in a header becomes an empty value, which verifies nothing.
    #[cfg(all(feature = "client", feature = "preo", feature = "receiver"))]
    pub(crate) fn stored_header(&self, signature: &str) -> http::HeaderValue {
        let value = match &self.layout {
            Layout::Single | Layout::List(_) => {
                let digest = signature.strip_prefix(&self.prefix).unwrap_or(signature);
                format!("{}{digest}", self.prefix)
            }
            Layout::Fields(key) => format!("{key}={signature}"),
        };
        http::HeaderValue::try_from(value).unwrap_or(http::HeaderValue::from_static(""))
    }
}

/// A builder for a [`Scheme`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SchemeBuilder {
    header: String,
    layout: Layout,
    prefix: String,
    encoding: DigestEncoding,
    timestamp: Option<NamedTimestamp>,
    parts: Vec<Part>,
    tolerance: Option<Duration>,
}

impl SchemeBuilder {
    /// Sets the case-sensitive text before each digest, such as `sha256=`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Reads the header as a list of signatures with this separator.
    ///
    /// Entries that don't begin with the prefix are ignored. A delivery with a malformed entry that
    /// does begin with the prefix is refused.
    pub fn list(mut self, separator: impl Into<String>) -> Self {
        self.layout = Layout::List(separator.into());
        self
    }

    /// Reads the header as comma-separated `key=value` fields.
    ///
    /// Each field is split at its first `=`; spaces after a comma are skipped. The field with this
    /// key contains a digest. It may be repeated, and each value must be well formed. Other fields
    /// aren't checked; see [`Verified::unsigned_field`](super::Verified::unsigned_field).
    pub fn fields(mut self, signature_key: impl Into<String>) -> Self {
        self.layout = Layout::Fields(signature_key.into());
        self
    }

    /// Sets the encoding of the digests. Defaults to hexadecimal.
    pub fn encoding(mut self, encoding: DigestEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Reads the timestamp, in seconds since 1970, from a separate header.
    pub fn timestamp_header(mut self, name: impl Into<String>) -> Self {
        self.timestamp = Some(NamedTimestamp::Header(name.into()));
        self
    }

    /// Reads the timestamp, in seconds since 1970, from a field of the signature header.
    pub fn timestamp_field(mut self, key: impl Into<String>) -> Self {
        self.timestamp = Some(NamedTimestamp::Field(key.into()));
        self
    }

    /// Sets the signed parts, in order. Defaults to the body only.
    ///
    /// ```
    /// use webhook_sdk::signature::{Part, Scheme, SchemeError};
    ///
    /// let scheme = Scheme::builder("x-signature").timestamp_header("x-timestamp");
    /// let joined = scheme.clone().sign([Part::Timestamp, Part::Body]).build();
    /// assert!(matches!(joined, Err(SchemeError::NotDelimited { .. })));
    /// assert!(scheme.sign([Part::Timestamp, Part::literal("."), Part::Body]).build().is_ok());
    /// # Ok::<(), SchemeError>(())
    /// ```
    pub fn sign(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.parts = parts.into_iter().collect();
        self
    }

    /// Sets how far the timestamp may be from now, in either direction, inclusive.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Builds the scheme.
    ///
    /// # Errors
    ///
    /// Returns a [`SchemeError`] for an invalid header name or field key, for a format that can
    /// never match, if the body isn't signed exactly once, if parts aren't delimited, or if a
    /// timestamp is signed but not read, read but not signed, or has a tolerance but no source.
    pub fn build(self) -> Result<Scheme, SchemeError> {
        let header = header_name(&self.header)?;
        check_layout(&self.layout, &self.prefix)?;
        let timestamp = self
            .timestamp
            .map(|source| timestamp_source(source, &header, &self.layout))
            .transpose()?;
        let (before_body, after_body) = pieces(&self.parts)?;

        let signs_timestamp = before_body
            .iter()
            .chain(&after_body)
            .any(|piece| *piece == Piece::Timestamp);
        match (&timestamp, signs_timestamp) {
            (None, true) => return Err(SchemeError::TimestampSourceMissing),
            (Some(_), false) => return Err(SchemeError::TimestampNotSigned),
            (None, false) if self.tolerance.is_some() => {
                return Err(SchemeError::ToleranceWithoutTimestamp);
            }
            _ => {}
        }
        for piece in before_body.iter().chain(&after_body) {
            if let Piece::Header { name, .. } = piece {
                let is_timestamp = timestamp.as_ref().is_some_and(
                    |source| matches!(source, TimestampSource::Header(other) if other == name),
                );
                if *name == header || is_timestamp {
                    return Err(SchemeError::HeaderReused {
                        header: name.clone(),
                    });
                }
            }
        }

        Ok(Scheme {
            header,
            layout: self.layout,
            prefix: self.prefix,
            encoding: self.encoding,
            timestamp,
            before_body,
            after_body,
            tolerance: self.tolerance,
        })
    }
}

/// The format of the signature header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Single,
    /// Signatures with this separator.
    List(String),
    /// Fields, of which those with this key are signatures.
    Fields(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimestampSource {
    Header(HeaderName),
    Field(String),
}

#[derive(Clone, Debug)]
enum NamedTimestamp {
    Header(String),
    Field(String),
}

fn check_layout(layout: &Layout, prefix: &str) -> Result<(), SchemeError> {
    if !is_printable(prefix) {
        return Err(SchemeError::Prefix);
    }
    match layout {
        Layout::Single => Ok(()),
        Layout::List(separator) => {
            if !is_printable(separator) || separator.bytes().all(|b| is_base64(b) || b == b'=') {
                return Err(SchemeError::Separator);
            }
            match prefix.contains(separator) {
                true => Err(SchemeError::Prefix),
                false => Ok(()),
            }
        }
        Layout::Fields(_) if !prefix.is_empty() => Err(SchemeError::PrefixWithFields),
        Layout::Fields(key) => check_field_key(key),
    }
}

fn timestamp_source(
    source: NamedTimestamp,
    signature_header: &HeaderName,
    layout: &Layout,
) -> Result<TimestampSource, SchemeError> {
    match (source, layout) {
        (NamedTimestamp::Header(name), _) => {
            let header = header_name(&name)?;
            if header == *signature_header {
                return Err(SchemeError::HeaderReused { header });
            }
            Ok(TimestampSource::Header(header))
        }
        (NamedTimestamp::Field(key), Layout::Fields(signature)) if key == *signature => {
            Err(SchemeError::FieldReused { key })
        }
        (NamedTimestamp::Field(key), Layout::Fields(_)) => {
            check_field_key(&key)?;
            Ok(TimestampSource::Field(key))
        }
        (NamedTimestamp::Field(_), _) => Err(SchemeError::TimestampFieldWithoutFields),
    }
}

fn check_field_key(key: &str) -> Result<(), SchemeError> {
    match is_field_key(key) {
        true => Ok(()),
        false => Err(SchemeError::FieldKey { key: key.into() }),
    }
}

pub(super) fn is_field_key(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b',' | b'='))
}

/// The characters that `HeaderValue::to_str` allows.
fn is_printable(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte == b'\t' || byte == b' ' || byte.is_ascii_graphic())
}
