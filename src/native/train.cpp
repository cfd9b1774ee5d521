// Steps, epochs, the order of rows: everything around the kernels of training.
#include "train.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace reseau {

namespace {

// SplitMix64's finaliser; order.py has the same, with its source.
uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

// The order of an epoch's rows: `row_order` of order.py, number for number.
void row_order(std::span<int64_t> order, uint64_t seed, uint64_t epoch) {
    std::iota(order.begin(), order.end(), int64_t{0});
    const uint64_t start = mix(mix(seed) + epoch);
    for (uint64_t i = order.size(); i-- > 1;) {
        const uint64_t r = mix(start + i * 0x9E3779B97F4A7C15u) >> 32;
        std::swap(order[i], order[(r * (i + 1)) >> 32]);
    }
}

// The steps of a training run, shared by a team; every thread has its own copy of `Step`, which all fill in alike.
template <class T>
class Stepper {
public:
    Stepper(const Model<T>& model, int threads, int64_t rows, Interrupt::Check check) : model_(model), interrupt_(check) {
        for (int i = 0; i < threads; ++i) panels_.emplace_back(rows * panel_vectors * model.kernels().width, Content::anything);
    }

    // Both phases. `error` receives the rows' errors, in thread 0. False if the work is to be given up: then the weights are
    // as before the step, unless an interruption was heard in the weights phase of the step before.
    bool run(int thread, int team, const Step<T>& step, double& error) {
        const int64_t begin = share(step.rows, thread, team), end = share(step.rows, thread + 1, team);
        for (int64_t r = begin; r < end && !interrupt_.raised(); r += block_rows) {
            const int64_t stop = std::min(end, r + block_rows);
            model_.kernels().train_rows(step, r, stop);
            if (thread == 0) interrupt_.poll((stop - r) * 2 * model_.layout().multiplications());
        }
        if (!meet(thread, team)) return false;
        if (thread == 0) {
            for (int64_t r = 0; r < step.rows; ++r) error += step.work.row_error[r];
        }
        const int64_t units = model_.plan().units;
        const int64_t work = step.rows * unit_rows * panel_vectors * model_.kernels().width;  // of a unit
        const int64_t slice = std::max<int64_t>(1, 50'000'000 / work);                        // about a millisecond
        const int64_t last = units * (thread + 1) / team;
        for (int64_t u = units * thread / team; u < last && !interrupt_.raised(); u += slice) {
            const int64_t stop = std::min(last, u + slice);
            model_.kernels().train_weights(step, u, stop, panels_[static_cast<size_t>(thread)].data());
            if (thread == 0) interrupt_.poll((stop - u) * work);
        }
        barrier_.wait(team);
        return true;
    }

    // All threads wait for one another; false if the work is to be given up. Thread 0 decides before they meet, so that all
    // come to the same answer.
    bool meet(int thread, int team) {
        if (thread == 0) abandoned_.store(interrupt_.raised(), std::memory_order_relaxed);
        barrier_.wait(team);
        return !abandoned_.load(std::memory_order_relaxed);
    }

    void wait(int team) { barrier_.wait(team); }
    bool interrupted() const { return interrupt_.raised(); }

private:
    // Where a thread's rows begin: whole tiles.
    static int64_t share(int64_t rows, int64_t thread, int64_t team) { return std::min(rows, round_up(rows, 8) / 8 * thread / team * 8); }

    const Model<T>& model_;
    Interrupt interrupt_;
    Barrier barrier_;
    std::atomic<bool> abandoned_{false};
    std::vector<Buffer<T>> panels_;
};

template <class T>
double total_weight(const Samples<T>& samples, int64_t rows) {
    if (samples.weights == nullptr) return static_cast<double>(rows);
    double total = 0;
    for (int64_t r = 0; r < rows; ++r) total += samples.weights[samples.place(r)];
    return total;
}

}  // namespace

