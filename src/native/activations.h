// The table of activations, as the kernels see it; the formulas are those of activations.py, entry for entry.
//
// An elementwise activation has `value(z)` and `derivative(x)`, where x is the value a if `from_value`, else z itself.
// Then the forward pass keeps σ'(z) for the backward pass, as it does where dropout changes a. `second(z, a)` is σ″(z).
// A row-wise one has `forward` and `pullback` on whole rows, with `push`, from ż to ȧ = D ż, and `bend`, what the
// pullback of g changes by where a changes by ȧ.
#pragma once

#include "elementary.h"
#include "rows.h"

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
    static RESEAU_INLINE V second(V, V) { return V::zero(); }
};

template <class T>
struct Sigmoid : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "sigmoid";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return sigmoid(z); }
    static RESEAU_INLINE V derivative(V a) { return a * (V(T(1)) - a); }
    static RESEAU_INLINE V second(V, V a) { return derivative(a) * fnma(V(T(2)), a, V(T(1))); }
};

template <class T>
struct Tanh : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "tanh";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return tanh(z); }
    static RESEAU_INLINE V derivative(V a) { return fnma(a, a, V(T(1))); }
    static RESEAU_INLINE V second(V, V a) { return V(T(-2)) * a * derivative(a); }
};

template <class T>
struct Relu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "relu";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return max(V::zero(), z); }
    static RESEAU_INLINE V derivative(V a) { return select(a > V::zero(), V(T(1)), V::zero()); }
    static RESEAU_INLINE V second(V, V) { return V::zero(); }
};

template <class T>
struct LeakyRelu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "leaky_relu";
    static constexpr bool from_value = true;  // a has the sign of z
    static constexpr T slope = T(0.01);
    static RESEAU_INLINE V value(V z) { return select(z > V::zero(), z, V(slope) * z); }
    static RESEAU_INLINE V derivative(V a) { return select(a > V::zero(), V(T(1)), V(slope)); }
    static RESEAU_INLINE V second(V, V) { return V::zero(); }
};

template <class T>
struct Elu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "elu";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return select(z > V::zero(), z, expm1(z)); }
    static RESEAU_INLINE V derivative(V a) { return select(a > V::zero(), V(T(1)), a + V(T(1))); }
    static RESEAU_INLINE V second(V, V a) { return select(a > V::zero(), V::zero(), a + V(T(1))); }
};

template <class T>
struct Selu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "selu";
    static constexpr bool from_value = true;
    static constexpr T scale = T(1.0507009873554805), scale_alpha = T(1.0507009873554805 * 1.6732632423543772);
    static RESEAU_INLINE V value(V z) { return select(z > V::zero(), V(scale) * z, V(scale_alpha) * expm1(z)); }
    static RESEAU_INLINE V derivative(V a) { return select(a > V::zero(), V(scale), a + V(scale_alpha)); }
    static RESEAU_INLINE V second(V, V a) { return select(a > V::zero(), V::zero(), a + V(scale_alpha)); }
};

template <class T>
struct Gelu : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "gelu";
    static constexpr bool from_value = false;
    static RESEAU_INLINE V value(V z) { return z * normal_cdf(z); }
    static RESEAU_INLINE V derivative(V z) { return fma(z, normal_pdf(z), normal_cdf(z)); }
    // The density is 0 long before the square overflows.
    static RESEAU_INLINE V second(V z, V) {
        const V near = min(V(T(40)), max(V(T(-40)), z));
        return normal_pdf(z) * fnma(near, near, V(T(2)));
    }
};

