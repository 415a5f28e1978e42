# SPDX-License-Identifier: Apache-2.0
"""
A private Samba Active Directory domain controller, in a network of the test's own (its ports are fixed).

Making a domain takes seconds, so it is made once and kept in WSMAUTHZ_TESTBED_CACHE (ctest names a folder of the build),
under a name that tells the version of Samba and of the recipe; every test unpacks it (0.2 s) and starts (0.5 s).
"""
import fcntl
import hashlib
import json
import os
import pickle
import shutil
import signal
import socket
import sys
import tempfile
import traceback

import testbed_network
import testbed_process as process
from testbed_process import Folder, Server, TestbedError
from testbed_slapd import ldif_line
from testbed_tls import Authority

CACHE_VARIABLE = "WSMAUTHZ_TESTBED_CACHE"
DNS_DOMAIN = "corp.example.test"
DOMAIN = "CORP"
DOMAIN_SID = "S-1-5-21-1004336348-1177238915-682003330"
ADDRESSES = {"dc1": "10.53.0.1", "dc2": "10.53.0.2"}

_HERE = os.path.dirname(os.path.abspath(__file__))
_RECIPE = os.path.join(_HERE, "testbed_samba_provision.py")
_DOMAIN = os.path.join(_HERE, "testbed_domain.py")
# python3-samba is a module of the system's Python, which need not be the first one of the PATH.
_PYTHON = "/usr/bin/python3"
_PROVISION_TIMEOUT_S = 300

_CONFIGURATION = """\
[global]
netbios name = DC1
workgroup = {domain}
realm = {realm}
server role = active directory domain controller
server services = {services}
interfaces = {address}
bind interfaces only = yes
private dir = {path}/private
state directory = {path}/state
cache directory = {path}/cache
lock directory = {path}/lock
pid directory = {path}/run
binddns dir = {path}/bind-dns
ncalrpc dir = {path}/run/ncalrpc
winbindd socket directory = {path}/run/winbindd
ntp signd socket directory = {path}/run/ntp
log file = {path}/run/log.%m
log level = {log_level}
idmap_ldb:use rfc2307 = yes
ldb:nosync = yes
ldap server require strong auth = {strong_auth}
acl:search = yes
dns forwarder =
tls certfile = {certificate}
tls keyfile = {key}
tls cafile = {ca_file}
tls verify peer = no_check
{extra}
[sysvol]
path = {path}/state/sysvol
read only = no
[netlogon]
path = {path}/state/sysvol/{dns_domain}/scripts
read only = no
"""

_KRB5_CONF = """\
[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 0
[realms]
 {realm} = {{
{kdcs} }}
[domain_realm]
 .{dns_domain} = {realm}
 {dns_domain} = {realm}
"""


