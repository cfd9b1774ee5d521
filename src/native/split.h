// The factors of products in tile order (tiles.h): numbers split in parts, in the layouts in which their micro-kernels
// take them. They are split once, when they have been computed; the weights whenever the optimizer has moved them.
#pragma once

#include "factors.h"
#include "tiles.h"

namespace reseau::RESEAU_ISA {

// The vector at p, whose first `lanes` numbers count, if any; the others are zero, whatever stands there.
static RESEAU_INLINE Vec<float> load_counting(const float* p, int64_t lanes) {
    using V = Vec<float>;
    if (lanes >= V::width) return V::load(p);
    return lanes > 0 ? select(Mask<float>::first(static_cast<int>(lanes)), V::load(p), V::zero()) : V::zero();
}

// The factors of a layer's three products, for rows [begin, end) of the batch or units of the weights phase:
//
//   plan, kept_numbers, renew_A, renew_delta, renew_W   as in factors.h
//   forward(begin, end, activate)      Z = A W, with `activate` as epilogue of its tiles
//   backward(begin, end, pull_back)    G = δ Wᵀ
//   gradient(i, units, j, columns, r, rows, target)
//                                      Aᵀ δ of rows [r, r + rows) and as many units from row i and column j of W, each
//                                      of unit_rows rows, one after another in `target`; for r > 0 it goes on from what
//                                      `target` holds
//   units_at_once                      how many units that are at most

#if defined(__AMX_BF16__)

// In tiles, which are 1 KB each and follow one another in the order in which they are multiplied. A, B and C are the
// two factors and the result of a product; in pairs, as everything here:
//
//   A of A W, along:   for each block of rows that a thread takes, for each 16 rows of it or those that are left, for
//                      each 32 columns, for each part: the tile of these rows, 16 pairs of columns in each
//   A of Aᵀ δ, down:   for each 16 columns of A, for each 32 rows, for each part: a tile with a row for each of the
//                      columns, 16 pairs of rows in it
//   B of A W, W:       for each panel of columns, for each 32 rows, for each part, for each 16 of the panel's columns:
//                      a tile with a row for each pair of rows
//   B of Aᵀ δ, down:   the same of δ
// and for δ Wᵀ, δ along and Wᵀ as A and W. What fills up 32 rows or columns is zero.
template <int parts>
class SplitFactors {
public:
    static constexpr int64_t units_at_once = 2;

    SplitFactors(const Step<float>& step, int l)
        : step_(step),
          layer_(step.plan->layers[l - 1]),
          A_(step.work.A[l - 1]),
          delta_(step.work.delta[l]),
          kept_(layer_, step.rows, reinterpret_cast<Bf16Pair*>(step.work.kept[l])) {}

    static void plan(const Demands& demands, Layer& layer, Plan& plan) {
        layer.learns = demands.learns;
        layer.pairs = round_up(plan.mirrors_size, 16);
        plan.mirrors_size = layer.pairs + k_blocks(layer.n_in) * 16 * parts * layer.out_padded;
        if (!demands.sends_back) return;
        layer.mirror = plan.mirrors_size;
        plan.mirrors_size += k_blocks(layer.n_out) * 16 * parts * layer.in_padded;
    }

    static int64_t kept_numbers(const Layer& layer, int64_t rows) { return Kept(layer, rows, nullptr).size; }

    void renew_A(int64_t begin, int64_t end) const {
        renew<true>(A_, layer_.n_in, begin, end, kept_.A_along, kept_.A_down);
    }
    void renew_delta(int64_t begin, int64_t end) const {
        renew<false>(delta_, layer_.n_out, begin, end, kept_.delta_along, kept_.delta_down);
    }

    // Of the panel at column j rows [begin, end), which are whole vectors.
    static void renew_W(const Layer& layer, const float* packed, float* mirrors, int64_t j, int64_t begin,
                        int64_t end) {
        const int64_t columns = panel_columns<float>(layer.out_padded, j);
        const float* const panel = packed + layer.panels + j * layer.in_padded;
        Bf16Pair* const all = reinterpret_cast<Bf16Pair*>(mirrors);
        for (int64_t i = begin; i < end; i += 16) {
            for (int64_t v = 0; v < columns; v += 16) {
                const float* const block = panel + i * columns + v;  // 16 × 16 numbers
                split_block(block, columns, all + layer.pairs, layer.n_in, layer.out_padded, i, j + v);
                if (layer.mirror < 0) continue;
                alignas(64) float turned[16 * 16];
                transpose(block, columns, turned, 16);
                split_block(turned, 16, all + layer.mirror, layer.n_out, layer.in_padded, j + v, i);
            }
        }
    }

