//! What happened, by the records of the database and of the handlers.

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

/// How often something happened to each event.
pub(crate) struct Tally {
    events: usize,
    total: usize,
    lost: usize,
    repeated: usize,
}

impl Tally {
    pub(crate) fn of(events: usize, counts: &HashMap<usize, usize>) -> Self {
        let count = |event| counts.get(&event).copied().unwrap_or_default();
        Self {
            events,
            total: counts.values().sum(),
            lost: (0..events).filter(|event| count(*event) == 0).count(),
            repeated: (0..events).filter(|event| count(*event) > 1).count(),
        }
    }

    /// Whether it happened to each event once, and to nothing else.
    pub(crate) fn holds(&self) -> bool {
        self.total == self.events && self.lost == 0 && self.repeated == 0
    }

    /// Whether it happened to some events several times.
    pub(crate) fn repeats(&self) -> bool {
        self.repeated > 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            events,
            total,
            lost,
            repeated,
        } = self;
        write!(
            f,
            "{total} of {events} events; {lost} events lost, {repeated} repeated"
        )
    }
}

/// The runs of handlers whose events are committed apart.
#[derive(Default)]
pub(crate) struct Runs {
    events: usize,
    begun: usize,
    ended: usize,
    committed_without_a_run: usize,
    repeated_after_a_crash: usize,
    repeated_after_a_failed_commit: usize,
    repeated_without_a_cause: usize,
}

/// The completed runs of one event, by what became of them.
#[derive(Default)]
struct OfEvent {
    ended: usize,
    acknowledged: usize,
    refused: usize,
}

impl Runs {
    pub(crate) fn of(events: usize, commits: &HashMap<usize, usize>, records: &[Record]) -> Self {
        let mut all = Self {
            events,
            ..Self::default()
        };
        let mut runs: HashMap<usize, OfEvent> = HashMap::new();
        for (what, event) in records.iter().flat_map(|record| &record.0) {
            let of_event = runs.entry(*event).or_default();
            match what.as_str() {
                "begin" => all.begun += 1,
                "end" => of_event.ended += 1,
                "204" => of_event.acknowledged += 1,
                _ => of_event.refused += 1,
            }
        }
        for event in 0..events {
            let runs = runs.remove(&event).unwrap_or_default();
            let is_committed = commits.contains_key(&event);
            all.committed_without_a_run += usize::from(is_committed && runs.ended == 0);
            all.count(&runs);
        }
        assert!(runs.is_empty(), "a handler got an event that wasn't sent");
        all
    }

    /// Whether each repetition has a cause. `most_repeats` is how many runs the crashes can have met.
    pub(crate) fn hold(&self, most_repeats: usize) -> bool {
        self.committed_without_a_run == 0
            && self.repeated_without_a_cause == 0
            && self.begun - self.events <= most_repeats
    }

    /// A run without an answer was in a process that was killed; one with a refusal had no commit.
    ///
    /// Of several runs of one event, one led to the commit.
    fn count(&mut self, runs: &OfEvent) {
        self.ended += runs.ended;
        let mut repeated = runs.ended.saturating_sub(1);
        self.repeated_without_a_cause += runs.acknowledged.saturating_sub(1);
        repeated -= runs.acknowledged.saturating_sub(1);
        let after_failed_commit = repeated.min(runs.refused);
        self.repeated_after_a_failed_commit += after_failed_commit;
        self.repeated_after_a_crash += repeated - after_failed_commit;
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "handler runs: {} begun, {} cut off by a crash, {} ended; {} events committed without a run",
            self.begun,
            self.begun - self.ended,
            self.ended,
            self.committed_without_a_run
        )?;
        write!(
            f,
            "ended runs that were repeated: {} after a crash of their receiver, {} after a commit that \
             was refused or failed, {} without a cause",
            self.repeated_after_a_crash,
            self.repeated_after_a_failed_commit,
            self.repeated_without_a_cause
        )
    }
}

/// How often each event was committed, by Redis's append-only file.
pub(crate) fn commits(file: &[u8]) -> HashMap<usize, usize> {
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
            let (_, event) = key.rsplit_once(':').unwrap();
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
