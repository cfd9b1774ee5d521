// What is random in training depends on the seed and the place in the training run alone; order.py has the same.
#pragma once

#include <cstdint>

namespace reseau {

// SplitMix64's finaliser; order.py names its source.
inline uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

}  // namespace reseau
