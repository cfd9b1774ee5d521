// Dropout of a tile: which neurons are kept is `keeps` of order.py, number for number.
#pragma once

#include "network.h"
#include "random.h"
#include "simd.h"

namespace reseau::RESEAU_ISA {

// MurmurHash3's 32-bit finaliser, in lanes of 32 bits or in the lower halves of lanes of 64.
template <class T>
static RESEAU_INLINE typename Vec<T>::Bits fmix(typename Vec<T>::Bits x) {
    x = ((x ^ (x >> 16)) * 0x85EBCA6Bu) & 0xFFFFFFFFu;
    x = ((x ^ (x >> 13)) * 0xC2B2AE35u) & 0xFFFFFFFFu;
    return x ^ (x >> 16);
}

// a ← a · m and d ← d · m with m = 1/(1 − p) where a neuron is kept, else 0. The tile begins at neuron j; its first row
// has the key `key`, and each further row the next.
template <class T>
static void drop(double p, uint64_t key, int64_t j, Matrix<T> a, Matrix<T> d, int64_t rows, int64_t vectors) {
    using V = Vec<T>;
    using Bits = typename V::Bits;
    const uint32_t dropped = static_cast<uint32_t>(p * 4294967296.0);  // the numbers below, of 2³²
    const Bits kept = V(static_cast<T>(1 / (1 - p))).bits();
    Bits lanes;
    for (int i = 0; i < V::width; ++i) lanes[i] = static_cast<uint32_t>(i);
    for (int64_t r = 0; r < rows; ++r) {
        const uint64_t k = mix(key + static_cast<uint64_t>(r));
        const uint32_t first = static_cast<uint32_t>(k >> 32), stride = static_cast<uint32_t>(k) | 1;
        for (int64_t v = 0; v < vectors; ++v) {
            const int64_t at = v * V::width;
            const Bits x = fmix<T>((lanes * stride + (first + static_cast<uint32_t>(j + at) * stride)) & 0xFFFFFFFFu);
            const V m = V::from_bits(reinterpret_cast<Bits>(x >= dropped) & kept);
            (V::load(a.row(r) + at) * m).store(a.row(r) + at);
            (V::load(d.row(r) + at) * m).store(d.row(r) + at);
        }
    }
}

}  // namespace reseau::RESEAU_ISA
