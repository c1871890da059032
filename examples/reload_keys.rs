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
    use std::process::Command;
    use std::time::Duration;

    use tokio::signal::unix::{SignalKind, signal};
    use webhook_sdk::preo;
    use webhook_sdk::signature::Verifier;

    let path = std::env::temp_dir().join(format!("webhook-keys-{}", std::process::id()));
    std::fs::write(&path, "2026-10 the old secret\n")?;
    let verifier = Verifier::new(preo::scheme(), reload::read(&path)?);

    // A service runs this loop alongside its server.
    let keyring = verifier.keyring().clone();
    let mut hangups = signal(SignalKind::hangup())?;
    let reloading = tokio::spawn({
        let path = path.clone();
        async move {
            while hangups.recv().await.is_some() {
                match reload::replace(&keyring, &path) {
                    Ok(()) => println!("reloaded: {:?}", keyring.names()),
                    Err(error) => println!("kept {:?}: {error}", keyring.names()),
                }
            }
        }
    });

    for file in ["2026-11 the new secret\n", "2026-12\n"] {
        std::fs::write(&path, file)?;
        let own_id = std::process::id().to_string();
        Command::new("kill").args(["-HUP", &own_id]).status()?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("still accepted: {:?}", verifier.keyring().names());

    reloading.abort();
    std::fs::remove_file(&path)?;
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
