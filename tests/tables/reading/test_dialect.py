"""How delimited text is cut: separators, comments, titles, headers and what stands beside them."""

from __future__ import annotations

import io

import pytest

from reseau.errors import DataError, ParameterError
from reseau.tables.reading.table import Table, read_table


def read(content: str, **options: str) -> Table:
    return read_table(io.StringIO(content), **options)


def rows(table: Table) -> list[list[object]]:
    """The names, then the rows."""
    columns = [column.cells.to_pylist() for column in table.columns.values()]
    return [list(table.columns), *map(list, zip(*columns, strict=True))]


ROWS = [["a", "b", "c"], ["1", "2", "x"], ["3", "4", "y"]]


@pytest.mark.parametrize(
    "content",
    [
        "a,b,c\n1,2,x\n3,4,y\n",
        "sep=;\na;b;c\n1;2;x\n3;4;y\n",
        "SEP=|\r\na|b|c\r\n1|2|x\r\n3|4|y\r\n",
        '"sep=^"\na^b^c\n1^2^x\n3^4^y\n',
        "\ufeffsep=\t\na\tb\tc\n1\t2\tx\n3\t4\ty\n",
        "# by hand\n# 2024\na,b,c\n1,2,x\n3,4,y\n",
        "a,b,c\n1,2,x\n# a pause\n# and, one, more, comma\n3,4,y\n",
        "a,b,c\n1,2,x\n#9,9,z\n3,4,y\n",
        "# a,b,c\n1,2,x\n3,4,y\n",
        "#a b c\n1 2 x\n3 4 y\n",
        "Sales report\n\nExported 2024-05-01\n\na,b,c\n1,2,x\n3,4,y\n",
        "Sales report,,\n,,\na,b,c\n1,2,x\n3,4,y\n",
        "Sales report,,\nExported 2024-05-01,,\nBy hand,,\na,b,c\n1,2,x\n3,4,y\n",
        ",,\nSales report,,\n,,\nExported 2024-05-01,,\n,,\na,b,c\n1,2,x\n3,4,y\n",
        "Sales report,,\nBy:,Client no. 5,\nFor:,all of them,\n,,\na,b,c\n1,2,x\n3,4,y\n",
        "Rapport; mai\n\na;b;c\n1;2;x\n3;4;y\n",
        "\n".join(f"key {i}: value" for i in range(30)) + "\na;b;c\n1;2;x\n3;4;y\n",
        "from,2024-05-01,2024-05-31\n\na,b,c\n1,2,x\n3,4,y\n",
        "from,2024-05-01,\na,b,c\n1,2,x\n3,4,y\n",
        "% by me\n% in, 2024\na,b,c\n1,2,x\n3,4,y\n",
        "".join(f"# line {i}\n" for i in range(400)) + "a,b,c\n1,2,x\n3,4,y\n",
        "a,b,c,\n1,2,x\n3,4,y\n",
        "a,b,c\n1,2,x,\n3,4,y,\n",
        "a,b,c,\n1,2,x,\n3,4,y,\n",
        "a,b,c\n1,2,x,\n3,4,y\n",
        "a,b,c\n1,2,x\n3,4,y,,\n",
        "a,b,c,\n1,2,x\n3,4,y,\n",
        "a,b,c,,,\n1,2,x,,,\n3,4,y,,,\n",
        "a,b,c\n1,2,x\n3,4,y\n\x1a",
        "a,b,c\r\n1,2,x\r\n3,4,y\r\n\x1a\r\n",
        "a,b,c\n1,2,x\n3,4,y\x1a",
        "\n  \na,b,c\n\n1,2,x\n \t\n3,4,y\n\n",
        "a,b,c\r1,2,x\r\r3,4,y",
        "\u00a0a , b\u202f,c\n\ufeff1,\u20072, x\n3,4,y\u00a0\n",
        "a  b   c\n1  2   x\n3  4   y\n",
        '  a  b c\n  1\t2 "x"\n  3 4   y  \n',
    ],
)
def test_one_table_reads_alike_however_it_is_written(content: str) -> None:
    assert rows(read(content)) == ROWS


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a;b\n1;2\n", ["separated by semicolons (--sep"]),
        ("# x\n\n# y\na,b\n1,2\n", ["lines 1 to 3 are passed over, before the header, line 4"]),
        ("Title\n\na,b\n1,2\n3,4\n", ["line 1 is passed over, before the header, line 3"]),
        ("# a,b\n1,2\n", ["line 1, which begins with #, is taken for the header"]),
        ("a,b\n1,2\n# x\n# y\n3,4\n", ["2 lines that begin with # passed over"]),
        ('"x","y"\n"1",2,3\n"2",4,5\n', ["first column, which is called 'rownames'"]),
        ("5.1,3.5,a\n4.9,3.0,b\n", ["line 1 is taken for the header and looks like a row", "--header none"]),
        ("a,b\n1,2\n", []),
    ],
)
def test_what_is_not_obvious_is_said(content: str, says: list[str]) -> None:
    notes = " | ".join(read(content).notes)
    assert all(words in notes for words in says)
    assert bool(notes) == bool(says)


