# SPDX-License-Identifier: Apache-2.0
"""A private slapd on loopback: its configuration, its data, its life."""
import base64
import os
import re
import signal
import socket
import urllib.parse

import testbed_process as process
from testbed_process import LOOPBACK, Folder, PortTaken, Server, TestbedError
from testbed_tls import Authority

DEFAULT_SUFFIX = "dc=corp,dc=example,dc=test"
DEFAULT_INDEX = ("objectClass,uid,cn,mail,member,entryUUID,entryCSN,l,physicalDeliveryOfficeName eq",)
MODULE_FOLDER = "/usr/lib/ldap"
SCHEMA_FOLDER = "/etc/ldap/schema"
SCHEMAS = ("core", "cosine", "inetorgperson", "nis", "dyngroup")

# The kernel's limit of a socket's path (sun_path), less the final NUL.
_SOCKET_PATH_MAX = 107

_OVERLAYS = {
    "syncprov": "overlay syncprov\nsyncprov-checkpoint 100 10\nsyncprov-sessionlog 10000\n",
    "ppolicy": 'overlay ppolicy\nppolicy_default "cn=default,ou=policies,{suffix}"\n',
    "memberof": "overlay memberof\nmemberof-group-oc groupOfNames\nmemberof-member-ad member\n"
                "memberof-memberof-ad memberOf\nmemberof-refint TRUE\n",
    "refint": 'overlay refint\nrefint_attributes member owner manager\nrefint_nothing "{root_dn}"\n',
    "dynlist": "overlay dynlist\ndynlist-attrset groupOfURLs memberURL member+memberOf@groupOfNames*\n",
}

# authz-regexp is written with [+]: slapd.conf takes the backslash out of "\+".
_CONFIGURATION = """\
{schemas}
modulepath {modules}
{loads}
pidfile {path}/run/slapd.pid
argsfile {path}/run/slapd.args
threads 4
tool-threads 1
sizelimit unlimited
timelimit unlimited
TLSCACertificateFile {ca_file}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSVerifyClient try
sasl-auxprops slapd
sasl-realm CORP.EXAMPLE.TEST
sasl-host localhost
sasl-secprops none
password-hash {{CLEARTEXT}}
authz-regexp "^gidNumber=[0-9]+[+]uidNumber={uid},cn=peercred,cn=external,cn=auth$" "{service_dn}"
authz-regexp "^uid=([^,]+),cn=[^,]+,cn=auth$" "ldap:///{suffix}??sub?(uid=$1)"
authz-regexp "^uid=([^,]+),cn=[^,]+,cn=[^,]+,cn=auth$" "ldap:///{suffix}??sub?(uid=$1)"
{extra_global}
database mdb
suffix "{suffix}"
rootdn "{root_dn}"
rootpw {root_password}
directory {path}/db
maxsize 1073741824
dbnosync
{indexes}
sortvals member
{access}
access to attrs=userPassword by self =xw by anonymous auth by * none
access to * by dn.exact="{service_dn}" read by self read by anonymous auth by * none
limits dn.exact="{service_dn}" {service_limits}
{extra_database}
{overlays}"""

_BASE_LDIF = """\
dn: {suffix}
objectClass: dcObject
objectClass: organization
dc: {dc}
o: Example

"""

_UNITS_LDIF = """\
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

dn: ou=policies,{suffix}
objectClass: organizationalUnit
ou: policies

"""


