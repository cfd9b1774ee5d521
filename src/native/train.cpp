// Steps, epochs, the order of rows: everything around the kernels of training.
#include "train.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

#include "dispatch.h"
#include "random.h"

namespace reseau {

namespace {

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
    // With so many passes beside each step, which `lay_out` gives it.
    Stepper(const Model<T>& model, int threads, int64_t batch_rows, int passes, Interrupt::Check check,
            const OwnLoss<T>* own)
        : model_(model),
          own_(own),
          row_work_((2 + 4 * passes) * model.layout().multiplications()),
          block_rows_(block_height(row_work_)),
          interrupt_(check),
          work_before_{0} {
        const int64_t panel_width = panel_vectors * model.kernels().width, rows = (1 + passes) * batch_rows;
        for (int i = 0; i < threads; ++i)
            panels_.emplace_back(std::min<int64_t>(rows, chunk_rows) * panel_width, Content::anything);
        const Plan& plan = model.plan();
        for (int i = 0; passes > 0 && i < threads; ++i) passes_.emplace_back(model.kernels(), plan, passes);
        for (const Layer& layer : std::span(plan.layers, static_cast<size_t>(plan.count))) {
            for (int64_t u = 0; u < layer.units; ++u) {
                work_before_.push_back(work_before_.back() + model.kernels().unit_work(layer, u, rows));
            }
        }
    }

    // What a thread of a team has to do in every step.
    struct Part {
        int thread, team;
        int64_t first_unit, last_unit;
    };
    Part part(int thread, int team) const {
        const auto unit = [&](int64_t t) {
            return std::ranges::lower_bound(work_before_, work_before_.back() * t / team) - work_before_.begin();
        };
        return {thread, team, unit(thread), unit(thread + 1)};
    }

    // Lays out the passes of a thread's step below its rows, if there are any.
    void lay_out(int thread, Step<T>& step) {
        if (!passes_.empty()) passes_[static_cast<size_t>(thread)].lay_out(step, step.rows);
    }

    // Thread 0 turns a batch of sparse rows into columns; the others are in the rows phase meanwhile.
    void turn(const Step<T>& step) {
        const Samples<T>& samples = step.samples;
        std::ranges::fill(column_starts_, 0);
        for (int64_t r = 0; r < step.rows; ++r) {
            const int64_t place = samples.place(r);
            for (int64_t k = samples.starts[place]; k < samples.starts[place + 1]; ++k)
                ++column_starts_[static_cast<size_t>(samples.columns[k]) + 2];
        }
        std::partial_sum(column_starts_.begin(), column_starts_.end(), column_starts_.begin());
        for (int64_t r = 0; r < step.rows; ++r) {
            const int64_t place = samples.place(r);
            for (int64_t k = samples.starts[place]; k < samples.starts[place + 1]; ++k) {
                const auto at = static_cast<size_t>(column_starts_[static_cast<size_t>(samples.columns[k]) + 1]++);
                column_rows_[at] = static_cast<int32_t>(r);
                column_numbers_[at] = samples.number(k);
            }
        }
    }

    // Room for the columns of any batch of so many of the given sparse rows; what a step then has to be told of them.
    SparseColumns<T> provide_columns(const Samples<T>& samples, int64_t rows, int64_t batch) {
        if (!samples.sparse()) return {};
        int64_t longest = 0;
        for (int64_t r = 0; r < rows; ++r) longest = std::max(longest, samples.starts[r + 1] - samples.starts[r]);
        const auto most = static_cast<size_t>(std::min(samples.starts[rows], longest * batch));
        column_starts_.resize(static_cast<size_t>(model_.layout().inputs()) + 2);
        column_rows_.resize(most);
        column_numbers_.resize(most);
        return {column_starts_.data(), column_rows_.data(), column_numbers_.data()};
    }

    Barrier& barrier() { return barrier_; }
    void tell_not_finite() { finite_.store(false, std::memory_order_relaxed); }

