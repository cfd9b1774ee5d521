// The elementary functions on Vec: exp, expm1, log, log1p, tanh, sigmoid, softplus, normal_pdf,
// normal_cdf.
//
// Every function works on all lanes alike, without branches and without tables in memory, for any argument: NaN gives NaN,
// infinities and overflow give the limits, signed zeros keep their sign, and nothing subnormal is flushed to zero.
//
// Largest errors found with a fused multiply-add, in units in the last place (float: every 97th number there is; double:
// 600,000 of all sizes, against quadruple precision):
//
//            exp   expm1  log   log1p  tanh  sigmoid  softplus  normal_pdf  normal_cdf
//   float    1.01  1.29   0.79  1.40   2.40  2.29     1.64      1.34        6.54
//   double   0.97  1.19   0.81  1.33   2.36  2.29     1.61      1.43        6.49
//
// Two polynomials carry nearly everything: e^r - 1 around zero, for whatever holds an exponential, and log(1 + f).
// All coefficients come from coefficients.py; the error after each table is that of the polynomial alone, relative to the
// function it serves.
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
    static constexpr Word one = 0x3f800000, root_half = 0x3f3504f3;  // the bits of 1 and of sqrt(1/2)
    static constexpr Word upper_half = 0xfffff000;                   // of a mantissa: its square is exact
    static constexpr float smallest_normal = 0x1p-126f;
    static constexpr float integer = 0x1.8p23f;  // adding it rounds to an integer and leaves that in the low bits

    // log(2) in two parts; the first is so short that its product with an exponent is exact.
    static constexpr float log2_high = 0x1.62e4p-1f, log2_low = 0x1.7f7d1cp-20f;

    // Where the functions have reached their limits.
    static constexpr float exp_lowest = -104, exp_highest = 89;
    static constexpr float expm1_lowest = -20, tanh_highest = 10, pdf_highest = 14.5f;

    // [-0.3466, 0.4056], degree 5, error 2^-27.9
    static constexpr float expm1_tail[] = {0x1p-1f, 0x1.555556p-3f, 0x1.555434p-5f, 0x1.110f9p-7f, 0x1.6de24ep-10f,
        0x1.a34988p-13f};
    // [-0.2929, 0.4142], degree 8, error 2^-28.3
    static constexpr float log1p_tail[] = {0x1.555548p-2f, -0x1.000006p-2f, 0x1.99a4b6p-3f, -0x1.555c5p-3f,
        0x1.23375ap-3f, -0x1.fc2198p-4f, 0x1.e6f0bap-4f, -0x1.de3ea6p-4f, 0x1.1459f8p-4f};
    // [-1.0, 0.814], degree 9, error 2^-23.4
    static constexpr float mills_ratio[] = {0x1.e4aap+0f, -0x1.8615d4p+0f, 0x1.f0d998p-1f, -0x1.dec566p-2f,
        0x1.360adcp-3f, -0x1.34b868p-6f, -0x1.1d8384p-7f, 0x1.01fc6cp-8f, 0x1.54bd0ap-12f, -0x1.a49ffcp-12f};
};

template <>
struct Constants<double> {
    typedef uint64_t Word;
    static constexpr int mantissa_bits = 52;
    static constexpr Word bias = 1023;
    static constexpr Word one = 0x3ff0000000000000, root_half = 0x3fe6a09e667f3bcd;
    static constexpr Word upper_half = 0xfffffffff8000000;
    static constexpr double smallest_normal = 0x1p-1022;
    static constexpr double integer = 0x1.8p52;

    static constexpr double log2_high = 0x1.62e42fefa38p-1, log2_low = 0x1.ef35793c7673p-45;

    static constexpr double exp_lowest = -746, exp_highest = 710;
    static constexpr double expm1_lowest = -40, tanh_highest = 20, pdf_highest = 39;

