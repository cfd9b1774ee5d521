// Threads that work on one call together: started for it, joined at its end.
//
// A team costs some tens of microseconds and leaves nothing behind: no pool that a fork would break, that another
// library's threads would meet, or that several fits at once would have to share.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

namespace reseau {

inline void pause_briefly() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// Waits for something that is about to happen: spins, and after a while (some 50 µs) lets other threads have the core,
// which matters where there are more threads than cores.
template <class Done>
void spin_until(Done done) {
    for (int i = 0; !done(); ++i) {
        if (i < 1000) {
            pause_briefly();
        } else {
            std::this_thread::yield();
        }
    }
}

// Where all threads of a team wait for one another.
class Barrier {
public:
    void wait(int threads) {
        if (threads == 1) return;
        const uint32_t phase = phase_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
            arrived_.store(0, std::memory_order_relaxed);
            phase_.store(phase + 1, std::memory_order_release);
        } else {
            spin_until([&] { return phase_.load(std::memory_order_acquire) != phase; });
        }
    }

private:
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<uint32_t> phase_{0};
};

// Where the helpers of a team wait for the next piece of work, which may be for a few of them only. They spin for a
// while and then sleep, so that those who are not needed cost nothing.
class Gate {
public:
    struct Turn {
        uint32_t number = 0;
        int workers = 0;  // threads below this number work; none if that was the last
    };

    // Thread 0: the next turn. Of those that worked in the turn before, all must have finished.
    void open(int workers) {
        const uint64_t next = (state_.load(std::memory_order_relaxed) >> 32) + 1;
        state_.store(next << 32 | static_cast<uint32_t>(workers), std::memory_order_release);
        state_.notify_all();
    }

    // The others: a turn after `last`; not all of them, for those who were not needed may oversleep some.
    Turn wait(Turn last) {
        uint64_t state = state_.load(std::memory_order_acquire);
        for (int i = 0; state >> 32 == last.number; state = state_.load(std::memory_order_acquire)) {
            if (i++ < 1000) {
                pause_briefly();
            } else {
                state_.wait(state, std::memory_order_acquire);
            }
        }
        return {static_cast<uint32_t>(state >> 32), static_cast<int>(state & 0xffffffff)};
    }

private:
    alignas(64) std::atomic<uint64_t> state_{0};
};

// While it lives, this thread takes subnormal numbers for zeros and makes none: on some processors each costs a hundred
// cycles, and dying weights and decaying moments are full of them. Then the thread's state is what it was.
class FlushSubnormals {
public:
    FlushSubnormals() : before_(read()) { write(before_ | flush); }
    FlushSubnormals(const FlushSubnormals&) = delete;
    ~FlushSubnormals() { write(before_); }

private:
#if defined(__x86_64__)
    using Word = unsigned int;
    static constexpr Word flush = 0x8040;  // results (FTZ) and operands (DAZ), in MXCSR
    static Word read() { return __builtin_ia32_stmxcsr(); }
    static void write(Word word) { __builtin_ia32_ldmxcsr(word); }
#elif defined(__aarch64__)
    using Word = uint64_t;
    static constexpr Word flush = Word(1) << 24;  // FZ, in FPCR
    static Word read() {
        Word word;
        asm volatile("mrs %0, fpcr" : "=r"(word));
        return word;
    }
    static void write(Word word) { asm volatile("msr fpcr, %0" : : "r"(word)); }
#else
    using Word = int;
    static constexpr Word flush = 0;
    static Word read() { return 0; }
    static void write(Word) {}
#endif
    const Word before_;
};

// Runs body(thread, threads) in up to `wanted` threads at once, the calling one being thread 0. Where the system gives
// fewer, there are fewer. `body` must not throw.
template <class Body>
void in_parallel(int wanted, const Body& body) {
    std::vector<std::thread> helpers;
    std::atomic<int> threads{0};
    helpers.reserve(static_cast<size_t>(wanted));
    try {
        for (int i = 1; i < wanted; ++i) {
            helpers.emplace_back([&, i] {
                spin_until([&] { return threads.load(std::memory_order_acquire) != 0; });
                body(i, threads.load(std::memory_order_relaxed));
            });
        }
    } catch (const std::exception&) {  // no more threads to be had, or no memory for them
    }
    const int count = static_cast<int>(helpers.size()) + 1;
    threads.store(count, std::memory_order_release);
    body(0, count);
    for (std::thread& helper : helpers) helper.join();
}

// Multiply-adds below which a second thread costs more than it brings. Two barriers between two cores take some 0.5 µs,
// in which a core does some 25,000 multiply-adds of float32.
inline constexpr int64_t work_for_a_thread = 200'000;

// The same for a call that starts its team for this alone: some 50 µs, or 5 million multiply-adds.
inline constexpr int64_t work_for_a_start = 5'000'000;

// How many of at most `threads` threads are worth having for so much work in so many pieces.
inline int team_size(int threads, int64_t work, int64_t worth_a_thread, int64_t pieces) {
    return static_cast<int>(std::clamp<int64_t>(std::min(work / worth_a_thread, pieces), 1, threads));
}

// A call's share of the threads that this process may have at work. Calls at the same time share them, so that many
// fits at once, each in a thread of its own, don't crowd one another out; a call always has its own thread.
class Crew {
public:
    explicit Crew(int threads) : threads_(threads) {}
    Crew(const Crew&) = delete;
    ~Crew() { at_work.fetch_sub(mine_, std::memory_order_relaxed); }

    // How many of `wanted` may work from now on.
    int share(int wanted) {
        const int others = at_work.load(std::memory_order_relaxed) - mine_;
        const int now = std::clamp(threads_ - others, 1, wanted);
        at_work.fetch_add(now - mine_, std::memory_order_relaxed);
        mine_ = now;
        return now;
    }

    // In the child of a fork only the thread that forked goes on.
    static void forget_others() { at_work.store(0, std::memory_order_relaxed); }

private:
    static inline std::atomic<int> at_work{0};
    const int threads_;
    int mine_ = 0;
};

// Asks now and then, from the calling thread, whether the work is to be given up; the other threads see `raised`.
// Without a `check` nobody is asked.
class Interrupt {
public:
    using Check = bool (*)();
    explicit Interrupt(Check check) : check_(check), last_(now()) {}

    // Call with the multiply-adds done since the last call. Looks at the clock every 10⁵ of them (some µs), and at the
    // outside world every 20 ms, which needs Python's lock.
    void poll(int64_t work) {
        work_ += work;
        if (work_ < 100000 || check_ == nullptr || raised()) return;
        work_ = 0;
        const int64_t time = now();
        if (time - last_ < 20'000'000) return;
        last_ = time;
        if (check_()) raised_.store(true, std::memory_order_relaxed);
    }
    bool raised() const { return raised_.load(std::memory_order_relaxed); }

private:
    static int64_t now() {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count();
    }

    const Check check_;
    int64_t last_;
    int64_t work_ = 0;
    std::atomic<bool> raised_{false};
};

}  // namespace reseau
