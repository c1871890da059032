//! A Redis of the test's own, on loopback.
//!
//! Tests that use it need a `redis-server` on the `PATH` and are ignored by default.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

const PROGRAM: &str = "redis-server";

/// A `redis-server` process that keeps every commit on disk, and ends with this value.
pub(crate) struct RedisServer {
    process: Option<Child>,
    port: u16,
    directory: PathBuf,
    settings: Vec<String>,
}

impl RedisServer {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(settings: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("redis-{}-{number}", std::process::id());
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).unwrap();
        let mut server = Self {
            process: None,
            port: 0,
            directory,
            settings: settings.iter().map(ToString::to_string).collect(),
        };
        // Another process may take a free port before Redis does.
        for _ in 0..10 {
            server.port = free_port();
            if server.run() {
                return server;
            }
        }
        panic!("redis-server doesn't start: {}", server.log());
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    #[allow(dead_code, reason = "not every test binary needs it")]
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends the process as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Stops the process from doing anything until it is resumed. Its connections stay open.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub(crate) fn suspend(&self) {
        self.signal("-STOP");
    }

    #[allow(dead_code, reason = "not every test binary needs it")]
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Starts the process again, with the data and the port it had.
    pub(crate) fn start_again(&mut self) {
        assert!(self.run(), "redis-server doesn't start: {}", self.log());
    }

    /// The append-only file, which holds each change since the first start.
    #[allow(dead_code, reason = "not every test binary reads it")]
    pub(crate) fn append_only_file(&self) -> Vec<u8> {
        let directory = self.directory.join("appendonlydir");
        let mut files: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.to_string_lossy().ends_with(".incr.aof"))
            .collect();
        files.sort();
        files
            .iter()
            .flat_map(|file| fs::read(file).unwrap())
            .collect()
    }

    /// Whether the process came up; it is gone if not.
    fn run(&mut self) -> bool {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.join("log"))
            .unwrap();
        let spawned = Command::new(PROGRAM)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--dir", &self.directory.to_string_lossy()])
            .args(["--save", "", "--daemonize", "no"])
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(["--auto-aof-rewrite-percentage", "0"])
            .args(&self.settings)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn();
        let process = match spawned {
            Ok(process) => process,
            Err(error) => {
                panic!("can't start {PROGRAM}, from Debian's package redis-server: {error}")
            }
        };
        let process = self.process.insert(process);
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if is_ready(self.port) {
                return true;
            }
            if process.try_wait().unwrap().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.kill();
        false
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().ok();
            process.wait().ok();
        }
        fs::remove_dir_all(&self.directory).ok();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Any answer will do but that of a Redis that is still loading, even a demand for a password.
fn is_ready(port: u16) -> bool {
    let Ok(client) = redis::Client::open(format!("redis://127.0.0.1:{port}/")) else {
        return false;
    };
    let Ok(mut connection) = client.get_connection() else {
        return false;
    };
    match redis::cmd("PING").query::<String>(&mut connection) {
        Ok(_) => true,
        Err(error) => error.code() == Some("NOAUTH"),
    }
}