class Samba:
    """
    One domain controller, with a domain of its own, started and ended by the test.

        def fill(domain):                                   a testbed_domain.Domain
            alice = domain.user("alice")
            domain.group("admins", [alice], scope="local")

        with Samba(fill) as samba:
            samba.add_member(samba.group_dn("admins"), samba.person_dn("bob"))

    The first one takes the process into its private network (testbed_network.enter()): make it before any thread.

    fill         called once, before the start, in a process of its own; `filled` is what it returned (of plain types).
    strong_auth  no, allow_sasl_over_tls or yes (Samba's default): what a bind must have to be taken.
    model        single (one process, quick), standard or prefork (as in production).
    services     Samba's `server services`.
    log_level    smb.conf(5).
    host         dc1 or dc2: its name and address.
    copy_of      another Samba that was not started yet: a second controller that holds the same data; the two do not
                 replicate. Their TLS authority is the same.
    extra        more lines of smb.conf's [global].

    There are an Administrator (administrator_password) and a service account that may only read, "wsmauthz", whose
    password is service_password and whose keys are in `keytab`.
    """

    realm = DNS_DOMAIN.upper()
    domain = DOMAIN
    dns_domain = DNS_DOMAIN
    domain_sid = DOMAIN_SID
    suffix = ",".join("DC=" + part for part in DNS_DOMAIN.split("."))
    administrator_password = "Adm1n-Passw0rd"
    service_user = "wsmauthz"
    service_upn = "wsmauthz@" + DNS_DOMAIN
    service_dn = "CN=wsmauthz,OU=Services," + suffix
    service_password = "Correct horse battery st4ple"

    def __init__(self, fill=None, *, directory=None, strong_auth="no", model="single",
                 services="ldap, cldap, kdc, dns, rpc", log_level="1", host="dc1", copy_of=None, extra=""):
        self._samba, self._ldapsearch, self._ldapmodify, self._tar = self.need()
        self._network = testbed_network.enter()
        self._folder = Folder(directory, "wsmauthz-samba-")
        self.directory = self._folder.path
        self.strong_auth, self.model, self.services, self.log_level = strong_auth, model, services, log_level
        self.extra = extra
        self.address = ADDRESSES[host]
        self.host = "%s.%s" % (host, DNS_DOMAIN)
        self.smb_conf = self._folder.join("dc", "smb.conf")
        self.krb5_conf = self._folder.join("krb5.conf")
        self.keytab = self._folder.join("wsmauthz.keytab")
        self.filled = None
        self._was_started = False
        self._server = Server(self._folder.join("samba.log"))
        try:
            self._network.add_address(self.address, self.host, host)
            self._network.set_resolvers([ADDRESSES["dc1"]], DNS_DOMAIN)
            if copy_of is None:
                self._make(fill)
            else:
                self._copy(copy_of)
            self.certificate = self.authority.issue(host, ("DNS:" + self.host, "DNS:" + DNS_DOMAIN,
                                                           "IP:" + self.address))
            self.configure()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def need():
        """Skip the test where Samba cannot run: for a test that wants python3-samba before it makes one."""
        programs = process.need("samba", "ldapsearch", "ldapmodify", "tar")
        _need_samba_modules()
        return programs

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """End the processes, remove the folder. May be called twice."""
        self.kill()
        self._folder.remove()

    # Names

    @property
    def uri(self):
        return "ldap://" + self.host

    @property
    def ldaps_uri(self):
        return "ldaps://" + self.host

    @property
    def ca_file(self):
        return self.authority.ca_file

    @property
    def pid(self):
        return self._server.pid

    def person_dn(self, name):
        return "CN=%s,OU=People,%s" % (name, self.suffix)

    def group_dn(self, name):
        return "CN=%s,OU=Groups,%s" % (name, self.suffix)

    # Life

    def start(self):
        """Start and wait until it answers."""
        self._was_started = True
        environment = dict(os.environ, KRB5_CONFIG=self.krb5_conf)
        self._server.launch([self._samba, "--foreground", "--no-process-group", "--model=" + self.model,
                             "--debug-stdout", "--configfile=" + self.smb_conf], environment)
        try:
            process.wait_until(self._has_started, process.START_TIMEOUT_S, "the start of samba")
        except BaseException:
            self.kill()
            raise

    def stop(self):
        """A clean shutdown."""
        self._server.end(signal.SIGTERM)
        self._end_group()

    def kill(self):
        """What a crash looks like from outside."""
        self._server.end(signal.SIGKILL)
        self._end_group()

    def suspend(self):
        """A hang: connections are accepted (by the kernel) and never answered."""
        self._signal_group(signal.SIGSTOP)

    def resume(self):
        self._signal_group(signal.SIGCONT)

    def restart(self):
        self.stop()
        self.start()

    def is_running(self):
        return self._server.is_running()

    def reconfigure(self, **options):
        """Change options of the constructor (strong_auth, model, services, certificate, ...) and restart with them."""
        for name, value in options.items():
            if not hasattr(self, name):
                raise TypeError("no such option: " + name)
            setattr(self, name, value)
        self.stop()
        self.configure()
        self.start()

    # Clients

    def add_names(self, *names):
        """More DNS names of its address, for the clients in this network."""
        self._network.add_address(self.address, *names)

    def client_environment(self, tickets="tickets", keytab=True):
        """
        The environment of a client that binds by Kerberos: this one, this realm, a ticket cache of its own (a name in the
        test bed's folder) and, unless keytab is False, the service account's keys to fill it from.
        """
        environment = dict(os.environ, KRB5_CONFIG=self.krb5_conf, KRB5CCNAME="FILE:" + self._folder.join(tickets))
        environment.pop("KRB5_CLIENT_KTNAME", None)
        if keytab:
            environment["KRB5_CLIENT_KTNAME"] = self.keytab
        return environment

    def login(self, tickets="tickets", *options):
        """Get the service account's ticket into that cache; options of kinit(1): "-l", "10s"."""
        process.run(process.need("kinit"), *options, "-k", "-t", self.keytab, self.service_user + "@" + self.realm,
                    env=self.client_environment(tickets))

    # Data, changed over a connection of its own

    def modify(self, ldif):
        """Apply changes (LDIF; records without changetype are added) as the Administrator."""
        process.run(self._ldapmodify, "-a", "-x", "-H", self.ldaps_uri, "-D", "Administrator@" + DNS_DOMAIN, "-w",
                    self.administrator_password, text=ldif,
                    env=dict(os.environ, LDAPTLS_CACERT=self.ca_file, LDAPTLS_REQCERT="demand"))

    def add_member(self, group, member):
        self._change_member("add", group, member)

    def remove_member(self, group, member):
        self._change_member("delete", group, member)

    def delete(self, dn):
        self.modify(ldif_line("dn", dn) + "\nchangetype: delete\n")

    def replace(self, dn, attribute, *values):
        """Give an attribute these values; none takes it away."""
        lines = [ldif_line("dn", dn), "changetype: modify", "replace: " + attribute]
        self.modify("\n".join(lines + [ldif_line(attribute, value) for value in values]) + "\n")

    def log(self):
        return self._server.log()

    # Inside

    def configure(self):
        """Write smb.conf and krb5.conf from the options."""
        names = {"realm": self.realm, "domain": DOMAIN, "dns_domain": DNS_DOMAIN, "path": self._folder.join("dc"),
                 "services": self.services, "address": self.address, "log_level": self.log_level,
                 "strong_auth": self.strong_auth, "certificate": self.certificate.certificate,
                 "key": self.certificate.key, "ca_file": self.ca_file, "extra": self.extra}
        self._folder.write(os.path.join("dc", "smb.conf"), _CONFIGURATION.format(**names))
        others = [address for address in ADDRESSES.values() if address != self.address]
        kdcs = "".join("  kdc = %s\n" % address for address in [self.address] + others)
        process.write_file(self.krb5_conf, _KRB5_CONF.format(kdcs=kdcs, **names))

    def _make(self, fill):
        self.authority = Authority(self._folder.join("tls"))
        self.certificate = self.authority.issue("first")
        state = self._folder.make("dc")
        process.run(self._tar, "-C", state, "-xf", cached_domain(self.directory))
        for name in ("lock", "run", "cache"):
            self._folder.make("dc", name)
        os.rename(self._folder.join("dc", "service.keytab"), self.keytab)
        self.configure()
        if fill:
            self.filled = self._in_child(lambda: self._fill(fill))

    def _copy(self, other):
        if other._was_started:
            raise TestbedError("a controller that was started cannot be copied")
        self.authority, self.filled = other.authority, other.filled
        shutil.copytree(other._folder.join("dc"), self._folder.join("dc"), symlinks=True)
        shutil.copy(other.keytab, self.keytab)

    def _fill(self, fill):
        from testbed_domain import Domain  # wants python3-samba, which not every test has
        with Domain(self.smb_conf, DNS_DOMAIN) as domain:
            return fill(domain)

    @staticmethod
    def _in_child(function):
        """Call the function in a fork of this process, for Samba's libraries keep locks and settings for good."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(reader)
                with os.fdopen(writer, "wb") as file:
                    pickle.dump(function(), file)
                status = 0
            except BaseException:  # whatever it is, the parent must not run on in two processes
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(writer)
        with os.fdopen(reader, "rb") as file:
            answer = file.read()
        if os.waitpid(child, 0)[1] != 0:
            raise TestbedError("the domain could not be filled; the reason is above")
        return pickle.loads(answer)

    def _has_started(self):
        if not self._server.is_running():
            raise TestbedError("samba ended at once:\n" + self.log()[-3000:])
        with socket.socket() as probe:
            if probe.connect_ex((self.address, 389)) != 0:
                return False
        # The port is open before the database behind it is.
        done = process.run(self._ldapsearch, "-LLL", "-x", "-H", "ldap://" + self.address, "-b", "", "-s", "base", "-o",
                           "nettimeout=2", "isSynchronized", check=False)
        return "isSynchronized: TRUE" in done.stdout

    def _signal_group(self, number):
        if not self.is_running():
            raise TestbedError("not running")
        os.killpg(self.pid, number)

    def _end_group(self):
        """The processes that it forked, which are in a group of their own: the server's session."""
        group, self._server.group = self._server.group, None
        if group is not None:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _change_member(self, action, group, member):
        self.modify("\n".join((ldif_line("dn", group), "changetype: modify", action + ": member",
                               ldif_line("member", member), "")))


