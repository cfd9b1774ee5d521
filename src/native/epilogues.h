// What stands between the products of two layers, the same for every kind of layer: forward the bias, the activation,
// dropout and a residual link, backward the link and the activation's derivative. They work on a tile while it is in
// the first cache, or on whole rows.
#pragma once

#include "activations.h"
#include "dropout.h"

namespace reseau::RESEAU_ISA {

// --- residual links, of whole rows from `begin` on -------------------------------------------------------------------

template <class T>
static void add_rows(Matrix<T> a, Matrix<T> b, Matrix<T> sum, int64_t rows, int64_t columns) {
    for (int64_t r = 0; r < rows; ++r) {
        for (int64_t j = 0; j < columns; j += Vec<T>::width)
            (Vec<T>::load(a.row(r) + j) + Vec<T>::load(b.row(r) + j)).store(sum.row(r) + j);
    }
}

// A_l = a_l + A_k, where layer l has a link from k and its own values a_l.
template <class T>
static void add_link(const Step<T>& step, int l, int64_t begin, int64_t rows) {
    const Layer& layer = step.plan->layers[l - 1];
    const auto of = [&](const Matrix<T>& m) { return part(m, begin, 0); };
    add_rows(of(step.work.own[l]), of(step.work.A[layer.plus]), of(step.work.A[l]), rows, layer.out_padded);
}

// ∂E/∂A_l, of which delta[l] holds what came back from layer l + 1, gets what comes back through links, the lowest
// layer's first. What goes back through the layer's own link is kept.
template <class T>
static void join_links(const Step<T>& step, int l, int64_t begin, int64_t rows) {
    const Layer* const layers = step.plan->layers;
    const int64_t columns = l > 0 ? layers[l - 1].out_padded : layers[0].in_padded;
    const Matrix<T> G = part(step.work.delta[l], begin, 0);
    for (int end = l + 1; end <= step.plan->count; ++end) {
        if (layers[end - 1].plus == l) add_rows(G, part(step.work.through[end], begin, 0), G, rows, columns);
    }
    const Matrix<T> through = part(step.work.through[l], begin, 0);
    for (int64_t r = 0; through.data != nullptr && r < rows; ++r) copy(G.row(r), through.row(r), columns);
}

// --- the epilogues ---------------------------------------------------------------------------------------------------

// A_l = σ_l(Z_l + b_l) of the rows from `begin` on, where a kind has written its Z_l without b_l to `Z`.
// Where a step is bare, Z_l is left as it is, without b_l.
template <class T>
class Activate {
public:
    RESEAU_INLINE Activate(const Step<T>& step, int l, int64_t begin)
        : Z(part(step.work.scores[l].data != nullptr ? step.work.scores[l] : step.work.own[l], begin, 0)),
          step_(step),
          l_(l),
          begin_(begin),
          layer_(step.plan->layers[l - 1]),
          sigma_(activations<T>[layer_.activation]),
          A_(part(step.work.own[l], begin, 0)),
          D_(part(step.work.D[l], begin, 0)),
          bias_(step.packed + layer_.bias),
          // A row-wise activation waits for its whole row; the tile only gets its bias.
          forward_(step.bare         ? leave
                   : sigma_.row_wise ? activations<T>[0].forward
                                     : sigma_.forward),
          drops_(step.drops && layer_.dropout > 0) {
        if (!drops_) return;
        const uint64_t of_step = mix(step.dropout_seed + static_cast<uint64_t>(step.update.step));
        key_ = of_step + (static_cast<uint64_t>(l - 1) << 32) + static_cast<uint64_t>(step.rows_before + begin);
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
        if (step_.bare) return;
        if (sigma_.row_wise) sigma_.forward_rows(Z, A_, rows, layer_.row);
        if (layer_.plus >= 0) add_link(step_, l_, begin_, rows);
    }

private:
    static void leave(Matrix<T>, const T*, Matrix<T>, Matrix<T>, int64_t, int64_t) {}

    const Step<T>& step_;
    const int l_;
    const int64_t begin_;
    const Layer& layer_;
    const ActivationEntry<T>& sigma_;
    const Matrix<T> A_, D_;  // (rows, n_out); A_ without what a link adds
    const T* const bias_;    // (n_out)
    const decltype(ActivationEntry<T>::forward) forward_;
    const bool drops_;
    uint64_t key_ = 0;
};

// δ_l = ∂E/∂Z_l of the rows from `begin` on, where ∂E/∂A_l was written to `G`; of the inputs, l = 0, ∂E/∂X is left as
// it is; where a step is bare, all are.
template <class T>
class PullBack {
public:
    RESEAU_INLINE PullBack(const Step<T>& step, int l, int64_t begin)
        : G(part(step.work.delta[l], begin, 0)),
          step_(step),
          l_(l),
          begin_(begin),
          A_(part(step.point().own[l], begin, 0)),
          D_(part(step.point().D[l], begin, 0)),
          layer_(l > 0 ? &step.plan->layers[l - 1] : nullptr),
          sigma_(l > 0 ? &activations<T>[layer_->activation] : nullptr),
          // A row-wise activation waits for its whole row, and with links for what they bring.
          waits_(l == 0 || sigma_->row_wise || layer_->linked || step.bare) {}

    const Matrix<T> G;  // (rows, n_out)

    // As in Activate.
    RESEAU_INLINE void operator()(int64_t r, int64_t j, int64_t rows, int64_t vectors) const {
        if (!waits_) sigma_->backward(part(A_, r, j), part(D_, r, j), part(G, r, j), rows, vectors);
    }
    RESEAU_INLINE void finish(int64_t rows) const {
        if (step_.bare) return;
        if (step_.plan->links) join_links(step_, l_, begin_, rows);
        if (l_ > 0 && waits_) through_activation(rows);
    }
    // Of whole rows at once.
    RESEAU_INLINE void all(int64_t rows) const {
        (*this)(0, 0, rows, layer_->out_padded / Vec<T>::width);
        finish(rows);
    }
    RESEAU_INLINE void through_activation(int64_t rows) const {
        if (sigma_->row_wise) {
            sigma_->pullback_rows(A_, G, rows, layer_->row);
        } else {
            sigma_->backward(A_, D_, G, rows, layer_->out_padded / Vec<T>::width);
        }
    }

private:
    const Step<T>& step_;
    const int l_;
    const int64_t begin_;
    const Matrix<T> A_, D_;  // as in Activate
    const Layer* const layer_;
    const ActivationEntry<T>* const sigma_;
    const bool waits_;
};

}  // namespace reseau::RESEAU_ISA
