// The two phases of a training step, and what shares their parts: prediction, errors, ∂O/∂X.
//
// Rows phase: rows are independent, so that any range of them goes through forward, loss and all δ on its own.
// Weights phase: dW = Aᵀ δ is cut into units of unit_rows rows and one panel of columns; a unit's gradient is summed over all
// rows of the batch in a tile, and the optimizer moves exactly these weights before the tile has left the first cache.
#pragma once

#include "activations.h"
#include "dropout.h"
#include "factors.h"
#include "losses.h"
#include "optimizers.h"

namespace reseau::RESEAU_ISA {

// --- parameters: between the flat vector and panels ---------------------------------------------------------------------------

// n numbers, with no more written; for rows as short as a panel's a call of memcpy takes longer than the copy.
template <class T>
static RESEAU_INLINE void copy(const T* source, T* target, int64_t n) {
    using V = Vec<T>;
    int64_t i = 0;
    for (; i + V::width <= n; i += V::width) V::load(source + i).store(target + i);
    if (i < n) V::load_partial(source + i, static_cast<int>(n - i)).store_partial(target + i, static_cast<int>(n - i));
}

// Calls f(place, i, j) for each weight of a narrow layer, with its place among the panels.
template <class T, class F>
static RESEAU_INLINE void each_narrow(const Layer& layer, F f) {
    constexpr int64_t panel_width = panel_vectors * Vec<T>::width;
    for (int64_t start = 0; start < layer.n_in; start += panel_width) {
        const int64_t columns = layer.in_padded - start < panel_width ? layer.in_padded - start : panel_width;
        const int64_t n = layer.n_in - start < columns ? layer.n_in - start : columns;
        for (int64_t j = 0; j < layer.n_out; ++j) {
            for (int64_t i = 0; i < n; ++i) f(start * layer.n_out + j * columns + i, start + i, j);
        }
    }
}

// The padding is zero already, from the beginning.
template <class T>
static void pack(const Plan& plan, const T* flat, T* packed, T* mirrors, Bf16Pair* pairs) {
    constexpr int64_t panel_width = panel_vectors * Vec<T>::width;
    for (int l = 0; l < plan.count; ++l) {
        const Layer& layer = plan.layers[l];
        if (layer.has_bias) __builtin_memcpy(packed + layer.bias, flat + layer.flat_b, layer.n_out * sizeof(T));
        if (layer.narrow) {
            each_narrow<T>(layer, [&](int64_t place, int64_t i, int64_t j) {
                packed[layer.panels + place] = flat[layer.flat_W + i * layer.n_out + j];
            });
            continue;
        }
        for (int64_t j = 0; j < layer.out_padded; j += panel_width) {
            const int64_t columns = layer.out_padded - j < panel_width ? layer.out_padded - j : panel_width;
            const int64_t n = layer.n_out - j < columns ? layer.n_out - j : columns;
            T* panel = packed + layer.panels + j * layer.in_padded;
            for (int64_t i = 0; i < layer.n_in; ++i) {
                copy(flat + layer.flat_W + i * layer.n_out + j, panel + i * columns, n);
            }
            if (layer.mirror >= 0) mirror_panel(layer, packed, mirrors, j, 0, layer.in_padded);
            if constexpr (has_pairs<T>) {
                if (pairs != nullptr) pair_panel(layer, packed, pairs, j, 0, layer.in_padded);
            }
        }
    }
}

template <class T>
static void unpack(const Plan& plan, const T* packed, T* flat) {
    constexpr int64_t panel_width = panel_vectors * Vec<T>::width;
    for (int l = 0; l < plan.count; ++l) {
        const Layer& layer = plan.layers[l];
        if (layer.has_bias) __builtin_memcpy(flat + layer.flat_b, packed + layer.bias, layer.n_out * sizeof(T));
        if (layer.narrow) {
            each_narrow<T>(layer, [&](int64_t place, int64_t i, int64_t j) {
                flat[layer.flat_W + i * layer.n_out + j] = packed[layer.panels + place];
            });
            continue;
        }
        for (int64_t j = 0; j < layer.out_padded; j += panel_width) {
            const int64_t columns = layer.out_padded - j < panel_width ? layer.out_padded - j : panel_width;
            const int64_t n = layer.n_out - j < columns ? layer.n_out - j : columns;
            const T* panel = packed + layer.panels + j * layer.in_padded;
            for (int64_t i = 0; i < layer.n_in; ++i) {
                copy(panel + i * columns, flat + layer.flat_W + i * layer.n_out + j, n);
            }
        }
    }
}

// --- rows phase ---------------------------------------------------------------------------------------------------------------

template <class Source, class T>
static RESEAU_INLINE void convert(const Source* source, T* target, int64_t n) {
    if constexpr (sizeof(Source) == sizeof(T)) {
        Along<T>{n}.each([&](int64_t i, int lanes) {
            (lanes == Vec<T>::width ? Vec<T>::load(source + i) : Vec<T>::load_partial(source + i, lanes)).store(target + i);
        });
    } else {
        int64_t i = 0;
        for (; i < n; ++i) target[i] = static_cast<T>(source[i]);
        for (; i % Vec<T>::width != 0; ++i) target[i] = 0;  // as above
    }
}

// The caller's row at `place`.
template <class T>
static RESEAU_INLINE void take_row(const Samples<T>& samples, int64_t place, T* x, int64_t n) {
    if (samples.X_is_double) {
        convert(static_cast<const double*>(samples.X) + place * samples.X_stride, x, n);
    } else {
        convert(static_cast<const float*>(samples.X) + place * samples.X_stride, x, n);
    }
}

// Rows [begin, end) of the batch from the caller's arrays into the workspace, converted to T.
template <class T>
static void gather(const Step<T>& step, int64_t begin, int64_t end) {
    const Samples<T>& samples = step.samples;
    const int64_t n_in = step.plan->layers[0].n_in;
    const Layer& last = step.plan->layers[step.plan->count - 1];
    for (int64_t r = begin; r < end; ++r) {
        const int64_t place = samples.place(r);
        if (!samples.sparse()) take_row(samples, place, step.work.A[0].row(r), n_in);
        if (samples.targets == nullptr && samples.labels == nullptr) continue;
        T* t = step.work.targets.row(r);
        Along<T>{last.n_out}.each([&](int64_t j, int) { Vec<T>::zero().store(t + j); });
        if (samples.labels != nullptr) {
            t[samples.labels[place]] = 1;
        } else {
            __builtin_memcpy(t, samples.targets + place * last.n_out, last.n_out * sizeof(T));
        }
    }
}

// Z = X W of sparse rows [begin, end), in the order in which `multiply` sums, which passes over nothing but zeros more.
template <class T, class Epilogue>
static RESEAU_INLINE void multiply_sparse(const Step<T>& step, const Layer& layer, int64_t begin, int64_t end, Matrix<T> Z, Epilogue epilogue) {
    using V = Vec<T>;
    constexpr int64_t panel_width = panel_vectors * V::width, ahead = 8;  // numbers whose weights are asked for beforehand
    const Samples<T>& samples = step.samples;
    for (int64_t j = 0; j < layer.out_padded; j += panel_width) {
        const int64_t columns = layer.out_padded - j < panel_width ? layer.out_padded - j : panel_width;
        const T* panel = step.packed + layer.panels + j * layer.in_padded;
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
            T* z = Z.row(r - begin) + j;
            first_sum.store(z);
            if (second > 0) second_sum.store(z + V::width);
            epilogue(r - begin, j, int64_t(1), columns / V::width);
        }
    }
}

