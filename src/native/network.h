// How a network lies in memory: the plan of its layers, the packed parameters, and the workspace of a batch.
//
// Plain structures only: this header is seen by the kernels of every instruction set, which share nothing but these.
#pragma once

#include <cstdint>

#include "machine.h"

namespace reseau {

// Whether two names are the same.
constexpr bool same(const char* a, const char* b) {
    while (*a != 0 && *a == *b) ++a, ++b;
    return *a == *b;
}

inline int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// Two numbers rounded to bfloat16, the upper halves of a float each: the first in the lower bits.
struct Bf16Pair {
    uint32_t bits;
};

// Rows of numbers in memory, `stride` elements apart.
template <class T>
struct Matrix {
    T* data;
    int64_t stride;

    T* row(int64_t r) const { return data + r * stride; }
};

// The part of a matrix from row r and column j on.
template <class T>
inline Matrix<T> part(Matrix<T> m, int64_t r, int64_t j) {
    return {m.data == nullptr ? nullptr : m.row(r) + j, m.stride};
}

// The n numbers of a row. Where they fall into groups, one after another, what is row-wise takes each by itself.
struct Row {
    int64_t n;
    const int64_t* ends;       // (groups), of each group; null where all numbers are one
    int groups;                // at least 1
    int64_t numbers_of_group;  // of the loss's own; 0 where all groups have the same

    bool in_groups() const { return ends != nullptr; }
    // f(first, n, k) of each group.
    template <class F>
    void each(F f) const {
        if (!in_groups()) return f(int64_t{0}, n, 0);
        int64_t first = 0;
        for (int k = 0; k < groups; first = ends[k++]) f(first, ends[k] - first, k);
    }
};

// A layer, and where its parameters are.
//
// In the flat vector (the caller's): W (n_in, n_out) by rows at `flat_W`, b (n_out) at `flat_b`.
// Packed, as the optimizer moves them: W at `panels`, in the form of the layer's kind; b at `bias`, out_padded numbers,
// zeros in a layer without bias. Rows and columns are padded with zeros to whole vectors, and training keeps them zero.
// In further forms, for the kernels: where the kind says, from `mirror` and `pairs` on.
struct Layer {
    int kind;  // its place in the table of layers.h
    Machine machine;
    int64_t n_in, n_out;
    int64_t in_padded, out_padded;  // the same in whole vectors
    int64_t flat_W, flat_b;         // places in the flat vector; -1 where there is no such tensor
    int64_t panels, bias;           // places among the packed parameters
    int64_t mirror, pairs;          // -1 where the kind has none
    int64_t first_unit, units;      // of work in the weights phase: the number of the first, and how many
    int64_t first_square;           // in Step::squares
    int activation;                 // its place in the table of activations.h
    Row row;                        // its outputs
    double dropout;                 // the probability that a neuron's output is dropped in training
    double epsilon;                 // of a normalisation
    int plus;                       // its residual link: the layer whose outputs are added (0: the inputs), or -1
    bool linked;                    // whether it has a link, or is where one comes from
    bool has_bias;
    bool learns;  // whether the gradient of its parameters is wanted, where the kind asks
};

// What the factors of products are (of float alone, else full): the numbers themselves, or rounded to bfloat16, or sums
// of two or three bfloat16, of whose products 3 or 6 are taken.
enum class Precision { full, bf16, bf16x3, bf16x6 };

// What a layer has to do, beside its shape: its kind follows from these.
struct Demands {
    const char* kind;     // the name of its map
    bool sparse_rows;     // take sparse rows of samples
    Precision precision;  // of the products
    bool learns;          // give the gradient of its parameters
    bool sends_back;      // give ∂E/∂A of its inputs
    Machine machine;
};

struct Plan {
    const Layer* layers;  // (count)
    int count;
    int lowest = 1;              // the lowest layer with parameters, or the last, to whose δ training sends back
    int loss;                    // its place in the table of losses.h
    const double* loss_numbers;  // that define it; those of which each output has one are padded to whole vectors
    Row row;                     // the outputs
    bool simplifies;             // output and loss are a pair of which error and ∂E/∂Z come from the raw scores
    // Between these an output neuron's error is kept where its target is 1 (or 0), in a cross-entropy.
    double least_error, most_error;
    int64_t flat_size;        // of the flat vector: all parameters
    int64_t packed_size;      // W and b of all layers; the optimizer's state vectors have this layout too
    int64_t mirrors_size;     // the further forms of all W
    int64_t units;            // of the weights phase
    int64_t squares;          // numbers in Step::squares
    int64_t widest;           // the most numbers in a row of any layer, padded to whole vectors
    int64_t multiplications;  // per row and forward pass
    bool links;               // whether a layer has a link

