/* The kernels of convolutions, as those of products (products.cuh). Those of far points are for
 * filters with very many taps.
 */
#include "products.cuh"

#include "channels.cuh"
#include "correlation.cuh"

/* Results of a shape of tiles, gradients of images and of filters: of near or of far points. */
#define SC_FORWARD_KERNEL(name, T, Shape, Point)                                                   \
    SC_PRODUCT_KERNEL(name, T, Shape, sc_correlation, sc_forward<T, Point>)
#define SC_BACKWARD_KERNEL(name, T, Shape, Point)                                                  \
    SC_PRODUCT_KERNEL(name, T, Shape, sc_correlation, sc_backward<T, Point>)
#define SC_FILTERS_KERNEL(name, T, Shape, Point)                                                   \
    SC_PRODUCT_KERNEL(name, T, Shape, sc_correlation, sc_of_filters<T, Point>)

#define SC_ELEMENTS_KERNEL(name, T, function)                                                      \
    extern "C" __global__ void __launch_bounds__(SC_THREADS, 4)                                    \
        name(const __grid_constant__ sc_correlation p) {                                           \
        function<T>(p);                                                                            \
    }

#define SC_KERNEL_forward(T, suffix)                                                               \
    SC_FORWARD_KERNEL(sc_forward_##suffix, T, SC_USUAL(T), sc_near)
#define SC_KERNEL_forward_far(T, suffix)                                                           \
    SC_FORWARD_KERNEL(sc_forward_far_##suffix, T, SC_USUAL(T), sc_far)
#define SC_KERNEL_forward_flat(T, suffix)                                                          \
    SC_FORWARD_KERNEL(sc_forward_flat_##suffix, T, sc_flat, sc_near)
#define SC_KERNEL_forward_small(T, suffix)                                                         \
    SC_FORWARD_KERNEL(sc_forward_small_##suffix, T, sc_small, sc_near)
#define SC_KERNEL_forward_add(T, suffix)                                                           \
    SC_ADD_KERNEL(sc_forward_add_##suffix, T, sc_correlation, sc_forward<T, sc_near>)

#define SC_KERNEL_backward(T, suffix)                                                              \
    SC_BACKWARD_KERNEL(sc_backward_##suffix, T, SC_USUAL(T), sc_near)
#define SC_KERNEL_backward_far(T, suffix)                                                          \
    SC_BACKWARD_KERNEL(sc_backward_far_##suffix, T, SC_USUAL(T), sc_far)
#define SC_KERNEL_backward_flat(T, suffix)                                                         \
    SC_BACKWARD_KERNEL(sc_backward_flat_##suffix, T, sc_flat, sc_near)
#define SC_KERNEL_backward_small(T, suffix)                                                        \
    SC_BACKWARD_KERNEL(sc_backward_small_##suffix, T, sc_small, sc_near)
#define SC_KERNEL_backward_add(T, suffix)                                                          \
    SC_ADD_KERNEL(sc_backward_add_##suffix, T, sc_correlation, sc_backward<T, sc_near>)

#define SC_KERNEL_filters(T, suffix)                                                               \
    SC_FILTERS_KERNEL(sc_filters_##suffix, T, SC_USUAL(T), sc_near)
#define SC_KERNEL_filters_far(T, suffix)                                                           \
    SC_FILTERS_KERNEL(sc_filters_far_##suffix, T, SC_USUAL(T), sc_far)
#define SC_KERNEL_filters_flat(T, suffix)                                                          \
    SC_FILTERS_KERNEL(sc_filters_flat_##suffix, T, sc_flat, sc_near)
#define SC_KERNEL_filters_small(T, suffix)                                                         \
    SC_FILTERS_KERNEL(sc_filters_small_##suffix, T, sc_small, sc_near)

#define SC_KERNEL_turn_filters(T, suffix)                                                          \
    SC_ELEMENTS_KERNEL(sc_turn_filters_##suffix, T, sc_turn_filters)
#define SC_KERNEL_channels_forward(T, suffix)                                                      \
    SC_ELEMENTS_KERNEL(sc_channels_forward_##suffix, T, sc_channels_forward)
#define SC_KERNEL_channels_backward(T, suffix)                                                     \
    SC_ELEMENTS_KERNEL(sc_channels_backward_##suffix, T, sc_channels_backward)
#define SC_KERNEL_channels_filters(T, suffix)                                                      \
    SC_ELEMENTS_KERNEL(sc_channels_filters_##suffix, T, sc_channels_filters)