@pytest.mark.parametrize(
    "content",
    [
        '"x","y"\n"1",2,3\n"2",4,5\n',
        '"x" "y"\n"1" 2 3\n"2" 4 5\n',
        '"x"\t"y"\n"1"\t2\t3\n"2"\t4\t5\n',
    ],
)
def test_names_of_rows_as_r_writes_them_are_a_column(content: str) -> None:
    assert rows(read(content)) == [["rownames", "x", "y"], ["1", "2", "3"], ["2", "4", "5"]]


def test_names_of_rows_stand_beside_text_and_a_single_column_too() -> None:
    assert rows(read('"name","city"\n"1","bob","rome"\n"2","al","oslo"\n'))[1] == ["1", "bob", "rome"]
    assert rows(read('"x"\n"1",5\n"2",6\n')) == [["rownames", "x"], ["1", "5"], ["2", "6"]]


@pytest.mark.parametrize("sep", [";", "|", "\t"])
def test_a_comma_within_names_and_numbers_gives_way_to_the_other_separators(sep: str) -> None:
    table = read("price, EUR;size, m2\n1,5;2,5\n2,5;3,5\n".replace(";", sep))
    assert rows(table) == [["price, EUR", "size, m2"], ["1,5", "2,5"], ["2,5", "3,5"]]


def test_other_separators_within_cells_do_not_cut_a_comma_file() -> None:
    assert rows(read("id,genres\n1,a|b\n2,c|d\n3,e;f\n"))[1:] == [["1", "a|b"], ["2", "c|d"], ["3", "e;f"]]


@pytest.mark.parametrize(
    "content",
    [
        "full name\nJohn Smith\nBob Lee\n",
        "review\ngood\nnot so good\n",
        'text\n"hello, you"\nbye\n',
        "a\n1\n\n2\n",
        "x,\n1\n2\n",
    ],
)
def test_a_single_column_is_not_cut(content: str) -> None:
    assert len(read(content).columns) == 1


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("#,Name,HP\n1,Bulba,45\n2,Ivy,60\n", ["#", "Name", "HP"]),
        ("color,x\n#ff0000,1\n#00ff00,2\n", ["color", "x"]),
        ("# palette\ncolor,x\n#ff0000,1\n#00ff00,2\n", ["color", "x"]),
        ("# generated, 2024\nname,city\nbob,rome\nal,oslo\n", ["name", "city"]),
        ("# name,city\nbob,rome\nal,oslo\n", ["name", "city"]),
        ("##fileformat=x\n#chrom\tpos\nc1\t5\nc2\t6\n", ["chrom", "pos"]),
    ],
)
def test_a_sign_that_also_marks_comments_may_be_a_name_or_a_cell(content: str, names: list[str]) -> None:
    table = read(content)
    assert list(table.columns) == names
    assert table.rows == 2


def test_without_a_header_columns_are_called_by_their_numbers() -> None:
    table = read("5.1,a\n4.9,b\n", header="none")
    assert rows(table) == [["column 1", "column 2"], ["5.1", "a"], ["4.9", "b"]]
    assert table.columns["column 1"].place(1) == "the text, line 2"
    assert rows(read("# x\n5.1,a\n", header="None")) == [["column 1", "column 2"], ["5.1", "a"]]


def test_a_column_that_is_not_there_may_be_due_to_a_missing_header() -> None:
    with pytest.raises(DataError, match=r"no column 'species'.*The header seems to be missing.*line 1.*--header none"):
        read("5.1,3.5,a\n4.9,3.0,b\n").column("species")
    with pytest.raises(DataError, match="--header none"):
        read("1,0,0\n2,5,1\n")
    with pytest.raises(DataError) as caught:
        read("a,b\n1,2\n").column("c")
    assert "header" not in str(caught.value)


