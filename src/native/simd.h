// Vectors of float or double, written once for all builds.
//
// One translation unit includes this header and is compiled once per instruction set: portable (16-byte vectors,
// whatever the compiler makes of them), AVX2 with FMA (32 bytes), AVX-512 (64 bytes), AVX-512 with BF16, and that with
// matrix instructions (amx.h). The compiler's own macros pick the build; everything lies in the namespace named by
// RESEAU_ISA, so that the linker never merges code of two instruction sets. For the same reason nothing here calls a
// function of the standard library.
//
// The register types are vectors to the compiler too, so + - * / on values and & | ^ << >> on bits need no intrinsics;
// the struct Isa<T> holds what is left, and the rest of the header is the same for all builds.
//
// Only correctly rounded operations are used, so a formula written with Vec gives the same bits on AVX2 and on AVX-512
// (but for the sign and the payload of a NaN). The portable build agrees too where it has a fused multiply-add in
// hardware.
#pragma once

#include <cstdint>

#include "network.h"

#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push  // GCC 12 warns of its own _mm512_undefined_ps()
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif

#ifndef RESEAU_ISA
#error "RESEAU_ISA must name the namespace of this build, for example -DRESEAU_ISA=isa_portable"
#endif

#define RESEAU_INLINE inline __attribute__((always_inline))

namespace reseau::RESEAU_ISA {

// Isa<T>: the register of T, the bits of its lanes, the mask of a comparison, and the operations that need an
// intrinsic.
//
//   first(n)                     the mask of the first n lanes, 0 <= n <= width
//   max(a, b), min(a, b)         a > b ? a : b, a < b ? a : b; hence b where either is NaN and where both are zero
//   load_blocks(p, stride)       the 16 bytes at p, p + stride, p + 2 stride, ... side by side in one register
//   interleave_low, _high(a, b)  a0 b0 a1 b1 ... of the lower and of the upper half of each 16-byte block
//   store_upper(p, bits)         (float) the upper 16 bits of each lane, one after the other
template <class T>
struct Isa;

#if defined(__AVX512F__)

template <>
struct Isa<float> {
    typedef __m512 Register;
    typedef uint32_t Bits __attribute__((vector_size(64)));
    typedef __mmask16 MaskRegister;

    static RESEAU_INLINE MaskRegister first(int n) { return static_cast<MaskRegister>((1u << n) - 1u); }
    static RESEAU_INLINE Register broadcast(float x) { return _mm512_set1_ps(x); }
    static RESEAU_INLINE Register load_partial(const float* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
    static RESEAU_INLINE void store_partial(float* p, Register a, int n) { _mm512_mask_storeu_ps(p, first(n), a); }
    static RESEAU_INLINE Register fma(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
    static RESEAU_INLINE Register fnma(Register a, Register b, Register c) { return _mm512_fnmadd_ps(a, b, c); }
    static RESEAU_INLINE Register max(Register a, Register b) { return _mm512_max_ps(a, b); }
    static RESEAU_INLINE Register min(Register a, Register b) { return _mm512_min_ps(a, b); }
    static RESEAU_INLINE Register sqrt(Register a) { return _mm512_sqrt_ps(a); }
    static RESEAU_INLINE MaskRegister less(Register a, Register b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
    static RESEAU_INLINE MaskRegister less_equal(Register a, Register b) {
        return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
    }
    static RESEAU_INLINE MaskRegister equal(Register a, Register b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
    static RESEAU_INLINE Register select(MaskRegister m, Register a, Register b) {
        return _mm512_mask_blend_ps(m, b, a);
    }

    static RESEAU_INLINE Register load_blocks(const float* p, int64_t stride) {
        const __m256 low = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + stride), 1);
        p += 2 * stride;
        const __m256 high = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + stride), 1);
        return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
    }
    static RESEAU_INLINE void store_upper(uint16_t* p, Bits a) {
        const __m256i upper = _mm512_cvtepi32_epi16(reinterpret_cast<__m512i>(a >> 16));
        __builtin_memcpy(p, &upper, sizeof(upper));
    }
    static RESEAU_INLINE Register interleave_low(Register a, Register b) { return _mm512_unpacklo_ps(a, b); }
    static RESEAU_INLINE Register interleave_high(Register a, Register b) { return _mm512_unpackhi_ps(a, b); }
};

template <>
struct Isa<double> {
    typedef __m512d Register;
    typedef uint64_t Bits __attribute__((vector_size(64)));
    typedef __mmask8 MaskRegister;

