// Runs the kernels for matrix instructions without Python, for test_tiles.py: reads numbers from standard input, writes
// numbers to standard output.
//
//   driver WHAT PRECISION THREADS ROWS BATCH EPOCHS ACTIVATION BIAS WIDTH WIDTH ...
//
// WHAT is train (Adam, squared error, order of rows as they come), gradient or predict. Input: the parameters, X, and
// but for predict T, in float32. Output: the parameters, or the gradient, or O. To standard error goes how many
// instructions were emulated; 0 is what a processor that has them all says.
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "dispatch.h"
#include "train.h"

void emulate_matrix_instructions();
unsigned long emulated_instructions();
bool this_thread_has_tiles();

namespace reseau {

namespace isa_avx512_amx {
extern const InstructionSet instruction_set;
extern const Names names;
}  // namespace isa_avx512_amx

const Names& names() { return isa_avx512_amx::names; }

}  // namespace reseau

using namespace reseau;

namespace {

std::vector<float> read(int64_t count) {
    std::vector<float> numbers(static_cast<size_t>(count));
    if (std::fread(numbers.data(), sizeof(float), numbers.size(), stdin) != numbers.size()) std::exit(98);
    return numbers;
}

}  // namespace

int main(int count, char** words) {
    fit_to({int64_t(1) << 18, true});  // as if weights were often out of reach of the second cache, and asked for
    emulate_matrix_instructions();
    syscall(SYS_arch_prctl, 0x1023, 18);  // where there are tiles, to be allowed to use them

    const std::string what = words[1];
    const auto precision = static_cast<Precision>(std::atoi(words[2]));
    const int threads = std::atoi(words[3]);
    const int64_t rows = std::atoll(words[4]), batch = std::atoll(words[5]), epochs = std::atoll(words[6]);
    const int activation = std::atoi(words[7]);
    const bool bias = std::atoi(words[8]) != 0;
    std::vector<int64_t> widths;
    for (int i = 9; i < count; ++i) widths.push_back(std::atoll(words[i]));

    std::vector<LayerDescription> layers;
    int64_t parameters = 0;
    for (size_t l = 1; l < widths.size(); ++l) {
        const int64_t W = parameters, b = W + widths[l - 1] * widths[l];
        parameters = b + (bias ? widths[l] : 0);
        const int sigma = l + 1 == widths.size() ? 0 : activation;
        layers.push_back({"dense", widths[l - 1], widths[l], sigma, W, bias ? b : -1, 0.0, 0.0, -1});
    }
    int adam = 0;
    while (std::strcmp(names().optimizers[adam], "adam") != 0) ++adam;

    std::vector<float> w = read(parameters), X = read(rows * widths.front()), T, result;
    if (what != "predict") T = read(rows * widths.back());
    Samples<float> samples{};
    samples.X = X.data();
    samples.X_stride = widths.front();
    samples.targets = T.data();

    const InstructionSet& set = isa_avx512_amx::instruction_set;
    LossDescription loss;
    loss.simplifies = true;
    if (what == "predict") {
        result.resize(static_cast<size_t>(rows * widths.back()));
        Predictor<float> predictor(set, layers, w.data(), precision);
        predictor.predict(samples, rows, threads, nullptr, result.data());
    } else {
        Model<float> model(set, layers, loss, Purpose::backward, Inputs::dense, precision);
        if (what == "gradient") {
            model.pack(w.data());
            result.resize(w.size());
            double E = 0;
            gradient<float>(model, samples, rows, 0.0, 1.0, threads, nullptr, nullptr, E, result.data());
        } else {
            Trainer<float> trainer(model, adam, std::nullopt);
            const double hyperparameters[] = {0.01, 0.9, 0.999, 1e-8, 0};  // the last: whether ε is that of ε-hat
            std::vector<double> losses;
            Schedule schedule{};
            schedule.epochs = epochs;
            schedule.batch_size = batch;
            trainer.run(w.data(), samples, rows, hyperparameters, schedule, threads, nullptr, nullptr, losses);
            result = w;
        }
    }
    if (this_thread_has_tiles()) return 97;  // they are released after each call
    std::fwrite(result.data(), sizeof(float), result.size(), stdout);
    std::fprintf(stderr, "%lu\n", emulated_instructions());
    return 0;
}
