/* How a call is done, captured as a graph and replayed: a part of gpu.c, whose state it shares.
 *
 * Small arrays of the host go through page-locked memory where the call waits anyway: one copy brings
 * all of them to the GPU, another all results back, and both are captured with the launches between.
 * Large ones are copied by the driver, each by itself, before and after; so are those of a call that
 * does not wait, which must not write again to memory that an earlier one may still read.
 */
#ifndef SYMCOMP_GPU_REPLAY_H
#define SYMCOMP_GPU_REPLAY_H

enum { STAGED = 1 << 16 }; /* bytes of page-locked memory: as much as one call stages */

/* What a call does on the stream. */
typedef struct {
    void (*launches)(void *frame), (*products)(void *frame);
    void *frame;
    const symcomp_move *inputs, *results;
    int64_t input_count, result_count;
    size_t in, out; /* the bytes that are staged, gaps between arrays included */
} work;

/* From the first array to the end of the last: they follow one another. */
static size_t span(const symcomp_move *moves, int64_t count) {
    const symcomp_move *last = moves + count - 1;
    return count ? last->place + last->bytes - moves->place : 0;
}

/* Chooses whether the arrays of a call are staged, and has memory for that. */
static void stage(work *w) {
    size_t in = span(w->inputs, w->input_count), out = span(w->results, w->result_count);
    void *memory = NULL;
    if (!out || in > STAGED || out > STAGED)
        return;
    if (!gpu.staging && !gpu.driver.allocate_host(&memory, 2 * STAGED, SYMCOMP_FOR_DEVICE))
        gpu.staging = memory;
    if (!gpu.staging)
        return;
    w->in = in;
    w->out = out;
    for (const symcomp_move *m = w->inputs; m < w->inputs + w->input_count; ++m)
        memcpy(gpu.staging + (m->place - w->inputs->place), m->host, m->bytes);
}

static void do_work(const work *w) {
    if (w->in)
        fine(gpu.driver.upload(w->inputs->place, gpu.staging, w->in, gpu.stream),
             "copying to the GPU");
    w->launches(w->frame);
    if (w->out && !gpu.error)
        fine(gpu.driver.download(gpu.staging + STAGED, w->results->place, w->out, gpu.stream),
             "copying from the GPU");
}

/* Whether all kernels of products and convolutions are there that the work needs. */
static int is_complete(const work *w) {
    if (w->products) {
        gpu.libraries.asking = 1;
        w->products(w->frame);
        gpu.libraries.asking = 0;
    }
    return fine(gpu.libraries.lacking ? LACKING : 0, "looking for kernels");
}

/* What was staged to where the caller wants it. */
static void deliver(const work *w) {
    wait_for_all();
    if (!gpu.error)
        for (const symcomp_move *m = w->results; m < w->results + w->result_count; ++m)
            memcpy(m->host, gpu.staging + STAGED + (m->place - w->results->place), m->bytes);
}

static void forget(symcomp_replay *replay, int n) {
    if (replay->kept[n].executable)
        fine(gpu.driver.destroy_executable(replay->kept[n].executable), "destroying a graph");
    replay->kept[n].executable = NULL;
}

static int use_stream(void *stream) {
    gpu.stream = stream;
    return symcomp_gpu_use_stream(&gpu.libraries, stream);
}

/* A call's work, captured; NULL, and no error, where it cannot be. */
static void *captured(const work *w) {
    void *graph = NULL, *executable = NULL, *stream = gpu.stream;
    int error = gpu.aside ? use_stream(gpu.aside) : 0;
    gpu.capturing = 1;
    if (!error)
        error = gpu.driver.begin_capture(gpu.stream, RELAXED);
    if (!error) {
        do_work(w);
        error = gpu.driver.end_capture(gpu.stream, &graph);
    }
    gpu.capturing = 0;
    int back = gpu.aside ? use_stream(stream) : 0;
    if (!error && !gpu.error)
        error = gpu.driver.instantiate(&executable, graph, 0);
    if (graph)
        gpu.driver.destroy_graph(graph);
    if (error || gpu.error)
        executable = NULL;
    if (!gpu.broken)
        gpu.error = 0;
    fine(back, "capturing launches");
    return executable;
}

/* Which of the kept frames this one is, or the one that was not called for the longest time. */
static int kept_frame(symcomp_replay *replay, const void *frame, size_t bytes) {
    int oldest = 0;
    for (int n = 0; n < SYMCOMP_REPLAYS; ++n) {
        if (replay->kept[n].calls && !memcmp((char *)replay->frames + n * bytes, frame, bytes))
            return n;
        if (replay->kept[n].last < replay->kept[oldest].last)
            oldest = n;
    }
    forget(replay, oldest);
    memcpy((char *)replay->frames + oldest * bytes, frame, bytes);
    replay->kept[oldest].calls = 0;
    return oldest;
}

/* A frame holds every place and size that the work of a plan depends on, but for that of scratch
 * memory: where it is the same as in an earlier call, so is the work. It is captured when it comes for
 * the third time: by then all memory is there that it needs. */
static void replayed(const work *w, size_t bytes, symcomp_replay *replay) {
    if (replay && !replay->frames && gpu.driver.begin_capture)
        replay->frames = calloc(SYMCOMP_REPLAYS, bytes);
    if (!replay || !replay->frames || replay->refused) {
        if (is_complete(w))
            do_work(w);
        return;
    }
    int n = kept_frame(replay, w->frame, bytes);
    /* A kernel may be lacking later, too: where cuDNN could not do what it said. */
    if ((!replay->kept[n].calls || gpu.libraries.lacking) && !is_complete(w))
        return;
    replay->kept[n].last = ++replay->clock;
    if (replay->kept[n].scratch != gpu.scratch.place)
        forget(replay, n);
    if (++replay->kept[n].calls > 2 && !replay->kept[n].executable) {
        replay->kept[n].executable = captured(w);
        replay->refused = !replay->kept[n].executable;
    }
    if (gpu.error)
        return;
    if (replay->kept[n].executable) {
        gpu.replays++;
        fine(gpu.driver.launch_graph(replay->kept[n].executable, gpu.stream), "replaying launches");
    } else {
        do_work(w);
    }
    replay->kept[n].scratch = gpu.scratch.place;
}

static void run(void (*launches)(void *), void (*products)(void *), void *frame, size_t bytes,
                symcomp_replay *replay, const symcomp_move *moves, int64_t inputs,
                int64_t results) {
    work w = {.launches = launches, .products = products, .frame = frame, .inputs = moves,
              .results = moves + inputs, .input_count = inputs, .result_count = results};
    if (gpu.error)
        return;
    stage(&w);
    for (int64_t n = 0; n < inputs && !w.out; ++n)
        upload(moves[n].place, moves[n].host, moves[n].bytes);
    if (!gpu.error)
        replayed(&w, bytes, replay);
    for (int64_t n = 0; n < results && !w.out; ++n)
        download(w.results[n].host, w.results[n].place, w.results[n].bytes);
    if (w.out)
        deliver(&w);
}

#endif
