use chrono::{DateTime, Utc};
use hmac::Mac;
use http::{HeaderMap, HeaderName, HeaderValue};
use smallvec::SmallVec;

use super::VerifyError;
use super::digest::{Digest, HmacSha256};
use super::scheme::{Layout, Piece, Scheme, TimestampSource};

/// How many signatures one header may hold; our bound, several times what a rotation needs.
pub const MAX_SIGNATURES: usize = 8;

pub(super) type Signatures = SmallVec<[Digest; MAX_SIGNATURES]>;

/// The signed texts on one side of the body; six fit without an allocation.
pub(super) type Texts<'a> = SmallVec<[&'a [u8]; 6]>;

/// What a request's headers claim, well formed but not yet believed.
///
/// It is filled in place, as moving it would cost a good part of the verification's time.
#[derive(Default)]
pub(super) struct Claim<'a> {
    pub(super) signatures: Signatures,
    pub(super) timestamp: Option<DateTime<Utc>>,
    pub(super) before_body: Texts<'a>,
    pub(super) after_body: Texts<'a>,
    /// The fields that are neither signature nor timestamp; eight fit without an allocation.
    pub(super) others: SmallVec<[&'a str; 8]>,
}

impl<'a> Claim<'a> {
    pub(super) fn read(
        &mut self,
        scheme: &'a Scheme,
        headers: &'a HeaderMap,
    ) -> Result<(), VerifyError> {
        let field = self.read_signatures(scheme, header_text(headers, &scheme.header)?)?;
        let timestamp = match &scheme.timestamp {
            None => None,
            Some(TimestampSource::Header(name)) => Some(header_text(headers, name)?),
            Some(TimestampSource::Field(_)) => Some(field.ok_or(VerifyError::TimestampMissing)?),
        };
        self.timestamp = timestamp.map(parse_timestamp).transpose()?;
        gather(
            &mut self.before_body,
            &scheme.before_body,
            headers,
            timestamp,
        )?;
        gather(&mut self.after_body, &scheme.after_body, headers, timestamp)
    }

    /// Reads a signature that was stored apart from its request.
    pub(super) fn read_detached(
        &mut self,
        scheme: &'a Scheme,
        signature: &str,
    ) -> Result<(), VerifyError> {
        gather_literals(&mut self.before_body, &scheme.before_body)?;
        gather_literals(&mut self.after_body, &scheme.after_body)?;
        self.signatures.push(detached_digest(scheme, signature)?);
        Ok(())
    }

    /// Reads the signature header and returns the text of its timestamp field.
    fn read_signatures(
        &mut self,
        scheme: &Scheme,
        text: &'a str,
    ) -> Result<Option<&'a str>, VerifyError> {
        let mut timestamp = None;
        match &scheme.layout {
            Layout::Single { prefix } => {
                let digest = text
                    .strip_prefix(prefix.as_str())
                    .ok_or(VerifyError::PrefixMissing)?;
                self.push_signature(scheme, digest)?;
            }
            Layout::List { prefix, separator } => {
                for entry in text.split(separator.as_str()) {
                    match entry.strip_prefix(prefix.as_str()) {
                        Some(digest) if !entry.is_empty() => self.push_signature(scheme, digest)?,
                        _ => {}
                    }
                }
            }
            Layout::Fields { signature } => {
                let timestamp_key = match &scheme.timestamp {
                    Some(TimestampSource::Field(key)) => Some(key.as_str()),
                    _ => None,
                };
                for field in text.split(',') {
                    let field = field.trim_ascii_start();
                    // Keys are short, so this is faster than the word-wise search of `split_once`.
                    let Some(equals) = field.bytes().position(|byte| byte == b'=') else {
                        continue;
                    };
                    let (key, value) = (&field[..equals], &field[equals + 1..]);
                    if key == signature {
                        self.push_signature(scheme, value)?;
                    } else if Some(key) != timestamp_key {
                        self.others.push(field);
                    } else if timestamp.replace(value).is_some() {
                        return Err(VerifyError::TimestampRepeated);
                    }
                }
            }
        }
        if self.signatures.is_empty() {
            return Err(VerifyError::NoSignature);
        }
        Ok(timestamp)
    }

    fn push_signature(&mut self, scheme: &Scheme, digest: &str) -> Result<(), VerifyError> {
        if self.signatures.len() == MAX_SIGNATURES {
            return Err(VerifyError::TooManySignatures);
        }
        self.signatures.push(scheme.encoding.decode(digest)?);
        Ok(())
    }
}

pub(super) fn feed(mac: &mut HmacSha256, texts: &Texts<'_>) {
    for text in texts {
        mac.update(text);
    }
}

/// Checks and gathers the signed texts of one side of the body.
pub(super) fn gather<'a>(
    texts: &mut Texts<'a>,
    pieces: &'a [Piece],
    headers: &'a HeaderMap,
    timestamp: Option<&'a str>,
) -> Result<(), VerifyError> {
    for piece in pieces {
        texts.push(match piece {
            Piece::Literal(text) => text.as_bytes(),
            Piece::Timestamp => timestamp.ok_or(VerifyError::TimestampMissing)?.as_bytes(),
            Piece::Header { name, delimiter } => {
                let value = single_header(headers, name)?.as_bytes();
                match delimiter {
                    Some(delimiter) if contains(value, delimiter.as_bytes()) => {
                        let header = name.clone();
                        return Err(VerifyError::HeaderNotDelimited { header });
                    }
                    _ => value,
                }
            }
        });
    }
    Ok(())
}

/// Gathers the signed texts of a scheme that signs literals and the body only.
pub(super) fn gather_literals<'a>(
    texts: &mut Texts<'a>,
    pieces: &'a [Piece],
) -> Result<(), VerifyError> {
    for piece in pieces {
        match piece {
            Piece::Literal(text) => texts.push(text.as_bytes()),
            Piece::Timestamp | Piece::Header { .. } => return Err(VerifyError::HeadersNeeded),
        }
    }
    Ok(())
}

fn single_header<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<&'a HeaderValue, VerifyError> {
    let mut values = headers.get_all(name).iter();
    let header = || name.clone();
    match (values.next(), values.next()) {
        (None, _) => Err(VerifyError::HeaderMissing { header: header() }),
        (Some(_), Some(_)) => Err(VerifyError::HeaderRepeated { header: header() }),
        (Some(value), None) if value.is_empty() => {
            Err(VerifyError::HeaderEmpty { header: header() })
        }
        (Some(value), None) => Ok(value),
    }
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, VerifyError> {
    let bytes = single_header(headers, name)?.as_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(VerifyError::HeaderNotAscii {
            header: name.clone(),
        }),
    }
}

/// Digits only: `str::parse` would also take a plus sign.
fn parse_timestamp(text: &str) -> Result<DateTime<Utc>, VerifyError> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(VerifyError::TimestampMalformed);
    }
    text.parse()
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or(VerifyError::TimestampMalformed)
}

/// The digest of a stored signature, which may or may not carry the scheme's prefix.
fn detached_digest(scheme: &Scheme, signature: &str) -> Result<Digest, VerifyError> {
    let prefix = match &scheme.layout {
        Layout::Single { prefix } | Layout::List { prefix, .. } => prefix.as_str(),
        Layout::Fields { .. } => "",
    };
    scheme
        .encoding
        .decode(signature)
        .or_else(|error| match signature.strip_prefix(prefix) {
            Some(digest) if !prefix.is_empty() => scheme.encoding.decode(digest),
            _ => Err(error),
        })
}

fn contains(value: &[u8], text: &[u8]) -> bool {
    value.windows(text.len()).any(|window| window == text)
}
