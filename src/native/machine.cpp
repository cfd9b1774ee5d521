#include "machine.h"

#include <cstddef>
#include <fstream>

#if defined(__linux__)
#include <unistd.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace reseau {

namespace {

int64_t second_cache() {
    int64_t bytes = 0;
#if defined(__linux__)
#if defined(_SC_LEVEL2_CACHE_SIZE)
    bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    if (bytes <= 0) {  // other libraries than GNU's, and processors that it does not ask: "1024K"
        std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index2/size");
        char unit = 0;
        if (file >> bytes >> unit) bytes *= unit == 'M' ? 1 << 20 : 1 << 10;
    }
#elif defined(__APPLE__)
    size_t size = sizeof(bytes);
    if (sysctlbyname("hw.perflevel0.l2cachesize", &bytes, &size, nullptr, 0) != 0) bytes = 0;
    if (bytes > 0) bytes /= 4;  // shared by the cores of a cluster, of which there are 4 to 6
#endif
    constexpr int64_t least = 1 << 18, most = 1 << 22, usual = 1 << 20;
    return bytes <= 0 ? usual : bytes < least ? least : bytes > most ? most : bytes;
}

// Measured: Intel's processors since 2021 do not fetch across a page by themselves, and their third cache answers
// late, so that asking brought up to two thirds; on Zen 4 it took up to 7 % more time.
bool asks_ahead() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_is("intel");
#else
    return false;
#endif
}

Machine& current() {
    static Machine found{second_cache(), asks_ahead()};
    return found;
}

}  // namespace

const Machine& machine() { return current(); }
void fit_to(Machine other) { current() = other; }

}  // namespace reseau
