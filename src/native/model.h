// A network made ready for the kernels, and what one can do with it without training: predict, errors, ∂O/∂X, ∂O/∂w.
#pragma once

#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "memory.h"
#include "network.h"
#include "team.h"

namespace reseau {

// What a step's workspace points to.
template <class T>
struct Room {
    std::vector<Buffer<T>> buffers;
    std::vector<Matrix<T>> A, D, delta, own, through, scores;
    std::vector<T*> kept;
};

// A layer as Python describes it.
struct LayerDescription {
    std::string kind;  // a name of the table of layers.h
    int64_t n_in, n_out;
    int activation;
    int64_t flat_W, flat_b;  // offsets in the flat vector; flat_b < 0 without bias
    double dropout, epsilon;
    int plus;                              // the layer whose outputs are added to this one's (0: the inputs), or -1
    std::vector<int64_t> group_ends = {};  // of the groups that its outputs fall into; none where they are one
};

// A loss as Python describes it: its place in the table, its numbers (of each group of outputs in turn), whether it
// simplifies with the output, and between what a cross-entropy's errors are kept.
struct LossDescription {
    int loss = 0;
    std::vector<double> numbers = {};
    bool simplifies = false;
    double least_error = -std::numeric_limits<double>::infinity(), most_error = std::numeric_limits<double>::infinity();
};

// What a network is made ready for: outputs only, or also targets and errors, or also the backward pass to the δ of the
// lowest layer with parameters, or also to ∂E/∂X, or also the scores of all layers, for passes along directions. Each
// needs more memory than the one before.
enum class Purpose { forward, errors, backward, inputs, directions };

// Whether the samples are rows of all their numbers, or of those that are not zero.
enum class Inputs { dense, sparse };

// A network's plan, for the kernels of an instruction set.
template <class T>
class Layout {
public:
    Layout(const InstructionSet& set, std::span<const LayerDescription> layers, LossDescription loss, Purpose purpose,
           Inputs inputs = Inputs::dense, Precision precision = Precision::full);
    Layout(const Layout&) = delete;

    const Plan& plan() const { return plan_; }
    const Kernels<T>& kernels() const { return *kernels_; }
    Purpose purpose() const { return purpose_; }
    Precision precision() const { return precision_; }
    bool sparse() const { return inputs_ == Inputs::sparse; }
    int64_t inputs() const { return layers_.front().n_in; }
    int64_t outputs() const { return layers_.back().n_out; }
    int64_t multiplications() const { return plan_.multiplications; }  // per row and forward pass

private:
    const Kernels<T>* kernels_;
    const Purpose purpose_;
    const Inputs inputs_;
    const Precision precision_;
    std::vector<Layer> layers_;
    std::vector<double> loss_numbers_;
    std::vector<std::vector<int64_t>> group_ends_;  // of each layer
    Plan plan_{};
};

// While it lives, this thread can multiply in the layout's precision: where that is not full it takes subnormal numbers
// for zeros, as the processors' instructions do, and the kernels have made ready.
class Multiplying {
public:
    template <class T>
    explicit Multiplying(const Layout<T>& layout) {
        if (layout.precision() == Precision::full) return;
        flushing_.emplace();
        layout.kernels().enter();
        leave_ = layout.kernels().leave;
    }
    Multiplying(const Multiplying&) = delete;
    ~Multiplying() {
        if (leave_ != nullptr) leave_();
    }

private:
    std::optional<FlushSubnormals> flushing_;
    void (*leave_)() = nullptr;
};

// A network's plan with its packed parameters.
template <class T>
class Model {
public:
    Model(const InstructionSet& set, std::span<const LayerDescription> layers, LossDescription loss, Purpose purpose,
          Inputs inputs = Inputs::dense, Precision precision = Precision::full)
        : layout_(set, layers, loss, purpose, inputs, precision),
          packed_(plan().packed_size),
          mirrors_(plan().mirrors_size) {}

    const Layout<T>& layout() const { return layout_; }
    const Plan& plan() const { return layout_.plan(); }
    const Kernels<T>& kernels() const { return layout_.kernels(); }
    void pack(const T* flat) {
        const Multiplying multiplying(layout_);
        kernels().pack(plan(), flat, packed_.data(), mirrors_.data());
    }
    void unpack(const T* packed, T* flat) const { kernels().unpack(plan(), packed, flat); }
    void unpack(T* flat) const { unpack(packed_.data(), flat); }
    // The largest absolute value of all weights; what is not finite, if some are not.
    T largest() const;

    // A step on so many rows, with a workspace of its own in `room`, and room for so many passes beside it.
    Step<T> step(int64_t rows, Room<T>& room, int passes = 0);

private:
    const Layout<T> layout_;
    Buffer<T> packed_, mirrors_;
};

// The passes beside a step, in the room that Model::step has made for them.
template <class T>
class Passes {
public:
    // Room is allocated now.
    Passes(const Kernels<T>& kernels, const Plan& plan, int count);

    // Lays them out below so many rows of the step, which then has them.
    void lay_out(Step<T>& step, int64_t rows);

private:
    struct Places {
        std::vector<Matrix<T>> A, own, scores, delta, through;
        std::vector<T*> kept;
    };
    // What a workspace's matrices are from `row` on.
    void place(const Step<T>& step, int64_t row, Places& places) const;

    const Kernels<T>& kernels_;
    std::vector<Places> places_;  // of each pass, and of what all share
    std::vector<Pass<T>> passes_;
};

// Rows of a block. Fewer where they are so much work, as for ∂O/∂X of many outputs, that an interruption would wait too
// long.
int64_t block_height(int64_t row_work);

// Each of these returns false if it was interrupted.

// The outputs of sparse rows; those of others are a Predictor's.
template <class T>
bool outputs(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* O);

template <class T>
bool errors(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* e);

template <class T>
bool jacobian(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* J);

template <class T>
bool parameter_jacobian(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check,
                        T* J);

// Products of derivatives with a vector for each row, `stride` apart, or with the same for all: J v (rows, outputs), uᵀ
// J (rows, inputs), and ∂²o_j/∂x² v (rows, outputs, inputs).
enum class Product { jvp, vjp, hessian_vector };
template <class T>
bool product(Model<T>& model, Product which, const Samples<T>& samples, int64_t rows, const T* vectors, int64_t stride,
             int threads, Interrupt::Check check, T* products);

// A of each layer, or Z, or ∂E/∂A, (rows, neurons of all layers).
enum class Inside { values, scores, gradients, gradients_of_own };
template <class T>
bool inside(Model<T>& model, Inside what, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check,
            T* numbers);

// The outputs of a network whose parameters, which must outlive it, may change from call to call. Keeps its memory
// between calls; calls at the same time, of which the second and further ones take memory of their own, are safe.
template <class T>
class Predictor {
public:
    Predictor(const InstructionSet& set, std::span<const LayerDescription> layers, const T* flat, Precision precision);
    ~Predictor();

    const Layout<T>& layout() const { return layout_; }

    enum class Outcome { done, not_finite, interrupted };
    Outcome predict(const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* outputs);

private:
    struct Memory;
    Outcome predict(Memory& memory, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check,
                    T* outputs) const;

    const InstructionSet& set_;
    const std::vector<LayerDescription> layers_;
    const Layout<T> layout_;
    const T* const flat_;
    std::mutex in_use_;
    std::unique_ptr<Memory> memory_;
};

}  // namespace reseau
