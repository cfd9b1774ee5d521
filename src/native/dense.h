// Dense layers, Z = A W + b: the products Z = A W, ∂E/∂A = δ Wᵀ and ∂E/∂W = Aᵀ δ, in kinds that differ in how W lies in
// memory and in what the products' factors are.
#pragma once

#include "epilogues.h"
#include "factors.h"
#include "phase.h"

namespace reseau::RESEAU_ISA {

template <class T>
inline constexpr int64_t panel_width = panel_vectors * Vec<T>::width;

// So many panels have n columns, and so many units n rows of W.
template <class T>
static RESEAU_INLINE int64_t panels_of(int64_t n) {
    return (n + panel_width<T> - 1) / panel_width<T>;
}
static RESEAU_INLINE int64_t blocks_of(int64_t n) { return (n + unit_rows - 1) / unit_rows; }

// Units stand below one another in groups before the next panel's begin, so that a group's inputs in a chunk of rows
// (half of the second cache) stay there for all panels, and a panel of δ (64 KB) for the group. Without groups all
// inputs would be read again for each panel, from the third cache; the taller a group, the more rarely δ's panels are
// copied together for one. With one row it is the whole panel.
template <class T>
static RESEAU_INLINE int64_t group_units(const Machine& machine, int64_t rows) {
    const int64_t unit =
        (rows < chunk_rows ? rows : chunk_rows) * unit_rows * static_cast<int64_t>(sizeof(T));  // bytes of its inputs
    const int64_t fit = machine.second_cache / 2 / unit;
    return fit < most_units || rows > chunk_rows ? most_units : fit;
}

// Where unit u of a layer begins in W: at row i and column j. `left` counts it and those after it on the same columns.
struct Unit {
    int64_t i, j, left;
};
template <class T>
static Unit unit_at(const Layer& layer, int64_t u, int64_t rows) {
    const int64_t panels = panels_of<T>(layer.n_out), blocks = blocks_of(layer.n_in),
                  group = group_units<T>(layer.machine, rows);
    const int64_t above = u / (panels * group) * group;
    const int64_t height = blocks - above < group ? blocks - above : group;
    const int64_t within = u - panels * above;
    return {(above + within % height) * unit_rows, within / height * panel_width<T>, height - within % height};
}

// --- what all kinds of dense layers share ----------------------------------------------------------------------------

// δ_{l−1} of rows [begin, end) from δ_l Wᵀ; Wᵀ lies in panels of `height` rows.
template <class T, class E>
static RESEAU_INLINE void send_back(const Step<T>& step, int l, int64_t begin, int64_t end, Matrix<E> delta,
                                    const E* W_transposed, int64_t height) {
    const Layer& layer = step.plan->layers[l - 1];
    const PullBack<T> pull_back(step, l - 1, begin);
    multiply(end - begin, elements<E>(layer.n_out), part(delta, begin, 0), W_transposed, elements<E>(height),
             layer.in_padded, pull_back.G, layer.machine.asks_ahead, pull_back);
    pull_back.finish(end - begin);
}

template <class T>
struct AnyDense {
    static void plan_products(Layer& layer, Plan& plan) {
        plan.flat_size += layer.n_in * layer.n_out;
        plan.multiplications += layer.n_in * layer.n_out;
        layer.panels = plan.packed_size;
    }

    static int64_t kept_numbers(const Layer&, int64_t) { return 0; }

    // Row r's ∂o/∂W = aᵀ δ.
    static void row_gradients(const Step<T>& step, int l, int64_t rows, Matrix<T> J) {
        const Layer& layer = step.plan->layers[l - 1];
        for (int64_t r = 0; r < rows; ++r) {
            const T *a = step.work.A[l - 1].row(r), *delta = step.work.delta[l].row(r);
            T *const dW = J.row(r) + layer.flat_W, *const end = J.row(r) + step.plan->flat_size;
            if (layer.n_out == 1) {
                scaled(delta[0], a, dW, layer.n_in, end);
            } else {
                for (int64_t i = 0; i < layer.n_in; ++i) scaled(a[i], delta, dW + i * layer.n_out, layer.n_out, end);
            }
        }
    }
};

// --- W in panels -----------------------------------------------------------------------------------------------------

// δ's panel is copied together where that pays: with rows far apart in memory each would cost an address translation
// for every unit that reads it, and with fewer units the copy costs more than it saves.
inline constexpr int64_t units_worth_a_copy = 4;

// The factors are numbers or, with E = Bf16Pair, pairs of them.
template <class T, class E = T>
struct Dense : AnyDense<T> {
    using V = Vec<T>;
    using F = Factors<T, E>;

