//! A Postgres of the test's own, on loopback.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

/// Where Debian's package `postgresql` puts the programs of each version.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// The account that Debian's package creates. Postgres refuses to run as root.
const ACCOUNT: &str = "postgres";

/// A `postgres` process that ends with this value.
pub(crate) struct PostgresServer {
    process: Option<Child>,
    port: u16,
    programs: PathBuf,
    directory: PathBuf,
}

impl PostgresServer {
    pub(crate) fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("webhook-sdk-postgres-{}-{number}", std::process::id());
        // Not the target directory, which the account may not be able to enter.
        let directory = env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        let mut server = Self {
            process: None,
            port: 0,
            programs: newest(Path::new(PROGRAMS)).join("bin"),
            directory,
        };
        server.initialize();
        // Another process may take a free port before Postgres does.
        for _ in 0..10 {
            server.port = free_port();
            if server.run() {
                return server;
            }
        }
        panic!("postgres doesn't start: {}", server.log());
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://{ACCOUNT}@127.0.0.1:{}/postgres", self.port)
    }

    #[allow(dead_code, reason = "not every test binary needs it")]
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends the process as a crash would. Its children end themselves a moment later.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Starts the process again, with the data and the port it had.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub(crate) fn start_again(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.run() {
            // Children of the killed process still hold its shared memory.
            assert!(
                Instant::now() < deadline,
                "postgres doesn't start: {}",
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn initialize(&self) {
        if is_root() {
            let owned = Command::new("chown")
                .arg(ACCOUNT)
                .arg(&self.directory)
                .status();
            assert!(
                owned.unwrap().success(),
                "no account {ACCOUNT}; install Debian's package postgresql"
            );
        }
        let output = self
            .command("initdb")
            .args([
                "--username",
                ACCOUNT,
                "--auth",
                "trust",
                "--encoding",
                "UTF8",
            ])
            .args(["--no-locale", "--no-sync", "--pgdata"])
            .arg(self.data())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Whether the process came up; it is gone if not.
    fn run(&mut self) -> bool {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.join("log"));
        let process = self
            .command("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="])
            // The tests crash processes, whose writes the operating system keeps, and not the machine.
            .args(["-c", "fsync=off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("postgres doesn't start: {error}"));
        let process = self.process.insert(process);
        let is_ready = || {
            Command::new(self.programs.join("pg_isready"))
                .args([
                    "--quiet",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    &self.port.to_string(),
                ])
                .status()
                .is_ok_and(|status| status.success())
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            if process.try_wait().unwrap().is_some() {
                break;
            }
            if is_ready() {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.kill();
        false
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        if !is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        command
            .args([
                "--reuid",
                ACCOUNT,
                "--regid",
                ACCOUNT,
                "--clear-groups",
                "--",
            ])
            .arg(program)
            .current_dir(&self.directory);
        command
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // Ends its children too, so that nobody writes to the directory any more.
            Command::new("kill")
                .args(["-QUIT", &process.id().to_string()])
                .status()
                .ok();
            process.wait().ok();
        }
        fs::remove_dir_all(&self.directory).ok();
    }
}

fn newest(versions: &Path) -> PathBuf {
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    fs::read_dir(versions)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .max_by_key(number)
        .expect("needs Postgres; install Debian's package postgresql")
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
