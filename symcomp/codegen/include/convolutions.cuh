/* The kernels of convolutions, as those of products (products.cuh), of which convolutions need some
 * too. Those of far points are for filters with very many taps.
 */
#include "products.cuh"

#include "channels.cuh"
#include "correlation.cuh"

#define SC_ELEMENTS_KERNEL(name, T, function)                                                      \
    extern "C" __global__ void __launch_bounds__(SC_THREADS, 4)                                    \
        name(const __grid_constant__ sc_correlation p) {                                           \
        function<T>(p);                                                                            \
    }

/* The three of a convolution; `kind` stands in their names. */
#define SC_CORRELATION_KERNELS(T, kind, Shape, Point)                                              \
    SC_PRODUCT_KERNEL(sc_forward_##kind, T, Shape, sc_correlation, sc_forward<T, Point>)           \
    SC_PRODUCT_KERNEL(sc_backward_##kind, T, Shape, sc_correlation, sc_backward<T, Point>)         \
    SC_PRODUCT_KERNEL(sc_filters_##kind, T, Shape, sc_correlation, sc_of_filters<T, Point>)

#define SC_CONVOLUTION_KERNELS(T, suffix, Shape)                                                   \
    SC_CORRELATION_KERNELS(T, suffix, Shape, sc_near)                                              \
    SC_CORRELATION_KERNELS(T, far_##suffix, Shape, sc_far)                                         \
    SC_ADD_KERNEL(sc_forward_add_##suffix, T, sc_correlation, sc_forward<T, sc_near>)              \
    SC_ADD_KERNEL(sc_backward_add_##suffix, T, sc_correlation, sc_backward<T, sc_near>)            \
    SC_ELEMENTS_KERNEL(sc_turn_filters_##suffix, T, sc_turn_filters)                               \
    SC_ELEMENTS_KERNEL(sc_channels_forward_##suffix, T, sc_channels_forward)                       \
    SC_ELEMENTS_KERNEL(sc_channels_backward_##suffix, T, sc_channels_backward)                     \
    SC_ELEMENTS_KERNEL(sc_channels_filters_##suffix, T, sc_channels_filters)
