// How many threads are worth having at this moment, found by trying.
//
// What a second thread brings depends on what else the machine does: where another program has the other processor, two
// threads that wait for each other twice a step can be ten times slower than one. As results don't depend on the number of
// threads, a fit may change it at any time. It works in stretches of about a millisecond, goes on with the number that was
// faster, and tries the other again now and then, and when its own pace drops.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace reseau {

class Pace {
public:
    explicit Pace(int team) : team_(team), workers_(team) {}

    // For the next stretch: how many threads, and how many of the units of work that are left.
    int workers() const { return workers_; }
    int64_t length(int64_t left) const {
        if (team_ == 1) return left;
        const double each = seconds_[workers_ > 1];
        return each == 0 ? 1 : std::clamp<int64_t>(static_cast<int64_t>(stretch / each), 1, left);
    }

    void begin() {
        if (team_ > 1) start_ = std::chrono::steady_clock::now();
    }
    // After a stretch, in which so many threads (fewer than workers() where others needed them) did so many units of work.
    void end(int workers, int64_t units) {
        if (team_ == 1) return;
        const double each = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count() / static_cast<double>(units);
        double &mine = seconds_[workers > 1], other = seconds_[workers == 1];
        const bool dropped = mine != 0 && each > 1.25 * mine;
        mine = each;
        ++since_try_;
        const bool worth_trying = each < longest_try && (other == 0 || dropped || since_try_ > stretches_between_tries);
        const bool all = worth_trying ? workers == 1 : (workers > 1) == (other == 0 || each <= other);
        if (worth_trying) since_try_ = 0;
        workers_ = all ? team_ : 1;
    }

private:
    static constexpr double stretch = 1e-3;     // seconds: a stretch's two clock readings and one wake-up are then lost in it
    static constexpr double longest_try = 5e-3;  // a unit of work that takes longer is not tried with fewer threads
    static constexpr int stretches_between_tries = 200;

    const int team_;
    int workers_;
    double seconds_[2] = {0, 0};  // that a unit of work took last, in one thread and in all
    int since_try_ = 0;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace reseau
