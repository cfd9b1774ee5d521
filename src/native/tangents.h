// Derivatives along directions: forward ż and ȧ beside z and a, and how what is sent back changes along with them.
//
// A kind's products on a step with `at` are the derivatives of its products there: forward from ȧ_{l−1} to ż_l,
// backward from δ˙_l to the change of ∂o/∂A_{l−1}. They are bare, and what stands between them is here, on whole rows.
#pragma once

#include "layers.h"

namespace reseau::RESEAU_ISA {

template <class T>
static RESEAU_INLINE void copy_rows(Matrix<T> source, Matrix<T> target, int64_t rows, int64_t columns) {
    for (int64_t r = 0; r < rows; ++r) copy(source.row(r), target.row(r), columns);
}

// Rows of zeros, with a one at j ≥ 0.
template <class T>
static void unit_vectors(int64_t j, Matrix<T> m, int64_t rows, int64_t columns) {
    for (int64_t r = 0; r < rows; ++r) {
        for (int64_t i = 0; i < columns; ++i) m.row(r)[i] = i == j ? T(1) : T(0);
    }
}

// The n numbers of each row, with zeros to the next whole vector.
template <class T>
static void padded_rows(const T* source, int64_t stride, Matrix<T> target, int64_t rows, int64_t n) {
    for (int64_t r = 0; r < rows; ++r) {
        const T* const row = source + r * stride;
        T* const to = target.row(r);
        Along<T>{n}.each([&](int64_t i, int lanes) { Vec<T>::load_partial(row + i, lanes).store(to + i); });
    }
}

template <class T>
static RESEAU_INLINE void plain_rows(Matrix<T> source, T* target, int64_t stride, int64_t rows, int64_t n) {
    for (int64_t r = 0; r < rows; ++r) __builtin_memcpy(target + r * stride, source.row(r), n * sizeof(T));
}

// ȧ_1, ..., ȧ_L from ȧ_0. At `scores` stays ż, or of a row-wise activation what comes of it.
template <class T>
static void forward_along(const Step<T>& along, int64_t begin, int64_t end) {
    const Workspace<T>& at = along.point();
    const int64_t rows = end - begin;
    for (int l = 1; l <= along.plan->count; ++l) {
        const Layer& layer = along.plan->layers[l - 1];
        const ActivationEntry<T>& sigma = activations<T>[layer.activation];
        const auto of = [&](const Matrix<T>& m) { return part(m, begin, 0); };
        kind_of<T>(layer).forward(along, l, begin, end);
        const Matrix<T> scores = of(along.work.scores[l]), own = of(along.work.own[l]);
        copy_rows(scores, own, rows, layer.out_padded);
        sigma.push(of(at.own[l]), of(at.D[l]), own, rows, layer.row);
        if (sigma.row_wise) copy_rows(own, scores, rows, layer.out_padded);
        if (layer.plus >= 0) add_link(along, l, begin, rows);
    }
}

// δ_L, ..., δ_1 and ∂o/∂X from ∂o/∂A_L, or from δ_L if that is there already; keeps ∂o/∂A of each layer.
template <class T>
static void back_rows(const Pass<T>& pass, int64_t begin, int64_t end, bool from_delta = false) {
    const Step<T>& back = pass.back;
    const Layer* const layers = back.plan->layers;
    const int64_t rows = end - begin;
    for (int l = back.plan->count;; --l) {
        if (back.plan->links) join_links(back, l, begin, rows);
        copy_rows(part(back.work.delta[l], begin, 0), part(pass.G[l], begin, 0), rows,
                  l > 0 ? layers[l - 1].out_padded : layers[0].in_padded);
        if (l == 0) return;
        if (l < back.plan->count || !from_delta) PullBack<T>(back, l, begin).through_activation(rows);
        kind_of<T>(layers[l - 1]).backward(back, l, begin, end, true);
    }
}

// How δ_L, ..., δ_lowest change along the direction, and at 0 ∂o/∂X, where ∂o/∂A_L stays the same.
template <class T>
static void back_along(const Pass<T>& pass, int lowest, int64_t begin, int64_t end) {
    const Step<T>& along = pass.along;
    const Plan& plan = *along.plan;
    const Workspace<T>& at = along.point();
    const int64_t rows = end - begin;
    const auto of = [&](const Matrix<T>& m) { return part(m, begin, 0); };
    unit_vectors(-1, of(along.work.delta[plan.count]), rows, plan.layers[plan.count - 1].out_padded);
    for (int l = plan.count;; --l) {
        if (plan.links) join_links(along, l, begin, rows);
        if (l == 0) return;
        const Layer& layer = plan.layers[l - 1];
        const Matrix<T> delta = of(along.work.delta[l]);
        PullBack<T>(along, l, begin).through_activation(rows);
        activations<T>[layer.activation].bend(of(at.scores[l]), of(at.own[l]), of(pass.G[l]), of(along.work.scores[l]),
                                              delta, rows, layer.row);
        if (l <= lowest) return;
        kind_of<T>(layer).backward(along, l, begin, end, true);
    }
}

}  // namespace reseau::RESEAU_ISA
