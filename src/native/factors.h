// The factors of a step's products in the form in which the tiles take them: elements E, which are the numbers
// themselves or, where the products are in bfloat16, pairs of them.
//
// A tile then takes two numbers at a time in its sum over k, so that a factor is paired along k: A and δ along their
// rows for A W and δ Wᵀ, down their columns for Aᵀ δ. They are rounded once, when they have been computed; the weights
// whenever the optimizer has moved them. A last number without a partner is paired with what follows it, where the
// other factor has a zero.
//
// W and Wᵀ lie in panels of two vectors of columns, panel row after panel row; the last panel has one vector where that
// is enough.
//   W  at Layer::panels:  for each panel of columns j, for each i < in_padded, the panel's W(i, j)
//   Wᵀ at Layer::mirror:  the same of the transposed matrix, for δ Wᵀ; -1 where nothing is sent back
// and for products in bfloat16, two rows of these panels as one of pairs:
//   W  at Layer::pairs:   for each panel of columns j, for each pair of i, the panel's (W(i, j), W(i + 1, j))
//   Wᵀ at Layer::mirror
#pragma once

#include "matmul.h"

namespace reseau::RESEAU_ISA {

// What the factors of products in bfloat16 are held in; of T that is never rounded, the numbers themselves.
template <class T>
struct RoundedFactor {
    using Type = T;
};
template <>
struct RoundedFactor<float> {
    using Type = Bf16Pair;
};
template <class T>
using Rounded = typename RoundedFactor<T>::Type;

// The columns of the panel that begins at column j, of `padded` columns in all.
template <class T>
static RESEAU_INLINE int64_t panel_columns(int64_t padded, int64_t j) {
    constexpr int64_t panel_width = panel_vectors * Vec<T>::width;
    return padded - j < panel_width ? padded - j : panel_width;
}

// Writes the transposes of rows [begin, end) of the panel at column j of layer W; begin and end are whole vectors.
template <class T>
static void mirror_panel(const Layer& layer, const T* packed, T* mirrors, int64_t j, int64_t begin, int64_t end) {
    constexpr int64_t width = Vec<T>::width, panel_width = panel_vectors * width;
    const int64_t columns = panel_columns<T>(layer.out_padded, j);
    const T* panel = packed + layer.panels + j * layer.in_padded;
    for (int64_t i = begin; i < end; i += width) {
        const int64_t start = i / panel_width * panel_width;
        const int64_t mirror_columns = panel_columns<T>(layer.in_padded, start);
        T* mirror = mirrors + layer.mirror + start * layer.out_padded + (i - start);
        for (int64_t v = 0; v < columns; v += width) {
            transpose(panel + i * columns + v, columns, mirror + (j + v) * mirror_columns, mirror_columns);
        }
    }
}

// Writes the pairs of the same part of W, and of its transpose where something is sent back.
static void pair_panel(const Layer& layer, const float* packed, Bf16Pair* pairs, int64_t j, int64_t begin,
                       int64_t end) {
    using V = Vec<float>;
    constexpr int64_t width = V::width, panel_width = panel_vectors * width;
    const int64_t columns = panel_columns<float>(layer.out_padded, j);
    const float* panel = packed + layer.panels + j * layer.in_padded;
    Bf16Pair* const target = pairs + layer.pairs + j * (layer.in_padded / 2);
    for (int64_t i = begin; i < end; i += 2) {
        for (int64_t v = 0; v < columns; v += width) {
            const float* two = panel + i * columns + v;
            pair(V::load(two), V::load(two + columns)).store(target + i / 2 * columns + v);
        }
    }
    if (layer.mirror < 0) return;
    alignas(64) float block[width * width];
    for (int64_t i = begin; i < end; i += width) {
        const int64_t start = i / panel_width * panel_width;
        const int64_t mirror_columns = panel_columns<float>(layer.in_padded, start);
        Bf16Pair* const mirror = pairs + layer.mirror + start * (layer.out_padded / 2) + (i - start);
        for (int64_t v = 0; v < columns; v += width) {
            transpose(panel + i * columns + v, columns, block, width);
            for (int64_t q = 0; q < width; q += 2) {
                pair(V::load(block + q * width), V::load(block + (q + 1) * width))
                    .store(mirror + (j + v + q) / 2 * mirror_columns);
            }
        }
    }
}

// The factors of layer l's three products, which read rows of A (rows, n_in) and of δ (rows, n_out), or columns of
// them.
template <class T, class E>
class Factors;

template <class T>
class Factors<T, T> {
public:
    RESEAU_INLINE Factors(const Step<T>& step, int l) : step_(step), l_(l) {}

    Matrix<T> A_along() const { return step_.work.A[l_ - 1]; }
    Matrix<T> A_down() const { return step_.work.A[l_ - 1]; }
    Matrix<T> delta_along() const { return step_.work.delta[l_]; }
    Matrix<T> delta_down() const { return step_.work.delta[l_]; }
    const T* W() const { return step_.packed + step_.plan->layers[l_ - 1].panels; }
    const T* W_transposed() const { return step_.mirrors + step_.plan->layers[l_ - 1].mirror; }

