use std::borrow::Cow;

use http::HeaderName;

use super::SchemeError;

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

pub(super) fn pieces(parts: &[Part]) -> Result<(Vec<Piece>, Vec<Piece>), SchemeError> {
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

pub(super) fn header_name(name: &str) -> Result<HeaderName, SchemeError> {
    HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| SchemeError::HeaderName { name: name.into() })
}