    template <class Epilogue>
    void forward(int64_t begin, int64_t end, const Epilogue& activate) const {
        const int64_t blocks = k_blocks(layer_.n_in);
        multiply_tiles<parts>(end - begin, blocks, kept_.A_along + begin * blocks * parts * 16, form(layer_.pairs),
                              layer_.out_padded, activate.Z, layer_.machine, activate);
    }
    template <class Epilogue>
    void backward(int64_t begin, int64_t end, const Epilogue& pull_back) const {
        const int64_t blocks = k_blocks(layer_.n_out);
        multiply_tiles<parts>(end - begin, blocks, kept_.delta_along + begin * blocks * parts * 16, form(layer_.mirror),
                              layer_.in_padded, pull_back.G, layer_.machine, pull_back);
    }

    void gradient(int64_t i, int64_t units, int64_t j, int64_t columns, int64_t r, int64_t rows, float* target) const {
        static_assert(unit_rows == tile_height);
        const int64_t group = k_blocks(step_.rows) * parts * tile_pairs, vectors = columns / 16;
        const Bf16Pair* const A = kept_.A_down + i / 16 * group + r / k_block * parts * tile_pairs;
        const Bf16Pair* const B = kept_.delta_down + j / 16 * group + r / k_block * parts * vectors * tile_pairs;
        tile_block_for<parts, false>(units, vectors)(k_blocks(rows), A, tile_pairs, group, B, target, columns, r > 0);
    }

private:
    using V = Vec<float>;
    static_assert(V::width == 16);

    // What is kept of a batch.
    struct Kept {
        Bf16Pair *A_along, *A_down, *delta_along, *delta_down;
        int64_t size = 0;

        Kept(const Layer& layer, int64_t rows, Bf16Pair* memory) {
            const auto allot = [&](int64_t height, int64_t numbers) {  // to be summed over
                Bf16Pair* const place = memory == nullptr ? nullptr : memory + size;
                size += height * k_blocks(numbers) * parts * 16;
                return place;
            };
            A_along = allot(rows, layer.n_in);
            A_down = layer.learns ? allot(layer.in_padded, rows) : nullptr;
            delta_along = layer.mirror >= 0 ? allot(rows, layer.n_out) : nullptr;
            delta_down = layer.learns ? allot(layer.out_padded, rows) : nullptr;
        }
    };

    const Bf16Pair* form(int64_t place) const { return reinterpret_cast<const Bf16Pair*>(step_.mirrors) + place; }

    // (x, y) of each lane, which are bfloat16 already.
    static RESEAU_INLINE Vec<Bf16Pair> joined(V x, V y) { return {y.bits() | (x.bits() >> 16)}; }

    // The place of row k, which is even, of a factor B (K, columns), at one of its vectors of columns.
    static RESEAU_INLINE int64_t place_in_B(int64_t K, int64_t padded, int64_t k, int64_t column) {
        const int64_t j = column / 32 * 32, vectors = padded - j > 16 ? 2 : 1;
        return j * k_blocks(K) * parts * 16 + (k / k_block * parts * vectors + (column - j) / 16) * tile_pairs +
               k % k_block / 2 * 16;
    }
    // How far the next part lies from there.
    static RESEAU_INLINE int64_t next_part(int64_t padded, int64_t column) {
        return padded - column / 32 * 32 > 16 ? 2 * tile_pairs : tile_pairs;
    }

    // 16 rows, from k on, and 16 columns of a factor B.
    static void split_block(const float* block, int64_t stride, Bf16Pair* B, int64_t K, int64_t padded, int64_t k,
                            int64_t column) {
        const int64_t next = next_part(padded, column);
        Bf16Pair* target = B + place_in_B(K, padded, k, column);
        for (int64_t q = 0; q < 16; q += 2, target += 16) {
            V x[parts], y[parts];
            split<parts>(V::load(block + q * stride), x);
            split<parts>(V::load(block + (q + 1) * stride), y);
            for (int p = 0; p < parts; ++p) joined(x[p], y[p]).store(target + p * next);
        }
    }

