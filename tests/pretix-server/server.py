#!/usr/bin/env python3
"""A real pretix on the loopback interface, for the live tests.

    eval "$(tests/pretix-server/server.py up)"    install, configure, seed, start
    tests/pretix-server/server.py reset           start again with the seeded database
    tests/pretix-server/server.py status          "up" and 0, or "down" and 1
    tests/pretix-server/server.py env             the `export` lines that `up` printed
    tests/pretix-server/server.py stop

`up` and `reset` always begin with the database as seeded; `up` leaves a running
server alone. Standard output has nothing but `export` lines, so it can be eval'ed;
progress and errors go to standard error, everything else to files in the work directory.

Options (each also by environment variable):

    --dir DIR      PRETIX_SERVER_DIR     work directory, default target/pretix-server
    --port PORT    PRETIX_SERVER_PORT    default 0: a free one, kept over `reset`

pretix comes from PyPI in the versions of constraints.txt and goes into a virtual
environment below the work directory: about 600 MB. Needs Python 3.11 or newer with
venv, and a POSIX system; no database server, redis, celery worker or root rights.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
CONSTRAINTS = HERE / "constraints.txt"
SEED = HERE / "seed.py"
SETTINGS = HERE / "pretix_server_settings.py"

START_SECONDS = 90
STOP_SECONDS = 15

# What seed.py puts into the database. Test fixtures: the tokens open nothing but this server.
FIXTURES = {
    "PRETIX_ORGANIZER": "bigevents",
    "PRETIX_EVENT": "democon",
    "PRETIX_SECOND_EVENT": "secondcon",
    "PRETIX_OTHER_ORGANIZER": "otherorg",
    "PRETIX_OTHER_EVENT": "othercon",
    "PRETIX_TOKEN": "bigeventstoken".ljust(64, "0"),
    "PRETIX_LIMITED_TOKEN": "limitedteamtoken".ljust(64, "0"),
    "PRETIX_REVOKED_TOKEN": "inactivetoken".ljust(64, "0"),
    "PRETIX_OTHER_TOKEN": "otherorgtoken".ljust(64, "0"),
}

CONFIG = """\
[pretix]
instance_name=webhook-sdk tests
url={base_url}
datadir={data}
currency=EUR
registration=off
ecb_rates=off
; otherwise a delivery to 127.0.0.1 is dropped without a trace
allow_http_to_private_networks=on
[database]
backend=sqlite3
name={database}
[mail]
from=pretix@localhost
host=127.0.0.1
port=9
[locale]
default=en
timezone=UTC
[django]
debug=off
"""


class Failure(Exception):
    """Something to tell the person at the terminal, without a traceback."""


class Server:
    def __init__(self, directory, port):
        self.dir = directory
        self.wanted_port = port
        self.venv = directory / "venv"
        self.python = self.venv / "bin" / "python"
        self.config = directory / "pretix.cfg"
        self.data = directory / "data"
        self.database = directory / "db.sqlite3"
        self.pristine = directory / "seeded.sqlite3"
        self.state = directory / "state.json"
        self.alive = directory / "alive.lock"
        self.log = directory / "server.log"

    # Commands

    def up(self):
        if self.running():
            if not self.ready(self.base_url()):
                raise Failure(f"the server runs but does not answer; see {self.log}, or stop it")
            return
        if sys.version_info < (3, 11):
            raise Failure(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
        self.install()
        self.build_database()
        self.start()

    def reset(self):
        port = self.wanted_port or self.load_state().get("port", 0)
        self.stop()
        self.wanted_port = port
        self.up()

    def stop(self):
        if self.running():
            pid = self.load_state()["pid"]
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            if not self.wait_until_gone():
                # The server leads a session of its own: this is the master and its worker.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                if not self.wait_until_gone():
                    raise Failure(f"process {pid} does not end")
        self.state.unlink(missing_ok=True)

    def print_env(self):
        if not self.running():
            raise Failure("the server is down")
        for name, value in {"PRETIX_BASE_URL": self.base_url(), **FIXTURES}.items():
            print(f"export {name}={value}")

    # Steps of `up`

    def install(self):
        marker = self.venv / "installed"
        wanted = digest(CONSTRAINTS)
        if marker.is_file() and marker.read_text() == wanted:
            return
        say("installing pretix (about a minute, 600 MB)")
        log = self.dir / "install.log"
        run([sys.executable, "-m", "venv", "--clear", self.venv], log)
        names = ["pretix", "gunicorn"]
        run([self.python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
             "--constraint", CONSTRAINTS, *names], log)
        marker.write_text(wanted)

    def build_database(self):
        marker = self.dir / "seeded"
        wanted = digest(CONSTRAINTS, SEED, SETTINGS)
        if self.pristine.is_file() and marker.is_file() and marker.read_text() == wanted:
            return
        say("building the database (about 15 seconds)")
        marker.unlink(missing_ok=True)
        self.remove_database()
        self.configure("http://127.0.0.1")
        # `--run-syncdb` with migrations off makes the tables straight from the models: the same
        # tables and columns as two minutes of migrations.
        log = self.dir / "database.log"
        run([self.python, "-m", "pretix", "migrate", "--run-syncdb", "--noinput"], log, self.environment())
        run([self.python, SEED], log, {**self.environment(), **FIXTURES})
        copy_database(self.database, self.pristine)
        marker.write_text(wanted)

    def start(self):
        self.remove_database()
        copy_database(self.pristine, self.database)

        # The socket is bound here and handed over, so nobody else can take the port in between.
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self.wanted_port))
        except OSError as error:
            raise Failure(f"port {self.wanted_port} can't be used: {error.strerror}") from None
        port = listener.getsockname()[1]
        self.configure(f"http://127.0.0.1:{port}")

        # The server inherits this lock, so "is it held?" answers "does it live?", whoever has the
        # process id by now.
        with open(self.alive, "w") as alive, open(self.log, "w") as log:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            process = subprocess.Popen(
                [self.python, "-m", "gunicorn", "pretix.wsgi", "--bind", f"fd://{listener.fileno()}",
                 "--workers", "1", "--worker-class", "gthread", "--threads", "8",
                 "--timeout", "180", "--keep-alive", "5", "--no-control-socket"],
                cwd=self.data, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[listener.fileno(), alive.fileno()], start_new_session=True,
            )
        listener.close()
        self.state.write_text(json.dumps({"pid": process.pid, "port": port}))

        deadline = time.monotonic() + START_SECONDS
        while not self.ready(self.base_url()):
            if process.poll() is not None:
                self.state.unlink(missing_ok=True)
                raise Failure(f"the server ended at once; the end of {self.log}:\n{tail(self.log)}")
            if time.monotonic() > deadline:
                self.stop()
                raise Failure(f"no answer within {START_SECONDS} s; the end of {self.log}:\n{tail(self.log)}")
            time.sleep(0.1)
        say(f"pretix is up at {self.base_url()} (process {process.pid})")

    # Parts

    def configure(self, base_url):
        self.data.mkdir(parents=True, exist_ok=True)
        # Neither [redis] nor [celery]: tasks, and so deliveries, run inside the request that causes them.
        self.config.write_text(CONFIG.format(base_url=base_url, data=self.data, database=self.database))

    def environment(self):
        # pretix reads PRETIX_* as configuration; what the caller has set for the tests must not leak in.
        # It sends deliveries with requests, which would take proxies from the environment and
        # credentials from the home directory.
        foreign = ("PRETIX_", "DJANGO_", "PYTHON")
        env = {k: v for k, v in os.environ.items() if not k.startswith(foreign) and not k.lower().endswith("_proxy")}
        env["HOME"] = str(self.data)
        env["PRETIX_CONFIG_FILE"] = str(self.config)
        env["DJANGO_SETTINGS_MODULE"] = SETTINGS.stem
        env["PYTHONPATH"] = str(HERE)
        env["PYTHONDONTWRITEBYTECODE"] = "1"
        return env

    def remove_database(self):
        for suffix in ("", "-wal", "-shm"):
            self.database.with_name(self.database.name + suffix).unlink(missing_ok=True)

    def running(self):
        if not self.alive.exists() or "pid" not in self.load_state():
            return False
        with open(self.alive, "r+") as alive:
            try:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def wait_until_gone(self):
        deadline = time.monotonic() + STOP_SECONDS
        while self.running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def ready(self, base_url):
        request = urllib.request.Request(
            f"{base_url}/api/v1/organizers/{FIXTURES['PRETIX_ORGANIZER']}/webhooks/",
            headers={"Authorization": f"Token {FIXTURES['PRETIX_TOKEN']}"},
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=10) as response:
                return response.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def base_url(self):
        return f"http://127.0.0.1:{self.load_state()['port']}"

    def load_state(self):
        try:
            return json.loads(self.state.read_text())
        except (FileNotFoundError, ValueError):
            return {}


def run(command, log, env=None):
    with open(log, "a") as out:
        code = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out).returncode
    if code:
        words = " ".join(str(word) for word in command[1:4])
        raise Failure(f"`python {words} …` ended with {code}; the end of {log}:\n{tail(log)}")


def copy_database(source, target):
    target.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(source)) as a, contextlib.closing(sqlite3.connect(target)) as b:
        a.backup(b)
        # A delivery holds a transaction open while it posts; with a write-ahead log the receiver can
        # read through the API meanwhile. Writing would still wait for the delivery to end.
        b.execute("pragma journal_mode=wal")


def digest(*files):
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def tail(file):
    return "\n".join(file.read_text(errors="replace").splitlines()[-20:])


def say(text):
    print(text, file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["up", "stop", "reset", "status", "env"])
    parser.add_argument("--dir", type=pathlib.Path,
                        default=os.environ.get("PRETIX_SERVER_DIR") or PROJECT / "target" / "pretix-server")
    parser.add_argument("--port", type=int, default=os.environ.get("PRETIX_SERVER_PORT") or 0)
    arguments = parser.parse_args()

    directory = pathlib.Path(arguments.dir).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    server = Server(directory, arguments.port)
    with open(directory / "command.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        match arguments.command:
            case "up":
                server.up()
                server.print_env()
            case "reset":
                server.reset()
                server.print_env()
            case "stop":
                server.stop()
            case "env":
                server.print_env()
            case "status":
                print("up" if server.running() else "down")
                return 0 if server.running() else 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        say(f"pretix-server: {failure}")
        sys.exit(1)
