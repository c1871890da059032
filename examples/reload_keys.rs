//! Reloads signing keys from a file on SIGHUP, while a verifier uses them.
//!
//! `cargo run --example reload_keys --no-default-features --features preo`

#[cfg(not(unix))]
fn main() {
    eprintln!("SIGHUP needs Unix");
}

#[cfg(unix)]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    use std::fs::{DirBuilder, remove_dir_all, write};
    use std::os::unix::fs::DirBuilderExt;
    use std::process::{self, Command};

    use tokio::signal::unix::{SignalKind, signal};
    use tokio::sync::mpsc;
    use webhook_sdk::preo;
    use webhook_sdk::signature::Verifier;

    let folder = std::env::temp_dir().join(format!("webhook-keys-{}", process::id()));
    DirBuilder::new().mode(0o700).create(&folder)?; // for this user alone
    let path = folder.join("keys");
    write(&path, "2026-10 the old secret\n")?;
    let verifier = Verifier::new(preo::scheme(), reload::read(&path)?);

    // A service runs this loop alongside its server.
    let keyring = verifier.keyring().clone();
    let mut hangups = signal(SignalKind::hangup())?;
    let (report, mut reports) = mpsc::channel(1);
    tokio::spawn({
        let path = path.clone();
        async move {
            while hangups.recv().await.is_some() {
                let reloaded = reload::replace(&keyring, &path);
                println!("{reloaded:?}: {:?}", keyring.names());
                report.send(reloaded.is_ok()).await.ok();
            }
        }
    });

    // The second file has no secret, so that no key changes.
    for (file, is_valid) in [("2026-11 the new secret\n", true), ("2026-12\n", false)] {
        write(&path, file)?;
        let own_id = process::id().to_string();
        Command::new("kill").args(["-HUP", &own_id]).status()?;
        assert_eq!(reports.recv().await, Some(is_valid));
        assert_eq!(verifier.keyring().names(), ["2026-11", "2026-10"]);
    }

    remove_dir_all(&folder)?;
    Ok(())
}

#[cfg(unix)]
mod reload {
    use std::error::Error;
    use std::path::Path;
    use std::time::Duration;

    use webhook_sdk::Secret;
    use webhook_sdk::signature::{Key, Keyring, Retire};

    type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

    /// How long deliveries signed with a replaced key are still accepted.
    const GRACE: Duration = Duration::from_secs(4 * 24 * 60 * 60);

    pub(crate) fn read(path: &Path) -> Result<Keyring> {
        Ok(Keyring::from_keys(keys(path)?)?)
    }

    /// Replaces all keys at once, or none if the file is invalid.
    pub(crate) fn replace(keyring: &Keyring, path: &Path) -> Result<()> {
        Ok(keyring.replace(keys(path)?, Retire::after(GRACE))?)
    }

    /// Reads one `name secret` per line.
    fn keys(path: &Path) -> Result<Vec<Key>> {
        let text = std::fs::read_to_string(path)?;
        let key = |line: &str| {
            let (name, secret) = line.split_once(' ').ok_or("a line has no secret")?;
            Ok(Key::new(name, &Secret::from(secret))?)
        };
        text.lines().map(key).collect()
    }
}