    // Rows [begin, end) of A or of δ, in their two forms as far as there is memory for them. `begin` is even; who has
    // the batch's last row fills up the last 32.
    template <bool is_A>
    void renew(Matrix<float> m, int64_t n, int64_t begin, int64_t end, Bf16Pair* along, Bf16Pair* down) const {
        const int64_t blocks = k_blocks(n), padded = round_up(n, 16);
        const int64_t stop = down != nullptr && end == step_.rows ? round_up(end, k_block) : end;
        const auto keep_along = [&](int64_t r, int64_t i, const V(&part)[parts]) {
            const int64_t group = begin + (r - begin) / 16 * 16, height = end - group < 16 ? end - group : 16;
            Bf16Pair* const place =
                along + (group * blocks + i / k_block * height) * parts * 16 + (r - group) * 16 + i % k_block / 2;
            for (int p = 0; p < parts; ++p)
                Isa<float>::store_upper(reinterpret_cast<uint16_t*>(place + p * height * 16), part[p].bits());
        };
        alignas(64) Bf16Pair turned[parts][16 * 16];  // a tile of A down, transposed
        for (int64_t top = begin, bottom; top < stop; top = bottom) {
            bottom = (top / k_block + 1) * k_block < stop ? (top / k_block + 1) * k_block : stop;
            for (int64_t i = 0; i < blocks * k_block; i += 16) {
                const bool goes_down = down != nullptr && i < padded;
                for (int64_t r = top; r < bottom; r += 2) {
                    V x[parts], y[parts];
                    split<parts>(r < end ? load_counting(m.row(r) + i, n - i) : V::zero(), x);
                    split<parts>(r + 1 < end ? load_counting(m.row(r + 1) + i, n - i) : V::zero(), y);
                    if (along != nullptr && r < end) keep_along(r, i, x);
                    if (along != nullptr && r + 1 < end) keep_along(r + 1, i, y);
                    if (!goes_down) continue;
                    for (int p = 0; p < parts; ++p) {
                        Bf16Pair* const target =
                            is_A ? turned[p] + r % k_block / 2 * 16
                                 : down + place_in_B(step_.rows, padded, r, i) + p * next_part(padded, i);
                        joined(x[p], y[p]).store(target);
                    }
                }
                if (is_A && goes_down) {
                    Bf16Pair* const tile = down + (i / 16 * k_blocks(step_.rows) + top / k_block) * parts * tile_pairs;
                    for (int p = 0; p < parts; ++p) turn(turned[p], tile + p * tile_pairs, top, bottom);
                }
            }
        }
    }

    // Of a tile what belongs to rows [top, bottom) of the batch: other threads have the others.
    static void turn(const Bf16Pair* turned, Bf16Pair* tile, int64_t top, int64_t bottom) {
        if (bottom - top == k_block) {
            transpose(reinterpret_cast<const float*>(turned), 16, reinterpret_cast<float*>(tile), 16);
            return;
        }
        const int64_t first = top % k_block / 2, count = (bottom - top + 1) / 2;
        for (int64_t line = 0; line < 16; ++line) {
            for (int64_t q = first; q < first + count; ++q) tile[line * 16 + q] = turned[q * 16 + line];
        }
    }

    const Step<float>& step_;
    const Layer& layer_;
    const Matrix<float> A_, delta_;
    const Kept kept_;
};

#else

// As whole numbers, each form once for every part: A and δ by rows, W and Wᵀ in panels as in factors.h.
template <int parts>
class SplitFactors {
public:
    static constexpr int64_t units_at_once = 1;

    SplitFactors(const Step<float>& step, int l)
        : step_(step),
          layer_(step.plan->layers[l - 1]),
          A_(step.work.A[l - 1]),
          delta_(step.work.delta[l]),
          kept_(layer_, step.rows, step.work.kept[l]) {}

    static void plan(const Demands& demands, Layer& layer, Plan& plan) {
        layer.learns = demands.learns;
        layer.pairs = plan.mirrors_size;
        plan.mirrors_size += parts * layer.in_padded * layer.out_padded;
        if (!demands.sends_back) return;
        layer.mirror = plan.mirrors_size;
        plan.mirrors_size += parts * layer.in_padded * layer.out_padded;
    }

    static int64_t kept_numbers(const Layer& layer, int64_t rows) { return Kept(layer, rows, nullptr).size; }

    void renew_A(int64_t begin, int64_t end) const { renew(A_, layer_.n_in, begin, end, kept_.A); }
    void renew_delta(int64_t begin, int64_t end) const { renew(delta_, layer_.n_out, begin, end, kept_.delta); }

