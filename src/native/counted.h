// What of the errors counts, where outputs have shares or targets are missing: c_j e_j, and nothing where target t_j is
// NaN. It is done around an entry of the table of losses, which knows nothing of it.
#pragma once

#include "losses.h"

namespace reseau::RESEAU_ISA {

// c_j x_j of the numbers from place i of a row on; nothing where t_j is missing or c_j is 0, even of infinity and NaN.
template <class T>
class Counted {
public:
    RESEAU_INLINE Counted(const Samples<T>& samples, int64_t n) : c_(samples.shares), n_(n) {}

    RESEAU_INLINE Vec<T> operator()(Vec<T> x, Vec<T> t, int64_t i) const {
        using V = Vec<T>;
        const V there = select(t == t, x, V::zero());
        if (c_ == nullptr) return there;
        const int64_t lanes = n_ - i < V::width ? n_ - i : V::width;
        const V c = V::load_partial(c_ + i, static_cast<int>(lanes));
        return select(c > V::zero(), c * there, V::zero());
    }
    // The same in place, of rows.
    void all(Matrix<T> x, Matrix<T> t, int64_t rows) const {
        for (int64_t r = 0; r < rows; ++r) {
            Along<T>{n_}.each([&](int64_t i, int) {
                (*this)(Vec<T>::load(x.row(r) + i), Vec<T>::load(t.row(r) + i), i).store(x.row(r) + i);
            });
        }
    }

private:
    const T* const c_;  // (n), or null
    const int64_t n_;
};

// Σ_j c_j e_j of each row. The e_j themselves are left in `e`.
template <class T>
static void counted_errors(Counted<T> counted, const LossEntry<T>& loss, const double* numbers, Matrix<T> z,
                           Matrix<T> o, Matrix<T> t, Bounds<T> bounds, Matrix<T> e, T* errors, int64_t rows,
                           const Row& row) {
    for (int64_t r = 0; r < rows; ++r) {
        loss.neuron_errors(numbers, z.data != nullptr ? z.row(r) : nullptr, o.row(r), t.row(r), bounds, e.row(r), row);
        Along<T>{row.n}
            .sum([&](int64_t i) { return counted(Vec<T>::load(e.row(r) + i), Vec<T>::load(t.row(r) + i), i); })
            .store_partial(errors + r, 1);
    }
}

// δ of softmax with the cross-entropy, whose e_j = −t_j ln o_j has its share with the target: scale · (o Σ_i c_i t_i −
// c t). In `delta` stands o − t, with the t that the loss makes of a target.
template <class T>
static void counted_softmax_delta(Counted<T> counted, Matrix<T> o, Matrix<T> t, Matrix<T> delta, const T* scale,
                                  int64_t rows, const Row& row) {
    using V = Vec<T>;
    for (int64_t r = 0; r < rows; ++r) {
        along_row<T>(row, [&](auto shape, int64_t first, int) {
            const T *const O = o.row(r) + first, *const targets = t.row(r) + first;
            T* const d = delta.row(r) + first;
            const auto target = [&](int64_t i) {
                return counted(shape.load(O, i) - shape.load(d, i), shape.load(targets, i), first + i);
            };
            const V sum = shape.sum(target);
            shape.each([&](int64_t i, int lanes) {
                const V of_row = V(scale[r]) * (shape.load(O, i) * sum - target(i));
                shape.store(select(Mask<T>::first(lanes), of_row, V::zero()), d, i);
            });
        });
        if (row.in_groups()) clear_beyond(delta.row(r), row.n);
    }
}

}  // namespace reseau::RESEAU_ISA