// A_l = σ_l(A_{l−1} W_l + b_l), keeping what the backward pass needs where the workspace has room for it.
template <class T, class E = T>
static void forward_rows(const Step<T>& step, int64_t begin, int64_t end) {
    const Plan& plan = *step.plan;
    for (int l = 1; l <= plan.count; ++l) {
        const Layer& layer = plan.layers[l - 1];
        const ActivationEntry<T>& sigma = activations<T>[layer.activation];
        const Matrix<T> A = part(step.work.A[l], begin, 0);
        const Matrix<T> D = part(step.work.D[l], begin, 0);
        const bool keeps_scores = l == plan.count && step.work.Z.data != nullptr;
        const Matrix<T> Z = keeps_scores ? part(step.work.Z, begin, 0) : A;
        // A row-wise activation waits for its whole row; the tile only gets its bias.
        const auto forward = sigma.row_wise ? activations<T>[0].forward : sigma.forward;
        const Matrix<T> value = sigma.row_wise ? Z : A;
        const T* bias = step.packed + layer.bias;
        const bool drops = step.drops && layer.dropout > 0;
        const uint64_t key = drops ? mix(step.dropout_seed + static_cast<uint64_t>(step.update.step)) + (static_cast<uint64_t>(l - 1) << 32) : 0;
        const auto epilogue = [&](int64_t r, int64_t j, int64_t rows, int64_t vectors) {
            forward(part(Z, r, j), bias + j, part(value, r, j), part(D, r, j), rows, vectors);
            if (drops) drop(layer.dropout, key + static_cast<uint64_t>(begin + r), j, part(A, r, j), part(D, r, j), rows, vectors);
        };
        if (l == 1 && step.samples.sparse()) {
            multiply_sparse(step, layer, begin, end, Z, epilogue);
        } else if (layer.narrow) {
            multiply_narrow(end - begin, layer.n_in, part(step.work.A[l - 1], begin, 0), step.packed + layer.panels, layer.n_out, Z, epilogue);
        } else {
            using F = Factors<T, E>;
            multiply(end - begin, elements<E>(layer.n_in), part(F::A_along(step, l - 1), begin, 0), F::W(step, layer),
                     elements<E>(layer.in_padded), layer.out_padded, Z, epilogue);
        }
        if (sigma.row_wise) sigma.forward_rows(Z, A, end - begin, layer.n_out);
        if (l < plan.count) Factors<T, E>::renew_A(step, l, begin, end);
    }
}

