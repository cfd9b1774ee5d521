/* The species of a penguin, by a network that reseau has written as C: see README.md. */

#include "penguins.h"

#include <math.h>
#include <stdio.h>

int main(void)
{
    struct penguins_row row;
    float x[PENGUINS_INPUTS], p[PENGUINS_OUTPUTS], J[PENGUINS_OUTPUTS][PENGUINS_INPUTS];
    int best = 0;

    row.island = "Biscoe";
    row.bill_length_mm = 46.1;
    row.bill_depth_mm = 13.2;
    row.flipper_length_mm = 211.0;
    row.body_mass_g = 4500.0;
    row.sex = NULL; /* not known */
    row.year = 2007.0;

    int refused = penguins_encode(&row, x);
    if (refused) {
        fprintf(stderr, "%s has a value that cannot be used\n", penguins_column_names[refused - 1]);
        return 1;
    }
    penguins_predict(x, p);
    for (int k = 0; k < PENGUINS_OUTPUTS; k++) {
        printf("%-10s %.4f\n", penguins_class_names[k], (double)p[k]);
        if (p[k] > p[best])
            best = k;
    }

    penguins_jacobian(x, J);
    printf("\nThe probability of %s changes\n", penguins_class_names[best]);
    for (int i = 0; i < PENGUINS_INPUTS; i++)
        if (x[i] < 0.0f || x[i] > 0.0f)
            printf("  by %+.1e with %s\n", (double)J[best][i], penguins_input_names[i]);
    return 0;
}
