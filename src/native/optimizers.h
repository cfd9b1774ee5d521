// The table of optimizers, as the kernels see it; the equations and letters are those of optimizers.py, entry for
// entry.
//
// An optimizer has the names of its hyperparameters, which are those of the Python class's fields, and how many states
// it keeps. It is constructed for one step t = 1, 2, ...; what is the same for every weight is computed there, in
// double precision. `update` then moves the weights w by their gradient g and brings its states up to date.
#pragma once

#include <iterator>
#include <utility>

#include "factors.h"

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
struct AmsGrad : Adam<T> {
    using V = Vec<T>;
    static constexpr const char* name = "amsgrad";
    static constexpr int states = 3;
    using Adam<T>::Adam;
    // m and v as Adam;  v_max ← max(v_max, v);  w ← w − γ_t m/(√v_max + ε_t)
    RESEAU_INLINE void update(V& w, V g, V& m, V& v, V& v_max) const {
        m = fma(this->beta_1, m, this->rest_1 * g);
        v = fma(this->beta_2, v, this->rest_2 * g * g);
        v_max = max(v_max, v);
        w = w - this->gamma_t * m / (sqrt(v_max) + this->epsilon_t);
    }
};

template <class T>
struct Nadam {
    using V = Vec<T>;
    static constexpr const char* name = "nadam";
    static constexpr const char* hyperparameters[] = {"learning_rate", "beta_1", "beta_2", "epsilon", "momentum_decay"};
    static constexpr int states = 3;
    V gamma_t, beta_1, rest_1, beta_2, rest_2, epsilon_t, mu, rest_mu, mu_next;

    // μ_t = β₁ (1 − ½ 0.96^(t ψ)), γ_t = γ √(1 − β₂ᵗ), ε_t = ε √(1 − β₂ᵗ)
    template <class H>
    Nadam(H h, int64_t t)
        : beta_1(T(h("beta_1"))), rest_1(T(1 - h("beta_1"))), beta_2(T(h("beta_2"))), rest_2(T(1 - h("beta_2"))) {
        const double root = __builtin_sqrt(1 - __builtin_pow(h("beta_2"), t));
        const auto mu_at = [&](int64_t step) {
            return h("beta_1") * (1 - 0.5 * __builtin_pow(0.96, static_cast<double>(step) * h("momentum_decay")));
        };
        gamma_t = V(T(h("learning_rate") * root));
        epsilon_t = V(T(h("epsilon") * root));
        mu = V(T(mu_at(t)));
        rest_mu = V(T(1 - mu_at(t)));
        mu_next = V(T(mu_at(t + 1)));
    }
    // c ← 1 − μ_t (1 − c), that is 1 − μ_1 ... μ_t;  m and v as Adam;
    // w ← w − γ_t ((1 − μ_t) g/c + μ_{t+1} m/(1 − μ_{t+1} (1 − c)))/(√v + ε_t)
    RESEAU_INLINE void update(V& w, V g, V& m, V& v, V& c) const {
        const V one(T(1));
        m = fma(beta_1, m, rest_1 * g);
        v = fma(beta_2, v, rest_2 * g * g);
        c = fnma(mu, one - c, one);
        const V ahead = rest_mu * g / c + mu_next * m / fnma(mu_next, one - c, one);
        w = w - gamma_t * ahead / (sqrt(v) + epsilon_t);
    }
};

template <class T>
struct RAdam {
    using V = Vec<T>;
    static constexpr const char* name = "radam";
    static constexpr const char* hyperparameters[] = {"learning_rate", "beta_1", "beta_2", "epsilon"};
    static constexpr int states = 2;
    V gamma_t, beta_1, rest_1, beta_2, rest_2, epsilon;
    bool rectified;

