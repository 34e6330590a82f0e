"""Files are read strictly: what is refused is named by line, column and value; what only looks odd is accepted."""

import pytest

from analyses.ingest import reader, source
from analyses.ingest.request import InputError

PLAIN = "school,score,note\na,5.5,x\na,6,y\nb,-7e1,z\n"


def read(tmp_path, content, *, text=("school",), numbers=("score",)):
    path = tmp_path / "scores.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    found = reader.read(source.of_path(path), text=text, numbers=numbers)
    return found.assign(**{name: found[name].astype(float) for name in numbers})


def test_columns_and_lines(tmp_path):
    found = read(tmp_path, PLAIN)
    assert found.columns.tolist() == ["school", "score"]
    assert found["score"].tolist() == [5.5, 6.0, -70.0]
    assert found.index.tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        '"school","score","note"\n"a","5.5","x"\n"a","6","y"\n"b","-7e1","z"\n',
        "note,score,school\nx,5.5,a\ny,6,a\nz,-7e1,b\n",
        " school , score ,note\n a, 5.5 ,x\n a,6,y\n b ,-70.,z\n",
        PLAIN + "\n",
    ],
    ids=["byte-order mark", "CRLF", "CR", "quoted", "reordered", "blanks", "empty line"],
)
def test_what_only_looks_odd_is_the_same(tmp_path, content):
    assert read(tmp_path, content).to_dict("list") == read(tmp_path, PLAIN).to_dict("list")


def test_names_are_text(tmp_path):
    """007 is not 7, NA is a name, and so are letters of any alphabet; a quoted field may hold a comma or a line."""
    names = ["007", "7", "NA", "nan", "Åse", "学校", "a,b", "two\nlines"]
    content = "school,score\n" + "".join(f'"{name}",1\n' for name in names)
    assert read(tmp_path, content)["school"].tolist() == names


def test_lines_are_those_of_the_file(tmp_path):
    """A quoted field that goes over two lines counts for both."""
    content = 'school,score\n"two\nlines",1\nb,x\n'
    with pytest.raises(InputError, match=r"scores\.csv:4: column 'score': 'x' is not a number"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("abc", "'abc' is not a number"),
        ("", "'' is blank"),
        ("nan", "'nan' is not a number"),
        ("inf", "'inf' is not a number"),
        ("-Infinity", "is not a number"),
        ("1_000", "'1_000' is not a number"),
        ("1e999", "'1e999' is too large"),
        ("-1e306", "is too large: its square overflows"),
        ("1e-306", "is too small: its square underflows to zero"),
        ("1e-99999999999", "is not a number"),
        ('"3,5"', "'3,5' has a decimal comma: write a point"),
        ('"1,234"', "'1,234' has a comma: leave it out if it groups thousands; write a point, or pass --decimal ,"),
        ("1 234.5", "has a thousands separator"),
        ('"1,234,567"', "has a thousands separator"),
        ('"0,123"', "'0,123' has a decimal comma: write a point"),
        ("٣", "is not written in the digits 0 to 9"),
        ("0x10", "is not a number"),
    ],
)
def test_what_is_no_number_is_named(tmp_path, value, said):
    with pytest.raises(InputError) as refused:
        read(tmp_path, f"school,score\na,1\nb,{value}\n")
    assert str(refused.value).startswith("scores.csv:3: column 'score': ")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "scores.csv: is empty"),
        ("\n\n", "scores.csv: is empty"),
        ("school,score\n", "scores.csv: has a header and nothing below it"),
        ("school,score\na,1,2\n", "scores.csv:2: 3 fields where the header has 2"),
        ("school,score\na\n", "scores.csv:2: 1 field where the header has 2"),
        ("school,scores\na,1\n", "scores.csv:1: there is no column 'score': did you mean 'scores'?"),
        ("x,y\na,1\n", "there is no column 'school' or 'score': there are 'x', 'y'"),
        ("school,score,score\na,1,2\n", "scores.csv:1: column 'score' occurs 2 times"),
        ('school,score\n"a,1\n', "scores.csv:2: unexpected end of data: is a quote left open?"),
        ("school,score\na,1\n ,2\n", "scores.csv:3: column 'school': '' is blank"),
        (b"school,score\na,1\n\x00,2\n", "scores.csv:3: holds a NUL byte"),
        (
            "school,score\na,1\n".encode("utf-16-le"),
            "scores.csv:1: holds a NUL byte: it is no text file, or is in UTF-16",
        ),
        (b"school,score\na,1\n\xe5,2\n", "scores.csv:3: byte 0xe5 is not UTF-8"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, said):
    with pytest.raises(InputError) as refused:
        read(tmp_path, content)
    assert said in str(refused.value)


def test_names_that_look_alike_are_refused(tmp_path):
    """One letter as one sign and as two, a wide letter, a blank: nobody could tell the groups apart."""
    for one, two in (("\u00e9", "e\u0301"), ("A", "\uff21"), ("A", "A ")):
        with pytest.raises(InputError, match=r"scores\.csv:3: column 'school': .* looks like .* of line 2"):
            read(tmp_path, f"school,score\n{one},1\n{two},2\n")


def test_one_cause_is_one_line(tmp_path):
    """The first value of each kind, the lines of five more, and how many there are; a column of text is named once."""
    kinds = {"x": 1, "2%": 3, "": 2, "7": 1}
    rows = [value for value, count in kinds.items() for _ in range(4 * count)]
    with pytest.raises(InputError) as refused:
        read(tmp_path, "school,score\n" + "".join(f"a,{value}\n" for value in rows))
    assert str(refused.value).splitlines() == [
        "scores.csv:2: column 'score': 'x' is not a number (and 3 more: lines 3, 4, 5): correct it, or remove the row",
        "scores.csv:6: column 'score': '2%' has a percent sign (and 11 more: lines 7, 8, 9, 10, 11, ...): remove it, "
        "or write 2.8% as 0.028, in the whole column",
        "scores.csv:18: column 'score': '' is blank (and 7 more: lines 19, 20, 21, 22, 23, ...): remove the row, or "
        "pass --missing drop",
    ]
    with pytest.raises(InputError) as refused:
        read(tmp_path, "school,score\n" + "a,x\nb,y\n" * 9)
    said = "scores.csv: column 'score': holds text in every line, such as 'x' in line 2: name a column of numbers"
    assert str(refused.value) == said
