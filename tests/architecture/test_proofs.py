"""Documents that say which test proves what name tests that exist."""

import ast
import re
from pathlib import Path

PROOF = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_test_that_is_named_as_a_proof_exists(root: Path):
    named = {
        (file, test)
        for page in sorted((root / "docs").glob("*.md"))
        for file, test in PROOF.findall(page.read_text("utf-8"))
    }
    files = {file: ast.parse((root / file).read_text("utf-8")) for file, _ in named if (root / file).is_file()}
    known = {
        (file, node.name)
        for file, tree in files.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert named - known == set()
    assert len(named) > 60
