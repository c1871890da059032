use hmac::Mac;
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::{memchr_iter, memmem};
use smallvec::SmallVec;

use super::VerifyError;
use super::digest::{Digest, HmacSha256, MAX_SIGNATURES, Signatures};
use super::part::Piece;
use super::scheme::{Layout, Scheme, TimestampSource};
use super::verified::UnsignedFields;

/// The parsed signature headers of a request, not yet verified.
#[derive(Default)]
pub(super) struct SignatureHeaders {
    pub(super) signatures: Signatures,
    /// In seconds since 1970.
    pub(super) timestamp: Option<u64>,
    pub(super) signed: SignedContent,
    pub(super) unsigned: UnsignedFields,
}

/// The signed bytes around the body. 64 bytes on each side fit without an allocation.
#[derive(Default)]
pub(super) struct SignedContent {
    before_body: SmallVec<[u8; 64]>,
    after_body: SmallVec<[u8; 64]>,
}

/// The block size of SHA-256.
const BLOCK: usize = 64;

impl SignatureHeaders {
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
        let prefix = scheme.prefix.as_bytes();
        let mut timestamp = None;
        match &scheme.layout {
            Layout::Single => {
                let digest = text.strip_prefix(prefix);
                self.push_signature(scheme, digest.ok_or(VerifyError::PrefixMissing)?)?;
            }
            Layout::List(separator) => {
                let mut start = 0;
                for end in memmem::find_iter(text, separator).chain([text.len()]) {
                    let entry = &text[start..end];
                    start = end + separator.len();
                    match entry.strip_prefix(prefix) {
                        Some(digest) if !entry.is_empty() => self.push_signature(scheme, digest)?,
                        _ => {}
                    }
                }
            }
            Layout::Fields(signature) => {
                let timestamp_key = match &scheme.timestamp {
                    Some(TimestampSource::Field(key)) => Some(key),
                    _ => None,
                };
                let mut start = 0;
                for end in memchr_iter(b',', text).chain([text.len()]) {
                    let field = text[start..end].trim_ascii_start();
                    start = end + 1;
                    if let Some(digest) = value_of(field, signature) {
                        self.push_signature(scheme, digest)?;
                    } else if let Some(value) = timestamp_key.and_then(|key| value_of(field, key)) {
                        if timestamp.replace(value).is_some() {
                            return Err(VerifyError::TimestampRepeated);
                        }
                    } else {
                        self.unsigned.push(field);
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

impl SignedContent {
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

    /// Moves the start of the body here, up to a whole number of blocks.
    ///
    /// A MAC hashes whole blocks fastest. Returns the rest of the body.
    pub(super) fn fill_block<'b>(&mut self, body: &'b [u8]) -> &'b [u8] {
        let missing = self.before_body.len().wrapping_neg() % BLOCK;
        let (start, rest) = body.split_at(missing.min(body.len()));
        self.before_body.extend_from_slice(start);
        rest
    }

    /// Updates a MAC with these bytes around the body.
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

/// The value of a `key=value` field with this key.
fn value_of<'a>(field: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let (name, rest) = field.split_at_checked(key.len())?;
    let value = rest.strip_prefix(b"=")?;
    (name == key.as_bytes()).then_some(value)
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

fn parse_timestamp(digits: &[u8]) -> Result<u64, VerifyError> {
    /// The last second that a `DateTime` can represent.
    const LAST: u64 = chrono::DateTime::<chrono::Utc>::MAX_UTC
        .timestamp()
        .cast_unsigned();
    let append = |seconds: u64, digit: &u8| match digit {
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
    let whole = scheme.encoding.decode(signature);
    whole.or_else(
        |error| match signature.strip_prefix(scheme.prefix.as_bytes()) {
            Some(digest) => scheme.encoding.decode(digest),
            None => Err(error),
        },
    )
}
