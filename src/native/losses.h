// The table of losses, as the kernels see it; the formulas are those of losses.py, entry for entry.
//
// A loss is constructed of its numbers. `error` and `derivative` are e_j and ∂E/∂o_j. `error_from_scores` is e_j with
// the activation the loss simplifies with; from the raw score z, or from z − log Σ e^z of the row, where
// `takes_log_softmax`.
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

// What a loss has where it says nothing else. `Loss(numbers)` is made of the numbers that Python gives for it.
template <class T>
struct LossBase {
    using V = Vec<T>;
    static constexpr const char* simplifies_with = "";
    static constexpr bool takes_log_softmax = false;
    static constexpr bool by_place = false;    // `error` and `derivative` also take where an output stands, an At
    static constexpr bool plain_delta = true;  // ∂E/∂Z = o − t where it simplifies; else it is delta(z, o, t)
    static constexpr bool in_groups = false;   // of distributions, of which each group of outputs may have one

    explicit RESEAU_INLINE LossBase(const double*) {}
};

// Where a vector of outputs stands in its row.
template <class T, class Shape>
struct At {
    Shape row;
    const T* outputs;
    int64_t i;

    RESEAU_INLINE Vec<T> of(const double* numbers) const { return row.of(numbers, i); }
    RESEAU_INLINE Vec<T> beside() const { return row.beside(outputs, i); }
    RESEAU_INLINE Mask<T> first_of_pair() const { return row.first_of_pair(i); }
};

template <class T>
struct SquaredError : LossBase<T> {
    using V = Vec<T>;
    using LossBase<T>::LossBase;
    static constexpr const char *name = "squared_error", *simplifies_with = "identity";
    RESEAU_INLINE V error(V o, V t) const { return V(T(0.5)) * (t - o) * (t - o); }
    RESEAU_INLINE V derivative(V o, V t) const { return o - t; }
    RESEAU_INLINE V error_from_scores(V z, V, V t, Bounds<T>) const { return error(z, t); }
};

template <class T>
struct AbsoluteError : LossBase<T> {
    using V = Vec<T>;
    using LossBase<T>::LossBase;
    static constexpr const char* name = "absolute_error";
    RESEAU_INLINE V error(V o, V t) const { return abs(t - o); }
    RESEAU_INLINE V derivative(V o, V t) const {
        const V r = o - t;
        return select(r > V::zero(), V(T(1)), select(r < V::zero(), V(T(-1)), r));
    }
};

template <class T>
struct Huber : LossBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "huber";
    V delta_;

    explicit RESEAU_INLINE Huber(const double* numbers) : LossBase<T>(numbers), delta_(static_cast<T>(numbers[0])) {}
    RESEAU_INLINE V error(V o, V t) const {
        const V r = abs(o - t);
        return select(r <= delta_, V(T(0.5)) * r * r, delta_ * (r - V(T(0.5)) * delta_));
    }
    RESEAU_INLINE V derivative(V o, V t) const { return min(delta_, max(-delta_, o - t)); }
};

template <class T>
struct LogCosh : LossBase<T> {
    using V = Vec<T>;
    using LossBase<T>::LossBase;
    static constexpr const char* name = "log_cosh";
    // As −½ log(1 − tanh² r) up to |r| = 1, which keeps the digits of a small one.
    RESEAU_INLINE V error(V o, V t) const {
        const V r = abs(o - t), slope = tanh(min(V(T(1)), r));
        const V large = r + (softplus_of_minus_abs(V(T(2)) * r) - V(T(0.69314718055994530942)));
        return select(r <= V(T(1)), V(T(-0.5)) * log1p(-slope * slope), large);
    }
    RESEAU_INLINE V derivative(V o, V t) const { return tanh(o - t); }
};

// The numbers are the level of each output.
template <class T>
struct Quantile : LossBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "quantile";
    static constexpr bool by_place = true;
    const double* levels;

    explicit RESEAU_INLINE Quantile(const double* numbers) : LossBase<T>(numbers), levels(numbers) {}
    template <class Place>
    RESEAU_INLINE V error(Place at, V o, V t) const {
        const V tau = at.of(levels), r = t - o;
        return select(r >= V::zero(), tau * r, (tau - V(T(1))) * r);
    }
    template <class Place>
    RESEAU_INLINE V derivative(Place at, V o, V t) const {
        const V tau = at.of(levels), r = t - o;
        return select(r > V::zero(), -tau, select(r < V::zero(), V(T(1)) - tau, r));
    }
};

