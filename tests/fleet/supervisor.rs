//! Starts the processes, kills them, and starts them again.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{env, thread};

use fastrand::Rng;

use crate::receiver;
use crate::record::Record;
use crate::redis_server::RedisServer;
use crate::sender::{Addresses, Sender};

/// Every so many crashes it is Redis's, and the next time that of all receivers at once.
const REDIS_EVERY: usize = 10;

pub(crate) struct Fleet {
    pub(crate) redis: RedisServer,
    pub(crate) kills: usize,
    pub(crate) redis_kills: usize,
    processes: Vec<Process>,
    addresses: Addresses,
    directory: PathBuf,
    records: Vec<PathBuf>,
}

struct Process {
    child: Child,
}

impl Fleet {
    pub(crate) fn start(receivers: usize) -> Self {
        let name = format!("fleet-{}", std::process::id());
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).unwrap();
        let mut fleet = Self {
            redis: RedisServer::start(),
            kills: 0,
            redis_kills: 0,
            processes: Vec::new(),
            addresses: Arc::new(RwLock::new(Vec::new())),
            directory,
            records: Vec::new(),
        };
        for _ in 0..receivers {
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
            match crash % REDIS_EVERY {
                0 => {
                    self.redis.kill();
                    self.redis.start_again();
                    self.redis_kills += 1;
                }
                1 if crash > 1 => (0..self.processes.len()).for_each(|index| self.replace(index)),
                _ => self.replace(random.usize(..self.processes.len())),
            }
        }
    }

    /// Ends the receivers in an orderly way: they have nothing under way.
    pub(crate) fn stop(&mut self) {
        for mut process in self.processes.drain(..) {
            drop(process.child.stdin.take());
            process.child.wait().unwrap();
        }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.iter().map(|path| Record::read(path)).collect()
    }

    fn replace(&mut self, index: usize) {
        self.processes[index].child.kill().unwrap();
        self.processes[index].child.wait().unwrap();
        self.kills += 1;
        let (process, address) = self.start_receiver();
        self.processes[index] = process;
        self.addresses.write().unwrap()[index] = address;
    }

    fn start_receiver(&mut self) -> (Process, String) {
        let record = self.directory.join(self.records.len().to_string());
        let mut child = Command::new(env::current_exe().unwrap())
            .args([receiver::ROLE, &self.redis.url()])
            .arg(&record)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        self.records.push(record);
        (Process { child }, address.trim_end().to_owned())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for process in &mut self.processes {
            process.child.kill().ok();
            process.child.wait().ok();
        }
        fs::remove_dir_all(&self.directory).ok();
    }
}
