// How many threads are worth having at this moment, found by trying.
//
// What a second thread brings depends on what else the machine does: where another program has the other processor, two
// threads that wait for each other twice a step can be ten times slower than one. As results don't depend on the number
// of threads, a fit may change it at any time. It works in stretches of two milliseconds, goes on with the number that
// was faster, and tries the other again now and then.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace reseau {

class Pace {
public:
    explicit Pace(int team) : team_(team), workers_(team) {}
    int team() const { return team_; }

    // For a team of so many; what was found for the same number before holds on, though the threads are new.
    void start(int team) {
        if (team != team_) *this = Pace(team);
        warm_ = false;
    }

    // For the next stretch: how many threads, and how many of the units of work that are left.
    int workers() const { return workers_; }
    int64_t length(int64_t left) const {
        if (team_ == 1) return left;
        return warm_ ? std::clamp<int64_t>(static_cast<int64_t>((trying_ ? short_stretch : stretch) / each_), 1, left)
                     : 1;
    }

    void begin() {
        if (team_ > 1) start_ = std::chrono::steady_clock::now();
    }
    // After a stretch, in which so many threads (fewer than workers() where other calls needed them) did so many units.
    void end(int workers, int64_t units) {
        if (team_ == 1) return;
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        each_ = seconds / static_cast<double>(units);
        if (!warm_) {  // threads have woken, memory was touched: only now it counts
            warm_ = true;
            patience_ = std::max(patience_, shortest_patience + units_before_a_try * each_);
            return;
        }
        seconds_[workers > 1] = each_;
        since_try_ += seconds;
        if (trying_) {
            trying_ = false;
            since_try_ = 0;
            const int faster = seconds_[0] < 0.95 * seconds_[1] ? 1 : team_;
            // The longer a choice holds, the rarer it is questioned.
            patience_ = faster == workers_ ? shortest_patience : std::min(2 * patience_, longest_patience);
            take(faster);
        } else if (since_try_ > patience_) {
            trying_ = true;
            take(workers == 1 ? team_ : 1);
        }
    }

private:
    void take(int workers) {
        warm_ = warm_ && workers == workers_;
        workers_ = workers;
    }

    // In seconds; the short stretch is that of a try. A try in one thread takes two units of work: beside so many, even
    // if it has half the pace, it costs a twentieth of what is done before, and less and less as the patience grows.
    static constexpr double stretch = 2e-3, short_stretch = 3e-4, shortest_patience = 0.05, longest_patience = 10;
    static constexpr double units_before_a_try = 40;

    int team_;
    int workers_;
    bool warm_ = false, trying_ = false;
    double each_ = 0;             // that a unit of work took last
    double seconds_[2] = {0, 0};  // the same in one thread and in all
    double patience_ = shortest_patience, since_try_ = 0;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace reseau
