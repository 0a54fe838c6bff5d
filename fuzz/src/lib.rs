//! What the fuzz targets share with the exporter of their seeds: how an input is
//! read.

pub mod load;
#[cfg(feature = "machine")]
pub mod machine;

/// Bytes before the data of an input of [`Pieces`].
pub const SIZES: usize = 8;

/// An input that is handed over piece by piece: the sizes of four pieces, two
/// bytes each, and the data, which is cut into pieces of these sizes in turn.
#[derive(Clone, Copy, Debug)]
pub struct Pieces<'a> {
    sizes: [usize; 4],
    /// What is cut.
    pub data: &'a [u8],
}

impl<'a> Pieces<'a> {
    /// Reads an input; one without its sizes is none.
    #[must_use]
    pub fn new(input: &'a [u8]) -> Option<Self> {
        let (sizes, data) = input.split_first_chunk::<SIZES>()?;
        let size = |at: usize| usize::from(u16::from_be_bytes([sizes[at], sizes[at + 1]])).max(1);
        Some(Self { sizes: [size(0), size(2), size(4), size(6)], data })
    }
}

impl<'a> IntoIterator for Pieces<'a> {
    type Item = &'a [u8];
    type IntoIter = Box<dyn Iterator<Item = &'a [u8]> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        let mut rest = self.data;
        let pieces = self.sizes.into_iter().cycle().map_while(move |size| {
            let (piece, tail) = rest.split_at(size.min(rest.len()));
            rest = tail;
            (!piece.is_empty()).then_some(piece)
        });
        Box::new(pieces)
    }
}
