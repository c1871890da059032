use std::borrow::Cow;
use std::time::Duration;

use http::HeaderName;

use super::digest::is_base64;
use super::{DigestEncoding, SchemeError};

/// How a service signs: which header, how it is written, and what is signed.
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
    pub(super) encoding: DigestEncoding,
    pub(super) timestamp: Option<TimestampSource>,
    pub(super) before_body: Vec<Piece>,
    pub(super) after_body: Vec<Piece>,
    pub(super) tolerance: Option<Duration>,
}

impl Scheme {
    /// Starts with one hexadecimal digest of the body in this header, without a prefix.
    pub fn builder(header: impl Into<String>) -> SchemeBuilder {
        SchemeBuilder {
            header: header.into(),
            shape: Shape::Single,
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

    /// The tolerance a verifier starts with; `None` means no check of freshness.
    pub fn tolerance(&self) -> Option<Duration> {
        self.tolerance
    }
}

/// Builds a [`Scheme`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SchemeBuilder {
    header: String,
    shape: Shape,
    prefix: String,
    encoding: DigestEncoding,
    timestamp: Option<NamedTimestamp>,
    parts: Vec<Part>,
    tolerance: Option<Duration>,
}

impl SchemeBuilder {
    /// The text before each digest, such as `sha256=`; its case counts.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Reads the header as a list of signatures with this text between them.
    ///
    /// Entries that don't begin with the prefix are ignored. One malformed entry that does begin
    /// with it refuses the delivery.
    pub fn list(mut self, separator: impl Into<String>) -> Self {
        self.shape = Shape::List(separator.into());
        self
    }

    /// Reads the header as `key=value` fields with commas between them.
    ///
    /// Each field is split at its first `=`; spaces after a comma are skipped. The field named here
    /// holds a digest and may repeat, and each must be well formed. Other fields are not judged;
    /// see [`Verified::unsigned_field`](super::Verified::unsigned_field).
    pub fn fields(mut self, signature_key: impl Into<String>) -> Self {
        self.shape = Shape::Fields(signature_key.into());
        self
    }

    /// How the digests are written; hexadecimal unless set.
    pub fn encoding(mut self, encoding: DigestEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// Takes the timestamp, in seconds since 1970, from a header of its own.
    pub fn timestamp_header(mut self, name: impl Into<String>) -> Self {
        self.timestamp = Some(NamedTimestamp::Header(name.into()));
        self
    }

    /// Takes the timestamp, in seconds since 1970, from a field of the signature header.
    pub fn timestamp_field(mut self, key: impl Into<String>) -> Self {
        self.timestamp = Some(NamedTimestamp::Field(key.into()));
        self
    }

    /// What is signed, in order; the body alone unless set.
    pub fn sign(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.parts = parts.into_iter().collect();
        self
    }

    /// How far the timestamp may lie from now, in either direction, the bound included.
    pub fn tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Builds the scheme.
    ///
    /// # Errors
    /// A [`SchemeError`] for a name that can't be a header or a field, for a layout that can never
    /// match, if the body is not signed exactly once, or if a timestamp is signed but not read, read
    /// but not signed, or has a tolerance but no source.
    pub fn build(self) -> Result<Scheme, SchemeError> {
        let header = header_name(&self.header)?;
        let layout = layout(self.shape, self.prefix)?;
        let timestamp = self
            .timestamp
            .map(|source| timestamp_source(source, &header, &layout))
            .transpose()?;
        let (before_body, after_body) = pieces(self.parts)?;

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
            layout,
            encoding: self.encoding,
            timestamp,
            before_body,
            after_body,
            tolerance: self.tolerance,
        })
    }
}

