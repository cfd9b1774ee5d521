// Layer normalisation, z = γ x̂ + β with x̂ = (x − μ)/√(σ² + ε), μ and σ² the mean and the variance of a row's numbers
// (Ba, Kiros, Hinton 2016).
#pragma once

#include "epilogues.h"
#include "phase.h"

namespace reseau::RESEAU_ISA {

// γ is what other kinds call W and β is b, so that β is added like any bias. The penalty counts neither.
template <class T>
struct LayerNorm {
    using V = Vec<T>;
    static constexpr int64_t panel_width = panel_vectors * V::width;

    static bool suits(const Layer&, const Demands&) { return true; }

    static void plan(const Demands&, Layer& layer, Plan& plan) {
        layer.panels = plan.packed_size;
        plan.packed_size += layer.out_padded;
        plan.flat_size += layer.n_out;
        plan.multiplications += 4 * layer.n_out;
        layer.units = (layer.n_out + panel_width - 1) / panel_width;
    }

    static int64_t unit_work(const Layer&, int64_t, int64_t) { return 2; }

    static int64_t kept_numbers(const Layer& layer, int64_t rows) { return rows * kept(layer, nullptr).stride; }

    static void pack(const Layer& layer, const T* flat, T* packed, T*) {
        copy(flat + layer.flat_W, packed + layer.panels, layer.n_out);
    }
    static void unpack(const Layer& layer, const T* packed, T* flat) {
        copy(packed + layer.panels, flat + layer.flat_W, layer.n_out);
    }

    static void forward(const Step<T>& step, int l, int64_t begin, int64_t end) {
        if (step.at != nullptr) return forward_along(step, l, begin, end);
        const Layer& layer = step.plan->layers[l - 1];
        const Activate<T> activate(step, l, begin);
        const Matrix<T> X = part(step.work.A[l - 1], begin, 0), normed = part(kept(layer, step.work.kept[l]), begin, 0);
        const T* gamma = step.packed + layer.panels;
        for (int64_t r = 0; r < end - begin; ++r) {
            T *const x_hat = normed.row(r), *const z = activate.Z.row(r);
            normalise(layer, X.row(r), x_hat).store_partial(x_hat + layer.out_padded, 1);
            for (int64_t i = 0; i < layer.out_padded; i += V::width) {
                (V::load(gamma + i) * V::load(x_hat + i)).store(z + i);
            }
            activate(r, 0, 1, layer.out_padded / V::width);
        }
        activate.finish(end - begin);
    }

    // ∂E/∂x = (g − mean(g) − x̂ mean(g x̂))/√(σ² + ε) with g = γ δ
    static void backward(const Step<T>& step, int l, int64_t begin, int64_t end, bool sends_back) {
        if (!sends_back) return;
        if (step.at != nullptr) return backward_along(step, l, begin, end);
        const Layer& layer = step.plan->layers[l - 1];
        const PullBack<T> pull_back(step, l - 1, begin);
        const Matrix<T> delta = part(step.work.delta[l], begin, 0),
                        normed = part(kept(layer, step.work.kept[l]), begin, 0);
        const T* gamma = step.packed + layer.panels;
        const Along<T> row{layer.n_out};
        const V n(static_cast<T>(layer.n_out));
        for (int64_t r = 0; r < end - begin; ++r) {
            const T *d = delta.row(r), *x_hat = normed.row(r);
            const V scale = V::broadcast(x_hat[layer.out_padded]);
            const auto g = [&](int64_t i) { return V::load(gamma + i) * V::load(d + i); };
            const V mean = row.sum(g) / n;
            const V along = row.sum([&](int64_t i) { return g(i) * V::load(x_hat + i); }) / n;
            row.each([&](int64_t i, int lanes) {
                const V dx = scale * (g(i) - mean - V::load(x_hat + i) * along);
                select(Mask<T>::first(lanes), dx, V::zero()).store(pull_back.G.row(r) + i);
            });
            pull_back(r, 0, 1, layer.in_padded / V::width);
        }
        pull_back.finish(end - begin);
    }

    // A unit is a panel of γ and of β: ∂E/∂γ = Σ_rows δ x̂.
    static int64_t update(WeightsPhase<T>& phase, int l, int64_t u, int64_t) {
        const Step<T>& step = phase.step;
        const Layer& layer = step.plan->layers[l - 1];
        const int64_t j = u * panel_width, left = layer.out_padded - j,
                      columns = left < panel_width ? left : panel_width;
        const Matrix<T> delta = part(step.work.delta[l], 0, j), normed = part(kept(layer, step.work.kept[l]), 0, j);
        phase.move_bias(layer, delta, phase.own_rows(0, step.rows), j, columns);
        T* const gradient = phase.gradient();
        for (int64_t v = 0; v < columns; v += V::width) {
            V sum = V::zero();
            for (int64_t r = 0; r < step.rows; ++r)
                sum = fma(V::load(delta.row(r) + v), V::load(normed.row(r) + v), sum);
            sum.store(gradient + v);
        }
        phase.move(layer.panels + j, gradient, columns);
        return 1;
    }

    static void predict_row(const Layer& layer, const T* flat, const T* a, T* z, T* x_hat) {
        normalise(layer, a, x_hat);
        Along<T>{layer.n_out}.each([&](int64_t i, int lanes) {
            const V beta = layer.has_bias ? V::load_partial(flat + layer.flat_b + i, lanes) : V::zero();
            (V::load_partial(flat + layer.flat_W + i, lanes) * V::load(x_hat + i) + beta).store(z + i);
        });
    }

