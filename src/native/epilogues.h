// What stands between the products of two layers, the same for every kind of layer: forward the bias, the activation
// and dropout, backward the activation's derivative. They work on a tile while it is in the first cache, or on whole
// rows.
#pragma once

#include "activations.h"
#include "dropout.h"

namespace reseau::RESEAU_ISA {

// A_l = σ_l(Z_l + b_l) of the rows from `begin` on, where a kind has written its Z_l without b_l to `Z`.
template <class T>
class Activate {
public:
    RESEAU_INLINE Activate(const Step<T>& step, int l, int64_t begin)
        : Z(part(l == step.plan->count && step.work.Z.data != nullptr ? step.work.Z : step.work.A[l], begin, 0)),
          layer_(step.plan->layers[l - 1]),
          sigma_(activations<T>[layer_.activation]),
          A_(part(step.work.A[l], begin, 0)),
          D_(part(step.work.D[l], begin, 0)),
          bias_(step.packed + layer_.bias),
          // A row-wise activation waits for its whole row; the tile only gets its bias.
          forward_(sigma_.row_wise ? activations<T>[0].forward : sigma_.forward),
          drops_(step.drops && layer_.dropout > 0) {
        if (!drops_) return;
        const uint64_t of_step = mix(step.dropout_seed + static_cast<uint64_t>(step.update.step));
        key_ = of_step + (static_cast<uint64_t>(l - 1) << 32) + static_cast<uint64_t>(begin);
    }

    const Matrix<T> Z;  // (rows, n_out)

    // For a tile that is complete, `vectors` wide from row r and column j on.
    RESEAU_INLINE void operator()(int64_t r, int64_t j, int64_t rows, int64_t vectors) const {
        forward_(part(Z, r, j), bias_ + j, part(sigma_.row_wise ? Z : A_, r, j), part(D_, r, j), rows, vectors);
        if (drops_)
            drop(layer_.dropout, key_ + static_cast<uint64_t>(r), j, part(A_, r, j), part(D_, r, j), rows, vectors);
    }

    // When all tiles of these rows are done.
    RESEAU_INLINE void finish(int64_t rows) const {
        if (sigma_.row_wise) sigma_.forward_rows(Z, A_, rows, layer_.n_out);
    }

private:
    const Layer& layer_;
    const ActivationEntry<T>& sigma_;
    const Matrix<T> A_, D_;
    const T* const bias_;
    const decltype(ActivationEntry<T>::forward) forward_;
    const bool drops_;
    uint64_t key_ = 0;
};

// δ_l = ∂E/∂Z_l of the rows from `begin` on, where ∂E/∂A_l was written to `G`; of the inputs, l = 0, ∂E/∂X is left as
// it is.
template <class T>
class PullBack {
public:
    RESEAU_INLINE PullBack(const Step<T>& step, int l, int64_t begin)
        : G(part(step.work.delta[l], begin, 0)),
          A_(part(step.work.A[l], begin, 0)),
          D_(part(step.work.D[l], begin, 0)),
          layer_(l > 0 ? &step.plan->layers[l - 1] : nullptr),
          sigma_(l > 0 ? &activations<T>[layer_->activation] : nullptr) {}

    const Matrix<T> G;  // (rows, n_out)

    // As in Activate.
    RESEAU_INLINE void operator()(int64_t r, int64_t j, int64_t rows, int64_t vectors) const {
        if (sigma_ != nullptr && !sigma_->row_wise)
            sigma_->backward(part(A_, r, j), part(D_, r, j), part(G, r, j), rows, vectors);
    }
    RESEAU_INLINE void finish(int64_t rows) const {
        if (sigma_ != nullptr && sigma_->row_wise) sigma_->pullback_rows(A_, G, rows, layer_->n_out);
    }
    // Of whole rows at once.
    RESEAU_INLINE void all(int64_t rows) const {
        (*this)(0, 0, rows, layer_->out_padded / Vec<T>::width);
        finish(rows);
    }

private:
    const Matrix<T> A_, D_;
    const Layer* const layer_;
    const ActivationEntry<T>* const sigma_;
};

}  // namespace reseau::RESEAU_ISA