// g = ∂E/∂A_l becomes δ_l = ∂E/∂Z_l, for a row-wise σ and for the output layer; elsewhere the tiles do it.
template <class T>
static void pull_back_rows(const Step<T>& step, int l, int64_t begin, int64_t end) {
    const Layer& layer = step.plan->layers[l - 1];
    const ActivationEntry<T>& sigma = activations<T>[layer.activation];
    const Matrix<T> A = part(step.work.A[l], begin, 0), G = part(step.work.delta[l], begin, 0);
    if (sigma.row_wise) {
        sigma.pullback_rows(A, G, end - begin, layer.n_out);
    } else {
        sigma.backward(A, part(step.work.D[l], begin, 0), G, end - begin, layer.out_padded / Vec<T>::width);
    }
}

// δ_{l−1} = (δ_l W_lᵀ) · σ'_{l−1} from the output down to layer `lowest`; at 0 stands ∂E/∂X itself.
template <class T, class E = T>
static void backward_rows(const Step<T>& step, int lowest, int64_t begin, int64_t end) {
    for (int l = step.plan->count; l > lowest; --l) {
        const Layer& layer = step.plan->layers[l - 1];
        const Matrix<T> G = part(step.work.delta[l - 1], begin, 0);
        const ActivationEntry<T>* sigma = l > 1 ? &activations<T>[step.plan->layers[l - 2].activation] : nullptr;
        const bool in_tile = sigma != nullptr && !sigma->row_wise;
        const Matrix<T> A = part(step.work.A[l - 1], begin, 0), D = part(step.work.D[l - 1], begin, 0);
        using F = Factors<T, E>;
        multiply(end - begin, elements<E>(layer.n_out), part(F::delta_along(step, l), begin, 0), F::W_transposed(step, layer),
                 elements<E>(layer.transposed_rows()), layer.in_padded, G, [&](int64_t r, int64_t j, int64_t rows, int64_t vectors) {
                     if (in_tile) sigma->backward(part(A, r, j), part(D, r, j), part(G, r, j), rows, vectors);
                 });
        if (sigma != nullptr && sigma->row_wise) pull_back_rows(step, l - 1, begin, end);
        if (l > 1) F::renew_delta(step, l - 1, begin, end);
    }
}

