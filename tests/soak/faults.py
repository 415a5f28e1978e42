# SPDX-License-Identifier: Apache-2.0
"""
The kinds of faults. Three lanes run beside each other, each one fault at a time: the servers, the network of each application (two of them), and
the host itself. What happens, and how long, is a function of the seed; when exactly it happens is the machine's business.
"""
import os
import random
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rig import CLEAR, CONSUMER, PROVIDER, TLS  # noqa: E402
from testbed_proxy import CLOSE, CUT, DELAY, DRIBBLE, GARBAGE, HANG, MUTE, PASS, REFUSE, RESET  # noqa: E402
from testbed_proxy_ldap import ANSWER, CUT_SHORT, HUGE, NOTICE, PARTIAL, REFERRALS, WRONG_ID  # noqa: E402

_BOTH = (PROVIDER, CONSUMER)

# name: (mode, least and greatest value, least and greatest duration in ms)
_NETWORK = {
    "delay": (DELAY, (20, 800), (300, 1200)),
    "black hole": (HANG, (0, 0), (300, 1800)),
    "reset": (RESET, (0, 0), (50, 600)),
    "close": (CLOSE, (0, 0), (50, 600)),
    "refused": (REFUSE, (0, 0), (100, 900)),
    "half open": (MUTE, (0, 0), (300, 1500)),
    "slow loris": (DRIBBLE, (1, 40), (300, 1200)),
    "cut after n bytes": (CUT, (1, 4000), (100, 900)),
    "garbage": (GARBAGE, (0, 0), (100, 600)),
}
_LDAP = {
    "busy": (ANSWER, (51, 51), (100, 900)),
    "unavailable": (ANSWER, (52, 52), (100, 900)),
    "operations error": (ANSWER, (1, 1), (100, 900)),
    "size limit": (CUT_SHORT, (4, 4), (100, 900)),
    "time limit": (CUT_SHORT, (3, 3), (100, 900)),
    "admin limit": (CUT_SHORT, (11, 11), (100, 900)),
    "partial, then reset": (PARTIAL, (0, 0), (100, 900)),
    "notice of disconnection": (NOTICE, (0, 0), (50, 300)),
    "wrong message ids": (WRONG_ID, (0, 0), (100, 900)),
    "huge messages": (HUGE, (0, 0), (100, 600)),
    "referrals": (REFERRALS, (0, 0), (100, 900)),
}
#: Nothing can be known from a server while one of these lasts.
_SILENT = ("black hole", "reset", "close", "refused", "half open")
_ALL_DOWN_MS = (1500, 3200)
#: So long after a write both servers have carried it out.
_WRITTEN_S = 0.05


class Step:
    """One fault: its lane, kind, whom it meets, a value, and how long it and the pause after it last."""

    def __init__(self, lane, kind, target, value, duration_ms, pause_ms):
        self.lane, self.kind, self.target, self.value = lane, kind, target, value
        self.duration_ms, self.pause_ms = duration_ms, pause_ms

    def __repr__(self):
        return "%s %s %r %d %d %d" % (self.lane, self.kind, self.target, self.value, self.duration_ms, self.pause_ms)


class Lane:
    """Its kinds in random order, each as often as the others."""

    def __init__(self, name, seed, kinds, step, pause_ms):
        self.name = name
        self._random = random.Random("%s %d" % (name, seed))
        self._kinds, self._step, self._pause_ms = tuple(kinds), step, pause_ms

    def __iter__(self):
        while True:
            kinds = list(self._kinds)
            self._random.shuffle(kinds)
            for kind in kinds:
                target, value, duration_ms = self._step(self._random, kind)
                yield Step(self.name, kind, target, value, duration_ms, self._random.randint(*self._pause_ms))


def _network_step(kinds):
    def step(chance, kind):
        if kind == "all servers gone":
            return _BOTH, 0, chance.randint(*_ALL_DOWN_MS)
        _, values, durations = kinds[kind]
        target = chance.choice(((PROVIDER,), (PROVIDER,), (PROVIDER,), (CONSUMER,), _BOTH))
        return target, chance.randint(*values), chance.randint(*durations)
    return step


def _server_step(chance, kind):
    target = (CONSUMER,) if kind.startswith("replication") else (chance.choice(_BOTH),)
    return target, 0, chance.randint(200, 1500)


_CLOCK_SHIFTS_S = (-3600, 3600, 5 * 86400, -2 * 86400, 60 * 86400)


def _host_step(chance, kind):
    value = {"clock jump": chance.choice(_CLOCK_SHIFTS_S), "no memory": chance.choice((1, 10, 100, 1000)),
             "no descriptors": chance.randint(0, 2)}.get(kind, 0)
    return (), value, chance.randint(200, 1200)


SERVER_KINDS = ("killed", "stopped", "restarted", "certificate renewed", "certificate expired", "replication hangs",
                "replication reset")
HOST_KINDS = ("disk full", "policy spoiled", "policy changed", "clock jump", "no descriptors", "no memory",
              "application comes and goes")


