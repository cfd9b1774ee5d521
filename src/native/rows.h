// What needs a whole row at once (softmax, the error of a row), written once for rows in three shapes.
//
// Along: one row, its numbers one after the other along the lanes. Abreast: as many rows as a vector has lanes, number
// j of all of them in vector j; for rows of few numbers, in which a row along the lanes would leave most of them idle
// and wait for one reduction after the other. Within: as Along, but of a group of a row's numbers, where what lies
// behind them belongs to the next group. A formula is a template of the shape: it visits vectors with each(f) and folds
// them with sum(f) and maximum(f), where f(i, lanes) and f(i) get a vector's place in memory, at which load(p, i) and
// store(x, p, i) take and leave it. All shapes fold a row's numbers in the same order, that of LaneReduction, so the
// result does not depend on the shape.
#pragma once

#include "network.h"
#include "simd.h"

namespace reseau::RESEAU_ISA {

// A reduction over a long row with one virtual width of 64 bytes in every build (16 floats, 8 doubles): element i goes
// to lane i modulo that width, and total() halves the lanes again and again, lane i with lane i + half.
//
// Each add takes the next consecutive Vec; add(v, n) counts only its first n lanes, for the end of a row. The registers
// rotate, so that no add needs to know its number; halving pairs the same registers wherever the rotation stopped.
template <class T, class Operation>
class LaneReduction {
public:
    RESEAU_INLINE LaneReduction() {
        for (Vec<T>& p : part_) p = Vec<T>(Operation::identity);
    }
    RESEAU_INLINE void add(Vec<T> v) { push(Operation::apply(v, part_[0])); }
    RESEAU_INLINE void add(Vec<T> v, int n) { add(select(Mask<T>::first(n), v, Vec<T>(Operation::identity))); }
    RESEAU_INLINE T total() const {
        Vec<T> v = part_[0];
        if constexpr (parts == 2) v = Operation::apply(v, part_[1]);
        if constexpr (parts == 4)
            v = Operation::apply(Operation::apply(v, part_[2]), Operation::apply(part_[1], part_[3]));

        typedef T Block __attribute__((vector_size(16)));
        Block block[4 / parts];
        __builtin_memcpy(block, &v, sizeof(block));
        if constexpr (parts == 1) {
            block[0] = Operation::apply(block[0], block[2]);
            block[1] = Operation::apply(block[1], block[3]);
        }
        if constexpr (parts <= 2) block[0] = Operation::apply(block[0], block[1]);

        T lane[16 / sizeof(T)];
        __builtin_memcpy(lane, &block[0], sizeof(lane));
        if constexpr (sizeof(T) == 4) {
            lane[0] = Operation::apply(lane[0], lane[2]);
            lane[1] = Operation::apply(lane[1], lane[3]);
        }
        return Operation::apply(lane[0], lane[1]) + T(0);  // a maximum of zeros of both signs is +0 in every build
    }

protected:
    static constexpr int parts = 64 / sizeof(typename Vec<T>::Register);
    Vec<T> part_[parts];

    RESEAU_INLINE void push(Vec<T> last) {
        for (int p = 0; p + 1 < parts; ++p) part_[p] = part_[p + 1];
        part_[parts - 1] = last;
    }
};

template <class T>
struct Sum {
    static constexpr T identity = 0;
    template <class V>
    static RESEAU_INLINE V apply(V a, V b) {
        return a + b;
    }
};

// Passes over NaN: the maximum of the other elements, -infinity when there are none.
template <class T>
struct Maximum {
    static constexpr T identity = -__builtin_huge_val();
    static RESEAU_INLINE Vec<T> apply(Vec<T> a, Vec<T> b) { return max(a, b); }
    template <class V>
    static RESEAU_INLINE V apply(V a, V b) {
        return a > b ? a : b;
    }
};

template <class T>
struct LaneSum : LaneReduction<T, Sum<T>> {
    RESEAU_INLINE void add_product(Vec<T> a, Vec<T> b) { this->push(fma(a, b, this->part_[0])); }
    // The lanes, 64 bytes, turned by some registers: the halving then pairs the same lanes.
    RESEAU_INLINE void store(T* lanes) const {
        for (int p = 0; p < this->parts; ++p) this->part_[p].store(lanes + p * Vec<T>::width);
    }
};

template <class T>
struct LaneMax : LaneReduction<T, Maximum<T>> {};

// 1 and 0 by turns, for the numbers of a pair.
template <class T>
inline constexpr T by_turns[16] = {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0};

template <class T>
struct Along {
    using V = Vec<T>;
    int64_t n;

    RESEAU_INLINE V load(const T* p, int64_t i) const { return V::load(p + i); }
    RESEAU_INLINE void store(V x, T* p, int64_t i) const { x.store(p + i); }
    // What each of the numbers at i has of an array with one for each number of a row, padded to whole vectors.
    RESEAU_INLINE V of(const double* numbers, int64_t i) const {
        return gathered([&](int64_t j) { return static_cast<T>(numbers[j]); }, i);
    }
    // Whether they are the first of their pair; the others of their pairs; the numbers before them, the first before
    // itself; whether they are the first of all.
    RESEAU_INLINE Mask<T> first_of_pair(int64_t) const { return V::load(by_turns<T>) > V::zero(); }
    RESEAU_INLINE V beside(const T* p, int64_t i) const {
        return gathered([&](int64_t j) { return p[j ^ 1]; }, i);
    }
    RESEAU_INLINE V before(const T* p, int64_t i) const {
        return gathered([&](int64_t j) { return p[j > 0 ? j - 1 : 0]; }, i);
    }
    RESEAU_INLINE Mask<T> first(int64_t i) const { return Mask<T>::first(i == 0 ? 1 : 0); }
    // Sums from the first number on, or from the last number back, in the place of the numbers.
    RESEAU_INLINE void cumulate(T* p) const {
        for (int64_t j = 1; j < n; ++j) p[j] = p[j - 1] + p[j];
    }
    RESEAU_INLINE void cumulate_back(T* p) const {
        for (int64_t j = n - 2; j >= 0; --j) p[j] = p[j + 1] + p[j];
    }