    static RESEAU_INLINE MaskRegister first(int n) { return static_cast<MaskRegister>((1u << n) - 1u); }
    static RESEAU_INLINE Register broadcast(double x) { return _mm512_set1_pd(x); }
    static RESEAU_INLINE Register load_partial(const double* p, int n) { return _mm512_maskz_loadu_pd(first(n), p); }
    static RESEAU_INLINE void store_partial(double* p, Register a, int n) { _mm512_mask_storeu_pd(p, first(n), a); }
    static RESEAU_INLINE Register fma(Register a, Register b, Register c) { return _mm512_fmadd_pd(a, b, c); }
    static RESEAU_INLINE Register fnma(Register a, Register b, Register c) { return _mm512_fnmadd_pd(a, b, c); }
    static RESEAU_INLINE Register max(Register a, Register b) { return _mm512_max_pd(a, b); }
    static RESEAU_INLINE Register min(Register a, Register b) { return _mm512_min_pd(a, b); }
    static RESEAU_INLINE Register sqrt(Register a) { return _mm512_sqrt_pd(a); }
    static RESEAU_INLINE MaskRegister less(Register a, Register b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
    static RESEAU_INLINE MaskRegister less_equal(Register a, Register b) {
        return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ);
    }
    static RESEAU_INLINE MaskRegister equal(Register a, Register b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
    static RESEAU_INLINE Register select(MaskRegister m, Register a, Register b) {
        return _mm512_mask_blend_pd(m, b, a);
    }

    static RESEAU_INLINE Register load_blocks(const double* p, int64_t stride) {
        const __m256d low = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)), _mm_loadu_pd(p + stride), 1);
        p += 2 * stride;
        const __m256d high = _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)), _mm_loadu_pd(p + stride), 1);
        return _mm512_insertf64x4(_mm512_castpd256_pd512(low), high, 1);
    }
    static RESEAU_INLINE Register interleave_low(Register a, Register b) { return _mm512_unpacklo_pd(a, b); }
    static RESEAU_INLINE Register interleave_high(Register a, Register b) { return _mm512_unpackhi_pd(a, b); }
};

#elif defined(__AVX2__) && defined(__FMA__)

template <>
struct Isa<float> {
    typedef __m256 Register;
    typedef uint32_t Bits __attribute__((vector_size(32)));
    typedef Bits MaskRegister;  // all ones or all zeros in each lane

    static RESEAU_INLINE MaskRegister first(int n) {
        const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        return reinterpret_cast<MaskRegister>(_mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane));
    }
    static RESEAU_INLINE Register broadcast(float x) { return _mm256_set1_ps(x); }
    static RESEAU_INLINE Register load_partial(const float* p, int n) {
        return _mm256_maskload_ps(p, reinterpret_cast<__m256i>(first(n)));
    }
    static RESEAU_INLINE void store_partial(float* p, Register a, int n) {
        _mm256_maskstore_ps(p, reinterpret_cast<__m256i>(first(n)), a);
    }
    static RESEAU_INLINE Register fma(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
    static RESEAU_INLINE Register fnma(Register a, Register b, Register c) { return _mm256_fnmadd_ps(a, b, c); }
    static RESEAU_INLINE Register max(Register a, Register b) { return _mm256_max_ps(a, b); }
    static RESEAU_INLINE Register min(Register a, Register b) { return _mm256_min_ps(a, b); }
    static RESEAU_INLINE Register sqrt(Register a) { return _mm256_sqrt_ps(a); }
    static RESEAU_INLINE MaskRegister less(Register a, Register b) { return reinterpret_cast<MaskRegister>(a < b); }
    static RESEAU_INLINE MaskRegister less_equal(Register a, Register b) {
        return reinterpret_cast<MaskRegister>(a <= b);
    }
    static RESEAU_INLINE MaskRegister equal(Register a, Register b) { return reinterpret_cast<MaskRegister>(a == b); }
    static RESEAU_INLINE Register select(MaskRegister m, Register a, Register b) {
        return _mm256_blendv_ps(b, a, reinterpret_cast<Register>(m));
    }

    static RESEAU_INLINE Register load_blocks(const float* p, int64_t stride) {
        return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + stride), 1);
    }
    static RESEAU_INLINE void store_upper(uint16_t* p, Bits a) {
        const __m256i upper = reinterpret_cast<__m256i>(a >> 16);
        const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(upper), _mm256_extracti128_si256(upper, 1));
        __builtin_memcpy(p, &packed, sizeof(packed));
    }
    static RESEAU_INLINE Register interleave_low(Register a, Register b) { return _mm256_unpacklo_ps(a, b); }
    static RESEAU_INLINE Register interleave_high(Register a, Register b) { return _mm256_unpackhi_ps(a, b); }
};