def cached_domain(scratch):
    """
    The path of a tar file with a fresh domain. Made once for each version of Samba and of the recipe, also when several
    tests want it at the same moment; without a cache, made anew in `scratch`.
    """
    cache = os.environ.get(CACHE_VARIABLE) or scratch
    os.makedirs(cache, exist_ok=True)
    path = os.path.join(cache, "samba-%s.tar" % _recipe_key())
    with open(path + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            _make_domain(path)
    return path


def _recipe_key():
    digest = hashlib.sha256(process.run(process.need("samba"), "--version").stdout.encode())
    for file in (__file__, _RECIPE, _DOMAIN):
        with open(file, "rb") as source:
            digest.update(source.read())
    return digest.hexdigest()[:16]


def _make_domain(path):
    with tempfile.TemporaryDirectory(prefix="samba-", dir=os.path.dirname(path)) as folder:
        settings = {"realm": Samba.realm, "domain": DOMAIN, "sid": DOMAIN_SID, "hosts": list(ADDRESSES),
                    "address": ADDRESSES["dc1"], "administrator_password": Samba.administrator_password,
                    "service_user": Samba.service_user, "service_password": Samba.service_password}
        process.run(_PYTHON, _RECIPE, folder, text=json.dumps(settings), timeout=_PROVISION_TIMEOUT_S)
        new = path + ".new"
        process.run(process.need("tar"), "-C", folder, "--sparse", "--exclude=./first.conf", "-cf", new, ".")
        os.rename(new, path)


def _need_samba_modules():
    done = process.run(_PYTHON, "-c", "import samba.provision, samba.samdb, samba.net", check=False)
    if done.returncode != 0:
        process.skip("not installed: python3-samba")
    setup = "/usr/share/samba/setup"
    if not os.path.isdir(setup):
        process.skip("not installed: samba-ad-provision")
    if sys.executable != _PYTHON and not os.path.samefile(sys.executable, _PYTHON):
        process.skip("Samba's modules are those of %s, not of %s" % (_PYTHON, sys.executable))