    // What predict_row needs: with links a row of the inputs and of each layer, else two rows by turns; and one more.
    int64_t row_memory() const { return (links ? count + 2 : 3) * widest; }
};

// The samples a call works on, as the caller holds them.
template <class T>
struct Samples {
    const void* X;  // (rows, inputs), float or double whatever T is; of sparse rows (numbers), those that are not zero
    bool X_is_double;
    int64_t X_stride;
    bool far;                // whether X is more than the second cache holds
    const int64_t* starts;   // of sparse rows (rows + 1): where each one's numbers begin in X, and the end; else null
    const int32_t* columns;  // of sparse rows (numbers): the column of each, ascending in a row
    const T* targets;        // (rows, outputs), or null
    const int64_t* labels;   // (rows, groups of the outputs), class labels in place of one-hot targets, or null
    const T* slopes;         // (rows, outputs, inputs), what ∂O/∂X is to be, or null
    const double* weights;   // (rows,), or null
    const T* shares;         // (outputs,), how much the error of each output counts, or null
    bool masked;             // whether targets may be NaN, or labels below 0: not measured, and counting nothing
    const int64_t* order;    // (rows,), which rows to take, or null for `first`, `first` + 1, ...
    int64_t first;

    int64_t place(int64_t r) const { return order != nullptr ? order[first + r] : first + r; }
    bool sparse() const { return starts != nullptr; }
    bool counts_all() const { return shares == nullptr && !masked; }
    T number(int64_t k) const {
        return X_is_double ? static_cast<T>(static_cast<const double*>(X)[k])
                           : static_cast<T>(static_cast<const float*>(X)[k]);
    }
};

// A batch of sparse rows by columns: column i has the numbers starts[i] to starts[i + 1], and their rows, ascending.
template <class T>
struct SparseColumns {
    const int64_t* starts;  // (inputs + 1)
    const int32_t* rows;    // (numbers)
    const T* numbers;       // (numbers)
};

// Memory of one batch: in training all its rows, elsewhere one block of rows. Layers count from 1; what has a layer's
// number is (rows, n_out) each. With dropout A[l] is what is left of the outputs, and D[l] is ∂A[l]/∂Z.
template <class T>
struct Workspace {
    const Matrix<T>* A;        // A[0] are the inputs, without data for sparse rows; A[l] the outputs of layer l
    const Matrix<T>* D;        // σ'(Z), where that does not follow from A
    const Matrix<T>* delta;    // δ = ∂E/∂Z; delta[0] is ∂E/∂X
    const Matrix<T>* own;      // A[l] before the layer's link adds to it, from which σ'(Z) follows; else A[l]
    const Matrix<T>* through;  // ∂E/∂A[l], which the layer's link sends back; else without data
    const Matrix<T>* scores;   // Z of each layer, where it is kept; else without data
    Matrix<T> targets;         // (rows, outputs), gathered, one-hot if labels were given
    double* row_error;         // (rows), the weighted error of each
    T* const* kept;            // what a layer's kind keeps of the batch for itself, (kept_numbers); else null
};

// Stands for an optimizer: state[0] gets the gradient, and the weights stay.
inline constexpr int gradient_only = -1;
inline constexpr int most_states = 4;  // that an optimizer may keep
inline constexpr int most_hyperparameters = 16;
inline constexpr int learning_rate = 0;  // its place among them

// How the weights follow the gradient.
template <class T>
struct Update {
    int optimizer;                  // its place in the table of optimizers.h, or gradient_only
    const double* hyperparameters;  // in the order of its names there; most_hyperparameters in a training run
    int64_t step;                   // 1, 2, ...
    T* state[most_states];          // each (packed_size)
};

template <class T>
struct Pass;

// A training step on a batch.
template <class T>
struct Step {
    const Plan* plan;
    T* packed;   // (packed_size)
    T* mirrors;  // (mirrors_size)
    Samples<T> samples;
    SparseColumns<T> columns;  // of sparse samples, in training
    Workspace<T> work;
    Update<T> update;
    int64_t rows;
    double total;  // the rows of the batch, or the sum of their weights
    double l2;
    double* squares;        // (plan->squares), Σ w² of each piece of W before the step (see phase.h); or null
    bool checks;            // whether the weights phase tells if what it leaves is finite
    bool drops;             // whether layers with dropout drop
    uint64_t dropout_seed;  // mix(~seed)
    int64_t rows_before;    // of the batches whose gradients are summed for the same step

