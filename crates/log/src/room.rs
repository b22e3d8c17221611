//! How much one read gives.

/// How much one read may still give.
pub(crate) struct Room {
    bytes: usize,
    entries: usize,
    empty: bool,
}

impl Room {
    /// Entries in one read, so that a million empty ones are still bounded.
    const ENTRIES: usize = 16 << 10;

    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            bytes,
            entries: Self::ENTRIES,
            empty: true,
        }
    }

    /// Takes an entry if there is room; the first one always fits.
    pub(crate) fn take(&mut self, bytes: usize) -> bool {
        let fits = self.empty || (bytes <= self.bytes && self.entries > 0);
        if fits {
            self.empty = false;
            self.bytes = self.bytes.saturating_sub(bytes);
            self.entries = self.entries.saturating_sub(1);
        }
        fits
    }
}