    // ρ∞ = 2/(1 − β₂) − 1, ρ_t = ρ∞ − 2 t β₂ᵗ/(1 − β₂ᵗ); for ρ_t > 5, when the variance of √v is bounded,
    // γ_t = γ √(1 − β₂ᵗ)/(1 − β₁ᵗ) √((ρ_t − 4)(ρ_t − 2) ρ∞/((ρ∞ − 4)(ρ∞ − 2) ρ_t)), before γ_t = γ/(1 − β₁ᵗ)
    template <class H>
    RAdam(H h, int64_t t)
        : beta_1(T(h("beta_1"))),
          rest_1(T(1 - h("beta_1"))),
          beta_2(T(h("beta_2"))),
          rest_2(T(1 - h("beta_2"))),
          epsilon(T(h("epsilon"))) {
        const double power = __builtin_pow(h("beta_2"), t), longest = 2 / (1 - h("beta_2")) - 1;
        const double length = longest - 2 * static_cast<double>(t) * power / (1 - power);
        double rate = h("learning_rate") / (1 - __builtin_pow(h("beta_1"), t));
        rectified = length > 5;
        if (rectified) {
            rate *= __builtin_sqrt((1 - power) * (length - 4) * (length - 2) * longest /
                                   ((longest - 4) * (longest - 2) * length));
        }
        gamma_t = V(T(rate));
    }
    // m and v as Adam;  w ← w − γ_t m/(√v + ε), or before w ← w − γ_t m
    RESEAU_INLINE void update(V& w, V g, V& m, V& v) const {
        m = fma(beta_1, m, rest_1 * g);
        v = fma(beta_2, v, rest_2 * g * g);
        w = w - (rectified ? gamma_t * m / (sqrt(v) + epsilon) : gamma_t * m);
    }
};

template <class T>
struct Lion {
    using V = Vec<T>;
    static constexpr const char* name = "lion";
    static constexpr const char* hyperparameters[] = {"learning_rate", "beta_1", "beta_2", "weight_decay"};
    static constexpr int states = 1;
    V gamma, beta_1, rest_1, beta_2, rest_2, decay;

