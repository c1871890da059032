#!/usr/bin/env python3
"""Compares each fake with the document of its service.

    tests/truth/run.py [schemathesis|prism]     both by default

`schemathesis` generates requests from the document, valid and invalid and always the same, and checks
every response against it. `prism` is a proxy between the client and the fake: it refuses a request
or a response that the document doesn't allow, while tests/it/fakes/truth.rs makes every call with
the fewest and with all arguments.

Needs `schemathesis` and `prism` on the path (PyPI `schemathesis`, npm `@stoplight/prism-cli`).
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXAMPLES = 40
SERVICES = {
    "preo": {"document": "openapi.yaml", "authorization": "Bearer"},
    "lune": {"document": "openapi-lune.yaml", "authorization": "Bearer"},
    "pretix": {
        "document": "openapi-pretix.yaml",
        "authorization": "Token",
        # Its document is narrower than the server, which was recorded to accept, or to fail over,
        # what the document forbids: only requests that the document allows can be judged by it.
        "mode": "positive",
        # Nothing is ever deleted.
        "exclude": "use_after_free",
        "hooks": ROOT / "tests" / "truth" / "pretix_hooks.py",
    },
}


class Fake:
    """The fake of one service, as a process."""

    def __init__(self, service, binary):
        self.process = subprocess.Popen(
            [binary, service], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        line = json.loads(self.process.stdout.readline())
        self.base_url = line["base_url"]
        self.credentials = line["credentials"]
        self.webhook_id = line["webhook_id"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)


def build():
    command = ["cargo", "build", "--quiet", "--all-features", "--example", "serve_fake"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    return str(pathlib.Path(target) / "debug" / "examples" / "serve_fake")


def schemathesis(service, options, fake, directory):
    config = directory / "schemathesis.toml"
    config.write_text('[parameters]\n"path.organizer" = "bigevents"\n', encoding="utf-8")
    command = [
        "schemathesis", "--config-file", config, "run", ROOT / options["document"],
        "--url", fake.base_url, "--header", f"Authorization: {options['authorization']} {fake.credentials}",
        "--max-examples", str(EXAMPLES), "--mode", options.get("mode", "all"),
        "--workers", "1", "--generation-deterministic", "--no-color",
    ]
    if "exclude" in options:
        command += ["--exclude-checks", options["exclude"]]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    if "hooks" in options:
        environment["SCHEMATHESIS_HOOKS"] = str(options["hooks"])
    result = subprocess.run(
        list(map(str, command)), cwd=directory, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )
    cases = re.findall(r"(\d+) generated", result.stdout)
    print(f"schemathesis, {service}: {', '.join(cases) or 'no'} cases, exit status {result.returncode}")
    if result.returncode:
        print(result.stdout)
    return result.returncode == 0


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port):
    for _ in range(300):
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("prism doesn't answer")


def prism(service, options, fake, directory):
    port = free_port()
    log = directory / f"prism-{service}.log"
    with log.open("w", encoding="utf-8") as output:
        command = ["prism", "proxy", "--errors", "--port", str(port), ROOT / options["document"], fake.base_url]
        proxy = subprocess.Popen(list(map(str, command)), stdout=output, stderr=subprocess.STDOUT)
        try:
            wait_for(port)
            environment = {
                **os.environ,
                "TRUTH_BASE_URL": f"http://127.0.0.1:{port}",
                "TRUTH_CREDENTIALS": fake.credentials,
                "TRUTH_WEBHOOK_ID": str(fake.webhook_id),
            }
            command = ["cargo", "test", "--quiet", "--all-features", "--test", "it", "--", "--ignored", "--exact",
                       f"fakes::truth::{service}"]
            result = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        finally:
            proxy.terminate()
            proxy.wait(10)
    text = log.read_text(encoding="utf-8")
    requests = len(re.findall(r"Request received", text))
    violations = [line for line in text.splitlines() if re.search(r"Violation", line)]
    print(f"prism, {service}: {requests} requests, {len(violations)} violations, exit status {result.returncode}")
    if result.returncode or violations or not requests:
        print(text)
    return result.returncode == 0 and not violations and requests > 0


def main():
    checks = {"schemathesis": schemathesis, "prism": prism}
    wanted = sys.argv[1:] or list(checks)
    binary = build()
    ok = True
    with tempfile.TemporaryDirectory() as directory:
        for name in wanted:
            for service, options in SERVICES.items():
                with Fake(service, binary) as fake:
                    ok &= checks[name](service, options, fake, pathlib.Path(directory))
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
