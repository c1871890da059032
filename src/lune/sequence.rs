use crate::text::text_type;

/// An event's position within its account, compared as text.
///
/// ```
/// use webhook_sdk::lune::Sequence;
///
/// assert!(Sequence::from("2021-09-13T16:21:29.067Z") < Sequence::from("2021-09-13T16:21:29.068Z"));
/// ```
///
/// According to Lune, sequences are compared lexicographically, increase within an account, and can
/// change their format without notice. They are compared by bytes.
///
/// Lune has published two formats, `2021-09-13 16:21:29.067803` and `2021-09-13T16:21:29.067Z`,
/// which don't sort together: on the same day, every value in the first format is lower than every
/// value in the second. That is why a `Source` doesn't skip events by sequence by default.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(String);

text_type!(Sequence, display);
