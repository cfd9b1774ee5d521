// How a network lies in memory: the plan of its layers, the packed parameters, and the workspace of a batch.
//
// Plain structures only: this header is seen by the kernels of every instruction set, which share nothing but these.
#pragma once

#include <cstdint>

namespace reseau {

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

// A layer and where its parameters are.
//
// In the flat vector (the caller's): W (n_in, n_out) by rows at `flat_W`, b at `flat_b`.
// Packed, for the kernels: panels of two vectors of columns, each panel row after row. The last panel has one vector where
// that is enough. Rows and columns are padded with zeros to whole vectors, and training keeps them zero.
//   W  at `panels`: for each panel of columns j, for each i < in_padded, the panel's W(i, j)
//   Wᵀ at `mirror`: the same of the transposed matrix, for δ Wᵀ; the layer next to the inputs needs it only for ∂O/∂X
//   b  at `bias`:   out_padded numbers, zeros in a layer without bias
// For products in bfloat16, pairs of rows of these panels instead of Wᵀ and beside W:
//   W  at `pairs`:  for each panel of columns j, for each pair of i, the panel's (W(i, j), W(i + 1, j))
//   Wᵀ at `mirror_pairs`
// Otherwise a narrow layer, whose few neurons would leave most of a panel idle, has only Wᵀ, at `panels`: for each panel of
// columns i, for each j < n_out, the panel's W(i, j). It serves all three products.
struct Layer {
    int64_t n_in, n_out;
    int64_t in_padded, out_padded;
    int64_t flat_W, flat_b;
    int64_t panels, bias, mirror;
    int64_t pairs, mirror_pairs;
    int64_t first_unit, units;  // of work in the weights phase, see step.h: the number of the first, and how many
    int64_t first_square;       // in Step::squares
    int activation;      // its place in the table of activations.h
    double dropout;      // the probability that a neuron's output is dropped in training
    bool has_bias, narrow;

    // Where a unit begins in W: at row i and column j. `left` counts it and those after it on the same columns, next to it.
    struct Unit {
        int64_t i, j, left;
    };
    Unit unit(int64_t u, int64_t panel_width, int64_t group_units) const;

    // For δ Wᵀ: where the panels of Wᵀ are, given both arrays, and how many rows each has.
    template <class T>
    const T* transposed(const T* packed, const T* mirrors) const {
        return narrow ? packed + panels : mirrors + mirror;
    }
    int64_t transposed_rows() const { return narrow ? n_out : out_padded; }
};

// Whether a layer is narrow; measured with batches of 32 on AVX-512, where up to a quarter of a vector's lanes the dot products
// of a narrow layer take less time than a panel, and the update a fraction.
template <class T>
constexpr bool is_narrow(int64_t n_in, int64_t n_out) {
    constexpr int64_t lanes = 64 / sizeof(T);
    return 4 * n_out <= lanes && n_in >= lanes;
}

struct Plan {
    const Layer* layers;
    int count;
    int loss;              // its place in the table of losses.h
    bool simplifies;       // output and loss are a pair with ∂E/∂Z = o − t
    double least_error, most_error;  // of an output neuron of a cross-entropy whose target is 1 (or 0): what is beyond counts as this
    int64_t flat_size;     // of the flat vector: all parameters
    int64_t packed_size;   // W and b of all layers; the optimizer's state vectors have this layout too
    int64_t mirrors_size;  // all Wᵀ
    int64_t pairs_size;    // all W and Wᵀ in pairs, 0 where the products are not in bfloat16
    int64_t units;         // of the weights phase
    int64_t squares;       // numbers in Step::squares
    int64_t widest;        // the most numbers in a row of any layer, padded to whole vectors

    int64_t row_memory() const { return 3 * widest; }  // what predict_row needs
};

// The samples a call works on, as the caller holds them.
template <class T>
struct Samples {
    const void* X;           // (rows, inputs), float or double whatever T is; of sparse rows the numbers that are not zero
    bool X_is_double;
    int64_t X_stride;
    const int64_t* starts;   // of sparse rows: where each one's numbers begin in X, and where the last one's end; else null
    const int32_t* columns;  // of sparse rows: the column of each number, ascending in a row
    const T* targets;        // (rows, outputs), or null
    const int64_t* labels;   // (rows,), class labels in place of one-hot targets, or null
    const double* weights;   // (rows,), or null
    const int64_t* order;    // which rows to take, or null for `first`, `first` + 1, ...
    int64_t first;

