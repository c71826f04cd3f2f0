"""Who may import whom: the contracts of pyproject.toml, and what only a running interpreter can tell."""

from __future__ import annotations

import ast
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

OURS = {"api", "core", "ml", "workers", "migrations", "tests"}


def test_import_contracts_hold(root: Path):
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_no_installed_distribution_takes_our_names():
    taken = {name: owners for name, owners in importlib.metadata.packages_distributions().items() if name in OURS}
    assert taken == {}


def test_no_test_folder_takes_the_name_of_a_package(root: Path):
    assert [folder.name for folder in (root / "tests").iterdir() if folder.name in OURS] == []
    assert list((root / "tests").rglob("__init__.py")) == []


@pytest.mark.parametrize(
    "program",
    [
        "import api.app; api.app.create_app",
        "import api.operations",
        "import workers.relay",
        "import workers.settings, workers.jobs; assert workers.jobs.ALL_JOBS",
        "import workers.schedule",
    ],
)
def test_processes_start_without_the_model_stack(root: Path, program: str):
    """The API, the relay, and what all workers load: scikit-learn is neither imported nor needed."""
    check = (
        "import sys\n"
        "for name in ('sklearn', 'scipy', 'ml'): sys.modules[name] = None\n"  # importing it raises
        f"{program}\n"
        "assert not [name for name in sys.modules if name.startswith(('sklearn.', 'scipy.', 'ml.'))]\n"
    )
    done = subprocess.run([sys.executable, "-c", check], cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_only_the_learning_worker_asks_for_scikit_learn(imports: dict[str, set[str]], modules: dict[str, ast.Module]):
    users = {path for path, names in imports.items() if "sklearn" in names and not path.startswith("ml/")}
    assert users == {"workers/settings.py"}
    guarded = [
        node
        for node in ast.walk(modules["workers/settings.py"])
        if isinstance(node, ast.If)
        and ast.unparse(node.test) == "queue == 'learning'"
        and "sklearn" in ast.unparse(node)
    ]
    assert len(guarded) == 1


def test_jobs_of_fast_and_bulk_workers_never_import_models(
    imports: dict[str, set[str]], modules: dict[str, ast.Module]
):
    learning = {
        path
        for path, module in modules.items()
        if path.startswith("workers/jobs/") and "queue='learning'" in ast.unparse(module)
    }
    users = {path for path, names in imports.items() if "ml" in names and path.startswith("workers/jobs/")}
    assert users - learning == set()
