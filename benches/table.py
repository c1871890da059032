#!/usr/bin/env python3
"""Runs all benchmarks and writes their results into the README, between the markers of `speed`.

`benches/table.py` measures everything, in about 15 minutes. `benches/table.py verify listing` measures only
that, and prints without writing: all numbers in the README come from one run.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ["--manifest-path", "benches/peers/Cargo.toml"]
FAST = ["--", "--warm-up-time", "0.2", "--measurement-time", "0.5", "--sample-size", "10"]
REQWEST = 'reqwest = { version = "0.13", default-features = false, features = ["http2", "json", "query", "rustls", "system-proxy"] }'
SDK = f'webhook-sdk = {{ path = "{ROOT}", default-features = false, features = [%s] }}'
BUILDS = {
    "reqwest with rustls alone": REQWEST,
    "A client: `preo`, `client`, `rustls`": SDK % '"preo", "client", "rustls"',
    "A receiver: `preo`, `axum`": SDK % '"preo", "axum"',
    "All features but `native-tls`, `redis-tls`": SDK
    % '"preo", "pretix", "lune", "client", "rustls", "axum", "redis", "postgres", "sqlite", "testing"',
}
ROUTES = {"body": "Reads the body only", "by_hand": "Verifies and decodes, by hand", "standardwebhooks": "The same with the crate `standardwebhooks`"}


def bench(*arguments):
    """The output of a benchmark, which is also printed."""
    process = subprocess.Popen(["cargo", "bench", "--quiet", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line)
    if process.wait() != 0:
        sys.exit(f"cargo bench {' '.join(arguments)} failed")
    return "".join(lines)


def find(pattern, text):
    return re.search(pattern, text, re.MULTILINE).groups()


def table(head, rows):
    lines = [f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def verify():
    output = bench(*PEERS, "--bench", "verify", *FAST)
    (nanoseconds,) = find(r"1 KiB SHA-256 \(sha2\) +(\d+) ns", output)
    names = {
        "HMAC (ring)": "HMAC-SHA256 with `ring`",
        "body scheme": "Preo's signature",
        "field scheme": "Lune's signature, with its timestamp",
        "Standard Webhooks": "Standard Webhooks",
        "Standard Webhooks (standardwebhooks)": "The same with the crate `standardwebhooks`",
        "Standard Webhooks (svix)": "The same with the crate `svix`",
    }
    rows = [[label, *find(rf"^\| {re.escape(name)} \| (.+) \| (.+) \| (.+) \| (.+) \|$", output)] for name, label in names.items()]
    return (
        f"Verification, in multiples of a bare SHA-256 of the same body with the crate `sha2` ({nanoseconds} ns for 1 KiB):\n\n"
        + table(["", "256 B", "1 KiB", "16 KiB", "1 MiB"], rows)
    )


def receiver():
    output = bench(*PEERS, "--bench", "receiver")
    ratios = re.findall(r"^receive and handle .* ([\d.]+) x SHA-256", output, re.MULTILINE)
    rows = []
    for route, label in ROUTES.items():
        speed, busy = zip(*re.findall(rf"^extractor / {route}: ([\d.]+) by requests per second, ([\d.]+)", output, re.MULTILINE))
        rows.append([label, speed[0], speed[1], busy[1]])
    return (
        "Receiving signed events of 1 KiB with axum: the extractor, which verifies, decodes, and deduplicates, relative to other "
        "routes of the same server. More is better.\n\n"
        + table(["Compared with a route that", "Requests per second, 1 connection", "32 connections", "By processor time"], rows)
        + f"\n\nWithout a server, receiving takes {ratios[0]} times as long as SHA-256 for a body of one text, and {ratios[1]} times "
        "for one of 28 values."
    )


def listing():
    output = bench("--bench", "listing", "--features", "testing")
    (ratio,) = find(r"^sdk / by hand: median ([\d.]+)", output)
    (ahead,) = find(r"^sequential / prefetch\(8\): ([\d.]+)", output)
    small, large = find(r"^memory: (\d+) KiB for 2,000, (\d+) KiB for 200,000", output)
    rows = [
        ["20,000 webhooks with `stream`: processor time, relative to a handwritten loop over reqwest", ratio],
        ["The same pages with a latency of 50 ms: speedup by `prefetch(8)`", ahead],
        ["Peak memory of `stream` over 2,000 webhooks", f"{small} KiB"],
        ["Over 200,000 webhooks", f"{large} KiB"],
    ]
    return "Lists:\n\n" + table(["", ""], rows)


def build():
    rows = [measure_build(label, dependency) for label, dependency in BUILDS.items()]
    return "A debug build from nothing, with all dependencies:\n\n" + table(["", "Processor time", "Relative", "Crates"], [
        [label, f"{seconds:.0f} s", f"{seconds / rows[0][1]:.2f}", str(crates)] for label, seconds, crates in rows
    ])


def measure_build(label, dependency):
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder)
        (package / "src").mkdir()
        (package / "src/lib.rs").touch()
        (package / "Cargo.toml").write_text(f'[package]\nname = "cold"\nedition = "2024"\n\n[workspace]\n\n[dependencies]\n{dependency}\n')
        # The same versions as everywhere.
        (package / "Cargo.lock").write_bytes((ROOT / "Cargo.lock").read_bytes())
        environment = {**os.environ, "CARGO_TARGET_DIR": f"{folder}/target", "CARGO_INCREMENTAL": "0"}
        run = lambda *command: subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
        run("cargo", "fetch", "--quiet")
        tree = run("cargo", "tree", "--quiet", "--edges", "normal,build", "--prefix", "none", "--format", "{p}").stdout
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run("cargo", "build", "--quiet", "--offline")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        crates = len({line.removesuffix(" (*)") for line in tree.splitlines() if line}) - 1
        print(f"{label}: {seconds:.1f} s, {crates} crates", flush=True)
        return label, seconds, crates


def main():
    sections = {"verify": verify, "receiver": receiver, "listing": listing, "build": build}
    chosen = sys.argv[1:] or list(sections)
    if not set(chosen) <= set(sections):
        sys.exit(__doc__)
    text = "\n\n".join(sections[name]() for name in chosen)
    if len(chosen) < len(sections):
        print(f"\n{text}")
        return
    readme = ROOT / "README.md"
    pattern = r"(<!-- speed: .* -->\n).*?(\n<!-- /speed -->)"
    written, count = re.subn(pattern, lambda markers: markers[1] + text + markers[2], readme.read_text(), flags=re.DOTALL)
    if count != 1:
        sys.exit("the README has no markers of speed")
    readme.write_text(written)


main()
