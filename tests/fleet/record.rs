//! What happened, by the records of Redis and of the handlers.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::Path;

/// What the handlers of one process wrote.
pub(crate) struct Record(Vec<(String, usize)>);

impl Record {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let line = |line: &str| {
            let (what, event) = line.split_once(' ').unwrap();
            (what.to_owned(), event.parse().unwrap())
        };
        Self(text.lines().map(line).collect())
    }
}

/// The counts of one proof.
#[derive(Default)]
pub(crate) struct Verdict {
    events: usize,
    committed: usize,
    lost: usize,
    committed_twice: usize,
    committed_without_a_run: usize,
    runs_begun: usize,
    runs_ended: usize,
    repeated_after_a_crash: usize,
    repeated_after_a_failed_commit: usize,
    repeated_without_a_cause: usize,
    most_repeats: usize,
}

/// The completed runs of one event, by what became of them.
#[derive(Default)]
struct Runs {
    ended: usize,
    acknowledged: usize,
    refused: usize,
}

impl Verdict {
    /// `most_repeats` is how many runs the crashes can have met.
    pub(crate) fn of(
        events: usize,
        append_only_file: &[u8],
        records: &[Record],
        most_repeats: usize,
    ) -> Self {
        let mut verdict = Self {
            events,
            most_repeats,
            ..Self::default()
        };
        let mut runs: HashMap<usize, Runs> = HashMap::new();
        for (what, event) in records.iter().flat_map(|record| &record.0) {
            let of_event = runs.entry(*event).or_default();
            match what.as_str() {
                "begin" => verdict.runs_begun += 1,
                "end" => of_event.ended += 1,
                "204" => of_event.acknowledged += 1,
                _ => of_event.refused += 1,
            }
        }
        let commits = commits(append_only_file);
        for event in 0..events {
            let commits = commits.get(&event).copied().unwrap_or_default();
            let runs = runs.remove(&event).unwrap_or_default();
            verdict.committed += usize::from(commits > 0);
            verdict.lost += usize::from(commits == 0);
            verdict.committed_twice += usize::from(commits > 1);
            verdict.committed_without_a_run += usize::from(commits > 0 && runs.ended == 0);
            verdict.count_runs(&runs);
        }
        assert!(runs.is_empty(), "a handler got an event that wasn't sent");
        verdict
    }

    /// Whether the receivers kept their promise.
    pub(crate) fn holds(&self) -> bool {
        self.committed == self.events
            && self.lost == 0
            && self.committed_twice == 0
            && self.committed_without_a_run == 0
            && self.repeated_without_a_cause == 0
            && self.runs_begun - self.events <= self.most_repeats
    }

    /// A run without an answer was in a process that was killed; one with a refusal had no commit.
    ///
    /// Of several runs of one event, one led to the commit.
    fn count_runs(&mut self, runs: &Runs) {
        self.runs_ended += runs.ended;
        let mut repeated = runs.ended.saturating_sub(1);
        self.repeated_without_a_cause += runs.acknowledged.saturating_sub(1);
        repeated -= runs.acknowledged.saturating_sub(1);
        let after_failed_commit = repeated.min(runs.refused);
        self.repeated_after_a_failed_commit += after_failed_commit;
        self.repeated_after_a_crash += repeated - after_failed_commit;
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "committed {} of {}", self.committed, self.events)?;
        writeln!(f, "lost {}", self.lost)?;
        writeln!(f, "committed twice {}", self.committed_twice)?;
        writeln!(
            f,
            "committed without a run {}",
            self.committed_without_a_run
        )?;
        writeln!(
            f,
            "handler runs: {} begun, {} cut off by a crash, {} ended",
            self.runs_begun,
            self.runs_begun - self.runs_ended,
            self.runs_ended
        )?;
        write!(
            f,
            "ended runs that were repeated: {} after a crash of their receiver, {} after a commit \
             that was refused or failed, {} without a cause",
            self.repeated_after_a_crash,
            self.repeated_after_a_failed_commit,
            self.repeated_without_a_cause
        )
    }
}

/// How often each event was committed, by Redis's append-only file.
fn commits(file: &[u8]) -> HashMap<usize, usize> {
    let mut commits = HashMap::new();
    let mut rest = file;
    while !rest.is_empty() {
        let words = count(&mut rest, b'*');
        let command: Vec<&[u8]> = (0..words)
            .map(|_| {
                let length = count(&mut rest, b'$');
                let word = &rest[..length];
                rest = &rest[length + 2..];
                word
            })
            .collect();
        if let [b"SET", key, value, ..] = command[..]
            && value.starts_with(b"done:")
        {
            let key = std::str::from_utf8(key).unwrap();
            let event = key.strip_prefix("fleet:preo:::id:").unwrap();
            *commits.entry(event.parse().unwrap()).or_default() += 1;
        }
    }
    commits
}

/// Takes a line that is a mark and a number.
fn count(rest: &mut &[u8], mark: u8) -> usize {
    let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
    let line = std::str::from_utf8(&rest[..end]).unwrap();
    let number = line.strip_prefix(char::from(mark)).unwrap();
    *rest = &rest[end + 2..];
    number.parse().unwrap()
}