template <class T>
struct GeluTanh : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "gelu_tanh";
    static constexpr bool from_value = false;
    // 2u = z (k + c z²), k = 2 √(2/π) and c = 0.044715 k, each in two parts; a double's second is what it lacks.
    static constexpr double k_double = 0x1.9884533d43651p+0, c_double = 0x1.2444f2a4d8b4bp-4;
    static constexpr T k = T(k_double), k_rest = T((k_double - double(k)) - 0x1.cbc0d30ebfd15p-54);
    static constexpr T c = T(c_double), c_rest = T((c_double - double(c)) - 0x1.6c843a29d1c70p-61);
    // ½ (1 + tanh u) = φ(2u), which keeps the digits of a small one. It is 1 or 0 where the cube of z might overflow.
    static RESEAU_INLINE V within(V z) { return min(V(T(30)), max(V(T(-30)), z)); }
    static RESEAU_INLINE V gate(V z) {
        const V square = z * z, cubic = V(c) * square;
        const V cubic_rest = fma(V(c), fma(z, z, -square), fma(V(c_rest), square, fma(V(c), square, -cubic)));
        const Pair<T> factor = sum(max(V(k), cubic), min(V(k), cubic));
        const V high = z * factor.high;
        return sigmoid(Pair<T>{high, fma(z, factor.low + (cubic_rest + V(k_rest)), fma(z, factor.high, -high))});
    }
    static RESEAU_INLINE V value(V z) { return z * gate(within(z)); }
    static RESEAU_INLINE V derivative(V far) {
        const V z = within(far);
        const V s = gate(z);
        return fma(z * s * (V(T(1)) - s), fma(V(T(3) * c) * z, z, V(k)), s);
    }
    // With w = 2u, s = φ(w) and s' = s (1 − s): 2 s' w' + z (s' (1 − 2s) w'² + s' w″).
    static RESEAU_INLINE V second(V far, V) {
        const V z = within(far), s = gate(z), slope = s * (V(T(1)) - s);
        const V w = fma(V(T(3) * c) * z, z, V(k));
        const V bent = fma(w * w, fnma(V(T(2)), s, V(T(1))), V(T(6) * c) * z);
        return slope * fma(z, bent, V(T(2)) * w);
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
    static RESEAU_INLINE V second(V z, V) {
        const V s = sigmoid(z), near = min(V(T(1e4)), max(V(T(-1e4)), z));
        return s * (V(T(1)) - s) * fma(near, fnma(V(T(2)), s, V(T(1))), V(T(2)));
    }
};

template <class T>
struct Mish : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "mish";
    static constexpr bool from_value = false;
    // tanh log(1 + e^z) = n/(n + 2) with n = e^z (e^z + 2), written with e = e^−|z| for z ≥ 0 too.
    static RESEAU_INLINE V gate(V z, V e) {
        const V n = select(z < V::zero(), e * (e + V(T(2))), fma(V(T(2)), e, V(T(1))));
        return n / fma(V(T(2)), select(z < V::zero(), V(T(1)), e * e), n);
    }
    static RESEAU_INLINE V value(V z) { return z * gate(z, exp(-abs(z))); }
    static RESEAU_INLINE V derivative(V z) {
        const V e = exp(-abs(z)), t = gate(z, e), sigmoid = select(z < V::zero(), e, V(T(1))) / (V(T(1)) + e);
        return fma(z * fnma(t, t, V(T(1))), sigmoid, t);
    }
    // With t the gate and s = φ(z): t' = (1 − t²) s, and 2 t' + z t' (1 − s − 2 t s).
    static RESEAU_INLINE V second(V z, V) {
        const V e = exp(-abs(z)), t = gate(z, e), s = select(z < V::zero(), e, V(T(1))) / (V(T(1)) + e);
        const V near = min(V(T(1e4)), max(V(T(-1e4)), z));
        const V bent = fnma(V(T(2)) * t, s, V(T(1)) - s);
        return fnma(t, t, V(T(1))) * s * fma(near, bent, V(T(2)));
    }
};

template <class T>
struct Softplus : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "softplus";
    static constexpr bool from_value = false;  // 1 − e^−a would lose the digits of a small a
    static RESEAU_INLINE V value(V z) { return softplus(z); }
    static RESEAU_INLINE V derivative(V z) { return sigmoid(z); }
    static RESEAU_INLINE V second(V z, V) {
        const V s = sigmoid(-abs(z));
        return s * (V(T(1)) - s);
    }
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
    static RESEAU_INLINE V second(V z, V) {
        const V r = V(T(1)) / (V(T(1)) + abs(z)), twice = select(z > V::zero(), V(T(-2)), V(T(2)));
        return select(abs(z) > V::zero(), twice * r * r * r, V::zero());
    }
};

