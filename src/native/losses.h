// The table of losses, as the kernels see it; the formulas are those of losses.py, entry for entry.
//
// `error` and `derivative` are e_j and ∂e_j/∂o_j. `error_from_scores` is e_j with the activation the loss simplifies
// with, for which ∂E/∂Z = o − t; from the raw score z, or from z − log Σ e^z of the row, where `takes_log_softmax`.
#pragma once

#include "activations.h"

namespace reseau::RESEAU_ISA {

// What a probability that has underflowed to 0 is taken for: the smallest normal number.
template <class T>
inline constexpr T smallest = sizeof(T) == 4 ? T(1.17549435e-38) : T(2.2250738585072014e-308);

template <class T>
static RESEAU_INLINE Vec<T> at_least_smallest(Vec<T> x) {
    return max(Vec<T>(smallest<T>), x);
}

// Between what the errors of a cross-entropy are kept; infinite where they are not. Bounds come first in min and max,
// which so let NaN through.
template <class T>
struct Bounds {
    T least, most;
    RESEAU_INLINE Vec<T> apply(Vec<T> e) const { return max(Vec<T>(least), min(Vec<T>(most), e)); }
};

template <class T>
struct SquaredError {
    using V = Vec<T>;
    static constexpr const char *name = "squared_error", *simplifies_with = "identity";
    static constexpr bool takes_log_softmax = false;
    static RESEAU_INLINE V error(V o, V t) { return V(T(0.5)) * (t - o) * (t - o); }
    static RESEAU_INLINE V derivative(V o, V t) { return o - t; }
    static RESEAU_INLINE V error_from_scores(V z, V, V t, Bounds<T>) { return error(z, t); }
};

template <class T>
struct AbsoluteError {
    using V = Vec<T>;
    static constexpr const char *name = "absolute_error", *simplifies_with = "";
    static constexpr bool takes_log_softmax = false;
    static RESEAU_INLINE V error(V o, V t) { return abs(t - o); }
    static RESEAU_INLINE V derivative(V o, V t) {
        const V r = o - t;
        return select(r > V::zero(), V(T(1)), select(r < V::zero(), V(T(-1)), r));
    }
    static RESEAU_INLINE V error_from_scores(V, V o, V t, Bounds<T>) { return error(o, t); }
};

template <class T>
struct Huber {
    using V = Vec<T>;
    static constexpr const char *name = "huber", *simplifies_with = "";
    static constexpr bool takes_log_softmax = false;
    static RESEAU_INLINE V error(V o, V t) {
        const V r = abs(o - t);
        return select(r <= V(T(1)), V(T(0.5)) * r * r, r - V(T(0.5)));
    }
    static RESEAU_INLINE V derivative(V o, V t) { return min(V(T(1)), max(V(T(-1)), o - t)); }
    static RESEAU_INLINE V error_from_scores(V, V o, V t, Bounds<T>) { return error(o, t); }
};

template <class T>
struct BinaryCrossEntropy {
    using V = Vec<T>;
    static constexpr const char *name = "binary_cross_entropy", *simplifies_with = "sigmoid";
    static constexpr bool takes_log_softmax = false;
    static RESEAU_INLINE V error(V o, V t) {
        const V one(T(1));
        return -(t * log(at_least_smallest(o)) + (one - t) * log(at_least_smallest(one - o)));
    }
    static RESEAU_INLINE V derivative(V o, V t) {
        const V one(T(1));
        return (one - t) / at_least_smallest(one - o) - t / at_least_smallest(o);
    }
    // log(1 + e^z) − t z, so that a right answer's error keeps its digits: max(0, z) − t z is then exactly 0.
    static RESEAU_INLINE V error_from_scores(V z, V, V t, Bounds<T> bounds) {
        return bounds.apply(fnma(t, z, max(V::zero(), z)) + softplus_of_minus_abs(z));
    }
};

template <class T>
struct CrossEntropy {
    using V = Vec<T>;
    static constexpr const char *name = "cross_entropy", *simplifies_with = "softmax";
    static constexpr bool takes_log_softmax = true;
    static RESEAU_INLINE V error(V o, V t) { return -t * log(at_least_smallest(o)); }
    static RESEAU_INLINE V derivative(V o, V t) { return -t / at_least_smallest(o); }
    static RESEAU_INLINE V error_from_scores(V log_softmax, V, V t, Bounds<T> bounds) {
        return t * bounds.apply(-log_softmax);
    }
};

// Of outputs that are logarithms of a distribution; through log-softmax its chain rule ends in δ = e^o Σ t − t.
template <class T>
struct CrossEntropyOfLogarithms {
    using V = Vec<T>;
    static constexpr const char *name = "cross_entropy_of_logarithms", *simplifies_with = "";
    static constexpr bool takes_log_softmax = false;
    static RESEAU_INLINE V error(V o, V t) { return -t * o; }
    static RESEAU_INLINE V derivative(V, V t) { return -t; }
    static RESEAU_INLINE V error_from_scores(V, V o, V t, Bounds<T>) { return error(o, t); }
};

template <class T>
struct Poisson {
    using V = Vec<T>;
    static constexpr const char *name = "poisson", *simplifies_with = "exponential";
    static constexpr bool takes_log_softmax = false;
    static RESEAU_INLINE V error(V o, V t) { return fnma(t, log(at_least_smallest(o)), o); }
    static RESEAU_INLINE V derivative(V o, V t) { return V(T(1)) - t / at_least_smallest(o); }
    static RESEAU_INLINE V error_from_scores(V z, V o, V t, Bounds<T>) { return fnma(t, z, o); }
};

// --- an entry of the table -------------------------------------------------------------------------------------------

// On rows of n numbers in memory padded to whole vectors; z has no data unless the loss simplifies with the output.
template <class T>
struct LossEntry {
    const char *name, *simplifies_with;
    // Σ_j e_j of each row.
    void (*row_errors)(Matrix<T> z, Matrix<T> o, Matrix<T> t, Bounds<T>, T* errors, int64_t rows, int64_t n);
    // The e_j of one row.
    void (*neuron_errors)(const T* z, const T* o, const T* t, Bounds<T>, T* e, int64_t n);
    // g ← scale · ∂E/∂o with a scale for each row, zero beyond the n numbers.
    void (*derivative)(Matrix<T> o, Matrix<T> t, Matrix<T> g, const T* scale, int64_t rows, int64_t n);
};

// Σ_j e_j of a row, or of rows, in either shape of rows.h; f(i, e) gets the e_j of each vector.
template <class T, class Loss, class Shape, class F>
static RESEAU_INLINE Vec<T> row_error(Shape row, const T* z, const T* o, const T* t, Bounds<T> bounds, F f) {
    using V = Vec<T>;
    // log Σ e^z = z_j − log S_j for any j; taken where S_j is largest, so at least 1/n. The largest z goes first, in
    // which the digits of the rest would be lost.
    V largest = V::zero(), log_rest = V::zero();
    if (Loss::takes_log_softmax && z != nullptr) {
        largest = row.maximum([&](int64_t i) { return V::load(z + i); });
        log_rest = log(row.maximum([&](int64_t i) { return V::load(o + i); }));
    }
    return row.sum([&](int64_t i) {
        const V O = V::load(o + i), target = V::load(t + i);
        V error;
        if (z == nullptr) {
            error = Loss::error(O, target);
        } else {
            V score = V::load(z + i);
            if constexpr (Loss::takes_log_softmax) score = (score - largest) + log_rest;
            error = Loss::error_from_scores(score, O, target, bounds);
        }
        f(i, error);
        return error;
    });
}

template <class T, class Loss>
static void row_errors(Matrix<T> z, Matrix<T> o, Matrix<T> t, Bounds<T> bounds, T* errors, int64_t rows, int64_t n) {
    Turned<T> scores, outputs, targets;
    const auto ignore = [](int64_t, Vec<T>) {};
    for_rows<T>(
        rows, n,
        [&](int64_t r, int64_t count) {
            if (z.data != nullptr) scores.load(part(z, r, 0), count, n);
            outputs.load(part(o, r, 0), count, n);
            targets.load(part(t, r, 0), count, n);
            const T* scores_or_null = z.data != nullptr ? scores.numbers : nullptr;
            row_error<T, Loss>(Abreast<T>{n}, scores_or_null, outputs.numbers, targets.numbers, bounds, ignore)
                .store_partial(errors + r, static_cast<int>(count));
        },
        [&](int64_t r) {
            row_error<T, Loss>(Along<T>{n}, z.data != nullptr ? z.row(r) : nullptr, o.row(r), t.row(r), bounds, ignore)
                .store_partial(errors + r, 1);
        });
}

template <class T, class Loss>
static void neuron_errors(const T* z, const T* o, const T* t, Bounds<T> bounds, T* e, int64_t n) {
    row_error<T, Loss>(Along<T>{n}, z, o, t, bounds, [&](int64_t i, Vec<T> error) {
        error.store_partial(e + i, static_cast<int>(n - i < Vec<T>::width ? n - i : Vec<T>::width));
    });
}

// slope(o, t) for all rows.
template <class T, class F>
static RESEAU_INLINE void scaled_slopes(Matrix<T> o, Matrix<T> t, Matrix<T> g, const T* scale, int64_t rows, int64_t n,
                                        F slope) {
    using V = Vec<T>;
    for (int64_t r = 0; r < rows; ++r) {
        Along<T>{n}.each([&](int64_t i, int lanes) {
            const V s = V(scale[r]) * slope(V::load(o.row(r) + i), V::load(t.row(r) + i));
            select(Mask<T>::first(lanes), s, V::zero()).store(g.row(r) + i);
        });
    }
}

template <class T, class Loss>
static void derivative(Matrix<T> o, Matrix<T> t, Matrix<T> g, const T* scale, int64_t rows, int64_t n) {
    scaled_slopes(o, t, g, scale, rows, n, [](Vec<T> O, Vec<T> target) { return Loss::derivative(O, target); });
}

// δ = scale · (o − t), for every pair of output and loss that simplifies.
template <class T>
static void simplified_delta(Matrix<T> o, Matrix<T> t, Matrix<T> delta, const T* scale, int64_t rows, int64_t n) {
    scaled_slopes(o, t, delta, scale, rows, n, [](Vec<T> O, Vec<T> target) { return O - target; });
}

template <class T, template <class> class Loss>
constexpr LossEntry<T> loss_entry() {
    return {Loss<T>::name, Loss<T>::simplifies_with, row_errors<T, Loss<T>>, neuron_errors<T, Loss<T>>,
            derivative<T, Loss<T>>};
}

template <class T>
inline constexpr LossEntry<T> losses[] = {
    loss_entry<T, SquaredError>(),
    loss_entry<T, AbsoluteError>(),
    loss_entry<T, Huber>(),
    loss_entry<T, BinaryCrossEntropy>(),
    loss_entry<T, CrossEntropy>(),
    loss_entry<T, Poisson>(),
    loss_entry<T, CrossEntropyOfLogarithms>(),
};

}  // namespace reseau::RESEAU_ISA
