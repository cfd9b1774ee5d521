// The identity, z = a: a layer that has nothing but what comes after its map. In Python that is dropout.
#pragma once

#include "epilogues.h"
#include "phase.h"

namespace reseau::RESEAU_ISA {

// It has no parameters, so that it has no units in the weights phase either.
template <class T>
struct Identical {
    using V = Vec<T>;

    static bool suits(const Layer&, const Demands&) { return true; }
    static void plan(const Demands&, Layer& layer, Plan& plan) { plan.multiplications += layer.n_out; }
    static int64_t unit_work(const Layer&, int64_t, int64_t) { return 0; }
    static int64_t kept_numbers(const Layer&, int64_t) { return 0; }
    static void pack(const Layer&, const T*, T*, T*) {}
    static void unpack(const Layer&, const T*, T*) {}

    static void forward(const Step<T>& step, int l, int64_t begin, int64_t end) {
        const Activate<T> activate(step, l, begin);
        const Matrix<T> A = part(step.work.A[l - 1], begin, 0);
        const int64_t columns = step.plan->layers[l - 1].out_padded;
        for (int64_t r = 0; r < end - begin; ++r) copy(A.row(r), activate.Z.row(r), columns);
        activate(0, 0, end - begin, columns / V::width);
        activate.finish(end - begin);
    }

    static void backward(const Step<T>& step, int l, int64_t begin, int64_t end, bool sends_back) {
        if (!sends_back) return;
        const PullBack<T> pull_back(step, l - 1, begin);
        const Matrix<T> delta = part(step.work.delta[l], begin, 0);
        const int64_t columns = step.plan->layers[l - 1].in_padded;
        for (int64_t r = 0; r < end - begin; ++r) copy(delta.row(r), pull_back.G.row(r), columns);
        pull_back(0, 0, end - begin, columns / V::width);
        pull_back.finish(end - begin);
    }

    static int64_t update(WeightsPhase<T>&, int, int64_t, int64_t) { return 0; }

    // + 0 as where a bias is added, so that −0 becomes 0 in one row as in many.
    static void predict_row(const Layer& layer, const T*, const T* a, T* z, T*) {
        for (int64_t i = 0; i < layer.out_padded; i += V::width) (V::load(a + i) + V::zero()).store(z + i);
    }

    static void row_gradients(const Step<T>&, int, int64_t, Matrix<T>) {}
};

}  // namespace reseau::RESEAU_ISA
