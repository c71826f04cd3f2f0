"""Where a private server keeps its data and sockets, and as which user PostgreSQL may run."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.errors import EmbeddedServerError

SOCKET_PATH_LIMIT = 100
"""Bytes; the kernel takes 107 and macOS 103, PostgreSQL appends a file name that is counted here."""
ORDINARY_USERS = ("postgres", "nobody", "daemon")


@dataclass(frozen=True, slots=True)
class Account:
    """The system user a server runs as; None as user means: whoever we are."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Home:
    """`data` holds the cluster, `sockets` its socket; `account` is the user root hands the server to."""

    data: Path
    sockets: Path
    account: Account | None


def private_folder(path: Path, uid: int, gid: int) -> Path:
    """Make or check a folder that only `uid` (and root) may enter; refuses one that belongs to somebody else."""
    try:
        path.mkdir(mode=0o700)
        if os.geteuid() != uid:
            os.chown(path, uid, gid)
    except FileExistsError:
        pass
    except OSError as error:
        raise EmbeddedServerError(f"The folder {path} cannot be made ({error.strerror}).") from error
    facts = path.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != uid:
        raise EmbeddedServerError(f"{path} belongs to another user or is no folder; move it away and start again.")
    return path


def socket_folder(data_dir: Path) -> Path:
    """A private folder whose path serves for sockets and in URLs: `<data>/run`, else one under the temporary folder."""
    name = f"backorder-run-{os.geteuid()}-{_digest(data_dir)}"
    for folder in (data_dir / "run", Path(tempfile.gettempdir(), name), Path("/tmp", name)):  # noqa: S108  owner is checked
        if _serves_for_sockets(folder):
            return private_folder(folder, os.geteuid(), os.getegid())
    raise EmbeddedServerError(f"No folder with a path short enough for a socket was found near {data_dir}.")


def postgres_home(data_dir: Path) -> Home:
    """Where PostgreSQL of this data folder lives.

    As an ordinary user: inside the data folder. As root (PostgreSQL refuses to run as root): in a private folder under
    the temporary folder that belongs to an ordinary user, so that no folder above `data_dir` has to be opened; its path
    is written to `<data>/postgres-home`, which the next start reads.
    """
    if os.geteuid() != 0:
        return Home(data_dir / "postgres", socket_folder(data_dir), None)
    note = data_dir / "postgres-home"
    if note.exists():
        home = Path(note.read_text(encoding="utf-8").strip())
        if not home.is_dir():
            raise EmbeddedServerError(
                f"The database of {data_dir} was kept in {home}, which is gone; restore that folder, or remove "
                f"{note} to begin with an empty database."
            )
        account = _account_of(home.lstat().st_uid)
    else:
        account = _ordinary_account()
        home = Path(tempfile.mkdtemp(prefix=f"backorder-{_digest(data_dir)}-"))
        os.chown(home, account.uid, account.gid)
        note.write_text(f"{home}\n", encoding="utf-8")
    private_folder(home, account.uid, account.gid)
    sockets = home / "run"
    if not _serves_for_sockets(sockets):
        raise EmbeddedServerError(f"The path {sockets} cannot hold a socket; set TMPDIR to a shorter, plain folder.")
    return Home(home / "data", private_folder(sockets, account.uid, account.gid), account)


def discard_private_data(data_dir: Path) -> None:
    """Delete what the stopped private servers of a throw-away folder keep outside it."""
    data_dir = data_dir.resolve()
    note = data_dir / "postgres-home"
    if note.exists():
        home = Path(note.read_text(encoding="utf-8").strip())
        if home.name.startswith("backorder-"):
            shutil.rmtree(home, ignore_errors=True)
        note.unlink()
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108
        shutil.rmtree(Path(base) / f"backorder-run-{os.geteuid()}-{_digest(data_dir)}", ignore_errors=True)


def _serves_for_sockets(folder: Path) -> bool:
    """Short enough for the kernel, and without a character that a URL would take for its own."""
    path = str(folder / ".s.PGSQL.5432")
    return len(os.fsencode(path)) <= SOCKET_PATH_LIMIT and re.fullmatch(r"[\w./+@=~-]+", path, re.ASCII) is not None


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]


def _account_of(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedServerError(f"PostgreSQL cannot run as user {uid}: the system has no such user.") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _ordinary_account() -> Account:
    for name in ORDINARY_USERS:
        try:
            return _account_of(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    raise EmbeddedServerError(
        f"PostgreSQL does not run as root and none of the users {', '.join(ORDINARY_USERS)} exists; "
        "start as an ordinary user or set DATABASE_URL."
    )
