// The table of activations, as the kernels see it; the formulas are those of activations.py, entry for entry.
//
// An elementwise activation has `value(z)` and `derivative(x)`, where x is the value a if `from_value`, else z itself (then
// the forward pass keeps σ'(z) for the backward pass). A row-wise one has `forward` and `pullback` on a row of n numbers.
#pragma once

#include "elementary.h"
#include "network.h"
#include "simd.h"

namespace reseau::RESEAU_ISA {

template <class T>
struct ElementwiseBase {
    using V = Vec<T>;
    static constexpr bool row_wise = false;
};

template <class T>
struct Identity : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "identity";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return z; }
    static RESEAU_INLINE V derivative(V) { return V(T(1)); }
};

template <class T>
struct Sigmoid : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "sigmoid";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return sigmoid(z); }
    static RESEAU_INLINE V derivative(V a) { return a * (V(T(1)) - a); }
};

template <class T>
struct Tanh : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "tanh";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return tanh(z); }
    static RESEAU_INLINE V derivative(V a) { return fnma(a, a, V(T(1))); }
};

template <class T>
struct Relu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "relu";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return max(V::zero(), z); }
    static RESEAU_INLINE V derivative(V a) { return select(a > V::zero(), V(T(1)), V::zero()); }
};

template <class T>
struct LeakyRelu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "leaky_relu";
    static constexpr bool from_value = true;  // a has the sign of z
    static constexpr T slope = T(0.01);
    static RESEAU_INLINE V value(V z) { return select(z > V::zero(), z, V(slope) * z); }
    static RESEAU_INLINE V derivative(V a) { return select(a > V::zero(), V(T(1)), V(slope)); }
};

template <class T>
struct Elu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "elu";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return select(z > V::zero(), z, expm1(z)); }
    static RESEAU_INLINE V derivative(V a) { return select(a > V::zero(), V(T(1)), a + V(T(1))); }
};

template <class T>
struct Selu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "selu";
    static constexpr bool from_value = true;
    static constexpr T scale = T(1.0507009873554805), scale_alpha = T(1.0507009873554805 * 1.6732632423543772);
    static RESEAU_INLINE V value(V z) { return select(z > V::zero(), V(scale) * z, V(scale_alpha) * expm1(z)); }
    static RESEAU_INLINE V derivative(V a) { return select(a > V::zero(), V(scale), a + V(scale_alpha)); }
};

template <class T>
struct Gelu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "gelu";
    static constexpr bool from_value = false;
    static RESEAU_INLINE V value(V z) { return z * normal_cdf(z); }
    static RESEAU_INLINE V derivative(V z) { return fma(z, normal_pdf(z), normal_cdf(z)); }
};

template <class T>
struct GeluTanh : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "gelu_tanh";
    static constexpr bool from_value = false;
    static constexpr T slope = T(0.79788456080286535588), cubic = T(0.044715);
    // ½ (1 + tanh u) = φ(2u), which keeps the digits of a small one.
    static RESEAU_INLINE V gate(V z) { return sigmoid(V(2 * slope) * fma(V(cubic) * z * z, z, z)); }
    static RESEAU_INLINE V value(V z) { return z * gate(z); }
    static RESEAU_INLINE V derivative(V far) {
        const V z = min(V(T(30)), max(V(T(-30)), far));  // beyond which it is 1 or 0, and its square might overflow
        const V s = gate(z);
        const V slope_of_inner = V(2 * slope) * fma(V(T(3) * cubic) * z, z, V(T(1)));
        return fma(z * s * (V(T(1)) - s), slope_of_inner, s);
    }
};

template <class T>
struct Silu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "silu";
    static constexpr bool from_value = false;
    static RESEAU_INLINE V value(V z) { return z * sigmoid(z); }
    static RESEAU_INLINE V derivative(V z) {
        const V s = sigmoid(z);
        return fma(z * s, V(T(1)) - s, s);
    }
};

template <class T>
struct Mish : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "mish";
    static constexpr bool from_value = false;
    static RESEAU_INLINE V gate(V z) { return tanh(softplus(z)); }
    static RESEAU_INLINE V value(V z) { return z * gate(z); }
    static RESEAU_INLINE V derivative(V z) {
        const V t = gate(z);
        return fma(z * fnma(t, t, V(T(1))), sigmoid(z), t);
    }
};

