"""Rows of a table in C: a `struct`, its encoding, and what is predicted from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reseau.export import c_text as c
from reseau.export.c_code import Code, File
from reseau.tables.code.c_columns import COLUMNS, Column
from reseau.tables.code.samples import Row, rows
from reseau.visible import plural

if TYPE_CHECKING:
    from reseau.tables.columns.description import Description


@dataclass(frozen=True)
class Answer:
    """What a target puts into it.

    Attributes
    ----------
    what, of_a_row : str
        What is predicted; and the same as the beginning of the comment on `predict_row`.
    names : str
        How the name of the table of `meanings` ends.
    meanings : list of str
        What the outputs are.
    result : str
        The parameter of `predict_row` that takes the answer.
    outputs : str
        Where `predict_row` has the network's outputs: that parameter, or "o", an array of its own.
    statements : tuple of str
        What makes the answer of them.
    test_array : str
        In the test, an array declared beside x.
    test_variables, test_checks : tuple of str
        In the test, what is declared, and the statements that check the answer to a row t.
    test_result : str
        In the test, the argument for `result`.
    """

    what: str
    of_a_row: str
    names: str
    meanings: list[str]
    result: str
    outputs: str
    test_result: str
    statements: tuple[str, ...] = ()
    test_array: str = ""
    test_variables: tuple[str, ...] = ()
    test_checks: tuple[str, ...] = ()


class Rows:
    """What is declared, defined and tested of rows."""

    def __init__(self, descriptions: Sequence[Description], source: str, answer: Answer, file: File) -> None:
        self.source = source
        self.answer = answer
        self.name, self.upper, self.kind = file.name, file.upper, file.kind
        members = c.identifiers((d.name for d in descriptions), "column")
        self.columns: list[Column] = []
        start = 0
        for number, (description, member) in enumerate(zip(descriptions, members, strict=True), start=1):
            column = COLUMNS[description.kind]
            self.columns.append(column(description, member, number, start, file.kind, file.name))
            start += len(description.features)
        self.features = [feature for d in descriptions for feature in d.features]
        self.rows = rows(descriptions)
        self.output_names = f"{file.name}_{answer.names}"

    def code(self) -> Code:
        """All of it."""
        name = self.name
        source = f" such as {c.plain(self.source)}" if self.source else ""
        about = (
            f"The inputs x are what {name}_encode makes of a row of the table; {name}_predict_row goes from the row to "
            f"what is predicted. What inputs and outputs mean is said in {name}_input_names and {self.output_names}."
        )
        return Code(
            title=f"{self.answer.what}, from {plural(len(self.columns), 'column')} of a table{source}.",
            x=f", which {name}_encode makes of a row",
            about=(about, ""),
            includes=tuple(sorted({header for column in self.columns for header in column.includes})),
            declarations=tuple(self._declarations()),
            definitions=tuple(self._definitions()),
            test_tables=tuple(self._test_tables()),
            test_checks=tuple(self._test_checks()),
        )

    # --- the header ---------------------------------------------------------------------------------------------------

    def _declarations(self) -> Iterator[str]:
        """The struct and the functions on it."""
        name, upper, kind = self.name, self.upper, self.kind
        yield f"#define {upper}_COLUMNS {len(self.columns)}"
        members = "\n".join(column.declaration() for column in self.columns)
        yield f"{c.comment('A row of the table.')}\nstruct {name}_row {{\n{members}\n}};"
        encode = (
            "The inputs x of a row. Returns 0; or the number, from 1, of the first column whose value cannot be used "
            "(a number that float cannot hold, a boolean that is neither 0 nor 1), and then x is not complete."
        )
        yield f"{c.comment(encode)}\nint {name}_encode(const struct {name}_row *row, {kind} x[{upper}_INPUTS]);"
        what = f"{self.answer.of_a_row} Returns what {name}_encode does, and predicts nothing unless that is 0."
        yield f"{c.comment(what)}\nint {name}_predict_row({self._row_and_result()});"
        yield "\n".join(
            [
                c.comment("What columns, inputs and outputs mean."),
                f"extern const char *const {name}_column_names[{upper}_COLUMNS];",
                f"extern const char *const {name}_input_names[{upper}_INPUTS];",
                f"extern const char *const {self.output_names}[{upper}_OUTPUTS];",
            ]
        )

    def _row_and_result(self) -> str:
        return f"const struct {self.name}_row *row, {self.answer.result}"

    # --- the C file ---------------------------------------------------------------------------------------------------

    def _definitions(self) -> Iterator[str]:
        """Names, levels, helpers and the functions on rows."""
        name, upper = self.name, self.upper
        yield c.texts(
            f"const char *const {name}_column_names[{upper}_COLUMNS]", [d.description.name for d in self.columns]
        )
        yield c.texts(f"const char *const {name}_input_names[{upper}_INPUTS]", self.features)
        yield c.texts(f"const char *const {self.output_names}[{upper}_OUTPUTS]", self.answer.meanings)
        yield from dict.fromkeys(table for column in self.columns for table in column.tables())
        helpers = dict.fromkeys(helper for column in self.columns for helper in column.helpers())
        yield from (helper.format(name=name, kind=self.kind) for helper in helpers)
        yield self._encode()
        yield self._predict_row()

    def _encode(self) -> str:
        variables = list(dict.fromkeys(f"    {line};" for column in self.columns for line in column.variables))
        lines = []
        for column in self.columns:
            title = f"{c.plain(column.description.name)}: {column.how()}"
            lines += ["", c.comment(title, indent="    "), *(f"    {line}" for line in column.statements())]
        return "\n".join(
            [
                f"int {self.name}_encode(const struct {self.name}_row *row, {self.kind} x[{self.upper}_INPUTS])",
                "{",
                *variables,
                *lines,
                "",
                "    return 0;",
                "}",
            ]
        )

    def _predict_row(self) -> str:
        name, upper, answer = self.name, self.upper, self.answer
        more = f", o[{upper}_OUTPUTS]" if answer.outputs == "o" else ""
        return "\n".join(
            [
                f"int {name}_predict_row({self._row_and_result()})",
                "{",
                f"    {self.kind} x[{upper}_INPUTS]{more};",
                f"    int refused = {name}_encode(row, x);",
                "    if (refused)",
                "        return refused;",
                f"    {name}_predict(x, {answer.outputs});",
                *(f"    {line}" for line in answer.statements),
                "    return 0;",
                "}",
            ]
        )

    # --- the test -----------------------------------------------------------------------------------------------------

    def _test_tables(self) -> Iterator[str]:
        """The rows behind the test's samples."""
        lines = ",\n".join(self._initialiser(row) for row in self.rows)
        title = c.comment("Rows of the table, of which test_x are the inputs.")
        yield f"{title}\nstatic const struct {self.name}_row test_rows[{len(self.rows)}] = {{\n{lines}\n}};"

    def _initialiser(self, row: Row) -> str:
        cells = (column.constant(cell) for column, cell in zip(self.columns, row, strict=True))
        return f"    {{{c.filled(cells, '     ').lstrip()}}}"

    def _test_checks(self) -> Iterator[str]:
        """The statements that check the functions on rows."""
        name, upper, answer = self.name, self.upper, self.answer
        yield f"    for (int t = 0; t < {len(self.rows)}; t++) {{"
        yield f"        {self.kind} x[{upper}_INPUTS]{answer.test_array};"
        yield from (f"        {line}" for line in answer.test_variables)
        encodes = f"{name}_encode(&test_rows[t], x) == 0"
        predicts = f"{name}_predict_row(&test_rows[t], {answer.test_result}) == 0"
        yield f"        if (!({encodes} && {predicts})) {{"
        yield "            failures++;"
        yield "            continue;"
        yield "        }"
        yield f"        {name}_predict(x, o);"
        # Sines and asinh of two libraries in double are within 4 ulp of one another, and rounded to the same number of
        # float, or to its neighbour.
        which = "a sine or asinh" if any(column.squashes for column in self.columns) else "a sine"
        yield f"        for (int i = 0; i < {upper}_INPUTS; i++) /* {which} may end in another digit */"
        yield '            check("input", i, (double)x[i], (double)test_x[t][i], 1.2e-7 * (1.0 + fabs((double)x[i])));'
        yield from (f"        {line}" for line in answer.test_checks)
        yield "    }"