    // Both phases. In thread 0 `error` receives the batch's error, and `squares` Σ W² before the step if step.squares
    // is there. False if the work is to be given up. The weights are then as before the step; or as the step before
    // left them half moved, where the interruption was heard in its weights phase.
    bool run(const Part& part, const Step<T>& step, double& error, double& squares) {
        if (part.thread == 0 && step.samples.sparse()) turn(step);
        const Kernels<T>& kernels = model_.kernels();
        if (own_ == nullptr) {
            in_blocks(part, step.rows, row_work_, [&](int64_t r, int64_t stop) { kernels.train_rows(step, r, stop); });
        } else {
            const int64_t there = model_.layout().multiplications();
            in_blocks(part, step.rows, there,
                      [&](int64_t r, int64_t stop) { kernels.rows_there(step, r, stop, own_->O); });
            if (!meet(part)) return false;
            if (part.thread == 0) {
                for (int64_t r = 0; r < step.rows; ++r) own_->places[r] = step.samples.place(r);
                if (!own_->call(step.rows)) interrupt_.raise();
            }
            if (!meet(part)) return false;
            in_blocks(part, step.rows, row_work_ - there,
                      [&](int64_t r, int64_t stop) { kernels.rows_back(step, r, stop, own_->errors, own_->G); });
        }
        if (!meet(part)) return false;
        if (part.thread == 0) {
            error = 0;
            for (int64_t r = 0; r < step.rows; ++r) error += step.work.row_error[r];
        }
        Step<T> with_passes{};
        if (step.pass_count > 0) {
            with_passes = step;
            with_passes.rows *= 1 + step.pass_count;
        }
        const Step<T>& all = step.pass_count > 0 ? with_passes : step;
        const int64_t work = all.rows * unit_rows * panel_vectors * model_.kernels().width;  // of a unit
        const int64_t slice = std::max<int64_t>(1, 50'000'000 / work);                       // about a millisecond
        for (int64_t u = part.first_unit; u < part.last_unit && !interrupt_.raised(); u += slice) {
            const int64_t stop = std::min(part.last_unit, u + slice);
            if (!model_.kernels().train_weights(all, u, stop, panels_[static_cast<size_t>(part.thread)].data()))
                tell_not_finite();
            if (part.thread == 0) interrupt_.poll((stop - u) * work);
        }
        barrier_.wait(part.team);
        if (part.thread == 0 && step.squares != nullptr) {
            squares = 0;
            for (int64_t s = 0; s < model_.plan().squares; ++s) squares += step.squares[s];
        }
        return true;
    }

    // All threads wait for one another; false if the work is to be given up. Thread 0 decides before they meet, so that
    // all come to the same answer.
    bool meet(const Part& part) {
        if (part.thread == 0) abandoned_.store(interrupt_.raised() || given_up_, std::memory_order_relaxed);
        barrier_.wait(part.team);
        return !abandoned_.load(std::memory_order_relaxed);
    }

    // Thread 0: the work is to be given up.
    void give_up() { given_up_ = true; }
    bool interrupted() const { return interrupt_.raised(); }
    // Whether no step that checks it has left anything that is not finite.
    bool finite() const { return finite_.load(std::memory_order_relaxed); }

private:
    // A thread's rows of the batch, block by block, each of so many multiply-adds a row.
    template <class Work>
    void in_blocks(const Part& part, int64_t rows, int64_t row_work, Work work) {
        const int64_t end = first_row(rows, part.thread + 1, part.team);
        for (int64_t r = first_row(rows, part.thread, part.team), stop; r < end && !interrupt_.raised(); r = stop) {
            stop = std::min(end, r + block_rows_);
            work(r, stop);
            if (part.thread == 0) interrupt_.poll((stop - r) * row_work);
        }
    }

    // Where a thread's rows begin: whole tiles.
    static int64_t first_row(int64_t rows, int64_t thread, int64_t team) {
        return std::min(rows, round_up(rows, 8) / 8 * thread / team * 8);
    }

    const Model<T>& model_;
    const OwnLoss<T>* const own_;
    const int64_t row_work_, block_rows_;
    Interrupt interrupt_;
    Barrier barrier_;
    std::atomic<bool> abandoned_{false}, finite_{true};
    bool given_up_ = false;
    std::vector<Buffer<T>> panels_;
    std::vector<Passes<T>> passes_;
    std::vector<int64_t> work_before_;    // each unit, and in all
    std::vector<int64_t> column_starts_;  // while a batch is turned, those of the column before
    std::vector<int32_t> column_rows_;
    std::vector<T> column_numbers_;
};

// How many passes beside each step the samples ask for.
template <class T>
int passes_for(const Model<T>& model, const Samples<T>& samples) {
    return samples.slopes != nullptr ? static_cast<int>(model.layout().outputs()) : 0;
}

template <class T>
double total_weight(const Samples<T>& samples, int64_t rows) {
    if (samples.weights == nullptr) return static_cast<double>(rows);
    double total = 0;
    for (int64_t r = 0; r < rows; ++r) total += samples.weights[samples.place(r)];
    return total;
}

}  // namespace

