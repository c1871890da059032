use std::borrow::Cow;
use std::time::Duration;

use http::HeaderName;

use super::digest::is_base64;
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
            Layout::Single { prefix } | Layout::List { prefix, .. } => {
                let digest = signature.strip_prefix(prefix.as_str()).unwrap_or(signature);
                format!("{prefix}{digest}")
            }
            Layout::Fields { signature: key } => format!("{key}={signature}"),
        };
        http::HeaderValue::try_from(value).unwrap_or(http::HeaderValue::from_static(""))
    }
}

/// A builder for a [`Scheme`].
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
        self.shape = Shape::List(separator.into());
        self
    }

    /// Reads the header as comma-separated `key=value` fields.
    ///
    /// Each field is split at its first `=`; spaces after a comma are skipped. The field with this
    /// key contains a digest. It may be repeated, and each value must be well formed. Other fields
    /// aren't checked; see [`Verified::unsigned_field`](super::Verified::unsigned_field).
    pub fn fields(mut self, signature_key: impl Into<String>) -> Self {
        self.shape = Shape::Fields(signature_key.into());
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
        let layout = layout(self.shape, self.prefix)?;
        let timestamp = self
            .timestamp
            .map(|source| timestamp_source(source, &header, &layout))
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
            layout,
            encoding: self.encoding,
            timestamp,
            before_body,
            after_body,
            tolerance: self.tolerance,
        })
    }
}

/// One part of the signed content.
///
/// Parts are concatenated without anything in between, so a timestamp or a header needs a
/// [`Literal`](Self::Literal) between itself and the next part on the body's side. Otherwise a byte
/// could be moved from one part to the other without changing the signature. For the same reason,
/// the literal next to a timestamp can't be digits only, and a header whose value contains or
/// overlaps its literal is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A fixed, nonempty text.
    Literal(Cow<'static, str>),
    /// The timestamp, exactly as written in its header or field.
    Timestamp,
    /// The value of this header, which must occur once and must not be empty.
    Header(Cow<'static, str>),
    /// The raw body.
    Body,
}

impl Part {
    /// Creates a [`Literal`](Self::Literal).
    pub fn literal(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Literal(text.into())
    }

    /// Creates a [`Header`](Self::Header).
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
        delimiter: Delimiter,
    },
}

/// The literal on the body's side of a signed header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delimiter {
    text: String,
    side: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    BeforeBody,
    AfterBody,
}

impl Delimiter {
    /// Whether the delimiter is unambiguous, so that no byte can move across it.
    ///
    /// An occurrence that overlaps the delimiter itself counts: `::` doesn't delimit `a:`.
    pub(super) fn delimits(&self, value: &[u8]) -> bool {
        let text = self.text.as_bytes();
        // Another occurrence has `length` bytes in common with the value, the rest with the delimiter.
        !(1..=value.len()).any(|bytes| {
            let length = bytes.min(text.len());
            let rest = text.len() - length;
            text[..rest] == text[length..]
                && match self.side {
                    Side::BeforeBody => value[value.len() - bytes..].starts_with(&text[..length]),
                    Side::AfterBody => value[..bytes].ends_with(&text[rest..]),
                }
        })
    }
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

/// The characters that `HeaderValue::to_str` allows.
fn is_printable(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte == b'\t' || byte == b' ' || byte.is_ascii_graphic())
}

fn pieces(parts: &[Part]) -> Result<(Vec<Piece>, Vec<Piece>), SchemeError> {
    let mut sides = parts.split(|part| *part == Part::Body);
    match (sides.next(), sides.next(), sides.next()) {
        (Some(before), Some(after), None) => Ok((
            pieces_of(before, Side::BeforeBody)?,
            pieces_of(after, Side::AfterBody)?,
        )),
        (_, None, _) => Err(SchemeError::NoBody),
        _ => Err(SchemeError::SeveralBodies),
    }
}

fn pieces_of(parts: &[Part], side: Side) -> Result<Vec<Piece>, SchemeError> {
    let piece = |(index, part): (usize, &Part)| match part {
        Part::Literal(text) if text.is_empty() => Err(SchemeError::EmptyLiteral),
        Part::Literal(text) => Ok(Piece::Literal(text.to_string())),
        Part::Header(name) => {
            let name = header_name(name)?;
            let text = delimiter(parts, index, side);
            if text.is_empty() {
                return Err(SchemeError::NotDelimited {
                    part: format!("the header {name}"),
                });
            }
            let delimiter = Delimiter { text, side };
            Ok(Piece::Header { name, delimiter })
        }
        Part::Timestamp | Part::Body => {
            let text = delimiter(parts, index, side);
            if text.bytes().all(|byte| byte.is_ascii_digit()) {
                let part = "the timestamp".into();
                return Err(SchemeError::NotDelimited { part });
            }
            Ok(Piece::Timestamp)
        }
    };
    parts.iter().enumerate().map(piece).collect()
}

/// The literals between a part and its neighbor on the body's side.
fn delimiter(parts: &[Part], index: usize, side: Side) -> String {
    let literal = |part: &Part| match part {
        Part::Literal(text) => Some(text.to_string()),
        _ => None,
    };
    match side {
        Side::BeforeBody => parts[index + 1..].iter().map_while(literal).collect(),
        Side::AfterBody => {
            let literals: Vec<_> = parts[..index].iter().rev().map_while(literal).collect();
            literals.into_iter().rev().collect()
        }
    }
}