    static bool suits(const Layer&, const Demands&) { return true; }

    static void plan(const Demands& demands, Layer& layer, Plan& plan) {
        AnyDense<T>::plan_products(layer, plan);
        plan.packed_size += layer.in_padded * layer.out_padded;
        F::plan(demands, layer, plan);
        layer.units = blocks_of(layer.n_in) * panels_of<T>(layer.n_out);
        plan.squares += blocks_of(layer.n_in) * square_pieces<T>(layer.n_out);
    }

    static int64_t unit_work(const Layer& layer, int64_t u, int64_t rows) {
        const int64_t left = layer.n_in - unit_at<T>(layer, u, rows).i;
        return left < unit_rows ? left : unit_rows;
    }

    static int64_t kept_numbers(const Layer& layer, int64_t rows) { return F::kept_numbers(layer, rows); }

    static void pack(const Layer& layer, const T* flat, T* packed, T* mirrors) {
        each_panel(layer, [&](int64_t j, int64_t panel, int64_t columns, int64_t n) {
            for (int64_t i = 0; i < layer.n_in; ++i)
                copy(flat + layer.flat_W + i * layer.n_out + j, packed + panel + i * columns, n);
            if (mirrors != nullptr) F::renew_W(layer, packed, mirrors, j, 0, layer.in_padded);
        });
    }

    static void unpack(const Layer& layer, const T* packed, T* flat) {
        each_panel(layer, [&](int64_t j, int64_t panel, int64_t columns, int64_t n) {
            for (int64_t i = 0; i < layer.n_in; ++i)
                copy(packed + panel + i * columns, flat + layer.flat_W + i * layer.n_out + j, n);
        });
    }

    static void forward(const Step<T>& step, int l, int64_t begin, int64_t end) {
        const Layer& layer = step.plan->layers[l - 1];
        const F factors(step, l);
        const Activate<T> activate(step, l, begin);
        factors.renew_A(begin, end);
        multiply(end - begin, elements<E>(layer.n_in), part(factors.A_along(), begin, 0), factors.W(),
                 elements<E>(layer.in_padded), layer.out_padded, activate.Z, layer.machine.asks_ahead, activate);
        activate.finish(end - begin);
    }

    static void backward(const Step<T>& step, int l, int64_t begin, int64_t end, bool sends_back) {
        const F factors(step, l);
        factors.renew_delta(begin, end);
        if (!sends_back) return;
        send_back(step, l, begin, end, factors.delta_along(), factors.W_transposed(),
                  step.plan->layers[l - 1].out_padded);
    }

