// Memory for the engine: allocated before the work, freed after it.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "network.h"

namespace reseau {

// Memory for `size` elements, on a cache line's boundary. Parameters start as zeros; a workspace is written before it
// is read, and clearing that of a very large batch would take longer than an interruption may wait.
//
// Large memory comes straight from the system, which gives it as zeros, in huge pages where it has them for those who
// ask: a page of 2 MB is one address translation instead of 512.
enum class Content { zeros, anything };
template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(int64_t size, Content content = Content::zeros) {
        const size_t bytes = static_cast<size_t>(round_up((size > 0 ? size : 1) * static_cast<int64_t>(sizeof(T)), 64));
#if defined(__linux__)
        if (bytes >= huge_page) {
            // Whole pages, and room to begin on a boundary; what is never touched costs nothing.
            const size_t pages = (bytes + huge_page - 1) / huge_page * huge_page, mapped = pages + huge_page;
            void* const memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (memory == MAP_FAILED) throw std::bad_alloc();
            const size_t before = (huge_page - reinterpret_cast<uintptr_t>(memory) % huge_page) % huge_page;
            memory_ = {reinterpret_cast<T*>(static_cast<char*>(memory) + before), Free{memory, mapped}};
            madvise(memory_.get(), pages, MADV_HUGEPAGE);
            return;
        }
#endif
        void* const memory = std::aligned_alloc(64, bytes);
        if (memory == nullptr) throw std::bad_alloc();
        memory_ = {static_cast<T*>(memory), Free{memory, 0}};
        if (content == Content::zeros) std::memset(memory, 0, bytes);
    }

    T* data() const { return memory_.get(); }

private:
    static constexpr size_t huge_page = size_t(1) << 21;
    struct Free {
        void* memory;
        size_t mapped;  // bytes, or 0 if it was allocated
        void operator()(T*) const {
#if defined(__linux__)
            if (mapped != 0) {
                munmap(memory, mapped);
                return;
            }
#endif
            std::free(memory);
        }
    };
    std::unique_ptr<T, Free> memory_{nullptr, Free{nullptr, 0}};
};

}  // namespace reseau
