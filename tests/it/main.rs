//! The hermetic rungs of the test ladder, in one binary: no network, no clock, no cluster.
