#include "dispatch.h"

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
            if (__builtin_cpu_supports("avx512bf16")) found.push_back(&isa_avx512_bf16::instruction_set);
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