def lanes(seed):
    """All of them, for a seed."""
    clear = dict(_NETWORK, **_LDAP)
    return [Lane("servers", seed, SERVER_KINDS, _server_step, (300, 1200)),
            Lane("network 1", seed, list(_NETWORK) + ["all servers gone"], _network_step(_NETWORK), (200, 900)),
            Lane("network 2", seed, list(clear) + ["all servers gone"], _network_step(clear), (50, 500)),
            Lane("host", seed, HOST_KINDS, _host_step, (200, 1000))]


def kinds():
    """Every kind that there is."""
    return sorted(set(SERVER_KINDS) | set(HOST_KINDS) | set(_NETWORK) | set(_LDAP) | {"all servers gone"})


class Faults:
    """
    Carries steps out. `journal` has of each one that is over (kind, step, from when it was whole, when its end began).

    driver    conduct.Driver
    policies  conduct.Policies
    audit     the folder of the audit files: a file system of its own
    """

    def __init__(self, rig, driver, policies, audit):
        self._rig, self._driver, self._policies, self._audit = rig, driver, policies, audit
        self._certificates = 0
        self._expired = rig.authority.issue("expired", expired=True)
        self.journal = []
        self.writing = threading.Lock()  # held by who writes, and while a server is killed: its log must have what it did

    def run(self, step):
        begin, end = self._ways(step)
        try:
            begin()
            whole = time.monotonic_ns()
            time.sleep(step.duration_ms / 1000)
            ends = time.monotonic_ns()
        finally:
            end()
        self.journal.append((step.kind, step, whole, ends))

    def outages(self, application):
        """When that application could reach no server at all: [(from, to)]."""
        silent = [[], []]
        for kind, step, whole, ends in self.journal:
            if step.lane == "network %d" % (application + 1) and (kind in _SILENT or kind == "all servers gone"):
                for server in step.target:
                    silent[server].append((whole, ends))
            elif kind in ("killed", "stopped"):
                silent[step.target[0]].append((whole, ends))
        return sorted((max(one[0], two[0]), min(one[1], two[1])) for one in silent[PROVIDER] for two in silent[CONSUMER]
                      if max(one[0], two[0]) < min(one[1], two[1]))

    def _ways(self, step):
        """How it begins, and how it ends."""
        if step.lane.startswith("network"):
            return self._network(step)
        return getattr(self, "_" + step.kind.replace(" ", "_"))(step)

    def _network(self, step):
        application = TLS if step.lane == "network 1" else CLEAR
        mode = HANG if step.kind == "all servers gone" else (_NETWORK.get(step.kind) or _LDAP[step.kind])[0]
        proxies = [self._rig.proxies[application][server] for server in step.target]

        def set_all(mode, value=0):
            for proxy in proxies:
                proxy.set_mode(mode, value)
        return lambda: set_all(mode, step.value), lambda: set_all(PASS)

    def _slapd(self, step):
        return self._rig.slapds[step.target[0]]

    def _killed(self, step):
        def kill():
            with self.writing:
                time.sleep(_WRITTEN_S)
                self._slapd(step).kill()
        return kill, self._slapd(step).start

    def _stopped(self, step):
        return self._slapd(step).suspend, self._slapd(step).resume

    def _restarted(self, step):
        return self._slapd(step).restart, lambda: None

    def _certificate_renewed(self, step):
        self._certificates += 1
        certificate = self._rig.authority.issue("server%d" % self._certificates)
        return lambda: self._slapd(step).reconfigure(certificate=certificate), lambda: None

    def _certificate_expired(self, step):
        slapd = self._slapd(step)
        good = slapd.certificate
        return lambda: slapd.reconfigure(certificate=self._expired), lambda: slapd.reconfigure(certificate=good)

    def _replication_hangs(self, step):
        return lambda: self._rig.replication.set_mode(HANG), lambda: self._rig.replication.set_mode(PASS)

    def _replication_reset(self, step):
        return lambda: self._rig.replication.set_mode(RESET), lambda: self._rig.replication.set_mode(PASS)

    def _disk_full(self, step):
        filler = os.path.join(self._audit, "filler")

        def fill():
            with open(filler, "wb", buffering=0) as file:
                for size in (65536, 512, 1):
                    try:
                        while True:
                            file.write(bytes(size))
                    except OSError:
                        pass
        return fill, lambda: os.unlink(filler)

    def _policy_spoiled(self, step):
        return self._policies.spoil, self._policies.restore

    def _policy_changed(self, step):
        return lambda: self._policies.change(True), lambda: self._policies.change(False)

    def _clock_jump(self, step):
        return lambda: self._driver.say("clock %d" % step.value), lambda: self._driver.say("clock 0")

    def _no_descriptors(self, step):
        return lambda: self._driver.say("descriptors %d" % step.value), lambda: self._driver.say("descriptors off")

    def _no_memory(self, step):
        return lambda: self._driver.say("memory %d" % step.value), lambda: self._driver.say("memory 0")

    def _application_comes_and_goes(self, step):
        return lambda: self._driver.say("application"), lambda: None