// Targets with label smoothing: keep · t + add.
template <class T>
struct OfClasses : LossBase<T> {
    using V = Vec<T>;
    static constexpr bool plain_delta = false;
    V keep, add;

    explicit RESEAU_INLINE OfClasses(const double* numbers)
        : LossBase<T>(numbers), keep(static_cast<T>(numbers[0])), add(static_cast<T>(numbers[1])) {}
    RESEAU_INLINE V seen(V t) const { return fma(keep, t, add); }
    RESEAU_INLINE V delta(V, V o, V t) const { return o - seen(t); }
};

template <class T>
struct BinaryCrossEntropy : OfClasses<T> {
    using V = Vec<T>;
    using OfClasses<T>::OfClasses;
    static constexpr const char *name = "binary_cross_entropy", *simplifies_with = "sigmoid";
    RESEAU_INLINE V error(V o, V target) const {
        const V one(T(1)), t = this->seen(target);
        return -(t * log(at_least_smallest(o)) + (one - t) * log(at_least_smallest(one - o)));
    }
    RESEAU_INLINE V derivative(V o, V target) const {
        const V one(T(1)), t = this->seen(target);
        return (one - t) / at_least_smallest(one - o) - t / at_least_smallest(o);
    }
    // log(1 + e^z) − t z, so that a right answer's error keeps its digits: max(0, z) − t z is then exactly 0.
    RESEAU_INLINE V error_from_scores(V z, V, V t, Bounds<T> bounds) const {
        return bounds.apply(fnma(this->seen(t), z, max(V::zero(), z)) + softplus_of_minus_abs(z));
    }
};

template <class T>
struct CrossEntropy : OfClasses<T> {
    using V = Vec<T>;
    static constexpr bool in_groups = true;
    using OfClasses<T>::OfClasses;
    static constexpr const char *name = "cross_entropy", *simplifies_with = "softmax";
    static constexpr bool takes_log_softmax = true;
    RESEAU_INLINE V error(V o, V t) const { return -this->seen(t) * log(at_least_smallest(o)); }
    RESEAU_INLINE V derivative(V o, V t) const { return -this->seen(t) / at_least_smallest(o); }
    RESEAU_INLINE V error_from_scores(V log_softmax, V, V t, Bounds<T> bounds) const {
        return this->seen(t) * bounds.apply(-log_softmax);
    }
};

// Of outputs that are logarithms of a distribution; through log-softmax its chain rule ends in δ = e^o Σ t − t.
template <class T>
struct CrossEntropyOfLogarithms : OfClasses<T> {
    using V = Vec<T>;
    static constexpr bool in_groups = true;
    using OfClasses<T>::OfClasses;
    static constexpr const char* name = "cross_entropy_of_logarithms";
    RESEAU_INLINE V error(V o, V t) const { return -this->seen(t) * o; }
    RESEAU_INLINE V derivative(V, V t) const { return -this->seen(t); }
};

// Probabilities, of which those that are right and sure count less, by (1 − p)^γ; with rest = 1 − p and log = log p.
template <class T>
struct FocalBase : LossBase<T> {
    using V = Vec<T>;
    V gamma, of_zero;  // 0^γ

    explicit RESEAU_INLINE FocalBase(const double* numbers)
        : LossBase<T>(numbers), gamma(static_cast<T>(numbers[0])), of_zero(numbers[0] == 0 ? T(1) : T(0)) {}
    RESEAU_INLINE V power(V rest) const {
        return select(rest > V::zero(), exp(gamma * log(at_least_smallest(rest))), of_zero);
    }
    RESEAU_INLINE V part(V p, V rest) const { return -power(rest) * log(at_least_smallest(p)); }
    RESEAU_INLINE V slope(V p, V rest) const {
        const V weight = power(rest);
        return gamma * (weight / at_least_smallest(rest)) * log(at_least_smallest(p)) - weight / at_least_smallest(p);
    }
};

template <class T>
struct Focal : FocalBase<T> {
    using V = Vec<T>;
    static constexpr bool in_groups = true;
    using FocalBase<T>::FocalBase;
    static constexpr const char* name = "focal";
    RESEAU_INLINE V error(V o, V t) const { return t * this->part(o, V(T(1)) - o); }
    RESEAU_INLINE V derivative(V o, V t) const { return t * this->slope(o, V(T(1)) - o); }
};