template <>
struct Isa<double> {
    typedef __m256d Register;
    typedef uint64_t Bits __attribute__((vector_size(32)));
    typedef Bits MaskRegister;  // all ones or all zeros in each lane

    static RESEAU_INLINE MaskRegister first(int n) {
        const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
        return reinterpret_cast<MaskRegister>(_mm256_cmpgt_epi64(_mm256_set1_epi64x(n), lane));
    }
    static RESEAU_INLINE Register broadcast(double x) { return _mm256_set1_pd(x); }
    static RESEAU_INLINE Register load_partial(const double* p, int n) {
        return _mm256_maskload_pd(p, reinterpret_cast<__m256i>(first(n)));
    }
    static RESEAU_INLINE void store_partial(double* p, Register a, int n) {
        _mm256_maskstore_pd(p, reinterpret_cast<__m256i>(first(n)), a);
    }
    static RESEAU_INLINE Register fma(Register a, Register b, Register c) { return _mm256_fmadd_pd(a, b, c); }
    static RESEAU_INLINE Register fnma(Register a, Register b, Register c) { return _mm256_fnmadd_pd(a, b, c); }
    static RESEAU_INLINE Register max(Register a, Register b) { return _mm256_max_pd(a, b); }
    static RESEAU_INLINE Register min(Register a, Register b) { return _mm256_min_pd(a, b); }
    static RESEAU_INLINE Register sqrt(Register a) { return _mm256_sqrt_pd(a); }
    static RESEAU_INLINE MaskRegister less(Register a, Register b) { return reinterpret_cast<MaskRegister>(a < b); }
    static RESEAU_INLINE MaskRegister less_equal(Register a, Register b) {
        return reinterpret_cast<MaskRegister>(a <= b);
    }
    static RESEAU_INLINE MaskRegister equal(Register a, Register b) { return reinterpret_cast<MaskRegister>(a == b); }
    static RESEAU_INLINE Register select(MaskRegister m, Register a, Register b) {
        return _mm256_blendv_pd(b, a, reinterpret_cast<Register>(m));
    }

    static RESEAU_INLINE Register load_blocks(const double* p, int64_t stride) {
        return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p)), _mm_loadu_pd(p + stride), 1);
    }
    static RESEAU_INLINE Register interleave_low(Register a, Register b) { return _mm256_unpacklo_pd(a, b); }
    static RESEAU_INLINE Register interleave_high(Register a, Register b) { return _mm256_unpackhi_pd(a, b); }
};

#else

static RESEAU_INLINE float scalar_sqrt(float x) { return __builtin_sqrtf(x); }
static RESEAU_INLINE double scalar_sqrt(double x) { return __builtin_sqrt(x); }

// A product and a sum in one rounding where the hardware does it; elsewhere the library's function would be far too
// slow.
#if defined(__FP_FAST_FMA) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
static RESEAU_INLINE float scalar_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static RESEAU_INLINE double scalar_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
static RESEAU_INLINE float scalar_fma(float a, float b, float c) { return a * b + c; }
static RESEAU_INLINE double scalar_fma(double a, double b, double c) { return a * b + c; }
#endif

template <class T, class Word>
struct PortableIsa {
    static constexpr int width = 16 / sizeof(T);
    typedef T Register __attribute__((vector_size(16)));
    typedef Word Bits __attribute__((vector_size(16)));
    typedef Bits MaskRegister;  // all ones or all zeros in each lane

