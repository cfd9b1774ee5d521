// The table of optimizers, as the kernels see it; the equations and letters are those of optimizers.py, entry for
// entry.
//
// An optimizer has the names of its hyperparameters, which are those of the Python class's fields, and how many states
// it keeps. It is constructed for one step t = 1, 2, ...; what is the same for every weight is computed there, in
// double precision. `update` then moves the weights w by their gradient g and brings its states up to date.
#pragma once

#include <utility>

#include "network.h"
#include "simd.h"

namespace reseau::RESEAU_ISA {

// The numbers that define an optimizer: h("momentum") is the one of that name, whose place is found in compiling.
template <class Optimizer>
class Hyperparameters {
public:
    struct Place {
        int place = 0;
        consteval Place(const char* name) {
            while (!same(Optimizer::hyperparameters[place], name)) ++place;
        }
    };

    explicit Hyperparameters(const double* numbers) : numbers_(numbers) {}
    double operator()(Place name) const { return numbers_[name.place]; }

private:
    const double* numbers_;  // in the order of the names
};

template <class T>
struct Sgd {
    using V = Vec<T>;
    static constexpr const char* name = "sgd";
    static constexpr const char* hyperparameters[] = {"learning_rate", "momentum", "nesterov"};
    static constexpr int states = 1;
    V gamma, mu;
    bool nesterov;

    template <class H>
    Sgd(H h, int64_t) : gamma(T(h("learning_rate"))), mu(T(h("momentum"))), nesterov(h("nesterov") != 0) {}
    // v ← μ v − γ g;  w ← w + v  (Nesterov: w ← w + μ v − γ g)
    RESEAU_INLINE void update(V& w, V g, V& v) const {
        const V pull = gamma * g;
        v = mu * v - pull;
        w = w + (nesterov ? mu * v - pull : v);
    }
};

template <class T>
struct Adam {
    using V = Vec<T>;
    static constexpr const char* name = "adam";
    static constexpr const char* hyperparameters[] = {"learning_rate", "beta_1", "beta_2", "epsilon", "epsilon_hat"};
    static constexpr int states = 2;
    V gamma_t, beta_1, rest_1, beta_2, rest_2, epsilon_t;

    // γ_t = γ √(1 − β₂ᵗ)/(1 − β₁ᵗ), ε_t = ε √(1 − β₂ᵗ), or ε itself for ε̂
    template <class H>
    Adam(H h, int64_t t)
        : beta_1(T(h("beta_1"))), rest_1(T(1 - h("beta_1"))), beta_2(T(h("beta_2"))), rest_2(T(1 - h("beta_2"))) {
        const double root = __builtin_sqrt(1 - __builtin_pow(h("beta_2"), t));
        gamma_t = V(T(h("learning_rate") * root / (1 - __builtin_pow(h("beta_1"), t))));
        epsilon_t = V(T(h("epsilon_hat") != 0 ? h("epsilon") : h("epsilon") * root));
    }
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
    static constexpr const char* hyperparameters[] = {"learning_rate", "beta_1",      "beta_2",
                                                      "epsilon",       "epsilon_hat", "weight_decay"};
    V decay;

    template <class H>
    AdamW(H h, int64_t t) : Adam<T>(h, t), decay(T(h("learning_rate") * h("weight_decay"))) {}
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
    static constexpr const char* hyperparameters[] = {"learning_rate", "rho", "epsilon"};
    static constexpr int states = 1;
    V gamma, rho, rest, epsilon;