    // [-0.3466, 0.4056], degree 11, error 2^-59.3
    static constexpr double expm1_tail[] = {0x1p-1, 0x1.5555555555555p-3, 0x1.5555555555566p-5, 0x1.1111111111127p-7,
        0x1.6c16c16c10099p-10, 0x1.a01a01a00f3f9p-13, 0x1.a01a01c420874p-16, 0x1.71de3a7244df5p-19,
        0x1.27e49eb019dap-22, 0x1.ae642c5742882p-26, 0x1.1fce3746f24d4p-29, 0x1.6135cf8ef1d4fp-33};
    // [-0.2929, 0.4142], degree 19, error 2^-57.5
    static constexpr double log1p_tail[] = {0x1.555555555556bp-2, -0x1.ffffffffffe7bp-3, 0x1.9999999994dcep-3,
        -0x1.555555556b1c5p-3, 0x1.249249275d0a5p-3, -0x1.fffffff3a6cdap-4, 0x1.c71c702e3e254p-4, -0x1.99999aa0aaa1ep-4,
        0x1.745d58cd7867ep-4, -0x1.555576b7d270bp-4, 0x1.3b0d78ff84129p-4, -0x1.24894c253f996p-4, 0x1.1169fe4dc6a81p-4,
        -0x1.00cfa2dc67993p-4, 0x1.dc97d589038fdp-5, -0x1.b45ea90797811p-5, 0x1.bbac980ac4754p-5, -0x1.01066629c6e3cp-4,
        0x1.d2b095784d3eap-5, -0x1.8dbf1595d06bep-6};
    // [-1.0, 0.814], degree 22, error 2^-54.4
    static constexpr double mills_ratio[] = {0x1.e4aa012912ddep+0, -0x1.8615d9b49165cp+0, 0x1.f0d9856bc3b77p-1,
        -0x1.dec30ee679569p-2, 0x1.360ce2601ab59p-3, -0x1.35aa3c94827e3p-6, -0x1.1dcfea71f9942p-7, 0x1.0be6d64f34c67p-8,
        0x1.5e7b10a4475a6p-12, -0x1.2fb42bf6dca02p-11, -0x1.40ee86ebbe6e1p-18, 0x1.717e9c9a39c38p-14,
        0x1.e11587e6b983dp-20, -0x1.f1ec56b472539p-17, -0x1.a4b2390ebb4d9p-20, 0x1.57c997d3a5feap-19,
        0x1.637b78d43681p-21, -0x1.a5769f5b926bp-22, -0x1.9f9e962174cd3p-23, 0x1.5a001e4e6bf9dp-25,
        0x1.3ac616d9b73fcp-25, -0x1.d33bfdad5e072p-31, -0x1.9c383b7a44d6cp-29};
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

// Exponentials: x = k log(2) + r with an integer k, so that e^x = 2^k e^r.

template <class T>
struct Split {
    Vec<T> word;  // k + offset, in its low bits
    Vec<T> r;
};

// k is the integer nearest to near / log(2); near is x, or a little beside it to move the interval of r.
template <class T>
static RESEAU_INLINE Split<T> split(Vec<T> x, Vec<T> near, typename Constants<T>::Word offset) {
    typedef Constants<T> C;
    const Vec<T> magic = C::integer + T(offset);
    const Vec<T> word = fma(near, T(1.4426950408889634), magic);
    const Vec<T> k = word - magic;
    return {word, fnma(k, C::log2_low, fnma(k, C::log2_high, x))};
}

// e^r - 1 for -0.3466 <= r <= 0.4056.
template <class T>
static RESEAU_INLINE Vec<T> expm1_near_zero(Vec<T> r) {
    const Vec<T> square = r * r;
    return fma(square, polynomial(r, square, Constants<T>::expm1_tail), r);
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
    const Split<T> s = split(x, x, 2 * C::bias);
    return scale(1 + expm1_near_zero(s.r), s.word);
}

// (e^x - 1) / 2^down without loss for small x, for e^x within 2^down of the largest number.
//
// 2^k (e^r - 1) + (2^k - 1) loses accuracy where the two terms are of opposite sign and much larger than their sum: k = 1 and
// r well below zero, k = -1 and r well above. With k chosen for log(3/4) < r < log(3/2) neither comes up.
template <class T>
static RESEAU_INLINE Vec<T> expm1_scaled(Vec<T> x, int down) {
    typedef Constants<T> C;
    const Split<T> s = split(x, x - T(0.0589), C::bias - down);
    const Vec<T> power = Vec<T>::from_bits(s.word.bits() << C::mantissa_bits);
    return fma(power, expm1_near_zero(s.r), power - T(1) / T(1 << down));
}

// e^x - 1.
template <class T>
static RESEAU_INLINE Vec<T> expm1(Vec<T> x) {
    typedef Constants<T> C;
    const Vec<T> half = expm1_scaled(max(C::expm1_lowest, min(C::exp_highest, x)), 1);
    return select(abs(x) < T(0x1p-60), x, half + half);  // half a subnormal number is not exact, and -0 would become 0
}

// (e^2x - 1) / (e^2x + 1), on |x|: for positive exponents the error of e^2x - 1 is the less felt the larger it is.
template <class T>
static RESEAU_INLINE Vec<T> tanh(Vec<T> x) {
    const Vec<T> a = min(Constants<T>::tanh_highest, abs(x));
    const Vec<T> e = expm1_scaled(a + a, 0);
    return copysign(e / (e + 2), x);
}

// 1 / (1 + e^-z), as e^z / (1 + e^z) below zero.
template <class T>
static RESEAU_INLINE Vec<T> sigmoid(Vec<T> z) {
    const Vec<T> e = exp(-abs(z));
    return select(z >= 0, 1, e) / (1 + e);
}

// e^(-z^2/2) / sqrt(2 pi). An error of z^2 in its last place would be one of z^2 last places of the result; so z^2 is taken
// in two parts, (upper half of z)^2, which is exact, and the rest.
template <class T>
static RESEAU_INLINE Vec<T> normal_pdf(Vec<T> z) {
    typedef Constants<T> C;
    z = min(C::pdf_highest, abs(z));
    const Vec<T> upper = Vec<T>::from_bits(z.bits() & C::upper_half);
    const Vec<T> x = upper * upper * T(-0.5);
    const Split<T> s = split(x, x, 2 * C::bias);
    const Vec<T> r = fma((z - upper) * T(-0.5), z + upper, s.r);
    const Vec<T> density = T(0.3989422804014327);
    return scale(fma(density, expm1_near_zero(r), density), s.word);
}

// The integral of that density up to z: below zero the density times Mills' ratio, which is smooth in t, so that small values
// keep their digits; above zero what is left of 1.
template <class T>
static RESEAU_INLINE Vec<T> normal_cdf(Vec<T> z) {
    typedef Constants<T> C;
    const Vec<T> a = min(C::pdf_highest, abs(z));
    const Vec<T> inverse = 1 / (a + 4);
    const Vec<T> t = (a - 4) * inverse;
    const Vec<T> tail = normal_pdf(z) * (polynomial(t, t * t, C::mills_ratio) * inverse);
    return select(z < 0, tail, 1 - tail);
}

// Logarithms: a positive number is 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2).

// log(1 + f) + k log(2). The sum k log(2) + f is kept in two parts, for log(2) + f can be small.
template <class T>
static RESEAU_INLINE Vec<T> log_of_parts(Vec<T> f, Vec<T> k) {
    typedef Constants<T> C;
    const Vec<T> square = f * f;
    const Vec<T> shift = k * C::log2_high;  // exact
    const Vec<T> sum = shift + f;
    const Vec<T> rest = fma(k, C::log2_low, (shift - sum) + f);
    const Vec<T> tail = fma(f, polynomial(f, square, C::log1p_tail), T(-0.5));
    return sum + fma(square, tail, rest);
}

// The bits of x > 0, shifted so that the exponent goes up at sqrt(2) instead of 2: it is then k + bias.
template <class T>
static RESEAU_INLINE typename Vec<T>::Bits exponent_of_parts(Vec<T> x) {
    return x.bits() + (Constants<T>::one - Constants<T>::root_half);
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
    const auto mantissa = (bits & ((typename C::Word(1) << C::mantissa_bits) - 1)) + C::root_half;
    return log_limits(x, log_of_parts(Vec<T>::from_bits(mantissa) - 1, k));
}

// log(1 + x). k is that of 1 + x rounded; f = 2^-k (1 + x) - 1 is then formed from x itself, with one rounding.
template <class T>
static RESEAU_INLINE Vec<T> log1p(Vec<T> x) {
    typedef Constants<T> C;
    const Vec<T> u = 1 + x;
    const auto bits = exponent_of_parts(u);
    const auto exponent = (bits >> C::mantissa_bits) << C::mantissa_bits;
    const Vec<T> power = Vec<T>::from_bits(((2 * C::bias + 2) << C::mantissa_bits) - exponent) * T(0.25);  // 2^-k
    const Vec<T> y = log_of_parts(fma(x, power, power - 1), integer_of_exponent<T>(bits));
    return copysign(log_limits(u, y), x);
}

// log(1 + t) with t = e^-|z|, at most 1: k is then 0 or 1.
template <class T>
static RESEAU_INLINE Vec<T> softplus_of_minus_abs(Vec<T> z) {
    const Vec<T> t = exp(-abs(z));
    const Mask<T> upper = t > T(0.4142135);
    return log_of_parts(select(upper, fma(t, T(0.5), T(-0.5)), t), select(upper, 1, 0));
}

// log(1 + e^z).
template <class T>
static RESEAU_INLINE Vec<T> softplus(Vec<T> z) {
    return max(0, z) + softplus_of_minus_abs(z);
}

}  // namespace reseau::RESEAU_ISA
