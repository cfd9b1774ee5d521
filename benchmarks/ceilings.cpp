// The two ceilings of a machine: how many fused multiply-adds, and how many bytes to and from a working set, a second.
//
// Both are measured with nothing else in the way, on data that the compiler cannot see through. Compiled by ceilings.py.
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr std::size_t vector_bytes = 64;
#elif defined(__AVX__)
constexpr std::size_t vector_bytes = 32;
#else
constexpr std::size_t vector_bytes = 16;
#endif

template <class T>
struct Vector {
    typedef T type __attribute__((vector_size(vector_bytes)));
};

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Runs body() again and again in so many threads at once, for about so many seconds; returns how often a second, all
// threads together. Each thread prepares its body first, by make(thread).
template <class Make>
double rate(int threads, double seconds, const Make& make) {
    std::atomic<int> ready{0};
    std::vector<double> rates(threads);
    auto work = [&](int thread) {
        auto body = make(thread);
        body();
        ++ready;
        while (ready < threads) {
        }
        const double start = now();
        long runs = 0;
        double elapsed = 0;
        do {
            body();
            ++runs;
            elapsed = now() - start;
        } while (elapsed < seconds);
        rates[thread] = runs / elapsed;
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread) others.emplace_back(work, thread);
    work(0);
    for (auto& other : others) other.join();
    double sum = 0;
    for (double r : rates) sum += r;
    return sum;
}

// Twelve chains hide a latency of up to six cycles at two a cycle, and leave four of sixteen registers.
template <class T>
double flops(int threads, double seconds) {
    constexpr int chains = 12, turns = 2000;
    const double runs = rate(threads, seconds, [](int) {
        return [] {
            using V = typename Vector<T>::type;
            V sums[chains] = {}, x = {}, y = {};
            x += T(0.5);
            y += T(0.5);
            asm volatile("" : "+m"(x), "+m"(y), "+m"(sums));  // they could be anything, so no chain is another's copy
            for (int i = 0; i < turns; ++i) {
#pragma GCC unroll 12
                for (int c = 0; c < chains; ++c) sums[c] = sums[c] * x + y;
            }
            asm volatile("" : : "m"(sums));
        };
    });
    return runs * turns * chains * 2 * (vector_bytes / sizeof(T));
}

}  // namespace

extern "C" {

// Floating-point operations a second, a fused multiply-add being two.
double peak_float32(int threads, double seconds) { return flops<float>(threads, seconds); }
double peak_float64(int threads, double seconds) { return flops<double>(threads, seconds); }

// Bytes a second to or from `bytes` of working set, shared evenly among the threads: read only, or read and written
// back (each counted).
double bandwidth(std::size_t bytes, int written, int threads, double seconds) {
    using V = Vector<float>::type;
    const std::size_t each = (bytes / threads / sizeof(V) + 8) / 8 * 8;
    std::vector<std::vector<V>> shares(threads);
    const double runs = rate(threads, seconds, [&](int thread) {
        shares[thread].assign(each, V{});  // here, so that its pages are near this thread
        V* data = shares[thread].data();
        return [data, each, written] {
            if (written) {
                for (std::size_t i = 0; i < each; ++i) data[i] += 1.0f;
            } else {
                V sums[8] = {};
                for (std::size_t i = 0; i < each; i += 8) {
#pragma GCC unroll 8
                    for (int j = 0; j < 8; ++j) sums[j] += data[i + j];
                }
                asm volatile("" : : "m"(sums));
            }
            asm volatile("" : : : "memory");
        };
    });
    return runs * static_cast<double>(each * sizeof(V)) * (written ? 2 : 1);
}
}
