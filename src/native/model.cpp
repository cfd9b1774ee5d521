// The plan of a network, the workspace of a batch, and the outputs of any number of rows.
#include "model.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

namespace reseau {

template <class T>
Layout<T>::Layout(const InstructionSet& set, std::span<const LayerDescription> layers, LossDescription loss,
                  Purpose purpose, Inputs inputs, Precision precision)
    : kernels_(&set.kernels<T>()), purpose_(purpose), inputs_(inputs), precision_(precision) {
    group_ends_.reserve(layers.size());
    for (const LayerDescription& description : layers) {
        const std::vector<int64_t>& ends = group_ends_.emplace_back(description.group_ends);
        Layer layer{};
        layer.n_in = description.n_in;
        layer.n_out = description.n_out;
        layer.flat_W = description.flat_W;
        layer.flat_b = description.flat_b;
        layer.has_bias = description.flat_b >= 0;
        layer.activation = description.activation;
        layer.row = {description.n_out, ends.empty() ? nullptr : ends.data(),
                     ends.empty() ? 1 : static_cast<int>(ends.size()), 0};
        layer.dropout = description.dropout;
        layer.epsilon = description.epsilon;
        layer.plus = description.plus;
        layer.linked = layer.plus >= 0;
        if (layer.plus > 0) layers_[static_cast<size_t>(layer.plus) - 1].linked = true;
        const Demands demands{
            .kind = description.kind.c_str(),
            .sparse_rows = sparse() && layers_.empty(),
            .precision = precision,
            .learns = purpose >= Purpose::backward,
            .sends_back = purpose >= (plan_.flat_size == 0 ? Purpose::inputs : Purpose::backward),
            .machine = machine(),
        };
        kernels_->plan_layer(demands, layer, plan_);
        layers_.push_back(layer);
    }
    plan_.lowest = std::min(plan_.lowest, plan_.count);
    plan_.layers = layers_.data();
    plan_.loss = loss.loss;
    constexpr int64_t widest_vector = 16;
    loss_numbers_ = std::move(loss.numbers);
    plan_.row = layers_.back().row;
    if (plan_.row.in_groups()) plan_.row.numbers_of_group = std::ssize(loss_numbers_) / plan_.row.groups;
    loss_numbers_.resize(static_cast<size_t>(round_up(std::max(std::ssize(loss_numbers_), outputs()), widest_vector)));
    plan_.loss_numbers = loss_numbers_.data();
    plan_.simplifies = loss.simplifies;
    plan_.least_error = loss.least_error;
    plan_.most_error = loss.most_error;
}

// By the bits without the sign, which are in the order of the absolute values, with infinity and NaN above: floats
// would have to be compared one after the other.
template <class T>
T Model<T>::largest() const {
    using Bits = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
    constexpr Bits without_sign = std::numeric_limits<Bits>::max();
    Bits found = 0;
    for (int64_t i = 0; i < plan().packed_size; ++i)
        found = std::max<Bits>(found, std::bit_cast<Bits>(packed_.data()[i]) & without_sign);
    return std::bit_cast<T>(found);
}

template <class T>
Step<T> Model<T>::step(int64_t batch_rows, Room<T>& room, int passes) {
    // Below the batch's rows those of the passes, and of what these share.
    const int64_t rows = passes > 0 ? (passes + 2) * batch_rows : batch_rows;
    const Plan& plan = this->plan();
    Step<T> step{};
    step.plan = &plan;
    step.packed = packed_.data();
    step.mirrors = mirrors_.data();
    step.rows = batch_rows;
    const auto numbers = [&](int64_t size) { return room.buffers.emplace_back(size, Content::anything).data(); };
    const auto matrix = [&](int64_t columns) {
        const int64_t stride = padded_stride<T>(columns, kernels().width);
        return Matrix<T>{numbers(rows * stride), stride};
    };
    const Purpose purpose = layout_.purpose();
    for (int l = 0; l <= plan.count; ++l) {
        const int64_t columns = l == 0 ? layout_.inputs() : plan.layers[l - 1].n_out;
        const auto sends_back_to = [&](int k) {
            return purpose >= (k < plan.lowest ? Purpose::inputs : Purpose::backward);
        };
        const bool keeps_derivative =
            purpose >= Purpose::backward && l > 0 &&
            (kernels().keeps_derivative(plan.layers[l - 1].activation) || plan.layers[l - 1].dropout > 0);
        room.A.push_back(l == 0 && layout_.sparse() ? Matrix<T>{} : matrix(columns));
        room.delta.push_back(sends_back_to(l) ? matrix(columns) : Matrix<T>{});
        room.D.push_back(keeps_derivative ? matrix(columns) : Matrix<T>{});
        const int64_t kept = l > 0 ? kernels().kept_numbers(plan.layers[l - 1], rows) : 0;
        room.kept.push_back(kept > 0 ? numbers(kept) : nullptr);
        const bool keeps_scores = (purpose >= Purpose::directions && l > 0) ||
                                  (purpose >= Purpose::errors && plan.simplifies && l == plan.count);
        room.scores.push_back(keeps_scores ? matrix(columns) : Matrix<T>{});
        if (!plan.links) continue;
        const int plus = l > 0 ? plan.layers[l - 1].plus : -1;
        const bool keeps_own = purpose >= Purpose::backward && plus >= 0;
        room.own.push_back(keeps_own ? matrix(columns) : room.A.back());
        room.through.push_back(keeps_own && sends_back_to(plus) ? matrix(columns) : Matrix<T>{});
    }
    step.work.A = room.A.data();
    step.work.D = room.D.data();
    step.work.delta = room.delta.data();
    step.work.own = plan.links ? room.own.data() : room.A.data();
    step.work.through = room.through.data();
    step.work.kept = room.kept.data();
    step.work.scores = room.scores.data();
    if (purpose >= Purpose::errors) step.work.targets = matrix(layout_.outputs());
    return step;
}

template <class T>
Passes<T>::Passes(const Kernels<T>& kernels, const Plan& plan, int count)
    : kernels_(kernels), places_(static_cast<size_t>(count + 1)), passes_(static_cast<size_t>(count)) {
    const auto layers = static_cast<size_t>(plan.count + 1);
    for (Places& places : places_) {
        for (auto* of : {&places.A, &places.own, &places.scores, &places.delta, &places.through}) of->resize(layers);
        places.kept.resize(layers);
    }
}

template <class T>
void Passes<T>::place(const Step<T>& step, int64_t row, Places& places) const {
    const Workspace<T>& work = step.work;
    for (int l = 0; l <= step.plan->count; ++l) {
        const auto at = static_cast<size_t>(l);
        places.A[at] = part(work.A[l], row, 0);
        places.own[at] = part(work.own[l], row, 0);
        places.scores[at] = part(work.scores[l], row, 0);
        places.delta[at] = part(work.delta[l], row, 0);
        // Where no layer has a link, there are none.
        places.through[at] = step.plan->links ? part(work.through[l], row, 0) : Matrix<T>{};
        places.kept[at] =
            work.kept[l] != nullptr ? work.kept[l] + kernels_.kept_numbers(step.plan->layers[l - 1], row) : nullptr;
    }
}

template <class T>
void Passes<T>::lay_out(Step<T>& step, int64_t rows) {
    for (size_t p = 0; p < places_.size(); ++p) place(step, (static_cast<int64_t>(p) + 1) * rows, places_[p]);
    const Places& shared = places_.back();
    for (size_t p = 0; p < passes_.size(); ++p) {
        const Places& own = places_[p];
        Pass<T>& pass = passes_[p];
        Step<T>&back = pass.back, &along = pass.along;
        back = Step<T>{};
        back.plan = step.plan;
        back.packed = step.packed;
        back.mirrors = step.mirrors;
        back.bare = true;
        back.work = step.work;
        along = back;
        along.at = &back;
        back.work.delta = own.delta.data();
        back.work.through = own.through.data();
        along.work.A = own.A.data();
        along.work.own = own.own.data();
        along.work.scores = own.scores.data();
        along.work.kept = own.kept.data();
        along.work.delta = shared.delta.data();
        along.work.through = shared.through.data();
        pass.G = shared.A.data();
    }
    step.passes = passes_.data();
    step.pass_count = static_cast<int>(passes_.size());
}

int64_t block_height(int64_t row_work) {
    const int64_t rows = std::clamp<int64_t>(1'500'000'000 / row_work, 8, machine().block_rows());
    return rows < 32 ? rows / 8 * 8 : rows / 32 * 32;  // whole tiles; and no pair of rows is parted
}

namespace {

// The workspaces of a team, each for a block of rows.
template <class T>
struct Rooms {
    std::vector<std::unique_ptr<Room<T>>> rooms;
    std::vector<Step<T>> steps;
    std::vector<std::unique_ptr<Passes<T>>> passes;

    void provide(Model<T>& model, int64_t height, int64_t count, int pass_count) {
        while (std::ssize(steps) < count) {
            rooms.push_back(std::make_unique<Room<T>>());
            steps.push_back(model.step(height, *rooms.back(), pass_count));
            if (pass_count == 0) continue;
            passes.push_back(std::make_unique<Passes<T>>(model.kernels(), model.plan(), pass_count));
            passes.back()->lay_out(steps.back(), height);
        }
    }
};

// Takes all rows in blocks, shared among threads as they come free; a row's result does not depend on its block. Stops
// when kernel(step, rows, first) returns false, or when interrupted, and returns whether that was so.
template <class T, class Kernel>
bool in_blocks(Model<T>& model, Rooms<T>& rooms, const Samples<T>& samples, int64_t rows, int threads,
               Interrupt::Check check, int64_t row_work, Kernel kernel, int passes = 0) {
    const int64_t height = block_height(row_work);
    const int64_t blocks = (rows + height - 1) / height;
    Crew crew(threads);
    const int team = crew.share(team_size(threads, rows * row_work, work_for_a_start, blocks));
    rooms.provide(model, height, team, passes);
    std::atomic<int64_t> next{0};
    Interrupt interrupt(check);
    in_parallel(team, [&](int thread, int) {
        const Multiplying multiplying(model.layout());
        Step<T>& step = rooms.steps[static_cast<size_t>(thread)];
        step.samples = samples;
        for (int64_t block; (block = next.fetch_add(1, std::memory_order_relaxed)) < blocks && !interrupt.raised();) {
            step.samples.first = block * height;
            const int64_t count = std::min(height, rows - block * height);
            if (!kernel(step, count, block * height)) next.store(blocks, std::memory_order_relaxed);
            if (thread == 0) interrupt.poll(count * row_work);
        }
    });
    return interrupt.raised();
}

}  // namespace

template <class T>
bool outputs(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* O) {
    const int64_t n = model.layout().outputs();
    Rooms<T> rooms;
    return !in_blocks(model, rooms, samples, rows, threads, check, model.layout().multiplications(),
                      [&](const Step<T>& step, int64_t count, int64_t first) {
                          return model.kernels().predict(step, count, O + first * n);
                      });
}

template <class T>
bool errors(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* e) {
    const int64_t n = model.layout().outputs();
    Rooms<T> rooms;
    return !in_blocks(model, rooms, samples, rows, threads, check, model.layout().multiplications(),
                      [&](const Step<T>& step, int64_t count, int64_t first) {
                          model.kernels().errors(step, count, e + first * n);
                          return true;
                      });
}

template <class T>
bool jacobian(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check, T* J) {
    const int64_t n_out = model.layout().outputs(), n_in = model.layout().inputs();
    Rooms<T> rooms;
    return !in_blocks(model, rooms, samples, rows, threads, check, (1 + n_out) * model.layout().multiplications(),
                      [&](const Step<T>& step, int64_t count, int64_t first) {
                          model.kernels().jacobian(step, count, J + first * n_out * n_in);
                          return true;
                      });
}

template <class T>
bool parameter_jacobian(Model<T>& model, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check,
                        T* J) {
    const int64_t n_out = model.layout().outputs(), numbers = n_out * model.plan().flat_size;
    Rooms<T> rooms;
    return !in_blocks(model, rooms, samples, rows, threads, check,
                      (1 + n_out) * model.layout().multiplications() + numbers,
                      [&](const Step<T>& step, int64_t count, int64_t first) {
                          model.kernels().parameter_jacobian(step, count, J + first * numbers);
                          return true;
                      });
}

template <class T>
bool product(Model<T>& model, Product which, const Samples<T>& samples, int64_t rows, const T* vectors, int64_t stride,
             int threads, Interrupt::Check check, T* products) {
    const int64_t n_out = model.layout().outputs(), n_in = model.layout().inputs();
    const Kernels<T>& kernels = model.kernels();
    const auto [kernel, numbers, ways] = [&] {
        switch (which) {
            case Product::jvp:
                return std::tuple(kernels.jvp, n_out, int64_t{2});
            case Product::vjp:
                return std::tuple(kernels.vjp, n_in, int64_t{2});
            default:
                return std::tuple(kernels.hessian_vector, n_out * n_in, 2 + 2 * n_out);
        }
    }();
    Rooms<T> rooms;
    return !in_blocks(
        model, rooms, samples, rows, threads, check, ways * model.layout().multiplications(),
        [&, kernel = kernel, numbers = numbers](const Step<T>& step, int64_t count, int64_t first) {
            kernel(step, count, vectors + first * stride, stride, products + first * numbers);
            return true;
        },
        which == Product::vjp ? 0 : 1);
}

template <class T>
bool inside(Model<T>& model, Inside what, const Samples<T>& samples, int64_t rows, int threads, Interrupt::Check check,
            T* numbers) {
    int64_t width = 0;
    for (int l = 0; l < model.plan().count; ++l) width += model.plan().layers[l].n_out;
    const bool there_and_back = what == Inside::gradients || what == Inside::gradients_of_own;
    Rooms<T> rooms;
    return !in_blocks(
        model, rooms, samples, rows, threads, check, (there_and_back ? 2 : 1) * model.layout().multiplications(),
        [&](const Step<T>& step, int64_t count, int64_t first) {
            T* const to = numbers + first * width;
            if (there_and_back) {
                model.kernels().layer_gradients(step, count, what == Inside::gradients_of_own, to);
            } else {
                model.kernels().inside(step, count, what == Inside::scores, to);
            }
            return true;
        },
        there_and_back ? 1 : 0);
}

// --- Predictor -------------------------------------------------------------------------------------------------------

// One row's, and, made when there are more rows, packed parameters and workspaces.
template <class T>
struct Predictor<T>::Memory {
    Buffer<T> row;
    std::unique_ptr<Model<T>> model;
    Rooms<T> rooms;
};

template <class T>
Predictor<T>::Predictor(const InstructionSet& set, std::span<const LayerDescription> layers, const T* flat,
                        Precision precision)
    : set_(set),
      layers_(layers.begin(), layers.end()),
      layout_(set, layers_, LossDescription{}, Purpose::forward, Inputs::dense, precision),
      flat_(flat),
      memory_(new Memory) {}

template <class T>
Predictor<T>::~Predictor() = default;

template <class T>
typename Predictor<T>::Outcome Predictor<T>::predict(const Samples<T>& samples, int64_t rows, int threads,
                                                     Interrupt::Check check, T* outputs) {
    const std::unique_lock<std::mutex> lock(in_use_, std::try_to_lock);
    if (lock.owns_lock()) return predict(*memory_, samples, rows, threads, check, outputs);
    Memory memory;
    return predict(memory, samples, rows, threads, check, outputs);
}

template <class T>
typename Predictor<T>::Outcome Predictor<T>::predict(Memory& memory, const Samples<T>& samples, int64_t rows,
                                                     int threads, Interrupt::Check check, T* outputs) const {
    // Up to so many rows, reading the caller's weights for each takes less time than packing them once; in full
    // precision, for a row's products have one order in any batch.
    constexpr int64_t rows_unpacked = 4;
    const Kernels<T>& kernels = layout_.kernels();
    const int64_t n = layout_.outputs();
    if (rows <= rows_unpacked && layout_.precision() == Precision::full) {
        if (memory.row.data() == nullptr) memory.row = Buffer<T>(layout_.plan().row_memory());
        for (int64_t r = 0; r < rows; ++r) {
            if (!kernels.predict_row(layout_.plan(), flat_, samples, r, memory.row.data(), outputs + r * n))
                return Outcome::not_finite;
        }
        return Outcome::done;
    }
    if (memory.model == nullptr)
        memory.model = std::make_unique<Model<T>>(set_, layers_, LossDescription{}, Purpose::forward, Inputs::dense,
                                                  layout_.precision());
    memory.model->pack(flat_);
    std::atomic<bool> finite{true};
    const bool interrupted =
        in_blocks(*memory.model, memory.rooms, samples, rows, threads, check, layout_.multiplications(),
                  [&](const Step<T>& step, int64_t count, int64_t first) {
                      if (kernels.predict(step, count, outputs + first * n)) return true;
                      finite.store(false, std::memory_order_relaxed);
                      return false;
                  });
    if (interrupted) return Outcome::interrupted;
    return finite.load(std::memory_order_relaxed) ? Outcome::done : Outcome::not_finite;
}

#define RESEAU_INSTANTIATE(T)                                                                                          \
    template class Layout<T>;                                                                                          \
    template class Model<T>;                                                                                           \
    template class Passes<T>;                                                                                          \
    template class Predictor<T>;                                                                                       \
    template bool outputs<T>(Model<T>&, const Samples<T>&, int64_t, int, Interrupt::Check, T*);                        \
    template bool errors<T>(Model<T>&, const Samples<T>&, int64_t, int, Interrupt::Check, T*);                         \
    template bool jacobian<T>(Model<T>&, const Samples<T>&, int64_t, int, Interrupt::Check, T*);                       \
    template bool parameter_jacobian<T>(Model<T>&, const Samples<T>&, int64_t, int, Interrupt::Check, T*);             \
    template bool inside<T>(Model<T>&, Inside, const Samples<T>&, int64_t, int, Interrupt::Check, T*);                 \
    template bool product<T>(Model<T>&, Product, const Samples<T>&, int64_t, const T*, int64_t, int, Interrupt::Check, \
                             T*);
RESEAU_INSTANTIATE(float)
RESEAU_INSTANTIATE(double)
#undef RESEAU_INSTANTIATE

}  // namespace reseau
