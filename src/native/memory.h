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

// Memory for `size` elements, on a cache line's boundary. Parameters start as zeros; a workspace is written before it is
// read, and clearing that of a very large batch would take longer than an interruption may wait.
enum class Content { zeros, anything };
template <class T>
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(int64_t size, Content content = Content::zeros) {
        const int64_t wanted = (size > 0 ? size : 1) * static_cast<int64_t>(sizeof(T));
        const int64_t alignment = wanted >= huge_page ? huge_page : 64;
        const size_t bytes = static_cast<size_t>(round_up(wanted, alignment));
        void* memory = std::aligned_alloc(static_cast<size_t>(alignment), bytes);
        if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__)
        // Where the system gives huge pages to those who ask: a page of 2 MB is one translation instead of 512.
        if (alignment == huge_page) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
        if (content == Content::zeros) std::memset(memory, 0, bytes);
        memory_.reset(static_cast<T*>(memory));
    }

    T* data() const { return memory_.get(); }

private:
    static constexpr int64_t huge_page = 1 << 21;
    struct Free {
        void operator()(T* p) const { std::free(p); }
    };
    std::unique_ptr<T, Free> memory_;
};

}  // namespace reseau
