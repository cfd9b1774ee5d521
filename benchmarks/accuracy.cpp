// How far the elementary functions of src/native are from the truth, and how long they take. Compiled by accuracy.py, once
// per instruction set, with RESEAU_ISA naming its namespace.
//
// A function is measured on numbers given by their bits: for float every one there is, against the C library in double; for
// double a dense sample, against the C library in long double, which must have 64 bits of mantissa at least. The references
// are right to a few of their own last places, 2^-28 of a float's and 2^-10 of a double's.
#include "activations.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

namespace {

using namespace reseau;
using namespace reseau::RESEAU_ISA;

static_assert(std::numeric_limits<long double>::digits >= 64, "long double is no better than double here");

template <class T>
using Bits = typename Constants<T>::Word;

template <class T>
T from_bits(Bits<T> bits) {
    T x;
    std::memcpy(&x, &bits, sizeof(x));
    return x;
}

// --- the exact functions, for R = double or long double -----------------------------------------------------------------------

template <class R>
R exact_sigmoid(R z) {
    return 1 / (1 + std::exp(-z));
}

template <class R>
R exact_softplus(R z) {
    return std::max(R(0), z) + std::log1p(std::exp(-std::abs(z)));
}

template <class R>
constexpr R root_half = 0.707106781186547524400844362104849039284835937688474L;

// e^(-z^2/2) / sqrt(2 pi), with the part of z^2 that its rounding loses: the result feels it 1/2 e^(-z^2/2).
template <class R>
R exact_normal_pdf(R z) {
    const R square = z * z;
    const R rest = square < 1e6 ? std::fma(z, z, -square) : 0;  // e^(-square/2) is nothing beyond
    return std::exp(square / -2) * (1 - rest / 2) * R(0.398942280401432677939946059934381868475858631164934L);
}

// erfc(y) / 2 with y = -z sqrt(1/2), with the part of y that its rounding loses: erfc' is -2 sqrt(2) pdf.
template <class R>
R exact_normal_cdf(R z) {
    if (std::isinf(z)) return z < 0 ? 0 : 1;
    const R h = root_half<R>, low = std::fma(-h, h, R(0.5)) / (2 * h);  // sqrt(1/2) = h + low
    const R y = -z * h;
    const R rest = std::fma(-z, h, -y) - z * low;
    return std::erfc(y) / 2 - rest * 2 * h * exact_normal_pdf(z);
}

template <class R>
R exact_gelu(R z) {
    return z * exact_normal_cdf(z);
}

template <class R>
R exact_gelu_tanh(R z) {
    return z * exact_sigmoid(R(1.59576912160573071175978423973752747L) * (z + R(0.044715L) * z * z * z));
}

template <class R>
R exact_silu(R z) {
    return z * exact_sigmoid(z);
}

template <class R>
R exact_mish(R z) {
    return z * std::tanh(exact_softplus(z));
}

// --- the table ----------------------------------------------------------------------------------------------------------------

template <class T>
struct Wider {
    typedef double type;
};
template <>
struct Wider<double> {
    typedef long double type;
};

template <class T>
struct Function {
    using V = Vec<T>;
    using R = typename Wider<T>::type;
    const char* name;
    void (*compute)(const T* x, T* y, int64_t n);  // n is a multiple of the vector's width
    R (*exact)(R x);
};

#define RESEAU_ENTRY(name, computed, exact)                                                              \
    {                                                                                                    \
        name,                                                                                            \
        [](const T* p, T* y, int64_t n) {                                                                \
            for (int64_t i = 0; i < n; i += Vec<T>::width) {                                             \
                const Vec<T> x = Vec<T>::load(p + i);                                                    \
                (computed).store(y + i);                                                                 \
            }                                                                                            \
        },                                                                                               \
        [](typename Wider<T>::type x) -> typename Wider<T>::type { return exact; }                       \
    }

constexpr int elementary = 9;  // so many are elementary functions; the activations after them may add errors of their own

template <class T>
const Function<T> functions[] = {
    RESEAU_ENTRY("exp", exp(x), std::exp(x)),
    RESEAU_ENTRY("expm1", expm1(x), std::expm1(x)),
    RESEAU_ENTRY("log", log(x), std::log(x)),
    RESEAU_ENTRY("log1p", log1p(x), std::log1p(x)),
    RESEAU_ENTRY("tanh", tanh(x), std::tanh(x)),
    RESEAU_ENTRY("sigmoid", sigmoid(x), exact_sigmoid(x)),
    RESEAU_ENTRY("softplus", softplus(x), exact_softplus(x)),
    RESEAU_ENTRY("normal_pdf", normal_pdf(x), exact_normal_pdf(x)),
    RESEAU_ENTRY("normal_cdf", normal_cdf(x), exact_normal_cdf(x)),
    RESEAU_ENTRY("gelu", Gelu<T>::value(x), exact_gelu(x)),
    RESEAU_ENTRY("gelu_tanh", GeluTanh<T>::value(x), exact_gelu_tanh(x)),
    RESEAU_ENTRY("silu", Silu<T>::value(x), exact_silu(x)),
    RESEAU_ENTRY("mish", Mish<T>::value(x), exact_mish(x)),
};

// --- measuring ----------------------------------------------------------------------------------------------------------------

struct Outcome {
    double error = 0;       // the largest, in units in the last place
    double worst = 0;       // where
    uint64_t wrong = 0;     // arguments with a wrong special result: NaN, an infinity, a sign
    double wrong_at = 0;    // one of them
    uint64_t checksum = 0;  // of all results and their arguments, the same in whatever order they are added up
};

// |y - exact| in units of the spacing of T at the exact value, which beyond the largest number stays what it is below; or
// -1 for a NaN, an infinity or a sign where none is due.
template <class T, class R>
double units(T x, T y, R exact) {
    typedef std::numeric_limits<T> Limits;
    const R infinity = std::ldexp(R(1), Limits::max_exponent);
    if (std::isnan(exact)) return std::isnan(y) ? 0 : -1;
    if (std::isnan(y) || std::signbit(y) != std::signbit(exact)) return -1;
    if (x == 0 || std::isinf(x) || std::isinf(exact) || exact == 0) {
        return y == static_cast<T>(exact) ? 0 : -1;  // these are known exactly, or as well as T can hold them
    }
    if (std::abs(exact) >= infinity && std::isinf(y)) return 0;
    const R value = std::isinf(y) ? std::copysign(infinity, exact) : R(y);
    int exponent;
    std::frexp(exact, &exponent);
    exponent = std::clamp(exponent, Limits::min_exponent, Limits::max_exponent) - Limits::digits;
    return static_cast<double>(std::ldexp(std::abs(value - exact), -exponent));
}

uint64_t mixed(uint64_t x) {  // the finalizer of SplitMix64
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// Arguments number begin <= i < end, where argument(i) gives the bits; `exactly`, or for the checksum alone.
template <class T, class Argument>
void measure(const Function<T>& function, uint64_t begin, uint64_t end, bool exactly, const Argument& argument,
             Outcome& outcome) {
    constexpr int64_t block = 1024;
    alignas(64) T x[block], y[block];
    for (uint64_t i = begin; i < end; i += block) {
        const int64_t n = static_cast<int64_t>(std::min<uint64_t>(block, end - i));
        for (int64_t j = 0; j < block; ++j) x[j] = from_bits<T>(argument(i + std::min(j, n - 1)));
        function.compute(x, y, block);
        for (int64_t j = 0; j < n; ++j) {
            Bits<T> bits = 1;  // for every NaN: its sign and payload differ
            if (y[j] == y[j]) std::memcpy(&bits, &y[j], sizeof(bits));
            Bits<T> place;
            std::memcpy(&place, &x[j], sizeof(place));
            outcome.checksum += mixed(bits + mixed(place));
            if (!exactly) continue;
            const double error = units<T>(x[j], y[j], function.exact(x[j]));
            if (error < 0) {
                ++outcome.wrong;
                outcome.wrong_at = x[j];
            } else if (error > outcome.error) {
                outcome.error = error;
                outcome.worst = x[j];
            }
        }
    }
}

// Seconds an element takes in the first cache, at best.
template <class T>
double seconds(const Function<T>& function) {
    constexpr int64_t n = 2048;
    alignas(64) T x[n], y[n];
    for (int64_t i = 0; i < n; ++i) x[i] = T(mixed(i) % 8001) / 1000 - 4;
    double best = 1;
    for (int round = 0; round < 2000; ++round) {
        const auto start = std::chrono::steady_clock::now();
        function.compute(x, y, n);
        asm volatile("" : : "r"(y) : "memory");
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best / n;
}

}  // namespace

extern "C" {

// The name of function i, or null beyond the last.
const char* name(int i) {
    return i < static_cast<int>(std::size(functions<float>)) ? functions<float>[i].name : nullptr;
}

// `count` floats from the one with the bits `first` on, each `step` further in bits.
void measure_float(int i, uint64_t first, uint64_t count, uint64_t step, bool exactly, Outcome* outcome) {
    const auto argument = [=](uint64_t k) { return static_cast<uint32_t>(first + k * step); };
    measure(functions<float>[i], 0, count, exactly, argument, *outcome);
}

// Doubles number begin <= k < end of an endless sample: first the special ones, of both signs; then in turn any bits, and
// numbers from three intervals evenly, since most bits are those of numbers where a function is at its limit.
void measure_double(int i, uint64_t begin, uint64_t end, bool exactly, Outcome* outcome) {
    const auto argument = [](uint64_t k) {
        typedef std::numeric_limits<double> Limits;
        constexpr double special[] = {0, Limits::denorm_min(), Limits::min(), 1, Limits::max(), Limits::infinity(),
                                      Limits::quiet_NaN()};
        constexpr double intervals[] = {2, 40, 800};
        const uint64_t random = mixed(k * 0x9e3779b97f4a7c15);
        double x;
        if (k < 2 * std::size(special)) {
            x = std::copysign(special[k / 2], k % 2 == 0 ? 1.0 : -1.0);
        } else if (k % 4 == 0) {
            return random;
        } else {
            x = intervals[k % 4 - 1] * (static_cast<double>(random >> 10) * 0x1p-53 - 1);  // evenly from -1 to 1, times that
        }
        uint64_t bits;
        std::memcpy(&bits, &x, sizeof(bits));
        return bits;
    };
    measure(functions<double>[i], begin, end, exactly, argument, *outcome);
}

// Whether function i has a bound to keep.
bool bounded(int i) { return i < elementary; }

double seconds_float(int i) { return seconds(functions<float>[i]); }
double seconds_double(int i) { return seconds(functions<double>[i]); }
}