template <class T>
bool gradient(Model<T>& model, const Samples<T>& samples, int64_t rows, double l2, double slope_weight, int threads,
              Interrupt::Check check, const OwnLoss<T>* own, double& E, T* flat) {
    const int passes = passes_for(model, samples);
    Room<T> room;
    const Buffer<double> row_error(rows);
    const Buffer<T> packed(model.plan().packed_size);
    Step<T> step = model.step(rows, room, passes);
    step.samples = samples;
    step.work.row_error = row_error.data();
    step.update = {gradient_only, nullptr, 1, {packed.data()}};
    step.total = total_weight(samples, rows);
    step.l2 = l2;
    step.slope_weight = slope_weight;
    Crew crew(threads);
    const int wanted = crew.share(team_size(threads, rows * (3 + 5 * passes) * model.layout().multiplications(),
                                            work_for_a_start, round_up(rows, 8) / 8));
    Stepper<T> stepper(model, wanted, rows, passes, check, own);
    step.columns = stepper.provide_columns(samples, rows, rows);
    double error = 0, squares = 0;
    in_parallel(wanted, [&](int thread, int team) {
        const Multiplying multiplying(model.layout());
        Step<T> own = step;
        stepper.lay_out(thread, own);
        stepper.run(stepper.part(thread, team), own, error, squares);
    });
    E = error / step.total;
    model.unpack(packed.data(), flat);
    return !stepper.interrupted();
}

template <class T>
Trainer<T>::Trainer(Model<T>& model, int optimizer, const std::optional<Treatment>& treatment)
    : model_(model), optimizer_(optimizer) {
    if (treatment) whole_ = std::make_unique<WholeStep<T>>(model, *treatment);
    const int64_t size = whole_ != nullptr ? whole_->size() : model.plan().packed_size;
    for (int s = 0; s < names().states[optimizer]; ++s) state_.emplace_back(size);
}

template <class T>
void Trainer<T>::state(int s, T* flat) const {
    const auto place = static_cast<size_t>(s);
    if (whole_ == nullptr) {
        model_.unpack(state_[place].data(), flat);
    } else {
        std::copy_n(place < state_.size() ? state_[place].data() : whole_->weights(), whole_->size(), flat);
    }
}

template <class T>
void Trainer<T>::set_state(int s, const T* flat) {
    const auto place = static_cast<size_t>(s);
    if (whole_ != nullptr) {
        if (place == state_.size())
            whole_->set_weights(flat);
        else
            std::copy_n(flat, whole_->size(), state_[place].data());
        return;
    }
    T* const without_mirrors = nullptr;  // a state has no use for the further forms
    model_.kernels().pack(model_.plan(), flat, state_[place].data(), without_mirrors);
}

