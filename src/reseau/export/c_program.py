"""The test that a C file holds: a program, compiled with -DRESEAU_TEST, that compares the file with `vectors`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reseau.export import c_text as c
from reseau.export.vectors import Vectors

CHECK = """\
static int failures = 0;
static double largest = 0.0; /* of the differences, as a part of what rounding explains */

static void check(const char *what, int place, double found, double expected, double rounding)
{
    double part = fabs(found - expected) / rounding;
    if (part > largest)
        largest = part;
    if (!(part <= 1.0)) {
        failures++;
        printf("%s %d: %.9g instead of %.9g\\n", what, place, found, expected);
    }
}"""


def written(
    name: str, kind: str, expected: Vectors, tables: Iterable[str], checks: Iterable[str], loading: Sequence[str]
) -> str:
    """The program: what is expected, tables and checks of a model's own, and how its weights are loaded."""
    upper = name.upper()
    main = ["int main(void)", "{"]
    if loading:
        main = ["int main(int argc, char **argv)", "{", *loading]
    blocks = [
        "#ifdef RESEAU_TEST",
        c.comment(
            "The test. For some x it holds the outputs o, and J v for a direction v, all computed in double "
            "precision, and how far from them rounding can lead."
        ),
        "#include <stdio.h>",
        c.table("test_x", expected.X, kind),
        c.table("test_o", expected.O, "double"),
        c.table("test_o_rounding", expected.O_bounds, "double"),
        c.table("test_v", expected.V, kind),
        c.table("test_Jv", expected.JV, "double"),
        c.table("test_Jv_rounding", expected.JV_bounds, "double"),
        *tables,
        CHECK,
        "\n".join(
            [
                *main,
                f"    static {kind} o[{upper}_OUTPUTS], J[{upper}_OUTPUTS][{upper}_INPUTS];",
                f"    for (int t = 0; t < {len(expected.X)}; t++) {{",
                f"        {name}_predict(test_x[t], o);",
                f"        {name}_jacobian(test_x[t], J);",
                f"        for (int k = 0; k < {upper}_OUTPUTS; k++) {{",
                "            double Jv = 0.0;",
                f"            for (int i = 0; i < {upper}_INPUTS; i++)",
                "                Jv += (double)J[k][i] * (double)test_v[t][i];",
                '            check("output", k, (double)o[k], test_o[t][k], test_o_rounding[t][k]);',
                '            check("J v, output", k, Jv, test_Jv[t][k], test_Jv_rounding[t][k]);',
                "        }",
                "    }",
                *checks,
                f'    printf("{name}: %s; the largest difference is %.2g of what rounding explains\\n",',
                '           failures ? "FAILED" : "passed", largest);',
                "    return failures > 0;",
                "}",
            ]
        ),
        "#endif",
    ]
    return "\n\n".join(blocks)
