// The one micro-kernel: a tile C[MR, NV vectors] = Σ_k a(m, k) · b(k, ·), held in registers while k runs; or C += that,
// where the sum over k is continued.
//
// Each element is summed over k = 0, 1, 2, ... in that order with fused multiply-adds, whatever the tile's size, the
// vector's width or the thread, so that a result does not depend on them.
#pragma once

#include <type_traits>
#include <utility>

#include "rows.h"

namespace reseau::RESEAU_ISA {

// With MR = 8 and NV = 2 there are 16 independent sums, twice what two multiply-add units with a latency of four cycles
// need, for ten loads. Where there are 16 registers only 12 sums fit beside what is loaded: on AVX2, 125 GFLOP/s of a
// core's 130, and 79 with 8 rows, whose sums go to memory and back.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int tile_rows = 8;
#else
inline constexpr int tile_rows = 6;
#endif
// Along rows of a: all that the registers hold, for the taller a tile, the fewer times b's panel comes from the second
// cache. 28 sums, two vectors of b and a number of a take 31 registers of 32.
#if defined(__AVX512F__)
inline constexpr int most_tile_rows = 14;
#else
inline constexpr int most_tile_rows = tile_rows;
#endif

// What products of elements E are summed in: the same or, of pairs of bfloat16, of which k counts two numbers, float.
template <class E>
struct Product {
    using Number = E;
    static constexpr int64_t numbers = 1;  // in an element
};
template <>
struct Product<Bf16Pair> {
    using Number = float;
    static constexpr int64_t numbers = 2;
};
template <class E>
using Number = typename Product<E>::Number;

// So many elements hold n numbers.
template <class E>
constexpr int64_t elements(int64_t n) {
    return (n + Product<E>::numbers - 1) / Product<E>::numbers;
}

// What is done beside a sum, so that divisions or the way from memory pass while multiply-adds go on: nothing here,
// otherwise a call after every so many k.
struct Nothing {};

// a(m, k) = a[m * a_stride + k], or a[k * a_stride + m] if `transposed`; b's rows are `b_stride` apart, c's `c_stride`.
// With `continues` the sums go on from what c holds.
template <class E>
using Tile = void (*)(int64_t K, const E* a, int64_t a_stride, const E* b, int64_t b_stride, Number<E>* c,
                      int64_t c_stride, bool continues);

template <class E, bool transposed, int MR, int NV, class Beside>
static RESEAU_INLINE void tile_beside(int64_t K, const E* a, int64_t a_stride, const E* b, int64_t b_stride,
                                      Number<E>* c, int64_t c_stride, bool continues, Beside& beside) {
    using V = Vec<Number<E>>;
    V sum[MR][NV];
#pragma GCC unroll 16
    for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) sum[m][v] = V::zero();
    }
    if (continues) {
#pragma GCC unroll 16
        for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 2
            for (int v = 0; v < NV; ++v) sum[m][v] = V::load(c + m * c_stride + v * V::width);
        }
    }
    asm(""
        : "+r"(c));  // else the addresses of all rows of c are made before the sums and kept, in memory, for their end
    constexpr int apart = 3;  // rows of a from one pointer to the next; between them the stride does
    const E* rows[(MR + apart - 1) / apart];
#pragma GCC unroll 16
    for (int m = 0; m < MR; m += apart) rows[m / apart] = transposed ? a : a + m * a_stride;
    const auto add = [&](int64_t end) __attribute__((always_inline)) {
        for (int64_t k = 0; k < end; ++k) {
            Vec<E> row[NV];
#pragma GCC unroll 2
            for (int v = 0; v < NV; ++v) row[v] = Vec<E>::load(b + v * V::width);
#pragma GCC unroll 16
            for (int m = 0; m < MR; ++m) {
                const Vec<E> x = Vec<E>::broadcast(transposed ? a[m] : rows[m / apart][m % apart * a_stride]);
#pragma GCC unroll 2
                for (int v = 0; v < NV; ++v) sum[m][v] = fma(x, row[v], sum[m][v]);
            }
            if (transposed) {
                a += a_stride;
            } else {
#pragma GCC unroll 16
                for (int m = 0; m < MR; m += apart) ++rows[m / apart];
            }
            b += b_stride;
        }
    };
    if constexpr (!std::is_same_v<Beside, Nothing>) {
        const int64_t every = Beside::every(K);
        for (; K >= every; K -= every) {
            add(every);
            beside();
        }
    }
    add(K);
#pragma GCC unroll 16
    for (int m = 0; m < MR; ++m) {
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) sum[m][v].store(c + m * c_stride + v * V::width);
    }
}

template <class E, bool transposed, int MR, int NV>
static void tile(int64_t K, const E* a, int64_t a_stride, const E* b, int64_t b_stride, Number<E>* c, int64_t c_stride,
                 bool continues) {
    Nothing nothing;
    tile_beside<E, transposed, MR, NV>(K, a, a_stride, b, b_stride, c, c_stride, continues, nothing);
}

