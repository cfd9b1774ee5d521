// Gradient and training.
#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "model.h"
#include "pace.h"
#include "whole.h"

namespace reseau {

// A loss that is computed elsewhere, for a whole batch at once. Before each call stand in O the outputs of the batch's
// rows and in `places` which of the caller's rows these are; after it in `errors` the error of each row, and in G its
// ∂E/∂O. A call that returns false ends the run.
template <class T>
struct OwnLoss {
    T* O;             // (batch, outputs)
    int64_t* places;  // (batch)
    const T* errors;  // (batch)
    const T* G;       // (batch, outputs)
    std::function<bool(int64_t rows)> call;
};

// E, the (weighted) mean error of all rows, and its gradient in the flat layout. Where the samples have slopes, E has
// ½ slope_weight Σ (∂O/∂X − slopes)² of each row too, of what counts. Returns false if it was interrupted. `own` stands
// in the place of the model's loss, unless it is null.
template <class T>
bool gradient(Model<T>& model, const Samples<T>& samples, int64_t rows, double l2, double slope_weight, int threads,
              Interrupt::Check check, const OwnLoss<T>* own, double& E, T* flat);

// What ends a run, besides a number that is not finite.
struct Guard {
    double loss;    // more than this as the mean error of an epoch's rows
    double weight;  // more than this as the absolute value of a weight after an epoch
};

struct Schedule {
    int64_t epochs, batch_size;
    bool shuffle;
    uint64_t seed;
    double l2;
    const int64_t* order;  // that of the rows, in every epoch; or null
    bool resume, leave;    // whether the weights are still those of the last run, and may stay packed after this one
    double* record;        // (batches, 2), of the last epoch's: the weighted error, Σ W² before the step; or null
    std::optional<Guard> guard;
    const double* rates;  // the learning rate of each step, epoch after epoch; or null
    double slope_weight;  // of ½ Σ (∂O/∂X − slopes)² in the error, where the samples have slopes
};

// What a failure is of.
enum class Part {
    loss,   // the errors so far, which are not finite, or make the epoch's mean error larger than it may be
    state,  // the weights and the optimizer's state, of which something is not finite
    growth  // the weights, of which one is larger than it may be
};

// Where a guarded run failed.
struct Failure {
    int64_t step;  // within its epoch, from 1
    Part part;
};

// A training run in progress: the optimizer's state, and how many steps and epochs were made.
template <class T>
class Trainer {
public:
    Trainer(Model<T>& model, int optimizer, const std::optional<Treatment>& treatment);
    Trainer(const Trainer&) = delete;

    // Trains for schedule.epochs epochs and writes the mean error of each to `losses`. The hyperparameters are in the
    // order of the optimizer's names. `flat` (flat_size) holds the parameters; the end of an epoch brings it up to
    // date, if they are not to be left packed. An interrupted epoch leaves it as it is, and returns false; the
    // optimizer's state has then gone on with the steps that were made. An epoch in which a guarded run fails leaves
    // it too; that epoch's error is the last in `losses`. `own` is as in gradient().
    bool run(T* flat, const Samples<T>& samples, int64_t rows, std::span<const double> hyperparameters,
             const Schedule& schedule, int threads, Interrupt::Check check, const OwnLoss<T>* own,
             std::vector<double>& losses);

    int optimizer() const { return optimizer_; }
    const Layout<T>& layout() const { return model_.layout(); }
    // Where the last run failed, if it did.
    std::optional<Failure> failure() const { return failure_; }
    // The weights as the last run left them.
    void unpack(T* flat) const {
        if (whole_ != nullptr) {
            whole_->result(flat);
        } else {
            model_.unpack(flat);
        }
    }
    // The optimizer's state vector s in the flat layout, and the steps and epochs made; and all of that given back.
    // Where the caller gets the average of the weights, one more are the weights themselves.
    void state(int s, T* flat) const;
    void set_state(int s, const T* flat);
    int64_t steps() const { return steps_; }
    int64_t epochs() const { return epoch_; }
    void set_counts(int64_t steps, int64_t epochs) {
        steps_ = steps;
        epoch_ = epochs;
    }
    // Whether all weights are finite.
    bool finite() const { return std::isfinite(model_.largest()); }

private:
    Model<T>& model_;
    int optimizer_;
    std::vector<Buffer<T>> state_;         // each packed, or flat where there is a whole step
    std::unique_ptr<WholeStep<T>> whole_;  // or null
    int64_t epoch_ = 0, steps_ = 0;
    std::optional<Failure> failure_;
    // How many threads are worth having within a run, and for runs so short that starting and joining them counts.
    Pace pace_{1}, runs_{1};
    double last_run_ = 1;  // seconds
};

}  // namespace reseau
