// A network made ready for the kernels, and what one can do with it: predict, errors, ∂O/∂X, gradient, training.
#pragma once

#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "network.h"
#include "team.h"

namespace reseau {

// Memory for `size` elements, on a cache line's boundary. Parameters start as zeros; a workspace is written before it is
// read, and clearing that of a very large batch would take longer than an interruption may wait.
enum class Content { zeros, anything };
template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(int64_t size, Content content = Content::zeros);

    T* data() const { return memory_.get(); }

private:
    struct Free {
        void operator()(T* p) const { std::free(p); }
    };
    std::unique_ptr<T, Free> memory_;
};

// What a step's workspace points to.
template <class T>
struct Room {
    std::vector<Buffer<T>> buffers;
    std::vector<Matrix<T>> A, D, delta;
};

// A layer as Python describes it.
struct LayerDescription {
    int64_t n_in, n_out;
    int activation;
    int64_t flat_W, flat_b;  // offsets in the flat vector; flat_b < 0 without bias
};

// A network's plan with its packed parameters. `for_inputs` adds what ∂O/∂X needs.
template <class T>
class Model {
public:
    Model(const InstructionSet& set, std::span<const LayerDescription> layers, int loss, bool simplifies, bool for_inputs);
    Model(const Model&) = delete;

    const Plan& plan() const { return plan_; }
    const Kernels<T>& kernels() const { return *kernels_; }
    void pack(const T* flat) { kernels_->pack(plan_, flat, packed_.data(), mirrors_.data()); }
    void unpack(const T* packed, T* flat) const { kernels_->unpack(plan_, packed, flat); }

    // A step on so many rows, with a workspace of its own in `room`: for prediction only, or also for targets and loss, or
    // also for the backward pass.
    enum class Purpose { forward, errors, backward };
    Step<T> step(const Samples<T>& samples, int64_t rows, Purpose purpose, Room<T>& room);

    int64_t multiplications() const { return multiplications_; }  // per row and forward pass: Σ n_in n_out

private:
    const Kernels<T>* kernels_;
    const bool for_inputs_;
    std::vector<Layer> layers_;
    Plan plan_{};
    Buffer<T> packed_, mirrors_;
    int64_t multiplications_ = 0;
};

// Each of these returns false if it was interrupted.

template <class T>
bool predict(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* outputs);

template <class T>
bool errors(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* e);

template <class T>
bool jacobian(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* J);

// E, the (weighted) mean error of all rows, and its gradient in the flat layout.
template <class T>
bool gradient(Model<T>& model, const Samples<T>& samples, int64_t rows, double l2, int threads, Interrupt::Check check, double& E,
              T* flat);

struct Schedule {
    int64_t epochs, batch_size;
    bool shuffle;
    uint64_t seed;
    double l2;
};

// A training run in progress: the optimizer's state, and how many steps and epochs were made.
template <class T>
class Trainer {
public:
    Trainer(Model<T>& model, int optimizer, int states);

    // Trains for schedule.epochs epochs and writes the mean error of each to `losses`. `flat` holds the parameters; it is
    // brought up to date at the end of every epoch, and left as it is by one that is interrupted (then false is returned; the
    // optimizer's state, unlike the weights, has then gone on with the steps that were made).
    bool run(T* flat, const Samples<T>& samples, int64_t rows, std::span<const double> hyperparameters, const Schedule& schedule,
             int threads, Interrupt::Check check, std::vector<double>& losses);

private:
    Model<T>& model_;
    int optimizer_;
    Buffer<T> state_[2];
    int64_t epoch_ = 0, steps_ = 0;
};

}  // namespace reseau
