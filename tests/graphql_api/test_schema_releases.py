"""What would break a client is refused by the check, against the checked-in schema and against the released one."""

from hashlib import sha256
from pathlib import Path

import pytest
from graphql import GraphQLError, build_schema
from typer.testing import CliRunner

from api.commands import schema as command
from api.documents import Documents, read_manifest

EXAMPLES = Path(__file__).parents[2] / "api" / "examples"
OLD = """
"d" type Query { "d" thing("d" id: ID!, "d" size: Int): Thing "d" things("d" filter: Filter): [Thing!]! "d" any: Any "d" named: Named }
"d" interface Named { "d" name: String! }
"d" type Thing implements Named { "d" name: String! "d" size: Int "d" kind: Kind! }
"d" type Other { "d" x: Int }
"d" union Any = Thing | Other
"d" enum Kind { "d" A "d" B }
"d" input Filter { "d" kind: Kind "d" from: Int }
"""
BREAKING = {
    "a field is gone": ('"d" size: Int "d" kind', '"d" kind'),
    "a type is gone": ('"d" any: Any ', ""),
    "a field has another type": ('"d" size: Int "d" kind', '"d" size: String "d" kind'),
    "a field may be null now": ('"d" kind: Kind!', '"d" kind: Kind'),
    "a list may hold nulls now": ("[Thing!]!", "[Thing]!"),
    "an argument is gone": (', "d" size: Int)', ")"),
    "an argument has another type": ('"d" size: Int)', '"d" size: String)'),
    "an argument is required now": ('"d" size: Int)', '"d" size: Int!)'),
    "a new argument is required": ('"d" size: Int)', '"d" size: Int, "d" new: Int!)'),
    "a new input field is required": ('"d" from: Int }', '"d" from: Int "d" new: Int! }'),
    "an input field is gone": (' "d" from: Int }', " }"),
    "an enum value is gone": (' "d" B }', " }"),
    "a union member is gone": ("Thing | Other", "Thing"),
    "an interface is gone": ("Thing implements Named", "Thing"),
}
HARMLESS = {
    "a field is new": ('"d" size: Int "d" kind', '"d" size: Int "d" weight: Int "d" kind'),
    "an optional argument is new": ('"d" size: Int)', '"d" size: Int, "d" new: Int = 1)'),
    "an optional input field is new": ('"d" from: Int }', '"d" from: Int "d" until: Int }'),
    "an enum value is new": ('"d" B }', '"d" B "d" C }'),
    "a field is never null now": ('"d" size: Int "d" kind', '"d" size: Int! "d" kind'),
    "an argument may be left out": ('"d" id: ID!,', '"d" id: ID,'),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "SDL_FILE", tmp_path / "schema.graphql")
    monkeypatch.setattr(command, "RELEASED_FILE", tmp_path / "released.graphql")
    monkeypatch.setattr(command, "pages", dict)
    monkeypatch.setattr(command, "_refuse_undecided", lambda: None)
    return tmp_path


def _run(monkeypatch: pytest.MonkeyPatch, sdl: str, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(command, "current_sdl", lambda: sdl)
    done = CliRunner().invoke(command.app, list(arguments))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.mark.parametrize("name", BREAKING)
def test_what_breaks_clients_is_refused(name, files, monkeypatch):
    before, after = BREAKING[name]
    new = OLD.replace(before, after)
    assert new != OLD
    (files / "schema.graphql").write_text(OLD)
    code, said = _run(monkeypatch, new, "diff", "--against", str(files / "schema.graphql"))
    assert (code, said.startswith("breaking schema.graphql: ")) == (1, True)
    assert _run(monkeypatch, new, "export")[0] == 1
    assert (files / "schema.graphql").read_text() == OLD
    # not even --force breaks those who have the released one
    (files / "released.graphql").write_text(OLD)
    assert _run(monkeypatch, new, "export", "--force")[0] == 1
    (files / "schema.graphql").write_text(new)
    code, said = _run(monkeypatch, new, "diff", "--against", str(files / "schema.graphql"))
    assert (code, said.startswith("breaking released.graphql: ")) == (1, True)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_nobody_is_published(name, files, monkeypatch):
    before, after = HARMLESS[name]
    new = OLD.replace(before, after)
    assert new != OLD
    (files / "schema.graphql").write_text(OLD)
    (files / "released.graphql").write_text(OLD)
    assert _run(monkeypatch, new, "export")[0] == 0
    assert (files / "schema.graphql").read_text() == new
    assert _run(monkeypatch, new, "diff", "--against", str(files / "released.graphql"))[0] == 0
    assert _run(monkeypatch, new, "release")[0] == 0
    assert (files / "released.graphql").read_text() == new


def test_a_deprecation_names_what_comes_instead_and_the_day():
    for reason, is_vague in (
        ("Use `b`; it goes on 2027-06-01.", False),
        ("Use b from 2027-06-01 on.", True),
        ("Use `b`.", True),
    ):
        sdl = f'type Query {{ a: Int @deprecated(reason: "{reason}") b(c: Int): Int }}'
        assert command.vague_deprecations(build_schema(sdl)) == (["Query.a"] if is_vague else []), reason


def test_a_folder_of_documents_becomes_a_manifest_that_is_executed_by_id(tmp_path):
    out = tmp_path / "documents.json"
    done = CliRunner().invoke(command.app, ["documents", str(EXAMPLES), "--out", str(out)])
    assert done.exit_code == 0, done.output
    manifest = read_manifest(out)
    assert len(manifest) == len(list(EXAMPLES.glob("*.graphql")))
    text = (EXAMPLES / "planner-2-binding.graphql").read_text(encoding="utf-8")
    known = Documents(manifest, only_trusted=True)
    assert known.text_of(None, sha256(text.encode()).hexdigest(), {}) == text
    for wrong in ("query {", "query { nothing }"):
        (tmp_path / "wrong.graphql").write_text(wrong)
        refused = CliRunner().invoke(command.app, ["documents", str(tmp_path), "--out", str(tmp_path / "no.json")])
        assert (refused.exit_code, (tmp_path / "no.json").exists()) == (1, False)


def test_no_client_of_the_last_release_would_break():
    released = command.RELEASED_FILE.read_text(encoding="utf-8")
    assert [change.description for change in command.breaking(released, command.current_sdl())] == []


def test_a_major_release_is_said_and_never_happens_by_itself(files, monkeypatch):
    new = OLD.replace(*BREAKING["a field is gone"])
    for name in ("schema.graphql", "released.graphql"):
        (files / name).write_text(OLD)
    assert _run(monkeypatch, new, "release")[0] == 1
    assert _run(monkeypatch, new.replace('"d" type Thing', "type Thing"), "release", "--major")[0] == 1
    assert (files / "released.graphql").read_text() == OLD
    assert _run(monkeypatch, new, "release", "--major")[0] == 0
    assert {(files / name).read_text() for name in ("schema.graphql", "released.graphql")} == {new}


def test_where_no_hash_is_kept_clients_are_told_to_stop_asking_by_hash() -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    found = []
    for documents in (Documents(), Documents(registers=True), Documents({"1": "{ a }"})):
        with pytest.raises(GraphQLError) as refused:
            documents.text_of(None, None, extensions)
        found.append((refused.value.extensions or {})["code"])
    assert found == ["PERSISTED_QUERY_NOT_SUPPORTED", "PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_NOT_FOUND"]