template <class T>
struct FocalOfLogarithms : FocalBase<T> {
    using V = Vec<T>;
    static constexpr bool in_groups = true;
    using FocalBase<T>::FocalBase;
    static constexpr const char* name = "focal_of_logarithms";
    RESEAU_INLINE V error(V o, V t) const { return -t * this->power(-expm1(o)) * o; }
    RESEAU_INLINE V derivative(V o, V t) const {
        const V rest = -expm1(o), weight = this->power(rest);
        return t * (this->gamma * (weight / at_least_smallest(rest)) * (exp(o) * o) - weight);
    }
};

template <class T>
struct BinaryFocal : FocalBase<T> {
    using V = Vec<T>;
    using FocalBase<T>::FocalBase;
    static constexpr const char *name = "binary_focal", *simplifies_with = "sigmoid";
    static constexpr bool plain_delta = false;
    RESEAU_INLINE V error(V o, V t) const {
        const V one(T(1)), rest = one - o;
        return t * this->part(o, rest) + (one - t) * this->part(rest, o);
    }
    RESEAU_INLINE V derivative(V o, V t) const {
        const V one(T(1)), rest = one - o;
        return t * this->slope(o, rest) - (one - t) * this->slope(rest, o);
    }
    // With log o = −softplus(−z) and log(1 − o) = −softplus(z).
    RESEAU_INLINE V error_from_scores(V z, V, V t, Bounds<T>) const {
        const V minus = softplus(-z), plus = softplus(z);
        return t * exp(-this->gamma * plus) * minus + (V(T(1)) - t) * exp(-this->gamma * minus) * plus;
    }
    RESEAU_INLINE V delta(V z, V o, V t) const {
        const V minus = softplus(-z), plus = softplus(z), rest = sigmoid(-z);
        const V of_one = exp(-this->gamma * plus) * (-this->gamma * o * minus - rest);
        const V of_zero = exp(-this->gamma * minus) * (o + this->gamma * rest * plus);
        return t * of_one + (V(T(1)) - t) * of_zero;
    }
};

template <class T>
struct Poisson : LossBase<T> {
    using V = Vec<T>;
    using LossBase<T>::LossBase;
    static constexpr const char *name = "poisson", *simplifies_with = "exponential";
    RESEAU_INLINE V error(V o, V t) const { return fnma(t, log(at_least_smallest(o)), o); }
    RESEAU_INLINE V derivative(V o, V t) const { return V(T(1)) - t / at_least_smallest(o); }
    RESEAU_INLINE V error_from_scores(V z, V o, V t, Bounds<T>) const { return fnma(t, z, o); }
};

template <class T>
struct Gamma : LossBase<T> {
    using V = Vec<T>;
    using LossBase<T>::LossBase;
    static constexpr const char *name = "gamma", *simplifies_with = "exponential";
    static constexpr bool plain_delta = false;
    RESEAU_INLINE V error(V o, V t) const {
        const V above = at_least_smallest(o);
        return log(above) + t / above;
    }
    RESEAU_INLINE V derivative(V o, V t) const {
        const V above = at_least_smallest(o);
        return (V(T(1)) - t / above) / above;
    }
    RESEAU_INLINE V error_from_scores(V z, V, V t, Bounds<T>) const { return fma(t, exp(-z), z); }
    RESEAU_INLINE V delta(V z, V, V t) const { return fnma(t, exp(-z), V(T(1))); }
};

// The numbers are 2 − p and 1 − p.
template <class T>
struct Tweedie : LossBase<T> {
    using V = Vec<T>;
    static constexpr const char *name = "tweedie", *simplifies_with = "exponential";
    static constexpr bool plain_delta = false;
    T first, second;

    explicit RESEAU_INLINE Tweedie(const double* numbers)
        : LossBase<T>(numbers), first(static_cast<T>(numbers[0])), second(static_cast<T>(numbers[1])) {}
    // o^q/q of log o, which becomes log o for q = 0.
    static RESEAU_INLINE V integral(T q, V z) { return q == 0 ? z : exp(V(q) * z) / V(q); }
    RESEAU_INLINE V of_logarithm(V z, V t) const { return fnma(t, integral(second, z), integral(first, z)); }
    RESEAU_INLINE V error(V o, V t) const { return of_logarithm(log(at_least_smallest(o)), t); }
    RESEAU_INLINE V derivative(V o, V t) const {
        const V z = log(at_least_smallest(o));
        return fnma(t, exp(V(second - T(1)) * z), exp(V(second) * z));
    }
    RESEAU_INLINE V error_from_scores(V z, V, V t, Bounds<T>) const { return of_logarithm(z, t); }
    RESEAU_INLINE V delta(V z, V, V t) const { return fnma(t, exp(V(second) * z), exp(V(first) * z)); }
};

