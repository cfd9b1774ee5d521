// Epochs, the order of rows, threads, interruption: everything around the kernels that is not Python.
#include "train.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <numeric>

namespace reseau {

int64_t Interrupt::now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T>
Buffer<T>::Buffer(int64_t size, Content content) {
    const size_t bytes = (static_cast<size_t>(std::max<int64_t>(size, 1)) * sizeof(T) + 63) / 64 * 64;
    void* memory = std::aligned_alloc(64, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    if (content == Content::zeros) std::memset(memory, 0, bytes);
    memory_.reset(static_cast<T*>(memory));
}

namespace {

int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

// Multiply-adds below which a second thread costs more than it brings. Two barriers between two cores take some 0.5 µs, in
// which a core does some 25,000 multiply-adds of float32.
constexpr int64_t work_for_a_thread = 200'000;

// The same for a call that starts its team for this alone: some 50 µs, or 5 million multiply-adds.
constexpr int64_t work_for_a_start = 5'000'000;

// A row's length in memory. Rows that are a multiple of 1024 bytes apart would fall into the same few sets of the first cache,
// so such a length gets another vector.
template <class T>
int64_t padded_stride(int64_t columns, int64_t width) {
    const int64_t stride = round_up(columns, width);
    return stride * static_cast<int64_t>(sizeof(T)) % 1024 == 0 ? stride + width : stride;
}

int team_size(int threads, int64_t work, int64_t worth_a_thread, int64_t pieces) {
    return static_cast<int>(std::clamp<int64_t>(std::min(work / worth_a_thread, pieces), 1, threads));
}

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

}  // namespace

// --- Model --------------------------------------------------------------------------------------------------------------------

template <class T>
Model<T>::Model(const InstructionSet& set, std::span<const LayerDescription> layers, int loss, bool simplifies, bool for_inputs)
    : kernels_(&set.kernels<T>()), for_inputs_(for_inputs) {
    const int64_t width = kernels_->width;
    int64_t packed = 0, mirrors = 0, units = 0;
    for (const LayerDescription& description : layers) {
        Layer layer{};
        layer.n_in = description.n_in;
        layer.n_out = description.n_out;
        layer.in_padded = round_up(layer.n_in, width);
        layer.out_padded = round_up(layer.n_out, width);
        layer.flat_W = description.flat_W;
        layer.flat_b = description.flat_b;
        layer.has_bias = description.flat_b >= 0;
        layer.activation = description.activation;
        layer.narrow = is_narrow<T>(layer.n_in, layer.n_out);
        layer.panels = packed;
        layer.bias = packed + layer.in_padded * (layer.narrow ? layer.n_out : layer.out_padded);
        packed = layer.bias + layer.out_padded;
        layer.mirror = -1;
        if ((!layers_.empty() || for_inputs) && !layer.narrow) {
            layer.mirror = mirrors;
            mirrors += layer.in_padded * layer.out_padded;
        }
        layer.first_unit = units;
        const auto panels = [&](int64_t columns) { return (columns + panel_vectors * width - 1) / (panel_vectors * width); };
        units += layer.narrow ? panels(layer.n_in) : (layer.n_in + unit_rows - 1) / unit_rows * panels(layer.n_out);
        multiplications_ += layer.n_in * layer.n_out;
        layers_.push_back(layer);
    }
    plan_.layers = layers_.data();
    plan_.count = static_cast<int>(layers_.size());
    plan_.loss = loss;
    plan_.simplifies = simplifies;
    plan_.packed_size = packed;
    plan_.mirrors_size = mirrors;
    plan_.units = units;
    packed_ = Buffer<T>(packed);
    mirrors_ = Buffer<T>(mirrors);
}

template <class T>
Step<T> Model<T>::step(const Samples<T>& samples, int64_t rows, Purpose purpose, Room<T>& room) {
    Step<T> step{};
    step.plan = &plan_;
    step.packed = packed_.data();
    step.mirrors = mirrors_.data();
    step.samples = samples;
    step.rows = rows;
    const auto matrix = [&](int64_t columns) {
        const int64_t stride = padded_stride<T>(columns, kernels_->width);
        room.buffers.emplace_back(rows * stride, Content::anything);
        return Matrix<T>{room.buffers.back().data(), stride};
    };
    const bool backward = purpose == Purpose::backward;
    for (int l = 0; l <= plan_.count; ++l) {
        const int64_t columns = l == 0 ? layers_[0].n_in : layers_[l - 1].n_out;
        const bool keeps_delta = backward && (l > 0 || for_inputs_);
        const bool keeps_derivative = backward && l > 0 && kernels_->keeps_derivative(layers_[l - 1].activation);
        room.A.push_back(matrix(columns));
        room.delta.push_back(keeps_delta ? matrix(columns) : Matrix<T>{});
        room.D.push_back(keeps_derivative ? matrix(columns) : Matrix<T>{});
    }
    step.work.A = room.A.data();
    step.work.D = room.D.data();
    step.work.delta = room.delta.data();
    if (purpose != Purpose::forward) {
        step.work.targets = matrix(layers_.back().n_out);
        if (plan_.simplifies) step.work.Z = matrix(layers_.back().n_out);
    }
    return step;
}

// --- without training ---------------------------------------------------------------------------------------------------------

namespace {

// Takes all rows in blocks, shared among threads as they come free; a row's result does not depend on its block.
template <class T, class Kernel>
bool in_blocks(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, int64_t row_work,
               typename Model<T>::Purpose purpose, Kernel kernel) {
    // Fewer rows where they are so much work, as for ∂O/∂X of many outputs, that an interruption would wait too long.
    const int64_t height = std::clamp<int64_t>(500'000'000 / row_work, 8, block_rows);
    const int64_t blocks = round_up(rows, height) / height;
    const int team = team_size(threads, rows * row_work, work_for_a_start, blocks);
    std::vector<Room<T>> rooms(static_cast<size_t>(team));
    std::vector<Step<T>> steps;
    for (Room<T>& room : rooms) steps.push_back(model.step(samples, std::min(rows, height), purpose, room));
    std::atomic<int64_t> next{0};
    Interrupt interrupt(check);
    in_parallel(team, [&](int thread, int) {
        Step<T>& step = steps[static_cast<size_t>(thread)];
        for (int64_t block; (block = next.fetch_add(1, std::memory_order_relaxed)) < blocks && !interrupt.raised();) {
            step.samples.first = block * height;
            const int64_t count = std::min(height, rows - block * height);
            kernel(step, count, block * height);
            if (thread == 0) interrupt.poll(count * row_work);
        }
    });
    return !interrupt.raised();
}

}  // namespace

template <class T>
bool predict(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* outputs) {
    const int64_t n = model.plan().layers[model.plan().count - 1].n_out;
    return in_blocks(model, samples, rows, threads, check, model.multiplications(), Model<T>::Purpose::forward,
                     [&](const Step<T>& step, int64_t count, int64_t first) { model.kernels().predict(step, count, outputs + first * n); });
}

template <class T>
bool errors(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* e) {
    const int64_t n = model.plan().layers[model.plan().count - 1].n_out;
    return in_blocks(model, samples, rows, threads, check, model.multiplications(), Model<T>::Purpose::errors,
                     [&](const Step<T>& step, int64_t count, int64_t first) { model.kernels().errors(step, count, e + first * n); });
}

template <class T>
bool jacobian(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* J) {
    const int64_t n_out = model.plan().layers[model.plan().count - 1].n_out, n_in = model.plan().layers[0].n_in;
    return in_blocks(model, samples, rows, threads, check, (1 + n_out) * model.multiplications(), Model<T>::Purpose::backward,
                     [&](const Step<T>& step, int64_t count, int64_t first) { model.kernels().jacobian(step, count, J + first * n_out * n_in); });
}

// --- training -----------------------------------------------------------------------------------------------------------------

namespace {

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
            if (thread == 0) interrupt_.poll((stop - r) * 2 * model_.multiplications());
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
    Step<T> step = model.step(samples, rows, Model<T>::Purpose::backward, room);
    step.work.row_error = row_error.data();
    step.update = {gradient_only, nullptr, 1, {packed.data(), nullptr}};
    step.total = total_weight(samples, rows);
    step.l2 = l2;
    const int wanted = team_size(threads, rows * 3 * model.multiplications(), work_for_a_start, rows);
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
    Step<T> prepared = model_.step(samples, batch, Model<T>::Purpose::backward, room);
    prepared.work.row_error = row_error.data();
    prepared.update = {optimizer_, hyperparameters.data(), steps_, {state_[0].data(), state_[1].data()}};
    prepared.l2 = schedule.l2;
    if (schedule.shuffle) prepared.samples.order = order.data();
    model_.pack(flat);

    const int wanted = team_size(threads, batch * 3 * model_.multiplications(), work_for_a_thread, batch);
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

#define RESEAU_INSTANTIATE(T)                                                                                         \
    template class Buffer<T>;                                                                                         \
    template class Model<T>;                                                                                          \
    template class Trainer<T>;                                                                                        \
    template bool predict<T>(Model<T>&, const Samples<T>&, int64_t, int, Interrupt::Check, T*);                       \
    template bool errors<T>(Model<T>&, const Samples<T>&, int64_t, int, Interrupt::Check, T*);                        \
    template bool jacobian<T>(Model<T>&, const Samples<T>&, int64_t, int, Interrupt::Check, T*);                      \
    template bool gradient<T>(Model<T>&, const Samples<T>&, int64_t, double, int, Interrupt::Check, double&, T*);
RESEAU_INSTANTIATE(float)
RESEAU_INSTANTIATE(double)
#undef RESEAU_INSTANTIATE

}  // namespace reseau