@pytest.mark.parametrize("content", ["country,2019,2020\nx,1,2\ny,3,4\n", "0,1,2\n5.1,3.5,1.4\n"])
def test_years_and_counts_are_names(content: str) -> None:
    assert read(content).notes == ()


@pytest.mark.parametrize("sep", [";", "semicolon", "SEMICOLON"])
def test_a_separator_that_is_given_is_used_as_it_is(sep: str) -> None:
    table = read("a,b;c\n1,2;3\n", sep=sep)
    assert rows(table) == [["a,b", "c"], ["1,2", "3"]]
    assert table.notes == ()
    assert table.columns["c"].separator == ";"


@pytest.mark.parametrize("sep", ["\t", "tab", "\\t"])
def test_a_tab_may_be_spelled(sep: str) -> None:
    assert rows(read("a b\tc\n1 2\t3\n", sep=sep)) == [["a b", "c"], ["1 2", "3"]]


@pytest.mark.parametrize("sep", [" ", "space"])
def test_a_space_stands_for_any_white_space_outside_of_quotes(sep: str) -> None:
    table = read('  mpg   name \n 18.0\t"chevy   malibu"\n\n15.0    buick\n', sep=sep)
    assert rows(table) == [["mpg", "name"], ["18.0", "chevy   malibu"], ["15.0", "buick"]]
    assert table.columns["mpg"].place(1) == "the text, line 4"


@pytest.mark.parametrize("sep", ["ab", "", "é", '"', "\n", "a", "5", 1, b";"])
def test_what_cannot_separate_is_refused(sep: object) -> None:
    with pytest.raises(ParameterError, match=r"sep is .*must be the one character"):
        read_table({"a": [1]}, sep=sep)  # type: ignore[arg-type]


@pytest.mark.parametrize("header", [0, "first", True, 1])
def test_another_header_than_none_is_refused(header: object) -> None:
    with pytest.raises(ParameterError, match=r"header is .*'none'"):
        read_table({"a": [1]}, header=header)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a,b,c\n1,2\n3,4\n", "line 2: 2 fields where the header has 3"),
        ("a,b\n1,2,3,4\n5,6,7,8\n", "line 2: 4 fields where the header has 2"),
        ("x\n1,5\n2,5\n", "line 2: 2 fields where the header has 1 .*--sep"),
        ("text\nhello, world\nfoo, bar\n", "line 2: 2 fields where the header has 1"),
        ("# x\na,b\n1,2\n\n# y\n3\n", "line 6: 1 field where the header has 2"),
        ("Title\n\na;b\n1;2\n3;4\n5\n", r"line 6: 1 field .*separated by semicolons"),
        ("sep=;\na;b\n1;2\n3\n", "line 4: 1 field where the header has 2"),
        ("sep=;\n", "is empty"),
        ("# a\n\na,b\n", "no rows"),
    ],
)
def test_errors_name_the_line_whatever_stands_before_it(content: str, says: str) -> None:
    with pytest.raises(DataError, match=f"the text.*{says}"):
        read(content)


def test_places_count_all_lines() -> None:
    place = read('# x\nsome title\n\na,b,c\n1,"2\n2",x\n# pause\n\n3,4,y\n').columns["a"].place
    assert [place(0), place(1)] == ["the text, line 5", "the text, line 9"]


def test_rows_below_a_header_with_a_nameless_column_are_no_titles() -> None:
    content = "name,,n\np,,1\nq,,2\nr,old,low\ns,new,4\nt,,5\n"
    assert rows(read(content))[:2] == [["name", "column 2", "n"], ["p", None, "1"]]
    assert rows(read("name,,\np,,\nq,hello,3\nr,good,4\n"))[0] == ["name", "column 2", "column 3"]


def test_a_column_that_is_not_there_may_be_due_to_the_separator_that_was_given() -> None:
    with pytest.raises(DataError, match=r"no column 'a'.*is cut at semicolons, as --sep .*a single column"):
        read("a,b\n1,2\n", sep=";").column("a")
    with pytest.raises(DataError) as caught:
        read("a;b\n1;2\n", sep=";").column("c")
    assert "--sep" not in str(caught.value)


def test_a_header_of_words_that_are_all_met_again_looks_like_a_row() -> None:
    assert "looks like a row" in read("x,o,b,won\nx,x,o,lost\no,o,b,won\n").notes[0]
    assert read("x,o,b,class\nx,x,o,lost\no,o,b,won\n").notes == ()
