# SPDX-License-Identifier: Apache-2.0
"""What every server of the test bed needs: a port, a folder, a process that cannot outlive its test."""
import concurrent.futures
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

LOOPBACK = "127.0.0.1"

# A server that cannot have its port is started again with another one; three tries are two more than
# two tests that chose the same port at the same moment need.
START_ATTEMPTS = 3
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 10

# Set to keep the folders (configuration, database, logs) of a failing test for reading.
KEEP_VARIABLE = "WSMAUTHZ_TEST_KEEP"

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin")


class TestbedError(Exception):
    """The test bed itself does not work: not a verdict on what is tested."""


class PortTaken(TestbedError):
    """A server could not have a port that was free a moment ago."""


def skip(message):
    """End the test as "skipped" (ctest's SKIP_RETURN_CODE)."""
    print("SKIP: " + message, flush=True)
    sys.exit(77)


def find_program(name):
    """The full path of a program, also of those in /usr/sbin that an ordinary user's PATH leaves out; or None."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""),) + _SYSTEM_FOLDERS))


def need(*names):
    """The full paths of programs; skips the test when one is not installed."""
    paths = [find_program(name) for name in names]
    missing = [name for name, path in zip(names, paths) if path is None]
    if missing:
        skip("not installed: " + ", ".join(missing))
    return paths[0] if len(names) == 1 else paths


def run(*command, text=None, env=None, timeout=60, check=True):
    """Run a helper program to its end. Returns the CompletedProcess; raises TestbedError when it fails."""
    done = subprocess.run(command, input=text, env=env, timeout=timeout, text=True, check=False,
                          stdin=subprocess.DEVNULL if text is None else None,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and done.returncode != 0:
        raise TestbedError("%s ended with %d:\n%s%s" % (" ".join(command), done.returncode, done.stdout, done.stderr))
    return done


def free_port(kinds=(socket.SOCK_STREAM,)):
    """
    A port of 127.0.0.1 that nobody listens on, below the range that the kernel takes for outgoing
    connections: so a server that is stopped for a while still finds it free when it comes back.
    """
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
        lowest_outgoing = int(file.read().split()[0])
    choices = range(10000, lowest_outgoing) if lowest_outgoing > 12000 else range(0, 1)
    for _ in range(200):
        port = random.SystemRandom().choice(choices)
        if all(_port_is_free(port, kind) for kind in kinds):
            return port or _kernel_port()
    raise TestbedError("no free port on " + LOOPBACK)


def _port_is_free(port, kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _kernel_port():
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def wait_until(condition, timeout, what):
    """Poll until the condition holds; TestbedError("... within N s") otherwise. Returns the condition's value."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TestbedError("%s did not happen within %g s" % (what, timeout))
        time.sleep(0.005)


class Folder:
    """A folder of the test bed. One that it made itself is removed at the end; one that was there is left alone."""

    def __init__(self, path=None, prefix="wsmauthz-"):
        self._made = path is None or not os.path.isdir(path)
        if path is None:
            path = tempfile.mkdtemp(prefix=prefix)
        elif self._made:
            os.makedirs(path, mode=0o700)
        self.path = os.path.abspath(path)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()

    def join(self, *parts):
        return os.path.join(self.path, *parts)

    def make(self, *parts):
        """A folder inside it."""
        path = self.join(*parts)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def write(self, name, content, mode=0o644):
        """A file inside it, with exactly this mode. Returns its path."""
        path = self.join(name)
        write_file(path, content, mode)
        return path

    def remove(self):
        if os.environ.get(KEEP_VARIABLE):
            print("kept: " + self.path, file=sys.stderr)
        elif self._made:
            shutil.rmtree(self.path, ignore_errors=True)


def write_file(path, content, mode=0o644):
    """Write a text file that has this mode from its first byte on, whatever the umask."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode & 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, mode)
        file.write(content)


# The kernel ends a child with PR_SET_PDEATHSIG when the *thread* that started it ends, so all servers are
# started by one thread that lives as long as the test: a test may then restart a server from any thread.
_starter = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="testbed-starter")


class Server:
    """One foreground server process of ours; its output goes to `log_file`."""

    def __init__(self, log_file):
        self.log_file = log_file
        self._process = None
        #: The process group of what it started and its children, also after its end; None: never started.
        self.group = None

    @property
    def pid(self):
        """The process id; None when it does not run."""
        return self._process.pid if self.is_running() else None

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def launch(self, command, env):
        if self.is_running():
            raise TestbedError("already running: pid %d" % self._process.pid)
        guarded = [need("setpriv"), "--pdeathsig", "KILL", "--"] + command
        with open(self.log_file, "ab") as log:
            self._process = _starter.submit(subprocess.Popen, guarded, env=env, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True).result()
        self.group = self._process.pid

    def end(self, number=signal.SIGTERM, timeout=STOP_TIMEOUT_S):
        """Send a signal, wait for the end; after the timeout, SIGKILL."""
        if not self.is_running():
            return
        self._process.send_signal(number)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def signal(self, number):
        if not self.is_running():
            raise TestbedError("not running")
        self._process.send_signal(number)

    def suspend(self):
        """Stop it; returns when none of its threads runs any more, which takes a while on a busy machine."""
        self.signal(signal.SIGSTOP)
        wait_until(self._is_suspended, 10, "the process to stop")

    def resume(self):
        self.signal(signal.SIGCONT)

    def _is_suspended(self):
        tasks = "/proc/%d/task" % self._process.pid
        for task in os.listdir(tasks):
            with open(os.path.join(tasks, task, "stat"), encoding="utf-8", errors="replace") as file:
                if file.read().rpartition(")")[2].split()[0] != "T":
                    return False
        return True

    def log(self):
        """What it has written so far, over all its starts."""
        try:
            with open(self.log_file, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""


def start_with_retry(start_once):
    """Call start_once(attempt) until it no longer raises PortTaken."""
    for attempt in range(START_ATTEMPTS):
        try:
            return start_once(attempt)
        except PortTaken:
            if attempt == START_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _end_on_sigterm():
    """SIGTERM unwinds the test as Ctrl-C does, so that its servers and folders go with it."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


_end_on_sigterm()
