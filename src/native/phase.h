// The weights phase of one thread: what stays the same from unit to unit, and what every kind does with a gradient.
#pragma once

#include "optimizers.h"
#include "rows.h"

namespace reseau::RESEAU_ISA {

// A unit of the weights phase is unit_rows rows of one panel of W, or what a kind makes of it. Where the batch comes in
// several chunks of rows, the sums of so many units wait side by side for the next chunk.
inline constexpr int64_t most_units = 8;

// The columns of a piece of W whose squares are summed together, over the rows of a unit: 64 bytes of them, so that the
// sums are the same for AVX2 and AVX-512, or a panel where that is less.
template <class T>
inline constexpr int64_t square_columns =
    64 / static_cast<int64_t>(sizeof(T)) < panel_vectors * Vec<T>::width ? 64 / static_cast<int64_t>(sizeof(T))
                                                                         : panel_vectors * Vec<T>::width;

// So many pieces have n columns.
template <class T>
static RESEAU_INLINE int64_t square_pieces(int64_t n) {
    return (n + square_columns<T> - 1) / square_columns<T>;
}

template <class T>
class WeightsPhase {
public:
    using V = Vec<T>;
    static constexpr int64_t panel_width = panel_vectors * V::width;

    // `copy` has room for chunk_rows rows of a panel, or for as many as the batch has.
    WeightsPhase(const Step<T>& step, T* copy)
        : step(step),
          copy_(copy),
          optimizer_(step.update.optimizer == gradient_only ? gradient_entry<T> : optimizers<T>[step.update.optimizer]),
          lambda_(static_cast<T>(step.l2 / step.total)) {
        optimizer_.prepare(prepared_, step.update.hyperparameters, step.update.step);
        const int64_t bytes = step.plan->packed_size * (1 + optimizer_.states) * static_cast<int64_t>(sizeof(T));
        fetches_ = bytes > step.plan->layers->machine.second_cache && step.rows >= rows_worth_fetching;
        put_off_.move = move_of(0, nullptr, 0, lambda_);
    }

    const Step<T>& step;

    // How many of so many rows from `first` on are the batch's, and not those of passes.
    int64_t own_rows(int64_t first, int64_t rows) const {
        const int64_t left = step.rows / (1 + step.pass_count) - first;
        return left < 0 ? 0 : left < rows ? left : rows;
    }

    // Room for the gradient of most_units units, which is not that of a step put off.
    T* gradient() {
        const T *const first = gradients_[0], *const second = gradients_[1];
        return put_off_.layer != nullptr && put_off_.move.g >= first && put_off_.move.g < second ? gradients_[1]
                                                                                                 : gradients_[0];
    }

    // Whether the weights move, or only their gradient is wanted.
    bool moves() const { return step.update.optimizer != gradient_only; }

    // The step of `count` packed parameters from `at` on, which the penalty does not count.
    void move(int64_t at, const T* dw, int64_t count) {
        Move<T> now = move_of(at, dw, count, T(0));
        optimizer_.finish(now);
    }

    // The step of weights that it counts, `rows` rows of a panel. Before it the sums of their squares go to
    // step.squares, from `piece` on and as far as there are `pieces`.
    void move_penalised(int64_t at, const T* dw, int64_t rows, int64_t columns, int64_t piece, int64_t pieces) {
        if (step.squares != nullptr) squares(at, rows, columns, piece, pieces);
        Move<T> now = move_of(at, dw, rows * columns, lambda_);
        optimizer_.finish(now);
    }

    // The same; if moves_beside, put off to be made beside the sums of the next unit, whose multiply-adds hide its
    // roots and divisions. Then `renew` writes the further forms of rows [begin, end) of the panel at column j. It ends
    // what was put off before.
    using Renew = void (*)(const Layer&, const T* packed, T* mirrors, int64_t j, int64_t begin, int64_t end);
    void put_off(int64_t at, const T* dw, int64_t rows, int64_t columns, int64_t piece, int64_t pieces,
                 const Layer& layer, Renew renew, int64_t j, int64_t begin, int64_t end) {
        finish();
        if (step.squares != nullptr) squares(at, rows, columns, piece, pieces);
        put_off_ = {move_of(at, dw, rows * columns, lambda_), &layer, renew, j, begin, end};
        if (!moves_beside) finish();
    }
    void finish() {
        if (put_off_.layer == nullptr) return;
        optimizer_.finish(put_off_.move);
        if (moves())
            put_off_.renew(*put_off_.layer, step.packed, step.mirrors, put_off_.j, put_off_.begin, put_off_.end);
        put_off_.layer = nullptr;
    }

