use std::fmt;

/// An event's place in its account's order, compared as text.
///
/// ```
/// use webhook_sdk::lune::Sequence;
///
/// assert!(Sequence::from("2021-09-13T16:21:29.067Z") < Sequence::from("2021-09-13T16:21:29.068Z"));
/// ```
///
/// Lune says to compare sequences lexicographically, that they grow within an account, and that their form
/// may change without notice. Comparing is by bytes.
///
/// Two forms are published, `2021-09-13 16:21:29.067803` and `2021-09-13T16:21:29.067Z`, and these don't
/// sort together: at the same day every value of the first form is below every value of the second.
/// That is why a `Source` skips events by sequence only when told to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(String);

impl Sequence {
    /// The sequence as it came.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Sequence {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Sequence {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl AsRef<str> for Sequence {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
