// The kernels of one instruction set: this file is compiled once for each, with RESEAU_ISA naming the namespace.
#include "step.h"

namespace reseau::RESEAU_ISA {

template <class T>
static bool keeps_derivative(int activation) {
    return !activations<T>[activation].from_value;
}

static void enter() {
#if defined(__AMX_BF16__)
    shape_tiles(tile_height);
#endif
}
static void leave() {
#if defined(__AMX_BF16__)
    release_tiles();
#endif
}

template <class T>
static constexpr Kernels<T> kernels{
    .width = Vec<T>::width,
    .enter = enter,
    .leave = leave,
    .plan_layer = plan_layer<T>,
    .unit_work = unit_work<T>,
    .kept_numbers = kept_numbers<T>,
    .pack = pack<T>,
    .unpack = unpack<T>,
    .keeps_derivative = keeps_derivative<T>,
    .train_rows = train_rows<T>,
    .rows_there = rows_there<T>,
    .rows_back = rows_back<T>,
    .train_weights = train_weights<T>,
    .move = move<T>,
    .predict = predict<T>,
    .predict_row = predict_row<T>,
    .errors = errors<T>,
    .jacobian = jacobian<T>,
    .parameter_jacobian = parameter_jacobian<T>,
    .jvp = jvp<T>,
    .vjp = vjp<T>,
    .hessian_vector = hessian_vector<T>,
    .inside = inside<T>,
    .layer_gradients = layer_gradients<T>,
};

#define RESEAU_TEXT(x) #x
#define RESEAU_NAME(x) RESEAU_TEXT(x)

extern const InstructionSet instruction_set;
// The name without "isa_".
constexpr InstructionSet instruction_set{RESEAU_NAME(RESEAU_ISA) + 4, kernels<float>, kernels<double>};

// The tables' names in order, for Python to number; the same in every build.
extern const Names names;
constexpr Names names = [] {
    Names all{};
    for (const auto& entry : kinds<float>) {
        const bool is_new = all.kind_count == 0 || !same(entry.name, all.kinds[all.kind_count - 1]);
        if (is_new) all.kinds[all.kind_count++] = entry.name;
    }
    for (const auto& entry : activations<float>) all.activations[all.activation_count++] = entry.name;
    for (const auto& entry : losses<float>) {
        all.simplifies_with[all.loss_count] = entry.simplifies_with;
        all.losses[all.loss_count++] = entry.name;
    }
    for (const auto& entry : optimizers<float>) {
        all.states[all.optimizer_count] = entry.states;
        all.hyperparameters[all.optimizer_count] = entry.hyperparameters;
        all.hyperparameter_counts[all.optimizer_count] = entry.hyperparameter_count;
        all.optimizers[all.optimizer_count++] = entry.name;
    }
    return all;
}();

}  // namespace reseau::RESEAU_ISA
