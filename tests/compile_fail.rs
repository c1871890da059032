//! Code that must not compile, with the messages that a user sees.
//!
//! `OVERWRITE=1 cargo test --all-features --test compile_fail` renews the messages.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use regex::{Captures, Regex};
use serde_json::Value;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compile_fail");

/// The compiler whose messages are committed. For another one, only their first lines count.
const COMPILER: &str = "rustc 1.95.";

/// The longest message, in lines.
const MAX_LINES: usize = 20;

#[test]
fn mistakes_are_compile_errors_of_a_few_lines() {
    let libraries = libraries();
    let overwrite = env::var_os("OVERWRITE").is_some();
    let version = rustc().arg("--version").output().unwrap();
    let shown = match version.stdout.starts_with(COMPILER.as_bytes()) {
        true => MAX_LINES,
        false => 1,
    };
    let mut wrong = Vec::new();
    for entry in fs::read_dir(CASES).unwrap() {
        let case = entry.unwrap().path();
        if case.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let output = compile(&case, &libraries);
        let message = normalized(&String::from_utf8(output.stderr).unwrap());
        let file = case.with_extension("stderr");
        if overwrite {
            fs::write(&file, &message).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        let same = message.lines().take(shown).eq(expected.lines().take(shown));
        if output.status.success() || !same || message.lines().count() > MAX_LINES {
            wrong.push(format!("{}:\n{message}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The libraries that this test was built with.
fn libraries() -> Vec<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["test", "--no-run", "--offline", "--all-features"]);
    cargo.args(["--test", "compile_fail", "--message-format", "json"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let messages = text.lines().map(|line| serde_json::from_str(line).unwrap());
    messages
        .filter(|message: &Value| message["target"]["kind"][0] == "lib")
        .filter_map(|message| Some(message["filenames"][0].as_str()?.into()))
        .collect()
}

fn compile(case: &Path, libraries: &[PathBuf]) -> Output {
    let mut rustc = rustc();
    rustc.args(["--edition", "2024", "--crate-type", "lib"]);
    rustc.args([
        "--emit",
        "metadata",
        "--out-dir",
        env!("CARGO_TARGET_TMPDIR"),
    ]);
    for name in ["axum", "http", "webhook_sdk"] {
        let file = format!("lib{name}-");
        let library = libraries.iter().find(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with(&file))
        });
        let library = library.unwrap();
        rustc.args(["--extern", &format!("{name}={}", library.display())]);
        rustc.arg("-L").arg(library.parent().unwrap());
    }
    rustc.arg(case.file_name().unwrap());
    rustc.current_dir(CASES).output().unwrap()
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or("rustc".into()))
}

/// A message without its last lines, and without folders and line numbers outside of the case.
fn normalized(message: &str) -> String {
    let place = Regex::new(r"^ *(-->|:::) (?:(.*/)|)(\S+\.rs)(:\d+:\d+)$").unwrap();
    let gutter = Regex::new(r"^ *(\d*) +([|=]|-->|:::)").unwrap();
    let mut foreign = false;
    let lines = message.lines().map(|line| {
        if let Some(found) = place.captures(line) {
            foreign = found.get(2).is_some();
            let position = if foreign { "" } else { &found[4] };
            return format!(" {} {}{position}\n", &found[1], &found[3]);
        }
        foreign &= !line.starts_with(char::is_alphabetic);
        let shorter = gutter.replace(line, |found: &Captures<'_>| {
            let number = if foreign { "" } else { &found[1] };
            format!("{number:1} {}", &found[2])
        });
        format!("{}\n", shorter.trim_end())
    });
    let text: String = lines.collect();
    let end = text.find("\nerror: aborting").unwrap_or(text.len());
    text[..end].to_owned()
}