    static int64_t update(WeightsPhase<T>& phase, int l, int64_t u, int64_t end) {
        const Step<T>& step = phase.step;
        const Layer& layer = step.plan->layers[l - 1];
        const F factors(step, l);
        const auto [i, j, left] = unit_at<T>(layer, u, step.rows);
        const int64_t count = end - u < left ? end - u : left;
        const int64_t columns = panel_columns<T>(layer.out_padded, j);
        const bool several_chunks = step.rows > chunk_rows;  // then each unit's sum waits for the next
        T* const gradients = several_chunks ? phase.gradient() : nullptr;
        const Matrix<E> A = factors.A_down(), all = part(factors.delta_down(), 0, j);
        for (int64_t r = 0; r < step.rows; r += chunk_rows) {
            const int64_t rows = step.rows - r < chunk_rows ? step.rows - r : chunk_rows;
            const bool last = r + rows == step.rows;
            const int64_t K = elements<E>(rows), k = elements<E>(r);
            const Matrix<E> delta =
                count < units_worth_a_copy ? part(all, k, 0) : phase.together(part(all, k, 0), K, columns);
            if (i == 0) {
                const int64_t own = phase.own_rows(r, rows);
                phase.move_bias(layer, part(step.work.delta[l], r, j), own, j, columns, r > 0, last);
            }
            for (int64_t block = 0; block < count; ++block) {
                const int64_t first = i + block * unit_rows;
                const int64_t n = layer.n_in - first < unit_rows ? layer.n_in - first : unit_rows;
                T* const gradient = several_chunks ? gradients + block * unit_rows * panel_width<T> : phase.gradient();
                if (last) phase.fetch(place(layer, first, j), n * columns);
                const E* const a = A.row(k) + first;
                if (moves_beside && n == unit_rows && columns == panel_width<T> && !several_chunks) {
                    phase.template sum<E>(K, a, A.stride, delta.data, delta.stride, gradient);
                } else {
                    for (int64_t m = 0; m < n; m += tile_rows) {
                        const int64_t height = n - m < tile_rows ? n - m : tile_rows;
                        tile_for<E, true>(height, columns / V::width)(K, a + m, A.stride, delta.data, delta.stride,
                                                                      gradient + m * columns, columns, r > 0);
                    }
                }
                if (last) put_off_unit(phase, layer, first, j, n, gradient);
            }
        }
        return count;
    }

    static void predict_row(const Layer& layer, const T* flat, const T* a, T* z, T*) {
        multiply_row(layer.n_in, a, flat + layer.flat_W, layer.has_bias ? flat + layer.flat_b : nullptr, z,
                     layer.n_out);
    }

protected:
    // Where row i of the panel at column j lies.
    static int64_t place(const Layer& layer, int64_t i, int64_t j) {
        return layer.panels + j * layer.in_padded + i * panel_columns<T>(layer.out_padded, j);
    }

    // The step of a unit, n rows of a panel from `first` on, beside the sums of the next.
    static void put_off_unit(WeightsPhase<T>& phase, const Layer& layer, int64_t first, int64_t j, int64_t n,
                             const T* gradient) {
        const int64_t pieces = square_pieces<T>(layer.n_out), piece = j / square_columns<T>;
        phase.put_off(place(layer, first, j), gradient, n, panel_columns<T>(layer.out_padded, j),
                      layer.first_square + first / unit_rows * pieces + piece, pieces - piece, layer, F::renew_W, j,
                      first, first + round_up(n, V::width));
    }

private:
    // Calls f(j, panel, columns, n) for each panel: its first column, its place, how many columns it has, and how many
    // of them W has.
    template <class Visit>
    static RESEAU_INLINE void each_panel(const Layer& layer, Visit f) {
        for (int64_t j = 0; j < layer.out_padded; j += panel_width<T>) {
            const int64_t columns = panel_columns<T>(layer.out_padded, j);
            f(j, place(layer, 0, j), columns, layer.n_out - j < columns ? layer.n_out - j : columns);
        }
    }
};

// --- products in bfloat16 --------------------------------------------------------------------------------------------

template <class T>
struct RoundedDense : Dense<T, Rounded<T>> {
    static bool suits(const Layer&, const Demands& demands) { return demands.precision == Precision::bf16; }
};

// --- sparse rows -----------------------------------------------------------------------------------------------------

// The first layer of sparse rows, whose products sum only the numbers that there are, in the order in which `multiply`
// sums, which passes over nothing but zeros more.
template <class T>
struct SparseDense : Dense<T> {
    using V = Vec<T>;

    static bool suits(const Layer&, const Demands& demands) { return demands.sparse_rows; }

