"""Minutes of treatment: the file with its errors, and what else a claim says about minutes."""

import pytest

from edi_checker.claims.minutes import (
    LineMinutes,
    Minutes,
    MinutesError,
    minutes_in_note,
    minutes_of,
    read_minutes,
)
from parts_of import claim_of


def test_minutes_by_claim_and_line():
    minutes = Minutes.parse("claim,line,minutes\nA1,1,23\nA1,2,8\n", "m.csv")
    assert minutes.find("A1", 1, "") == LineMinutes(23)
    assert minutes.find("A1", 2, "") == LineMinutes(8)
    assert minutes.find("A1", 3, "") is None
    assert minutes.find("A2", 1, "") is None
    assert len(minutes) == 2


def test_columns_stand_in_any_order_and_case():
    text = "Minutes, LINE ,claim,Assistant_Minutes,line_control\n23,1,A1,10,\n8,,A1,,L2\n"
    minutes = Minutes.parse(text, "m.csv")
    assert minutes.find("A1", 1, "") == LineMinutes(23, 10)
    assert minutes.find("A1", 2, "L2") == LineMinutes(8)
    assert minutes.find("A1", 2, "") is None


def test_byte_order_mark_and_crlf_and_blank_lines(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(b"\xef\xbb\xbfclaim,line,minutes\r\n\r\nA1,1,23\r\n,,\r\n")
    assert read_minutes(path).find("A1", 1, "") == LineMinutes(23)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "row 1: the header claim,line,minutes is missing"),
        ("claim,line\nA1,1\n", "row 1: the header has no column minutes"),
        ("claim,line,minutes,colour\nA1,1,23,red\n", "row 1: column 4 of the header is none of"),
        ("A1,1,23\n", "row 1: column 1 of the header is none of"),
        ("claim,line,minutes,line\nA1,1,23,1\n", "row 1: a column is in the header twice"),
        ("claim,line,minutes\nA1,1,-5\n", "row 2: minutes is not between 0 and 1440"),
        ("claim,line,minutes\nA1,1,23\nA1,2,many\n", "row 3: minutes is not a whole number"),
        ("claim,line,minutes\nA1,1,7.5\n", "row 2: minutes is not a whole number"),
        ("claim,line,minutes\nA1,1,\n", "row 2: minutes is empty"),
        ("claim,line,minutes\nA1,1,1441\n", "row 2: minutes is not between"),
        ("claim,line,minutes\nA1,1,²³\n", "row 2: minutes is not a whole number"),
        ("claim,line,minutes\nA1,0,23\n", "row 2: line is not between 1 and 9999"),
        ("claim,line,minutes\nA1,,23\n", "row 2: line is empty"),
        ("claim,line,minutes\n,1,23\n", "row 2: claim is empty"),
        ("claim,line,minutes\nA1,1\n", "row 2: 2 fields where the header has 3"),
        ("claim,line,minutes\nA1,1,2,3\n", "row 2: 4 fields where the header has 3"),
        ("claim,line,minutes\nA1,1,23\nA1,1,23\n", "row 3: the same claim and line"),
        ("claim,line,minutes,line_control\nA1,,23,L1\nA1,,8,L1\n", "row 3: the same claim and line_control"),
        (
            "claim,line,minutes,assistant_minutes\nA1,1,23,24\n",
            "row 2: assistant_minutes are more than minutes",
        ),
        ('claim,line,minutes\n"A1,1,23\n', "row 2: "),
        ("claim,line,minutes\n" + "A" * 300 + ",1,23\n", "row 2: a field of more than 200 characters"),
    ],
)
def test_a_malformed_file_names_the_row_and_quotes_no_claim(text, reason):
    with pytest.raises(MinutesError) as error:
        Minutes.parse(text, "m.csv")
    assert reason in str(error.value)
    assert str(error.value).startswith("m.csv")
    assert "A1" not in str(error.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(MinutesError, match="cannot be read"):
        read_minutes(tmp_path / "none.csv")
    with pytest.raises(MinutesError, match="cannot be read"):
        read_minutes(tmp_path)
    path = tmp_path / "m.csv"
    path.write_bytes(b"claim,line,minutes\nA1,1,\xff\n")
    with pytest.raises(MinutesError, match="row 2: not UTF-8"):
        read_minutes(path)
    path.write_bytes(b"\x00" * 100)
    with pytest.raises(MinutesError):
        read_minutes(path)


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("edi_checker.claims.minutes.MAX_BYTES", 1 << 20)
    path = tmp_path / "m.csv"
    path.write_bytes(b"claim,line,minutes\n" + b"A1,1,23\n" * 200_000)
    with pytest.raises(MinutesError, match="larger than 1 MB"):
        read_minutes(path)


@pytest.mark.parametrize(
    ("note", "minutes"),
    [
        ("MINUTES 23", 23),
        ("MINUTES: 23", 23),
        ("time 38", 38),
        ("23 MIN", 23),
        ("23MIN", 23),
        ("23 minutes", 23),
        ("TREATMENT TIME 23 MIN", 23),
        ("TX TIME: 23", 23),
        ("TOTAL MINUTES 23", 23),
        (" MINUTES 23 ", 23),
        ("TOTAL 23 MINUTES OF GAIT", None),
        ("MINUTES 23 (23 MIN)", None),
        ("ARRIVED 5 MIN LATE", None),
        ("5 MIN LATE", None),
        ("APPT TIME 10", None),
        ("TIME 10 AM", None),
        ("ICE 10 MIN AFTER", None),
        ("MINUTES 2300", None),
        ("MINUTES 23 AND 15 MIN", None),
        ("TIME 10:30", None),
        ("TIME 100-115", None),
        ("TIME 1030", None),
        ("10:30 MIN", None),
        ("97530 MIN", None),
        ("8 MIN RULE MET", None),
        ("PATIENT WAS LATE", None),
        ("", None),
    ],
)
def test_minutes_in_a_note(note, minutes):
    assert minutes_in_note(note) == minutes


def test_the_first_source_of_minutes_counts():
    line = claim_of({"lines": ["97530:GP x38 MJ note MINUTES 10"]}).lines[0]
    given = Minutes.parse("claim,line,minutes\nEXAMPLE1,1,23\n", "m.csv")
    by_control = Minutes.parse("claim,line,minutes,line_control\nEXAMPLE1,,24,L1\n", "m.csv")
    assert minutes_of(line, given) == LineMinutes(23)
    assert minutes_of(line, by_control) == LineMinutes(24)
    assert minutes_of(line, None) == LineMinutes(38)
    noted = claim_of({"lines": ["97530:GP x1 note MINUTES 10"]}).lines[0]
    assert minutes_of(noted, None) == LineMinutes(10)
    silent = claim_of({"lines": ["97530:GP x1"]}).lines[0]
    assert minutes_of(silent, None) is None


@pytest.mark.parametrize("quantity", ["7.5", "-3", "99999", "NAN"])
def test_minutes_that_cannot_be_are_not_taken(quantity):
    claim = claim_of({"lines": ["97530:GP x1 MJ"], "edit": [{"find": "SV1*", "set": {"4": quantity}}]})
    assert minutes_of(claim.lines[0], None) is None
