/* The entry points of CUDA's driver that are not emulated, by the names in a list of their own: they
 * answer CUDA_ERROR_NOT_SUPPORTED. */
#define OTHER(name)                                                                                \
    __attribute__((visibility("default"))) int name(void) { return 801; }

#include "others.h"
