// Products in tile order, in which the matrix instructions of processors sum: the micro-kernels that use them, and
// those that repeat their bytes with multiply-adds.
//
// The factors are bfloat16, or sums of two or three: A = A_0 + A_1 (+ A_2), each part some 2⁻⁸ of the one before. Of
// the products of parts, A_i B_j, those with i + j < parts are taken: 1, 3 or 6.
//
// Tile order: k runs in blocks of 32 from k = 0 on, the last filled up with zeros. For each block, for each product of
// parts in the order of `products_of`, the even and the odd k are summed apart, each from 0 by multiply-adds in order
// of k; then C += (even + odd). Subnormal numbers count as zero everywhere. So the sums do not depend on how large a
// tile is, which thread computes it, or by which instructions.
#pragma once

#include "amx.h"
#include "rows.h"

namespace reseau::RESEAU_ISA {

inline constexpr int64_t k_block = 32;
static_assert(chunk_rows % k_block == 0);

static RESEAU_INLINE int64_t k_blocks(int64_t K) { return (K + k_block - 1) / k_block; }

// The products of parts. Neighbours share a factor, so that a register holds it for both: of three parts all but A_0
// are loaded once in a block, of two all.
struct PartsProduct {
    int a, b;
};
template <int parts>
inline constexpr PartsProduct products_of[1] = {{0, 0}};
template <>
inline constexpr PartsProduct products_of<2>[3] = {{1, 0}, {0, 0}, {0, 1}};
template <>
inline constexpr PartsProduct products_of<3>[6] = {{0, 2}, {0, 1}, {1, 1}, {1, 0}, {2, 0}, {0, 0}};

// x = part[0] + part[1] + ..., each part the nearest bfloat16 of what those before leave: of two parts 16 of the 24
// bits, of three all. Where there are several, what is beyond the largest bfloat16 is not rounded to infinity, from
// which the next part would lead to NaN.
template <int parts>
static RESEAU_INLINE void split(Vec<float> x, Vec<float> (&part)[parts]) {
    using V = Vec<float>;
    x = x + V::zero();  // zero of a subnormal number, in the mode in which threads multiply
    for (int p = 0; p < parts; ++p) {
        part[p] = V::from_bits(round_to_bfloat16(x));
        if constexpr (parts > 1) {
            if (p == 0) {
                const V largest(0x1.FEp127f), infinity(__builtin_huge_valf());
                part[p] = select((abs(part[p]) > largest) & (abs(x) < infinity), copysign(largest, x), part[p]);
            }
        }
        x = x - part[p];
    }
}

// --- by the matrix instructions --------------------------------------------------------------------------------------

#if defined(__AMX_BF16__)

// A block of C, `groups` tiles high and NV wide, = (or, if it continues, +=) Σ over so many k-blocks.
//
// A tile of A are 32 k of up to 16 rows, at a + (block · parts + part) · a_tile, and for the second group `next_group`
// further; one of B are 16 pairs of k of 16 columns, likewise with NV tiles side by side. So either is read from front
// to end. A 2 × 2 block loads 4 KB for 4 tile products of 16 cycles each in bfloat16, 8 KB for 12 in two parts, 14 KB
// for 24 in three: 64, 43 and 37 bytes a cycle, of which the second cache gives some 48. C stays in registers over all
// of K. What is read of B for the first time may lie farther away: if it fetches, it asks for it eight blocks
// beforehand.
template <int parts, int groups, int NV, bool fetches, int s>
static RESEAU_INLINE void multiply_parts(const Bf16Pair* a, int64_t a_tile, int64_t next_group, const Bf16Pair* b) {
    constexpr PartsProduct now = products_of<parts>[s];
    constexpr bool new_a = s == 0 || products_of<parts>[s > 0 ? s - 1 : 0].a != now.a;
    constexpr bool new_b = s == 0 || products_of<parts>[s > 0 ? s - 1 : 0].b != now.b;
    const Bf16Pair *from_a = a + now.a * a_tile, *from_b = b + now.b * NV * tile_pairs;
    if constexpr (fetches && new_b) {
        constexpr int64_t ahead = 8 * parts * NV * tile_pairs;
        for (int64_t line = 0; line < NV * tile_pairs; line += 16) __builtin_prefetch(from_b + ahead + line, 0, 2);
    }
    if constexpr (new_b) tile_load<tile_of_B>(from_b, 64);
    if constexpr (new_a) tile_load<tile_of_A>(from_a, 64);
    tile_multiply<tile_of_C, tile_of_A, tile_of_B>();
    if constexpr (NV == 2) {
        if constexpr (new_b) tile_load<tile_of_B + 1>(from_b + tile_pairs, 64);
        tile_multiply<tile_of_C + 1, tile_of_A, tile_of_B + 1>();
    }
    if constexpr (groups == 2) {
        if constexpr (new_a) tile_load<tile_of_A + 1>(from_a + next_group, 64);
        tile_multiply<tile_of_C + 2, tile_of_A + 1, tile_of_B>();
        if constexpr (NV == 2) tile_multiply<tile_of_C + 3, tile_of_A + 1, tile_of_B + 1>();
    }
    if constexpr (s + 1 < parts * (parts + 1) / 2)
        multiply_parts<parts, groups, NV, fetches, s + 1>(a, a_tile, next_group, b);
}

template <int parts, int groups, int NV, bool fetches>
static void tile_block(int64_t blocks, const Bf16Pair* a, int64_t a_tile, int64_t next_group, const Bf16Pair* b,
                       float* c, int64_t c_stride, bool continues) {
    const int64_t stride = c_stride * static_cast<int64_t>(sizeof(float));
    float* const below = c + tile_height * c_stride;
    if (continues) {
        tile_load<tile_of_C>(c, stride);
        if constexpr (NV == 2) tile_load<tile_of_C + 1>(c + 16, stride);
        if constexpr (groups == 2) tile_load<tile_of_C + 2>(below, stride);
        if constexpr (groups == 2 && NV == 2) tile_load<tile_of_C + 3>(below + 16, stride);
    } else {
        tile_zero<tile_of_C>();
        if constexpr (NV == 2) tile_zero<tile_of_C + 1>();
        if constexpr (groups == 2) tile_zero<tile_of_C + 2>();
        if constexpr (groups == 2 && NV == 2) tile_zero<tile_of_C + 3>();
    }
    for (int64_t block = 0; block < blocks; ++block) {
        multiply_parts<parts, groups, NV, fetches, 0>(a, a_tile, next_group, b);
        a += parts * a_tile;
        b += parts * NV * tile_pairs;
    }
    tile_store<tile_of_C>(c, stride);
    if constexpr (NV == 2) tile_store<tile_of_C + 1>(c + 16, stride);
    if constexpr (groups == 2) tile_store<tile_of_C + 2>(below, stride);
    if constexpr (groups == 2 && NV == 2) tile_store<tile_of_C + 3>(below + 16, stride);
}

template <int parts, bool fetches>
static RESEAU_INLINE auto tile_block_for(int64_t groups, int64_t vectors) {
    if (groups == 2) return vectors == 2 ? tile_block<parts, 2, 2, fetches> : tile_block<parts, 2, 1, fetches>;
    return vectors == 2 ? tile_block<parts, 1, 2, fetches> : tile_block<parts, 1, 1, fetches>;
}

// C (rows, columns) = A B over so many k-blocks. A lies in groups of 16 rows, the last of those that are left, each in
// tiles as tile_block takes them; B in panels of two tiles of columns, the last of one where that is enough.
//
// A panel is read for all rows before the next: from wherever W lies for the first two groups, and from the second
// cache for the others. So a call with 64 rows reads each weight once, in 2 · parts bytes, for 128 operations: 64, 32
// and 21 a byte. Where W comes from memory at 11 GB/s, as was seen of a core, that is at most 700, 350 and 230 GFLOP/s,
// where float32 does 70; twice as many rows double it. Where that `machine` wants it, a panel is asked for ahead.
template <int parts, class Epilogue>
static RESEAU_INLINE void multiply_tiles(int64_t rows, int64_t blocks, const Bf16Pair* A, const Bf16Pair* B,
                                         int64_t columns, Matrix<float> C, const Machine& machine,
                                         const Epilogue& epilogue) {
    const int64_t row_pairs = blocks * parts * 16, left = rows % tile_height, whole = rows - left;
    // Of less, much is still in the second cache from the last time.
    const bool far = row_pairs * columns * static_cast<int64_t>(sizeof(Bf16Pair)) > machine.second_cache / 2;
    const auto pass = [&](int64_t begin, int64_t end, int64_t height) {
        for (int64_t j = 0; j < columns; j += 32) {
            const int64_t vectors = columns - j > 16 ? 2 : 1;
            const Bf16Pair* panel = B + j * row_pairs;
            for (int64_t r = begin; r < end; r += 2 * height) {
                const int64_t groups = end - r > height ? 2 : 1;
                const auto tile = machine.asks_ahead && far && r == 0 ? tile_block_for<parts, true>(groups, vectors)
                                                                      : tile_block_for<parts, false>(groups, vectors);
                tile(blocks, A + r * row_pairs, height * 16, height * row_pairs, panel, C.row(r) + j, C.stride, false);
                epilogue(r, j, groups * height, vectors);
            }
        }
    };
    pass(0, whole, tile_height);
    if (left == 0) return;
    shape_tiles(left);
    pass(whole, rows, left);
    shape_tiles(tile_height);
}

#else

// --- by multiply-adds ------------------------------------------------------------------------------------------------

// A tile has two sums for each of its elements, the even and the odd: 6 × 2 vectors of C take 24 of 32 registers, 3 × 2
// take 12 of 16. C itself waits in the first cache; it is fetched once for 32 multiply-adds.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int split_rows = 6;
#else
inline constexpr int split_rows = 3;
#endif

// C = (or, if it continues, +=) Σ_k a(m, k) b(k, ·), the parts of a and b as `tile` of matmul.h takes whole numbers.
template <int parts, bool transposed, int MR, int NV>
static void split_tile(int64_t K, const float* const (&a)[parts], int64_t a_stride, const float* const (&b)[parts],
                       int64_t b_stride, float* c, int64_t c_stride, bool continues) {
    using V = Vec<float>;
    if (!continues) {
        for (int m = 0; m < MR; ++m) {
            for (int v = 0; v < NV; ++v) V::zero().store(c + m * c_stride + v * V::width);
        }
    }
    for (int64_t start = 0; start < K; start += k_block) {
        const int64_t count = K - start < k_block ? K - start : k_block;
        for (const PartsProduct product : products_of<parts>) {
            const float* x = a[product.a] + (transposed ? start * a_stride : start);
            const float* y = b[product.b] + start * b_stride;
            V sum[2][MR][NV];
#pragma GCC unroll 6
            for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 2
                for (int v = 0; v < NV; ++v) sum[0][m][v] = sum[1][m][v] = V::zero();
            }
            const auto add = [&](V(&to)[MR][NV]) {
                V row[NV];
#pragma GCC unroll 2
                for (int v = 0; v < NV; ++v) row[v] = V::load(y + v * V::width);
#pragma GCC unroll 6
                for (int m = 0; m < MR; ++m) {
                    const V broadcast(transposed ? x[m] : x[m * a_stride]);
#pragma GCC unroll 2
                    for (int v = 0; v < NV; ++v) to[m][v] = fma(broadcast, row[v], to[m][v]);
                }
                x += transposed ? a_stride : 1;
                y += b_stride;
            };
            for (int64_t k = 0; k + 1 < count; k += 2) {
                add(sum[0]);
                add(sum[1]);
            }
            if (count % 2 != 0) add(sum[0]);
            // Zeros that fill up the block make +0 of a sum that is −0.
            const bool even_is_full = count >= k_block - 1, odd_is_full = count == k_block;
#pragma GCC unroll 6
            for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 2
                for (int v = 0; v < NV; ++v) {
                    float* const target = c + m * c_stride + v * V::width;
                    const V even = even_is_full ? sum[0][m][v] : sum[0][m][v] + V::zero();
                    const V odd = odd_is_full ? sum[1][m][v] : sum[1][m][v] + V::zero();
                    (V::load(target) + (even + odd)).store(target);
                }
            }
        }
    }
}

template <int parts>
using SplitTile = void (*)(int64_t K, const float* const (&a)[parts], int64_t a_stride, const float* const (&b)[parts],
                           int64_t b_stride, float* c, int64_t c_stride, bool continues);

// The tile for so many rows (1 to split_rows) and vectors (1 to panel_vectors).
template <int parts, bool transposed>
static SplitTile<parts> split_tile_for(int64_t rows, int64_t vectors) {
    const auto of_rows = [&]<int MR>() -> SplitTile<parts> {
        return vectors == 2 ? split_tile<parts, transposed, MR, 2> : split_tile<parts, transposed, MR, 1>;
    };
    if constexpr (split_rows == 6) {
        if (rows == 6) return of_rows.template operator()<6>();
        if (rows == 5) return of_rows.template operator()<5>();
        if (rows == 4) return of_rows.template operator()<4>();
    }
    if (rows == 3) return of_rows.template operator()<3>();
    return rows == 2 ? of_rows.template operator()<2>() : of_rows.template operator()<1>();
}

#endif

}  // namespace reseau::RESEAU_ISA