// The weighted error of each row, and δ of the output layer: ∂E/∂Z of the batch's weighted mean.
template <class T>
static void output_rows(const Step<T>& step, int64_t begin, int64_t end) {
    const Plan& plan = *step.plan;
    const LossEntry<T>& loss = losses<T>[plan.loss];
    const int64_t n = plan.layers[plan.count - 1].n_out;
    const Matrix<T> O = part(step.work.A[plan.count], begin, 0), targets = part(step.work.targets, begin, 0);
    const Matrix<T> Z = plan.simplifies ? part(step.work.Z, begin, 0) : Matrix<T>{};
    T error[block_rows], scale[block_rows];
    loss.row_errors(Z, O, targets, {static_cast<T>(plan.least_error), static_cast<T>(plan.most_error)}, error, end - begin, n);
    for (int64_t r = begin; r < end; ++r) {
        const double weight = step.samples.weights != nullptr ? step.samples.weights[step.samples.place(r)] : 1.0;
        scale[r - begin] = static_cast<T>(weight / step.total);
    }
    (plan.simplifies ? simplified_delta<T> : loss.derivative)(O, targets, part(step.work.delta[plan.count], begin, 0), scale, end - begin, n);
    if (!plan.simplifies) pull_back_rows(step, plan.count, begin, end);
    const Matrix<T> delta = part(step.work.delta[plan.count], begin, 0);
    for (int64_t r = begin; r < end; ++r) {
        const double weight = step.samples.weights != nullptr ? step.samples.weights[step.samples.place(r)] : 1.0;
        step.work.row_error[r] = weight * static_cast<double>(error[r - begin]);
        if (weight > 0) continue;
        // Its error counts nothing, even if it is infinite, but what is no number in δ is told.
        step.work.row_error[r] = 0;
        for (int64_t j = 0; j < n; ++j) step.work.row_error[r] += static_cast<double>(delta.row(r - begin)[j]);
    }
}

template <class T, class E>
static void train_rows_with(const Step<T>& step, int64_t begin, int64_t end) {
    gather(step, begin, end);
    if (!step.samples.sparse()) Factors<T, E>::renew_A(step, 0, begin, end);
    forward_rows<T, E>(step, begin, end);
    output_rows(step, begin, end);
    Factors<T, E>::renew_delta(step, step.plan->count, begin, end);
    backward_rows<T, E>(step, 1, begin, end);
}

// At most block_rows rows.
template <class T>
static void train_rows(const Step<T>& step, int64_t begin, int64_t end) {
    if constexpr (has_pairs<T>) {
        if (step.pairs != nullptr) return train_rows_with<T, Bf16Pair>(step, begin, end);
    }
    train_rows_with<T, T>(step, begin, end);
}

// --- weights phase ------------------------------------------------------------------------------------------------------------

// δ's panel is copied together where that pays: with rows far apart in memory each would cost an address translation for
// every unit that reads it, and with fewer units the copy costs more than it saves.
inline constexpr int64_t units_worth_a_copy = 4;

// Whether all lanes are zeros, of either sign.
template <class T>
static bool all_zero(Vec<T> a) {
    T lanes[Vec<T>::width];
    a.store(lanes);
    for (const T x : lanes) {
        if (x != 0) return false;
    }
    return true;
}

// The weights phase of one thread: what stays the same from unit to unit.
template <class T, class E>
class WeightsPhase {
public:
    using V = Vec<T>;

    // `copy` has room for chunk_rows rows of a panel, or for as many as the batch has.
    WeightsPhase(const Step<T>& step, T* copy)
        : step_(step),
          optimizer_(step.update.optimizer == gradient_only ? gradient_entry<T> : optimizers<T>[step.update.optimizer]),
          lambda_(static_cast<T>(step.l2 / step.total)),
          copy_(reinterpret_cast<E*>(copy)) {
        optimizer_.prepare(prepared_, step.update.hyperparameters, step.update.step);
        const int64_t bytes = step.plan->packed_size * (1 + optimizer_.states) * static_cast<int64_t>(sizeof(T));
        fetches_ = bytes > second_cache && step.rows >= rows_worth_fetching;
    }

