// Which build of the kernels this process uses.
#pragma once

#include <string>
#include <vector>

#include "network.h"

namespace reseau {

// The names of the tables.
const Names& names();

// The instruction sets that were built and that this processor has, the best last.
const std::vector<const InstructionSet*>& instruction_sets();

// The one of that name, or the best for an empty name; null if there is none of the name.
const InstructionSet* find_instruction_set(const std::string& name);

}  // namespace reseau