    static RESEAU_INLINE MaskRegister first(int n) {
        MaskRegister m;
        for (int i = 0; i < width; ++i) m[i] = i < n ? ~Word(0) : Word(0);
        return m;
    }
    static RESEAU_INLINE Register broadcast(T x) {
        Register a;
        for (int i = 0; i < width; ++i) a[i] = x;
        return a;
    }
    static RESEAU_INLINE Register load_partial(const T* p, int n) {
        Register a;
        for (int i = 0; i < width; ++i) a[i] = i < n ? p[i] : T(0);
        return a;
    }
    static RESEAU_INLINE void store_partial(T* p, Register a, int n) {
        for (int i = 0; i < width; ++i) {
            if (i < n) p[i] = a[i];
        }
    }
    static RESEAU_INLINE Register fma(Register a, Register b, Register c) {
        Register d;
        for (int i = 0; i < width; ++i) d[i] = scalar_fma(a[i], b[i], c[i]);
        return d;
    }
    static RESEAU_INLINE Register fnma(Register a, Register b, Register c) { return fma(-a, b, c); }
    static RESEAU_INLINE Register max(Register a, Register b) { return a > b ? a : b; }
    static RESEAU_INLINE Register min(Register a, Register b) { return a < b ? a : b; }
    static RESEAU_INLINE Register sqrt(Register a) {
        for (int i = 0; i < width; ++i) a[i] = scalar_sqrt(a[i]);
        return a;
    }
    static RESEAU_INLINE MaskRegister less(Register a, Register b) { return reinterpret_cast<MaskRegister>(a < b); }
    static RESEAU_INLINE MaskRegister less_equal(Register a, Register b) {
        return reinterpret_cast<MaskRegister>(a <= b);
    }
    static RESEAU_INLINE MaskRegister equal(Register a, Register b) { return reinterpret_cast<MaskRegister>(a == b); }
    static RESEAU_INLINE Register select(MaskRegister m, Register a, Register b) {
        return reinterpret_cast<Register>((m & reinterpret_cast<Bits>(a)) | (~m & reinterpret_cast<Bits>(b)));
    }
};

template <>
struct Isa<float> : PortableIsa<float, uint32_t> {
    static RESEAU_INLINE Register load_blocks(const float* p, int64_t) { return Register{p[0], p[1], p[2], p[3]}; }
    static RESEAU_INLINE void store_upper(uint16_t* p, Bits a) {
        for (int i = 0; i < width; ++i) p[i] = static_cast<uint16_t>(a[i] >> 16);
    }
    static RESEAU_INLINE Register interleave_low(Register a, Register b) { return Register{a[0], b[0], a[1], b[1]}; }
    static RESEAU_INLINE Register interleave_high(Register a, Register b) { return Register{a[2], b[2], a[3], b[3]}; }
};

template <>
struct Isa<double> : PortableIsa<double, uint64_t> {
    static RESEAU_INLINE Register load_blocks(const double* p, int64_t) { return Register{p[0], p[1]}; }
    static RESEAU_INLINE Register interleave_low(Register a, Register b) { return Register{a[0], b[0]}; }
    static RESEAU_INLINE Register interleave_high(Register a, Register b) { return Register{a[1], b[1]}; }
};

#endif

template <class T>
struct Vec;

// The outcome of a comparison, lane by lane. Comparisons with NaN are false.
template <class T>
struct Mask {
    typedef typename Isa<T>::MaskRegister Register;
    Register lanes;

    static RESEAU_INLINE Mask first(int n) { return {Isa<T>::first(n)}; }
    friend RESEAU_INLINE Mask operator&(Mask a, Mask b) { return {static_cast<Register>(a.lanes & b.lanes)}; }
    friend RESEAU_INLINE Mask operator|(Mask a, Mask b) { return {static_cast<Register>(a.lanes | b.lanes)}; }
    friend RESEAU_INLINE Mask operator~(Mask a) { return {static_cast<Register>(~a.lanes)}; }

    // a where the mask is set, else b.
    friend RESEAU_INLINE Vec<T> select(Mask m, Vec<T> a, Vec<T> b) {
        return Vec<T>(Isa<T>::select(m.lanes, a.lanes, b.lanes));
    }
};

// A register of T. A number beside a Vec stands for its broadcast: z * 0.5, z > 0, max(0, z).
template <class T>
struct Vec {
    typedef typename Isa<T>::Register Register;
    typedef typename Isa<T>::Bits Bits;
    static constexpr int width = sizeof(Register) / sizeof(T);
    Register lanes;

    Vec() = default;
    RESEAU_INLINE Vec(T x) : lanes(Isa<T>::broadcast(x)) {}
    explicit RESEAU_INLINE Vec(Register a) : lanes(a) {}

