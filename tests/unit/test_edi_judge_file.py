"""What `edi check` says of a file: verdicts, places and sentences, and an answer whatever the bytes are."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from core.edi.judge_file import judge_file, refuse_size
from workers.commands import edi

ISA = "ISA*00*          *00*          *ZZ*SUPPLIER       *ZZ*BACKORDER      *261120*1030*U*00401*000000007*0*P*>~"
GROUP = "GS*PR*SUP*US*20261120*1030*7*X*004010~"
GOOD = "ST*855*0001~BAK*00*AK*PO1*20261120~PO1*1*10*EA***BP*SKU1~ACK*IA*10*EA*067*20261201~SE*5*0001~"
COUNT = GOOD.replace("SE*5", "SE*6").replace("0001~", "0002~")
BAD = GOOD.replace("IA*10*EA*067*20261201", "IA*1x*EA*067*20261201").replace("0001~", "0003~")
VAGUE = GOOD.replace("1*10*EA", "1*10.5*EA").replace("0001~", "0004~")


def file(*sets: str, end: str = "IEA*1*000000007~") -> bytes:
    return (ISA + GROUP + "".join(sets) + f"GE*{len(sets)}*7~" + end).encode()


def test_a_good_file_is_accepted_and_names_every_part():
    assert judge_file(file(GOOD)) == {
        "verdict": "accepted",
        "faults": [],
        "interchanges": [
            {
                "standard": "X12",
                "version": "00401",
                "control": "000000007",
                "sender": {"qualifier": "ZZ", "id": "SUPPLIER"},
                "receiver": {"qualifier": "ZZ", "id": "BACKORDER"},
                "usage": "P",
                "isTest": False,
                "verdict": "accepted",
                "faults": [],
                "repairs": [],
                "answers": [],
                "groups": [
                    {
                        "functionalId": "PR",
                        "version": "004010",
                        "control": "7",
                        "sender": "SUP",
                        "receiver": "US",
                        "verdict": "accepted",
                        "faults": [],
                        "sets": [
                            {"kind": "855", "version": "004010", "control": "0001", "verdict": "accepted", "faults": []}
                        ],
                    }
                ],
            }
        ],
    }


def test_each_set_has_its_own_verdict_and_the_file_the_worst():
    found = judge_file(file(GOOD, COUNT, BAD, VAGUE))
    (interchange,) = found["interchanges"]
    sets = interchange["groups"][0]["sets"]
    assert [entry["verdict"] for entry in sets] == ["accepted", "accepted with notes", "rejected", "rejected"]
    assert (found["verdict"], interchange["verdict"], interchange["faults"]) == ("rejected", "rejected", [])
    (fault,) = sets[2]["faults"]
    assert (fault["segmentNumber"], fault["segment"], fault["element"], fault["code"], fault["value"]) == (
        4,
        "ACK",
        2,
        "6",
        "1x",
    )
    (meaning,) = sets[3]["faults"]
    assert (meaning["level"], meaning["segment"], meaning["element"], meaning["value"]) == (
        "business",
        "PO1",
        2,
        "10.5",
    )


def test_a_file_that_is_cut_off_makes_its_sets_doubtful():
    found = judge_file(file(GOOD, end=""))
    (interchange,) = found["interchanges"]
    assert [fault["code"] for fault in interchange["faults"]] == ["023"]
    assert interchange["groups"][0]["sets"][0] == {
        "kind": "855",
        "version": "004010",
        "control": "0001",
        "verdict": "rejected",
        "faults": [],
    }


def test_edifact_is_judged_in_the_same_words():
    found = judge_file(
        b"UNB+UNOA:1+S:1+R:1+261120:1030+1'UNH+1+ORDRSP:D:96A:UN'BGM+231+A1+29'DTM+137:20261120:102'RFF+ON:PO1'"
        b"LIN+1+5+S1:IN'QTY+21:1x'UNS+S'UNT+8+1'UNZ+1+1'"
    )
    (interchange,) = found["interchanges"]
    (message,) = interchange["groups"][0]["sets"]
    assert (interchange["standard"], message["kind"], message["version"], message["verdict"]) == (
        "EDIFACT",
        "ORDRSP",
        "D96A",
        "rejected",
    )
    (fault, *_) = message["faults"]
    assert (fault["segmentNumber"], fault["segment"], fault["element"], fault["component"]) == (6, "QTY", 1, 2)
    assert (fault["code"], fault["value"]) == ("37", "1x")


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=120).map(lambda noise: file(GOOD)[:-40] + noise)))
def test_any_bytes_get_a_verdict_as_json(data: bytes):
    found = judge_file(data)
    assert found["verdict"] in ("accepted", "accepted with notes", "rejected")
    json.dumps(found, allow_nan=False)
    assert "unjudged" not in [fault["code"] for fault in found["faults"]]


def test_a_mistake_of_ours_is_said_and_hides_nothing(monkeypatch: pytest.MonkeyPatch):
    def fail(data: bytes):
        raise KeyError("ST")

    monkeypatch.setattr("core.edi.judge_file.read", fail)
    found = judge_file(file(GOOD))
    assert (found["verdict"], found["interchanges"], found["faults"][0]["code"]) == ("rejected", [], "unjudged")


def test_a_file_that_is_too_large_is_not_read():
    assert refuse_size(50_000_000) is None
    refused = refuse_size(50_000_001)
    assert refused is not None
    assert refused["faults"][0]["message"] == "The file has 50000001 bytes; 50000000 are allowed."


def test_the_command_prints_places_and_ends_with_its_codes(tmp_path: Path):
    good, bad, noise = tmp_path / "good.edi", tmp_path / "bad.edi", tmp_path / "noise"
    good.write_bytes(file(GOOD))
    bad.write_bytes(file(BAD))
    noise.write_bytes(b"\x1b[31m\xff\x00")
    run = CliRunner().invoke
    done = run(edi.app, ["check", str(good)])
    assert (done.exit_code, done.stdout) == (
        0,
        f"{good}: accepted\n"
        "  X12 00401 interchange 000000007 from ZZ/SUPPLIER to ZZ/BACKORDER: accepted\n"
        "    group 7 PR 004010: accepted\n"
        "      set 0001 855 004010: accepted\n",
    )
    done = run(edi.app, ["check", str(good), str(bad)])
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == (
        "        error: segment 4 ACK, element 2, code 6, value '1x': ACK02 (quantity) of segment 4 is not a number: "
        "'1x'."
    )
    done = run(edi.app, ["check", str(noise), str(good), "--json"])
    assert done.exit_code == 1
    assert [(entry["path"], entry["verdict"]) for entry in json.loads(done.stdout)["files"]] == [
        (str(noise), "rejected"),
        (str(good), "accepted"),
    ]
    done = run(edi.app, ["check", str(tmp_path / "none"), str(bad), str(tmp_path), "--json"])
    assert (done.exit_code, [entry["path"] for entry in json.loads(done.stdout)["files"]]) == (2, [str(bad)])
    assert done.stderr.splitlines() == [
        f"{tmp_path / 'none'} cannot be read: No such file or directory.",
        f"{tmp_path} cannot be read: Is a directory.",
    ]
    assert run(edi.app, ["check"]).exit_code == 2


def test_a_control_character_in_a_text_is_called_one():
    found = judge_file(file(GOOD.replace("SKU1", "SK\x01U1")))
    (fault,) = found["interchanges"][0]["groups"][0]["sets"][0]["faults"]
    assert (found["verdict"], fault["segment"], fault["element"]) == ("accepted with notes", "PO1", 7)
    assert fault["message"].endswith("of segment 3 holds a control character: 'SK\\x01U1'.")


def test_nothing_in_a_file_steers_the_terminal(tmp_path: Path):
    path = tmp_path / "escape.edi"
    path.write_bytes(file(BAD).replace(b"1x", b"1\x1b[2J").replace(b"SUPPLIER ", b"SUP\x07LIER"))
    done = CliRunner().invoke(edi.app, ["check", str(path)])
    assert done.exit_code == 1
    assert [mark for mark in done.stdout if not mark.isprintable() and mark != "\n"] == []
