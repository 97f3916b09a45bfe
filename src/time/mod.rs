//! Civil time: periods, fiscal calendars, buckets. The only door to chrono's arithmetic.