    // Units u, u + 1, ... of layer l (from 0), before `end`, as far as they have the same columns of W; returns how many.
    int64_t units(int l, int64_t u, int64_t end) {
        const Layer& layer = step_.plan->layers[l];
        const auto [i, j, left] = layer.unit(u, panel_width, group_units<T>(step_.rows));
        const int64_t count = end - u < left ? end - u : left;
        const int64_t columns = layer.out_padded - j < panel_width ? layer.out_padded - j : panel_width;
        const bool several_chunks = step_.rows > chunk_rows;  // then each unit's sum waits for the next
        const Matrix<E> A = F::A_down(step_, l), all = part(F::delta_down(step_, l + 1), 0, j);
        for (int64_t r = 0; r < step_.rows; r += chunk_rows) {
            const int64_t rows = step_.rows - r < chunk_rows ? step_.rows - r : chunk_rows;
            const bool last = r + rows == step_.rows;
            const int64_t K = elements<E>(rows), k = elements<E>(r);
            const Matrix<E> delta = count < units_worth_a_copy ? part(all, k, 0) : copy_of(part(all, k, 0), K, columns);
            if (i == 0) bias(layer, part(step_.work.delta[l + 1], r, j), rows, j, columns, r > 0, last);
            for (int64_t block = 0; block < count; ++block) {
                const int64_t first = i + block * unit_rows;
                const int64_t n = layer.n_in - first < unit_rows ? layer.n_in - first : unit_rows;
                const int64_t at = layer.panels + j * layer.in_padded + first * columns;
                T* const gradient = gradient_ + (several_chunks ? block * unit_rows * panel_width : 0);
                if (last) fetch(at, n * columns);
                for (int64_t m = 0; m < n; m += tile_rows) {
                    const auto tile_of = r > 0 ? tile_for<E, true, true> : tile_for<E, true, false>;
                    const Tile<E> tile = tile_of(n - m < tile_rows ? n - m : tile_rows, columns / V::width);
                    tile(K, A.row(k) + first + m, A.stride, delta.data, delta.stride, gradient + m * columns, columns);
                }
                if (!last) continue;
                finish(layer, at, first, j, n, columns, gradient);
                if (step_.update.optimizer != gradient_only) F::renew_W(step_, layer, j, first, first + round_up(n, V::width));
            }
        }
        return count;
    }

    // The same of the layer that is given sparse rows, whose gradient is summed over the numbers that there are.
    int64_t sparse_units(int64_t u, int64_t end) {
        const Layer& layer = step_.plan->layers[0];
        const auto [i, j, left] = layer.unit(u, panel_width, group_units<T>(step_.rows));
        const int64_t count = end - u < left ? end - u : left;
        const int64_t columns = layer.out_padded - j < panel_width ? layer.out_padded - j : panel_width;
        const Matrix<T> delta = part(step_.work.delta[1], 0, j);
        if (i == 0) bias(layer, delta, step_.rows, j, columns, false, true);
        for (int64_t first = i; first < i + count * unit_rows; first += unit_rows) {
            const int64_t n = layer.n_in - first < unit_rows ? layer.n_in - first : unit_rows;
            const int64_t at = layer.panels + j * layer.in_padded + first * columns;
            fetch(at, n * columns);
            for (int64_t m = 0; m < n; ++m) {
                V sum[panel_vectors] = {};
                for (int64_t k = step_.columns.starts[first + m]; k < step_.columns.starts[first + m + 1]; ++k) {
                    const V x(step_.columns.numbers[k]);
                    const T* d = delta.row(step_.columns.rows[k]);
                    for (int64_t v = 0; v < panel_vectors; ++v) sum[v] = fma(x, V::load(d + (v * V::width < columns ? v * V::width : 0)), sum[v]);
                }
                for (int64_t v = 0; v * V::width < columns; ++v) sum[v].store(gradient_ + m * columns + v * V::width);
            }
            finish(layer, at, first, j, n, columns, gradient_);
        }
        return count;
    }

    // Unit u of a narrow layer: one panel of Wᵀ, with all its rows.
    void narrow_unit(int l, int64_t u) {
        const Layer& layer = step_.plan->layers[l];
        const int64_t i = u * panel_width;
        const int64_t columns = layer.in_padded - i < panel_width ? layer.in_padded - i : panel_width;
        const Matrix<T> A = step_.work.A[l], delta = step_.work.delta[l + 1];
        if (i == 0) bias(layer, delta, step_.rows, 0, layer.out_padded, false, true);
        tile_for<T, true, false>(layer.n_out, columns / V::width)(step_.rows, delta.data, delta.stride, A.data + i, A.stride, gradient_, columns);
        if (layer.n_in - i < columns) {  // what is computed from beyond A's columns
            for (int64_t j = 0; j < layer.n_out; ++j) clear_beyond(gradient_ + j * columns, layer.n_in - i);
        }
        const int64_t at = layer.panels + i * layer.n_out;
        if (step_.squares != nullptr) {
            const int64_t piece = square_columns<T>(V::width), pieces = (layer.n_in + piece - 1) / piece;
            squares(at, layer.n_out, columns, layer.first_square + i / piece, pieces - i / piece);
        }
        update(at, lambda_, gradient_, layer.n_out * columns);
    }