    template <class H>
    Lion(H h, int64_t)
        : gamma(T(h("learning_rate"))),
          beta_1(T(h("beta_1"))),
          rest_1(T(1 - h("beta_1"))),
          beta_2(T(h("beta_2"))),
          rest_2(T(1 - h("beta_2"))),
          decay(T(h("learning_rate") * h("weight_decay"))) {}
    // u = β₁ m + (1 − β₁) g;  w ← w − γ λ w − γ sign(u);  m ← β₂ m + (1 − β₂) g
    RESEAU_INLINE void update(V& w, V g, V& m) const {
        const V u = fma(beta_1, m, rest_1 * g), zero = V::zero();
        const V sign = select(u > zero, V(T(1)), select(u < zero, V(T(-1)), u));
        w = fnma(decay, w, w) - gamma * sign;
        m = fma(beta_2, m, rest_2 * g);
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

template <class T>
struct Adagrad {
    using V = Vec<T>;
    static constexpr const char* name = "adagrad";
    static constexpr const char* hyperparameters[] = {"learning_rate", "epsilon"};
    static constexpr int states = 1;
    V gamma, epsilon;

    template <class H>
    Adagrad(H h, int64_t) : gamma(T(h("learning_rate"))), epsilon(T(h("epsilon"))) {}
    // v ← v + g²;  w ← w − γ g/(√v + ε)
    RESEAU_INLINE void update(V& w, V g, V& v) const {
        v = fma(g, g, v);
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
    alignas(64) unsigned char memory[9 * sizeof(Vec<T>)];
};

// Whether weights are moved beside sums: where a tile leaves registers for it. With 16 its sums would go to memory and
// back, and a step of 100-256-256-10 takes 9 % more time on AVX2.
#if defined(__AVX512F__)
inline constexpr bool moves_beside = true;
static_assert(unit_rows % tile_rows == 0);
#else
inline constexpr bool moves_beside = false;
#endif

// How many vectors are moved beside one tile, if all of a unit are moved beside the tiles of another.
inline constexpr int64_t moves_beside_a_tile = unit_rows * panel_vectors / (unit_rows / tile_rows);

// A step of `count` packed parameters, whole vectors, of which `done` have been moved.
template <class T>
struct Move {
    const Prepared<T>* optimizer;
    T lambda;  // the gradient is g + λ w
    T* w;      // the weights
    const T* g;
    T* states[most_states];
    T* beyond;  // if given, a vector that stays zeros as long as weights and states are finite
    int64_t count, done;
};

template <class T, class E>
using SumBeside = void (*)(int64_t K, const E* a, int64_t a_stride, const E* b, int64_t b_stride, T* c, Move<T>&);

template <class T>
struct OptimizerEntry {
    const char* name;
    const char* const* hyperparameters;  // their names
    int hyperparameter_count;
    int states;
    void (*prepare)(Prepared<T>&, const double* hyperparameters, int64_t step);
    // Makes what is left of a step.
    void (*finish)(Move<T>&);
    // If moves_beside: sums the gradient of a unit to c, a whole panel wide, as tiles do, and makes a step beside it,
    // or most of it.
    SumBeside<T, T> sum_beside;
    SumBeside<T, Rounded<T>> sum_rounded_beside;
};

// The step of one vector of parameters after the other.
template <class T, class Optimizer, bool checks>
class Mover {
public:
    using V = Vec<T>;
    // So that the tiles of a unit make all of its moves.
    static constexpr int64_t every(int64_t K) { return (K + moves_beside_a_tile - 1) / moves_beside_a_tile; }

    explicit RESEAU_INLINE Mover(Move<T>& move)
        : move_(move),
          optimizer_(*reinterpret_cast<const Optimizer*>(move.optimizer->memory)),
          decay_(move.lambda),
          w_(move.w),
          g_(move.g),
          at_(move.done) {
        for (int s = 0; s < Optimizer::states; ++s) states_[s] = move.states[s];
    }
    RESEAU_INLINE ~Mover() {
        move_.done = at_;
        if constexpr (checks) V::from_bits(V::load(move_.beyond).bits() | found_).store(move_.beyond);
    }

    RESEAU_INLINE void operator()() {
        if (at_ < move_.count) one(std::make_integer_sequence<int, Optimizer::states>{});
    }
    RESEAU_INLINE bool finished() const { return at_ >= move_.count; }

private:
    template <int... s>
    RESEAU_INLINE void one(std::integer_sequence<int, s...>) {
        V weight = V::load(w_ + at_), state[] = {V::load(states_[s] + at_)...};
        optimizer_.update(weight, fma(decay_, weight, V::load(g_ + at_)), state[s]...);
        weight.store(w_ + at_);
        (state[s].store(states_[s] + at_), ...);
        if constexpr (checks) found_ = ((found_ | (weight * V::zero()).bits()) | ... | (state[s] * V::zero()).bits());
        at_ += V::width;
    }

    Move<T>& move_;
    Optimizer optimizer_;
    const V decay_;
    T* const w_;
    const T* const g_;
    T* states_[Optimizer::states];
    int64_t at_;
    typename V::Bits found_{};  // of 0 · x, which is ±0 unless x is not finite
};

template <class T, class Optimizer>
static void prepare(Prepared<T>& prepared, const double* hyperparameters, int64_t step) {
    static_assert(sizeof(Optimizer) <= sizeof(Prepared<T>));
    const Optimizer optimizer(Hyperparameters<Optimizer>(hyperparameters), step);
    __builtin_memcpy(prepared.memory, &optimizer, sizeof(Optimizer));
}

template <class T, class Optimizer>
static void finish(Move<T>& move) {
    static_assert(1 <= Optimizer::states && Optimizer::states <= most_states);
    const auto all = [&]<bool checks>() {
        Mover<T, Optimizer, checks> mover(move);
        while (!mover.finished()) mover();
    };
    move.beyond == nullptr ? all.template operator()<false>() : all.template operator()<true>();
}

template <class T, class E, class Optimizer>
static void sum_beside(int64_t K, const E* a, int64_t a_stride, const E* b, int64_t b_stride, T* c, Move<T>& move) {
    constexpr int64_t columns = panel_vectors * Vec<T>::width;
    const auto sum = [&]<bool checks>() {
        Mover<T, Optimizer, checks> mover(move);
        for (int64_t m = 0; m < unit_rows; m += tile_rows) {
            tile_beside<E, true, tile_rows, panel_vectors>(K, a + m, a_stride, b, b_stride, c + m * columns, columns,
                                                           false, mover);
        }
    };
    move.beyond == nullptr ? sum.template operator()<false>() : sum.template operator()<true>();
}

// The same with nothing beside: `finish` makes the whole step.
template <class T, class E>
static void sum_alone(int64_t K, const E* a, int64_t a_stride, const E* b, int64_t b_stride, T* c, Move<T>&) {
    constexpr int64_t columns = panel_vectors * Vec<T>::width;
    for (int64_t m = 0; m < unit_rows; m += tile_rows)
        tile<E, true, tile_rows, panel_vectors>(K, a + m, a_stride, b, b_stride, c + m * columns, columns, false);
}

template <class T, class E, class Optimizer, bool beside>
constexpr SumBeside<T, E> sum_beside_entry() {
    if constexpr (moves_beside && beside) {
        return sum_beside<T, E, Optimizer>;
    } else if constexpr (moves_beside) {
        return sum_alone<T, E>;
    } else {
        return nullptr;
    }
}

// Not all are made beside sums: for each the compiler makes the largest tile eight times more for an instruction set.
template <class T, class Optimizer, bool beside>
constexpr OptimizerEntry<T> optimizer_entry() {
    static_assert(same(Optimizer::hyperparameters[learning_rate], "learning_rate"));
    static_assert(std::size(Optimizer::hyperparameters) <= most_hyperparameters);
    return {
        .name = Optimizer::name,
        .hyperparameters = Optimizer::hyperparameters,
        .hyperparameter_count = sizeof(Optimizer::hyperparameters) / sizeof(const char*),
        .states = Optimizer::states,
        .prepare = prepare<T, Optimizer>,
        .finish = finish<T, Optimizer>,
        .sum_beside = sum_beside_entry<T, T, Optimizer, beside>(),
        .sum_rounded_beside = sum_beside_entry<T, Rounded<T>, Optimizer, beside>(),
    };
}

template <class T>
inline constexpr OptimizerEntry<T> optimizers[] = {
    optimizer_entry<T, Sgd<T>, true>(),      optimizer_entry<T, Adam<T>, true>(),
    optimizer_entry<T, AdamW<T>, true>(),    optimizer_entry<T, RmsProp<T>, true>(),
    optimizer_entry<T, AmsGrad<T>, false>(), optimizer_entry<T, Nadam<T>, false>(),
    optimizer_entry<T, RAdam<T>, false>(),   optimizer_entry<T, Lion<T>, false>(),
    optimizer_entry<T, Adagrad<T>, false>(),
};

template <class T>
inline constexpr OptimizerEntry<T> gradient_entry = {
    .name = "",
    .hyperparameters = nullptr,
    .hyperparameter_count = 0,
    .states = GradientOnly<T>::states,
    .prepare = prepare<T, GradientOnly<T>>,
    .finish = finish<T, GradientOnly<T>>,
    .sum_beside = sum_beside_entry<T, T, GradientOnly<T>, true>(),
    .sum_rounded_beside = sum_beside_entry<T, Rounded<T>, GradientOnly<T>, true>(),
};

}  // namespace reseau::RESEAU_ISA
