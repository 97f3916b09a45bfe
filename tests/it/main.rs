//! One binary for all tests of the public API: linking once is most of the time.

mod deals;