template <class T>
struct Softplus : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "softplus";
    static constexpr bool from_value = false;  // 1 − e^−a would lose the digits of a small a
    static RESEAU_INLINE V value(V z) { return softplus(z); }
    static RESEAU_INLINE V derivative(V z) { return sigmoid(z); }
};

template <class T>
struct Softsign : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "softsign";
    static constexpr bool from_value = false;
    static RESEAU_INLINE V value(V z) { return z / (V(T(1)) + abs(z)); }
    static RESEAU_INLINE V derivative(V z) {
        const V r = V(T(1)) / (V(T(1)) + abs(z));
        return r * r;
    }
};

template <class T>
struct HardSigmoid : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "hard_sigmoid";
    static constexpr bool from_value = false;  // the ends of the slope belong to z, not to the rounded value
    static RESEAU_INLINE V value(V z) { return min(V(T(1)), max(V::zero(), z / V(T(6)) + V(T(0.5)))); }
    static RESEAU_INLINE V derivative(V z) { return select(abs(z) < V(T(3)), V(T(1) / T(6)), V::zero()); }
};

template <class T>
struct HardSwish : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "hard_swish";
    static constexpr bool from_value = false;
    static RESEAU_INLINE V value(V z) { return z * HardSigmoid<T>::value(z); }
    static RESEAU_INLINE V derivative(V z) {
        const V slope = z / V(T(3)) + V(T(0.5));
        return select(z <= V(T(-3)), V::zero(), select(z >= V(T(3)), V(T(1)), slope));
    }
};

template <class T>
struct Exponential : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "exponential";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return exp(z); }
    static RESEAU_INLINE V derivative(V a) { return a; }
};

// Calls f(j, n) for the vectors of a row of `columns` numbers: at column j, of which n lanes count.
template <class T, class F>
static RESEAU_INLINE void for_vectors(int64_t columns, F f) {
    for (int64_t j = 0; j < columns; j += Vec<T>::width) {
        const int64_t left = columns - j;
        f(j, static_cast<int>(left < Vec<T>::width ? left : Vec<T>::width));
    }
}

template <class T>
static RESEAU_INLINE T row_maximum(const T* x, int64_t n) {
    LaneMax<T> largest;
    for_vectors<T>(n, [&](int64_t j, int lanes) { largest.add(Vec<T>::load(x + j), lanes); });
    return largest.total();
}

// x and y of the row-wise functions are padded to whole vectors; what is written beyond the n numbers is zero.

template <class T>
struct Softmax {
    using V = Vec<T>;
    static constexpr const char* name = "softmax";
    static constexpr bool row_wise = true, from_value = true;

    static void forward(const T* z, T* a, int64_t n) {
        const V largest(row_maximum(z, n));
        LaneSum<T> sum;
        for_vectors<T>(n, [&](int64_t j, int lanes) {
            const V e = exp(V::load(z + j) - largest);
            sum.add(e, lanes);
            select(Mask<T>::first(lanes), e, V::zero()).store(a + j);
        });
        const V total(sum.total());
        for_vectors<T>(n, [&](int64_t j, int) { (V::load(a + j) / total).store(a + j); });
    }

    // g_j ← S_j (g_j − Σ_i g_i S_i), which is g · D with D_ij = S_i (δ_ij − S_j).
    static void pullback(const T* a, T* g, int64_t n) {
        LaneSum<T> sum;
        for_vectors<T>(n, [&](int64_t j, int lanes) { sum.add(V::load(g + j) * V::load(a + j), lanes); });
        const V mean(sum.total());
        for_vectors<T>(n, [&](int64_t j, int) { (V::load(a + j) * (V::load(g + j) - mean)).store(g + j); });
    }
};

template <class T>
struct LogSoftmax {
    using V = Vec<T>;
    static constexpr const char* name = "log_softmax";
    static constexpr bool row_wise = true, from_value = true;

    static void forward(const T* z, T* a, int64_t n) {
        const V largest(row_maximum(z, n));
        LaneSum<T> sum;
        for_vectors<T>(n, [&](int64_t j, int lanes) { sum.add(exp(V::load(z + j) - largest), lanes); });
        const V log_total = log(V(sum.total()));
        for_vectors<T>(n, [&](int64_t j, int lanes) {
            select(Mask<T>::first(lanes), V::load(z + j) - largest - log_total, V::zero()).store(a + j);
        });
    }

