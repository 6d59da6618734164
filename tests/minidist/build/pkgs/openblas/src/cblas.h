#ifndef CBLAS_H
#define CBLAS_H
double cblas_ddot(int n, const double *x, int incx, const double *y, int incy);
double cblas_dasum(int n, const double *x, int incx);
#endif
