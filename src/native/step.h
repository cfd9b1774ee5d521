// The two phases of a training step, and what shares their parts: prediction, errors, ∂O/∂X, ∂O/∂w.
//
// Rows phase: rows are independent, so that any range of them goes through forward, loss and all δ on its own.
// Weights phase: the parameters are cut into units; a unit's gradient is summed over all rows of the batch, and the
// optimizer moves exactly these parameters before it has left the first cache.
//
// No kind of layer is named here: each layer's own products are taken from the table of layers.h.
#pragma once

#include "counted.h"
#include "tangents.h"

namespace reseau::RESEAU_ISA {

// --- rows phase ------------------------------------------------------------------------------------------------------

template <class Source, class T>
static RESEAU_INLINE void convert(const Source* source, T* target, int64_t n) {
    if constexpr (sizeof(Source) == sizeof(T)) {
        Along<T>{n}.each([&](int64_t i, int lanes) {
            (lanes == Vec<T>::width ? Vec<T>::load(source + i) : Vec<T>::load_partial(source + i, lanes))
                .store(target + i);
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

// Asks for the caller's row at `place`. The processor sees by itself where a long row goes on, but not where a shuffled
// one begins: an epoch of 100,000 × 50 float32 numbers took 1.2 to 1.3 times as long in random order as in theirs, and
// takes 1.1 to 1.2 times as long with this (Zen 4). What the second cache holds need not be asked for.
template <class T>
static RESEAU_INLINE void ask_for_row(const Samples<T>& samples, int64_t place, int64_t n) {
    const int64_t size = samples.X_is_double ? 8 : 4, start = place * samples.X_stride * size;
    constexpr int64_t line = 64, lines = 8;
    for (int64_t at = 0; at < n * size && at < lines * line; at += line)
        __builtin_prefetch(static_cast<const char*>(samples.X) + start + at);
}

// Zeros with a one where the label says, or NaN where it is missing; so of each group, which has a label of its own.
template <class T>
static RESEAU_INLINE void one_hot(const int64_t* labels, T* t, const Row& row) {
    along_row<T>(row, [&](auto shape, int64_t first, int k) {
        const Vec<T> all = labels[k] < 0 ? Vec<T>(T(__builtin_nan(""))) : Vec<T>::zero();
        shape.each([&](int64_t i, int) { shape.store(all, t + first, i); });
        if (labels[k] >= 0) t[first + labels[k]] = 1;
    });
    if (row.in_groups()) clear_beyond(t, row.n);
}

template <class T>
static void gather_labels(Samples<T> samples, Matrix<T> targets, int64_t begin, int64_t end, Row row) {
    for (int64_t r = begin; r < end; ++r) one_hot(samples.labels + samples.place(r) * row.groups, targets.row(r), row);
}

template <class T>
static void gather_targets(Samples<T> samples, Matrix<T> targets, int64_t begin, int64_t end, int64_t n) {
    for (int64_t r = begin; r < end; ++r) {
        const T* source = samples.targets + samples.place(r) * n;
        convert(source, targets.row(r), n);
    }
}

// Rows [begin, end) of the batch from the caller's arrays into the workspace, converted to T. Samples and row are
// copies, which no store into the workspace can be thought to change.
template <class T>
static void gather(const Step<T>& step, int64_t begin, int64_t end) {
    const Samples<T> samples = step.samples;
    const Matrix<T> inputs = step.work.A[0], targets = step.work.targets;
    const int64_t n_in = step.plan->layers[0].n_in;
    const Layer& last = step.plan->layers[step.plan->count - 1];
    constexpr int64_t ahead = 8;  // rows
    const int64_t asked = samples.order != nullptr && samples.far ? end - ahead : begin;
    for (int64_t r = begin; !samples.sparse() && r < end; ++r) {
        if (r < asked) ask_for_row(samples, samples.place(r + ahead), n_in);
        take_row(samples, samples.place(r), inputs.row(r), n_in);
    }
    if (samples.labels != nullptr) {
        gather_labels(samples, targets, begin, end, last.row);
    } else if (samples.targets != nullptr) {
        gather_targets(samples, targets, begin, end, last.n_out);
    }
}

// A_1, ..., A_L, keeping what the backward pass needs where the workspace has room for it.
template <class T>
static void forward_rows(const Step<T>& step, int64_t begin, int64_t end) {
    for (int l = 1; l <= step.plan->count; ++l) kind_of<T>(step.plan->layers[l - 1]).forward(step, l, begin, end);
}

// δ_{l−1} from δ_l, from the output down to layer `lowest`; at 0 stands ∂E/∂X itself.
template <class T>
static void backward_rows(const Step<T>& step, int lowest, int64_t begin, int64_t end) {
    for (int l = step.plan->count; l > 0 && l >= lowest; --l)
        kind_of<T>(step.plan->layers[l - 1]).backward(step, l, begin, end, l > lowest);
}

template <class T>
static double weight_of(const Step<T>& step, int64_t r) {
    return step.samples.weights != nullptr ? step.samples.weights[step.samples.place(r)] : 1.0;
}

// What each row's error is multiplied with in the batch's weighted mean.
template <class T>
static void scale_rows(const Step<T>& step, int64_t begin, int64_t end, T* scale) {
    for (int64_t r = begin; r < end; ++r) scale[r - begin] = static_cast<T>(weight_of(step, r) / step.total);
}

// The weighted error of each row, whose δ of the output layer are there.
template <class T>
static void weigh_errors(const Step<T>& step, int64_t begin, int64_t end, const T* error) {
    const Plan& plan = *step.plan;
    for (int64_t r = begin; r < end; ++r) {
        const double weight = weight_of(step, r);
        step.work.row_error[r] = weight * static_cast<double>(error[r - begin]);
        if (weight > 0) continue;
        // Its error counts nothing, even if it is infinite, but what is no number in δ is told.
        step.work.row_error[r] = 0;
        const T* delta = step.work.delta[plan.count].row(r);
        for (int64_t j = 0; j < plan.layers[plan.count - 1].n_out; ++j)
            step.work.row_error[r] += static_cast<double>(delta[j]);
    }
}

// The weighted error of each row, and δ of the output layer: ∂E/∂Z of the batch's weighted mean.
template <class T>
static void output_rows(const Step<T>& step, int64_t begin, int64_t end) {
    const Plan& plan = *step.plan;
    const LossEntry<T>& loss = losses<T>[plan.loss];
    const Layer& last = plan.layers[plan.count - 1];
    const int64_t n = last.n_out;
    const Matrix<T> O = part(step.work.A[plan.count], begin, 0), targets = part(step.work.targets, begin, 0);
    const Matrix<T> Z = plan.simplifies ? part(step.work.scores[plan.count], begin, 0) : Matrix<T>{};
    const Matrix<T> delta = part(step.work.delta[plan.count], begin, 0);
    const Bounds<T> bounds{static_cast<T>(plan.least_error), static_cast<T>(plan.most_error)};
    const Counted<T> counted(step.samples, n);
    T error[Machine::most_block_rows], scale[Machine::most_block_rows];
    if (step.samples.counts_all()) {
        loss.row_errors(plan.loss_numbers, Z, O, targets, bounds, error, end - begin, plan.row);
    } else {
        counted_errors(counted, loss, plan.loss_numbers, Z, O, targets, bounds, delta, error, end - begin, plan.row);
    }
    const bool coupled = plan.simplifies && !step.samples.counts_all() && activations<T>[last.activation].row_wise;
    if (coupled) {
        for (int64_t r = 0; r < end - begin; ++r) scale[r] = 1;
    } else {
        scale_rows(step, begin, end, scale);
    }
    loss.derivative(plan.loss_numbers, Z, O, targets, delta, scale, end - begin, plan.row);
    if (coupled) {
        scale_rows(step, begin, end, scale);
        counted_softmax_delta(counted, O, targets, delta, scale, end - begin, plan.row);
    } else if (!step.samples.counts_all()) {
        counted.all(delta, targets, end - begin);
    }
    if (!plan.simplifies) PullBack<T>(step, plan.count, begin).all(end - begin);
    weigh_errors(step, begin, end, error);
}

// Adds ½ w Σ_j c_j Σ_i (∂o_j/∂x_i − slopes_ji)² to the error of each row, of slopes that are there (not NaN), and
// what that changes to all δ. For each output j, with r_j = ∂o_j/∂x − slopes_j: ∂/∂θ ½ |r_j|² is the change of ∂o_j/∂θ
// along the direction r_j of x.
template <class T>
static void slope_rows(const Step<T>& step, int64_t begin, int64_t end) {
    const Plan& plan = *step.plan;
    const Samples<T>& samples = step.samples;
    const int64_t rows = end - begin, n_in = plan.layers[0].n_in, n_out = plan.layers[plan.count - 1].n_out;
    for (int j = 0; j < step.pass_count; ++j) {
        const Pass<T>& pass = step.passes[j];
        unit_vectors(j, part(pass.back.work.delta[plan.count], begin, 0), rows, plan.layers[plan.count - 1].out_padded);
        back_rows(pass, begin, end);
        const Matrix<T> slopes = pass.back.work.delta[0], direction = pass.along.work.A[0];
        const double of_output = samples.shares != nullptr ? step.slope_weight * samples.shares[j] : step.slope_weight;
        for (int64_t r = begin; r < end; ++r) {
            const int64_t place = samples.place(r);
            const T* const wanted = samples.slopes + (place * n_out + j) * n_in;
            T* const to = direction.row(r);
            for (int64_t i = 0; i < plan.layers[0].in_padded; ++i) to[i] = 0;
            const double weight = of_output * weight_of(step, r);
            if (!(weight > 0)) continue;
            const T* const found = slopes.row(r);
            const T scale = static_cast<T>(weight / step.total);
            double squares = 0;
            for (int64_t i = 0; i < n_in; ++i) {
                if (wanted[i] != wanted[i]) continue;
                const T residual = found[i] - wanted[i];
                squares += static_cast<double>(residual) * static_cast<double>(residual);
                to[i] = scale * residual;
            }
            step.work.row_error[r] += 0.5 * weight * squares;
        }
        forward_along(pass.along, begin, end);
        back_along(pass, plan.lowest, begin, end);
        for (int l = plan.lowest; l <= plan.count; ++l) {
            const Matrix<T> delta = part(step.work.delta[l], begin, 0);
            add_rows(delta, part(pass.along.work.delta[l], begin, 0), delta, rows, plan.layers[l - 1].out_padded);
        }
    }
}

// At most Machine::most_block_rows rows.
template <class T>
static void train_rows(const Step<T>& step, int64_t begin, int64_t end) {
    gather(step, begin, end);
    forward_rows(step, begin, end);
    output_rows(step, begin, end);
    backward_rows(step, step.plan->lowest, begin, end);
    slope_rows(step, begin, end);
}

// The same in two halves, between which the errors of the whole batch are computed elsewhere: from the outputs O
// (rows, outputs) of the batch the error of each row and its ∂E/∂O, G (rows, outputs).
template <class T>
static void rows_there(const Step<T>& step, int64_t begin, int64_t end, T* O) {
    const int64_t n = step.plan->layers[step.plan->count - 1].n_out;
    gather(step, begin, end);
    forward_rows(step, begin, end);
    for (int64_t r = begin; r < end; ++r) copy(step.work.A[step.plan->count].row(r), O + r * n, n);
}

template <class T>
static void rows_back(const Step<T>& step, int64_t begin, int64_t end, const T* errors, const T* G) {
    using V = Vec<T>;
    const Plan& plan = *step.plan;
    const int64_t n = plan.layers[plan.count - 1].n_out;
    T scale[Machine::most_block_rows];
    scale_rows(step, begin, end, scale);
    for (int64_t r = begin; r < end; ++r) {
        Along<T>{n}.each([&](int64_t i, int lanes) {
            (V(scale[r - begin]) * V::load_partial(G + r * n + i, lanes)).store(step.work.delta[plan.count].row(r) + i);
        });
    }
    PullBack<T>(step, plan.count, begin).all(end - begin);
    weigh_errors(step, begin, end, errors + begin);
    backward_rows(step, plan.lowest, begin, end);
    slope_rows(step, begin, end);
}

// --- weights phase ---------------------------------------------------------------------------------------------------

// Units [begin, end) of the plan; for `copy` see WeightsPhase.
template <class T>
static bool train_weights(const Step<T>& step, int64_t begin, int64_t end, T* copy) {
    const Plan& plan = *step.plan;
    WeightsPhase<T> phase(step, copy);
    int l = 1;
    for (int64_t u = begin; u < end;) {
        while (l < plan.count && plan.layers[l].first_unit <= u) ++l;
        const Layer& layer = plan.layers[l - 1];
        const int64_t stop = end - layer.first_unit < layer.units ? end - layer.first_unit : layer.units;
        u += kind_of<T>(layer).update(phase, l, u - layer.first_unit, stop);
    }
    phase.finish();
    return phase.finite();
}

// A step of `count` parameters whose gradient is in memory, and of their states from `at` on, however they are laid
// out. Returns false if it checks, and something is not finite.
template <class T>
static bool move(const Update<T>& update, T* w, const T* g, int64_t at, int64_t count, bool checks) {
    using V = Vec<T>;
    const OptimizerEntry<T>& optimizer = optimizers<T>[update.optimizer];
    alignas(64) T beyond[V::width] = {};
    // What is left after the last whole vector: w, g and the states, each in a vector of its own.
    alignas(64) T rest[(2 + most_states) * V::width] = {};
    Prepared<T> prepared;
    optimizer.prepare(prepared, update.hyperparameters, update.step);
    const int64_t whole = count / V::width * V::width, left = (count - whole) * static_cast<int64_t>(sizeof(T));
    Move<T> most{&prepared, T(0), w + at, g + at, {}, checks ? beyond : nullptr, whole, 0};
    for (int s = 0; s < optimizer.states; ++s) most.states[s] = update.state[s] + at;
    optimizer.finish(most);
    if (left > 0) {
        Move<T> last{&prepared, T(0), rest, rest + V::width, {}, most.beyond, V::width, 0};
        __builtin_memcpy(rest, most.w + whole, left);
        __builtin_memcpy(rest + V::width, most.g + whole, left);
        for (int s = 0; s < optimizer.states; ++s) {
            last.states[s] = rest + (2 + s) * V::width;
            __builtin_memcpy(last.states[s], most.states[s] + whole, left);
        }
        optimizer.finish(last);
        __builtin_memcpy(most.w + whole, rest, left);
        for (int s = 0; s < optimizer.states; ++s) __builtin_memcpy(most.states[s] + whole, last.states[s], left);
    }
    return all_zero(V::load(beyond));
}

// --- without training: the workspace holds the `rows` rows that start at samples.first -------------------------------

// Whether the n numbers of each row are finite.
template <class T>
static bool all_finite(Matrix<T> m, int64_t rows, int64_t n) {
    using V = Vec<T>;
    V sum = V::zero();  // of 0 · x, which is 0 unless x is not finite
    for (int64_t r = 0; r < rows; ++r) {
        Along<T>{n}.each(
            [&](int64_t i, int lanes) { sum = fma(V::load_partial(m.row(r) + i, lanes), V::zero(), sum); });
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
    for (int64_t r = 0; r < rows; ++r)
        __builtin_memcpy(outputs + r * n, step.work.A[step.plan->count].row(r), n * sizeof(T));
    return true;
}

// The output of row r, straight from the flat parameters: nothing is packed, which would take longer than the row.
// Returns false if the row is not finite in T. `memory` has room for plan.row_memory() numbers.
template <class T>
static bool predict_row(const Plan& plan, const T* flat, const Samples<T>& samples, int64_t r, T* memory, T* outputs) {
    T *a = memory, *z = memory + plan.widest, *const last = memory + plan.row_memory() - plan.widest;
    const int64_t n_in = plan.layers[0].n_in;
    take_row(samples, r, a, n_in);
    if (!all_finite(Matrix<T>{a, 0}, 1, n_in)) return false;
    for (int l = 1; l <= plan.count; ++l) {
        const Layer& layer = plan.layers[l - 1];
        const ActivationEntry<T>& sigma = activations<T>[layer.activation];
        kind_of<T>(layer).predict_row(layer, flat, a, z, last);
        if (sigma.row_wise) {
            sigma.forward_rows({z, 0}, {z, 0}, 1, layer.row);
        } else {
            sigma.forward({z, 0}, nullptr, {z, 0}, {nullptr, 0}, 1, layer.out_padded / Vec<T>::width);
        }
        T* next = a;
        if (plan.links) {
            if (layer.plus >= 0)
                add_rows<T>({z, 0}, {memory + layer.plus * plan.widest, 0}, {z, 0}, 1, layer.out_padded);
            next = z + plan.widest;
        }
        a = z;
        z = next;
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
        const T *z = plan.simplifies ? step.work.scores[plan.count].row(r) : nullptr, *t = step.work.targets.row(r);
        const Bounds<T> bounds{static_cast<T>(plan.least_error), static_cast<T>(plan.most_error)};
        losses<T>[plan.loss].neuron_errors(plan.loss_numbers, z, step.work.A[plan.count].row(r), t, bounds, e + r * n,
                                           plan.row);
        for (int64_t j = 0; step.samples.masked && j < n; ++j) {
            if (t[j] != t[j]) e[r * n + j] = 0;
        }
    }
}

// For each output neuron j a backward pass from the unit vector, down to δ of layer `lowest`; then f(j) takes what it
// left.
template <class T, class F>
static RESEAU_INLINE void for_outputs(const Step<T>& step, int64_t rows, int lowest, F f) {
    const Plan& plan = *step.plan;
    gather(step, 0, rows);
    forward_rows(step, 0, rows);
    const Layer& last = plan.layers[plan.count - 1];
    for (int64_t j = 0; j < last.n_out; ++j) {
        unit_vectors(j, step.work.delta[plan.count], rows, last.out_padded);
        PullBack<T>(step, plan.count, 0).all(rows);
        backward_rows(step, lowest, 0, rows);
        f(j);
    }
}

// J (rows, outputs, inputs), ∂O/∂X = δ_1 W_1ᵀ.
template <class T>
static void jacobian(const Step<T>& step, int64_t rows, T* J) {
    const int64_t n_in = step.plan->layers[0].n_in, n_out = step.plan->layers[step.plan->count - 1].n_out;
    for_outputs(step, rows, 0, [&](int64_t j) {
        for (int64_t r = 0; r < rows; ++r)
            __builtin_memcpy(J + (r * n_out + j) * n_in, step.work.delta[0].row(r), n_in * sizeof(T));
    });
}

// J (rows, outputs, parameters): of each row ∂o_j/∂w_l and ∂o_j/∂b_l = δ_l, where the flat vector has w_l and b_l; in
// its order, so that what one writes behind its own the next replaces.
template <class T>
static void parameter_jacobian(const Step<T>& step, int64_t rows, T* J) {
    const Plan& plan = *step.plan;
    const int64_t outputs = plan.layers[plan.count - 1].n_out, parameters = plan.flat_size;
    for_outputs(step, rows, plan.lowest, [&](int64_t j) {
        const Matrix<T> gradients{J + j * parameters, outputs * parameters};
        for (int l = 1; l <= plan.count; ++l) {
            const Layer& layer = plan.layers[l - 1];
            kind_of<T>(layer).row_gradients(step, l, rows, gradients);
            for (int64_t r = 0; layer.has_bias && r < rows; ++r) {
                T* const gradient = gradients.row(r);
                scaled(T(1), step.work.delta[l].row(r), gradient + layer.flat_b, layer.n_out, gradient + parameters);
            }
        }
    });
}

// --- products with derivatives, and the numbers inside ---------------------------------------------------------------

// J v of each row, (rows, outputs).
template <class T>
static void jvp(const Step<T>& step, int64_t rows, const T* v, int64_t stride, T* products) {
    const Plan& plan = *step.plan;
    const Step<T>& along = step.passes[0].along;
    const int64_t n_out = plan.layers[plan.count - 1].n_out;
    gather(step, 0, rows);
    forward_rows(step, 0, rows);
    padded_rows(v, stride, along.work.A[0], rows, plan.layers[0].n_in);
    forward_along(along, 0, rows);
    plain_rows(along.work.A[plan.count], products, n_out, rows, n_out);
}

// uᵀ J of each row, (rows, inputs).
template <class T>
static void vjp(const Step<T>& step, int64_t rows, const T* u, int64_t stride, T* products) {
    const Plan& plan = *step.plan;
    const int64_t n_in = plan.layers[0].n_in;
    gather(step, 0, rows);
    forward_rows(step, 0, rows);
    padded_rows(u, stride, step.work.delta[plan.count], rows, plan.layers[plan.count - 1].n_out);
    PullBack<T>(step, plan.count, 0).all(rows);
    backward_rows(step, 0, 0, rows);
    plain_rows(step.work.delta[0], products, n_in, rows, n_in);
}

// ∂²o_j/∂x² v of each row and output, (rows, outputs, inputs).
template <class T>
static void hessian_vector(const Step<T>& step, int64_t rows, const T* v, int64_t stride, T* products) {
    const Plan& plan = *step.plan;
    const Pass<T>& pass = step.passes[0];
    const Layer& last = plan.layers[plan.count - 1];
    const int64_t n_in = plan.layers[0].n_in, n_out = last.n_out;
    gather(step, 0, rows);
    forward_rows(step, 0, rows);
    padded_rows(v, stride, pass.along.work.A[0], rows, n_in);
    forward_along(pass.along, 0, rows);
    for (int64_t j = 0; j < n_out; ++j) {
        unit_vectors(j, pass.back.work.delta[plan.count], rows, last.out_padded);
        back_rows(pass, 0, rows);
        back_along(pass, 0, 0, rows);
        plain_rows(pass.along.work.delta[0], products + j * n_in, n_out * n_in, rows, n_in);
    }
}

// A of each layer, or Z, beside one another: (rows, neurons of all layers).
template <class T>
static void inside(const Step<T>& step, int64_t rows, bool scores, T* numbers) {
    const Plan& plan = *step.plan;
    int64_t width = 0, at = 0;
    for (int l = 1; l <= plan.count; ++l) width += plan.layers[l - 1].n_out;
    gather(step, 0, rows);
    forward_rows(step, 0, rows);
    for (int l = 1; l <= plan.count; at += plan.layers[l++ - 1].n_out)
        plain_rows(scores ? step.work.scores[l] : step.work.A[l], numbers + at, width, rows, plan.layers[l - 1].n_out);
}

// ∂E/∂A of each layer, E being the row's own error, beside one another as in `inside`. With a loss that is computed
// elsewhere, ∂E/∂O of the rows stands in the place of their targets.
template <class T>
static void layer_gradients(const Step<T>& step, int64_t rows, bool elsewhere, T* numbers) {
    const Plan& plan = *step.plan;
    const Pass<T>& pass = step.passes[0];
    const Matrix<T> O = step.work.A[plan.count], targets = step.work.targets, G = pass.back.work.delta[plan.count];
    const int64_t n = plan.layers[plan.count - 1].n_out;
    const Counted<T> counted(step.samples, n);
    const bool simplifies = plan.simplifies && !elsewhere;
    const LossEntry<T>& loss = losses<T>[plan.loss];
    int64_t width = 0, at = 0;
    for (int l = 1; l <= plan.count; ++l) width += plan.layers[l - 1].n_out;
    gather(step, 0, rows);
    forward_rows(step, 0, rows);
    T scale[Machine::most_block_rows];
    for (int64_t r = 0; r < rows; ++r) scale[r] = 1;
    if (elsewhere) {
        padded_rows(targets.data, targets.stride, G, rows, n);
    } else {
        loss.derivative(plan.loss_numbers, {}, O, targets, G, scale, rows, plan.row);
        counted.all(G, targets, rows);
    }
    plain_rows(G, numbers + width - n, width, rows, n);
    if (simplifies) {
        loss.derivative(plan.loss_numbers, step.work.scores[plan.count], O, targets, G, scale, rows, plan.row);
        counted.all(G, targets, rows);
    }
    back_rows(pass, 0, rows, simplifies);
    for (int l = 1; l < plan.count; at += plan.layers[l++ - 1].n_out)
        plain_rows(pass.G[l], numbers + at, width, rows, plan.layers[l - 1].n_out);
}

}  // namespace reseau::RESEAU_ISA
