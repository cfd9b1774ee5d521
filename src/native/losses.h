// The table of losses, as the kernels see it; the formulas are those of losses.py, entry for entry.
//
// `error` and `derivative` are e_j and ∂e_j/∂o_j. `error_from_scores` is e_j with the activation the loss simplifies with, for
// which ∂E/∂Z = o − t; from the raw score z, or from z − log Σ e^z of the row, where `takes_log_softmax`.
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

template <class T>
struct SquaredError {
    using V = Vec<T>;
    static constexpr const char *name = "squared_error", *simplifies_with = "identity";
    static constexpr bool takes_log_softmax = false;
    static RESEAU_INLINE V error(V o, V t) { return V(T(0.5)) * (t - o) * (t - o); }
    static RESEAU_INLINE V derivative(V o, V t) { return o - t; }
    static RESEAU_INLINE V error_from_scores(V z, V, V t) { return error(z, t); }
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
    static RESEAU_INLINE V error_from_scores(V, V o, V t) { return error(o, t); }
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
    static RESEAU_INLINE V error_from_scores(V, V o, V t) { return error(o, t); }
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
    static RESEAU_INLINE V error_from_scores(V z, V, V t) { return fnma(t, z, max(V::zero(), z)) + softplus_of_minus_abs(z); }
};

template <class T>
struct CrossEntropy {
    using V = Vec<T>;
    static constexpr const char *name = "cross_entropy", *simplifies_with = "softmax";
    static constexpr bool takes_log_softmax = true;
    static RESEAU_INLINE V error(V o, V t) { return -t * log(at_least_smallest(o)); }
    static RESEAU_INLINE V derivative(V o, V t) { return -t / at_least_smallest(o); }
    static RESEAU_INLINE V error_from_scores(V log_softmax, V, V t) { return -t * log_softmax; }
};

template <class T>
struct Poisson {
    using V = Vec<T>;
    static constexpr const char *name = "poisson", *simplifies_with = "exponential";
    static constexpr bool takes_log_softmax = false;
    static RESEAU_INLINE V error(V o, V t) { return fnma(t, log(at_least_smallest(o)), o); }
    static RESEAU_INLINE V derivative(V o, V t) { return V(T(1)) - t / at_least_smallest(o); }
    static RESEAU_INLINE V error_from_scores(V z, V o, V t) { return fnma(t, z, o); }
};

// --- an entry of the table ---------------------------------------------------------------------------------------------------

// On a row of n numbers in memory padded to whole vectors; z is null unless the loss simplifies with the output.
template <class T>
struct LossEntry {
    const char *name, *simplifies_with;
    T (*row_error)(const T* z, const T* o, const T* t, T* e, int64_t n);  // Σ e_j; the e_j go to e if given
    void (*derivative)(const T* o, const T* t, T* g, int64_t n, T scale);  // g ← scale · ∂E/∂o, zero beyond n
};

template <class T, class Loss>
static T row_error(const T* z, const T* o, const T* t, T* e, int64_t n) {
    using V = Vec<T>;
    // log Σ e^z = z_j − log S_j for any j; taken where S_j is largest, so at least 1/n. The largest z goes first, in which the
    // digits of the rest would be lost.
    V largest = V::zero(), log_rest = V::zero();
    if (Loss::takes_log_softmax && z != nullptr) {
        largest = V(row_maximum(z, n));
        log_rest = log(V(row_maximum(o, n)));
    }
    LaneSum<T> sum;
    for_vectors<T>(n, [&](int64_t j, int lanes) {
        const V O = V::load(o + j), target = V::load(t + j);
        V error;
        if (z == nullptr) {
            error = Loss::error(O, target);
        } else {
            V score = V::load(z + j);
            if constexpr (Loss::takes_log_softmax) score = (score - largest) + log_rest;
            error = Loss::error_from_scores(score, O, target);
        }
        sum.add(error, lanes);
        if (e != nullptr) error.store_partial(e + j, lanes);
    });
    return sum.total();
}

template <class T, class Loss>
static void derivative_row(const T* o, const T* t, T* g, int64_t n, T scale) {
    using V = Vec<T>;
    for_vectors<T>(n, [&](int64_t j, int lanes) {
        const V slope = V(scale) * Loss::derivative(V::load(o + j), V::load(t + j));
        select(Mask<T>::first(lanes), slope, V::zero()).store(g + j);
    });
}

// δ = scale · (o − t), for every pair of output and loss that simplifies.
template <class T>
static void simplified_delta(const T* o, const T* t, T* delta, int64_t n, T scale) {
    using V = Vec<T>;
    for_vectors<T>(n, [&](int64_t j, int lanes) {
        select(Mask<T>::first(lanes), V(scale) * (V::load(o + j) - V::load(t + j)), V::zero()).store(delta + j);
    });
}

template <class T, template <class> class Loss>
constexpr LossEntry<T> loss_entry() {
    return {Loss<T>::name, Loss<T>::simplifies_with, row_error<T, Loss<T>>, derivative_row<T, Loss<T>>};
}

template <class T>
inline constexpr LossEntry<T> losses[] = {
    loss_entry<T, SquaredError>(),       loss_entry<T, AbsoluteError>(), loss_entry<T, Huber>(),
    loss_entry<T, BinaryCrossEntropy>(), loss_entry<T, CrossEntropy>(),  loss_entry<T, Poisson>(),
};

}  // namespace reseau::RESEAU_ISA
