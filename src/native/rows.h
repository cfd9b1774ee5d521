// What needs a whole row at once (softmax, the error of a row), written once for rows in two shapes.
//
// Along: one row, its numbers one after the other along the lanes. Abreast: as many rows as a vector has lanes, number j of
// all of them in vector j; for rows of few numbers, in which a row along the lanes would leave most of them idle and wait for
// one reduction after the other. A formula is a template of the shape: it visits vectors with each(f) and folds them with
// sum(f) and maximum(f), where f(i, lanes) and f(i) get a vector's place in memory. Both shapes fold a row's numbers in the
// same order, that of LaneReduction, so the result does not depend on the shape.
#pragma once

#include "network.h"
#include "simd.h"

namespace reseau::RESEAU_ISA {

template <class T>
struct Along {
    using V = Vec<T>;
    int64_t n;

    template <class F>
    RESEAU_INLINE void each(F f) const {
        for (int64_t i = 0; i < n; i += V::width) f(i, static_cast<int>(n - i < V::width ? n - i : V::width));
    }
    template <class F>
    RESEAU_INLINE V sum(F f) const {
        return fold<LaneSum<T>>(f);
    }
    template <class F>
    RESEAU_INLINE V maximum(F f) const {
        return fold<LaneMax<T>>(f);
    }

private:
    template <class Reduction, class F>
    RESEAU_INLINE V fold(F f) const {
        Reduction reduction;
        each([&](int64_t i, int lanes) { reduction.add(f(i), lanes); });
        return V(reduction.total());
    }
};

template <class T>
struct Abreast {
    using V = Vec<T>;
    static constexpr int most = 64 / sizeof(T);  // numbers in a row: the virtual width of LaneReduction
    int64_t n;

    template <class F>
    RESEAU_INLINE void each(F f) const {
        for (int64_t j = 0; j < n; ++j) f(j * V::width, V::width);
    }
    template <class F>
    RESEAU_INLINE V sum(F f) const {
        return fold<Sum<T>>(f);
    }
    template <class F>
    RESEAU_INLINE V maximum(F f) const {
        return fold<Maximum<T>>(f);
    }

private:
    template <class Operation, class F>
    RESEAU_INLINE V fold(F f) const {
        V part[most];
        for (int64_t j = 0; j < n; ++j) part[j] = Operation::apply(f(j * V::width), V(Operation::identity));
        int64_t count = n;
        for (int half = most / 2; half > 0; half /= 2) {
            for (int64_t j = 0; j + half < count; ++j) part[j] = Operation::apply(part[j], part[j + half]);
            if (count > half) count = half;
        }
        return part[0] + V::zero();
    }
};

// Up to `width` rows of at most Abreast<T>::most numbers, turned to lie abreast. Rows in memory are padded to whole vectors;
// those that are missing repeat the last.
template <class T>
class Turned {
public:
    using V = Vec<T>;
    T numbers[Abreast<T>::most * V::width] __attribute__((aligned(64)));

    RESEAU_INLINE void load(Matrix<T> m, int64_t rows, int64_t n) {
        if (rows < V::width) {
            for (int64_t r = 0; r < V::width; ++r) {
                const T* row = m.row(r < rows ? r : rows - 1);
                for (int64_t i = 0; i < n; i += V::width) V::load(row + i).store(rows_ + r * most + i);
            }
            m = {rows_, most};
        }
        for (int64_t i = 0; i < n; i += V::width) {
            transpose(m.data + i, m.stride, numbers + i * V::width, V::width, n - i < V::width ? n - i : V::width);
        }
    }

    // Writes zeros beyond the n numbers.
    RESEAU_INLINE void store(Matrix<T> m, int64_t rows, int64_t n) {
        const Matrix<T> target = rows < V::width ? Matrix<T>{rows_, most} : m;
        for (int64_t i = 0; i < n; i += V::width) {
            for (int64_t j = n; j < i + V::width; ++j) V::zero().store(numbers + j * V::width);
            transpose(numbers + i * V::width, V::width, target.data + i, target.stride, V::width);
        }
        if (rows == V::width) return;
        for (int64_t r = 0; r < rows; ++r) {
            for (int64_t i = 0; i < n; i += V::width) V::load(rows_ + r * most + i).store(m.row(r) + i);
        }
    }

private:
    static constexpr int64_t most = Abreast<T>::most;
    T rows_[V::width * most] __attribute__((aligned(64)));
};

// Calls abreast(r, count) for blocks of rows that are worth turning, along(r) for the rest.
template <class T, class FAbreast, class FAlong>
static RESEAU_INLINE void for_rows(int64_t rows, int64_t n, FAbreast abreast, FAlong along) {
    constexpr int64_t worth_turning = 4;
    int64_t r = 0;
    if (n <= Abreast<T>::most) {
        for (; rows - r >= worth_turning; r += Vec<T>::width) {
            const int64_t left = rows - r;
            abreast(r, left < Vec<T>::width ? left : Vec<T>::width);
        }
    }
    for (; r < rows; ++r) along(r);
}

}  // namespace reseau::RESEAU_ISA