    // Whether everything that was updated is finite, if the step checks that.
    bool finite() const { return all_zero(V::load(beyond_)); }

private:
    using F = Factors<T, E>;
    static constexpr int64_t panel_width = panel_vectors * V::width;

    // With the gradient of a unit, n rows of a panel from `first` on.
    void finish(const Layer& layer, int64_t at, int64_t first, int64_t j, int64_t n, int64_t columns, const T* gradient) {
        if (step_.squares != nullptr) {
            const int64_t piece = square_columns<T>(V::width), pieces = (layer.n_out + piece - 1) / piece;
            squares(at, n, columns, layer.first_square + first / unit_rows * pieces + j / piece, pieces - j / piece);
        }
        update(at, lambda_, gradient, n * columns);
    }

    Matrix<E> copy_of(Matrix<E> delta, int64_t K, int64_t columns) const {
        for (int64_t k = 0; k < K; ++k) {
            for (int64_t v = 0; v < columns; v += V::width) Vec<E>::load(delta.row(k) + v).store(copy_ + k * columns + v);
        }
        return {copy_, columns};
    }

    // ∂E/∂b = Σ_rows δ, of these rows or, at the last, of all.
    void bias(const Layer& layer, Matrix<T> delta, int64_t rows, int64_t j, int64_t columns, bool continues, bool last) {
        if (!layer.has_bias) return;
        V sum[panel_vectors] = {};  // side by side, for each add waits for the one before
        if (continues) {
            for (int64_t v = 0; v < panel_vectors; ++v) sum[v] = V::load(bias_ + v * V::width);
        }
        for (int64_t r = 0; r < rows; ++r) {
#pragma GCC unroll 2
            for (int64_t v = 0; v < panel_vectors; ++v) sum[v] = sum[v] + V::load(delta.row(r) + (v * V::width < columns ? v * V::width : 0));
        }
        for (int64_t v = 0; v < panel_vectors; ++v) sum[v].store(bias_ + v * V::width);
        if (last) update(layer.bias + j, T(0), bias_, columns);
    }

    // Σ w² of `rows` rows of a panel into step.squares from `place` on: of each piece of columns, as far as there are `pieces`.
    void squares(int64_t at, int64_t rows, int64_t columns, int64_t place, int64_t pieces) const {
        constexpr int64_t piece = square_columns<T>(V::width);
        for (int64_t p = 0; p < pieces && p * piece < columns; ++p) {
            LaneSum<T> sum;
            for (int64_t r = 0; r < rows; ++r) {
                for (int64_t v = p * piece; v < (p + 1) * piece; v += V::width) {  // the lanes of what is beyond are 0
                    const V w = v < columns ? V::load(step_.packed + at + r * columns + v) : V::zero();
                    sum.add_product(w, w);
                }
            }
            step_.squares[place + p] = static_cast<double>(sum.total());
        }
    }

    // Asks for the weights and states of the update to come, so that they arrive while the gradient is summed: where they are
    // not in the second cache anyway, and the sum takes long enough.
    void fetch(int64_t at, int64_t count) const {
        if (!fetches_) return;
        for (int64_t i = 0; i < count; i += 64 / static_cast<int64_t>(sizeof(T))) {
            __builtin_prefetch(step_.packed + at + i, 1);
            for (int s = 0; s < optimizer_.states; ++s) __builtin_prefetch(step_.update.state[s] + at + i, 1);
        }
    }

    void update(int64_t at, T decay, const T* gradient, int64_t count) {
        T* second = optimizer_.states > 1 ? step_.update.state[1] + at : nullptr;
        T* beyond = step_.checks ? beyond_ : nullptr;
        optimizer_.update(prepared_, decay, step_.packed + at, gradient, step_.update.state[0] + at, second, count, beyond);
    }

    const Step<T>& step_;
    const OptimizerEntry<T>& optimizer_;
    Prepared<T> prepared_;
    const T lambda_;
    static constexpr int64_t second_cache = 1 << 20, rows_worth_fetching = 16;
    bool fetches_;
    E* const copy_;
    alignas(64) T gradient_[least_group * unit_rows * panel_width];
    alignas(64) T bias_[panel_width];
    alignas(64) T beyond_[V::width] = {};  // see OptimizerEntry
};

