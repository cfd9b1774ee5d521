// Steps that need the whole gradient before a weight moves, or all weights after it: sums over several batches,
// clipping, the penalty of absolute values, a bound on the norms of weights, rates for each layer, and the average of
// the weights.
//
// Where one of these is asked for, the weights phase leaves the gradient in memory, and the step is made here, in the
// caller's flat layout. Elements are summed in one order there, whatever the instruction set and the threads.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "model.h"

namespace reseau {

// A tensor of the flat vector: where it begins, its shape, whether the penalties count it, and by what its learning
// rate is multiplied.
struct FlatTensor {
    int64_t at, rows, columns;
    bool penalised;
    double rate;
};

// What is done besides the optimizer's step; 0 leaves something out.
struct Treatment {
    double clip_norm, clip_value, l1, max_norm, average;
    int64_t accumulate;  // so many batches make a step
    std::vector<FlatTensor> tensors;
};

template <class T>
class WholeStep {
public:
    WholeStep(const Model<T>& model, const Treatment& treatment)
        : model_(model),
          treatment_(treatment),
          size_(model.plan().flat_size),
          packed_gradient_(model.plan().packed_size),
          weights_(size_),
          gradient_(size_),
          sum_(treatment.accumulate > 1 ? size_ : 0),
          average_(treatment.average > 0 ? size_ : 0),
          partial_(static_cast<size_t>(blocks())) {
        int64_t columns = 0;
        for (const FlatTensor& tensor : treatment.tensors) columns += tensor.columns;
        column_sums_.resize(static_cast<size_t>(columns));
    }

    const Treatment& treatment() const { return treatment_; }
    bool averages() const { return treatment_.average > 0; }
    T* packed_gradient() const { return packed_gradient_.data(); }
    int64_t size() const { return size_; }

    // The run begins, or goes on, with what the flat vector holds: the weights, or where they are averaged the average,
    // if steps have been made; the weights themselves are then here.
    void begin(const T* flat) {
        if (averages()) copy(flat, average_.data());
        if (!averages() || !begun_) copy(flat, weights_.data());
        begun_ = true;
    }
    // The weights as the caller gets them.
    void result(T* flat) const { copy(averages() ? average_.data() : weights_.data(), flat); }
    // Those that are trained.
    T* weights() const { return weights_.data(); }
    void set_weights(const T* flat) {
        copy(flat, weights_.data());
        begun_ = true;
    }

    // A batch within the batches of a step: its weight, that of them all, and whether it is the first or the last.
    struct Batch {
        double total, of_all;
        bool opens, closes;
    };

    // Called by each thread of a team when the batch's gradient is there; the last batch makes the step. False if
    // `checks` and something in this thread's part is not finite.
    template <class Wait>
    bool make(int thread, int team, const Batch& batch, const Update<T>& update, T* packed, T* mirrors, bool checks,
              Wait wait) {
        each_layer(thread, team,
                   [&](const Plan& one) { model_.kernels().unpack(one, packed_gradient_.data(), gradient_.data()); });
        wait();
        const int64_t begin = blocks() * thread / team * block,
                      end = std::min(size_, blocks() * (thread + 1) / team * block);
        if (treatment_.accumulate > 1) add_up(begin, end, batch);
        if (!batch.closes) {
            wait();
            return true;
        }
        if (treatment_.l1 > 0) add_signs(begin, end, static_cast<T>(treatment_.l1 / batch.of_all));
        if (treatment_.clip_value > 0) clip(begin, end, static_cast<T>(treatment_.clip_value));
        if (treatment_.clip_norm > 0) {
            for (int64_t b = begin; b < end; b += block) {
                double squares = 0;
                for (int64_t i = b; i < std::min(end, b + block); ++i) {
                    squares += static_cast<double>(gradient_.data()[i]) * static_cast<double>(gradient_.data()[i]);
                }
                partial_[static_cast<size_t>(b / block)] = squares;
            }
            wait();
            double squares = 0;
            for (const double part : partial_) squares += part;
            const double norm = std::sqrt(squares);
            if (!(norm <= treatment_.clip_norm)) {
                const T scale = static_cast<T>(treatment_.clip_norm / norm);
                for (int64_t i = begin; i < end; ++i) gradient_.data()[i] *= scale;
            }
        }
        bool finite = true;
        each_tensor(begin, end, [&](const FlatTensor& tensor, int64_t from, int64_t to) {
            std::array<double, most_hyperparameters> numbers;
            Update<T> own = update;
            if (tensor.rate != 1) {
                std::copy_n(update.hyperparameters, numbers.size(), numbers.begin());
                numbers[learning_rate] *= tensor.rate;
                own.hyperparameters = numbers.data();
            }
            if (!model_.kernels().move(own, weights_.data(), gradient_.data(), from, to - from, checks)) finite = false;
        });
        if (treatment_.max_norm > 0) {
            wait();
            double* sums = column_sums_.data();  // each tensor's own: one thread may be at the next before another is
            for (const FlatTensor& tensor : treatment_.tensors) {
                if (tensor.penalised)
                    bound(tensor, tensor.columns * thread / team, tensor.columns * (thread + 1) / team, sums);
                sums += tensor.columns;
            }
            wait();
        }
        if (averages()) {
            // Of all steps so far, the last one weighing 1 − β and each before it β times as much as the next.
            const double beta = treatment_.average;
            const T share = static_cast<T>((1 - beta) / (1 - std::pow(beta, static_cast<double>(update.step))));
            for (int64_t i = begin; i < end; ++i) {
                average_.data()[i] += share * (weights_.data()[i] - average_.data()[i]);
            }
        }
        wait();
        each_layer(thread, team,
                   [&](const Plan& one) { model_.kernels().pack(one, weights_.data(), packed, mirrors); });
        wait();
        return finite;
    }

private:
    static constexpr int64_t block = 4096;
    int64_t blocks() const { return (size_ + block - 1) / block; }