class Slapd:
    """
    One slapd, with a database of its own, started and ended by the test.

        with Slapd(ldif=person("alice") + group("admins", ["alice"])) as slapd:
            ... slapd.uri, slapd.ldaps_uri, slapd.ldapi_uri ...
            slapd.modify("dn: ...\\nchangetype: modify\\n...")

    In the database are the suffix, ou=people, ou=groups, ou=services, ou=policies and the read-only service
    account `service_dn` (uid "wsmauthz"); `ldif` is loaded on top of them. An entry of `ldif` with the same DN
    takes the place of ours. Nobody but the service account may read; anonymous may only bind.

    SASL: EXTERNAL over ldapi, by the user that runs the test, is the service account; SCRAM-SHA-* and
    DIGEST-MD5 by `uid` and the clear-text userPassword of any entry; GSSAPI and GSS-SPNEGO with `kdc`.

    directory       its folder; None: a temporary one. Removed at the end unless it was there before.
    ldif            text, or an os.PathLike of a file; None: nothing more.
    overlays        of syncprov, ppolicy, memberof, refint, dynlist; in the order of the database.
    service_limits  slapd.conf(5) `limits` of the service account: "size=500 size.pr=500".
    index           `index` lines of the database.
    access          `access to` lines of the database, before its own.
    certificate     a testbed_tls.Certificate; None: a good one from `authority`.
    authority       a testbed_tls.Authority; None: one of its own.
    kdc             a testbed_kdc.Kdc.
    debug           what it writes to its log (slapd's option -d). searches() and connections() need "stats".
    """

    service_user = "wsmauthz"
    service_password = "correct horse battery staple"
    root_password = "root password of a throw-away directory"

    def __init__(self, directory=None, ldif=None, *, overlays=("syncprov",), suffix=DEFAULT_SUFFIX,
                 service_limits="size=unlimited time=unlimited", index=DEFAULT_INDEX, certificate=None, authority=None,
                 kdc=None, extra_global="", extra_database="", access="", debug="stats"):
        self._slapd, self._slapadd, self._ldapmodify = process.need("slapd", "slapadd", "ldapmodify")
        self._folder = Folder(directory, "wsmauthz-slapd-")
        self.directory = self._folder.path
        self.suffix = suffix
        self.root_dn = "cn=root," + suffix
        self.service_dn = "uid=%s,ou=services,%s" % (self.service_user, suffix)
        self.overlays = tuple(overlays)
        self.service_limits = service_limits
        self.index = tuple(index)
        self.extra_global = extra_global
        self.extra_database = extra_database
        self.access = access
        self.kdc = kdc
        self.debug = debug
        self.port = self.tls_port = None
        self._server = Server(self._folder.join("slapd.log"))
        try:
            for name in ("db", "run"):
                self._folder.make(name)
            self._socket = self._socket_path()
            self.authority = authority or Authority(self._folder.join("tls"))
            self.certificate = certificate or self.authority.issue("server")
            self.configure()
            self._load(ldif)
        except BaseException:
            self.close()
            raise

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
        """End the process, remove the folder. May be called twice."""
        self._server.end(signal.SIGKILL)
        self._folder.remove()

    # Names

    @property
    def uri(self):
        return "ldap://%s:%d" % (LOOPBACK, self.port)

    @property
    def ldaps_uri(self):
        return "ldaps://%s:%d" % (LOOPBACK, self.tls_port)

    @property
    def ldapi_uri(self):
        return "ldapi://" + urllib.parse.quote(self._socket, safe="")

    @property
    def ca_file(self):
        return self.authority.ca_file

    @property
    def log_file(self):
        return self._server.log_file

    @property
    def pid(self):
        return self._server.pid

    def person_dn(self, uid):
        return person_dn(uid, self.suffix)

    def group_dn(self, cn):
        return group_dn(cn, self.suffix)

    # Life

    def start(self):
        """Start and wait until it answers. The ports stay the same over stop and start."""
        chosen = self.port is not None
        process.start_with_retry(lambda attempt: self._start_once(keep_ports=chosen))

    def stop(self):
        """A clean shutdown."""
        self._server.end(signal.SIGINT)

    def kill(self):
        """What a crash looks like from outside."""
        self._server.end(signal.SIGKILL)

    def suspend(self):
        """A hang: connections are accepted (by the kernel) and never answered."""
        self._server.suspend()

    def resume(self):
        self._server.resume()

    def restart(self):
        self.stop()
        self.start()

    def is_running(self):
        return self._server.is_running()

    # Data

    def modify(self, ldif):
        """Apply changes (LDIF; records without changetype are added) as the root of the database, over ldapi."""
        secret = self._folder.write("root.secret", self.root_password, 0o600)
        process.run(self._ldapmodify, "-a", "-x", "-H", self.ldapi_uri, "-D", self.root_dn, "-y", secret, text=ldif)

    def add_member(self, group, member):
        self._change_member("add", group, member)

    def remove_member(self, group, member):
        self._change_member("delete", group, member)

    def delete(self, dn):
        self.modify(ldif_line("dn", dn) + "\nchangetype: delete\n")

    def reconfigure(self, **options):
        """Change options of the constructor (service_limits, certificate, index, ...) and restart with them."""
        for name, value in options.items():
            if not hasattr(self, name):
                raise TypeError("no such option: " + name)
            setattr(self, name, value)
        self.stop()
        self.configure()
        self.start()

    # What it saw

    def log(self):
        return self._server.log()

    def searches(self):
        """The number of searches it was sent since it was made, over all connections."""
        return len(re.findall(r" SRCH base=", self.log()))

    def connections(self):
        """The number of connections it accepted since it was made."""
        return len(re.findall(r" ACCEPT from ", self.log()))

    # Inside

    def configure(self):
        """Write slapd.conf from the options."""
        unknown = set(self.overlays) - set(_OVERLAYS)
        if unknown:
            raise TypeError("unknown overlay: " + ", ".join(sorted(unknown)))
        names = {"suffix": self.suffix, "root_dn": self.root_dn}
        self._folder.write("slapd.conf", _CONFIGURATION.format(
            schemas="\n".join("include %s/%s.schema" % (SCHEMA_FOLDER, name) for name in SCHEMAS),
            modules=MODULE_FOLDER,
            loads="\n".join("moduleload " + name for name in ("back_mdb",) + self.overlays),
            path=self.directory, ca_file=self.ca_file, certificate=self.certificate.certificate,
            key=self.certificate.key, uid=os.getuid(), service_dn=self.service_dn,
            root_password='"%s"' % self.root_password, extra_global=self.extra_global,
            indexes="\n".join("index " + line for line in self.index), service_limits=self.service_limits,
            extra_database=self.extra_database, access=self.access,
            overlays="".join(_OVERLAYS[name].format(**names) for name in self.overlays), **names), 0o600)

    def _socket_path(self):
        path = self._folder.join("run", "ldapi")
        if len(path) > _SOCKET_PATH_MAX:
            raise TestbedError("the folder's path is too long for a socket: " + path)
        return path

    def _load(self, ldif):
        if ldif is None:
            ldif = ""
        elif not isinstance(ldif, str):
            with open(ldif, encoding="utf-8") as file:
                ldif = file.read()
        path = self._folder.write("load.ldif", self._base_ldif(ldif) + ldif)
        process.run(self._slapadd, "-q", "-f", self._folder.join("slapd.conf"), "-b", self.suffix, "-l", path,
                    timeout=600)

    def _base_ldif(self, ldif):
        base = (_BASE_LDIF + _UNITS_LDIF).format(suffix=self.suffix, dc=re.match("dc=([^,]+)", self.suffix).group(1),
                                                 service_dn=self.service_dn, service_user=self.service_user,
                                                 service_password=self.service_password)
        theirs = {dn.strip().lower() for dn in re.findall("^dn:(.*)$", ldif, re.M)}
        records = base.rstrip("\n").split("\n\n")
        return "".join(record + "\n\n" for record in records
                       if record.split("\n")[0][len("dn:"):].strip().lower() not in theirs)

    def _start_once(self, keep_ports):
        if not keep_ports:
            self.port, self.tls_port = process.free_port(), process.free_port()
        before = len(self._server.log())
        env = dict(os.environ)
        if self.kdc:
            env.update(self.kdc.server_environment())
        urls = " ".join((self.uri, self.ldaps_uri, self.ldapi_uri))
        self._server.launch([self._slapd, "-h", urls, "-f", self._folder.join("slapd.conf"), "-d", self.debug], env)
        try:
            process.wait_until(lambda: self._has_started(before), process.START_TIMEOUT_S, "the start of slapd")
        except BaseException:
            self._server.end(signal.SIGKILL)
            raise

    def _has_started(self, before):
        if not self._server.is_running():
            log = self._server.log()[before:]
            kind = PortTaken if re.search("errno=98|already in use", log) else TestbedError
            raise kind("slapd ended at once:\n" + log[-2000:])
        # The ldapi socket is the last that it listens on, and nobody else can have it.
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(self._socket) == 0

    def _change_member(self, action, group, member):
        self.modify("\n".join((ldif_line("dn", group), "changetype: modify", action + ": member",
                               ldif_line("member", member), "")))


