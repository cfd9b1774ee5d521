// The native engine's face to Python. Arguments have been checked there (reseau/native.py); nothing is checked again
// here.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <span>
#include <thread>
#include <tuple>

#include "dispatch.h"
#include "train.h"

namespace nb = nanobind;

namespace {

using namespace reseau;

template <class T>
using Vector = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Table = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Cube = nb::ndarray<T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
using AnyTable = nb::ndarray<nb::ro, nb::ndim<2>, nb::c_contig, nb::device::cpu>;  // float or double

// Does what asks for Python's lock. Once the interpreter has ended, which daemon threads outlive, Python (until 3.14)
// ends who asks by pthread_exit, which unwinds a stack that is not made for it, so that the process would be aborted.
// The thread waits here instead, until the process is over.
template <class Work>
auto in_python(Work work) {
    try {
        return work();
    } catch (...) {  // pthread_exit
        for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
}

// While it lives, this thread has Python's lock, or has not.
class Locked {
public:
    Locked() : state_(in_python(PyGILState_Ensure)) {}
    Locked(const Locked&) = delete;
    ~Locked() { PyGILState_Release(state_); }

private:
    const PyGILState_STATE state_;
};
class Unlocked {
public:
    Unlocked() : state_(PyEval_SaveThread()) {}
    Unlocked(const Unlocked&) = delete;
    ~Unlocked() {
        in_python([this] { PyEval_RestoreThread(state_); });
    }

private:
    PyThreadState* const state_;
};

// Whether a signal handler (that of Ctrl-C, say) raised.
bool signal_raised() {
    const Locked lock;
    return PyErr_CheckSignals() != 0;
}

// Python runs signal handlers in its main thread alone; asking in others would be in vain.
bool in_main_thread() {
    const nb::module_ threading = nb::module_::import_("threading");
    return threading.attr("current_thread")().is(threading.attr("main_thread")());
}

// What ends, from another thread, the calls of the threads that watch it, as Ctrl-C ends those of the main thread.
class Stop {
public:
    void set() { raised_.store(true, std::memory_order_relaxed); }
    bool is_set() const { return raised_.load(std::memory_order_relaxed); }
    void watch() const { watched.push_back(this); }
    static void unwatch() { watched.pop_back(); }

    // Whether this thread watches any; whether one of them is set.
    static bool any() { return !watched.empty(); }
    static bool raised() {
        return std::ranges::any_of(watched, [](const Stop* stop) { return stop->is_set(); });
    }

private:
    std::atomic<bool> raised_{false};
    static inline thread_local std::vector<const Stop*> watched;  // by this thread, the innermost last
};

// Multiply-adds, some 10 µs, below which handing over Python's lock would cost more than others gain by it.
constexpr double worth_unlocking = 1e6;

[[noreturn]] void raise_interrupt() {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    throw nb::python_error();
}

// Runs work(check), which may be interrupted, without Python's lock, unless it has too few multiply-adds; raises what a
// signal handler or a Python function raised, or KeyboardInterrupt where another thread has ended it.
template <class Work>
void without_lock(double multiply_adds, Work work) {
    if (Stop::raised()) raise_interrupt();
    bool completed;
    if (multiply_adds < worth_unlocking) {
        completed = work(nullptr);
    } else {
        const Interrupt::Check in_main = [] { return Stop::raised() || signal_raised(); };
        const Interrupt::Check check = in_main_thread() ? in_main : Stop::any() ? Stop::raised : nullptr;
        const Unlocked unlocked;
        completed = work(check);
    }
    if (completed) return;
    if (PyErr_Occurred() == nullptr) raise_interrupt();
    throw nb::python_error();
}

template <class T>
Samples<T> samples(const AnyTable& X) {
    Samples<T> s{};
    s.X = X.data();
    s.X_is_double = X.itemsize() == sizeof(double);
    s.X_stride = static_cast<int64_t>(X.shape(1));
    s.far = static_cast<int64_t>(X.nbytes()) > machine().second_cache;
    return s;
}

using Starts = std::optional<Vector<const int64_t>>;
using Columns = std::optional<Vector<const int32_t>>;

// Samples of sparse rows: X has one column, of the numbers that are not zero.
template <class T>
Samples<T> as_sparse(Samples<T> s, const Starts& starts, const Columns& columns) {
    if (starts) s.starts = starts->data();
    if (columns) s.columns = columns->data();
    return s;
}

template <class T>
using Slopes = std::optional<Cube<const T>>;

template <class T>
Samples<T> with_slopes(Samples<T> s, const Slopes<T>& slopes) {
    if (slopes) s.slopes = slopes->data();
    return s;
}

// Targets are either rows of T or class labels, of each row one for each group of outputs; weights may be missing.
template <class T>
Samples<T> samples(const AnyTable& X, const std::optional<Table<const T>>& targets,
                   const std::optional<Vector<const int64_t>>& labels,
                   const std::optional<Vector<const double>>& weights = {}) {
    Samples<T> s = samples<T>(X);
    if (targets) s.targets = targets->data();
    if (labels) s.labels = labels->data();
    if (weights) s.weights = weights->data();
    return s;
}

// Samples of which not everything counts: targets may be missing, and outputs have shares.
template <class T>
Samples<T> counted(Samples<T> s, bool masked, const std::optional<Vector<const T>>& shares = {}) {
    s.masked = masked;
    if (shares) s.shares = shares->data();
    return s;
}

// A loss that Python computes: its O, places, errors and G, and a function of the number of rows that fills the last
// two.
template <class T>
using OwnTuple = std::optional<std::tuple<Table<T>, Vector<int64_t>, Vector<T>, Table<T>, nb::callable>>;

template <class T>
std::optional<OwnLoss<T>> own_loss(const OwnTuple<T>& own) {
    if (!own) return std::nullopt;
    const auto& [O, places, errors, G, function] = *own;
    const auto call = [f = function.ptr()](int64_t rows) {
        const Locked lock;
        const FlushSubnormals not_wanted(false);
        PyObject* const answer = in_python([&] { return PyObject_CallFunction(f, "L", static_cast<long long>(rows)); });
        Py_XDECREF(answer);
        return answer != nullptr;
    };
    return OwnLoss<T>{O.data(), places.data(), errors.data(), G.data(), call};
}

template <class T>
const T* pointer(const std::optional<T>& value) {
    return value ? &*value : nullptr;
}

int64_t rows_of(const AnyTable& X) { return static_cast<int64_t>(X.shape(0)); }
int64_t rows_of(const AnyTable& X, const Starts& starts) {
    return starts ? static_cast<int64_t>(starts->shape(0)) - 1 : rows_of(X);
}

// The multiply-adds of so many rows' way through a network, so many times there or back.
template <class T>
double multiply_adds(int64_t rows, const Layout<T>& layout, int64_t times = 1) {
    return static_cast<double>(rows) * static_cast<double>(times) * static_cast<double>(layout.multiplications());
}

// Raises a ReseauError.
[[noreturn]] void refuse(const std::string& message) {
    PyErr_SetString(nb::module_::import_("reseau.errors").attr("ReseauError").ptr(), message.c_str());
    throw nb::python_error();
}

// An optimizer's hyperparameters, which Python gives by name, in the order of its names in the table.
std::vector<double> in_order(int optimizer, const nb::dict& hyperparameters) {
    const std::span wanted(names().hyperparameters[optimizer],
                           static_cast<size_t>(names().hyperparameter_counts[optimizer]));
    const auto refuse_one = [&](const std::string& name, const char* what) {
        std::string takes;
        for (const char* each : wanted) takes += (takes.empty() ? "" : ", ") + std::string(each);
        refuse("The hyperparameter '" + name + "' is " + what + ": the native engine's optimizer '" +
               names().optimizers[optimizer] + "' takes " + takes + ".");
    };
    std::vector<double> numbers;
    for (const char* name : wanted) {
        PyObject* const number = PyDict_GetItemString(hyperparameters.ptr(), name);
        if (number == nullptr) refuse_one(name, "missing");
        numbers.push_back(nb::cast<double>(nb::handle(number)));
    }
    if (hyperparameters.size() == wanted.size()) return numbers;
    for (const auto& [name, number] : hyperparameters) {
        const std::string text = nb::cast<std::string>(name);
        if (std::ranges::find(wanted, text) == wanted.end()) refuse_one(text, "unknown");
    }
    return numbers;
}

// A layer: (kind, n_in, n_out, activation, offset of W, offset of b or -1, dropout, epsilon, the layer a link comes
// from or -1, where each group of its outputs ends).
using LayerTuple =
    std::tuple<std::string, int64_t, int64_t, int, int64_t, int64_t, double, double, int, std::vector<int64_t>>;

std::vector<LayerDescription> descriptions(const std::vector<LayerTuple>& layers) {
    std::vector<LayerDescription> all;
    for (const auto& [kind, n_in, n_out, activation, W, b, dropout, epsilon, plus, group_ends] : layers) {
        all.push_back({kind, n_in, n_out, activation, W, b, dropout, epsilon, plus, group_ends});
    }
    return all;
}

// What is done besides the optimizer's step: (clip_norm, clip_value, l1, max_norm, average, accumulate, tensors), 0
// where something is left out, and a tensor is (place, rows, columns, penalised, factor of the rate).
using TensorTuple = std::tuple<int64_t, int64_t, int64_t, bool, double>;
using TreatmentTuple = std::tuple<double, double, double, double, double, int64_t, std::vector<TensorTuple>>;

std::optional<Treatment> treatment_of(const std::optional<TreatmentTuple>& tuple) {
    if (!tuple) return std::nullopt;
    const auto& [clip_norm, clip_value, l1, max_norm, average, accumulate, tensors] = *tuple;
    Treatment treatment{clip_norm, clip_value, l1, max_norm, average, accumulate, {}};
    for (const auto& [at, rows, columns, penalised, rate] : tensors)
        treatment.tensors.push_back({at, rows, columns, penalised, rate});
    return treatment;
}

template <class T>
std::unique_ptr<Model<T>> make_model(const std::string& instruction_set, const std::vector<LayerTuple>& layers,
                                     int loss, std::vector<double> numbers, bool simplifies, Purpose purpose,
                                     bool sparse, Precision precision, std::pair<double, double> errors_between) {
    LossDescription description{loss, std::move(numbers), simplifies, errors_between.first, errors_between.second};
    return std::make_unique<Model<T>>(*find_instruction_set(instruction_set), descriptions(layers),
                                      std::move(description), purpose, sparse ? Inputs::sparse : Inputs::dense,
                                      precision);
}

// A call of a network, where for few rows looking at the arguments takes as long as the work: so the one place where
// they are looked at here. Whatever is not a plain array of finite numbers of the right shape is left to Python, by
// returning None.
template <class T>
class Caller {
public:
    Caller(const std::string& instruction_set, const std::vector<LayerTuple>& layers, const Vector<const T>& parameters,
           nb::object threads, Precision precision)
        : predictor_(*find_instruction_set(instruction_set), descriptions(layers), parameters.data(), precision),
          threads_(std::move(threads)),
          array_(nb::module_::import_("numpy").attr("ndarray")),
          empty_(nb::module_::import_("numpy").attr("empty")),
          dtype_(nb::module_::import_("numpy").attr("dtype")(sizeof(T) == 4 ? "float32" : "float64")) {}

    nb::object operator()(nb::handle X, nb::handle threads) {
        if (X.type().ptr() != array_.ptr()) return nb::none();
        const View x(X, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT);
        const Layout<T>& layout = predictor_.layout();
        if (!x.is_plain() || x.buffer.shape[0] < 1 || x.buffer.shape[1] != layout.inputs()) return nb::none();
        const int64_t rows = x.buffer.shape[0];
        nb::object O = empty_(nb::make_tuple(rows, layout.outputs()), dtype_);
        const View o(O, PyBUF_WRITABLE);
        Samples<T> samples{};
        samples.X = x.buffer.buf;
        samples.X_is_double = x.buffer.itemsize == sizeof(double);
        samples.X_stride = layout.inputs();
        T* outputs = static_cast<T*>(o.buffer.buf);
        typename Predictor<T>::Outcome outcome;
        const double work = multiply_adds(rows, layout);
        const bool alone = work < worth_unlocking;  // where it would take long to ask for the threads
        const int count = alone ? 1 : nb::cast<int>(threads.is_none() ? threads_() : nb::borrow(threads));
        without_lock(work, [&](Interrupt::Check check) {
            outcome = predictor_.predict(samples, rows, count, check, outputs);
            return outcome != Predictor<T>::Outcome::interrupted;
        });
        return outcome == Predictor<T>::Outcome::done ? O : nb::none();
    }

private:
    // An array's memory; of no type where it cannot be had in the way that is asked for.
    struct View {
        Py_buffer buffer;
        View(nb::handle array, int flags) {
            if (PyObject_GetBuffer(array.ptr(), &buffer, flags) != 0) {
                PyErr_Clear();
                buffer = {};
            }
        }
        View(const View&) = delete;
        ~View() { PyBuffer_Release(&buffer); }

        bool is_plain() const {  // rows of float or double, in this machine's byte order
            return buffer.ndim == 2 && buffer.format[1] == 0 && (buffer.format[0] == 'f' || buffer.format[0] == 'd') &&
                   reinterpret_cast<uintptr_t>(buffer.buf) % static_cast<uintptr_t>(buffer.itemsize) == 0;
        }
    };

    Predictor<T> predictor_;
    nb::object threads_, array_, empty_, dtype_;
};

template <class T>
void bind(nb::module_& module, const char* model_name, const char* trainer_name, const char* caller_name) {
    nb::class_<Caller<T>>(module, caller_name)
        .def(nb::init<const std::string&, const std::vector<LayerTuple>&, const Vector<const T>&, nb::object,
                      Precision>(),
             nb::arg("instruction_set"), nb::arg("layers"), nb::arg("parameters"), nb::arg("threads"),
             nb::arg("precision"), nb::keep_alive<1, 4>())
        .def("__call__", &Caller<T>::operator(), nb::arg("X").none(), nb::arg("threads").none());

    nb::class_<Model<T>>(module, model_name)
        .def(nb::new_(&make_model<T>), nb::arg("instruction_set"), nb::arg("layers"), nb::arg("loss"),
             nb::arg("loss_numbers"), nb::arg("simplifies"), nb::arg("purpose"), nb::arg("sparse"),
             nb::arg("precision"), nb::arg("errors_between"))
        .def(
            "pack", [](Model<T>& model, const Vector<const T>& parameters) { model.pack(parameters.data()); },
            nb::arg("parameters"))
        .def(
            "errors",
            [](Model<T>& model, const AnyTable& X, const std::optional<Table<const T>>& targets,
               const std::optional<Vector<const int64_t>>& labels, const Table<T>& e, int threads, const Starts& starts,
               const Columns& columns, bool masked) {
                const Samples<T> s = counted(as_sparse(samples<T>(X, targets, labels), starts, columns), masked);
                without_lock(multiply_adds(rows_of(X, starts), model.layout()), [&](Interrupt::Check check) {
                    return errors(model, s, rows_of(X, starts), threads, check, e.data());
                });
            },
            nb::arg("X"), nb::arg("targets").none(), nb::arg("labels").none(), nb::arg("e"), nb::arg("threads"),
            nb::arg("starts").none() = nb::none(), nb::arg("columns").none() = nb::none(), nb::arg("masked") = false)
        .def(
            "jacobian",
            [](Model<T>& model, const AnyTable& X, const Cube<T>& J, int threads) {
                without_lock(multiply_adds(rows_of(X), model.layout(), model.layout().outputs()),
                             [&](Interrupt::Check check) {
                                 return jacobian(model, samples<T>(X), rows_of(X), threads, check, J.data());
                             });
            },
            nb::arg("X"), nb::arg("J"), nb::arg("threads"))
        .def(
            "parameter_jacobian",
            [](Model<T>& model, const AnyTable& X, const Cube<T>& J, int threads) {
                without_lock(multiply_adds(rows_of(X), model.layout(), model.layout().outputs()),
                             [&](Interrupt::Check check) {
                                 return parameter_jacobian(model, samples<T>(X), rows_of(X), threads, check, J.data());
                             });
            },
            nb::arg("X"), nb::arg("J"), nb::arg("threads"))
        .def(
            "product",
            [](Model<T>& model, Product which, const AnyTable& X, const Table<const T>& vectors,
               const Vector<T>& products, int threads) {
                const int64_t stride = vectors.shape(0) == 1 ? 0 : static_cast<int64_t>(vectors.shape(1));
                const int64_t ways = which == Product::hessian_vector ? 2 + 2 * model.layout().outputs() : 2;
                without_lock(multiply_adds(rows_of(X), model.layout(), ways), [&](Interrupt::Check check) {
                    return product(model, which, samples<T>(X), rows_of(X), vectors.data(), stride, threads, check,
                                   products.data());
                });
            },
            nb::arg("which"), nb::arg("X"), nb::arg("vectors"), nb::arg("products"), nb::arg("threads"))
        .def(
            "inside",
            [](Model<T>& model, Inside what, const AnyTable& X, const std::optional<Table<const T>>& targets,
               const std::optional<Vector<const int64_t>>& labels, const Table<T>& numbers, int threads) {
                const Samples<T> s = samples(X, targets, labels);
                without_lock(multiply_adds(rows_of(X), model.layout(), 2), [&](Interrupt::Check check) {
                    return inside(model, what, s, rows_of(X), threads, check, numbers.data());
                });
            },
            nb::arg("what"), nb::arg("X"), nb::arg("targets").none(), nb::arg("labels").none(), nb::arg("numbers"),
            nb::arg("threads"))
        .def(
            "gradient",
            [](Model<T>& model, const AnyTable& X, const std::optional<Table<const T>>& targets,
               const std::optional<Vector<const int64_t>>& labels, const std::optional<Vector<const double>>& weights,
               double l2, const Vector<T>& g, int threads, const Starts& starts, const Columns& columns, bool masked,
               const std::optional<Vector<const T>>& shares, const OwnTuple<T>& own, const Slopes<T>& slopes,
               double slope_weight) {
                const Samples<T> s = with_slopes(
                    counted(as_sparse(samples<T>(X, targets, labels, weights), starts, columns), masked, shares),
                    slopes);
                const std::optional<OwnLoss<T>> own_or_none = own_loss(own);
                double E = 0;
                const int64_t ways = slopes ? 3 + 5 * model.layout().outputs() : 3;
                without_lock(multiply_adds(rows_of(X, starts), model.layout(), ways), [&](Interrupt::Check check) {
                    return gradient(model, s, rows_of(X, starts), l2, slope_weight, threads, check,
                                    pointer(own_or_none), E, g.data());
                });
                return E;
            },
            nb::arg("X"), nb::arg("targets").none(), nb::arg("labels").none(), nb::arg("weights").none(), nb::arg("l2"),
            nb::arg("g"), nb::arg("threads"), nb::arg("starts").none(), nb::arg("columns").none(),
            nb::arg("masked") = false, nb::arg("shares").none() = nb::none(), nb::arg("own").none() = nb::none(),
            nb::arg("slopes").none() = nb::none(), nb::arg("slope_weight") = 1.0)
        .def(
            "outputs",
            [](Model<T>& model, const AnyTable& X, const Vector<const int64_t>& starts,
               const Vector<const int32_t>& columns, const Table<T>& O, int threads) {
                const Samples<T> s = as_sparse(samples<T>(X), starts, columns);
                without_lock(multiply_adds(rows_of(X, starts), model.layout()), [&](Interrupt::Check check) {
                    return outputs(model, s, rows_of(X, starts), threads, check, O.data());
                });
            },
            nb::arg("X"), nb::arg("starts"), nb::arg("columns"), nb::arg("O"), nb::arg("threads"));

    nb::class_<Trainer<T>>(module, trainer_name)
        .def(
            "__init__",
            [](Trainer<T>* self, Model<T>& model, int optimizer, const std::optional<TreatmentTuple>& treatment) {
                new (self) Trainer<T>(model, optimizer, treatment_of(treatment));
            },
            nb::arg("model"), nb::arg("optimizer"), nb::arg("treatment").none(), nb::keep_alive<1, 2>())
        .def(
            "run",
            [](Trainer<T>& trainer, const Vector<T>& parameters, const AnyTable& X,
               const std::optional<Table<const T>>& targets, const std::optional<Vector<const int64_t>>& labels,
               const std::optional<Vector<const double>>& weights, const nb::dict& hyperparameters, int64_t epochs,
               int64_t batch_size, bool shuffle, uint64_t seed, double l2, int threads,
               const std::optional<Vector<const int64_t>>& order, const std::optional<Table<double>>& record,
               bool resume, bool leave, const std::optional<std::pair<double, double>>& guard,
               const std::optional<Vector<const double>>& rates, const Starts& starts, const Columns& columns,
               bool masked, const std::optional<Vector<const T>>& shares, const OwnTuple<T>& own,
               const Slopes<T>& slopes, double slope_weight) {
                const Samples<T> s = with_slopes(
                    counted(as_sparse(samples<T>(X, targets, labels, weights), starts, columns), masked, shares),
                    slopes);
                const std::vector<double> numbers = in_order(trainer.optimizer(), hyperparameters);
                Schedule schedule{epochs,
                                  batch_size,
                                  shuffle,
                                  seed,
                                  l2,
                                  order ? order->data() : nullptr,
                                  resume,
                                  leave,
                                  record ? record->data() : nullptr,
                                  {},
                                  rates ? rates->data() : nullptr,
                                  slope_weight};
                if (guard) schedule.guard = Guard{guard->first, guard->second};
                const std::optional<OwnLoss<T>> own_or_none = own_loss(own);
                std::vector<double> losses;
                const int64_t ways = slopes ? 3 + 5 * trainer.layout().outputs() : 3;
                without_lock(multiply_adds(rows_of(X, starts), trainer.layout(), ways * epochs),
                             [&](Interrupt::Check check) {
                                 return trainer.run(parameters.data(), s, rows_of(X, starts), numbers, schedule,
                                                    threads, check, pointer(own_or_none), losses);
                             });
                return losses;
            },
            nb::arg("parameters"), nb::arg("X"), nb::arg("targets").none(), nb::arg("labels").none(),
            nb::arg("weights").none(), nb::arg("hyperparameters"), nb::arg("epochs"), nb::arg("batch_size"),
            nb::arg("shuffle"), nb::arg("seed"), nb::arg("l2"), nb::arg("threads"), nb::arg("order").none(),
            nb::arg("record").none(), nb::arg("resume"), nb::arg("leave"), nb::arg("guard").none(),
            nb::arg("rates").none(), nb::arg("starts").none(), nb::arg("columns").none(), nb::arg("masked") = false,
            nb::arg("shares").none() = nb::none(), nb::arg("own").none() = nb::none(),
            nb::arg("slopes").none() = nb::none(), nb::arg("slope_weight") = 1.0)
        .def("failure",
             [](const Trainer<T>& trainer) -> std::optional<std::pair<int64_t, int>> {
                 const std::optional<Failure> failure = trainer.failure();
                 if (!failure) return std::nullopt;
                 return std::pair(failure->step, static_cast<int>(failure->part));
             })
        .def(
            "unpack", [](const Trainer<T>& trainer, const Vector<T>& parameters) { trainer.unpack(parameters.data()); },
            nb::arg("parameters"))
        .def("finite", &Trainer<T>::finite)
        .def(
            "state", [](const Trainer<T>& trainer, int s, const Vector<T>& flat) { trainer.state(s, flat.data()); },
            nb::arg("place"), nb::arg("vector"))
        .def(
            "set_state",
            [](Trainer<T>& trainer, int s, const Vector<const T>& flat) { trainer.set_state(s, flat.data()); },
            nb::arg("place"), nb::arg("vector"))
        .def("counts", [](const Trainer<T>& trainer) { return std::pair(trainer.steps(), trainer.epochs()); })
        .def("set_counts", &Trainer<T>::set_counts, nb::arg("steps"), nb::arg("epochs"));
}

std::vector<std::string> list(const char* const* entries, int count) { return {entries, entries + count}; }

std::atomic<int> thread_limit{0};

}  // namespace

// The limit that threadpoolctl sets, through the library rather than through Python: one for the process, 0 for none.
// reseau/engine/machine.py honours it.
extern "C" {
[[gnu::visibility("default")]] int reseau_get_num_threads() { return thread_limit.load(std::memory_order_relaxed); }
[[gnu::visibility("default")]] void reseau_set_num_threads(int threads) {
    thread_limit.store(threads > 0 ? threads : 0, std::memory_order_relaxed);
}
}

NB_MODULE(_native, module) {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(SpareTeam::before_fork, nullptr, [] {
        SpareTeam::in_child();
        Crew::forget_others();
    });
#endif
    nb::set_leak_warnings(false);  // a daemon thread may still be at work in here when the interpreter ends
    module.doc() = "The native engine's kernels; use reseau.engine.native, which checks and prepares the arguments.";
    module.def("kinds", [] { return list(names().kinds, names().kind_count); });
    module.def("activations", [] { return list(names().activations, names().activation_count); });
    module.def("losses", [] { return list(names().losses, names().loss_count); });
    module.def("simplifies_with", [] { return list(names().simplifies_with, names().loss_count); });
    module.def("optimizers", [] { return list(names().optimizers, names().optimizer_count); });
    module.def("optimizer_states",
               [] { return std::vector<int>(names().states, names().states + names().optimizer_count); });
    module.def("hyperparameters", [] {
        std::vector<std::vector<std::string>> all;
        for (int i = 0; i < names().optimizer_count; ++i)
            all.push_back(list(names().hyperparameters[i], names().hyperparameter_counts[i]));
        return all;
    });
    module.def("instruction_sets", [] {
        std::vector<std::string> all;
        for (const InstructionSet* set : instruction_sets()) all.emplace_back(set->name);
        return all;
    });
    module.def("machine", [] { return std::pair(machine().second_cache, machine().asks_ahead); });
    module.def(
        "fit_to", [](int64_t second_cache, bool asks_ahead) { fit_to({second_cache, asks_ahead}); },
        nb::arg("second_cache"), nb::arg("asks_ahead"));
    module.def("thread_limit", &reseau_get_num_threads);
    nb::enum_<Purpose>(module, "Purpose")
        .value("forward", Purpose::forward)
        .value("errors", Purpose::errors)
        .value("backward", Purpose::backward)
        .value("inputs", Purpose::inputs)
        .value("directions", Purpose::directions);
    nb::enum_<Product>(module, "Product")
        .value("jvp", Product::jvp)
        .value("vjp", Product::vjp)
        .value("hessian_vector", Product::hessian_vector);
    nb::enum_<Inside>(module, "Inside")
        .value("values", Inside::values)
        .value("scores", Inside::scores)
        .value("gradients", Inside::gradients)
        .value("gradients_of_own", Inside::gradients_of_own);
    nb::class_<Stop>(module, "Stop")
        .def(nb::init<>())
        .def("set", &Stop::set)
        .def("is_set", &Stop::is_set)
        .def("__enter__",
             [](nb::handle_t<Stop> stop) {
                 nb::cast<const Stop&>(stop).watch();
                 return nb::borrow(stop);
             })
        .def("__exit__", [](const Stop&, const nb::args&) { Stop::unwatch(); });
    nb::enum_<Precision>(module, "Precision")
        .value("full", Precision::full)
        .value("bf16", Precision::bf16)
        .value("bf16x3", Precision::bf16x3)
        .value("bf16x6", Precision::bf16x6);
    bind<float>(module, "ModelFloat32", "TrainerFloat32", "CallerFloat32");
    bind<double>(module, "ModelFloat64", "TrainerFloat64", "CallerFloat64");
}
