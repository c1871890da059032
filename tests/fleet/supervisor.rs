//! Starts the processes, kills them, and starts them again.

use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{env, thread};

use fastrand::Rng;

use crate::database::{Database, Effects, Kind};
use crate::receiver::{self, Process};
use crate::record::Record;
use crate::sender;
use crate::sender::{Addresses, Sender};

/// Of so many crashes one is that of the database and all receivers, one of it and one receiver, one
/// of it alone, and one no crash but a receiver that stands still; each other is of one receiver.
const ROUND: usize = 10;
const BLACKOUT_OF_ONE: usize = 3;
const DATABASE_ALONE: usize = 6;
const STANDSTILL: usize = 8;
const LONGER_THAN_A_HANDLER: Duration = Duration::from_millis(30);

pub(crate) struct Fleet {
    pub(crate) database: Database,
    pub(crate) kills: usize,
    pub(crate) database_kills: usize,
    pub(crate) standstills: usize,
    kind: Kind,
    effects: Effects,
    processes: Vec<Child>,
    addresses: Addresses,
    directory: PathBuf,
    records: Vec<PathBuf>,
}

impl Fleet {
    pub(crate) fn start(kind: Kind, effects: Effects) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("fleet-{}-{number}", std::process::id());
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).unwrap();
        let mut fleet = Self {
            database: Database::start(kind, effects, &directory),
            kills: 0,
            database_kills: 0,
            standstills: 0,
            kind,
            effects,
            processes: Vec::new(),
            addresses: Arc::new(RwLock::new(Vec::new())),
            directory,
            records: Vec::new(),
        };
        for _ in 0..kind.receivers() {
            let (process, address) = fleet.start_receiver();
            fleet.processes.push(process);
            fleet.addresses.write().unwrap().push(address);
        }
        fleet
    }

    pub(crate) fn addresses(&self) -> Addresses {
        Arc::clone(&self.addresses)
    }

    /// Kills something each time that a further part of the deliveries is acknowledged.
    pub(crate) fn crash_while(
        &mut self,
        sender: &Sender,
        sending: &JoinHandle<()>,
        crashes: usize,
        random: &mut Rng,
    ) {
        for crash in 1..=crashes {
            while sender.progress() < crash as f64 / (crashes + 1) as f64 {
                if sending.is_finished() {
                    return;
                }
                thread::sleep(Duration::from_millis(1));
            }
            // Not right after an acknowledgment, when a receiver has just begun with the next event.
            thread::sleep(Duration::from_micros(random.u64(..20_000)));
            let one = random.usize(..self.processes.len());
            match crash % ROUND {
                0 => self.black_out(0..self.processes.len()),
                BLACKOUT_OF_ONE => self.black_out(one..one + 1),
                DATABASE_ALONE => self.black_out(0..0),
                STANDSTILL => self.stand_still(one),
                _ => {
                    self.kill_receiver(one);
                    self.replace(one);
                }
            }
        }
    }

    /// Shuts the receivers down gracefully: they have no requests in flight.
    pub(crate) fn stop(&mut self) {
        for mut process in self.processes.drain(..) {
            drop(process.stdin.take());
            process.wait().unwrap();
        }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.iter().map(|path| Record::read(path)).collect()
    }

    /// Kills the database, and then some receivers, whose handlers by then wait for their commits.
    fn black_out(&mut self, receivers: Range<usize>) {
        self.database_kills += usize::from(self.database.kill());
        thread::sleep(LONGER_THAN_A_HANDLER);
        receivers
            .clone()
            .for_each(|index| self.kill_receiver(index));
        self.database.start_again();
        receivers.for_each(|index| self.replace(index));
    }

    /// Stops a receiver until others may have taken over what it holds, and lets it go on.
    fn stand_still(&mut self, index: usize) {
        self.signal(index, "-STOP");
        thread::sleep(receiver::LEASE + sender::PATIENCE);
        self.signal(index, "-CONT");
        self.standstills += 1;
    }

    fn signal(&self, index: usize, signal: &str) {
        let id = self.processes[index].id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(status.success());
    }

    fn kill_receiver(&mut self, index: usize) {
        self.processes[index].kill().unwrap();
        self.processes[index].wait().unwrap();
        self.kills += 1;
    }

    fn replace(&mut self, index: usize) {
        let (process, address) = self.start_receiver();
        self.processes[index] = process;
        self.addresses.write().unwrap()[index] = address;
    }

    fn start_receiver(&mut self) -> (Child, String) {
        let record = self.directory.join(self.records.len().to_string());
        let mut child = Command::new(env::current_exe().unwrap())
            .args(Process::arguments(
                self.kind,
                self.effects,
                &self.database,
                &record,
            ))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        self.records.push(record);
        (child, address.trim_end().to_owned())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for process in &mut self.processes {
            process.kill().ok();
            process.wait().ok();
        }
        fs::remove_dir_all(&self.directory).ok();
    }
}