    static void renew_W(const Layer& layer, const float* packed, float* mirrors, int64_t j, int64_t begin,
                        int64_t end) {
        const int64_t size = layer.in_padded * layer.out_padded;
        const int64_t columns = panel_columns<float>(layer.out_padded, j), panel = j * layer.in_padded;
        for (int64_t at = panel + begin * columns; at < panel + end * columns; at += V::width) {
            V part[parts];
            split<parts>(V::load(packed + layer.panels + at), part);
            for (int p = 0; p < parts; ++p) part[p].store(mirrors + layer.pairs + p * size + at);
        }
        if (layer.mirror < 0) return;
        Layer of_part = layer;  // as mirror_panel takes it
        for (int p = 0; p < parts; ++p) {
            of_part.panels = layer.pairs + p * size;
            of_part.mirror = layer.mirror + p * size;
            mirror_panel(of_part, mirrors, mirrors, j, begin, end);
        }
    }

    template <class Epilogue>
    void forward(int64_t begin, int64_t end, const Epilogue& activate) const {
        multiply(end - begin, layer_.n_in, kept_.A, begin, layer_.pairs, layer_.in_padded, layer_.out_padded,
                 activate.Z, activate);
    }
    template <class Epilogue>
    void backward(int64_t begin, int64_t end, const Epilogue& pull_back) const {
        multiply(end - begin, layer_.n_out, kept_.delta, begin, layer_.mirror, layer_.out_padded, layer_.in_padded,
                 pull_back.G, pull_back);
    }

    void gradient(int64_t i, int64_t, int64_t j, int64_t columns, int64_t r, int64_t rows, float* target) const {
        const float *a[parts], *b[parts];
        for (int64_t m = 0; m < unit_rows; m += split_rows) {
            for (int p = 0; p < parts; ++p) {
                a[p] = kept_.A.row(p, r) + i + m;
                b[p] = kept_.delta.row(p, r) + j;
            }
            const int64_t n = unit_rows - m < split_rows ? unit_rows - m : split_rows;
            split_tile_for<parts, true>(n, columns / V::width)(rows, a, kept_.A.stride, b, kept_.delta.stride,
                                                               target + m * columns, columns, r > 0);
        }
    }

private:
    using V = Vec<float>;

    // Matrices of the same form, one for each part.
    struct Parts {
        float* data;
        int64_t stride, size;

        float* row(int p, int64_t r) const { return data + p * size + r * stride; }
    };

    // What is kept of a batch. Columns are as many as units have rows, so that the gradient reads no others.
    struct Kept {
        Parts A, delta;
        int64_t size = 0;

        Kept(const Layer& layer, int64_t rows, float* memory) {
            const auto allot = [&](int64_t columns) {
                const int64_t stride = padded_stride<float>(round_up(columns, unit_rows), V::width);
                const Parts place{memory == nullptr ? nullptr : memory + size, stride, rows * stride};
                size += parts * place.size;
                return place;
            };
            A = allot(layer.n_in);
            delta = layer.learns ? allot(layer.n_out) : Parts{};
        }
    };

    static void renew(Matrix<float> m, int64_t n, int64_t begin, int64_t end, const Parts& target) {
        for (int64_t r = begin; r < end; ++r) {
            for (int64_t i = 0; i < round_up(n, unit_rows); i += V::width) {
                V part[parts];
                split<parts>(load_counting(m.row(r) + i, n - i), part);
                for (int p = 0; p < parts; ++p) part[p].store(target.row(p, r) + i);
            }
        }
    }

    template <class Epilogue>
    void multiply(int64_t rows, int64_t K, const Parts& A, int64_t begin, int64_t form, int64_t K_padded,
                  int64_t columns, Matrix<float> C, const Epilogue& epilogue) const {
        const float *a[parts], *b[parts];
        for (int64_t j = 0; j < columns; j += panel_vectors * V::width) {
            const int64_t vectors = columns - j > V::width ? panel_vectors : 1;
            for (int p = 0; p < parts; ++p) b[p] = step_.mirrors + form + p * K_padded * columns + j * K_padded;
            for (int64_t r = 0; r < rows; r += split_rows) {
                const int64_t n = rows - r < split_rows ? rows - r : split_rows;
                for (int p = 0; p < parts; ++p) a[p] = A.row(p, begin + r);
                split_tile_for<parts, false>(n, vectors)(K, a, A.stride, b, vectors * V::width, C.row(r) + j, C.stride,
                                                         false);
                epilogue(r, j, n, vectors);
            }
        }
    }

    const Step<float>& step_;
    const Layer& layer_;
    const Matrix<float> A_, delta_;
    const Kept kept_;
};

#endif

}  // namespace reseau::RESEAU_ISA
