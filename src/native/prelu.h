// Parametric ReLU, z = max(0, a) + α min(0, a) with a slope α for each neuron (He, Zhang, Ren, Sun 2015).
#pragma once

#include "epilogues.h"
#include "phase.h"

namespace reseau::RESEAU_ISA {

// α is what other kinds call W. The penalty does not count it: it would draw the slope to that of ReLU.
template <class T>
struct ParametricRelu {
    using V = Vec<T>;
    static constexpr int64_t panel_width = panel_vectors * V::width;

    static bool suits(const Layer&, const Demands&) { return true; }

    static void plan(const Demands&, Layer& layer, Plan& plan) {
        layer.panels = plan.packed_size;
        plan.packed_size += layer.out_padded;
        plan.flat_size += layer.n_out;
        plan.multiplications += layer.n_out;
        layer.units = (layer.n_out + panel_width - 1) / panel_width;
    }

    static int64_t unit_work(const Layer&, int64_t, int64_t) { return 1; }
    static int64_t kept_numbers(const Layer&, int64_t) { return 0; }

    static void pack(const Layer& layer, const T* flat, T* packed, T*) {
        copy(flat + layer.flat_W, packed + layer.panels, layer.n_out);
    }
    static void unpack(const Layer& layer, const T* packed, T* flat) {
        copy(packed + layer.panels, flat + layer.flat_W, layer.n_out);
    }

    static void forward(const Step<T>& step, int l, int64_t begin, int64_t end) {
        const Layer& layer = step.plan->layers[l - 1];
        const Activate<T> activate(step, l, begin);
        const Matrix<T> A = part(step.work.A[l - 1], begin, 0);  // (rows, n_out)
        const Matrix<T> side = part(step.point().A[l - 1], begin, 0);
        const T* alpha = step.packed + layer.panels;  // (n_out)
        for (int64_t r = 0; r < end - begin; ++r) {
            for (int64_t i = 0; i < layer.out_padded; i += V::width) {
                bent(V::load(side.row(r) + i), V::load(A.row(r) + i), V::load(alpha + i)).store(activate.Z.row(r) + i);
            }
        }
        activate(0, 0, end - begin, layer.out_padded / V::width);
        activate.finish(end - begin);
    }

    // ∂E/∂a = δ for a > 0, else α δ
    static void backward(const Step<T>& step, int l, int64_t begin, int64_t end, bool sends_back) {
        if (!sends_back) return;
        const Layer& layer = step.plan->layers[l - 1];
        const PullBack<T> pull_back(step, l - 1, begin);
        const Matrix<T> A = part(step.point().A[l - 1], begin, 0), delta = part(step.work.delta[l], begin, 0);
        const T* alpha = step.packed + layer.panels;
        for (int64_t r = 0; r < end - begin; ++r) {
            for (int64_t i = 0; i < layer.in_padded; i += V::width) {
                const V d = V::load(delta.row(r) + i), slope = V::load(alpha + i);
                select(V::load(A.row(r) + i) > V::zero(), d, slope * d).store(pull_back.G.row(r) + i);
            }
        }
        pull_back(0, 0, end - begin, layer.in_padded / V::width);
        pull_back.finish(end - begin);
    }

    // A unit is a panel of α: ∂E/∂α = Σ_rows δ min(0, a), and δ ȧ where a is not above 0 of the passes' rows.
    static int64_t update(WeightsPhase<T>& phase, int l, int64_t u, int64_t) {
        const Step<T>& step = phase.step;
        const Layer& layer = step.plan->layers[l - 1];
        const int64_t j = u * panel_width, left = layer.out_padded - j,
                      columns = left < panel_width ? left : panel_width;
        const Matrix<T> A = part(step.work.A[l - 1], 0, j), delta = part(step.work.delta[l], 0, j);
        T* const gradient = phase.gradient();
        for (int64_t v = 0; v < columns; v += V::width) {
            V sum = V::zero();
            const int64_t rows = phase.own_rows(0, step.rows);
            for (int64_t r = 0; r < rows; ++r)
                sum = fma(V::load(delta.row(r) + v), min(V::zero(), V::load(A.row(r) + v)), sum);
            for (int64_t r = rows; r < step.rows; ++r) {
                const V below = select(V::load(A.row(r % rows) + v) > V::zero(), V::zero(), V::load(A.row(r) + v));
                sum = fma(V::load(delta.row(r) + v), below, sum);
            }
            sum.store(gradient + v);
        }
        phase.move(layer.panels + j, gradient, columns);
        return 1;
    }

    static void predict_row(const Layer& layer, const T* flat, const T* a, T* z, T*) {
        Along<T>{layer.n_out}.each([&](int64_t i, int lanes) {
            const V alpha = V::load_partial(flat + layer.flat_W + i, lanes);
            (bent(V::load(a + i), V::load(a + i), alpha) + V::zero()).store(z + i);  // + 0 as where a bias is added
        });
    }

    // Row r's ∂o/∂α = δ min(0, a).
    static void row_gradients(const Step<T>& step, int l, int64_t rows, Matrix<T> J) {
        const Layer& layer = step.plan->layers[l - 1];
        for (int64_t r = 0; r < rows; ++r) {
            const T *a = step.work.A[l - 1].row(r), *d = step.work.delta[l].row(r);
            Along<T>{layer.n_out}.each([&](int64_t i, int lanes) {
                (V::load(d + i) * min(V::zero(), V::load(a + i))).store_partial(J.row(r) + layer.flat_W + i, lanes);
            });
        }
    }

private:
    static RESEAU_INLINE V bent(V side, V a, V alpha) { return select(side > V::zero(), a, alpha * a); }
};

}  // namespace reseau::RESEAU_ISA