template <class T>
struct HardSigmoid : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "hard_sigmoid";
    static constexpr bool from_value = false;  // the ends of the slope belong to z, not to the rounded value
    static RESEAU_INLINE V value(V z) { return min(V(T(1)), max(V::zero(), z / V(T(6)) + V(T(0.5)))); }
    static RESEAU_INLINE V derivative(V z) { return select(abs(z) < V(T(3)), V(T(1) / T(6)), V::zero()); }
    static RESEAU_INLINE V second(V, V) { return V::zero(); }
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
    static RESEAU_INLINE V second(V z, V) { return select(abs(z) < V(T(3)), V(T(1) / T(3)), V::zero()); }
};

template <class T>
struct Exponential : ElementwiseBase<T> {
    using V = Vec<T>;
    static constexpr const char* name = "exponential";
    static constexpr bool from_value = true;
    static RESEAU_INLINE V value(V z) { return exp(z); }
    static RESEAU_INLINE V derivative(V a) { return a; }
    static RESEAU_INLINE V second(V, V a) { return a; }
};

// The row-wise ones are written for rows in the shapes of rows.h; beyond a row's numbers they may write anything. Those
// that go with groups of a row's numbers load and store as the shape does it.

template <class T>
struct Softmax {
    using V = Vec<T>;
    static constexpr const char* name = "softmax";
    static constexpr bool row_wise = true, from_value = true, in_groups = true;

    template <class Shape>
    static RESEAU_INLINE void forward(Shape row, const T* z, T* a) {
        const V largest = row.maximum([&](int64_t i) { return row.load(z, i); });
        const V total = row.sum([&](int64_t i) {
            const V e = exp(row.load(z, i) - largest);
            row.store(e, a, i);
            return e;
        });
        row.each([&](int64_t i, int) { row.store(row.load(a, i) / total, a, i); });
    }

    // g_j ← S_j (g_j − Σ_i g_i S_i), which is g · D with D_ij = S_i (δ_ij − S_j).
    template <class Shape>
    static RESEAU_INLINE void pullback(Shape row, const T* a, T* g) {
        const V mean = row.sum([&](int64_t i) { return row.load(g, i) * row.load(a, i); });
        row.each([&](int64_t i, int) { row.store(row.load(a, i) * (row.load(g, i) - mean), g, i); });
    }

    // D is symmetric.
    template <class Shape>
    static RESEAU_INLINE void push(Shape row, const T* a, T* t) {
        pullback(row, a, t);
    }

    // h_j ← h_j + ȧ_j (g_j − Σ_i g_i S_i) − S_j Σ_i g_i ȧ_i.
    template <class Shape>
    static RESEAU_INLINE void bend(Shape row, const T* a, const T* g, const T* da, T* h) {
        const V mean = row.sum([&](int64_t i) { return row.load(g, i) * row.load(a, i); });
        const V change = row.sum([&](int64_t i) { return row.load(g, i) * row.load(da, i); });
        row.each([&](int64_t i, int) {
            const V x = fma(row.load(da, i), row.load(g, i) - mean, row.load(h, i));
            row.store(fnma(row.load(a, i), change, x), h, i);
        });
    }
};

template <class T>
struct LogSoftmax {
    using V = Vec<T>;
    static constexpr const char* name = "log_softmax";
    static constexpr bool row_wise = true, from_value = true, in_groups = true;

    template <class Shape>
    static RESEAU_INLINE void forward(Shape row, const T* z, T* a) {
        const V largest = row.maximum([&](int64_t i) { return row.load(z, i); });
        const V log_total = log(row.sum([&](int64_t i) { return exp(row.load(z, i) - largest); }));
        row.each([&](int64_t i, int) { row.store(row.load(z, i) - largest - log_total, a, i); });
    }

    // g_j ← g_j − S_j Σ_i g_i with S = e^a.
    template <class Shape>
    static RESEAU_INLINE void pullback(Shape row, const T* a, T* g) {
        const V total = row.sum([&](int64_t i) { return row.load(g, i); });
        row.each([&](int64_t i, int) { row.store(fnma(exp(row.load(a, i)), total, row.load(g, i)), g, i); });
    }

