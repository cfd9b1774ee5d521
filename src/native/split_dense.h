// Dense layers whose products are in tile order: in bfloat16 where the processor has matrix instructions, and in sums
// of two or three bfloat16 everywhere.
#pragma once

#include "dense.h"
#include "split.h"

namespace reseau::RESEAU_ISA {

// Of so many parts; of T that is never split, no layer's kind.
template <class T, int parts>
struct SplitDense : Dense<T> {
    static bool suits(const Layer&, const Demands&) { return false; }
};

template <int parts>
struct SplitDense<float, parts> : Dense<float> {
    using F = SplitFactors<parts>;
    using V = Vec<float>;

    static bool suits(const Layer&, const Demands& demands) {
        return demands.precision == (parts == 1 ? Precision::bf16 : parts == 2 ? Precision::bf16x3 : Precision::bf16x6);
    }

    static void plan(const Demands& demands, Layer& layer, Plan& plan) {
        Demands without_mirror = demands;  // of whole numbers
        without_mirror.sends_back = false;
        Dense<float>::plan(without_mirror, layer, plan);
        F::plan(demands, layer, plan);
    }

    static int64_t kept_numbers(const Layer& layer, int64_t rows) { return F::kept_numbers(layer, rows); }

    static void pack(const Layer& layer, const float* flat, float* packed, float* mirrors) {
        Dense<float>::pack(layer, flat, packed, nullptr);
        if (mirrors == nullptr) return;
        for (int64_t j = 0; j < layer.out_padded; j += panel_width<float>)
            F::renew_W(layer, packed, mirrors, j, 0, layer.in_padded);
    }

    static void forward(const Step<float>& step, int l, int64_t begin, int64_t end) {
        const F factors(step, l);
        const Activate<float> activate(step, l, begin);
        factors.renew_A(begin, end);
        factors.forward(begin, end, activate);
        activate.finish(end - begin);
    }

    static void backward(const Step<float>& step, int l, int64_t begin, int64_t end, bool sends_back) {
        const F factors(step, l);
        factors.renew_delta(begin, end);
        if (!sends_back) return;
        const PullBack<float> pull_back(step, l - 1, begin);
        factors.backward(begin, end, pull_back);
        pull_back.finish(end - begin);
    }

    static int64_t update(WeightsPhase<float>& phase, int l, int64_t u, int64_t end) {
        const Step<float>& step = phase.step;
        const Layer& layer = step.plan->layers[l - 1];
        const F factors(step, l);
        const auto [i, j, left] = unit_at<float>(layer, u, step.rows);
        const int64_t count = end - u < left ? end - u : left;
        const int64_t columns = panel_columns<float>(layer.out_padded, j), unit = unit_rows * columns;
        const bool several_chunks = step.rows > chunk_rows;  // then each unit's sum waits for the next
        float* const gradients = phase.gradient();
        for (int64_t r = 0; r < step.rows; r += chunk_rows) {
            const int64_t rows = step.rows - r < chunk_rows ? step.rows - r : chunk_rows;
            const bool last = r + rows == step.rows;
            if (i == 0) phase.move_bias(layer, part(step.work.delta[l], r, j), rows, j, columns, r > 0, last);
            for (int64_t block = 0; block < count; block += F::units_at_once) {
                const int64_t units = count - block < F::units_at_once ? count - block : F::units_at_once;
                const int64_t first = i + block * unit_rows, below = layer.n_in - first;
                float* const gradient = gradients + (several_chunks ? block * unit : 0);
                if (last)
                    phase.fetch(place(layer, first, j),
                                (below < units * unit_rows ? below : units * unit_rows) * columns);
                factors.gradient(first, units, j, columns, r, rows, gradient);
                for (int64_t m = 0; last && m < units; ++m) {
                    const int64_t top = first + m * unit_rows;
                    const int64_t n = layer.n_in - top < unit_rows ? layer.n_in - top : unit_rows;
                    const int64_t pieces = square_pieces<float>(layer.n_out), piece = j / square_columns<float>;
                    phase.move_penalised(place(layer, top, j), gradient + m * unit, n, columns,
                                         layer.first_square + top / unit_rows * pieces + piece, pieces - piece);
                    if (phase.moves())
                        F::renew_W(layer, step.packed, step.mirrors, j, top, top + round_up(n, V::width));
                }
            }
        }
        return count;
    }
};

// What precision="bf16" is.
#if defined(__AMX_BF16__)
template <class T>
using Bf16Dense = SplitDense<T, 1>;
#else
template <class T>
using Bf16Dense = RoundedDense<T>;
#endif

}  // namespace reseau::RESEAU_ISA
