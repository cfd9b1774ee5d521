// The table of optimizers, as the kernels see it; the equations and letters are those of optimizers.py, entry for entry.
//
// An optimizer is constructed for one step t = 1, 2, ... from its hyperparameters, in the order of the Python class's fields;
// what is the same for every weight is computed there, in double precision. `update` then moves the weights w by their
// gradient g and brings the state s_0, s_1 up to date.
#pragma once

#include "network.h"
#include "simd.h"

namespace reseau::RESEAU_ISA {

template <class T>
struct Sgd {
    using V = Vec<T>;
    static constexpr const char* name = "sgd";
    static constexpr int states = 1;
    V gamma, mu;
    bool nesterov;

    Sgd(const double* h, int64_t) : gamma(T(h[0])), mu(T(h[1])), nesterov(h[2] != 0) {}
    // v ← μ v − γ g;  w ← w + v  (Nesterov: w ← w + μ v − γ g)
    RESEAU_INLINE void update(V& w, V g, V& v, V&) const {
        const V pull = gamma * g;
        v = mu * v - pull;
        w = w + (nesterov ? mu * v - pull : v);
    }
};

template <class T>
struct Adam {
    using V = Vec<T>;
    static constexpr const char* name = "adam";
    static constexpr int states = 2;
    V gamma_t, beta_1, rest_1, beta_2, rest_2, epsilon_t;

    // γ_t = γ √(1 − β₂ᵗ)/(1 − β₁ᵗ), ε_t = ε √(1 − β₂ᵗ), or ε itself for ε̂
    Adam(const double* h, int64_t t)
        : gamma_t(T(h[0] * __builtin_sqrt(1 - __builtin_pow(h[2], t)) / (1 - __builtin_pow(h[1], t)))),
          beta_1(T(h[1])),
          rest_1(T(1 - h[1])),
          beta_2(T(h[2])),
          rest_2(T(1 - h[2])),
          epsilon_t(T(h[4] != 0 ? h[3] : h[3] * __builtin_sqrt(1 - __builtin_pow(h[2], t)))) {}
    // m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  w ← w − γ_t m/(√v + ε_t)
    RESEAU_INLINE void update(V& w, V g, V& m, V& v) const {
        m = fma(beta_1, m, rest_1 * g);
        v = fma(beta_2, v, rest_2 * g * g);
        w = w - gamma_t * m / (sqrt(v) + epsilon_t);
    }
};

template <class T>
struct AdamW : Adam<T> {
    using V = Vec<T>;
    static constexpr const char* name = "adamw";
    V decay;

    AdamW(const double* h, int64_t t) : Adam<T>(h, t), decay(T(h[0] * h[5])) {}
    // w ← w − γ λ w, then as Adam
    RESEAU_INLINE void update(V& w, V g, V& m, V& v) const {
        w = fnma(decay, w, w);
        Adam<T>::update(w, g, m, v);
    }
};

template <class T>
struct RmsProp {
    using V = Vec<T>;
    static constexpr const char* name = "rmsprop";
    static constexpr int states = 1;
    V gamma, rho, rest, epsilon;

    RmsProp(const double* h, int64_t) : gamma(T(h[0])), rho(T(h[1])), rest(T(1 - h[1])), epsilon(T(h[2])) {}
    // v ← ρ v + (1 − ρ) g²;  w ← w − γ g/(√v + ε)
    RESEAU_INLINE void update(V& w, V g, V& v, V&) const {
        v = fma(rho, v, rest * g * g);
        w = w - gamma * g / (sqrt(v) + epsilon);
    }
};

// Not an optimizer but what stands in its place when only the gradient is wanted: s_0 ← g.
template <class T>
struct GradientOnly {
    using V = Vec<T>;
    static constexpr int states = 1;
    GradientOnly(const double*, int64_t) {}
    RESEAU_INLINE void update(V&, V g, V& kept, V&) const { kept = g; }
};

// --- an entry of the table ---------------------------------------------------------------------------------------------------

// An optimizer made ready for a step, whichever it is; large enough for the one with the most numbers.
template <class T>
struct Prepared {
    alignas(64) unsigned char memory[8 * sizeof(Vec<T>)];
};

template <class T>
struct OptimizerEntry {
    const char* name;
    int states;
    void (*prepare)(Prepared<T>&, const double* hyperparameters, int64_t step);
    // Moves `count` weights (whole vectors) by the gradient g + λ w. The vector `beyond`, if given, stays zeros as long as the
    // weights and the last state are finite. (An infinite first of two states makes the second infinite, which is its square.)
    void (*update)(const Prepared<T>&, T lambda, T* w, const T* g, T* s_0, T* s_1, int64_t count, T* beyond);
};

template <class T, class Optimizer>
static void prepare(Prepared<T>& prepared, const double* hyperparameters, int64_t step) {
    static_assert(sizeof(Optimizer) <= sizeof(Prepared<T>));
    const Optimizer optimizer(hyperparameters, step);
    __builtin_memcpy(prepared.memory, &optimizer, sizeof(Optimizer));
}

template <class T, class Optimizer, bool checks>
static RESEAU_INLINE void move_weights(const Prepared<T>& prepared, T lambda, T* w, const T* g, T* s_0, T* s_1, int64_t count, T* beyond) {
    using V = Vec<T>;
    Optimizer optimizer(*reinterpret_cast<const Optimizer*>(prepared.memory));
    const V decay(lambda);
    typename V::Bits found{};  // of 0 · x, which is ±0 unless x is not finite
    for (int64_t i = 0; i < count; i += V::width) {
        V weight = V::load(w + i), first = V::load(s_0 + i), second = V::zero();
        if constexpr (Optimizer::states > 1) second = V::load(s_1 + i);
        optimizer.update(weight, fma(decay, weight, V::load(g + i)), first, second);
        weight.store(w + i);
        first.store(s_0 + i);
        if constexpr (Optimizer::states > 1) second.store(s_1 + i);
        if constexpr (checks) found = found | fma(weight, V::zero(), (Optimizer::states > 1 ? second : first) * V::zero()).bits();
    }
    if constexpr (checks) V::from_bits(V::load(beyond).bits() | found).store(beyond);
}

template <class T, class Optimizer>
static void update(const Prepared<T>& prepared, T lambda, T* w, const T* g, T* s_0, T* s_1, int64_t count, T* beyond) {
    if (beyond == nullptr) {
        move_weights<T, Optimizer, false>(prepared, lambda, w, g, s_0, s_1, count, beyond);
    } else {
        move_weights<T, Optimizer, true>(prepared, lambda, w, g, s_0, s_1, count, beyond);
    }
}

template <class T, class Optimizer>
constexpr OptimizerEntry<T> optimizer_entry(const char* name) {
    return {name, Optimizer::states, prepare<T, Optimizer>, update<T, Optimizer>};
}

template <class T>
inline constexpr OptimizerEntry<T> optimizers[] = {
    optimizer_entry<T, Sgd<T>>(Sgd<T>::name),
    optimizer_entry<T, Adam<T>>(Adam<T>::name),
    optimizer_entry<T, AdamW<T>>(AdamW<T>::name),
    optimizer_entry<T, RmsProp<T>>(RmsProp<T>::name),
};

template <class T>
inline constexpr OptimizerEntry<T> gradient_entry = optimizer_entry<T, GradientOnly<T>>("");

}  // namespace reseau::RESEAU_ISA