template <class T>
bool gradient(Model<T>& model, const Samples<T>& samples, int64_t rows, double l2, int threads, Interrupt::Check check, double& E,
              T* flat) {
    Room<T> room;
    const Buffer<double> row_error(rows);
    const Buffer<T> packed(model.plan().packed_size);
    Step<T> step = model.step(rows, room);
    step.samples = samples;
    step.work.row_error = row_error.data();
    step.update = {gradient_only, nullptr, 1, {packed.data(), nullptr}};
    step.total = total_weight(samples, rows);
    step.l2 = l2;
    const int wanted = team_size(threads, rows * 3 * model.layout().multiplications(), work_for_a_start, rows);
    Stepper<T> stepper(model, wanted, rows, check);
    double error = 0;
    in_parallel(wanted, [&](int thread, int team) { stepper.run(thread, team, step, error); });
    E = error / step.total;
    model.unpack(packed.data(), flat);
    return !stepper.interrupted();
}

template <class T>
Trainer<T>::Trainer(Model<T>& model, int optimizer, int states) : model_(model), optimizer_(optimizer) {
    for (int s = 0; s < states; ++s) state_[s] = Buffer<T>(model.plan().packed_size);
}

template <class T>
bool Trainer<T>::run(T* flat, const Samples<T>& samples, int64_t rows, std::span<const double> hyperparameters,
                     const Schedule& schedule, int threads, Interrupt::Check check, std::vector<double>& losses) {
    const int64_t batch = std::min(schedule.batch_size, rows);
    Room<T> room;
    const Buffer<double> row_error(batch);
    std::vector<int64_t> order(schedule.shuffle ? static_cast<size_t>(rows) : 0);
    std::vector<double> totals(static_cast<size_t>(round_up(rows, batch) / batch));  // of each batch
    losses.reserve(static_cast<size_t>(schedule.epochs));                            // so that nothing in the threads throws
    Step<T> prepared = model_.step(batch, room);
    prepared.samples = samples;
    prepared.work.row_error = row_error.data();
    prepared.update = {optimizer_, hyperparameters.data(), steps_, {state_[0].data(), state_[1].data()}};
    prepared.l2 = schedule.l2;
    if (schedule.shuffle) prepared.samples.order = order.data();
    model_.pack(flat);

    const int wanted = team_size(threads, batch * 3 * model_.layout().multiplications(), work_for_a_thread, batch);
    Stepper<T> stepper(model_, wanted, batch, check);
    bool completed = true;
    in_parallel(wanted, [&](int thread, int team) {
        Step<T> step = prepared;
        for (int64_t epoch = 0; epoch < schedule.epochs; ++epoch) {
            if (thread == 0) {
                if (schedule.shuffle) row_order(order, schedule.seed, static_cast<uint64_t>(epoch_));
                // Once for all threads, which would wait for one another for ever if they disagreed about a batch without
                // weight because the caller's array is changed meanwhile.
                for (int64_t b = 0; b < std::ssize(totals); ++b) {
                    step.samples.first = b * batch;
                    totals[b] = total_weight(step.samples, std::min(batch, rows - b * batch));
                }
            }
            stepper.wait(team);
            double error = 0, total = 0;
            bool going = true;
            for (int64_t first = 0; first < rows && going; first += batch) {
                step.samples.first = first;
                step.rows = std::min(batch, rows - first);
                step.total = totals[first / batch];
                if (step.total == 0) continue;
                total += step.total;
                ++step.update.step;
                going = stepper.run(thread, team, step, error);
            }
            if (!stepper.meet(thread, team) || !going) {
                if (thread == 0) completed = false;
                return;
            }
            if (thread == 0) {
                model_.unpack(prepared.packed, flat);
                losses.push_back(error / total);
                steps_ = step.update.step;
                ++epoch_;
            }
        }
    });
    return completed;
}

#define RESEAU_INSTANTIATE(T)  \
    template class Trainer<T>; \
    template bool gradient<T>(Model<T>&, const Samples<T>&, int64_t, double, int, Interrupt::Check, double&, T*);
RESEAU_INSTANTIATE(float)
RESEAU_INSTANTIATE(double)
#undef RESEAU_INSTANTIATE

}  // namespace reseau
