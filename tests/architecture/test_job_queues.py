"""Work that is asked for is asked of the workers that know it: nobody else would ever do it."""

from __future__ import annotations

import ast

from workers.job import REGISTRY
from workers.jobs import ALL_JOBS
from workers.schedule import CRONS

DEFAULT = "fast"


def _texts(module: ast.Module) -> dict[str, str]:
    """Texts that have a name at the top of a module."""
    found: dict[str, str] = {}
    for node in module.body:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=True))
            for name, value in pairs:
                if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found[name.id] = value.value
    return found


def _asked(modules: dict[str, ast.Module]) -> dict[str, tuple[str | None, str]]:
    """The (function, queue) of every request for a job, by its place."""
    known = {name: text for path in modules if path.startswith("core/") for name, text in _texts(modules[path]).items()}
    found: dict[str, tuple[str | None, str]] = {}
    for path in modules:
        own = {**known, **_texts(modules[path])}
        for node in ast.walk(modules[path]) if path.startswith("core/") else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "JobRequest":
                name = node.args[0]
                function = name.value if isinstance(name, ast.Constant) else own.get(getattr(name, "id", ""))
                queue = next((word.value for word in node.keywords if word.arg == "queue"), ast.Constant(DEFAULT))
                found[f"{path}:{node.lineno}"] = (str(function), ast.literal_eval(queue))
    return found


def test_every_request_goes_to_the_workers_that_know_its_function(modules: dict[str, ast.Module]):
    asked = _asked(modules)
    assert len(asked) > 20
    wrong = {place: row for place, row in asked.items() if row[0] not in REGISTRY or REGISTRY[row[0]].queue != row[1]}
    assert wrong == {}


def test_every_cron_is_asked_of_the_workers_that_know_it():
    assert [cron.function for cron in CRONS if cron.queue not in ("fast", REGISTRY[cron.function].queue)] == []


def test_every_job_is_registered_wherever_jobs_are_used(modules: dict[str, ast.Module]):
    written = {path.removeprefix("workers/jobs/").removesuffix(".py") for path, module in modules.items()
               if path.startswith("workers/jobs/") and any(isinstance(node, ast.AsyncFunctionDef) and any(
                   isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "job" for mark in node.decorator_list)
                   for node in module.body)}  # fmt: skip
    assert written == set(ALL_JOBS)