// The tile for so many rows (1 to 8, or to most_tile_rows along the rows of a) and vectors (1 to panel_vectors).
template <class E, bool transposed>
static Tile<E> tile_for(int64_t rows, int64_t vectors) {
    return [&]<int... m>(std::integer_sequence<int, m...>) {
        static constexpr Tile<E> table[][panel_vectors] = {
            {tile<E, transposed, m + 1, 1>, tile<E, transposed, m + 1, 2>}...};
        return table[rows - 1][vectors - 1];
    }(std::make_integer_sequence<int, transposed ? 8 : most_tile_rows>{});
}

// Asks for the panel that comes next, some lines every few k, so that it is in the second cache when its turn comes.
class Ahead {
public:
    Ahead() = default;
    // Spread over `sums` k of this panel.
    Ahead(const void* begin, const void* end, int64_t sums)
        : line_(static_cast<const char*>(begin)),
          end_(static_cast<const char*>(end)),
          lines_((end_ - line_) / 64 * apart / sums + 1) {}

    static constexpr int64_t every(int64_t) { return apart; }
    RESEAU_INLINE void operator()() {
        for (int64_t i = 0; i < lines_ && line_ < end_; ++i, line_ += 64) __builtin_prefetch(line_, 0, 2);
    }

private:
    static constexpr int64_t apart = 4;
    const char *line_ = nullptr, *end_ = nullptr;
    int64_t lines_ = 0;
};

template <class E>
using TileAhead = void (*)(int64_t K, const E* a, int64_t a_stride, const E* b, int64_t b_stride, Number<E>* c,
                           int64_t c_stride, bool continues, Ahead& ahead);

template <class E, int MR>
static void tile_ahead(int64_t K, const E* a, int64_t a_stride, const E* b, int64_t b_stride, Number<E>* c,
                       int64_t c_stride, bool continues, Ahead& ahead) {
    Ahead own = ahead;
    tile_beside<E, false, MR, panel_vectors>(K, a, a_stride, b, b_stride, c, c_stride, continues, own);
    ahead = own;
}

// The same of a whole panel, which another follows.
template <class E>
static TileAhead<E> tile_ahead_for(int64_t rows) {
    return [&]<int... m>(std::integer_sequence<int, m...>) {
        static constexpr TileAhead<E> table[] = {tile_ahead<E, m + 1>...};
        return table[rows - 1];
    }(std::make_integer_sequence<int, most_tile_rows>{});
}

// So many k are summed before the next panel's turn: with 8 KB of each row of A, a block of rows and two panels stay in
// the second cache. Longer sums go on from what is in C.
template <class E>
inline constexpr int64_t longest_sum = 8192 / static_cast<int64_t>(sizeof(E));

// C (rows, columns) = A (rows, K) · B, K counting elements, B packed in panels of `B_rows` rows; after each tile
// `epilogue(r, j, rows, vectors)` may finish it while it is still in the first cache. With `asks_ahead` the next panel
// is asked for during the sums of this one.
template <class E, class Epilogue>
static RESEAU_INLINE void multiply(int64_t rows, int64_t K, Matrix<E> A, const E* B, int64_t B_rows, int64_t columns,
                                   Matrix<Number<E>> C, bool asks_ahead, const Epilogue& epilogue) {
    constexpr int64_t width = Vec<E>::width, panel_width = panel_vectors * width;
    // As many tiles as are needed, of heights that differ by one at most.
    const int64_t tiles = (rows + most_tile_rows - 1) / most_tile_rows, height = rows / tiles, higher = rows % tiles;
    for (int64_t k = 0; k < K; k += longest_sum<E>) {
        const int64_t sums = K - k < longest_sum<E> ? K - k : longest_sum<E>;
        for (int64_t j = 0; j < columns; j += panel_width) {
            const int64_t vectors = columns - j > width ? panel_vectors : 1, next = j + panel_width;
            const E* const panel = B + j * B_rows + k * vectors * width;
            const bool asks = asks_ahead && next < columns;
            const int64_t next_columns = columns - next > width ? panel_width : width;
            const E* const to_come = B + next * B_rows + k * next_columns;
            Ahead ahead = asks ? Ahead(to_come, to_come + sums * next_columns, tiles * sums) : Ahead();
            for (int64_t r = 0, tile = 0; tile < tiles; ++tile) {
                const int64_t n = tile < higher ? height + 1 : height;
                const E* const a = A.row(r) + k;
                Number<E>* const c = C.row(r) + j;
                if (asks) {
                    tile_ahead_for<E>(n)(sums, a, A.stride, panel, panel_width, c, C.stride, k > 0, ahead);
                } else {
                    tile_for<E, false>(n, vectors)(sums, a, A.stride, panel, vectors * width, c, C.stride, k > 0);
                }
                if (k + sums == K) epilogue(r, j, n, vectors);
                r += n;
            }
        }
    }
}

