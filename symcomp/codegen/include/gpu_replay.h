/* How the launches of a call are captured as a graph, and replayed: a part of gpu.c, whose state it
 * shares. */
#ifndef SYMCOMP_GPU_REPLAY_H
#define SYMCOMP_GPU_REPLAY_H

static void forget(symcomp_replay *replay, int n) {
    if (replay->kept[n].executable)
        fine(gpu.driver.destroy_executable(replay->kept[n].executable), "destroying a graph");
    replay->kept[n].executable = NULL;
}

static int use_stream(void *stream) {
    gpu.stream = stream;
    return symcomp_gpu_use_stream(&gpu.libraries, stream);
}

/* The launches of a frame, captured; NULL, and no error, where they cannot be. */
static void *captured(void (*launches)(void *), void *frame) {
    void *graph = NULL, *executable = NULL, *stream = gpu.stream;
    int error = gpu.aside ? use_stream(gpu.aside) : 0;
    gpu.capturing = 1;
    if (!error)
        error = gpu.driver.begin_capture(gpu.stream, RELAXED);
    if (!error) {
        launches(frame);
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

/* A frame holds every place and size that the launches of a plan depend on, but for that of scratch
 * memory: where it is the same as in an earlier call, so are the launches. They are captured when they
 * come for the third time: by then all memory is there that they need. */
static void run(void (*launches)(void *), void *frame, size_t bytes, symcomp_replay *replay) {
    if (gpu.error)
        return;
    if (replay && !replay->frames && gpu.driver.begin_capture)
        replay->frames = calloc(SYMCOMP_REPLAYS, bytes);
    if (!replay || !replay->frames || replay->refused) {
        launches(frame);
        return;
    }
    int n = kept_frame(replay, frame, bytes);
    replay->kept[n].last = ++replay->clock;
    if (replay->kept[n].scratch != gpu.scratch.place)
        forget(replay, n);
    if (++replay->kept[n].calls > 2 && !replay->kept[n].executable) {
        replay->kept[n].executable = captured(launches, frame);
        replay->refused = !replay->kept[n].executable;
    }
    if (gpu.error)
        return;
    if (replay->kept[n].executable) {
        gpu.replays++;
        fine(gpu.driver.launch_graph(replay->kept[n].executable, gpu.stream), "replaying launches");
    } else {
        launches(frame);
    }
    replay->kept[n].scratch = gpu.scratch.place;
}

#endif
