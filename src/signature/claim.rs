use hmac::Mac;
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::{memchr_iter, memmem};
use smallvec::SmallVec;

use super::VerifyError;
use super::digest::{Digest, HmacSha256, MAX_SIGNATURES, Signatures};
use super::scheme::{Layout, Piece, Scheme, TimestampSource};
use super::verified::UnsignedFields;

/// The parsed signature headers of a request, not yet verified.
#[derive(Default)]
pub(super) struct Claim {
    pub(super) signatures: Signatures,
    /// In seconds since 1970.
    pub(super) timestamp: Option<i64>,
    pub(super) signed: Signed,
    pub(super) unsigned: UnsignedFields,
}

/// The signed bytes around the body. 64 bytes on each side fit without an allocation.
#[derive(Default)]
pub(super) struct Signed {
    before_body: SmallVec<[u8; 64]>,
    after_body: SmallVec<[u8; 64]>,
}

impl Claim {
    pub(super) fn read(&mut self, scheme: &Scheme, headers: &HeaderMap) -> Result<(), VerifyError> {
        let field = self.read_signatures(scheme, ascii_header(headers, &scheme.header)?)?;
        let timestamp = match &scheme.timestamp {
            None => None,
            Some(TimestampSource::Header(name)) => Some(ascii_header(headers, name)?),
            Some(TimestampSource::Field(_)) => Some(field.ok_or(VerifyError::TimestampMissing)?),
        };
        self.timestamp = timestamp.map(parse_timestamp).transpose()?;
        self.signed.gather(scheme, headers, timestamp)
    }

    /// Reads a signature that was stored without its request.
    pub(super) fn read_detached(
        &mut self,
        scheme: &Scheme,
        signature: &str,
    ) -> Result<(), VerifyError> {
        self.signed.gather_literals(scheme)?;
        self.signatures
            .push(detached_digest(scheme, signature.as_bytes())?);
        Ok(())
    }

    /// Reads the signature header, and returns the text of its timestamp field.
    fn read_signatures<'a>(
        &mut self,
        scheme: &Scheme,
        text: &'a [u8],
    ) -> Result<Option<&'a [u8]>, VerifyError> {
        let mut timestamp = None;
        match &scheme.layout {
            Layout::Single { prefix } => {
                let digest = text
                    .strip_prefix(prefix.as_bytes())
                    .ok_or(VerifyError::PrefixMissing)?;
                self.push_signature(scheme, digest)?;
            }
            Layout::List { prefix, separator } => {
                let mut start = 0;
                for end in memmem::find_iter(text, separator).chain([text.len()]) {
                    let entry = &text[start..end];
                    start = end + separator.len();
                    match entry.strip_prefix(prefix.as_bytes()) {
                        Some(digest) if !entry.is_empty() => self.push_signature(scheme, digest)?,
                        _ => {}
                    }
                }
            }
            Layout::Fields { signature } => {
                let timestamp_key = match &scheme.timestamp {
                    Some(TimestampSource::Field(key)) => Some(key.as_bytes()),
                    _ => None,
                };
                let mut start = 0;
                for end in memchr_iter(b',', text).chain([text.len()]) {
                    let field = text[start..end].trim_ascii_start();
                    start = end + 1;
                    let Some(equals) = field.iter().position(|byte| *byte == b'=') else {
                        continue;
                    };
                    let (key, value) = (&field[..equals], &field[equals + 1..]);
                    if key == signature.as_bytes() {
                        self.push_signature(scheme, value)?;
                    } else if Some(key) != timestamp_key {
                        self.unsigned.push(field);
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

    fn push_signature(&mut self, scheme: &Scheme, digest: &[u8]) -> Result<(), VerifyError> {
        if self.signatures.len() == MAX_SIGNATURES {
            return Err(VerifyError::TooManySignatures);
        }
        self.signatures.push(scheme.encoding.decode(digest)?);
        Ok(())
    }
}

impl Signed {
    /// Checks and collects the signed headers and literals of a request.
    pub(super) fn gather<'a>(
        &mut self,
        scheme: &'a Scheme,
        headers: &'a HeaderMap,
        timestamp: Option<&'a [u8]>,
    ) -> Result<(), VerifyError> {
        self.gather_with(scheme, |piece| match piece {
            Piece::Literal(text) => Ok(text.as_bytes()),
            Piece::Timestamp => timestamp.ok_or(VerifyError::TimestampMissing),
            Piece::Header { name, delimiter } => {
                let value = single_header(headers, name)?.as_bytes();
                if !delimiter.delimits(value) {
                    let header = name.clone();
                    return Err(VerifyError::HeaderNotDelimited { header });
                }
                Ok(value)
            }
        })
    }

    /// Collects the literals of a scheme that signs only the body and literals.
    pub(super) fn gather_literals(&mut self, scheme: &Scheme) -> Result<(), VerifyError> {
        self.gather_with(scheme, |piece| match piece {
            Piece::Literal(text) => Ok(text.as_bytes()),
            Piece::Timestamp | Piece::Header { .. } => Err(VerifyError::HeadersNeeded),
        })
    }

    /// Updates a MAC with these bytes around the body.
    #[inline]
    pub(super) fn feed(&self, mac: &mut HmacSha256, body: &[u8]) {
        mac.update(&self.before_body);
        mac.update(body);
        mac.update(&self.after_body);
    }

    fn gather_with<'a>(
        &mut self,
        scheme: &'a Scheme,
        text: impl Fn(&'a Piece) -> Result<&'a [u8], VerifyError>,
    ) -> Result<(), VerifyError> {
        for piece in &scheme.before_body {
            self.before_body.extend_from_slice(text(piece)?);
        }
        for piece in &scheme.after_body {
            self.after_body.extend_from_slice(text(piece)?);
        }
        Ok(())
    }
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

fn ascii_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a [u8], VerifyError> {
    let bytes = single_header(headers, name)?.as_bytes();
    match bytes.is_ascii() {
        true => Ok(bytes),
        false => Err(VerifyError::HeaderNotAscii {
            header: name.clone(),
        }),
    }
}

fn parse_timestamp(digits: &[u8]) -> Result<i64, VerifyError> {
    /// The last second that a `DateTime` can represent.
    const LAST: i64 = chrono::DateTime::<chrono::Utc>::MAX_UTC.timestamp();
    let append = |seconds: i64, digit: &u8| match digit {
        b'0'..=b'9' => seconds.checked_mul(10)?.checked_add((digit - b'0').into()),
        _ => None,
    };
    match digits.iter().try_fold(0, append) {
        Some(seconds @ ..=LAST) if !digits.is_empty() => Ok(seconds),
        _ => Err(VerifyError::TimestampMalformed),
    }
}

/// The digest of a stored signature, with or without the scheme's prefix.
fn detached_digest(scheme: &Scheme, signature: &[u8]) -> Result<Digest, VerifyError> {
    let prefix = match &scheme.layout {
        Layout::Single { prefix } | Layout::List { prefix, .. } => prefix.as_str(),
        Layout::Fields { .. } => "",
    };
    let whole = scheme.encoding.decode(signature);
    whole.or_else(|error| match signature.strip_prefix(prefix.as_bytes()) {
        Some(digest) => scheme.encoding.decode(digest),
        None => Err(error),
    })
}
