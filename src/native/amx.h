// The matrix instructions of the processor: eight registers, each a tile of up to 16 rows of 64 bytes, and the product
// of two of them. Beside simd.h the only file with instructions of a processor; it says nothing without them.
#pragma once

#include "simd.h"

#if defined(__AMX_BF16__)

namespace reseau::RESEAU_ISA {

// Which register holds what, for a block of C of 2 × 2 tiles: of C (0 to 3), two of A, two of B.
inline constexpr int tile_of_C = 0, tile_of_A = 4, tile_of_B = 6;
inline constexpr int64_t tile_height = 16;
inline constexpr int64_t tile_pairs = tile_height * 16;  // pairs of bfloat16, or numbers of C, in a full tile

// What LDTILECFG reads, for tiles of A and C of so many rows; those of B are full, and all have 64 bytes in a row.
struct alignas(64) TileShapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};
static_assert(sizeof(TileShapes) == 64);
inline constexpr struct AllTileShapes {
    TileShapes of[tile_height + 1];  // from 1 row on
    constexpr AllTileShapes() : of{} {
        for (int64_t height = 1; height <= tile_height; ++height) {
            of[height].palette = 1;
            for (int t = 0; t < 8; ++t) {
                of[height].row_bytes[t] = 64;
                of[height].rows[t] = static_cast<uint8_t>(t < tile_of_B ? height : tile_height);
            }
        }
    }
} tile_shapes;

// Tiles of A and C have so many rows from here on, and hold nothing.
static RESEAU_INLINE void shape_tiles(int64_t height) { asm volatile("ldtilecfg %0" : : "m"(tile_shapes.of[height])); }
static RESEAU_INLINE void release_tiles() { asm volatile("tilerelease" : : :); }

template <int tile>
static RESEAU_INLINE void tile_zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(tile));
}
// Rows are `stride` bytes apart. The compiler is told that any memory may be read, or written.
template <int tile>
static RESEAU_INLINE void tile_load(const void* p, int64_t stride) {
    asm volatile("tileloadd (%1,%2,1), %%tmm%c0" : : "i"(tile), "r"(p), "r"(stride) : "memory");
}
template <int tile>
static RESEAU_INLINE void tile_store(void* p, int64_t stride) {
    asm volatile("tilestored %%tmm%c0, (%1,%2,1)" : : "i"(tile), "r"(p), "r"(stride) : "memory");
}
// C += A B, for pairs of bfloat16; see tiles.h for the order of the sums.
template <int C, int A, int B>
static RESEAU_INLINE void tile_multiply() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
}

}  // namespace reseau::RESEAU_ISA

#endif
