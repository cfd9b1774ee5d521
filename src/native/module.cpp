// The native engine's face to Python. Arguments have been checked there (reseau/native.py); nothing is checked again here.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#include <optional>
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

// Whether a signal handler (that of Ctrl-C, say) raised.
bool signal_raised() {
    const nb::gil_scoped_acquire lock;
    return PyErr_CheckSignals() != 0;
}

// Python runs signal handlers in its main thread alone. Asking in others would be in vain, and would end the process where
// they are still at work when the interpreter has finished: its lock is then no longer to be had.
bool in_main_thread() {
    const nb::module_ threading = nb::module_::import_("threading");
    return threading.attr("current_thread")().is(threading.attr("main_thread")());
}

// Runs work(check), which may be interrupted, without Python's lock; raises what a signal handler raised.
template <class Work>
void without_lock(Work work) {
    const Interrupt::Check check = in_main_thread() ? signal_raised : nullptr;
    bool completed;
    {
        const nb::gil_scoped_release unlock;
        completed = work(check);
    }
    if (!completed) throw nb::python_error();
}

template <class T>
Samples<T> samples(const AnyTable& X) {
    Samples<T> s{};
    s.X = X.data();
    s.X_is_double = X.itemsize() == sizeof(double);
    s.X_stride = static_cast<int64_t>(X.shape(1));
    return s;
}

// Targets are either rows of T or class labels; weights may be missing.
template <class T>
Samples<T> samples(const AnyTable& X, const std::optional<Table<const T>>& targets, const std::optional<Vector<const int64_t>>& labels,
                   const std::optional<Vector<const double>>& weights = {}) {
    Samples<T> s = samples<T>(X);
    if (targets) s.targets = targets->data();
    if (labels) s.labels = labels->data();
    if (weights) s.weights = weights->data();
    return s;
}

int64_t rows_of(const AnyTable& X) { return static_cast<int64_t>(X.shape(0)); }

// A layer: (n_in, n_out, activation, offset of W, offset of b or -1).
using LayerTuple = std::tuple<int64_t, int64_t, int, int64_t, int64_t>;

template <class T>
std::unique_ptr<Model<T>> make_model(const std::string& instruction_set, const std::vector<LayerTuple>& layers, int loss, bool simplifies,
                                     bool for_inputs) {
    std::vector<LayerDescription> descriptions;
    for (const auto& [n_in, n_out, activation, W, b] : layers) descriptions.push_back({n_in, n_out, activation, W, b});
    return std::make_unique<Model<T>>(*find_instruction_set(instruction_set), descriptions, loss, simplifies, for_inputs);
}

template <class T>
void bind(nb::module_& module, const char* model_name, const char* trainer_name) {
    nb::class_<Model<T>>(module, model_name)
        .def(nb::new_(&make_model<T>), nb::arg("instruction_set"), nb::arg("layers"), nb::arg("loss"), nb::arg("simplifies"),
             nb::arg("for_inputs"))
        .def(
            "pack", [](Model<T>& model, const Vector<const T>& parameters) { model.pack(parameters.data()); }, nb::arg("parameters"))
        .def(
            "predict",
            [](Model<T>& model, const AnyTable& X, const Table<T>& O, int threads) {
                without_lock([&](Interrupt::Check check) { return predict(model, samples<T>(X), rows_of(X), threads, check, O.data()); });
            },
            nb::arg("X"), nb::arg("O"), nb::arg("threads"))
        .def(
            "errors",
            [](Model<T>& model, const AnyTable& X, const std::optional<Table<const T>>& targets,
               const std::optional<Vector<const int64_t>>& labels, const Table<T>& e, int threads) {
                const Samples<T> s = samples<T>(X, targets, labels);
                without_lock([&](Interrupt::Check check) { return errors(model, s, rows_of(X), threads, check, e.data()); });
            },
            nb::arg("X"), nb::arg("targets").none(), nb::arg("labels").none(), nb::arg("e"), nb::arg("threads"))
        .def(
            "jacobian",
            [](Model<T>& model, const AnyTable& X, const Cube<T>& J, int threads) {
                without_lock([&](Interrupt::Check check) { return jacobian(model, samples<T>(X), rows_of(X), threads, check, J.data()); });
            },
            nb::arg("X"), nb::arg("J"), nb::arg("threads"))
        .def(
            "gradient",
            [](Model<T>& model, const AnyTable& X, const std::optional<Table<const T>>& targets,
               const std::optional<Vector<const int64_t>>& labels, const std::optional<Vector<const double>>& weights, double l2,
               const Vector<T>& g, int threads) {
                const Samples<T> s = samples<T>(X, targets, labels, weights);
                double E = 0;
                without_lock([&](Interrupt::Check check) { return gradient(model, s, rows_of(X), l2, threads, check, E, g.data()); });
                return E;
            },
            nb::arg("X"), nb::arg("targets").none(), nb::arg("labels").none(), nb::arg("weights").none(), nb::arg("l2"), nb::arg("g"),
            nb::arg("threads"));

    nb::class_<Trainer<T>>(module, trainer_name)
        .def(nb::init<Model<T>&, int, int>(), nb::arg("model"), nb::arg("optimizer"), nb::arg("states"), nb::keep_alive<1, 2>())
        .def(
            "run",
            [](Trainer<T>& trainer, const Vector<T>& parameters, const AnyTable& X, const std::optional<Table<const T>>& targets,
               const std::optional<Vector<const int64_t>>& labels, const std::optional<Vector<const double>>& weights,
               const std::vector<double>& hyperparameters, int64_t epochs, int64_t batch_size, bool shuffle, uint64_t seed, double l2,
               int threads) {
                const Samples<T> s = samples<T>(X, targets, labels, weights);
                const Schedule schedule{epochs, batch_size, shuffle, seed, l2};
                std::vector<double> losses;
                without_lock([&](Interrupt::Check check) {
                    return trainer.run(parameters.data(), s, rows_of(X), hyperparameters, schedule, threads, check, losses);
                });
                return losses;
            },
            nb::arg("parameters"), nb::arg("X"), nb::arg("targets").none(), nb::arg("labels").none(), nb::arg("weights").none(),
            nb::arg("hyperparameters"), nb::arg("epochs"), nb::arg("batch_size"), nb::arg("shuffle"), nb::arg("seed"), nb::arg("l2"),
            nb::arg("threads"));
}

std::vector<std::string> list(const char* const* entries, int count) { return {entries, entries + count}; }

}  // namespace

NB_MODULE(_native, module) {
    nb::set_leak_warnings(false);  // a daemon thread may still be at work in here when the interpreter ends
    module.doc() = "The native engine's kernels; use reseau.native, which checks and prepares the arguments.";
    module.def("activations", [] { return list(names().activations, names().activation_count); });
    module.def("losses", [] { return list(names().losses, names().loss_count); });
    module.def("simplifies_with", [] { return list(names().simplifies_with, names().loss_count); });
    module.def("optimizers", [] { return list(names().optimizers, names().optimizer_count); });
    module.def("optimizer_states", [] { return std::vector<int>(names().states, names().states + names().optimizer_count); });
    module.def("instruction_sets", [] {
        std::vector<std::string> all;
        for (const InstructionSet* set : instruction_sets()) all.emplace_back(set->name);
        return all;
    });
    bind<float>(module, "ModelFloat32", "TrainerFloat32");
    bind<double>(module, "ModelFloat64", "TrainerFloat64");
}
