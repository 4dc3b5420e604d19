/* The end of what foreign_begin.cuh begins. */
#if defined(__CUDACC__)
#undef static
#endif
