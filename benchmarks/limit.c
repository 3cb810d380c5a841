/* The limit: Sokoban on 10x10 boards and Gymnasium's Taxi, played as fast as plain C can, to compare with.

   It plays textworlds' own boards, one byte a cell, and draws the same levels from the same seeds, so that a test can
   compare the two byte by byte: boards, rewards, ends. It knows one size, any number of boxes up to 255, one action a
   turn, one thread; it keeps no ledger and gives no last observation of an episode that ended. */

#include <stdint.h>
#include <string.h>
#ifdef __SSSE3__
#include <immintrin.h>
#endif

enum { WIDTH = 10, CELLS = 100, LINE = 11, LENGTH = 110 };  /* of a board, and of its text: a newline after each row */
enum { GOAL = 32, ITEM = 64, AGENT = 128 };                 /* textworlds/grid.py; bits 0 to 3: closed directions */
enum { TAXI_ACTIONS = 6, TAXI_CELLS = 50 };                 /* two planes of 5x5 */

static const int OFFSETS[4] = {-WIDTH, WIDTH, -1, 1};

typedef struct {
    uint8_t agent, left;  /* its cell; boxes that stand on no goal */
    uint16_t turns;
} World;

typedef struct {
    int64_t num_worlds, num_levels, turn_limit;
    uint64_t *seeds;  /* of each world: what its levels are drawn by, */
    int32_t *episodes;  /* and how many were drawn before */
    double *rewards;
    uint8_t *terminated, *truncated;
    World *worlds;
    const World *starts;  /* of each level */
    uint8_t *boards;
    const uint8_t *levels;
    uint8_t *seen;  /* a copy of the boards */
    uint8_t *texts;  /* 16 bytes longer than the texts, as boards are */
    const uint8_t *glyphs;  /* uint8[256]: by a cell's byte */
    const uint8_t *few_glyphs;  /* uint8[16]: by its upper four bits */
} Sokoban;

typedef struct {
    int64_t num_worlds, num_levels, turn_limit;
    uint64_t *seeds;
    int32_t *episodes;
    double *rewards;
    uint8_t *terminated, *truncated;
    int64_t *states;
    uint16_t *turns;
    const int16_t *starts;  /* the state of each level */
    const int16_t *next;  /* [500][6] */
    const int8_t *pay;  /* [500][6] */
    const uint8_t *ends;  /* [500][6] */
    const uint8_t *pictures;  /* [500][TAXI_CELLS] */
    uint8_t *seen;
} Taxi;

/* SplitMix64, as in textworlds/random.py. */
static uint64_t advance(uint64_t *rng) {
    uint64_t value = *rng += 0x9E3779B97F4A7C15u;
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
    value = (value ^ value >> 27) * 0x94D049BB133111EBu;
    return value ^ value >> 31;
}

static int64_t draw_level(uint64_t seed, int32_t episode, int64_t num_levels) {
    uint64_t rng = seed;
    rng = advance(&rng) ^ (uint64_t)episode;
    rng = advance(&rng);
    return (advance(&rng) >> 32) * (uint64_t)num_levels >> 32;
}

static void begin(Sokoban *all, int64_t world) {
    int64_t level = draw_level(all->seeds[world], all->episodes[world], all->num_levels);
    memcpy(all->boards + world * CELLS, all->levels + level * CELLS, CELLS);
    all->worlds[world] = all->starts[level];
}

/* Play one action. No branches, as random actions are what no processor foresees. */
static inline void play(uint8_t *board, World *world, int64_t action) {
    int cell = world->agent, offset = OFFSETS[action];
    int to = cell + (board[cell] >> action & 1 ? 0 : offset);
    int there = board[to];
    int is_box = there / ITEM & 1;
    int beyond = to + (is_box & ~(there >> action) ? offset : 0);
    int after = board[beyond];
    int moves = ~(after / ITEM) & (to != cell);
    int pushes = is_box & moves;
    board[to] = there ^ (pushes * ITEM);
    board[beyond] ^= pushes * ITEM;
    board[cell] ^= moves * AGENT;
    board[to] ^= moves * AGENT;
    world->agent = moves ? to : cell;
    world->left += pushes * ((there / GOAL & 1) - (after / GOAL & 1));
}

static inline void turn(Sokoban *all, int64_t world, int64_t action) {
    World *one = all->worlds + world;
    play(all->boards + world * CELLS, one, action);
    int solved = one->left == 0, late = ++one->turns >= all->turn_limit;
    all->rewards[world] = solved;
    all->terminated[world] = solved;
    all->truncated[world] = late & !solved;
    if (__builtin_expect(solved | late, 0)) {
        all->episodes[world]++;
        begin(all, world);
    }
}