    int64_t place(int64_t r) const { return order != nullptr ? order[first + r] : first + r; }
    bool sparse() const { return starts != nullptr; }
    T number(int64_t k) const {
        return X_is_double ? static_cast<T>(static_cast<const double*>(X)[k]) : static_cast<T>(static_cast<const float*>(X)[k]);
    }
};

// A batch of sparse rows by columns: column i has the numbers starts[i] to starts[i + 1], and their rows, ascending.
template <class T>
struct SparseColumns {
    const int64_t* starts;
    const int32_t* rows;
    const T* numbers;
};

// Memory of one batch (of all rows of a batch in training, of one block of rows elsewhere). A[0] are the inputs, A[l] the
// outputs of layer l (A[0] has no data for sparse rows), delta[l] its δ, D[l] its σ'(Z) where that does not follow from A; layers count from 1. With dropout A[l]
// is what is left of the outputs, and D[l] is ∂A[l]/∂Z.
template <class T>
struct Workspace {
    const Matrix<T> *A, *D, *delta;
    Matrix<T> Z;        // the raw scores of the last layer
    Matrix<T> targets;  // gathered, one-hot if labels were given
    double* row_error;  // the weighted error of each row
    // A[l] and delta[l] rounded to bfloat16, where the products are: in pairs of a row's numbers, and in pairs of two rows'.
    const Matrix<Bf16Pair> *A_along, *A_down, *delta_along, *delta_down;
};

// How the weights follow the gradient: the optimizer's place in the table of optimizers.h (or `gradient_only`, which
// stores the gradient in state[0] and leaves the weights), its hyperparameters in the order of the Python class, the step.
template <class T>
struct Update {
    int optimizer;
    const double* hyperparameters;
    int64_t step;  // 1, 2, ...
    T* state[2];
};
inline constexpr int gradient_only = -1;

// A training step on a batch.
template <class T>
struct Step {
    const Plan* plan;
    T* packed;
    T* mirrors;
    Bf16Pair* pairs;  // null unless the products are in bfloat16
    Samples<T> samples;
    SparseColumns<T> columns;  // of sparse samples, in training
    Workspace<T> work;
    Update<T> update;
    int64_t rows;
    double total;  // the rows of the batch, or the sum of their weights
    double l2;
    double* squares;  // Σ w² of the weights before the step, of each piece of W (see step.h); or null
    bool checks;            // whether the weights phase tells if what it leaves is finite
    bool drops;             // whether layers with dropout drop
    uint64_t dropout_seed;  // mix(~seed)
};

// What one build of the kernels offers; see step.h for what they do.
template <class T>
struct Kernels {
    int width;  // elements in a vector
    void (*pack)(const Plan&, const T* flat, T* packed, T* mirrors, Bf16Pair* pairs);
    void (*unpack)(const Plan&, const T* packed, T* flat);
    bool (*keeps_derivative)(int activation);
    void (*train_rows)(const Step<T>&, int64_t begin, int64_t end);
    bool (*train_weights)(const Step<T>&, int64_t begin, int64_t end, T* panel);  // false if it checks, and something is not finite
    bool (*predict)(const Step<T>&, int64_t rows, T* outputs);
    bool (*predict_row)(const Plan&, const T* flat, const Samples<T>&, int64_t r, T* memory, T* outputs);
    void (*errors)(const Step<T>&, int64_t rows, T* errors);
    void (*jacobian)(const Step<T>&, int64_t rows, T* jacobian);
    void (*parameter_jacobian)(const Step<T>&, int64_t rows, T* jacobian);
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

// The names of the three tables in order, and what Python needs to know of an entry.
struct Names {
    const char* activations[64];
    const char* losses[64];
    const char* simplifies_with[64];  // the activation a loss simplifies with, or ""
    const char* optimizers[64];
    int states[64];  // vectors an optimizer keeps
    int activation_count, loss_count, optimizer_count;
};

// Rows that a thread takes through all layers at a time: few enough that their activations stay in the second cache
// (64 rows of 784 floats are 200 KB), enough that a panel of weights is worth loading.
inline constexpr int block_rows = 64;

// The columns of a panel, in vectors, and the rows of W in a unit of the weights phase.
inline constexpr int panel_vectors = 2;
inline constexpr int unit_rows = 16;

// Units stand below one another in groups before the next panel's begin, and so many rows of the batch are summed at a time: a
// group's inputs (256 KB) stay in the second cache for all panels, and a panel of δ (64 KB) for the group. Without groups all
// inputs would be read again for each panel, from the third cache; but the taller a group, the further the weights and states
// are read in the order in which they lie. With one row it is the whole panel.
inline constexpr int chunk_rows = 512, least_group = 8;

// The columns of a piece of W whose squares are summed together, over the rows of a unit (of a narrow layer, over all neurons):
// 64 bytes of them, so that the sums are the same for AVX2 and AVX-512, or a panel where that is less.
template <class T>
constexpr int64_t square_columns(int64_t width) {
    const int64_t lanes = 64 / static_cast<int64_t>(sizeof(T)), panel = panel_vectors * width;
    return panel < lanes ? panel : lanes;
}

template <class T>
constexpr int64_t group_units(int64_t rows) {
    const int64_t unit = (rows < chunk_rows ? rows : chunk_rows) * unit_rows * static_cast<int64_t>(sizeof(T));  // bytes of its inputs
    const int64_t fit = (int64_t(1) << 18) / unit;
    return fit > least_group ? fit : least_group;
}

inline Layer::Unit Layer::unit(int64_t u, int64_t panel_width, int64_t group_units) const {
    const int64_t panels = (out_padded + panel_width - 1) / panel_width, blocks = (n_in + unit_rows - 1) / unit_rows;
    const int64_t above = u / (panels * group_units) * group_units;
    const int64_t height = blocks - above < group_units ? blocks - above : group_units;
    const int64_t within = u - panels * above;
    return {(above + within % height) * unit_rows, within / height * panel_width, height - within % height};
}

}  // namespace reseau