template <class T, class E>
static bool train_weights_with(const Step<T>& step, int64_t begin, int64_t end, T* copy) {
    const Plan& plan = *step.plan;
    WeightsPhase<T, E> phase(step, copy);
    int l = 0;
    for (int64_t u = begin; u < end;) {
        while (l + 1 < plan.count && plan.layers[l + 1].first_unit <= u) ++l;
        const Layer& layer = plan.layers[l];
        if (layer.narrow) {
            phase.narrow_unit(l, u++ - layer.first_unit);
        } else {
            const int64_t stop = end - layer.first_unit < layer.units ? end - layer.first_unit : layer.units;
            u += l == 0 && step.samples.sparse() ? phase.sparse_units(u, stop) : phase.units(l, u - layer.first_unit, stop);
        }
    }
    return phase.finite();
}

// Units [begin, end) of the plan; for `copy` see WeightsPhase.
template <class T>
static bool train_weights(const Step<T>& step, int64_t begin, int64_t end, T* copy) {
    if constexpr (has_pairs<T>) {
        if (step.pairs != nullptr) return train_weights_with<T, Bf16Pair>(step, begin, end, copy);
    }
    return train_weights_with<T, T>(step, begin, end, copy);
}

// --- without training: the workspace holds the `rows` rows that start at samples.first ------------------------------------------

// Whether the n numbers of each row are finite.
template <class T>
static bool all_finite(Matrix<T> m, int64_t rows, int64_t n) {
    using V = Vec<T>;
    V sum = V::zero();  // of 0 · x, which is 0 unless x is not finite
    for (int64_t r = 0; r < rows; ++r) {
        Along<T>{n}.each([&](int64_t i, int lanes) { sum = fma(V::load_partial(m.row(r) + i, lanes), V::zero(), sum); });
    }
    return all_zero(sum);
}

// Returns false if a row is not finite in T.
template <class T>
static bool predict(const Step<T>& step, int64_t rows, T* outputs) {
    gather(step, 0, rows);
    if (!step.samples.sparse() && !all_finite(step.work.A[0], rows, step.plan->layers[0].n_in)) return false;
    forward_rows(step, 0, rows);
    const int64_t n = step.plan->layers[step.plan->count - 1].n_out;
    for (int64_t r = 0; r < rows; ++r) __builtin_memcpy(outputs + r * n, step.work.A[step.plan->count].row(r), n * sizeof(T));
    return true;
}

// The output of row r, straight from the flat parameters: nothing is packed, which would take longer than the row. Returns
// false if the row is not finite in T. `memory` has room for plan.row_memory() numbers.
template <class T>
static bool predict_row(const Plan& plan, const T* flat, const Samples<T>& samples, int64_t r, T* memory, T* outputs) {
    using V = Vec<T>;
    T *a = memory, *z = memory + plan.widest;
    const int64_t n_in = plan.layers[0].n_in;
    take_row(samples, r, a, n_in);
    if (!all_finite(Matrix<T>{a, 0}, 1, n_in)) return false;
    for (int l = 0; l < plan.count; ++l) {
        const Layer& layer = plan.layers[l];
        const ActivationEntry<T>& sigma = activations<T>[layer.activation];
        const T *W = flat + layer.flat_W, *b = layer.has_bias ? flat + layer.flat_b : nullptr;
        if (layer.narrow) {
            T* column = memory + 2 * plan.widest;
            V::zero().store(z);
            for (int64_t j = 0; j < layer.n_out; ++j) {
                for (int64_t i = 0; i < layer.n_in; ++i) column[i] = W[i * layer.n_out + j];
                LaneSum<T> sum;
                Along<T>{layer.n_in}.each([&](int64_t i, int lanes) {
                    sum.add_product(V::load_partial(a + i, lanes), V::load_partial(column + i, lanes));
                });
                z[j] = sum.total() + (b != nullptr ? b[j] : T(0));
            }
        } else {
            multiply_row(layer.n_in, a, W, b, z, layer.n_out);
        }
        if (sigma.row_wise) {
            sigma.forward_rows({z, 0}, {z, 0}, 1, layer.n_out);
        } else {
            sigma.forward({z, 0}, nullptr, {z, 0}, {nullptr, 0}, 1, layer.out_padded / V::width);
        }
        T* const swap = a;
        a = z;
        z = swap;
    }
    __builtin_memcpy(outputs, a, plan.layers[plan.count - 1].n_out * sizeof(T));
    return true;
}