    void copy(const T* from, T* to) const { std::copy_n(from, size_, to); }

    // This thread's layers, each as a plan of its own.
    template <class F>
    void each_layer(int thread, int team, F f) const {
        Plan one = model_.plan();
        const Layer* const layers = one.layers;
        const int count = one.count;
        one.count = 1;
        for (int l = thread; l < count; l += team) {
            one.layers = layers + l;
            f(one);
        }
    }

    // The parts of tensors between two places.
    template <class F>
    void each_tensor(int64_t begin, int64_t end, F f) const {
        for (const FlatTensor& tensor : treatment_.tensors) {
            const int64_t from = std::max(begin, tensor.at);
            const int64_t to = std::min(end, tensor.at + tensor.rows * tensor.columns);
            if (from < to) f(tensor, from, to);
        }
    }

    // Σ over the batches of weight · gradient, over the weight of them all.
    void add_up(int64_t begin, int64_t end, const Batch& batch) {
        T *const g = gradient_.data(), *const sum = sum_.data();
        const T weight = static_cast<T>(batch.total), all = static_cast<T>(batch.of_all);
        for (int64_t i = begin; i < end; ++i) sum[i] = batch.opens ? weight * g[i] : sum[i] + weight * g[i];
        if (!batch.closes) return;
        for (int64_t i = begin; i < end; ++i) g[i] = sum[i] / all;
    }

    void add_signs(int64_t begin, int64_t end, T l1) {
        each_tensor(begin, end, [&](const FlatTensor& tensor, int64_t from, int64_t to) {
            if (!tensor.penalised) return;
            for (int64_t i = from; i < to; ++i) {
                const T w = weights_.data()[i];
                gradient_.data()[i] += w > 0 ? l1 : w < 0 ? -l1 : T(0);
            }
        });
    }

    void clip(int64_t begin, int64_t end, T most) {
        for (int64_t i = begin; i < end; ++i) {
            T& g = gradient_.data()[i];
            g = g > most ? most : g < -most ? -most : g;
        }
    }

    // Columns [begin, end) of a matrix whose norms are too large become shorter.
    void bound(const FlatTensor& tensor, int64_t begin, int64_t end, double* sums) {
        T* const W = weights_.data() + tensor.at;
        std::fill(sums + begin, sums + end, 0.0);
        for (int64_t i = 0; i < tensor.rows; ++i) {
            for (int64_t j = begin; j < end; ++j) {
                const double w = static_cast<double>(W[i * tensor.columns + j]);
                sums[j] += w * w;
            }
        }
        for (int64_t j = begin; j < end; ++j) {
            const double norm = std::sqrt(sums[j]);
            if (!(norm > treatment_.max_norm)) continue;
            const T scale = static_cast<T>(treatment_.max_norm / norm);
            for (int64_t i = 0; i < tensor.rows; ++i) W[i * tensor.columns + j] *= scale;
        }
    }

    const Model<T>& model_;
    const Treatment treatment_;
    const int64_t size_;
    const Buffer<T> packed_gradient_, weights_, gradient_, sum_, average_;
    std::vector<double> partial_, column_sums_;
    bool begun_ = false;
};

}  // namespace reseau
