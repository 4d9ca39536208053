"""A whole mail server of Debian's packages on loopback: Postfix takes mails by STARTTLS and login, Dovecot keeps them
and answers IMAP. Everything lies in one temporary folder; no mail can leave this machine."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection

import trustme

from tests.support.own_servers import free_port
from tests.support.waiting import wait_until

PASSWORD = "geheim"
USERS = ("perspektive", "bounces@perspektive.example", "tessa@schule.example", "konrad@betrieb.example")
PROGRAMS = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/lib/postfix/sbin"
MISSING = "There is no Postfix with Dovecot: apt-get install postfix dovecot-imapd dovecot-lmtpd."
NOT_ROOT = "Postfix and Dovecot are started by root only, and this run is not root's."

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/postfix-data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.perspektive.example
mydestination =
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = perspektive.example, schule.example, betrieb.example
virtual_transport = lmtp:inet:127.0.0.1:{lmtp}
default_transport = error:5.4.4 no mail leaves this machine
relay_transport = error:5.4.4 no mail leaves this machine
smtpd_reject_unlisted_recipient = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {folder}/server.pem
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth}
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
"""
MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
lmtp unix - - n - - lmtp
showq unix n - n - - showq
flush unix n - n 1000? 0 flush
postlog unix-dgram n - n - 1 postlogd
"""
DOVECOT = """\
base_dir = {folder}/dovecot-run
state_dir = {folder}/dovecot-run
protocols = imap lmtp
listen = 127.0.0.1
log_path = {folder}/dovecot.log
ssl = required
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
mail_location = maildir:{folder}/mails/%u
mail_uid = nobody
mail_gid = nogroup
first_valid_gid = 1
auth_mechanisms = plain login
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {folder}/users
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service auth {{
  inet_listener {{
    port = {auth}
  }}
}}
"""


@dataclass(frozen=True)
class MailHost:
    """The running mail server."""

    folder: Path
    smtp: int
    imaps: int

    @property
    def ca_file(self) -> str:
        """The certificate of the authority that signed the server's."""
        return str(self.folder / "ca.pem")

    @property
    def smtp_url(self) -> str:
        """For SMTP_URL."""
        return f"smtp://perspektive:{PASSWORD}@localhost:{self.smtp}?tls=yes&ca={self.ca_file}"

    def imap_url(self, user: str) -> str:
        """For BOUNCE_MAILBOX, and for a person's mail program."""
        return f"imaps://{user.replace('@', '%40')}:{PASSWORD}@localhost:{self.imaps}/INBOX?ca={self.ca_file}"

    def logs(self) -> str:
        """What the servers wrote, for a failing test."""
        return "\n".join(path.read_text() for path in self.folder.glob("*.log"))


def why_not() -> str:
    """Why the servers cannot be started here; empty when they can."""
    if os.geteuid() != 0:
        return NOT_ROOT
    return "" if all(shutil.which(name, path=PROGRAMS) for name in ("postfix", "master", "dovecot")) else MISSING


@contextmanager
def running_mail_host() -> Iterator[MailHost]:
    """Postfix and Dovecot, until the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="mail-host-"))
    folder.chmod(0o755)  # the servers run as users of their own
    ports = {name: free_port() for name in ("smtp", "lmtp", "auth", "imaps")}
    try:
        _write(folder, ports)
        subprocess.run(["postfix", "-c", str(folder / "postfix"), "check"], check=True, env={"PATH": PROGRAMS})
        with (
            _running("dovecot", "-F", "-c", str(folder / "dovecot.conf")),
            _running("master", "-d", "-c", str(folder / "postfix")),
        ):
            host = MailHost(folder, ports["smtp"], ports["imaps"])
            wait_until(lambda: all(_answers(port) for port in ports.values()), seconds=60)
            yield host
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, ports: dict[str, int]) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    (folder / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}::::::\n" for user in USERS))
    (folder / "dovecot.conf").write_text(DOVECOT.format(folder=folder, **ports))
    for name, owner in (("postfix", "root"), ("postfix-data", "postfix"), ("spool", "root"), ("mails", "nobody")):
        (folder / name).mkdir()
        shutil.chown(folder / name, pwd.getpwnam(owner).pw_uid)
    (folder / "postfix" / "main.cf").write_text(MAIN.format(folder=folder, **ports))
    (folder / "postfix" / "master.cf").write_text(MASTER.format(**ports))


@contextmanager
def _running(*command: str) -> Iterator[None]:
    program = shutil.which(command[0], path=PROGRAMS)
    assert program, MISSING
    child = subprocess.Popen(
        [program, *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """The server with all the processes that it started: they are one group."""
    os.killpg(child.pid, signal.SIGTERM)
    child.wait(timeout=20)
    try:
        wait_until(lambda: not _group_lives(child.pid), seconds=10)
    except AssertionError:
        os.killpg(child.pid, signal.SIGKILL)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _answers(port: int) -> bool:
    try:
        with closing(create_connection(("127.0.0.1", port), timeout=1)):
            return True
    except OSError:
        return False
