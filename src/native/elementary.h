// The elementary functions on Vec: exp, expm1, log, log1p, tanh, sigmoid, softplus, normal_pdf,
// normal_cdf.
//
// Every function works on all lanes alike, without branches and without tables in memory, for any argument: NaN gives
// NaN, infinities and overflow give the limits, signed zeros keep their sign, and nothing subnormal is flushed to zero.
//
// Largest errors with a fused multiply-add, in units in the last place, measured by benchmarks/accuracy.py (float:
// every number there is; double: ten million of all sizes):
//
//            exp   expm1  log   log1p  tanh  sigmoid  softplus  normal_pdf  normal_cdf
//   float    0.85  0.88   0.85  0.86   0.72  0.88     0.99      0.95        0.93
//   double   0.83  0.85   0.85  0.85   0.75  0.85     0.94      0.92        0.98
//
// To stay below 1 nothing but the last operation may round a number as large as the result. So what leads there is
// carried in two parts, a large one that is exact and a small one whose own rounding no longer matters.
//
// Two polynomials carry nearly everything: e^r - 1 around zero, for whatever holds an exponential, and log(1 + f).
// All coefficients come from coefficients.py; the error after each table is that of the polynomial alone, relative to
// the function it serves.
#pragma once

#include "simd.h"

namespace reseau::RESEAU_ISA {

template <class T>
struct Constants;

template <>
struct Constants<float> {
    typedef uint32_t Word;
    static constexpr int mantissa_bits = 23;
    static constexpr Word bias = 127;
    static constexpr Word one = 0x3f800000, three_quarters = 0x3f400000;  // the bits of 1 and of 3/4
    static constexpr Word upper_half = 0xfffff000;                        // of a mantissa: its square is exact
    // 1 / sqrt(2 pi), and how much there is to it, relative to that.
    static constexpr float density = 0x1.988454p-2f, density_rest = -0x1.e821f2p-26f;
    static constexpr float smallest_normal = 0x1p-126f;
    static constexpr float integer = 0x1.8p23f;  // adding it rounds to an integer and leaves that in the low bits

    // log(2) in two parts; the first is so short that its product with an exponent is exact.
    static constexpr float log2_high = 0x1.62e4p-1f, log2_low = 0x1.7f7d1cp-20f;

    // Where the functions have reached their limits.
    static constexpr float exp_lowest = -104, exp_highest = 89;
    static constexpr float expm1_lowest = -20, tanh_highest = 10, pdf_highest = 14.5f, softplus_highest = 20;

    // [-0.3466, 0.4056], degree 4, error 2^-29.8
    static constexpr float expm1_tail[] = {0x1.555558p-3f, 0x1.5554d6p-5f, 0x1.110b9ap-7f, 0x1.6d64f8p-10f,
                                           0x1.aa8a2p-13f};
    // [-0.3125, 0.5], degree 9, error 2^-27.9
    static constexpr float log1p_tail[] = {0x1.55555p-2f,  -0x1.ffffaep-3f, 0x1.999e06p-3f, -0x1.556d9p-3f,
                                           0x1.2427a8p-3f, -0x1.fb12ep-4f,  0x1.cbf2c6p-4f, -0x1.ccc5b4p-4f,
                                           0x1.9aa49p-4f,  -0x1.7a5c6ap-5f};
    // [0.01562, 0.6104], degree 5, error 2^-27.7
    static constexpr float normal_middle[] = {-0x1.105838p-4f, 0x1.46d04p-7f,    -0x1.373fb6p-10f,
                                              0x1.e4069ap-14f, -0x1.3a5bfcp-17f, 0x1.370202p-21f};
    // [-0.923, 1.0], degree 13, error 2^-28.6
    static constexpr float normal_tail[] = {0x1.affbd8p-5f,   0x1.69575ep-5f,  -0x1.69097ep-4f,  0x1.7a59f4p-6f,
                                            0x1.479bd8p-8f,   -0x1.e3eb56p-8f, 0x1.ae6486p-9f,   -0x1.40225cp-12f,
                                            -0x1.7491f8p-11f, 0x1.6a3d04p-11f, -0x1.39f602p-12f, -0x1.bca1e4p-15f,
                                            0x1.f80ddep-14f,  -0x1.398836p-15f};
};

template <>
struct Constants<double> {
    typedef uint64_t Word;
    static constexpr int mantissa_bits = 52;
    static constexpr Word bias = 1023;
    static constexpr Word one = 0x3ff0000000000000, three_quarters = 0x3fe8000000000000;
    static constexpr Word upper_half = 0xfffffffff8000000;
    static constexpr double density = 0x1.9884533d43651p-2, density_rest = -0x1.201b8c07f2c3fp-54;
    static constexpr double smallest_normal = 0x1p-1022;
    static constexpr double integer = 0x1.8p52;

