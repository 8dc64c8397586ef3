//! One program for all tests of the kernels.

mod bert;
mod models;
mod nearest;