    // t_j ← t_j − Σ_i S_i t_i.
    template <class Shape>
    static RESEAU_INLINE void push(Shape row, const T* a, T* t) {
        const V mean = row.sum([&](int64_t i) { return exp(row.load(a, i)) * row.load(t, i); });
        row.each([&](int64_t i, int) { row.store(row.load(t, i) - mean, t, i); });
    }

    // h_j ← h_j − S_j ȧ_j Σ_i g_i.
    template <class Shape>
    static RESEAU_INLINE void bend(Shape row, const T* a, const T* g, const T* da, T* h) {
        const V total = row.sum([&](int64_t i) { return row.load(g, i); });
        row.each([&](int64_t i, int) {
            row.store(fnma(exp(row.load(a, i)) * row.load(da, i), total, row.load(h, i)), h, i);
        });
    }
};

// a_1 = z_1, a_j = a_{j−1} + softplus(z_j).
template <class T>
struct Increasing {
    using V = Vec<T>;
    static constexpr const char* name = "increasing";
    static constexpr bool row_wise = true, from_value = true, in_groups = false;

    template <class Shape>
    static RESEAU_INLINE void forward(Shape row, const T* z, T* a) {
        row.each([&](int64_t i, int) {
            const V score = V::load(z + i);
            select(row.first(i), score, softplus(score)).store(a + i);
        });
        row.cumulate(a);
    }

    // g_j ← (1 − e^(a_{j−1} − a_j)) Σ_{i≥j} g_i, the first without its factor.
    template <class Shape>
    static RESEAU_INLINE void pullback(Shape row, const T* a, T* g) {
        row.cumulate_back(g);
        row.each([&](int64_t i, int) { (slope(row, a, i) * V::load(g + i)).store(g + i); });
    }

    // t_i ← Σ_{j≤i} of the slope times t_j.
    template <class Shape>
    static RESEAU_INLINE void push(Shape row, const T* a, T* t) {
        row.each([&](int64_t i, int) { (slope(row, a, i) * V::load(t + i)).store(t + i); });
        row.cumulate(t);
    }

    // h_j ← h_j + e^(a_{j−1} − a_j) (ȧ_j − ȧ_{j−1}) Σ_{i≥j} g_i, the first unchanged.
    template <class Shape>
    static RESEAU_INLINE void bend(Shape row, const T* a, const T* g, const T* da, T* h) {
        row.each_with_sums_back(g, [&](int64_t i, V sums) {
            const V change = exp(row.before(a, i) - V::load(a + i)) * (V::load(da + i) - row.before(da, i));
            fma(change, sums, V::load(h + i)).store(h + i);
        });
    }

private:
    template <class Shape>
    static RESEAU_INLINE V slope(Shape row, const T* a, int64_t i) {
        return select(row.first(i), V(T(1)), -expm1(row.before(a, i) - V::load(a + i)));
    }
};

// z and e^z by turns.
template <class T>
struct MeanScale {
    using V = Vec<T>;
    static constexpr const char* name = "mean_scale";
    static constexpr bool row_wise = true, from_value = true, in_groups = false;

    template <class Shape>
    static RESEAU_INLINE void forward(Shape row, const T* z, T* a) {
        row.each([&](int64_t i, int) {
            const V score = V::load(z + i);
            select(row.first_of_pair(i), score, exp(score)).store(a + i);
        });
    }

    template <class Shape>
    static RESEAU_INLINE void pullback(Shape row, const T* a, T* g) {
        row.each([&](int64_t i, int) {
            const V gradient = V::load(g + i);
            select(row.first_of_pair(i), gradient, gradient * V::load(a + i)).store(g + i);
        });
    }

    // D is diagonal.
    template <class Shape>
    static RESEAU_INLINE void push(Shape row, const T* a, T* t) {
        pullback(row, a, t);
    }

    // h ← h + 0 and g ȧ by turns.
    template <class Shape>
    static RESEAU_INLINE void bend(Shape row, const T*, const T* g, const T* da, T* h) {
        row.each([&](int64_t i, int) {
            const V kept = V::load(h + i);
            select(row.first_of_pair(i), kept, fma(V::load(g + i), V::load(da + i), kept)).store(h + i);
        });
    }
};

// --- an entry of the table -------------------------------------------------------------------------------------------

