// The matrix instructions on processors that have none: each one stops the program with SIGILL, and is then done here.
//
// Of a thread there are eight tiles and their shapes. Instructions are decoded as the manual encodes them (Intel 64 and
// IA-32 Architectures Software Developer's Manual, volume 2, chapter 2.3 on the prefix VEX, and each instruction's own
// page); what is no instruction of these, or does what the manual forbids, ends the program.
#include <immintrin.h>
#include <signal.h>
#include <ucontext.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct Tile {
    int rows = 0, row_bytes = 0;
    uint8_t data[16][64] = {};
};
struct Tiles {
    bool configured = false;
    Tile tile[8];
};
thread_local Tiles tiles;
unsigned long done = 0;

[[noreturn]] void refuse(const char* why) {
    std::fprintf(stderr, "emulator: %s\n", why);
    std::_Exit(99);
}

// The register that an instruction numbers so.
uint64_t value_of(const ucontext_t* context, int number) {
    static constexpr int places[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                       REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    return static_cast<uint64_t>(context->uc_mcontext.gregs[places[number]]);
}

struct Operand {
    uint64_t address = 0;  // without the index of a tile's rows
    uint64_t stride = 0;   // that index, scaled
    bool has_index = false;
    int length = 0;  // of SIB and displacement, in bytes
};

// `at` is what follows ModRM.
Operand memory_operand(const ucontext_t* context, const uint8_t* at, int mod, int rm, bool X, bool B) {
    Operand operand;
    int base = rm + (B ? 8 : 0);
    bool none = false;
    const uint8_t* const begin = at;
    if (rm == 4) {
        const uint8_t sib = *at++;
        const int index = (sib >> 3 & 7) + (X ? 8 : 0);
        if (index != 4) {
            operand.has_index = true;
            operand.stride = value_of(context, index) << (sib >> 6);
        }
        base = (sib & 7) + (B ? 8 : 0);
        none = (sib & 7) == 5 && mod == 0;
    }
    int32_t displacement = 0;
    const bool relative = rm == 5 && mod == 0;  // to the next instruction
    if (mod == 1) {
        displacement = static_cast<int8_t>(*at++);
    } else if (mod == 2 || none || relative) {
        std::memcpy(&displacement, at, 4);
        at += 4;
    }
    operand.length = static_cast<int>(at - begin);
    const uint64_t from = relative ? reinterpret_cast<uint64_t>(at) : none ? 0 : value_of(context, base);
    operand.address = from + static_cast<uint64_t>(static_cast<int64_t>(displacement));
    return operand;
}

void configure(const uint8_t* shapes) {
    if (shapes[0] != 1 || shapes[1] != 0) refuse("LDTILECFG: not palette 1 from row 0");
    for (int i = 2; i < 16; ++i) {
        if (shapes[i] != 0) refuse("LDTILECFG: a reserved byte is not 0");
    }
    tiles = Tiles{};
    tiles.configured = true;
    for (int t = 0; t < 16; ++t) {
        uint16_t row_bytes;
        std::memcpy(&row_bytes, shapes + 16 + 2 * t, 2);
        const int rows = shapes[48 + t];
        if (t >= 8 && (row_bytes != 0 || rows != 0)) refuse("LDTILECFG: there are eight tiles");
        if (row_bytes > 64 || rows > 16 || (row_bytes == 0) != (rows == 0)) refuse("LDTILECFG: no such shape");
        if (t < 8) tiles.tile[t].rows = rows, tiles.tile[t].row_bytes = row_bytes;
    }
}

Tile& tile_of(int number) {
    if (!tiles.configured) refuse("a tile is used before LDTILECFG");
    if (number > 7 || tiles.tile[number].rows == 0) refuse("there is no such tile");
    return tiles.tile[number];
}

float number_of(const uint8_t* bfloat16) {
    uint16_t upper;
    std::memcpy(&upper, bfloat16, 2);
    const uint32_t bits = static_cast<uint32_t>(upper) << 16;
    float x;
    std::memcpy(&x, &bits, 4);
    return x;
}

// C += A B: the manual's operation, step by step. Here subnormal numbers are flushed by the processor's own mode.
void multiply(Tile& C, const Tile& A, const Tile& B) {
    if (A.row_bytes % 4 != 0 || C.row_bytes % 4 != 0 || A.rows != C.rows || B.row_bytes != C.row_bytes ||
        A.row_bytes / 4 != B.rows)
        refuse("TDPBF16PS: the shapes do not fit");
    const unsigned mode = _mm_getcsr();
    _mm_setcsr(0x1F80 | 0x8040);  // rounding to nearest even, no traps, FTZ and DAZ
    for (int m = 0; m < C.rows; ++m) {
        float sums[16][2] = {};
        for (int k = 0; k < A.row_bytes / 4; ++k) {
            for (int n = 0; n < C.row_bytes / 4; ++n) {
                for (int i = 0; i < 2; ++i) {
                    const __m128 a = _mm_set_ss(number_of(A.data[m] + 4 * k + 2 * i));
                    const __m128 b = _mm_set_ss(number_of(B.data[k] + 4 * n + 2 * i));
                    sums[n][i] = _mm_cvtss_f32(_mm_fmadd_ss(a, b, _mm_set_ss(sums[n][i])));
                }
            }
        }
        for (int n = 0; n < C.row_bytes / 4; ++n) {
            float c;
            std::memcpy(&c, C.data[m] + 4 * n, 4);
            const __m128 sum = _mm_add_ss(_mm_set_ss(sums[n][0]), _mm_set_ss(sums[n][1]));
            c = _mm_cvtss_f32(_mm_add_ss(_mm_set_ss(c), sum));
            std::memcpy(C.data[m] + 4 * n, &c, 4);
        }
    }
    _mm_setcsr(mode);
}

void on_illegal_instruction(int, siginfo_t*, void* given) {
    auto* const context = static_cast<ucontext_t*>(given);
    const auto* const code = reinterpret_cast<const uint8_t*>(context->uc_mcontext.gregs[REG_RIP]);
    if (code[0] != 0xC4 || (code[1] & 31) != 2) refuse("an illegal instruction that is not of the map 0F38");
    const bool R = (code[1] & 0x80) == 0, X = (code[1] & 0x40) == 0, B = (code[1] & 0x20) == 0;
    const bool W = (code[2] & 0x80) != 0, L = (code[2] & 4) != 0;
    const int vvvv = ~code[2] >> 3 & 15, prefix = code[2] & 3;  // none, 66, F3, F2
    if (W || L) refuse("a matrix instruction has W0 and L0");
    const int opcode = code[3], mod = code[4] >> 6, reg = (code[4] >> 3 & 7) + (R ? 8 : 0);
    const int rm = code[4] & 7;
    if (opcode != 0x5C && vvvv != 0) refuse("vvvv belongs to TDPBF16PS alone");
    Operand operand;
    if (mod != 3) operand = memory_operand(context, code + 5, mod, rm, X, B);
    auto* const memory = reinterpret_cast<uint8_t*>(operand.address);

    if (opcode == 0x49 && prefix == 0 && mod != 3 && reg == 0) {  // LDTILECFG
        configure(memory + operand.stride);
    } else if (opcode == 0x49 && prefix == 0 && code[4] == 0xC0) {  // TILERELEASE
        tiles = Tiles{};
    } else if (opcode == 0x49 && prefix == 3 && mod == 3 && rm == 0) {  // TILEZERO
        std::memset(tile_of(reg).data, 0, sizeof(Tile::data));
    } else if (opcode == 0x4B && prefix != 0 && mod != 3) {  // TILELOADD, TILELOADDT1 and TILESTORED
        if (rm != 4) refuse("a tile's rows have a stride");
        Tile& tile = tile_of(reg);
        if (prefix != 2) std::memset(tile.data, 0, sizeof(tile.data));
        for (int r = 0; r < tile.rows; ++r) {
            uint8_t* const row = memory + static_cast<uint64_t>(r) * operand.stride;
            if (prefix == 2) {
                std::memcpy(row, tile.data[r], static_cast<size_t>(tile.row_bytes));
            } else {
                std::memcpy(tile.data[r], row, static_cast<size_t>(tile.row_bytes));
            }
        }
    } else if (opcode == 0x5C && prefix == 2 && mod == 3) {  // TDPBF16PS
        const int a = rm + (B ? 8 : 0);
        if (reg == a || reg == vvvv || a == vvvv) refuse("TDPBF16PS: a tile is used twice");
        multiply(tile_of(reg), tile_of(a), tile_of(vvvv));
    } else {
        refuse("an illegal instruction that is none of the matrix instructions");
    }
    __atomic_fetch_add(&done, 1, __ATOMIC_RELAXED);
    context->uc_mcontext.gregs[REG_RIP] += 5 + operand.length;
}

}  // namespace

void emulate_matrix_instructions() {
    struct sigaction action{};
    action.sa_sigaction = on_illegal_instruction;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGILL, &action, nullptr);
}

unsigned long emulated_instructions() { return __atomic_load_n(&done, __ATOMIC_RELAXED); }

bool this_thread_has_tiles() { return tiles.configured; }