    const Pass<T>* passes;  // (pass_count), for derivatives beside those of the error; see tangents.h
    int pass_count;
    double slope_weight;  // of ½ Σ (∂O/∂X − slopes)² in the error
    bool bare;            // products alone: what stands between them is done by the caller
    const Step<T>* at;    // of a step along a direction, the one that it is the derivative of; else null

    // The numbers at which a layer that is no linear map is taken.
    const Workspace<T>& point() const { return at != nullptr ? at->work : work; }
};

// A way back from one output, and the derivative of the way there and back along a direction, ȧ_0 = along.work.A[0].
// In the weights phase the rows of all passes lie below those of the batch: A along the direction, and δ of the way
// back, whose products are what the gradient of δ · ȧ has beside those of the batch.
template <class T>
struct Pass {
    Step<T> back;        // A is the batch's, δ its own
    Step<T> along;       // A and δ are derivatives of those of `back`
    const Matrix<T>* G;  // ∂o/∂A_l of the way back, of which δ is made
};

// What one build of the kernels offers; see layers.h and step.h for what they do.
template <class T>
struct Kernels {
    int width;  // elements in a vector
    // What a thread calls before the first product of a precision that is not full, and after the last.
    void (*enter)();
    void (*leave)();
    void (*plan_layer)(const Demands&, Layer&, Plan&);
    int64_t (*unit_work)(const Layer&, int64_t unit, int64_t rows);
    int64_t (*kept_numbers)(const Layer&, int64_t rows);
    void (*pack)(const Plan&, const T* flat, T* packed, T* mirrors);
    void (*unpack)(const Plan&, const T* packed, T* flat);
    bool (*keeps_derivative)(int activation);
    void (*train_rows)(const Step<T>&, int64_t begin, int64_t end);
    void (*rows_there)(const Step<T>&, int64_t begin, int64_t end, T* O);
    void (*rows_back)(const Step<T>&, int64_t begin, int64_t end, const T* errors, const T* G);
    // False if it checks, and something is not finite.
    bool (*train_weights)(const Step<T>&, int64_t begin, int64_t end, T* panel);
    // The optimizer's step of parameters whose gradient is in memory; false as above.
    bool (*move)(const Update<T>&, T* w, const T* g, int64_t at, int64_t count, bool checks);
    bool (*predict)(const Step<T>&, int64_t rows, T* outputs);
    bool (*predict_row)(const Plan&, const T* flat, const Samples<T>&, int64_t r, T* memory, T* outputs);
    void (*errors)(const Step<T>&, int64_t rows, T* errors);
    void (*jacobian)(const Step<T>&, int64_t rows, T* jacobian);
    void (*parameter_jacobian)(const Step<T>&, int64_t rows, T* jacobian);
    // Of vectors one for each row, `stride` apart, or the same for all.
    void (*jvp)(const Step<T>&, int64_t rows, const T* v, int64_t stride, T* products);
    void (*vjp)(const Step<T>&, int64_t rows, const T* u, int64_t stride, T* products);
    void (*hessian_vector)(const Step<T>&, int64_t rows, const T* v, int64_t stride, T* products);
    // (rows, neurons of all layers)
    void (*inside)(const Step<T>&, int64_t rows, bool scores, T* numbers);
    void (*layer_gradients)(const Step<T>&, int64_t rows, bool elsewhere, T* numbers);
};

struct InstructionSet {
    const char* name;
    Kernels<float> float32;
    Kernels<double> float64;

    template <class T>
    const Kernels<T>& kernels() const {
        if constexpr (sizeof(T) == sizeof(float)) {
            return float32;
        } else {
            return float64;
        }
    }
};

// The names of the tables in order, and what Python needs to know of an entry.
struct Names {
    const char* kinds[64];  // each once
    const char* activations[64];
    const char* losses[64];
    const char* simplifies_with[64];  // the activation a loss simplifies with, or ""
    const char* optimizers[64];
    int states[64];                          // vectors an optimizer keeps
    const char* const* hyperparameters[64];  // the names of an optimizer's
    int hyperparameter_counts[64];
    int kind_count, activation_count, loss_count, optimizer_count;
};

// The columns of a panel, in vectors, and the rows of W in a unit of the weights phase.
inline constexpr int panel_vectors = 2;
inline constexpr int unit_rows = 16;

// So many rows of the batch are summed at a time in the weights phase.
inline constexpr int chunk_rows = 512;

// A row's length in memory. Rows that are a multiple of 1024 bytes apart would fall into the same few sets of the first
// cache, so such a length gets another vector.
template <class E>
inline int64_t padded_stride(int64_t columns, int64_t width) {
    const int64_t stride = round_up(columns, width);
    return stride * static_cast<int64_t>(sizeof(E)) % 1024 == 0 ? stride + width : stride;
}

}  // namespace reseau