    static void forward(const Step<T>& step, int l, int64_t begin, int64_t end) {
        constexpr int64_t ahead = 8;  // numbers whose weights are asked for beforehand
        const Layer& layer = step.plan->layers[l - 1];
        const Activate<T> activate(step, l, begin);
        const Samples<T>& samples = step.samples;
        for (int64_t j = 0; j < layer.out_padded; j += panel_width<T>) {
            const int64_t columns = panel_columns<T>(layer.out_padded, j);
            const T* panel = step.packed + Dense<T>::place(layer, 0, j);
            const int64_t second = columns > V::width ? V::width : 0;  // of one vector, the first again
            for (int64_t r = begin; r < end; ++r) {
                const int64_t place = samples.place(r), stop = samples.starts[place + 1];
                V first_sum = V::zero(), second_sum = V::zero();
                for (int64_t k = samples.starts[place]; k < stop; ++k) {
                    if (k + ahead < stop) __builtin_prefetch(panel + samples.columns[k + ahead] * columns);
                    const V x(samples.number(k));
                    const T* w = panel + samples.columns[k] * columns;
                    first_sum = fma(x, V::load(w), first_sum);
                    second_sum = fma(x, V::load(w + second), second_sum);
                }
                T* z = activate.Z.row(r - begin) + j;
                first_sum.store(z);
                if (second > 0) second_sum.store(z + V::width);
                activate(r - begin, j, 1, columns / V::width);
            }
        }
        activate.finish(end - begin);
    }

    // Of samples, to which nothing is sent back.
    static void backward(const Step<T>&, int, int64_t, int64_t, bool) {}

    static int64_t update(WeightsPhase<T>& phase, int l, int64_t u, int64_t end) {
        const Step<T>& step = phase.step;
        const Layer& layer = step.plan->layers[l - 1];
        const auto [i, j, left] = unit_at<T>(layer, u, step.rows);
        const int64_t count = end - u < left ? end - u : left;
        const int64_t columns = panel_columns<T>(layer.out_padded, j);
        const Matrix<T> delta = part(step.work.delta[l], 0, j);
        if (i == 0) phase.move_bias(layer, delta, step.rows, j, columns);
        for (int64_t first = i; first < i + count * unit_rows; first += unit_rows) {
            const int64_t n = layer.n_in - first < unit_rows ? layer.n_in - first : unit_rows;
            phase.fetch(Dense<T>::place(layer, first, j), n * columns);
            T* const gradient = phase.gradient();
            for (int64_t m = 0; m < n; ++m) {
                V sum[panel_vectors] = {};
                for (int64_t k = step.columns.starts[first + m]; k < step.columns.starts[first + m + 1]; ++k) {
                    const V x(step.columns.numbers[k]);
                    const T* d = delta.row(step.columns.rows[k]);
                    for (int64_t v = 0; v < panel_vectors; ++v)
                        sum[v] = fma(x, V::load(d + (v * V::width < columns ? v * V::width : 0)), sum[v]);
                }
                for (int64_t v = 0; v * V::width < columns; ++v) sum[v].store(gradient + m * columns + v * V::width);
            }
            Dense<T>::put_off_unit(phase, layer, first, j, n, gradient);
        }
        return count;
    }
};

// --- few neurons -----------------------------------------------------------------------------------------------------

// Few neurons would leave most of a panel idle. So only Wᵀ is kept, whose rows lie along the lanes, and serves all
// three products: for each panel of columns i, for each j < n_out, the panel's W(i, j).
template <class T>
struct NarrowDense : AnyDense<T> {
    using V = Vec<T>;

    // Measured with batches of 32 on AVX-512, where up to a quarter of a vector's lanes the dot products take less time
    // than a panel, and the update a fraction.
    static bool suits(const Layer& layer, const Demands&) {
        constexpr int64_t lanes = 64 / sizeof(T);
        return 4 * layer.n_out <= lanes && layer.n_in >= lanes;
    }

    static void plan(const Demands&, Layer& layer, Plan& plan) {
        AnyDense<T>::plan_products(layer, plan);
        plan.packed_size += layer.in_padded * layer.n_out;
        layer.units = panels_of<T>(layer.n_in);
        plan.squares += square_pieces<T>(layer.n_in);
    }