static inline void look_up(const Sokoban *all, int64_t world) {
    const uint8_t *board = all->boards + world * CELLS, *glyphs = all->glyphs;
    uint8_t *text = all->texts + world * LENGTH;
    for (int row = 0; row < CELLS / WIDTH; row++, text += LINE, board += WIDTH) {
        for (int column = 0; column < WIDTH; column++) text[column] = glyphs[board[column]];
        text[WIDTH] = '\n';
    }
}

/* Sixteen cells at once, of which the next row overwrites six: texts are written in order. */
static inline void shuffle(const Sokoban *all, int64_t world) {
#ifdef __SSSE3__
    const uint8_t *board = all->boards + world * CELLS;
    uint8_t *text = all->texts + world * LENGTH;
    const __m128i glyphs = _mm_loadu_si128((const __m128i *)all->few_glyphs), low = _mm_set1_epi8(15);
    const __m128i newline = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\n', 0, 0, 0, 0, 0);
    const __m128i keep = _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0);
    for (int row = 0; row < CELLS / WIDTH; row++) {
        __m128i cells = _mm_loadu_si128((const __m128i *)(board + row * WIDTH));
        __m128i written = _mm_shuffle_epi8(glyphs, _mm_and_si128(_mm_srli_epi16(cells, 4), low));
        written = _mm_or_si128(_mm_and_si128(written, keep), newline);
        _mm_storeu_si128((__m128i *)(text + row * LINE), written);
    }
#else
    look_up(all, world);
#endif
}

void sokoban_begin(Sokoban *all) {
    for (int64_t world = 0; world < all->num_worlds; world++) begin(all, world);
}

void sokoban_step(Sokoban *given, const int64_t *actions) {
    Sokoban all = *given;
    for (int64_t world = 0; world < all.num_worlds; world++) turn(&all, world, actions[world]);
}

void sokoban_step_copy(Sokoban *given, const int64_t *actions) {
    Sokoban all = *given;
    for (int64_t world = 0; world < all.num_worlds; world++) {
        turn(&all, world, actions[world]);
        memcpy(all.seen + world * CELLS, all.boards + world * CELLS, CELLS);
    }
}

void sokoban_step_text(Sokoban *given, const int64_t *actions) {
    Sokoban all = *given;
    for (int64_t world = 0; world < all.num_worlds; world++) {
        turn(&all, world, actions[world]);
        shuffle(&all, world);
    }
}

void sokoban_look_up(Sokoban *given, const int64_t *actions) {
    (void)actions;
    for (int64_t world = 0; world < given->num_worlds; world++) look_up(given, world);
}

void sokoban_shuffle(Sokoban *given, const int64_t *actions) {
    (void)actions;
    for (int64_t world = 0; world < given->num_worlds; world++) shuffle(given, world);
}

void taxi_begin(Taxi *all) {
    for (int64_t world = 0; world < all->num_worlds; world++) {
        all->states[world] = all->starts[draw_level(all->seeds[world], all->episodes[world], all->num_levels)];
        all->turns[world] = 0;
    }
}

static inline void drive(Taxi *all, int64_t world, int64_t action) {
    int64_t place = all->states[world] * TAXI_ACTIONS + action;
    int solved = all->ends[place], late = ++all->turns[world] >= all->turn_limit;
    all->rewards[world] = all->pay[place];
    all->terminated[world] = solved;
    all->truncated[world] = late & !solved;
    all->states[world] = all->next[place];
    if (__builtin_expect(solved | late, 0)) {
        int32_t episode = ++all->episodes[world];
        all->states[world] = all->starts[draw_level(all->seeds[world], episode, all->num_levels)];
        all->turns[world] = 0;
    }
}

void taxi_step(Taxi *given, const int64_t *actions) {
    Taxi all = *given;
    for (int64_t world = 0; world < all.num_worlds; world++) drive(&all, world, actions[world]);
}

void taxi_step_picture(Taxi *given, const int64_t *actions) {
    Taxi all = *given;
    for (int64_t world = 0; world < all.num_worlds; world++) {
        drive(&all, world, actions[world]);
        memcpy(all.seen + world * TAXI_CELLS, all.pictures + all.states[world] * TAXI_CELLS, TAXI_CELLS);
    }
}
