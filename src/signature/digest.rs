use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use hmac::digest::CtOutput;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use smallvec::SmallVec;

use super::VerifyError;

pub(super) type HmacSha256 = Hmac<Sha256>;
pub(super) type Digest = [u8; 32];

/// The maximum number of signatures in one header: 8, our default.
///
/// During a rotation there are two.
pub const MAX_SIGNATURES: usize = 8;

/// Two fit without an allocation.
pub(super) type Signatures = SmallVec<[Digest; 2]>;

/// The text encoding of a digest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DigestEncoding {
    /// 64 hexadecimal characters in any case. Signers write lowercase.
    #[default]
    Hex,
    /// Standard or URL-safe Base64, with or without padding. Signers write padded standard Base64.
    Base64,
    /// Either, detected by its length. Signers write hexadecimal.
    HexOrBase64,
}

impl DigestEncoding {
    pub(super) fn decode(self, text: &[u8]) -> Result<Digest, VerifyError> {
        match self {
            Self::Hex => decode_hex(text),
            Self::Base64 => decode_base64(text),
            Self::HexOrBase64 if text.len() == HEX_LENGTH => decode_hex(text),
            Self::HexOrBase64 => decode_base64(text),
        }
    }

    pub(super) fn encode(self, digest: &[u8]) -> String {
        match self {
            Self::Hex | Self::HexOrBase64 => HEXLOWER.encode(digest),
            Self::Base64 => BASE64.encode(digest),
        }
    }
}

/// Whether one of the signatures matches the MAC. Each is compared in constant time.
#[inline]
pub(super) fn authenticates(mac: HmacSha256, signatures: &[Digest]) -> bool {
    let expected = mac.finalize();
    signatures
        .iter()
        .any(|signature| expected == CtOutput::new((*signature).into()))
}

const HEX_LENGTH: usize = 64;
const BASE64_LENGTH: usize = 43;

fn decode_hex(text: &[u8]) -> Result<Digest, VerifyError> {
    if text.len() != HEX_LENGTH {
        let well_formed = text.len().is_multiple_of(2) && text.iter().all(u8::is_ascii_hexdigit);
        return Err(if well_formed {
            VerifyError::DigestLength
        } else {
            VerifyError::NotHex
        });
    }
    let mut digest = [0; 32];
    match const_hex::decode_to_slice(text, &mut digest) {
        Ok(_) => Ok(digest),
        Err(_) => Err(VerifyError::NotHex),
    }
}

fn decode_base64(text: &[u8]) -> Result<Digest, VerifyError> {
    let symbols = match text.len() {
        44 => text.strip_suffix(b"=").unwrap_or(text),
        _ => text,
    };
    if symbols.len() != BASE64_LENGTH {
        let mut unpadded = symbols.iter().rev().skip_while(|byte| **byte == b'=');
        let well_formed = unpadded.all(|byte| is_base64(*byte));
        return Err(if well_formed {
            VerifyError::DigestLength
        } else {
            VerifyError::NotBase64
        });
    }
    let encoding = if symbols.iter().any(|byte| matches!(byte, b'-' | b'_')) {
        BASE64URL_NOPAD
    } else {
        BASE64_NOPAD
    };
    let mut digest = [0; 32];
    match encoding.decode_mut(symbols, &mut digest) {
        Ok(_) => Ok(digest),
        Err(_) => Err(VerifyError::NotBase64),
    }
}

/// Whether a byte can be part of an encoded digest, other than as padding.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}
