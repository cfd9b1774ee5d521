// The table of kinds of layers. A kind is a map from A_{l−1} to Z_l: where its parameters lie, and its products,
// there and back. What follows Z_l is no business of a kind's: bias, activation and dropout are epilogues, penalty and
// optimizer the phase's.
#pragma once

#include "identity.h"
#include "norm.h"
#include "prelu.h"
#include "split_dense.h"

namespace reseau::RESEAU_ISA {

template <class T>
struct KindEntry {
    const char* name;  // Python's for the map; kinds that differ only in how they compute it have the same
    // Whether a layer of that name that has to do so much is of this kind.
    bool (*suits)(const Layer&, const Demands&);
    // Gives its parameters their places, but for b, and counts its units of work and what else the plan adds up.
    void (*plan)(const Demands&, Layer&, Plan&);
    // How much of the weights phase a unit is, in rows of a panel.
    int64_t (*unit_work)(const Layer&, int64_t u, int64_t rows);
    // How many numbers it keeps of a batch of so many rows, in Workspace::kept.
    int64_t (*kept_numbers)(const Layer&, int64_t rows);

    // Between the flat vector and the packed one, all but b; the further forms are left out if `mirrors` is null.
    void (*pack)(const Layer&, const T* flat, T* packed, T* mirrors);
    void (*unpack)(const Layer&, const T* packed, T* flat);

    // Rows phase, rows [begin, end): from A[l − 1] to what `Activate` makes of Z. On a step with `at` it is from ȧ to
    // ż, the derivative along a direction, at the numbers of step.point(); and backward from δ˙ to the change of ∂E/∂A.
    void (*forward)(const Step<T>&, int l, int64_t begin, int64_t end);
    // From delta[l], which is complete, to what `PullBack` makes of ∂E/∂A[l − 1], if that is wanted.
    void (*backward)(const Step<T>&, int l, int64_t begin, int64_t end, bool sends_back);
    // Weights phase: sums the gradient of unit u, and of those after it and before `end` as far as it suits, over all
    // rows of the batch, and moves the parameters. Returns how many units that were.
    int64_t (*update)(WeightsPhase<T>&, int l, int64_t u, int64_t end);

    // z = a W + b of one row, straight from the flat vector; `memory` has room for a row of the widest layer.
    void (*predict_row)(const Layer&, const T* flat, const T* a, T* z, T* memory);
    // ∂o/∂w of each row, from A[l − 1] and delta[l] to where the flat vector has w, in J (rows, flat_size). What lies
    // behind it may be written too.
    void (*row_gradients)(const Step<T>&, int l, int64_t rows, Matrix<T> J);
};

template <class T, class Kind>
constexpr KindEntry<T> kind_entry(const char* name) {
    return {
        .name = name,
        .suits = Kind::suits,
        .plan = Kind::plan,
        .unit_work = Kind::unit_work,
        .kept_numbers = Kind::kept_numbers,
        .pack = Kind::pack,
        .unpack = Kind::unpack,
        .forward = Kind::forward,
        .backward = Kind::backward,
        .update = Kind::update,
        .predict_row = Kind::predict_row,
        .row_gradients = Kind::row_gradients,
    };
}

// The first of the name that suits is taken.
template <class T>
inline constexpr KindEntry<T> kinds[] = {
    kind_entry<T, SparseDense<T>>("dense"),    kind_entry<T, Bf16Dense<T>>("dense"),
    kind_entry<T, SplitDense<T, 2>>("dense"),  kind_entry<T, SplitDense<T, 3>>("dense"),
    kind_entry<T, NarrowDense<T>>("dense"),    kind_entry<T, Dense<T>>("dense"),
    kind_entry<T, LayerNorm<T>>("layer_norm"), kind_entry<T, Identical<T>>("dropout"),
    kind_entry<T, ParametricRelu<T>>("prelu"),
};

template <class T>
static RESEAU_INLINE const KindEntry<T>& kind_of(const Layer& layer) {
    return kinds<T>[layer.kind];
}

// --- the plan, layer by layer ----------------------------------------------------------------------------------------

// Completes a layer whose shape, activation and places in the flat vector are known, and adds it to the plan.
template <class T>
static void plan_layer(const Demands& demands, Layer& layer, Plan& plan) {
    layer.in_padded = round_up(layer.n_in, Vec<T>::width);
    layer.out_padded = round_up(layer.n_out, Vec<T>::width);
    layer.machine = demands.machine;
    layer.mirror = layer.pairs = -1;
    layer.first_unit = plan.units;
    layer.first_square = plan.squares;
    layer.kind = 0;
    while (__builtin_strcmp(kind_of<T>(layer).name, demands.kind) != 0 || !kind_of<T>(layer).suits(layer, demands))
        ++layer.kind;
    kind_of<T>(layer).plan(demands, layer, plan);
    layer.bias = plan.packed_size;
    plan.packed_size += layer.out_padded;
    if (layer.has_bias) plan.flat_size += layer.n_out;
    if (layer.plus >= 0) plan.links = true;
    plan.units += layer.units;
    if (plan.widest < layer.in_padded) plan.widest = layer.in_padded;
    if (plan.widest < layer.out_padded) plan.widest = layer.out_padded;
    ++plan.count;
    if (plan.flat_size == 0) plan.lowest = plan.count + 1;
}

template <class T>
static int64_t unit_work(const Layer& layer, int64_t u, int64_t rows) {
    return kind_of<T>(layer).unit_work(layer, u, rows);
}

template <class T>
static int64_t kept_numbers(const Layer& layer, int64_t rows) {
    return kind_of<T>(layer).kept_numbers(layer, rows);
}

// --- parameters: between the flat vector and the packed one ----------------------------------------------------------

// The padding is zero already, from the beginning.
template <class T>
static void pack(const Plan& plan, const T* flat, T* packed, T* mirrors) {
    for (int l = 0; l < plan.count; ++l) {
        const Layer& layer = plan.layers[l];
        if (layer.has_bias) __builtin_memcpy(packed + layer.bias, flat + layer.flat_b, layer.n_out * sizeof(T));
        kind_of<T>(layer).pack(layer, flat, packed, mirrors);
    }
}

template <class T>
static void unpack(const Plan& plan, const T* packed, T* flat) {
    for (int l = 0; l < plan.count; ++l) {
        const Layer& layer = plan.layers[l];
        if (layer.has_bias) __builtin_memcpy(flat + layer.flat_b, packed + layer.bias, layer.n_out * sizeof(T));
        kind_of<T>(layer).unpack(layer, packed, flat);
    }
}

}  // namespace reseau::RESEAU_ISA