    static constexpr double log2_high = 0x1.62e42fefa38p-1, log2_low = 0x1.ef35793c7673p-45;

    static constexpr double exp_lowest = -746, exp_highest = 710;
    static constexpr double expm1_lowest = -40, tanh_highest = 20, pdf_highest = 39, softplus_highest = 40;

    // [-0.3466, 0.4056], degree 10, error 2^-59.8
    static constexpr double expm1_tail[] = {0x1.5555555555555p-3,  0x1.5555555555558p-5,  0x1.11111111111b2p-7,
                                            0x1.6c16c16c14f96p-10, 0x1.a01a019fb361fp-13, 0x1.a01a01ad796abp-16,
                                            0x1.71de3c0f0144ap-19, 0x1.27e4cc8af0c14p-22, 0x1.ae5dad128c48p-26,
                                            0x1.1f8a66c4489fdp-29, 0x1.6adee206aba9fp-33};
    // [-0.3125, 0.5], degree 21, error 2^-57.3
    static constexpr double log1p_tail[] = {
        0x1.555555555555bp-2, -0x1.0000000000088p-2, 0x1.99999999988ep-3,  -0x1.5555555542f16p-3,
        0x1.249249250bef8p-3, -0x1.0000000792dd9p-3, 0x1.c71c7199e8d35p-4, -0x1.9999965f72538p-4,
        0x1.745d1a1d86221p-4, -0x1.5555baf221b64p-4, 0x1.3b13e9e08837cp-4, -0x1.248ad9469fca3p-4,
        0x1.110460d319ac4p-4, -0x1.004f790bc6d2ep-4, 0x1.e3b1ac28239f8p-5, -0x1.c41defc471c6fp-5,
        0x1.9edd9129b1044p-5, -0x1.9535778f1f6dep-5, 0x1.c8049bc73c5a2p-5, -0x1.db61b60eda9ffp-5,
        0x1.45c8b4011407dp-5, -0x1.913ad2d6e870dp-7};
    // [0.01562, 0.6104], degree 11, error 2^-56.3
    static constexpr double normal_middle[] = {-0x1.1058377e2ceep-4,   0x1.46d04297691dap-7,   -0x1.37403f6ba11p-10,
                                               0x1.e42b0d5216f8dp-14,  -0x1.3ce8fac15d09dp-17, 0x1.658a21773c968p-21,
                                               -0x1.62226a2a2a5f1p-25, 0x1.3878b1ee94757p-29,  -0x1.f1063c9465d6p-34,
                                               0x1.679b6eaf72f63p-38,  -0x1.d94d413be219fp-43, 0x1.fa0dd998e3931p-48};
    // [-0.923, 1.0], degree 30, error 2^-55.8
    static constexpr double normal_tail[] = {
        0x1.affbd899a3e26p-5,   0x1.695755f8ecabap-5,   -0x1.690985dc7e94fp-4,  0x1.7a5c2f63aa3e3p-6,
        0x1.47a330511b6e5p-8,   -0x1.e44cd9ef0f895p-8,  0x1.ae29b37d49b27p-9,   -0x1.22cb03ed961b3p-12,
        -0x1.75425cf970358p-11, 0x1.46b96b6f3230cp-11,  -0x1.2250bbc584036p-12, 0x1.d91cd7e596aebp-16,
        0x1.236001de43d0bp-14,  -0x1.2ec460f53e471p-14, 0x1.5b2ae1722aec5p-15,  -0x1.9ecf4bedc6993p-17,
        -0x1.dee2c846e83fp-19,  0x1.1f14d4edf5dep-17,   -0x1.09758821bf1cbp-17, 0x1.1a83acd9a6affp-18,
        0x1.12ee5bdf8997cp-22,  -0x1.6292805c3a445p-20, -0x1.676f0a93db97ap-21, 0x1.d3f502deb8b44p-22,
        0x1.fbf87927af2eep-20,  -0x1.a872c07b43b14p-20, -0x1.4acbb4789732bp-21, 0x1.130cfcc3f2765p-20,
        -0x1.0a2cbfdcd68eap-23, -0x1.b4b50db4c5e8fp-23, 0x1.19c16fcea87f6p-24};
};

// c[first] + c[first + stride] x + c[first + 2 stride] x^2 + ..., by Horner's rule.
template <int first, int stride, class T, int n>
static RESEAU_INLINE Vec<T> horner(Vec<T> x, const T (&c)[n]) {
    constexpr int last = first + (n - 1 - first) / stride * stride;
    Vec<T> sum = c[last];
#pragma GCC unroll 16
    for (int i = last - stride; i >= first; i -= stride) sum = fma(sum, x, c[i]);
    return sum;
}

// c[0] + c[1] x + c[2] x^2 + ..., with every second power in a chain of its own, every fourth where there are many: the
// sums that wait for each other are what takes the time.
template <class T, int n>
static RESEAU_INLINE Vec<T> polynomial(Vec<T> x, Vec<T> square, const T (&c)[n]) {
    if constexpr (n <= 12) {
        return fma(horner<1, 2>(square, c), x, horner<0, 2>(square, c));
    } else {
        const Vec<T> fourth = square * square;
        const Vec<T> low = fma(horner<1, 4>(fourth, c), x, horner<0, 4>(fourth, c));
        const Vec<T> high = fma(horner<3, 4>(fourth, c), x, horner<2, 4>(fourth, c));
        return fma(high, square, low);
    }
}

// A number in two parts, the low one by far the smaller.
template <class T>
struct Pair {
    Vec<T> high, low;
};

// a + b, exactly if |a| >= |b| or a = 0 (Dekker's fast sum).
template <class T>
static RESEAU_INLINE Pair<T> sum(Vec<T> a, Vec<T> b) {
    const Vec<T> high = a + b;
    return {high, (a - high) + b};
}

// n / d, the quotient of the high parts corrected by what it leaves over.
template <class T>
static RESEAU_INLINE Vec<T> divide(Pair<T> n, Pair<T> d) {
    const Vec<T> q = n.high / d.high;
    const Vec<T> rest = fnma(q, d.low, fnma(q, d.high, n.high) + n.low);
    return fma(rest, 1 / d.high, q);
}

// Exponentials: x = k log(2) + r with an integer k, so that e^x = 2^k e^r.

// e^x = 2^k (1 + r + rest).
template <class T>
struct Power {
    Vec<T> word;     // k + offset, in its low bits
    Vec<T> r, rest;  // r is exact, and |rest| < 0.13
};

// Of x + low. k is the integer nearest to near / log(2); near is x, or a little beside it to move the interval of r.
template <class T>
static RESEAU_INLINE Power<T> split(Vec<T> x, Vec<T> low, Vec<T> near, typename Constants<T>::Word offset) {
    typedef Constants<T> C;
    const Vec<T> magic = C::integer + T(offset);
    const Vec<T> word = fma(near, T(1.4426950408889634), magic);
    const Vec<T> k = word - magic;
    const Vec<T> r = fnma(k, C::log2_high, x);
    const Vec<T> shift = fnma(k, C::log2_low, low);
    const Vec<T> whole = r + shift;
    const Vec<T> square = whole * whole;
    const Vec<T> start = fma(square, T(0.5), shift);
    return {word, r, fma(square * whole, polynomial(whole, square, C::expm1_tail), start)};
}

// 2^k for k + bias in the low bits of word, a normal number.
template <class T>
static RESEAU_INLINE Vec<T> power_of_two(Vec<T> word) {
    return Vec<T>::from_bits(word.bits() << Constants<T>::mantissa_bits);
}

// p 2^k for k + 2 bias in the low bits of word: two factors of half the exponent each, because 2^k alone need not be a
// normal number. The first product is exact, so a subnormal result is rounded only once.
template <class T>
static RESEAU_INLINE Vec<T> scale(Vec<T> p, Vec<T> word) {
    constexpr int shift = Constants<T>::mantissa_bits;
    const auto half = word.bits() >> 1;
    const auto rest = word.bits() - half;
    return p * Vec<T>::from_bits(half << shift) * Vec<T>::from_bits(rest << shift);
}

// e^x.
template <class T>
static RESEAU_INLINE Vec<T> exp(Vec<T> x) {
    typedef Constants<T> C;
    x = max(C::exp_lowest, min(C::exp_highest, x));
    const auto e = split<T>(x, 0, x, 2 * C::bias);
    return scale(1 + (e.r + e.rest), e.word);
}

// e^x - 1, halved on the way so that 2^k stays finite.
//
// 2^k (e^r - 1) + (2^k - 1) loses accuracy where the two terms are of opposite sign and much larger than their sum: k =
// 1 and r well below zero, k = -1 and r well above. With k chosen for log(3/4) < r < log(3/2) neither comes up. k = 0
// gets a millionth more, for at these two ends only k = 1 and k = -1 may not come too early. And 2^k - 1 takes two
// parts from k = 24 on in float.
template <class T>
static RESEAU_INLINE Vec<T> expm1(Vec<T> x) {
    typedef Constants<T> C;
    const Vec<T> a = max(C::expm1_lowest, min(C::exp_highest, x));
    const auto e = split<T>(a, 0, fma(a, T(0.999999), T(-0.0588915)), C::bias - 1);
    const Vec<T> power = power_of_two(e.word);
    const Pair<T> less = sum<T>(power, T(-0.5));
    const Vec<T> half = less.high + fma(power, e.r + e.rest, less.low);
    return select(abs(x) < T(0x1p-60), x, half + half);  // half a subnormal number is not exact, and -0 would become 0
}

// (1 - e^-2|x|) / (1 + e^-2|x|), with the sign of x; the denominator is 2 less the numerator.
template <class T>
static RESEAU_INLINE Vec<T> tanh(Vec<T> x) {
    typedef Constants<T> C;
    const Vec<T> a = min(C::tanh_highest, abs(x)) * T(-2);
    const auto e = split<T>(a, 0, a, C::bias);
    const Vec<T> power = power_of_two(e.word);
    const Pair<T> less = sum<T>(1, -power);
    const Vec<T> linear = fnma(power, e.r, less.high);
    const Pair<T> n = sum(linear, fnma(power, e.rest, fnma(power, e.r, less.high - linear) + less.low));
    Pair<T> d = sum<T>(2, -n.high);
    d.low = d.low - n.low;
    return copysign(divide(n, d), x);
}

// Of z and x + low = -|z|, where x is at least exp_lowest: e / (1 + e) with e = e^-|z| below zero, one minus that
// above.
template <class T>
static RESEAU_INLINE Vec<T> sigmoid_of(Vec<T> z, Vec<T> x, Vec<T> low) {
    typedef Constants<T> C;
    const auto e = split<T>(x, low, x, 2 * C::bias);
    const Pair<T> n = sum<T>(1, e.r + e.rest);
    // 2^k, but for a k so low that e is nothing beside 1, where 2^k need not be a normal number.
    const Vec<T> power = power_of_two(max(e.word, C::integer + T(2 * C::bias - 64)) - T(C::bias));
    const Vec<T> one = fma(power, n.high, 1);
    const Pair<T> d = {one, fma(power, n.low, fma(power, n.high, 1 - one))};
    const Vec<T> below = scale(divide(n, d), e.word);
    return select(z < 0, below, 1 - below);
}

// 1 / (1 + e^-z).
template <class T>
static RESEAU_INLINE Vec<T> sigmoid(Vec<T> z) {
    return sigmoid_of<T>(z, max(Constants<T>::exp_lowest, -abs(z)), 0);
}

// The same of a number in two parts: far below zero the result is e^z, in which an error of z in its last place would
// be one of |z| last places.
template <class T>
static RESEAU_INLINE Vec<T> sigmoid(Pair<T> z) {
    return sigmoid_of<T>(z.high, max(Constants<T>::exp_lowest, -abs(z.high)), select(z.high < 0, z.low, -z.low));
}

// e^(-a^2/2) for 0 <= a <= pdf_highest. An error of a^2 in its last place would be one of a^2 last places of the
// result; so a^2 is taken in two parts, (upper half of a)^2, which is exact, and the rest.
template <class T>
static RESEAU_INLINE Power<T> split_normal(Vec<T> a) {
    typedef Constants<T> C;
    const Vec<T> upper = Vec<T>::from_bits(a.bits() & C::upper_half);
    return split<T>(upper * upper * T(-0.5), (a - upper) * T(-0.5) * (a + upper), a * a * T(-0.5), 2 * C::bias);
}

// e^(-z^2/2) / sqrt(2 pi).
template <class T>
static RESEAU_INLINE Vec<T> normal_pdf(Vec<T> z) {
    typedef Constants<T> C;
    const auto e = split_normal(min(C::pdf_highest, abs(z)));
    return scale(fma(e.r + (e.rest + C::density_rest), C::density, C::density), e.word);
}

// The integral of that density up to z.
//
// For |z| < 25/32 it is 1/2 + z / sqrt(2 pi) + z^3 normal_middle(z^2), the first two terms in two parts. Elsewhere the
// integral beyond a = |z| is e^(-a^2/2) w (1 + v) with w = (7/16) / (a + 3/4), where |v| < 0.08 for every a; v is a
// polynomial in w, and what w loses by rounding is added to it.
template <class T>
static RESEAU_INLINE Vec<T> normal_cdf(Vec<T> z) {
    typedef Constants<T> C;
    const Vec<T> square = z * z;
    const Vec<T> slope = z * C::density;
    const Pair<T> line = sum<T>(T(0.5), slope);
    const Vec<T> line_rest = line.low + fma(z, C::density * C::density_rest, fma(z, C::density, -slope));
    const Vec<T> cubic = fma(square * z, polynomial(square, square * square, C::normal_middle), line_rest);

    const Vec<T> a = min(C::pdf_highest, abs(z));
    const auto e = split_normal(a);
    const Pair<T> d = sum<T>(a, T(0.75));
    const Vec<T> w = T(0.4375) / d.high;
    const Vec<T> w_rest = fnma(w, d.low, fnma(w, d.high, T(0.4375)));
    const Vec<T> t = fma(w, 7, -1);
    const Vec<T> v = fma(w_rest, T(16.0 / 7), polynomial(t, t * t, C::normal_tail));
    // w (1 + r + rest) (1 + v), with w (1 + r) in two parts
    const Vec<T> high = fma(w, e.r, w);
    const Vec<T> low = fma(w, e.r, w - high);
    const Vec<T> beyond = scale(high + fma(w, e.rest + fma(v, e.r + e.rest, v), low), e.word);
    return select(a < T(25.0 / 32), line.high + cubic, select(z < 0, beyond, 1 - beyond));
}

// Logarithms: a positive number is 2^k (1 + f) with 3/4 <= 1 + f < 3/2.

// log(1 + f) + k log(2) as the sum of two parts, the first of which is k log(2) + f.
template <class T>
static RESEAU_INLINE Pair<T> log_of_parts(Vec<T> f, Vec<T> k) {
    typedef Constants<T> C;
    const Vec<T> square = f * f;
    const Vec<T> shift = k * C::log2_high;  // exact
    const Pair<T> main = sum(shift, f);
    const Vec<T> rest = fma(k, C::log2_low, main.low);
    return {main.high, fma(square * f, polynomial(f, square, C::log1p_tail), fma(square, T(-0.5), rest))};
}

// The bits of x > 0, shifted so that the exponent goes up at 3/2 instead of 2: it is then k + bias.
template <class T>
static RESEAU_INLINE typename Vec<T>::Bits exponent_of_parts(Vec<T> x) {
    return x.bits() + (Constants<T>::one - Constants<T>::three_quarters);
}

// k from those bits.
template <class T>
static RESEAU_INLINE Vec<T> integer_of_exponent(typename Vec<T>::Bits bits) {
    typedef Constants<T> C;
    const Vec<T> magic = T(typename C::Word(1) << C::mantissa_bits);
    return Vec<T>::from_bits((bits >> C::mantissa_bits) | magic.bits()) - (magic + T(C::bias));
}

// The logarithm y of u where u is finite and above zero, and what it is elsewhere.
template <class T>
static RESEAU_INLINE Vec<T> log_limits(Vec<T> u, Vec<T> y) {
    const T infinity = __builtin_huge_val();
    y = select(u < infinity, y, u);
    return select(u <= 0, select(u == 0, -infinity, T(__builtin_nan(""))), y);
}

// log(x).
template <class T>
static RESEAU_INLINE Vec<T> log(Vec<T> x) {
    typedef Constants<T> C;
    constexpr int lift = C::mantissa_bits + 1;
    const Mask<T> subnormal = x < C::smallest_normal;
    const auto bits = exponent_of_parts(select(subnormal, x * T(typename C::Word(1) << lift), x));
    const Vec<T> k = integer_of_exponent<T>(bits) - select(subnormal, lift, 0);
    const auto mantissa = (bits & ((typename C::Word(1) << C::mantissa_bits) - 1)) + C::three_quarters;
    const Pair<T> y = log_of_parts(Vec<T>::from_bits(mantissa) - 1, k);
    return log_limits(x, y.high + y.low);
}

// log(1 + x). k is that of 1 + x rounded; f = 2^-k (1 + x) - 1 is then formed from x itself, with one rounding.
template <class T>
static RESEAU_INLINE Vec<T> log1p(Vec<T> x) {
    typedef Constants<T> C;
    const Vec<T> u = 1 + x;
    const auto bits = exponent_of_parts(u);
    const auto exponent = (bits >> C::mantissa_bits) << C::mantissa_bits;
    const Vec<T> power = Vec<T>::from_bits(((2 * C::bias + 2) << C::mantissa_bits) - exponent) * T(0.25);  // 2^-k
    const Pair<T> y = log_of_parts(fma(x, power, power - 1), integer_of_exponent<T>(bits));
    return copysign(log_limits(u, y.high + y.low), x);
}

// log(1 + e^-|z|) in two parts. t = e^-|z| is at most 1, so k is 0 or 1; from 3/8 on k = 1 has the smaller f.
template <class T>
static RESEAU_INLINE Pair<T> softplus_parts(Vec<T> z) {
    typedef Constants<T> C;
    const Vec<T> x = max(C::exp_lowest, -abs(z));
    const auto e = split<T>(x, 0, x, 2 * C::bias);
    const Pair<T> n = sum<T>(1, e.r + e.rest);
    const Pair<T> t = {scale(n.high, e.word), scale(n.low, e.word)};
    const Mask<T> upper = t.high > T(0.375);
    const Vec<T> factor = select(upper, T(0.5), 1), offset = select(upper, T(-0.5), 0);
    const Vec<T> f = fma(t.high, factor, offset);
    const Vec<T> f_rest = fma(t.high, factor, offset - f);  // none for k = 0
    Pair<T> y = log_of_parts(f, select(upper, 1, 0));
    // 1 - t / 2 does for the derivative 1 / (1 + t).
    y.low = fma(fma(f_rest, 2, t.low), fnma(t.high, T(0.5), 1), y.low);
    return y;
}

// log(1 + e^-|z|).
template <class T>
static RESEAU_INLINE Vec<T> softplus_of_minus_abs(Vec<T> z) {
    const Pair<T> y = softplus_parts(z);
    return y.high + y.low;
}

// log(1 + e^z).
template <class T>
static RESEAU_INLINE Vec<T> softplus(Vec<T> z) {
    const Pair<T> y = softplus_parts(z);
    const Vec<T> positive = max(0, z);
    const Pair<T> whole = sum(max(positive, y.high), min(positive, y.high));
    return select(z < Constants<T>::softplus_highest, whole.high + (whole.low + y.low), z);
}

}  // namespace reseau::RESEAU_ISA