    static int64_t unit_work(const Layer& layer, int64_t, int64_t) { return layer.n_out; }

    static void pack(const Layer& layer, const T* flat, T* packed, T*) {
        each_weight(layer, [&](int64_t place, int64_t i, int64_t j) {
            packed[place] = flat[layer.flat_W + i * layer.n_out + j];
        });
    }

    static void unpack(const Layer& layer, const T* packed, T* flat) {
        each_weight(layer, [&](int64_t place, int64_t i, int64_t j) {
            flat[layer.flat_W + i * layer.n_out + j] = packed[place];
        });
    }

    static void forward(const Step<T>& step, int l, int64_t begin, int64_t end) {
        const Layer& layer = step.plan->layers[l - 1];
        const Activate<T> activate(step, l, begin);
        multiply_narrow(end - begin, layer.n_in, part(step.work.A[l - 1], begin, 0), step.packed + layer.panels,
                        layer.n_out, activate.Z, activate);
        activate.finish(end - begin);
    }

    static void backward(const Step<T>& step, int l, int64_t begin, int64_t end, bool sends_back) {
        const Layer& layer = step.plan->layers[l - 1];
        if (!sends_back) return;
        const T* W_transposed = step.packed + layer.panels;
        send_back(step, l, begin, end, step.work.delta[l], W_transposed, layer.n_out);
    }

    // A unit is one panel of Wᵀ, with all its rows.
    static int64_t update(WeightsPhase<T>& phase, int l, int64_t u, int64_t) {
        const Step<T>& step = phase.step;
        const Layer& layer = step.plan->layers[l - 1];
        const int64_t i = u * panel_width<T>, columns = panel_columns<T>(layer.in_padded, i);
        const Matrix<T> A = step.work.A[l - 1], delta = step.work.delta[l];
        if (i == 0) phase.move_bias(layer, delta, phase.own_rows(0, step.rows), 0, layer.out_padded);
        T* const gradient = phase.gradient();
        tile_for<T, true>(layer.n_out, columns / V::width)(step.rows, delta.data, delta.stride, A.data + i, A.stride,
                                                           gradient, columns, false);
        if (layer.n_in - i < columns) {  // what is computed from beyond A's columns
            for (int64_t j = 0; j < layer.n_out; ++j) clear_beyond(gradient + j * columns, layer.n_in - i);
        }
        const int64_t piece = i / square_columns<T>;
        phase.move_penalised(layer.panels + i * layer.n_out, gradient, layer.n_out, columns, layer.first_square + piece,
                             square_pieces<T>(layer.n_in) - piece);
        return 1;
    }

    static void predict_row(const Layer& layer, const T* flat, const T* a, T* z, T* column) {
        const T *W = flat + layer.flat_W, *b = layer.has_bias ? flat + layer.flat_b : nullptr;
        V::zero().store(z);
        for (int64_t j = 0; j < layer.n_out; ++j) {
            for (int64_t i = 0; i < layer.n_in; ++i) column[i] = W[i * layer.n_out + j];
            LaneSum<T> sum;
            Along<T>{layer.n_in}.each([&](int64_t i, int lanes) {
                sum.add_product(V::load_partial(a + i, lanes), V::load_partial(column + i, lanes));
            });
            z[j] = sum.total() + (b != nullptr ? b[j] : T(0));
        }
    }

private:
    // Calls f(place, i, j) for each weight, with its place among the packed.
    template <class Visit>
    static RESEAU_INLINE void each_weight(const Layer& layer, Visit f) {
        for (int64_t start = 0; start < layer.n_in; start += panel_width<T>) {
            const int64_t columns = panel_columns<T>(layer.in_padded, start);
            const int64_t n = layer.n_in - start < columns ? layer.n_in - start : columns;
            const int64_t panel = layer.panels + start * layer.n_out;
            for (int64_t j = 0; j < layer.n_out; ++j) {
                for (int64_t i = 0; i < n; ++i) f(panel + j * columns + i, start + i, j);
            }
        }
    }
};

}  // namespace reseau::RESEAU_ISA
