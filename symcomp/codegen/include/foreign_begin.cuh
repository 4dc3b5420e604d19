/* What follows is C that a person wrote for the host (`c_function`): its static functions and arrays
 * become the GPU's. Until foreign_end.cuh. */
#if defined(__CUDACC__)
#define static static __device__
#endif