    static RESEAU_INLINE Vec broadcast(T x) { return Vec(x); }
    static RESEAU_INLINE Vec zero() { return Vec(Register{}); }
    static RESEAU_INLINE Vec load(const T* p) {
        Vec a;
        __builtin_memcpy(&a.lanes, p, sizeof(Register));
        return a;
    }
    // The first n of the width lanes (0 <= n <= width), the others zero; memory past them is not touched.
    static RESEAU_INLINE Vec load_partial(const T* p, int n) { return Vec(Isa<T>::load_partial(p, n)); }
    RESEAU_INLINE void store(T* p) const { __builtin_memcpy(p, &lanes, sizeof(Register)); }
    RESEAU_INLINE void store_partial(T* p, int n) const { Isa<T>::store_partial(p, lanes, n); }

    // The lanes as unsigned integers, for & | ^ + - << and the logical >>.
    RESEAU_INLINE Bits bits() const { return reinterpret_cast<Bits>(lanes); }
    static RESEAU_INLINE Vec from_bits(Bits b) { return Vec(reinterpret_cast<Register>(b)); }

    friend RESEAU_INLINE Vec operator+(Vec a, Vec b) { return Vec(a.lanes + b.lanes); }
    friend RESEAU_INLINE Vec operator-(Vec a, Vec b) { return Vec(a.lanes - b.lanes); }
    friend RESEAU_INLINE Vec operator*(Vec a, Vec b) { return Vec(a.lanes * b.lanes); }
    friend RESEAU_INLINE Vec operator/(Vec a, Vec b) { return Vec(a.lanes / b.lanes); }
    friend RESEAU_INLINE Vec operator-(Vec a) { return Vec(-a.lanes); }

    friend RESEAU_INLINE Mask<T> operator<(Vec a, Vec b) { return {Isa<T>::less(a.lanes, b.lanes)}; }
    friend RESEAU_INLINE Mask<T> operator<=(Vec a, Vec b) { return {Isa<T>::less_equal(a.lanes, b.lanes)}; }
    friend RESEAU_INLINE Mask<T> operator>(Vec a, Vec b) { return b < a; }
    friend RESEAU_INLINE Mask<T> operator>=(Vec a, Vec b) { return b <= a; }
    friend RESEAU_INLINE Mask<T> operator==(Vec a, Vec b) { return {Isa<T>::equal(a.lanes, b.lanes)}; }
    friend RESEAU_INLINE Mask<T> isnan(Vec a) { return ~(a == a); }

    // a * b + c and c - a * b in one rounding (in two where the portable build has no such instruction).
    friend RESEAU_INLINE Vec fma(Vec a, Vec b, Vec c) { return Vec(Isa<T>::fma(a.lanes, b.lanes, c.lanes)); }
    friend RESEAU_INLINE Vec fnma(Vec a, Vec b, Vec c) { return Vec(Isa<T>::fnma(a.lanes, b.lanes, c.lanes)); }

    // max is a > b ? a : b and min is a < b ? a : b, in every build: the result is b where either is NaN and where both
    // are zeros. So max(bound, z) and min(bound, z) let a NaN in z through, and max(z, bound), min(z, bound) replace
    // it. ReLU is max(0, z), or select(z <= 0, 0, z) for a positive zero always; select(z > 0, z, 0) would swallow NaN.
    friend RESEAU_INLINE Vec max(Vec a, Vec b) { return Vec(Isa<T>::max(a.lanes, b.lanes)); }
    friend RESEAU_INLINE Vec min(Vec a, Vec b) { return Vec(Isa<T>::min(a.lanes, b.lanes)); }

    friend RESEAU_INLINE Vec sqrt(Vec a) { return Vec(Isa<T>::sqrt(a.lanes)); }
    friend RESEAU_INLINE Vec abs(Vec a) { return from_bits(a.bits() & ~Vec(T(-0.0)).bits()); }
    friend RESEAU_INLINE Vec copysign(Vec magnitude, Vec sign) {
        const Bits sign_bit = Vec(T(-0.0)).bits();
        return from_bits((magnitude.bits() & ~sign_bit) | (sign.bits() & sign_bit));
    }
};

// --- bfloat16 --------------------------------------------------------------------------------------------------------

// The nearest bfloat16, ties to even, in the upper half of each lane; the lower half is zero. A NaN stays one.
static RESEAU_INLINE Vec<float>::Bits round_to_bfloat16(Vec<float> x) {
    using V = Vec<float>;
    const V::Bits bits = x.bits();
    const V rounded = V::from_bits(bits + 0x7FFFu + ((bits >> 16) & 1u));
    return select(isnan(x), V::from_bits(bits | 0x400000u), rounded).bits() & 0xFFFF0000u;
}