template <class T>
bool Trainer<T>::run(T* flat, const Samples<T>& samples, int64_t rows, std::span<const double> hyperparameters,
                     const Schedule& schedule, int threads, Interrupt::Check check, const OwnLoss<T>* own,
                     std::vector<double>& losses) {
    const int64_t batch = std::min(schedule.batch_size, rows);
    Room<T> room;
    const Buffer<double> row_error(batch);
    const bool shuffles = schedule.shuffle && schedule.order == nullptr;
    std::vector<int64_t> order(shuffles ? static_cast<size_t>(rows) : 0);
    const Buffer<double> squares(schedule.record != nullptr ? model_.plan().squares : 0);
    std::vector<double> totals(static_cast<size_t>(round_up(rows, batch) / batch));  // of each batch
    losses.reserve(static_cast<size_t>(schedule.epochs));  // so that nothing in the threads throws
    const int passes = passes_for(model_, samples);
    Step<T> prepared = model_.step(batch, room, passes);
    prepared.slope_weight = schedule.slope_weight;
    prepared.samples = samples;
    prepared.work.row_error = row_error.data();
    prepared.update = {optimizer_, hyperparameters.data(), steps_, {}};
    std::ranges::transform(state_, prepared.update.state, [](const Buffer<T>& state) { return state.data(); });
    const Update<T> moving = prepared.update;  // of a whole step
    const int64_t in_a_step = whole_ != nullptr ? whole_->treatment().accumulate : 1;
    if (whole_ != nullptr) {
        prepared.update.optimizer = gradient_only;
        prepared.update.state[0] = whole_->packed_gradient();
    }
    prepared.l2 = schedule.l2;
    prepared.drops = true;
    prepared.dropout_seed = mix(~schedule.seed);
    prepared.samples.order = shuffles ? order.data() : schedule.order;
    prepared.squares = schedule.record != nullptr ? squares.data() : nullptr;
    const int64_t steps_of_an_epoch = round_up(std::ssize(totals), in_a_step) / in_a_step;
    if (!schedule.resume) {
        if (whole_ != nullptr) whole_->begin(flat);
        model_.pack(whole_ != nullptr ? whole_->weights() : flat);
    }
    failure_.reset();

    constexpr double short_run = 0.02;
    const int team_wanted = team_size(threads, batch * (3 + 5 * passes) * model_.layout().multiplications(),
                                      work_for_a_thread, model_.plan().units);
    if (runs_.team() != team_wanted) runs_ = Pace(team_wanted);
    const int wanted = last_run_ < short_run ? runs_.workers() : team_wanted;
    Pace alone(1);
    Pace& pace = wanted == team_wanted ? pace_ : alone;
    pace.start(wanted);
    runs_.begin();
    const auto began = std::chrono::steady_clock::now();
    Stepper<T> stepper(model_, wanted, batch, passes, check, own);
    prepared.columns = stepper.provide_columns(samples, rows, batch);
    // A part of an epoch: so many batches from the given row on. Thread 0 sets it before it opens the gate.
    struct {
        int64_t row, batches, step;
        int64_t last;         // row of the epoch's last batch that has weight
        const double* rates;  // of the epoch's batches, or null
    } stretch{};
    // Where a batch stands among those of its step, of which some may have no weight.
    const auto place_of = [&](int64_t number) {
        const double own = totals[static_cast<size_t>(number)];
        if (in_a_step == 1) return typename WholeStep<T>::Batch{own, own, true, true};
        const int64_t first = number / in_a_step * in_a_step, end = std::min(first + in_a_step, std::ssize(totals));
        typename WholeStep<T>::Batch place{own, 0, true, true};
        for (int64_t b = first; b < end; ++b) {
            const double other = totals[static_cast<size_t>(b)];
            place.of_all += other;
            if (other != 0 && b < number) place.opens = false;
            if (other != 0 && b > number) place.closes = false;
        }
        return place;
    };
    int64_t failed_step = 0;
    double most_error = 0;  // of an epoch's rows together
    // A stretch in one thread; false if it is to be given up. Thread 0 gets the sum of the errors and of the rows'
    // weights.
    const auto run_stretch = [&](int thread, int workers, Step<T>& step, double& error, double& total) {
        const typename Stepper<T>::Part part = stepper.part(thread, workers);
        step.update.step = stretch.step;
        std::array<double, most_hyperparameters> numbers{};
        std::ranges::copy(hyperparameters, numbers.begin());
        step.update.hyperparameters = numbers.data();
        for (int64_t b = 0; b < stretch.batches; ++b) {
            step.samples.first = stretch.row + b * batch;
            step.rows = std::min(batch, rows - step.samples.first);
            step.total = totals[static_cast<size_t>(step.samples.first / batch)];
            if (step.total == 0) continue;
            stepper.lay_out(thread, step);
            total += step.total;
            const int64_t number = step.samples.first / batch;
            const typename WholeStep<T>::Batch place = place_of(number);
            if (place.opens) ++step.update.step;
            if (stretch.rates != nullptr) numbers[learning_rate] = stretch.rates[number / in_a_step];
            const bool checks = schedule.guard.has_value() && step.samples.first == stretch.last;
            step.checks = checks && whole_ == nullptr;
            step.l2 = place.closes ? schedule.l2 : 0;
            step.rows_before = number % in_a_step * batch;
            double batch_error = 0, batch_squares = 0;
            if (!stepper.run(part, step, batch_error, batch_squares)) return false;
            if (whole_ != nullptr) {
                Update<T> update = moving;
                update.hyperparameters = numbers.data();
                update.step = step.update.step;
                const auto wait = [&] { stepper.barrier().wait(workers); };
                if (!whole_->make(thread, workers, place, update, step.packed, step.mirrors, checks, wait))
                    stepper.tell_not_finite();
            }
            error += batch_error;
            // Errors are not below 0, so no batch to come makes the epoch's mean error smaller again.
            if (thread == 0 && schedule.guard && !(error <= most_error)) {
                failed_step = step.update.step;
                stepper.give_up();
            }
            if (thread == 0 && schedule.record != nullptr) {
                double* const record = schedule.record + 2 * (step.samples.first / batch);
                record[0] = batch_error;
                record[1] = batch_squares;
            }
        }
        return stepper.meet(part);  // from here on the next stretch may be set
    };
    constexpr double most = std::numeric_limits<T>::max();
    const auto most_weight = static_cast<T>(schedule.guard ? std::min(schedule.guard->weight, most) : most);
    Crew crew(threads);
    Gate gate;
    bool completed = true;
    in_parallel(wanted, [&](int thread, int team) {
        const FlushSubnormals flushing;
        const Multiplying multiplying(model_.layout());
        Step<T> step = prepared;
        double error = 0, total = 0;
        if (thread > 0) {
            for (Gate::Turn turn{}; (turn = gate.wait(turn)).workers > 0;) {
                if (thread < turn.workers && !run_stretch(thread, turn.workers, step, error, total)) return;
            }
            return;
        }
        for (int64_t epoch = 0; epoch < schedule.epochs && completed; ++epoch) {
            if (shuffles) row_order(order, schedule.seed, static_cast<uint64_t>(epoch_));
            double weight = 0;
            // Once for all threads, which would wait for one another for ever if they disagreed about a batch without
            // weight because the caller's array is changed meanwhile.
            for (int64_t b = 0; b < std::ssize(totals); ++b) {
                step.samples.first = b * batch;
                totals[static_cast<size_t>(b)] = total_weight(step.samples, std::min(batch, rows - b * batch));
                if (totals[static_cast<size_t>(b)] != 0) stretch.last = b * batch;
                weight += totals[static_cast<size_t>(b)];
            }
            if (schedule.guard)
                most_error = std::min(schedule.guard->loss * weight, std::numeric_limits<double>::max());
            error = total = 0;
            stretch.step = steps_;
            stretch.rates = schedule.rates != nullptr ? schedule.rates + epoch * steps_of_an_epoch : nullptr;
            for (int64_t done = 0; done < std::ssize(totals) && completed; done += stretch.batches) {
                stretch.row = done * batch;
                stretch.batches = pace.length(std::ssize(totals) - done);
                const int workers = crew.share(std::min(team, pace.workers()));
                pace.begin();
                gate.open(workers);
                completed = run_stretch(0, workers, step, error, total);
                pace.end(workers, stretch.batches);
                stretch.step = step.update.step;
            }
            if (failed_step > 0 && !stepper.interrupted()) {
                failure_ = Failure{failed_step - steps_, Part::loss};
            } else if (completed && !stepper.finite()) {
                failure_ = Failure{stretch.step - steps_, Part::state};
            } else if (completed && most_weight < std::numeric_limits<T>::max() && model_.largest() > most_weight) {
                failure_ = Failure{stretch.step - steps_, Part::growth};
            }
            if (completed || failure_) losses.push_back(error / total);
            completed = completed && !failure_;
            if (!completed) break;
            if (!schedule.leave) unpack(flat);
            steps_ = stretch.step;
            ++epoch_;
        }
        gate.open(0);
    });
    last_run_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    runs_.end(wanted, schedule.epochs * std::ssize(totals));
    return completed || failure_.has_value();
}

#define RESEAU_INSTANTIATE(T)                                                                               \
    template class Trainer<T>;                                                                              \
    template bool gradient<T>(Model<T>&, const Samples<T>&, int64_t, double, double, int, Interrupt::Check, \
                              const OwnLoss<T>*, double&, T*);
RESEAU_INSTANTIATE(float)
RESEAU_INSTANTIATE(double)
#undef RESEAU_INSTANTIATE

}  // namespace reseau
