/* What the machine can do: fused multiply-adds in registers, in chains long enough to hide their
   latency, on all threads of OpenMP. One round is CHAINS vectors of LANES numbers, once. */

#ifdef __AVX512F__
#define BYTES 64
#else
#define BYTES 32
#endif
#define LANES (BYTES / (int)sizeof(float))

typedef float vector __attribute__((vector_size(BYTES)));

/* Twelve chains: two a cycle with a latency of four or five need ten, and AVX2 has 16 registers. */
#define EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define CHAINS 12

__attribute__((visibility("default"))) long flops_of_a_round(void)
{
    return 2L * CHAINS * LANES;
}

/* Nothing grows or vanishes: x -> 0.5 x + 0.25 tends to 0.5 from wherever the caller starts. */
static float chains(long rounds, float start)
{
    vector half = {0}, quarter = {0}, total = {0};
    half += 0.5f;
    quarter += 0.25f;
#define BEGIN(n) vector x##n = half + (start + n);
    EACH(BEGIN)
    for (long round = 0; round < rounds; round++) {
#define ADVANCE(n) x##n = x##n * half + quarter;
        EACH(ADVANCE)
    }
#define COLLECT(n) total += x##n;
    EACH(COLLECT)
    float sum = 0;
    for (int lane = 0; lane < LANES; lane++)
        sum += total[lane];
    return sum;
}

__attribute__((visibility("default"))) float peak(long rounds, float start, int threads)
{
    float sum = 0;
#pragma omp parallel for num_threads(threads) schedule(static, 1) reduction(+ : sum)
    for (int thread = 0; thread < threads; thread++)
        sum += chains(rounds / threads, start);
    return sum;
}
