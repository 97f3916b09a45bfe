//! x
/// x
pub struct Simulation;