// c[0 .. columns) = Σ_k a[k] · W(k, ·) + b for one row, with W as the caller holds it, its rows `stride` apart; b may
// be null for zeros. c is written to whole vectors. The sums are those of a tile.
template <class T, int NV>
static void row_tile(int64_t K, const T* a, const T* W, int64_t stride, const T* b, T* c, int64_t columns) {
    using V = Vec<T>;
    constexpr int64_t last = (NV - 1) * V::width;
    const int lanes = static_cast<int>(columns - last < V::width ? columns - last : V::width);  // of the last vector
    V sum[NV];
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) sum[v] = V::zero();
    for (int64_t k = 0; k < K; ++k, W += stride) {
        const V x = V::broadcast(a[k]);
#pragma GCC unroll 16
        for (int v = 0; v + 1 < NV; ++v) sum[v] = fma(x, V::load(W + v * V::width), sum[v]);
        sum[NV - 1] = fma(x, V::load_partial(W + last, lanes), sum[NV - 1]);
    }
#pragma GCC unroll 16
    for (int v = 0; v < NV; ++v) {
        const V bias = b == nullptr ? V::zero() : V::load_partial(b + v * V::width, v + 1 < NV ? V::width : lanes);
        (sum[v] + bias).store(c + v * V::width);
    }
}

// The same for any number of columns: as many sums at once as there are registers for, in powers of two.
template <class T>
static void multiply_row(int64_t K, const T* a, const T* W, const T* b, T* c, int64_t columns) {
    constexpr int64_t width = Vec<T>::width;
    constexpr int most = width * sizeof(T) == 64 ? 16 : 8;
    for (int64_t j = 0; j < columns;) {
        const int64_t left = columns - j, vectors = (left + width - 1) / width;
        const T* bias = b == nullptr ? nullptr : b + j;
        const auto take = [&]<int NV>() {
            row_tile<T, NV>(K, a, W + j, columns, bias, c + j, left);
            j += NV * width;
        };
        if (vectors >= most) {
            take.template operator()<most>();
        } else if (vectors >= 8) {
            take.template operator()<8>();
        } else if (vectors >= 4) {
            take.template operator()<4>();
        } else if (vectors >= 2) {
            take.template operator()<2>();
        } else {
            take.template operator()<1>();
        }
    }
}

// The dot products of MR rows of A with row j of Bᵀ, packed in panels of n rows: the lanes of each sum, to be added up.
template <class T, int MR>
static void dot_tile(int64_t K, const T* a, int64_t a_stride, const T* B, int64_t n, int64_t j, T* lanes) {
    using V = Vec<T>;
    constexpr int64_t panel_width = panel_vectors * V::width;
    const int64_t padded = round_up(K, V::width);
    LaneSum<T> sum[MR];
    for (int64_t start = 0; start < padded; start += panel_width) {
        const int64_t columns = padded - start < panel_width ? padded - start : panel_width;
        const T* b = B + start * n + j * columns;
        for (int64_t v = 0; v < columns; v += V::width) {
            const V weights = V::load(b + v);
            const int64_t left = K - start - v;
#pragma GCC unroll 8
            for (int m = 0; m < MR; ++m) {
                const T* x = a + m * a_stride + start + v;
                sum[m].add_product(left >= V::width ? V::load(x) : V::load_partial(x, static_cast<int>(left)), weights);
            }
        }
    }
    for (int m = 0; m < MR; ++m) sum[m].store(lanes + m * Abreast<T>::most);
}

// C (rows, n) = A (rows, K) · B with Bᵀ packed in panels of n rows, as a narrow layer has it: each element is a dot
// product along the lanes, summed like a LaneSum. C's rows are padded to whole vectors, with zeros.
template <class T, class Epilogue>
static RESEAU_INLINE void multiply_narrow(int64_t rows, int64_t K, Matrix<T> A, const T* B, int64_t n, Matrix<T> C,
                                          const Epilogue& epilogue) {
    using V = Vec<T>;
    constexpr int64_t lanes = Abreast<T>::most;
    alignas(64) T sums[V::width * lanes] = {};
    Turned<T> partial, products;
    for (int64_t r = 0; r < rows; r += V::width) {
        const int64_t count = rows - r < V::width ? rows - r : V::width;
        for (int64_t j = 0; j < n; ++j) {
            int64_t m = 0;
            for (; m + 8 <= count; m += 8) dot_tile<T, 8>(K, A.row(r + m), A.stride, B, n, j, sums + m * lanes);
            for (; m < count; ++m) dot_tile<T, 1>(K, A.row(r + m), A.stride, B, n, j, sums + m * lanes);
            partial.load({sums, lanes}, V::width, lanes);
            Abreast<T>{lanes}
                .sum([&](int64_t i) { return V::load(partial.numbers + i); })
                .store(products.numbers + j * V::width);
        }
        products.store(part(C, r, 0), count, n);
    }
    epilogue(0, 0, rows, round_up(n, V::width) / V::width);
}

}  // namespace reseau::RESEAU_ISA
