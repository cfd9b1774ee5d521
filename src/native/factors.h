// The factors of a step's products in the form in which the tiles take them: elements E, which are the numbers themselves or,
// where the products are in bfloat16, pairs of them.
//
// A tile then takes two numbers at a time in its sum over k, so that a factor is paired along k: A and δ along their rows for
// A W and δ Wᵀ, down their columns for Aᵀ δ. They are rounded once, when they have been computed; the weights whenever the
// optimizer has moved them. A last number without a partner is paired with what follows it, where the other factor has a zero.
#pragma once

#include "matmul.h"

namespace reseau::RESEAU_ISA {

// Whether products of T can be in bfloat16.
template <class T>
constexpr bool has_pairs = sizeof(T) == sizeof(float);

// Writes the transposes of rows [begin, end) of the panel at column j of layer W; begin and end are whole vectors.
template <class T>
static void mirror_panel(const Layer& layer, const T* packed, T* mirrors, int64_t j, int64_t begin, int64_t end) {
    constexpr int64_t width = Vec<T>::width, panel_width = panel_vectors * width;
    const int64_t columns = layer.out_padded - j < panel_width ? layer.out_padded - j : panel_width;
    const T* panel = packed + layer.panels + j * layer.in_padded;
    for (int64_t i = begin; i < end; i += width) {
        const int64_t start = i / panel_width * panel_width;
        const int64_t mirror_columns = layer.in_padded - start < panel_width ? layer.in_padded - start : panel_width;
        T* mirror = mirrors + layer.mirror + start * layer.out_padded + (i - start);
        for (int64_t v = 0; v < columns; v += width) {
            transpose(panel + i * columns + v, columns, mirror + (j + v) * mirror_columns, mirror_columns);
        }
    }
}

// Writes the pairs of the same part of W, and of its transpose where something is sent back.
static void pair_panel(const Layer& layer, const float* packed, Bf16Pair* pairs, int64_t j, int64_t begin, int64_t end) {
    using V = Vec<float>;
    constexpr int64_t width = V::width, panel_width = panel_vectors * width;
    const int64_t columns = layer.out_padded - j < panel_width ? layer.out_padded - j : panel_width;
    const float* panel = packed + layer.panels + j * layer.in_padded;
    Bf16Pair* const target = pairs + layer.pairs + j * (layer.in_padded / 2);
    for (int64_t i = begin; i < end; i += 2) {
        for (int64_t v = 0; v < columns; v += width) {
            const float* two = panel + i * columns + v;
            pair(V::load(two), V::load(two + columns)).store(target + i / 2 * columns + v);
        }
    }
    if (layer.mirror_pairs < 0) return;
    alignas(64) float block[width * width];
    for (int64_t i = begin; i < end; i += width) {
        const int64_t start = i / panel_width * panel_width;
        const int64_t mirror_columns = layer.in_padded - start < panel_width ? layer.in_padded - start : panel_width;
        Bf16Pair* const mirror = pairs + layer.mirror_pairs + start * (layer.out_padded / 2) + (i - start);
        for (int64_t v = 0; v < columns; v += width) {
            transpose(panel + i * columns + v, columns, block, width);
            for (int64_t q = 0; q < width; q += 2) {
                pair(V::load(block + q * width), V::load(block + (q + 1) * width)).store(mirror + (j + v + q) / 2 * mirror_columns);
            }
        }
    }
}

template <class T, class E>
struct Factors;

template <class T>
struct Factors<T, T> {
    static Matrix<T> A_along(const Step<T>& step, int l) { return step.work.A[l]; }
    static Matrix<T> A_down(const Step<T>& step, int l) { return step.work.A[l]; }
    static Matrix<T> delta_along(const Step<T>& step, int l) { return step.work.delta[l]; }
    static Matrix<T> delta_down(const Step<T>& step, int l) { return step.work.delta[l]; }
    static const T* W(const Step<T>& step, const Layer& layer) { return step.packed + layer.panels; }
    static const T* W_transposed(const Step<T>& step, const Layer& layer) { return layer.transposed(step.packed, step.mirrors); }

    // What is to be done when rows [begin, end) of A[l] or delta[l], or a part of W (see mirror_panel), are new.
    static void renew_A(const Step<T>&, int, int64_t, int64_t) {}
    static void renew_delta(const Step<T>&, int, int64_t, int64_t) {}
    static void renew_W(const Step<T>& step, const Layer& layer, int64_t j, int64_t begin, int64_t end) {
        if (layer.mirror >= 0) mirror_panel(layer, step.packed, step.mirrors, j, begin, end);
    }
};

template <>
struct Factors<float, Bf16Pair> {
    using V = Vec<float>;
    static Matrix<Bf16Pair> A_along(const Step<float>& step, int l) { return step.work.A_along[l]; }
    static Matrix<Bf16Pair> A_down(const Step<float>& step, int l) { return step.work.A_down[l]; }
    static Matrix<Bf16Pair> delta_along(const Step<float>& step, int l) { return step.work.delta_along[l]; }
    static Matrix<Bf16Pair> delta_down(const Step<float>& step, int l) { return step.work.delta_down[l]; }
    static const Bf16Pair* W(const Step<float>& step, const Layer& layer) { return step.pairs + layer.pairs; }
    static const Bf16Pair* W_transposed(const Step<float>& step, const Layer& layer) { return step.pairs + layer.mirror_pairs; }

    static void renew_A(const Step<float>& step, int l, int64_t begin, int64_t end) {
        renew(step.work.A[l], step.work.A_along[l], step.work.A_down[l], begin, end, step.plan->layers[l].in_padded);
    }
    static void renew_delta(const Step<float>& step, int l, int64_t begin, int64_t end) {
        renew(step.work.delta[l], step.work.delta_along[l], step.work.delta_down[l], begin, end, step.plan->layers[l - 1].out_padded);
    }
    static void renew_W(const Step<float>& step, const Layer& layer, int64_t j, int64_t begin, int64_t end) {
        pair_panel(layer, step.packed, step.pairs, j, begin, end);
    }

private:
    // `begin` is even. Without `along` nothing is sent back.
    static void renew(Matrix<float> m, Matrix<Bf16Pair> along, Matrix<Bf16Pair> down, int64_t begin, int64_t end, int64_t columns) {
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
};

}  // namespace reseau::RESEAU_ISA