// Pairs of bfloat16 as a tile's factors.
template <>
struct Vec<Bf16Pair> {
    typedef Vec<float>::Bits Register;
    static constexpr int width = Vec<float>::width;
    Register lanes;

    static RESEAU_INLINE Vec broadcast(Bf16Pair x) { return {Register{} + x.bits}; }
    static RESEAU_INLINE Vec load(const Bf16Pair* p) {
        Vec a;
        __builtin_memcpy(&a.lanes, p, sizeof(Register));
        return a;
    }
    RESEAU_INLINE void store(Bf16Pair* p) const { __builtin_memcpy(p, &lanes, sizeof(Register)); }

    // c + a₁ b₁ + a₀ b₀, the second number's product first, in two roundings: as the processor's instruction does it
    // where subnormals are flushed, which was tried on 3·10⁷ random numbers.
    friend RESEAU_INLINE Vec<float> fma(Vec a, Vec b, Vec<float> c) {
#if defined(__AVX512BF16__)
        return Vec<float>(
            _mm512_dpbf16_ps(c.lanes, reinterpret_cast<__m512bh>(a.lanes), reinterpret_cast<__m512bh>(b.lanes)));
#else
        using V = Vec<float>;
        c = fma(V::from_bits(a.lanes & 0xFFFF0000u), V::from_bits(b.lanes & 0xFFFF0000u), c);
        return fma(V::from_bits(a.lanes << 16), V::from_bits(b.lanes << 16), c);
#endif
    }
};

// (x, y) of each lane.
static RESEAU_INLINE Vec<Bf16Pair> pair(Vec<float> x, Vec<float> y) {
    return {round_to_bfloat16(y) | (round_to_bfloat16(x) >> 16)};
}

// The lanes of x two by two.
static RESEAU_INLINE void store_pairs(Vec<float> x, Bf16Pair* p) {
    Isa<float>::store_upper(reinterpret_cast<uint16_t*>(p), round_to_bfloat16(x));
}

// --- rows and columns ------------------------------------------------------------------------------------------------

// dst[j, i] = src[i, j] for a block of width rows and `columns` columns, at most width; strides are in elements from
// row to row. Writes whole groups of 16 bytes' worth of rows of dst.
//
// A register takes the same 16 bytes' worth of columns of several rows, each in its own 16-byte block; transposing
// inside the blocks then gives whole rows of the result.
template <class T>
static RESEAU_INLINE void transpose(const T* src, int64_t src_stride, T* dst, int64_t dst_stride,
                                    int64_t columns = Vec<T>::width) {
    constexpr int block = 16 / sizeof(T);
    for (int64_t c = 0; c < columns; c += block, src += block, dst += block * dst_stride) {
        typename Vec<T>::Register row[block];
        for (int j = 0; j < block; ++j) row[j] = Isa<T>::load_blocks(src + j * src_stride, block * src_stride);
        if constexpr (block == 4) {
            typedef typename Isa<double>::Register Pairs;
            const Pairs a = reinterpret_cast<Pairs>(Isa<T>::interleave_low(row[0], row[1]));
            const Pairs b = reinterpret_cast<Pairs>(Isa<T>::interleave_low(row[2], row[3]));
            const Pairs d = reinterpret_cast<Pairs>(Isa<T>::interleave_high(row[0], row[1]));
            const Pairs e = reinterpret_cast<Pairs>(Isa<T>::interleave_high(row[2], row[3]));
            typedef typename Vec<T>::Register Register;
            row[0] = reinterpret_cast<Register>(Isa<double>::interleave_low(a, b));
            row[1] = reinterpret_cast<Register>(Isa<double>::interleave_high(a, b));
            row[2] = reinterpret_cast<Register>(Isa<double>::interleave_low(d, e));
            row[3] = reinterpret_cast<Register>(Isa<double>::interleave_high(d, e));
        } else {
            const auto low = Isa<T>::interleave_low(row[0], row[1]);
            row[1] = Isa<T>::interleave_high(row[0], row[1]);
            row[0] = low;
        }
        for (int j = 0; j < block; ++j) Vec<T>(row[j]).store(dst + j * dst_stride);
    }
}

}  // namespace reseau::RESEAU_ISA