def person_dn(uid, suffix=DEFAULT_SUFFIX):
    return "uid=%s,ou=people,%s" % (dn_escape(uid), suffix)


def group_dn(cn, suffix=DEFAULT_SUFFIX):
    return "cn=%s,ou=groups,%s" % (dn_escape(cn), suffix)


def dn_escape(value):
    """A value as a DN writes it (RFC 4514 2.4)."""
    escaped = re.sub(r'([\\",+;<>=])', r"\\\1", value).replace("\0", "\\00")
    if escaped[:1] in (" ", "#"):
        escaped = "\\" + escaped
    if escaped.endswith(" ") and len(value) > 1:
        escaped = escaped[:-1] + "\\ "
    return escaped


def ldif_line(name, value):
    """One line of LDIF; the value in base64 where RFC 2849 wants it."""
    if re.fullmatch(r"[!-9;=-~][ -~]*(?<! )", value) or value == "":
        return "%s: %s" % (name, value)
    return "%s:: %s" % (name, base64.b64encode(value.encode()).decode())


def entry(dn, **attributes):
    """The LDIF of an entry; a list gives an attribute several values."""
    lines = [ldif_line("dn", dn)]
    for name, value in attributes.items():
        lines += [ldif_line(name, each) for each in ([value] if isinstance(value, str) else value)]
    return "\n".join(lines) + "\n\n"


def person(uid, suffix=DEFAULT_SUFFIX, **attributes):
    """The LDIF of an inetOrgPerson below ou=people: person("alice", l="Rome")."""
    values = {"objectClass": "inetOrgPerson", "uid": uid, "cn": uid, "sn": uid,
              "mail": uid + "@corp.example.test", "userPassword": "password of " + uid}
    values.update(attributes)
    return entry(person_dn(uid, suffix), **values)


def group(cn, members, suffix=DEFAULT_SUFFIX):
    """The LDIF of a groupOfNames below ou=groups. A member with "=" is a DN, one without is the uid of a person."""
    members = [member if "=" in member else person_dn(member, suffix) for member in members]
    return entry(group_dn(cn, suffix), objectClass="groupOfNames", cn=cn, member=members)
