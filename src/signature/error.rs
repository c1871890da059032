use std::time::Duration;

use http::HeaderName;
use thiserror::Error;

/// The reason for refusing a delivery. It contains no payload, signature, or secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// A header the scheme needs is absent.
    #[error("the header {header} is missing")]
    HeaderMissing {
        /// The header's name.
        header: HeaderName,
    },
    /// A header the scheme needs occurs more than once.
    #[error("the header {header} occurs more than once")]
    HeaderRepeated {
        /// The header's name.
        header: HeaderName,
    },
    /// A header the scheme needs has no value.
    #[error("the header {header} is empty")]
    HeaderEmpty {
        /// The header's name.
        header: HeaderName,
    },
    /// The signature or timestamp header contains something other than visible ASCII.
    #[error("the header {header} is not ASCII text")]
    HeaderNotAscii {
        /// The header's name.
        header: HeaderName,
    },
    /// A signed header contains or overlaps the literal that delimits it.
    ///
    /// Without this rule, part of the body could be passed off as part of the header.
    #[error("the signed header {header} contains or overlaps the literal that delimits it")]
    HeaderNotDelimited {
        /// The header's name.
        header: HeaderName,
    },
    /// The signature header does not begin with the scheme's prefix.
    #[error("the signature does not begin with the expected prefix")]
    PrefixMissing,
    /// A signature has a character that is not hexadecimal, or an odd number of them.
    #[error("the signature is not valid hexadecimal")]
    NotHex,
    /// A signature is not standard or URL-safe Base64.
    #[error("the signature isn't valid Base64")]
    NotBase64,
    /// A signature is well formed, but its digest is not 32 bytes long.
    #[error("the signature is not 32 bytes long")]
    DigestLength,
    /// The header has no signature that this scheme reads.
    #[error("the header contains no signature of this scheme")]
    NoSignature,
    /// The header has more than [`MAX_SIGNATURES`](super::MAX_SIGNATURES) signatures.
    #[error("the header contains too many signatures")]
    TooManySignatures,
    /// No signature matches the body with any active key.
    #[error("no signature matches; compare the secret, and pass the body's raw bytes")]
    Mismatch,
    /// The header has no timestamp field.
    #[error("the timestamp is missing")]
    TimestampMissing,
    /// The header has several timestamp fields.
    #[error("the timestamp occurs more than once")]
    TimestampRepeated,
    /// The timestamp is not a run of decimal digits, or lies past the year 262142.
    #[error("the timestamp is not a whole number of seconds since 1970")]
    TimestampMalformed,
    /// The signature is genuine, but was made too long ago.
    #[error("the delivery is {age:?} old, more than the tolerance of {tolerance:?}")]
    TooOld {
        /// How far the timestamp lies in the past.
        age: Duration,
        /// How far it may.
        tolerance: Duration,
    },
    /// The signature is genuine, but is dated too far in the future.
    #[error(
        "the delivery is {ahead:?} ahead, more than the tolerance of {tolerance:?}; compare the clocks"
    )]
    TooNew {
        /// How far the timestamp lies in the future.
        ahead: Duration,
        /// How far it may.
        tolerance: Duration,
    },
    /// The scheme signs a header or a timestamp, which a stored signature lacks.
    #[error("the scheme signs more than the body; verify with the request's headers")]
    HeadersNeeded,
    /// Every key of the keyring has expired.
    #[error("every key has expired; add a key to the keyring")]
    NoActiveKey,
}

/// An error from building a [`Scheme`](super::Scheme).
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemeError {
    /// A name can't be the name of an HTTP header.
    #[error("{name:?} is not a header name")]
    HeaderName {
        /// The name as it was given.
        name: String,
    },
    /// One header has two of the roles signature, timestamp, and signed part.
    #[error("the header {header} has two roles; use Part::Timestamp to sign the timestamp")]
    HeaderReused {
        /// The header's name.
        header: HeaderName,
    },
    /// The body is not among the signed parts.
    #[error("the body is not signed; add Part::Body")]
    NoBody,
    /// The body occurs twice among the signed parts.
    #[error("the body is signed twice; keep one Part::Body")]
    SeveralBodies,
    /// A signed literal is empty.
    #[error("a signed literal is empty; leave it out")]
    EmptyLiteral,
    /// A timestamp or header isn't delimited, so bytes could move to the next part.
    #[error(
        "nothing delimits {part}; put a Part::literal between it and the next part toward the body, \
         next to a timestamp with a character other than a digit"
    )]
    NotDelimited {
        /// `the timestamp` or `the header` and its name.
        part: String,
    },
    /// [`Part::Timestamp`](super::Part::Timestamp) is signed, but no header or field is set for it.
    #[error("the timestamp has no source; add timestamp_header or timestamp_field")]
    TimestampSourceMissing,
    /// A timestamp is read but not signed, so anyone could change it.
    #[error("the timestamp is not signed; add Part::Timestamp")]
    TimestampNotSigned,
    /// A tolerance is set, but there is no timestamp.
    #[error("a tolerance needs a timestamp; add timestamp_header or timestamp_field")]
    ToleranceWithoutTimestamp,
    /// A timestamp field is set, but the header has no fields.
    #[error("a timestamp field needs a header of fields; add fields, or use timestamp_header")]
    TimestampFieldWithoutFields,
    /// A field's key is empty, or has a space, comma, equals sign, or non-ASCII character.
    #[error("{key:?} can't be the key of a field")]
    FieldKey {
        /// The key as it was given.
        key: String,
    },
    /// The timestamp and the signature have the same field key.
    #[error("the timestamp and the signature share the field {key:?}")]
    FieldReused {
        /// The key as it was given.
        key: String,
    },
    /// A prefix is set, but the header has fields.
    #[error("a header of fields has no prefix; leave it out")]
    PrefixWithFields,
    /// The prefix has a character other than visible ASCII, or contains the list's separator.
    #[error("the prefix can never match")]
    Prefix,
    /// The separator is empty, is not ASCII, or could be part of a digest.
    #[error("the separator does not separate digests")]
    Separator,
}

/// An error from creating a [`Key`](super::Key). It never contains the secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The secret is empty, blank, or zero bytes only; anyone could sign with it.
    #[error("the secret is empty, blank, or zero bytes; pass the secret that the service issued")]
    EmptySecret,
    /// The secret begins or ends with whitespace or another invisible character.
    #[error(
        "the secret begins or ends with whitespace or an invisible character; trim it, for example \
         a newline at the end of a file"
    )]
    SurroundingWhitespace,
    /// The secret contains a control character.
    #[error("the secret contains a control character; pass a binary key to Key::from_bytes")]
    ControlCharacter,
}

/// An error from signing with a [`Signer`](super::Signer).
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignError {
    /// A header that the scheme signs can't be used.
    #[error("a signed header can't be used; set it before signing")]
    SignedHeader(#[source] VerifyError),
    /// The time is before 1970, so it has no timestamp.
    #[error("the time to sign is before 1970")]
    TimeBeforeEpoch,
    /// An additional field doesn't fit the header, or isn't visible ASCII.
    #[error("the field {key:?} can't be part of the signature header")]
    Field {
        /// The field's key.
        key: String,
    },
}
