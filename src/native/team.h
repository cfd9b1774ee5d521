// Threads that work together on one call.
//
// Starting a thread takes 50 µs, in a virtual machine up to 300: as long as an epoch of a thousand rows. So a call's
// helpers wait for the next call, asleep, where nobody meets them; there are at most those of one call, which ends
// them if it finds others waiting at its own end. Before a fork they are ended, so that the child misses none.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

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
// cycles, and dying weights and decaying moments are full of them. Or, where that is not wanted, it has them. Then the
// thread's state is what it was.
class FlushSubnormals {
public:
    explicit FlushSubnormals(bool wanted = true) : before_(read()) {
        write(wanted ? before_ | flush : before_ & ~flush);
    }
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

// The processors that the calling thread may use, which a thread that it starts inherits.
class Processors {
public:
#if defined(__linux__)
    Processors() { known_ = sched_getaffinity(0, sizeof(set_), &set_) == 0; }
    bool operator==(const Processors& other) const { return known_ && other.known_ && CPU_EQUAL(&set_, &other.set_); }

private:
    cpu_set_t set_;
    bool known_;
#else
    bool operator==(const Processors&) const { return true; }
#endif
};

// A thread and its helpers, who wait for its next work.
class Team {
public:
    explicit Team(int wanted) {
        helpers_.reserve(static_cast<size_t>(wanted));
        try {
            for (int i = 1; i < wanted; ++i) helpers_.emplace_back(&Team::help, this, i);
        } catch (const std::exception&) {  // no more threads to be had, or no memory for them
        }
    }
    Team(const Team&) = delete;
    ~Team() {
        gate_.open(0);
        for (std::thread& helper : helpers_) helper.join();
    }

    // Whether it is what `wanted` threads of the calling one would be if they were started now.
    bool suits(int wanted) const { return std::ssize(helpers_) >= wanted - 1 && processors_ == Processors(); }

    // Runs body(thread, threads) in up to `wanted` threads at once, the calling one being thread 0. `body` must not
    // throw.
    template <class Body>
    void run(int wanted, const Body& body) {
        const int threads = std::min(wanted, static_cast<int>(helpers_.size()) + 1);
        call_ = [](const void* of, int thread, int count) { (*static_cast<const Body*>(of))(thread, count); };
        body_ = &body;
        at_work_.store(threads - 1, std::memory_order_relaxed);
        if (threads > 1) gate_.open(threads);
        body(0, threads);
        spin_until([&] { return at_work_.load(std::memory_order_acquire) == 0; });
    }

private:
    void help(int thread) {
        for (Gate::Turn turn{}; (turn = gate_.wait(turn)).workers > 0;) {
            if (thread >= turn.workers) continue;
            call_(body_, thread, turn.workers);
            at_work_.fetch_sub(1, std::memory_order_release);
        }
    }

    Gate gate_;
    void (*call_)(const void* body, int thread, int threads) = nullptr;
    const void* body_ = nullptr;
    alignas(64) std::atomic<int> at_work_{0};
    const Processors processors_;
    std::vector<std::thread> helpers_;
};

// The team that waits for the next call, if there is one.
class SpareTeam {
public:
    static std::unique_ptr<Team> take() { return std::unique_ptr<Team>(team.exchange(nullptr)); }
    static void give_back(std::unique_ptr<Team> mine) {
        Team* none = nullptr;
        if (team.compare_exchange_strong(none, mine.get())) static_cast<void>(mine.release());
    }

    // Around a fork: in the child only the thread that forked goes on. A team that comes back in between is lost there.
    static void before_fork() { take().reset(); }
    static void in_child() { team.store(nullptr); }

private:
    static inline std::atomic<Team*> team{nullptr};
    static inline const struct AtExit {
        ~AtExit() { take().reset(); }
    } at_exit;
};

// Runs body(thread, threads) in up to `wanted` threads at once, the calling one being thread 0. Where the system gives
// fewer, there are fewer. `body` must not throw.
template <class Body>
void in_parallel(int wanted, const Body& body) {
    if (wanted == 1) return body(0, 1);
    std::unique_ptr<Team> team = SpareTeam::take();
    if (team == nullptr || !team->suits(wanted)) {
        team.reset();
        team = std::make_unique<Team>(wanted);
    }
    team->run(wanted, body);
    SpareTeam::give_back(std::move(team));
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
    // The work is to be given up whatever anybody says.
    void raise() { raised_.store(true, std::memory_order_relaxed); }
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