// Works on a tile of `rows` rows and `vectors` vectors (elementwise), or on `rows` whole rows (row-wise).
template <class T>
struct ActivationEntry {
    const char* name;
    bool row_wise;
    bool from_value;
    // a ← σ(z), d ← σ'(z) if d is given; z may be a. `bias` is added to z first, if given, and z kept unless it is a.
    void (*forward)(Matrix<T> z, const T* bias, Matrix<T> a, Matrix<T> d, int64_t rows, int64_t vectors);
    void (*backward)(Matrix<T> a, Matrix<T> d, Matrix<T> g, int64_t rows, int64_t vectors);  // g ← g · σ'
    // Beyond the numbers of a row, to the next whole vector, they write zeros.
    void (*forward_rows)(Matrix<T> z, Matrix<T> a, int64_t rows, const Row& row);
    void (*pullback_rows)(Matrix<T> a, Matrix<T> g, int64_t rows, const Row& row);
    // Along a direction, whole rows: t = ż ← ȧ = σ'(z) ż, or D ż of a row-wise one.
    void (*push)(Matrix<T> a, Matrix<T> d, Matrix<T> t, int64_t rows, const Row& row);
    // h ← h + what g · σ' changes by: g σ″(z) t with t = ż, or of a row-wise one with t = ȧ.
    void (*bend)(Matrix<T> z, Matrix<T> a, Matrix<T> g, Matrix<T> t, Matrix<T> h, int64_t rows, const Row& row);
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
    if constexpr (Activation::from_value) {
        if (d.data == nullptr) return;
        for (int64_t r = 0; r < rows; ++r) {
            for (int64_t v = 0; v < vectors; ++v) {
                const int64_t j = v * Vec<T>::width;
                Activation::derivative(Vec<T>::load(a.row(r) + j)).store(d.row(r) + j);
            }
        }
    }
}

template <class T, class Activation>
static void backward_tile(Matrix<T> a, Matrix<T> d, Matrix<T> g, int64_t rows, int64_t vectors) {
    const auto multiply = [&](auto slope) {
        for (int64_t r = 0; r < rows; ++r) {
            for (int64_t v = 0; v < vectors; ++v) {
                const int64_t j = v * Vec<T>::width;
                (Vec<T>::load(g.row(r) + j) * slope(r, j)).store(g.row(r) + j);
            }
        }
    };
    if (!Activation::from_value || d.data != nullptr) {
        multiply([&](int64_t r, int64_t j) { return Vec<T>::load(d.row(r) + j); });
    } else {
        multiply([&](int64_t r, int64_t j) { return Activation::derivative(Vec<T>::load(a.row(r) + j)); });
    }
}

// Zeros from the n-th number of a row to the next whole vector.
template <class T>
static RESEAU_INLINE void clear_beyond(T* row, int64_t n) {
    const int64_t last = (n - 1) / Vec<T>::width * Vec<T>::width;
    select(Mask<T>::first(static_cast<int>(n - last)), Vec<T>::load(row + last), Vec<T>::zero()).store(row + last);
}

// f(shape, first) of a row along the lanes, or of each of its groups, where the activation goes with such.
template <class T, class Activation, class F>
static RESEAU_INLINE void along(const Row& row, F f) {
    if constexpr (Activation::in_groups) {
        along_row<T>(row, [&](auto shape, int64_t first, int) { f(shape, first); });
    } else {
        f(Along<T>{row.n}, int64_t{0});
    }
}

// The same of rows abreast.
template <class T, class Activation, class F>
static RESEAU_INLINE void abreast(const Row& row, F f) {
    if constexpr (Activation::in_groups) {
        row.each([&](int64_t first, int64_t n, int) { f(Abreast<T>{n}, first * Vec<T>::width); });
    } else {
        f(Abreast<T>{row.n}, int64_t{0});
    }
}

template <class T, class Activation>
static void forward_rows(Matrix<T> z, Matrix<T> a, int64_t rows, const Row& row) {
    Turned<T> scores, values;
    for_rows<T>(
        rows, row.n,
        [&](int64_t r, int64_t count) {
            scores.load(part(z, r, 0), count, row.n);
            abreast<T, Activation>(row, [&](auto shape, int64_t first) {
                Activation::forward(shape, scores.numbers + first, values.numbers + first);
            });
            values.store(part(a, r, 0), count, row.n);
        },
        [&](int64_t r) {
            along<T, Activation>(row, [&](auto shape, int64_t first) {
                Activation::forward(shape, z.row(r) + first, a.row(r) + first);
            });
            clear_beyond(a.row(r), row.n);
        });
}