    template <class H>
    RmsProp(H h, int64_t)
        : gamma(T(h("learning_rate"))), rho(T(h("rho"))), rest(T(1 - h("rho"))), epsilon(T(h("epsilon"))) {}
    // v ← ρ v + (1 − ρ) g²;  w ← w − γ g/(√v + ε)
    RESEAU_INLINE void update(V& w, V g, V& v) const {
        v = fma(rho, v, rest * g * g);
        w = w - gamma * g / (sqrt(v) + epsilon);
    }
};

// Not an optimizer but what stands in its place when only the gradient is wanted: its state ← g.
template <class T>
struct GradientOnly {
    using V = Vec<T>;
    static constexpr int states = 1;
    template <class H>
    GradientOnly(H, int64_t) {}
    RESEAU_INLINE void update(V&, V g, V& kept) const { kept = g; }
};

// --- an entry of the table -------------------------------------------------------------------------------------------

// An optimizer made ready for a step, whichever it is; large enough for the one with the most numbers.
template <class T>
struct Prepared {
    alignas(64) unsigned char memory[8 * sizeof(Vec<T>)];
};

template <class T>
struct OptimizerEntry {
    const char* name;
    const char* const* hyperparameters;  // their names
    int hyperparameter_count;
    int states;
    void (*prepare)(Prepared<T>&, const double* hyperparameters, int64_t step);
    // Moves `count` weights (whole vectors) by the gradient g + λ w. The weights and each state are read from `at` on.
    // The vector `beyond`, if given, stays zeros as long as the weights and the states are finite.
    void (*update)(const Prepared<T>&, T lambda, T* w, const T* g, T* const* states, int64_t at, int64_t count,
                   T* beyond);
};

template <class T, class Optimizer>
static void prepare(Prepared<T>& prepared, const double* hyperparameters, int64_t step) {
    static_assert(sizeof(Optimizer) <= sizeof(Prepared<T>));
    const Optimizer optimizer(Hyperparameters<Optimizer>(hyperparameters), step);
    __builtin_memcpy(prepared.memory, &optimizer, sizeof(Optimizer));
}

template <class T, class Optimizer, bool checks>
static RESEAU_INLINE void move_weights(const Prepared<T>& prepared, T lambda, T* w, const T* g, T* const* states,
                                       int64_t count, T* beyond) {
    using V = Vec<T>;
    Optimizer optimizer(*reinterpret_cast<const Optimizer*>(prepared.memory));
    const V decay(lambda);
    typename V::Bits found{};  // of 0 · x, which is ±0 unless x is not finite
    const auto each_state = [&]<int... s>(std::integer_sequence<int, s...>) {
        T* const kept[] = {states[s]...};
        for (int64_t i = 0; i < count; i += V::width) {
            V weight = V::load(w + i), state[] = {V::load(kept[s] + i)...};
            optimizer.update(weight, fma(decay, weight, V::load(g + i)), state[s]...);
            weight.store(w + i);
            (state[s].store(kept[s] + i), ...);
            if constexpr (checks) found = ((found | (weight * V::zero()).bits()) | ... | (state[s] * V::zero()).bits());
        }
    };
    each_state(std::make_integer_sequence<int, Optimizer::states>{});
    if constexpr (checks) V::from_bits(V::load(beyond).bits() | found).store(beyond);
}

template <class T, class Optimizer>
static void update(const Prepared<T>& prepared, T lambda, T* w, const T* g, T* const* states, int64_t at, int64_t count,
                   T* beyond) {
    static_assert(1 <= Optimizer::states && Optimizer::states <= most_states);
    T* from[Optimizer::states];
    for (int s = 0; s < Optimizer::states; ++s) from[s] = states[s] + at;
    if (beyond == nullptr) {
        move_weights<T, Optimizer, false>(prepared, lambda, w + at, g, from, count, beyond);
    } else {
        move_weights<T, Optimizer, true>(prepared, lambda, w + at, g, from, count, beyond);
    }
}

template <class T, class Optimizer>
constexpr OptimizerEntry<T> optimizer_entry() {
    return {
        .name = Optimizer::name,
        .hyperparameters = Optimizer::hyperparameters,
        .hyperparameter_count = sizeof(Optimizer::hyperparameters) / sizeof(const char*),
        .states = Optimizer::states,
        .prepare = prepare<T, Optimizer>,
        .update = update<T, Optimizer>,
    };
}

template <class T>
inline constexpr OptimizerEntry<T> optimizers[] = {
    optimizer_entry<T, Sgd<T>>(),
    optimizer_entry<T, Adam<T>>(),
    optimizer_entry<T, AdamW<T>>(),
    optimizer_entry<T, RmsProp<T>>(),
};

template <class T>
inline constexpr OptimizerEntry<T> gradient_entry = {
    .name = "",
    .hyperparameters = nullptr,
    .hyperparameter_count = 0,
    .states = GradientOnly<T>::states,
    .prepare = prepare<T, GradientOnly<T>>,
    .update = update<T, GradientOnly<T>>,
};

}  // namespace reseau::RESEAU_ISA
