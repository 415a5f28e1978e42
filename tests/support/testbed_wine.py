# SPDX-License-Identifier: Apache-2.0
"""
Programs for Windows, run by Wine in a prefix of their own: a registry, a drive C:, a wineserver that nobody else uses.

    with Wine() as wine:
        done = wine.run(program, "check", "--config", wine.path("/etc/policy.xml"), "alice")

A first prefix takes seconds to make and is kept in WSMAUTHZ_TESTBED_CACHE; others are copies of it, with the large files
linked. No display is needed. What is not installed ends the test as skipped.
"""
import fcntl
import os
import shutil
import subprocess
import tempfile

from testbed_process import Folder, TestbedError, need

# A 32-bit program or a missing one ends with 0 and says nothing here: look at what a program says, not at its status alone.
ENVIRONMENT = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe="}
MAKE_TIMEOUT_S = 180
RUN_TIMEOUT_S = 60


def _environment(prefix, more=None):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WINE")}
    return {**kept, **ENVIRONMENT, "WINEPREFIX": prefix, **(more or {})}


def _stop_server(prefix):
    subprocess.run(["wineserver", "-k"], env=_environment(prefix), timeout=MAKE_TIMEOUT_S, check=False,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _make_template(template):
    made = template + ".new"
    shutil.rmtree(made, ignore_errors=True)
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(["wineboot", "-i"], env=_environment(made), timeout=MAKE_TIMEOUT_S, check=False,
                              stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _stop_server(made)
        if done.returncode != 0 or not os.path.exists(made + "/system.reg"):
            said.seek(0)
            raise TestbedError("wineboot ended with %d:\n%s" % (done.returncode, said.read().decode("utf-8", "replace")))
    os.rename(made, template)


def _template():
    """The prefix that others are copies of; made once."""
    cache = os.environ.get("WSMAUTHZ_TESTBED_CACHE") or os.path.join(tempfile.gettempdir(), "wsmauthz-testbed-%d" % os.getuid())
    os.makedirs(cache, mode=0o700, exist_ok=True)
    template = os.path.join(cache, "wine")
    with open(template + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(template + "/system.reg"):
            _make_template(template)
    return template


def _copy(template, prefix):
    # The files of the registry are written in place by the wineserver: a link would change the template.
    subprocess.run(["cp", "-al", template, prefix], check=True, timeout=MAKE_TIMEOUT_S)
    for name in os.listdir(template):
        if name.endswith(".reg"):
            os.remove(os.path.join(prefix, name))
            shutil.copy2(os.path.join(template, name), prefix)


class Wine:
    """A prefix. `folder` is a folder of the test's own, on the same file system."""

    def __init__(self):
        need("wine", "wineboot", "wineserver")
        template = _template()
        self._parent = Folder(prefix="wsmauthz-wine-", path=tempfile.mkdtemp(prefix="run-", dir=os.path.dirname(template)))
        self.prefix = os.path.join(self._parent.path, "prefix")
        self.folder = os.path.join(self._parent.path, "files")
        os.mkdir(self.folder, 0o700)
        _copy(template, self.prefix)
        # It stays for a while: one that ended with each program would start the system's services anew for the next.
        subprocess.run(["wineserver", "-p30"], env=_environment(self.prefix), timeout=RUN_TIMEOUT_S, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.drive_c = os.path.join(self.prefix, "drive_c")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        _stop_server(self.prefix)
        shutil.rmtree(self._parent.path, ignore_errors=True)

    @staticmethod
    def path(path):
        """What a program for Windows calls a file of this machine."""
        return "Z:" + os.path.abspath(path).replace("/", "\\")

    def environment(self, **more):
        return _environment(self.prefix, more)

    def run(self, *command, text=None, timeout=RUN_TIMEOUT_S, check=False, **environment):
        """Run a program to its end; stdout and stderr are text, lines end with \\n. TestbedError with check=True and another status than 0."""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as error:
            # Files, not pipes: Wine's own services inherit them, and a pipe would not end before they do.
            done = subprocess.run(["wine"] + list(command), env=self.environment(**environment), input=text, timeout=timeout,
                                  stdin=subprocess.DEVNULL if text is None else None, stdout=out, stderr=error,
                                  encoding="utf-8", check=False)
            out.seek(0)
            error.seek(0)
            done.stdout, done.stderr = out.read(), error.read()
        if check and done.returncode != 0:
            raise TestbedError("%s ended with %d:\n%s%s" % (" ".join(command), done.returncode, done.stdout, done.stderr))
        return done

    def launcher(self, name, program):
        """A program of this machine that runs one for Windows, for tests that know no other. The caller's environment must be environment()."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexec wine '%s' \"$@\"\n" % program)
        os.chmod(path, 0o755)
        return path

    def registry(self, key, value=None):
        """A value of the registry, as text; the default value for value=""; None when there is none. Without value: whether the key is there."""
        which = [] if value is None else ["/ve"] if value == "" else ["/v", value]
        done = self.run("reg", "query", key, *which)
        if done.returncode != 0 or value is None:
            return done.returncode == 0
        for line in done.stdout.splitlines():
            parts = line.strip().split("    ")
            if len(parts) >= 3 and (value == "" or parts[0] == value):
                return parts[2]
        return None

    def set_registry(self, key, value, data, kind="REG_SZ"):
        which = ["/ve"] if value == "" else ["/v", value]
        self.run("reg", "add", key, *which, "/t", kind, "/d", data, "/f", check=True)