    // Row r's ∂o/∂γ = δ x̂.
    static void row_gradients(const Step<T>& step, int l, int64_t rows, Matrix<T> J) {
        const Layer& layer = step.plan->layers[l - 1];
        const Matrix<T> normed = kept(layer, step.work.kept[l]);
        for (int64_t r = 0; r < rows; ++r) {
            const T *d = step.work.delta[l].row(r), *x_hat = normed.row(r);
            Along<T>{layer.n_out}.each([&](int64_t i, int lanes) {
                (V::load(d + i) * V::load(x_hat + i)).store_partial(J.row(r) + layer.flat_W + i, lanes);
            });
        }
    }

private:
    // Along ẋ, with s = 1/√(σ² + ε): the derivative of x̂ is s (ẋ − mean(ẋ)) − c x̂ with c = s mean(x̂ ẋ), and that of s
    // is −c s. Both are kept as x̂ and s are.
    static void forward_along(const Step<T>& step, int l, int64_t begin, int64_t end) {
        const Layer& layer = step.plan->layers[l - 1];
        const Activate<T> activate(step, l, begin);
        const Matrix<T> X = part(step.work.A[l - 1], begin, 0), normed = part(kept(layer, step.work.kept[l]), begin, 0),
                        at = part(kept(layer, step.point().kept[l]), begin, 0);
        const T* gamma = step.packed + layer.panels;
        const Along<T> row{layer.n_out};
        const V n(static_cast<T>(layer.n_out));
        for (int64_t r = 0; r < end - begin; ++r) {
            const T *x = X.row(r), *x_hat = at.row(r);
            T *const changed = normed.row(r), *const z = activate.Z.row(r);
            const V scale = V::broadcast(x_hat[layer.out_padded]);
            const V mean = row.sum([&](int64_t i) { return V::load(x + i); }) / n;
            const V c = scale * (row.sum([&](int64_t i) { return V::load(x + i) * V::load(x_hat + i); }) / n);
            row.each([&](int64_t i, int lanes) {
                const V d = fnma(V::load(x_hat + i), c, scale * (V::load(x + i) - mean));
                select(Mask<T>::first(lanes), d, V::zero()).store(changed + i);
                (V::load(gamma + i) * V::load(changed + i)).store(z + i);
            });
            c.store_partial(changed + layer.out_padded, 1);
        }
        activate.finish(end - begin);
    }

    // Of ∂E/∂x = s (g − mean(g) − x̂ mean(g x̂)), with g = γ δ and h = ġ − c g:
    // s (h − mean(h) − x̂ (mean(h x̂) + mean(g x̂˙)) − x̂˙ mean(g x̂)).
    static void backward_along(const Step<T>& step, int l, int64_t begin, int64_t end) {
        const Layer& layer = step.plan->layers[l - 1];
        const PullBack<T> pull_back(step, l - 1, begin);
        const Matrix<T> delta = part(step.work.delta[l], begin, 0), back = part(step.at->work.delta[l], begin, 0),
                        normed = part(kept(layer, step.work.kept[l]), begin, 0),
                        at = part(kept(layer, step.point().kept[l]), begin, 0);
        const T* gamma = step.packed + layer.panels;
        const Along<T> row{layer.n_out};
        const V n(static_cast<T>(layer.n_out));
        for (int64_t r = 0; r < end - begin; ++r) {
            const T *d = delta.row(r), *d_at = back.row(r), *x_hat = at.row(r), *changed = normed.row(r);
            const V scale = V::broadcast(x_hat[layer.out_padded]), c = V::broadcast(changed[layer.out_padded]);
            const auto g = [&](int64_t i) { return V::load(gamma + i) * V::load(d_at + i); };
            const auto h = [&](int64_t i) { return fnma(c, g(i), V::load(gamma + i) * V::load(d + i)); };
            const V mean = row.sum(h) / n;
            const V along = row.sum([&](int64_t i) { return h(i) * V::load(x_hat + i); }) / n;
            const V turned = row.sum([&](int64_t i) { return g(i) * V::load(changed + i); }) / n;
            const V before = row.sum([&](int64_t i) { return g(i) * V::load(x_hat + i); }) / n;
            row.each([&](int64_t i, int lanes) {
                const V sum = h(i) - mean - V::load(x_hat + i) * (along + turned) - V::load(changed + i) * before;
                select(Mask<T>::first(lanes), scale * sum, V::zero()).store(pull_back.G.row(r) + i);
            });
        }
        pull_back.finish(end - begin);
    }

    // Of each row x̂, and after its last vector 1/√(σ² + ε).
    static Matrix<T> kept(const Layer& layer, T* memory) {
        return {memory, padded_stride<T>(layer.out_padded + 1, V::width)};
    }

    // Writes x̂ of a row, with zeros to the next whole vector; returns 1/√(σ² + ε).
    static RESEAU_INLINE V normalise(const Layer& layer, const T* x, T* x_hat) {
        const Along<T> row{layer.n_out};
        // Counted from the row's first number on: equal numbers give exactly 0, and far from zero no digit is lost.
        const V n(static_cast<T>(layer.n_out)), first = V::broadcast(x[0]);
        const V mean = row.sum([&](int64_t i) { return V::load(x + i) - first; }) / n;
        LaneSum<T> squares;
        row.each([&](int64_t i, int lanes) {
            const V d = select(Mask<T>::first(lanes), V::load(x + i) - first - mean, V::zero());
            d.store(x_hat + i);
            squares.add_product(d, d);
        });
        const V scale = V(T(1)) / sqrt(V(squares.total()) / n + V(static_cast<T>(layer.epsilon)));
        row.each([&](int64_t i, int) { (V::load(x_hat + i) * scale).store(x_hat + i); });
        return scale;
    }
};

}  // namespace reseau::RESEAU_ISA
