#include "dispatch.h"

#ifdef RESEAU_WITH_AMX_KERNELS
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace reseau {

namespace isa_portable {
extern const InstructionSet instruction_set;
extern const Names names;
}  // namespace isa_portable

#ifdef RESEAU_WITH_X86_KERNELS
namespace isa_avx2 {
extern const InstructionSet instruction_set;
}
namespace isa_avx512 {
extern const InstructionSet instruction_set;
}
namespace isa_avx512_bf16 {
extern const InstructionSet instruction_set;
}
#endif

#ifdef RESEAU_WITH_AMX_KERNELS
namespace isa_avx512_amx {
extern const InstructionSet instruction_set;
}

namespace {

// Whether this process may use the processor's tiles. They are 8 KB that Linux has to save with a thread, so it wants
// to be asked; it refuses where it, or the virtual machine, knows no tiles, or some thread's stack for signals is too
// small.
bool tiles_are_permitted() {
    constexpr unsigned tiles_of_bfloat16 = 1u << 22 | 1u << 24;  // AMX-BF16 and AMX-TILE
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & tiles_of_bfloat16) != tiles_of_bfloat16) return false;
    constexpr long request_permission = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

}  // namespace
#endif

const Names& names() { return isa_portable::names; }

const std::vector<const InstructionSet*>& instruction_sets() {
    static const std::vector<const InstructionSet*> all = [] {
        std::vector<const InstructionSet*> found{&isa_portable::instruction_set};
#ifdef RESEAU_WITH_X86_KERNELS
        __builtin_cpu_init();
        const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        if (avx2) found.push_back(&isa_avx2::instruction_set);
        if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
            found.push_back(&isa_avx512::instruction_set);
            if (__builtin_cpu_supports("avx512bf16")) {
                found.push_back(&isa_avx512_bf16::instruction_set);
#ifdef RESEAU_WITH_AMX_KERNELS
                if (tiles_are_permitted()) found.push_back(&isa_avx512_amx::instruction_set);
#endif
            }
        }
#endif
        return found;
    }();
    return all;
}

const InstructionSet* find_instruction_set(const std::string& name) {
    if (name.empty()) return instruction_sets().back();
    for (const InstructionSet* set : instruction_sets()) {
        if (name == set->name) return set;
    }
    return nullptr;
}

}  // namespace reseau
