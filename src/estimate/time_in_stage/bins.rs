//! Many times summed into fine bins of log time.

use super::stays::{Node, in_order};
use crate::num::special::ln;

/// Where weighted times go: a list, or bins.
pub(super) trait Sink {
    fn add(&mut self, t: f64, weight: f64);
    fn into_nodes(self) -> Vec<Node>;
}

impl Sink for Vec<Node> {
    fn add(&mut self, t: f64, weight: f64) {
        self.push(Node { y: ln(t), weight });
    }

    fn into_nodes(self) -> Vec<Node> {
        in_order(self)
    }
}

/// Above this many rows they are summed into bins.
pub(super) const MANY: usize = 8_192;

/// Bins whose edges are doubles with few leading bits of mantissa, so that a row finds its bin by a shift: no logarithm
/// a row. Each holds mass, mean and mean square of the position within the bin.
pub(super) struct Bins {
    pub(super) shift: u32,
    pub(super) first: u64,
    pub(super) sums: Vec<[f64; 3]>,
    /// Times too small for the layout of doubles to be even.
    pub(super) odd: Vec<Node>,
}

impl Bins {
    /// For times from the shortest to the longest: as fine as 4,096 bins allow, at most 2^10 an octave.
    pub(super) fn over(shortest: f64, longest: f64) -> Self {
        let low = shortest.min(longest).max(f64::MIN_POSITIVE).to_bits();
        let high = longest.max(f64::MIN_POSITIVE).to_bits();
        let mut shift = 52 - 10;
        while (high >> shift) - (low >> shift) >= MOST_BINS {
            shift += 1;
        }
        let n = (high >> shift) - (low >> shift) + 1;
        let n = usize::try_from(n).unwrap_or(0);
        Self { shift, first: low >> shift, sums: vec![[0.0; 3]; n], odd: Vec::new() }
    }
}

impl Sink for Bins {
    fn add(&mut self, t: f64, weight: f64) {
        let bits = t.to_bits();
        let bin = usize::try_from((bits >> self.shift).wrapping_sub(self.first)).unwrap_or(usize::MAX);
        match self.sums.get_mut(bin) {
            Some([mass, first, second]) if t >= f64::MIN_POSITIVE => {
                let within = off_middle(bits, self.shift);
                *mass += weight;
                *first += weight * within;
                *second += weight * within * within;
            }
            _ => self.odd.push(Node { y: ln(t), weight }),
        }
    }

    /// Two points a bin, at the mean less and plus one standard deviation.
    fn into_nodes(self) -> Vec<Node> {
        let mut nodes = in_order(self.odd);
        for (bin, [mass, first, second]) in (self.first..).zip(self.sums) {
            if mass > 0.0 {
                let (edge, next) =
                    (f64::from_bits(bin << self.shift), f64::from_bits((bin + 1) << self.shift));
                let mean = first / mass;
                let sd = (second / mass - mean * mean).max(0.0).sqrt();
                // A point may lie outside the bin, by less than half its width: never at or below 0.
                let place = |within: f64| ln(edge + (within + 0.5) * (next - edge));
                nodes.extend([mean - sd, mean + sd].map(|at| Node { y: place(at), weight: 0.5 * mass }));
            }
        }
        nodes
    }
}

/// At most so many bins.
const MOST_BINS: u64 = 4_096;

/// Where in its bin a double lies, less one half: the bits below the shift become a mantissa.
#[inline]
pub(super) fn off_middle(bits: u64, shift: u32) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    f64::from_bits(1.0_f64.to_bits() | ((bits << (52 - shift)) & MANTISSA)) - 1.5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_keeps_mass_mean_and_variance() {
        let times: Vec<f64> = (0..9_000).map(|i| 1e-7 * f64::from(i) * f64::from(i) + 0.3).collect();
        let mut bins = Bins::over(0.3, 1e4);
        for &t in &times {
            bins.add(t, 2.0);
        }
        let nodes = bins.into_nodes();
        for f in [|_: f64| 1.0, |t: f64| t, |t: f64| t * t] {
            let exact: f64 = times.iter().map(|&t| 2.0 * f(t)).sum();
            let got: f64 = nodes.iter().map(|node| node.weight * f(crate::num::special::exp(node.y))).sum();
            assert!((got / exact - 1.0).abs() < 1e-13, "{got} {exact}");
        }
        assert!(nodes.len() < 3_000);
    }
}