    template <class F>
    RESEAU_INLINE void each(F f) const {
        for (int64_t i = 0; i < n; i += V::width) f(i, static_cast<int>(n - i < V::width ? n - i : V::width));
    }
    // f(i, sums), from the last vector to the first, with the sums that cumulate_back would leave at i.
    template <class F>
    RESEAU_INLINE void each_with_sums_back(const T* p, F f) const {
        T total = 0, lanes[V::width] = {};
        for (int64_t i = (n - 1) / V::width * V::width; i >= 0; i -= V::width) {
            for (int l = V::width; l-- > 0;) {
                if (i + l < n) total += p[i + l];
                lanes[l] = total;
            }
            f(i, V::load(lanes));
        }
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
    template <class F>
    static RESEAU_INLINE V gathered(F f, int64_t i) {
        T lanes[V::width];
        for (int l = 0; l < V::width; ++l) lanes[l] = f(i + l);
        return V::load(lanes);
    }
    template <class Reduction, class F>
    RESEAU_INLINE V fold(F f) const {
        Reduction reduction;
        each([&](int64_t i, int lanes) { reduction.add(f(i), lanes); });
        return V(reduction.total());
    }
};

template <class T>
struct Within : Along<T> {
    using V = Vec<T>;
    explicit RESEAU_INLINE Within(int64_t numbers) : Along<T>{numbers} {}

    RESEAU_INLINE V load(const T* p, int64_t i) const {
        return this->n - i >= V::width ? V::load(p + i) : V::load_partial(p + i, static_cast<int>(this->n - i));
    }
    RESEAU_INLINE void store(V x, T* p, int64_t i) const {
        this->n - i >= V::width ? x.store(p + i) : x.store_partial(p + i, static_cast<int>(this->n - i));
    }
};

template <class T>
struct Abreast {
    using V = Vec<T>;
    static constexpr int most = 64 / sizeof(T);  // numbers in a row: the virtual width of LaneReduction
    int64_t n;

    RESEAU_INLINE V load(const T* p, int64_t i) const { return V::load(p + i); }
    RESEAU_INLINE void store(V x, T* p, int64_t i) const { x.store(p + i); }
    RESEAU_INLINE V of(const double* numbers, int64_t i) const { return V(static_cast<T>(numbers[i / V::width])); }
    RESEAU_INLINE Mask<T> first_of_pair(int64_t i) const { return V(static_cast<T>(i / V::width % 2)) == V::zero(); }
    RESEAU_INLINE V beside(const T* p, int64_t i) const { return V::load(p + (i / V::width ^ 1) * V::width); }
    RESEAU_INLINE V before(const T* p, int64_t i) const { return V::load(p + (i > 0 ? i - V::width : 0)); }
    RESEAU_INLINE Mask<T> first(int64_t i) const { return Mask<T>::first(i == 0 ? V::width : 0); }
    RESEAU_INLINE void cumulate(T* p) const {
        for (int64_t j = 1; j < n; ++j) add(p + (j - 1) * V::width, p + j * V::width);
    }
    RESEAU_INLINE void cumulate_back(T* p) const {
        for (int64_t j = n - 2; j >= 0; --j) add(p + (j + 1) * V::width, p + j * V::width);
    }

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
    static RESEAU_INLINE void add(const T* p, T* to) { (V::load(p) + V::load(to)).store(to); }
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

// Up to `width` rows of at most Abreast<T>::most numbers, turned to lie abreast. Rows in memory are padded to whole
// vectors; those that are missing repeat the last.
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

// f(shape, first, k) of a row along the lanes, or of each of its groups.
template <class T, class F>
static RESEAU_INLINE void along_row(const Row& row, F f) {
    if (!row.in_groups()) return f(Along<T>{row.n}, int64_t{0}, 0);
    row.each([&](int64_t first, int64_t n, int k) { f(Within<T>(n), first, k); });
}

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

// n numbers, with no more written; for rows as short as a panel's a call of memcpy takes longer than the copy.
template <class T>
static RESEAU_INLINE void copy(const T* source, T* target, int64_t n) {
    using V = Vec<T>;
    int64_t i = 0;
    for (; i + V::width <= n; i += V::width) V::load(source + i).store(target + i);
    if (i < n) V::load_partial(source + i, static_cast<int>(n - i)).store_partial(target + i, static_cast<int>(n - i));
}

// a times the n numbers of d, whose rows are padded to whole vectors. What lies behind them before `end` may be written
// too: parts of vectors are stored slowly.
template <class T>
static RESEAU_INLINE void scaled(T a, const T* d, T* target, int64_t n, const T* end) {
    using V = Vec<T>;
    for (int64_t i = 0; i < n; i += V::width) {
        const V x = V(a) * V::load(d + i);
        target + i + V::width <= end ? x.store(target + i) : x.store_partial(target + i, static_cast<int>(n - i));
    }
}

// Whether all lanes are zeros, of either sign.
template <class T>
static bool all_zero(Vec<T> a) {
    T lanes[Vec<T>::width];
    a.store(lanes);
    for (const T x : lanes) {
        if (x != 0) return false;
    }
    return true;
}

}  // namespace reseau::RESEAU_ISA
