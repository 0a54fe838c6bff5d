//! How values are distributed.

/// Values in ascending order.
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    /// At least one value, in any order.
    pub(crate) fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The value below which a share (0 to 1) of the values is.
    pub(crate) fn at(&self, share: f64) -> f64 {
        self.0[((self.0.len() - 1) as f64 * share).round() as usize]
    }
}