    // Where the further forms of W lie.
    static void plan(const Demands& demands, Layer& layer, Plan& plan) {
        if (!demands.sends_back) return;
        layer.mirror = plan.mirrors_size;
        plan.mirrors_size += layer.in_padded * layer.out_padded;
    }

    // What is to be done when rows [begin, end) of A or of δ, or a part of W (see mirror_panel), are new.
    void renew_A(int64_t, int64_t) const {}
    void renew_delta(int64_t, int64_t) const {}
    static void renew_W(const Layer& layer, const T* packed, T* mirrors, int64_t j, int64_t begin, int64_t end) {
        if (layer.mirror >= 0) mirror_panel(layer, packed, mirrors, j, begin, end);
    }

    // How many numbers they keep of a batch of so many rows, see Workspace.
    static int64_t kept_numbers(const Layer&, int64_t) { return 0; }

private:
    const Step<T>& step_;
    const int l_;
};

// What a layer whose products are in bfloat16 keeps of a batch.
struct KeptPairs {
    Matrix<Bf16Pair> A_along;      // (rows, n_in / 2)
    Matrix<Bf16Pair> A_down;       // (rows / 2, n_in)
    Matrix<Bf16Pair> delta_along;  // (rows, n_out / 2); without data where nothing is sent back
    Matrix<Bf16Pair> delta_down;   // (rows / 2, n_out)
    int64_t size = 0;              // of all four

    KeptPairs(const Layer& layer, int64_t rows, Bf16Pair* memory) {
        const auto allot = [&](int64_t height, int64_t columns) {
            const Matrix<Bf16Pair> m{memory == nullptr ? nullptr : memory + size,
                                     padded_stride<Bf16Pair>(columns, Vec<float>::width)};
            size += height * m.stride;
            return m;
        };
        A_along = allot(rows, layer.in_padded / 2);
        A_down = allot((rows + 1) / 2, layer.in_padded);
        delta_along = layer.mirror >= 0 ? allot(rows, layer.out_padded / 2) : Matrix<Bf16Pair>{};
        delta_down = allot((rows + 1) / 2, layer.out_padded);
    }
};

template <>
class Factors<float, Bf16Pair> {
public:
    Factors(const Step<float>& step, int l)
        : step_(step),
          layer_(step.plan->layers[l - 1]),
          A_(step.work.A[l - 1]),
          delta_(step.work.delta[l]),
          kept_(layer_, step.rows, reinterpret_cast<Bf16Pair*>(step.work.kept[l])) {}

    Matrix<Bf16Pair> A_along() const { return kept_.A_along; }
    Matrix<Bf16Pair> A_down() const { return kept_.A_down; }
    Matrix<Bf16Pair> delta_along() const { return kept_.delta_along; }
    Matrix<Bf16Pair> delta_down() const { return kept_.delta_down; }
    const Bf16Pair* W() const { return reinterpret_cast<const Bf16Pair*>(step_.mirrors) + layer_.pairs; }
    const Bf16Pair* W_transposed() const { return reinterpret_cast<const Bf16Pair*>(step_.mirrors) + layer_.mirror; }

    static void plan(const Demands& demands, Layer& layer, Plan& plan) {
        const int64_t size = round_up(layer.in_padded * layer.out_padded / 2, 16);
        layer.pairs = plan.mirrors_size;
        if (demands.sends_back) layer.mirror = layer.pairs + size;
        plan.mirrors_size += demands.sends_back ? 2 * size : size;
    }

    void renew_A(int64_t begin, int64_t end) const {
        renew(A_, kept_.A_along, kept_.A_down, begin, end, layer_.in_padded);
    }
    void renew_delta(int64_t begin, int64_t end) const {
        renew(delta_, kept_.delta_along, kept_.delta_down, begin, end, layer_.out_padded);
    }
    static void renew_W(const Layer& layer, const float* packed, float* mirrors, int64_t j, int64_t begin,
                        int64_t end) {
        pair_panel(layer, packed, reinterpret_cast<Bf16Pair*>(mirrors), j, begin, end);
    }

    static int64_t kept_numbers(const Layer& layer, int64_t rows) { return KeptPairs(layer, rows, nullptr).size; }

private:
    using V = Vec<float>;

    // `begin` is even. Without `along` nothing is sent back.
    static void renew(Matrix<float> m, Matrix<Bf16Pair> along, Matrix<Bf16Pair> down, int64_t begin, int64_t end,
                      int64_t columns) {
        for (int64_t r = begin; r < end; r += 2) {
            const bool two = r + 1 < end;
            for (int64_t j = 0; j < columns; j += V::width) {
                const V x = V::load(m.row(r) + j), y = two ? V::load(m.row(r + 1) + j) : V::zero();
                pair(x, y).store(down.row(r / 2) + j);
                if (along.data == nullptr) continue;
                store_pairs(x, along.row(r) + j / 2);
                if (two) store_pairs(y, along.row(r + 1) + j / 2);
            }
        }
    }

    const Step<float>& step_;
    const Layer& layer_;
    const Matrix<float> A_, delta_;
    const KeptPairs kept_;
};

}  // namespace reseau::RESEAU_ISA