// The numbers are α and log α.
template <class T>
struct NegativeBinomial : LossBase<T> {
    using V = Vec<T>;
    static constexpr const char *name = "negative_binomial", *simplifies_with = "exponential";
    static constexpr bool plain_delta = false;
    V alpha, inverse, log_alpha;

    explicit RESEAU_INLINE NegativeBinomial(const double* numbers)
        : LossBase<T>(numbers),
          alpha(static_cast<T>(numbers[0])),
          inverse(static_cast<T>(1 / numbers[0])),
          log_alpha(static_cast<T>(numbers[1])) {}
    RESEAU_INLINE V error(V o, V t) const { return (t + inverse) * log1p(alpha * o) - t * log(at_least_smallest(o)); }
    RESEAU_INLINE V derivative(V o, V t) const { return (V(T(1)) - t / at_least_smallest(o)) / fma(alpha, o, V(T(1))); }
    RESEAU_INLINE V error_from_scores(V z, V, V t, Bounds<T>) const {
        return (t + inverse) * softplus(z + log_alpha) - t * z;
    }
    // (o − t)/(1 + α o), as φ(u)/α − t φ(−u) with u = z + log α.
    RESEAU_INLINE V delta(V z, V, V t) const {
        const V u = z + log_alpha;
        return sigmoid(u) * inverse - t * sigmoid(-u);
    }
};

// Two outputs for each target, m and s: of r = (t − m)/s the error of m is f(r), and that of s is log s.
template <class T, class Residual>
struct LocationAndScale : LossBase<T> {
    using V = Vec<T>;
    static constexpr bool by_place = true;
    Residual of;

    explicit RESEAU_INLINE LocationAndScale(const double* numbers) : LossBase<T>(numbers), of(numbers) {}
    template <class Place>
    RESEAU_INLINE V error(Place at, V o, V t) const {
        const Mask<T> is_mean = at.first_of_pair();
        const V s = at_least_smallest(select(is_mean, at.beside(), o));
        return select(is_mean, of.error((t - o) / s), log(s));
    }
    template <class Place>
    RESEAU_INLINE V derivative(Place at, V o, V t) const {
        const Mask<T> is_mean = at.first_of_pair();
        const V other = at.beside(), s = at_least_smallest(select(is_mean, other, o));
        const V r = (t - select(is_mean, o, other)) / s, slope = of.slope(r);
        return select(is_mean, -slope, V(T(1)) - r * slope) / s;
    }
};

template <class T>
struct NormalResidual {
    using V = Vec<T>;
    explicit RESEAU_INLINE NormalResidual(const double*) {}
    RESEAU_INLINE V error(V r) const { return V(T(0.5)) * r * r; }
    RESEAU_INLINE V slope(V r) const { return r; }
};

template <class T>
struct Gaussian : LocationAndScale<T, NormalResidual<T>> {
    using LocationAndScale<T, NormalResidual<T>>::LocationAndScale;
    static constexpr const char* name = "gaussian";
};

template <class T>
struct StudentResidual {
    using V = Vec<T>;
    V nu, half, more;
    explicit RESEAU_INLINE StudentResidual(const double* numbers)
        : nu(static_cast<T>(numbers[0])),
          half(static_cast<T>(0.5 * (numbers[0] + 1))),
          more(static_cast<T>(numbers[0] + 1)) {}
    RESEAU_INLINE V error(V r) const { return half * log1p(r * r / nu); }
    RESEAU_INLINE V slope(V r) const { return more * r / fma(r, r, nu); }
};

template <class T>
struct StudentT : LocationAndScale<T, StudentResidual<T>> {
    using LocationAndScale<T, StudentResidual<T>>::LocationAndScale;
    static constexpr const char* name = "student_t";
};

// --- an entry of the table -------------------------------------------------------------------------------------------