    // g_j ← g_j − S_j Σ_i g_i with S = e^a.
    static void pullback(const T* a, T* g, int64_t n) {
        LaneSum<T> sum;
        for_vectors<T>(n, [&](int64_t j, int lanes) { sum.add(V::load(g + j), lanes); });
        const V total(sum.total());
        for_vectors<T>(n, [&](int64_t j, int lanes) {
            select(Mask<T>::first(lanes), fnma(exp(V::load(a + j)), total, V::load(g + j)), V::zero()).store(g + j);
        });
    }
};

// --- an entry of the table ---------------------------------------------------------------------------------------------------

// Works on a tile of `rows` rows and `vectors` vectors (elementwise), or on `rows` whole rows of n numbers (row-wise).
template <class T>
struct ActivationEntry {
    const char* name;
    bool row_wise;
    bool from_value;
    // a ← σ(z), d ← σ'(z) if d is given; z may be a. `bias` is added to z first, if given, and z kept unless it is a.
    void (*forward)(Matrix<T> z, const T* bias, Matrix<T> a, Matrix<T> d, int64_t rows, int64_t vectors);
    void (*backward)(Matrix<T> a, Matrix<T> d, Matrix<T> g, int64_t rows, int64_t vectors);  // g ← g · σ'
    void (*forward_row)(const T* z, T* a, int64_t n);
    void (*pullback_row)(const T* a, T* g, int64_t n);
};

template <class T, class Activation>
static void forward_tile(Matrix<T> z, const T* bias, Matrix<T> a, Matrix<T> d, int64_t rows, int64_t vectors) {
    for (int64_t r = 0; r < rows; ++r) {
        for (int64_t v = 0; v < vectors; ++v) {
            const int64_t j = v * Vec<T>::width;
            Vec<T> x = Vec<T>::load(z.row(r) + j);
            if (bias != nullptr) {
                x = x + Vec<T>::load(bias + j);
                if (z.data != a.data) x.store(z.row(r) + j);
            }
            Activation::value(x).store(a.row(r) + j);
            if constexpr (!Activation::from_value) {
                if (d.data != nullptr) Activation::derivative(x).store(d.row(r) + j);
            }
        }
    }
}

template <class T, class Activation>
static void backward_tile(Matrix<T> a, Matrix<T> d, Matrix<T> g, int64_t rows, int64_t vectors) {
    for (int64_t r = 0; r < rows; ++r) {
        for (int64_t v = 0; v < vectors; ++v) {
            const int64_t j = v * Vec<T>::width;
            const Vec<T> slope = Activation::from_value ? Activation::derivative(Vec<T>::load(a.row(r) + j)) : Vec<T>::load(d.row(r) + j);
            (Vec<T>::load(g.row(r) + j) * slope).store(g.row(r) + j);
        }
    }
}

template <class T, template <class> class Activation>
constexpr ActivationEntry<T> activation_entry() {
    using A = Activation<T>;
    if constexpr (A::row_wise) {
        return {A::name, true, true, nullptr, nullptr, A::forward, A::pullback};
    } else {
        return {A::name, false, A::from_value, forward_tile<T, A>, backward_tile<T, A>, nullptr, nullptr};
    }
}

template <class T>
inline constexpr ActivationEntry<T> activations[] = {
    activation_entry<T, Identity>(), activation_entry<T, Sigmoid>(),     activation_entry<T, Tanh>(),
    activation_entry<T, Softmax>(),  activation_entry<T, LogSoftmax>(),  activation_entry<T, Relu>(),
    activation_entry<T, LeakyRelu>(), activation_entry<T, Elu>(),        activation_entry<T, Selu>(),
    activation_entry<T, Gelu>(),     activation_entry<T, GeluTanh>(),    activation_entry<T, Silu>(),
    activation_entry<T, Mish>(),     activation_entry<T, Softplus>(),    activation_entry<T, Softsign>(),
    activation_entry<T, HardSigmoid>(), activation_entry<T, HardSwish>(), activation_entry<T, Exponential>(),
};

}  // namespace reseau::RESEAU_ISA
