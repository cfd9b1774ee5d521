// The one micro-kernel: a tile C[MR, NV vectors] = Σ_k a(m, k) · b(k, ·), held in registers while k runs.
//
// Each element is summed over k = 0, 1, 2, ... in that order with fused multiply-adds, whatever the tile's size, the vector's
// width or the thread, so that a result does not depend on them. With MR = 8 and NV = 2 there are 16 independent sums, twice
// what two multiply-add units with a latency of four cycles need, for ten loads.
#pragma once

#include "network.h"
#include "simd.h"

namespace reseau::RESEAU_ISA {

inline constexpr int tile_rows = 8;

// a(m, k) = a[m * a_stride + k], or a[k * a_stride + m] if `transposed`; b's rows are `b_stride` apart, c's `c_stride`.
template <class T, bool transposed>
using Tile = void (*)(int64_t K, const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* c, int64_t c_stride);

template <class T, bool transposed, int MR, int NV>
static void tile(int64_t K, const T* a, int64_t a_stride, const T* b, int64_t b_stride, T* c, int64_t c_stride) {
    Vec<T> sum[MR][NV];
#pragma GCC unroll 8
    for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) sum[m][v] = Vec<T>::zero();
    }
    for (int64_t k = 0; k < K; ++k) {
        Vec<T> row[NV];
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) row[v] = Vec<T>::load(b + v * Vec<T>::width);
#pragma GCC unroll 8
        for (int m = 0; m < MR; ++m) {
            const Vec<T> x = Vec<T>::broadcast(transposed ? a[m] : a[m * a_stride]);
#pragma GCC unroll 2
            for (int v = 0; v < NV; ++v) sum[m][v] = fma(x, row[v], sum[m][v]);
        }
        a += transposed ? a_stride : 1;
        b += b_stride;
    }
#pragma GCC unroll 8
    for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) sum[m][v].store(c + m * c_stride + v * Vec<T>::width);
    }
}

// The tile for so many rows (1 to tile_rows) and vectors (1 to panel_vectors).
template <class T, bool transposed>
static Tile<T, transposed> tile_for(int64_t rows, int64_t vectors) {
    static constexpr Tile<T, transposed> table[tile_rows][panel_vectors] = {
        {tile<T, transposed, 1, 1>, tile<T, transposed, 1, 2>}, {tile<T, transposed, 2, 1>, tile<T, transposed, 2, 2>},
        {tile<T, transposed, 3, 1>, tile<T, transposed, 3, 2>}, {tile<T, transposed, 4, 1>, tile<T, transposed, 4, 2>},
        {tile<T, transposed, 5, 1>, tile<T, transposed, 5, 2>}, {tile<T, transposed, 6, 1>, tile<T, transposed, 6, 2>},
        {tile<T, transposed, 7, 1>, tile<T, transposed, 7, 2>}, {tile<T, transposed, 8, 1>, tile<T, transposed, 8, 2>},
    };
    return table[rows - 1][vectors - 1];
}

// C (rows, columns) = A (rows, K) · B, B packed in panels of `B_rows` rows; after each tile `epilogue(r, j, rows, vectors)`
// may finish it while it is still in the first cache.
template <class T, class Epilogue>
static RESEAU_INLINE void multiply(int64_t rows, int64_t K, Matrix<T> A, const T* B, int64_t B_rows, int64_t columns, Matrix<T> C,
                                   Epilogue epilogue) {
    constexpr int64_t width = Vec<T>::width;
    for (int64_t j = 0; j < columns; j += panel_vectors * width) {
        const int64_t vectors = columns - j > width ? panel_vectors : 1;
        const T* panel = B + j * B_rows;
        for (int64_t r = 0; r < rows; r += tile_rows) {
            const int64_t n = rows - r < tile_rows ? rows - r : tile_rows;
            tile_for<T, false>(n, vectors)(K, A.row(r), A.stride, panel, vectors * width, C.row(r) + j, C.stride);
            epilogue(r, j, n, vectors);
        }
    }
}

}  // namespace reseau::RESEAU_ISA