// On rows in memory padded to whole vectors; z has no data unless the loss simplifies with the output. `numbers` are
// the loss's own; those of which each output has one are padded to whole vectors. Of groups of outputs each has a loss.
template <class T>
struct LossEntry {
    const char *name, *simplifies_with;
    // Σ_j e_j of each row.
    void (*row_errors)(const double* numbers, Matrix<T> z, Matrix<T> o, Matrix<T> t, Bounds<T>, T* errors, int64_t rows,
                       const Row& row);
    // The e_j of one row.
    void (*neuron_errors)(const double* numbers, const T* z, const T* o, const T* t, Bounds<T>, T* e, const Row& row);
    // g ← scale · ∂E/∂o with a scale for each row, zero beyond the n numbers; or scale · ∂E/∂z, if z has data.
    void (*derivative)(const double* numbers, Matrix<T> z, Matrix<T> o, Matrix<T> t, Matrix<T> g, const T* scale,
                       int64_t rows, const Row& row);
};

// Σ_j e_j of a row, or of rows, in any shape of rows.h; f(i, e) gets the e_j of each vector.
template <class T, class Loss, class Shape, class F>
static RESEAU_INLINE Vec<T> row_error(const Loss& loss, Shape row, const T* z, const T* o, const T* t, Bounds<T> bounds,
                                      F f) {
    using V = Vec<T>;
    // log Σ e^z = z_j − log S_j for any j; taken where S_j is largest, so at least 1/n. The largest z goes first, in
    // which the digits of the rest would be lost.
    V largest = V::zero(), log_rest = V::zero();
    if (Loss::takes_log_softmax && z != nullptr) {
        largest = row.maximum([&](int64_t i) { return row.load(z, i); });
        log_rest = log(row.maximum([&](int64_t i) { return row.load(o, i); }));
    }
    return row.sum([&](int64_t i) {
        const V O = row.load(o, i), target = row.load(t, i);
        V error;
        if constexpr (Loss::by_place) {
            error = loss.error(At<T, Shape>{row, o, i}, O, target);
        } else if constexpr (*Loss::simplifies_with == 0) {
            error = loss.error(O, target);
        } else if (z == nullptr) {
            error = loss.error(O, target);
        } else {
            V score = row.load(z, i);
            if constexpr (Loss::takes_log_softmax) score = (score - largest) + log_rest;
            error = loss.error_from_scores(score, O, target, bounds);
        }
        f(i, error);
        return error;
    });
}

template <class T>
static RESEAU_INLINE const T* beyond(const T* p, int64_t first) {
    return p != nullptr ? p + first : nullptr;
}

// The loss of group k, with numbers of its own.
template <class Loss>
static RESEAU_INLINE Loss of_group(const Loss& whole, const double* numbers, const Row& row, int k) {
    return row.numbers_of_group > 0 ? Loss(numbers + k * row.numbers_of_group) : whole;
}

// f(loss, shape, first) of a row along the lanes; or of each of its groups, where the loss goes with such.
template <class T, class Loss, class F>
static RESEAU_INLINE void each_group(const Loss& whole, const double* numbers, const Row& row, F f) {
    if constexpr (Loss::in_groups) {
        along_row<T>(row, [&](auto shape, int64_t first, int k) { f(of_group(whole, numbers, row, k), shape, first); });
    } else {
        f(whole, Along<T>{row.n}, int64_t{0});
    }
}

template <class T, class Loss>
static void row_errors(const double* numbers, Matrix<T> z, Matrix<T> o, Matrix<T> t, Bounds<T> bounds, T* errors,
                       int64_t rows, const Row& of_plan) {
    using V = Vec<T>;
    const Row row = of_plan;  // a copy, which no store can be thought to change
    const Loss loss(numbers);
    Turned<T> scores, outputs, targets;
    const auto ignore = [](int64_t, V) {};
    for_rows<T>(
        rows, row.n,
        [&](int64_t r, int64_t count) {
            if (z.data != nullptr) scores.load(part(z, r, 0), count, row.n);
            outputs.load(part(o, r, 0), count, row.n);
            targets.load(part(t, r, 0), count, row.n);
            const T* const scores_or_null = z.data != nullptr ? scores.numbers : nullptr;
            V sum = V::zero();
            row.each([&](int64_t first, int64_t n, int k) {
                const int64_t at = first * V::width;
                sum = sum + row_error(of_group(loss, numbers, row, k), Abreast<T>{n}, beyond(scores_or_null, at),
                                      outputs.numbers + at, targets.numbers + at, bounds, ignore);
            });
            sum.store_partial(errors + r, static_cast<int>(count));
        },
        [&](int64_t r) {
            V sum = V::zero();
            each_group<T>(loss, numbers, row, [&](const Loss& of_each, auto shape, int64_t first) {
                sum = sum + row_error(of_each, shape, z.data != nullptr ? z.row(r) + first : nullptr, o.row(r) + first,
                                      t.row(r) + first, bounds, ignore);
            });
            sum.store_partial(errors + r, 1);
        });
}