    // The gradient of a unit as large as they come, and beside it what was put off, or most of it.
    template <class E>
    void sum(int64_t K, const E* a, int64_t a_stride, const E* b, int64_t b_stride, T* c) {
        const auto sum_beside = [&] {
            if constexpr (Product<E>::numbers == 1) {
                return optimizer_.sum_beside;
            } else {
                return optimizer_.sum_rounded_beside;
            }
        }();
        sum_beside(K, a, a_stride, b, b_stride, c, put_off_.move);
    }

    // ∂E/∂b = Σ_rows δ of the biases from j on, and their step. Where the rows come in chunks, each but the first
    // continues the sum, and only the last makes the step.
    void move_bias(const Layer& layer, Matrix<T> delta, int64_t rows, int64_t j, int64_t columns,
                   bool continues = false, bool last = true) {
        if (!layer.has_bias) return;
        V sum[panel_vectors] = {};  // side by side, for each add waits for the one before
        if (continues) {
            for (int64_t v = 0; v < panel_vectors; ++v) sum[v] = V::load(bias_ + v * V::width);
        }
        for (int64_t r = 0; r < rows; ++r) {
#pragma GCC unroll 2
            for (int64_t v = 0; v < panel_vectors; ++v)
                sum[v] = sum[v] + V::load(delta.row(r) + (v * V::width < columns ? v * V::width : 0));
        }
        for (int64_t v = 0; v < panel_vectors; ++v) sum[v].store(bias_ + v * V::width);
        if (last) move(layer.bias + j, bias_, columns);
    }

    // Asks for the weights and states of a step to come, so that they arrive while the gradient is summed: where they
    // are not in the second cache anyway, and the sum takes long enough.
    void fetch(int64_t at, int64_t count) const {
        if (!fetches_) return;
        for (int64_t i = 0; i < count; i += 64 / static_cast<int64_t>(sizeof(T))) {
            __builtin_prefetch(step.packed + at + i, 1);
            for (int s = 0; s < optimizer_.states; ++s) __builtin_prefetch(step.update.state[s] + at + i, 1);
        }
    }

    // K rows of a panel, copied together.
    template <class E>
    Matrix<E> together(Matrix<E> m, int64_t K, int64_t columns) const {
        E* const copy = reinterpret_cast<E*>(copy_);
        for (int64_t k = 0; k < K; ++k) {
            for (int64_t v = 0; v < columns; v += V::width) Vec<E>::load(m.row(k) + v).store(copy + k * columns + v);
        }
        return {copy, columns};
    }

    // Whether everything that was updated is finite, if the step checks that.
    bool finite() const { return all_zero(V::load(beyond_)); }

private:
    void squares(int64_t at, int64_t rows, int64_t columns, int64_t place, int64_t pieces) const {
        constexpr int64_t piece = square_columns<T>;
        for (int64_t p = 0; p < pieces && p * piece < columns; ++p) {
            LaneSum<T> sum;
            for (int64_t r = 0; r < rows; ++r) {
                for (int64_t v = p * piece; v < (p + 1) * piece; v += V::width) {  // the lanes of what is beyond are 0
                    const V w = v < columns ? V::load(step.packed + at + r * columns + v) : V::zero();
                    sum.add_product(w, w);
                }
            }
            step.squares[place + p] = static_cast<double>(sum.total());
        }
    }

    Move<T> move_of(int64_t at, const T* dw, int64_t count, T lambda) {
        Move<T> move{&prepared_, lambda, step.packed + at, dw, {}, step.checks ? beyond_ : nullptr, count, 0};
        for (int s = 0; s < optimizer_.states; ++s) move.states[s] = step.update.state[s] + at;
        return move;
    }

    static constexpr int64_t unit_gradient = unit_rows * panel_width;
    alignas(64) T gradients_[2][most_units * unit_gradient];
    struct {
        Move<T> move{};
        const Layer* layer = nullptr;
        Renew renew = nullptr;
        int64_t j = 0, begin = 0, end = 0;
    } put_off_;
    T* const copy_;
    const OptimizerEntry<T>& optimizer_;
    Prepared<T> prepared_;
    const T lambda_;
    static constexpr int64_t rows_worth_fetching = 16;
    bool fetches_;
    alignas(64) T bias_[panel_width];
    alignas(64) T beyond_[V::width] = {};  // see OptimizerEntry
};

}  // namespace reseau::RESEAU_ISA
