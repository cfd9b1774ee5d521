// How many threads are worth having at this moment, found by trying.
//
// What a second thread brings depends on what else the machine does: where another program has the other processor, two
// threads that wait for each other twice a step can be ten times slower than one. As results don't depend on the number of
// threads, a fit may change it at any time. It works in stretches of two milliseconds, goes on with the number that was
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
        return warm_ ? std::clamp<int64_t>(static_cast<int64_t>((trying_ ? short_stretch : stretch) / each_), 1, left) : 1;
    }

    void begin() {
        if (team_ > 1) start_ = std::chrono::steady_clock::now();
    }
    // After a stretch, in which so many threads (fewer than workers() where other calls needed them) did so many units.
    void end(int workers, int64_t units) {
        if (team_ == 1) return;
        each_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count() / static_cast<double>(units);
        if (!warm_) {  // threads have woken, memory was touched: only now it counts
            warm_ = true;
            return;
        }
        double &mine = seconds_[workers > 1], &other = seconds_[workers == 1];
        const bool dropped = mine != 0 && each_ > 1.25 * mine;
        mine = each_;
        if (trying_) {
            trying_ = false;
            // The longer a choice holds, the rarer it is questioned.
            patience_ = mine < other ? shortest_patience : std::min(2 * patience_, longest_patience);
            left_ = patience_;
            take((mine < other) == (workers > 1) ? team_ : 1);
        } else if (each_ < longest_try && (other == 0 || dropped || --left_ <= 0)) {
            trying_ = true;
            take(workers == 1 ? team_ : 1);
        }
    }

private:
    void take(int workers) {
        warm_ = warm_ && workers == workers_;
        workers_ = workers;
    }

    static constexpr double stretch = 2e-3, short_stretch = 3e-4;  // seconds; the short one is that of a try
    static constexpr double longest_try = 5e-3;  // a unit of work that takes longer is not tried with fewer threads
    static constexpr int shortest_patience = 8, longest_patience = 256;  // stretches between tries

    const int team_;
    int workers_;
    bool warm_ = false, trying_ = false;
    double each_ = 0;             // seconds a unit of work took last
    double seconds_[2] = {0, 0};  // the same in one thread and in all
    int patience_ = shortest_patience, left_ = shortest_patience;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace reseau
