# SPDX-License-Identifier: Apache-2.0
"""
A slapd to be measured: on loopback, loaded by slapadd -q, with syncprov and the indexes that a directory of its size has, and
without the log of each operation that the test bed's has. It has what testbed.write_policy wants to know of a server.
"""
import os
import signal
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import testbed  # noqa: E402
import testbed_process as process  # noqa: E402
from testbed import Folder  # noqa: E402
from testbed_process import LOOPBACK, Server  # noqa: E402

_CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload syncprov
pidfile {path}/slapd.pid
argsfile {path}/slapd.args
threads {threads}
tool-threads 2
sizelimit unlimited
timelimit unlimited
loglevel 0
database mdb
suffix "{suffix}"
rootdn "{root_dn}"
rootpw "{root_password}"
directory {path}/db
maxsize {maxsize}
dbnosync
envflags writemap nometasync
index objectClass,uid,cn,mail,member,entryUUID,entryCSN eq
sortvals member
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{service_dn}" read by anonymous auth by * none
limits dn.exact="{service_dn}" size=unlimited time=unlimited
overlay syncprov
syncprov-checkpoint 10000 60
"""

_BASE = """\
dn: {suffix}
objectClass: dcObject
objectClass: organization
dc: corp
o: Example

dn: ou=people,{suffix}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{suffix}
objectClass: organizationalUnit
ou: groups

dn: ou=services,{suffix}
objectClass: organizationalUnit
ou: services

dn: {service_dn}
objectClass: account
objectClass: simpleSecurityObject
uid: wsmauthz
userPassword: {service_password}

"""

MIN_MAXSIZE = 1 << 30
BYTES_PER_USER = 8192
LOAD_TIMEOUT_S = 3600
START_TIMEOUT_S = 60


class BenchSlapd:
    """with BenchSlapd("data.ldif", users=100000) as slapd: ... slapd.uri; `load_s` is what slapadd took."""

    service_password = "password of a throw-away account"
    root_password = "root password of a throw-away directory"

    def __init__(self, ldif, users, suffix=testbed.DEFAULT_SUFFIX):
        self._slapd, slapadd = process.need("slapd", "slapadd")
        self.suffix = suffix
        self.root_dn = "cn=root," + suffix
        self.service_dn = "uid=wsmauthz,ou=services," + suffix
        self.uri = None
        self._folder = Folder(prefix="wsmauthz-bench-")
        self.directory = self._folder.path
        self._server = Server(self._folder.join("slapd.log"))
        try:
            self._configure(users)
            self.load_s = self._load(slapadd, ldif)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        try:
            process.start_with_retry(lambda attempt: self._start())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """End the process, remove the folder. May be called twice."""
        self._server.end(signal.SIGINT)
        self._folder.remove()

    def resident_bytes(self):
        with open("/proc/%d/statm" % self._server.pid, encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def _configure(self, users):
        self._folder.make("db")
        self._folder.write("slapd.conf", _CONFIGURATION.format(
            path=self.directory, suffix=self.suffix, root_dn=self.root_dn, root_password=self.root_password,
            service_dn=self.service_dn, threads=max(4, 2 * (os.cpu_count() or 1)),
            maxsize=MIN_MAXSIZE + users * BYTES_PER_USER), 0o600)

    def _load(self, slapadd, ldif):
        base = self._folder.write("base.ldif", _BASE.format(
            suffix=self.suffix, service_dn=self.service_dn, service_password=self.service_password), 0o600)
        began = time.monotonic()
        for path in (base, ldif):
            process.run(slapadd, "-q", "-f", self._folder.join("slapd.conf"), "-b", self.suffix, "-l", path,
                        timeout=LOAD_TIMEOUT_S)
        return time.monotonic() - began

    def _start(self):
        port = process.free_port()
        self.uri = "ldap://%s:%d" % (LOOPBACK, port)
        self._server.launch([self._slapd, "-h", self.uri, "-f", self._folder.join("slapd.conf"), "-d", "0"],
                            dict(os.environ))
        process.wait_until(lambda: self._answers(port), START_TIMEOUT_S, "the start of slapd")

    def _answers(self, port):
        if not self._server.is_running():
            raise process.PortTaken("slapd ended at once:\n" + self._server.log()[-2000:])
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, port)) == 0
