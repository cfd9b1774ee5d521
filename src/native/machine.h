// What the loops are fitted to: the caches of the processor that the process runs on.
#pragma once

#include <cstdint>

namespace reseau {

// No result depends on it.
struct Machine {
    int64_t second_cache;  // bytes of a core's second cache
    bool asks_ahead;       // whether the next panel of a product is asked for, see Ahead in matmul.h

    // Rows that a thread takes through all layers at a time: few enough that 8 KB of each, which is as much as a
    // product sums in one go, fill half of the second cache; and each panel of weights is read once for all of them.
    int64_t block_rows() const {
        const int64_t rows = second_cache / 2 / 8192;
        return rows < 64 ? 64 : rows > most_block_rows ? most_block_rows : rows;
    }
    static constexpr int64_t most_block_rows = 256;
};

// The one that was found, or that fit_to has put in its place, for what is made from then on: with it a test runs the
// loops of other processors, and a benchmark tries them.
const Machine& machine();
void fit_to(Machine other);

}  // namespace reseau
