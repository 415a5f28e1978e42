# SPDX-License-Identifier: Apache-2.0
"""A private 389 Directory Server on loopback: its configuration, its data, its life. Works as root and as an ordinary user."""
import base64
import hashlib
import os
import pwd
import re
import shutil
import signal
import urllib.parse
from pathlib import Path

import testbed_process as process
from testbed_process import LOOPBACK, Folder, PortTaken, Server, TestbedError
from testbed_slapd import DEFAULT_SUFFIX, ldif_line

_TEMPLATE = Path("/usr/share/dirsrv/data/template-dse.ldif")
_FOLDERS = ("db", "log", "run", "lock", "ldif", "bak", "tmp")

_DATABASE = """\
dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userRoot
nsslapd-suffix: {suffix}

dn: cn="{suffix}",cn=mapping tree,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: "{suffix}"
nsslapd-state: backend
nsslapd-backend: userRoot

dn: {suffix}
objectClass: top
objectClass: domain
dc: {dc}
aci: (targetattr="*")(version 3.0; acl "service"; allow (read, search, compare) userdn="ldap:///{service_dn}";)

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
uid: {service_user}
userPassword: {service_password}

"""


def need_dirsrv():
    """Skips the test when it is not installed; so a test calls it before unittest does anything."""
    paths = process.need("ns-slapd", "ldapmodify", "ldapsearch")
    if not _TEMPLATE.exists():
        process.skip("not installed: %s (389-ds-base)" % _TEMPLATE)
    return paths


def _hashed(password):
    """As userPassword holds it: clear text is not taken."""
    salt = os.urandom(8)
    return "{SSHA}" + base64.b64encode(hashlib.sha1(password.encode() + salt).digest() + salt).decode()


class Dirsrv:
    """
    One ns-slapd, with a database of its own, started and ended by the test. What Slapd has under the same names means the same.

    ldif      text: loaded on top of the suffix, ou=people, ou=groups, ou=services and the service account.
    memberof  the memberOf plug-in is on (groups' attribute: member).
    """

    service_user = "wsmauthz"
    service_password = "correct horse battery staple"
    root_dn = "cn=Directory Manager"
    root_password = "root password of a throw-away directory"
    ca_file = None

    def __init__(self, ldif="", *, memberof=False, suffix=DEFAULT_SUFFIX):
        self._program, self._ldapmodify, self._ldapsearch = need_dirsrv()
        self.suffix = suffix
        self.service_dn = "uid=%s,ou=services,%s" % (self.service_user, suffix)
        self.port = None
        self._ldif, self._memberof = ldif, memberof
        self._folder = Folder()
        # A semaphore of the machine's has the name of this folder.
        self._settings = os.path.basename(self._folder.path)
        self._server = Server(self._folder.join("ns-slapd.log"))

    def __enter__(self):
        try:
            process.start_with_retry(self._make)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        self._server.end(signal.SIGKILL)
        Path("/dev/shm/sem.%s.stats" % self._settings).unlink(missing_ok=True)
        self._folder.remove()

    @property
    def directory(self):
        return self._folder.path

    @property
    def uri(self):
        return "ldap://%s:%d" % (LOOPBACK, self.port)

    @property
    def ldapi_uri(self):
        return "ldapi://" + urllib.parse.quote(self._folder.join("run", "ldapi"), safe="")

    def start(self):
        self._server.launch([self._program, "-D", self._folder.join(self._settings), "-i", self._folder.join("run", "pid"),
                             "-d", "0"], dict(os.environ))
        try:
            process.wait_until(self._has_started, process.START_TIMEOUT_S, "the start of ns-slapd")
        except BaseException:
            self._server.end(signal.SIGKILL)
            raise

    def stop(self):
        self._server.end(signal.SIGTERM, timeout=20)

    def kill(self):
        self._server.end(signal.SIGKILL)

    def suspend(self):
        self._server.signal(signal.SIGSTOP)

    def resume(self):
        self._server.signal(signal.SIGCONT)

    def modify(self, ldif):
        secret = self._folder.write("root.secret", self.root_password, 0o600)
        process.run(self._ldapmodify, "-a", "-x", "-H", self.ldapi_uri, "-D", self.root_dn, "-y", secret, text=ldif)

    def add_member(self, group, member):
        self._change_member("add", group, member)

    def remove_member(self, group, member):
        self._change_member("delete", group, member)

    def delete(self, dn):
        self.modify(ldif_line("dn", dn) + "\nchangetype: delete\n")

    def log(self):
        return self._server.log()

    # Inside

    def _make(self, _attempt):
        for name in (self._settings,) + _FOLDERS:
            shutil.rmtree(self._folder.join(name), ignore_errors=True)
            self._folder.make(name)
        self.port = process.free_port()
        # Those of /etc/dirsrv are for root's eyes only; the schema that comes with the server is found without them.
        self._folder.make(self._settings, "schema")
        self._folder.write(self._settings + "/schema/99user.ldif", "dn: cn=schema\n")
        self._folder.write(self._settings + "/slapd-collations.conf", "")
        self._folder.write(self._settings + "/dse.ldif", self._configuration(), 0o600)
        self.start()
        self.modify(_DATABASE.format(suffix=self.suffix, dc=re.match("dc=([^,]+)", self.suffix).group(1),
                                     service_dn=self.service_dn, service_user=self.service_user,
                                     service_password=self.service_password) + self._ldif)

    def _configuration(self):
        values = {
            "schema_dir": self._folder.join(self._settings, "schema"), "cert_dir": self._folder.join(self._settings),
            "config_dir": self._folder.join(self._settings), "inst_dir": self._folder.join(self._settings),
            "db_home_dir": self._folder.join("db"), "db_lib": "bdb", "fqdn": "localhost", "ds_port": str(self.port),
            "ds_user": pwd.getpwuid(os.geteuid()).pw_name, "rootdn": self.root_dn, "ds_passwd": _hashed(self.root_password),
            "ds_suffix": self.suffix, "ldapi": self._folder.join("run", "ldapi"), "ldapi_enabled": "on",
            "ldapi_autobind": "off",
        }
        values.update((name + "_dir", self._folder.join(name)) for name in ("lock", "tmp", "ldif", "bak", "run", "log", "db"))
        text = re.sub("%([a-z_]+)%", lambda found: values[found.group(1)], _TEMPLATE.read_text())
        text = text.replace("cn: config\n", "cn: config\nnsslapd-listenhost: %s\n" % LOOPBACK, 1)
        return self._with_memberof(text) if self._memberof else text

    @staticmethod
    def _with_memberof(text):
        records = text.split("\n\n")
        [at] = [i for i, record in enumerate(records) if record.lower().lstrip().startswith("dn: cn=memberof plugin,")]
        record = re.sub("(?im)^(nsslapd-pluginEnabled: *).*$", r"\1on", records[at])
        record = re.sub("(?im)^memberOf(GroupAttr|AutoAddOC):.*\n?", "", record).rstrip("\n")
        records[at] = record + "\nmemberOfGroupAttr: member\nmemberOfAutoAddOC: nsMemberOf"
        return "\n\n".join(records)

    def _has_started(self):
        if not self._server.is_running():
            log = self.log()
            kind = PortTaken if "already in use" in log else TestbedError
            raise kind("ns-slapd ended at once:\n" + log[-2000:])
        return process.run(self._ldapsearch, "-x", "-H", self.ldapi_uri, "-b", "", "-s", "base", "1.1",
                           check=False).returncode == 0

    def _change_member(self, action, group, member):
        self.modify("\n".join((ldif_line("dn", group), "changetype: modify", action + ": member",
                               ldif_line("member", member), "")))