template <class T, class Loss>
static void neuron_errors(const double* numbers, const T* z, const T* o, const T* t, Bounds<T> bounds, T* e,
                          const Row& row) {
    const Loss loss(numbers);
    each_group<T>(loss, numbers, row, [&](const Loss& of_each, auto shape, int64_t first) {
        const Within<T> group(shape.n);
        row_error(of_each, shape, beyond(z, first), o + first, t + first, bounds,
                  [&](int64_t i, Vec<T> error) { group.store(error, e + first, i); });
    });
}

// g ← scale · slope(loss, shape, first, r, i, o, t) for all rows, with the numbers from `first` on in the shape.
template <class T, class Loss, class F>
static RESEAU_INLINE void scaled_slopes(const double* numbers, Matrix<T> o, Matrix<T> t, Matrix<T> g, const T* scale,
                                        int64_t rows, const Row& of_plan, F slope) {
    using V = Vec<T>;
    const Row row = of_plan;  // as above
    const Loss whole(numbers);
    const auto within = [&](const Loss& loss, auto shape, int64_t r, int64_t first) {
        shape.each([&](int64_t i, int lanes) {
            const V O = shape.load(o.row(r) + first, i), target = shape.load(t.row(r) + first, i);
            const V s = V(scale[r]) * slope(loss, shape, first, r, i, O, target);
            shape.store(select(Mask<T>::first(lanes), s, V::zero()), g.row(r) + first, i);
        });
    };
    if (!Loss::in_groups || !row.in_groups()) {
        for (int64_t r = 0; r < rows; ++r) within(whole, Along<T>{row.n}, r, 0);
        return;
    }
    for (int64_t r = 0; r < rows; ++r) {
        each_group<T>(whole, numbers, row,
                      [&](const Loss& of_each, auto shape, int64_t first) { within(of_each, shape, r, first); });
        clear_beyond(g.row(r), row.n);
    }
}

template <class T, class Loss>
static void derivative(const double* numbers, Matrix<T> z, Matrix<T> o, Matrix<T> t, Matrix<T> g, const T* scale,
                       int64_t rows, const Row& row) {
    using V = Vec<T>;
    if constexpr (*Loss::simplifies_with != 0) {
        if (z.data != nullptr) {
            // δ = o − t for most pairs of output and loss that simplify.
            scaled_slopes<T, Loss>(
                numbers, o, t, g, scale, rows, row,
                [&](const Loss& loss, auto shape, int64_t first, int64_t r, int64_t i, V O, V target) {
                    if constexpr (Loss::plain_delta) {
                        return O - target;
                    } else {
                        return loss.delta(shape.load(z.row(r) + first, i), O, target);
                    }
                });
            return;
        }
    }
    scaled_slopes<T, Loss>(numbers, o, t, g, scale, rows, row,
                           [&](const Loss& loss, auto shape, int64_t first, int64_t r, int64_t i, V O, V target) {
                               if constexpr (Loss::by_place) {
                                   return loss.derivative(At<T, Along<T>>{shape, o.row(r) + first, i}, O, target);
                               } else {
                                   return loss.derivative(O, target);
                               }
                           });
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
    loss_entry<T, LogCosh>(),
    loss_entry<T, Quantile>(),
    loss_entry<T, BinaryCrossEntropy>(),
    loss_entry<T, CrossEntropy>(),
    loss_entry<T, BinaryFocal>(),
    loss_entry<T, Focal>(),
    loss_entry<T, Poisson>(),
    loss_entry<T, Gamma>(),
    loss_entry<T, Tweedie>(),
    loss_entry<T, NegativeBinomial>(),
    loss_entry<T, Gaussian>(),
    loss_entry<T, StudentT>(),
    loss_entry<T, CrossEntropyOfLogarithms>(),
    loss_entry<T, FocalOfLogarithms>(),
};

}  // namespace reseau::RESEAU_ISA