template <class T>
static void errors(const Step<T>& step, int64_t rows, T* e) {
    const Plan& plan = *step.plan;
    gather(step, 0, rows);
    forward_rows(step, 0, rows);
    const int64_t n = plan.layers[plan.count - 1].n_out;
    for (int64_t r = 0; r < rows; ++r) {
        const T* z = plan.simplifies ? step.work.Z.row(r) : nullptr;
        const Bounds<T> bounds{static_cast<T>(plan.least_error), static_cast<T>(plan.most_error)};
        losses<T>[plan.loss].neuron_errors(z, step.work.A[plan.count].row(r), step.work.targets.row(r), bounds, e + r * n, n);
    }
}

// For each output neuron j a backward pass from the unit vector, down to δ of layer `lowest`; then f(j) takes what it left.
template <class T, class F>
static RESEAU_INLINE void for_outputs(const Step<T>& step, int64_t rows, int lowest, F f) {
    const Plan& plan = *step.plan;
    gather(step, 0, rows);
    forward_rows(step, 0, rows);
    const Layer& last = plan.layers[plan.count - 1];
    for (int64_t j = 0; j < last.n_out; ++j) {
        for (int64_t r = 0; r < rows; ++r) {
            T* unit = step.work.delta[plan.count].row(r);
            for (int64_t i = 0; i < last.out_padded; ++i) unit[i] = i == j ? T(1) : T(0);
        }
        pull_back_rows(step, plan.count, 0, rows);
        backward_rows(step, lowest, 0, rows);
        f(j);
    }
}

// J (rows, outputs, inputs), ∂O/∂X = δ_1 W_1ᵀ.
template <class T>
static void jacobian(const Step<T>& step, int64_t rows, T* J) {
    const int64_t n_in = step.plan->layers[0].n_in, n_out = step.plan->layers[step.plan->count - 1].n_out;
    for_outputs(step, rows, 0, [&](int64_t j) {
        for (int64_t r = 0; r < rows; ++r) __builtin_memcpy(J + (r * n_out + j) * n_in, step.work.delta[0].row(r), n_in * sizeof(T));
    });
}

// a times the n numbers of d, whose rows are padded to whole vectors. What lies behind them before `end` may be written too: parts
// of vectors are stored slowly.
template <class T>
static RESEAU_INLINE void scaled(T a, const T* d, T* target, int64_t n, const T* end) {
    using V = Vec<T>;
    for (int64_t i = 0; i < n; i += V::width) {
        const V x = V(a) * V::load(d + i);
        target + i + V::width <= end ? x.store(target + i) : x.store_partial(target + i, static_cast<int>(n - i));
    }
}

// J (rows, outputs, parameters): of each row ∂o_j/∂W_l = a_{l−1}ᵀ δ_l and ∂o_j/∂b_l = δ_l, where the flat vector has W_l and b_l;
// in its order, so that what one writes behind its own the next replaces.
template <class T>
static void parameter_jacobian(const Step<T>& step, int64_t rows, T* J) {
    const Plan& plan = *step.plan;
    const int64_t outputs = plan.layers[plan.count - 1].n_out, parameters = plan.flat_size;
    for_outputs(step, rows, 1, [&](int64_t j) {
        for (int l = 1; l <= plan.count; ++l) {
            const Layer& layer = plan.layers[l - 1];
            const int64_t n_in = layer.n_in, n_out = layer.n_out;
            for (int64_t r = 0; r < rows; ++r) {
                const T *a = step.work.A[l - 1].row(r), *delta = step.work.delta[l].row(r);
                T* const gradient = J + (r * outputs + j) * parameters;
                T *const dW = gradient + layer.flat_W, *const end = gradient + parameters;
                if (n_out == 1) {
                    scaled(delta[0], a, dW, n_in, end);
                } else {
                    for (int64_t i = 0; i < n_in; ++i) scaled(a[i], delta, dW + i * n_out, n_out, end);
                }
                if (layer.has_bias) scaled(T(1), delta, gradient + layer.flat_b, n_out, end);
            }
        }
    });
}

}  // namespace reseau::RESEAU_ISA