/// One part of what is signed.
///
/// Parts are joined without anything between them, so put a [`Literal`](Self::Literal) between a
/// part of variable length and its neighbour wherever the service does. Where a header stands next
/// to a literal on the body's side, a header that contains the literal is refused, because part of
/// the body could otherwise be passed off as part of the header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A fixed text.
    Literal(Cow<'static, str>),
    /// The timestamp, as its own header or field writes it.
    Timestamp,
    /// The value of the header of this name, which must occur once and not be empty.
    Header(Cow<'static, str>),
    /// The raw body.
    Body,
}

impl Part {
    /// A fixed text.
    pub fn literal(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Literal(text.into())
    }

    /// The value of the header of this name.
    pub fn header(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Header(name.into())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Single { prefix: String },
    List { prefix: String, separator: String },
    Fields { signature: String },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimestampSource {
    Header(HeaderName),
    Field(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    Timestamp,
    Header {
        name: HeaderName,
        /// The literal on the side of the body, which the value must not contain.
        delimiter: Option<String>,
    },
}

#[derive(Clone, Debug)]
enum Shape {
    Single,
    List(String),
    Fields(String),
}

#[derive(Clone, Debug)]
enum NamedTimestamp {
    Header(String),
    Field(String),
}

fn header_name(name: &str) -> Result<HeaderName, SchemeError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| SchemeError::HeaderName { name: name.into() })
}

fn layout(shape: Shape, prefix: String) -> Result<Layout, SchemeError> {
    if !is_printable(&prefix) {
        return Err(SchemeError::Prefix);
    }
    match shape {
        Shape::Single => Ok(Layout::Single { prefix }),
        Shape::List(separator) => {
            if !is_printable(&separator) || separator.bytes().all(|b| is_base64(b) || b == b'=') {
                return Err(SchemeError::Separator);
            }
            if prefix.contains(&separator) {
                return Err(SchemeError::Prefix);
            }
            Ok(Layout::List { prefix, separator })
        }
        Shape::Fields(_) if !prefix.is_empty() => Err(SchemeError::PrefixWithFields),
        Shape::Fields(key) => Ok(Layout::Fields {
            signature: field_key(key)?,
        }),
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
        (NamedTimestamp::Field(key), Layout::Fields { signature }) if key == *signature => {
            Err(SchemeError::FieldReused { key })
        }
        (NamedTimestamp::Field(key), Layout::Fields { .. }) => {
            Ok(TimestampSource::Field(field_key(key)?))
        }
        (NamedTimestamp::Field(_), _) => Err(SchemeError::TimestampFieldWithoutFields),
    }
}

fn field_key(key: String) -> Result<String, SchemeError> {
    if is_field_key(&key) {
        Ok(key)
    } else {
        Err(SchemeError::FieldKey { key })
    }
}

pub(super) fn is_field_key(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b',' | b'='))
}

/// What a header's text can hold, as `HeaderValue::to_str` sees it.
fn is_printable(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte == b'\t' || byte == b' ' || byte.is_ascii_graphic())
}

fn pieces(parts: Vec<Part>) -> Result<(Vec<Piece>, Vec<Piece>), SchemeError> {
    let mut before_body = Vec::new();
    let mut after_body = Vec::new();
    let mut bodies = 0;
    for (index, part) in parts.iter().enumerate() {
        let piece = match part {
            Part::Body => {
                bodies += 1;
                continue;
            }
            Part::Timestamp => Piece::Timestamp,
            Part::Literal(text) if text.is_empty() => return Err(SchemeError::EmptyLiteral),
            Part::Literal(text) => Piece::Literal(text.to_string()),
            Part::Header(name) => {
                let neighbour = match bodies {
                    0 => parts.get(index + 1),
                    _ => index.checked_sub(1).and_then(|left| parts.get(left)),
                };
                Piece::Header {
                    name: header_name(name)?,
                    delimiter: match neighbour {
                        Some(Part::Literal(text)) => Some(text.to_string()),
                        _ => None,
                    },
                }
            }
        };
        match bodies {
            0 => before_body.push(piece),
            _ => after_body.push(piece),
        }
    }
    match bodies {
        0 => Err(SchemeError::NoBody),
        1 => Ok((before_body, after_body)),
        _ => Err(SchemeError::SeveralBodies),
    }
}
