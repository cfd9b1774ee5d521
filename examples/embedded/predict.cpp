// The species of a penguin, by a network that reseau has written as C: see README.md.

#include "penguins.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <stdexcept>
#include <string>

using Inputs = std::array<float, PENGUINS_INPUTS>;
using Probabilities = std::array<float, PENGUINS_OUTPUTS>;

Inputs encode(const penguins_row &row)
{
    Inputs x;
    if (const int refused = penguins_encode(&row, x.data()))
        throw std::invalid_argument(std::string(penguins_column_names[refused - 1]) + " has a value that cannot be used");
    return x;
}

Probabilities predict(const Inputs &x)
{
    Probabilities p;
    penguins_predict(x.data(), p.data());
    return p;
}

int main()
{
    penguins_row row{};
    row.island = "Biscoe";
    row.bill_length_mm = 46.1;
    row.bill_depth_mm = 13.2;
    row.flipper_length_mm = 211.0;
    row.body_mass_g = 4500.0;
    row.sex = nullptr; // not known
    row.year = 2007.0;

    const Inputs x = encode(row);
    const Probabilities p = predict(x);
    const auto best = std::max_element(p.begin(), p.end()) - p.begin();
    for (std::size_t k = 0; k < p.size(); k++)
        std::cout << penguins_class_names[k] << ' ' << p[k] << '\n';

    float J[PENGUINS_OUTPUTS][PENGUINS_INPUTS];
    penguins_jacobian(x.data(), J);
    const auto *strongest = std::max_element(J[best], J[best] + PENGUINS_INPUTS,
                                             [](float a, float b) { return std::abs(a) < std::abs(b); });
    std::cout << penguins_class_names[best] << " depends most on " << penguins_input_names[strongest - J[best]] << '\n';
}