template <class T, class Activation>
static void pullback_rows(Matrix<T> a, Matrix<T> g, int64_t rows, const Row& row) {
    Turned<T> values, gradients;
    for_rows<T>(
        rows, row.n,
        [&](int64_t r, int64_t count) {
            values.load(part(a, r, 0), count, row.n);
            gradients.load(part(g, r, 0), count, row.n);
            abreast<T, Activation>(row, [&](auto shape, int64_t first) {
                Activation::pullback(shape, values.numbers + first, gradients.numbers + first);
            });
            gradients.store(part(g, r, 0), count, row.n);
        },
        [&](int64_t r) {
            along<T, Activation>(row, [&](auto shape, int64_t first) {
                Activation::pullback(shape, a.row(r) + first, g.row(r) + first);
            });
            clear_beyond(g.row(r), row.n);
        });
}

template <class T, class Activation>
static void push(Matrix<T> a, Matrix<T> d, Matrix<T> t, int64_t rows, const Row& row) {
    if constexpr (Activation::row_wise) {
        for (int64_t r = 0; r < rows; ++r) {
            along<T, Activation>(
                row, [&](auto shape, int64_t first) { Activation::push(shape, a.row(r) + first, t.row(r) + first); });
            clear_beyond(t.row(r), row.n);
        }
    } else {
        backward_tile<T, Activation>(a, d, t, rows, (row.n + Vec<T>::width - 1) / Vec<T>::width);
    }
}

template <class T, class Activation>
static void bend(Matrix<T> z, Matrix<T> a, Matrix<T> g, Matrix<T> t, Matrix<T> h, int64_t rows, const Row& row) {
    using V = Vec<T>;
    for (int64_t r = 0; r < rows; ++r) {
        if constexpr (Activation::row_wise) {
            along<T, Activation>(row, [&](auto shape, int64_t first) {
                Activation::bend(shape, a.row(r) + first, g.row(r) + first, t.row(r) + first, h.row(r) + first);
            });
            clear_beyond(h.row(r), row.n);
        } else {
            for (int64_t j = 0; j < row.n; j += V::width) {
                const V curve = Activation::second(V::load(z.row(r) + j), V::load(a.row(r) + j));
                fma(V::load(g.row(r) + j) * curve, V::load(t.row(r) + j), V::load(h.row(r) + j)).store(h.row(r) + j);
            }
        }
    }
}

template <class T, template <class> class Activation>
constexpr ActivationEntry<T> activation_entry() {
    using A = Activation<T>;
    if constexpr (A::row_wise) {
        return {A::name, true, true, nullptr, nullptr, forward_rows<T, A>, pullback_rows<T, A>, push<T, A>, bend<T, A>};
    } else {
        return {A::name, false,   A::from_value, forward_tile<T, A>, backward_tile<T, A>,
                nullptr, nullptr, push<T, A>,    bend<T, A>};
    }
}

template <class T>
inline constexpr ActivationEntry<T> activations[] = {
    activation_entry<T, Identity>(),  activation_entry<T, Sigmoid>(),     activation_entry<T, Tanh>(),
    activation_entry<T, Softmax>(),   activation_entry<T, LogSoftmax>(),  activation_entry<T, Increasing>(),
    activation_entry<T, MeanScale>(), activation_entry<T, Relu>(),        activation_entry<T, LeakyRelu>(),
    activation_entry<T, Elu>(),       activation_entry<T, Selu>(),        activation_entry<T, Gelu>(),
    activation_entry<T, GeluTanh>(),  activation_entry<T, Silu>(),        activation_entry<T, Mish>(),
    activation_entry<T, Softplus>(),  activation_entry<T, Softsign>(),    activation_entry<T, HardSigmoid>(),
    activation_entry<T, HardSwish>(), activation_entry<T, Exponential>(),
};

}  // namespace reseau::RESEAU_ISA
