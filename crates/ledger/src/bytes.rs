//! Records of fixed size.

/// Writes numbers one after the other.
pub(crate) struct Writer<'a>(pub &'a mut [u8]);

impl Writer<'_> {
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (head, rest) = std::mem::take(&mut self.0).split_at_mut(bytes.len());
        head.copy_from_slice(bytes);
        self.0 = rest;
    }

    pub fn i64(&mut self, number: i64) {
        self.bytes(&number.to_le_bytes());
    }
}

/// Reads them again; `None` once there is too little.
pub(crate) struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    pub fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    pub fn i64(&mut self) -> Option<i64> {
        self.bytes().map(i64::from_le_bytes)
    }
}

/// A value in a table that this crate never wrote.
pub(crate) fn damaged(what: &'static str) -> rusqlite::Error {
    let text = format!("damaged {what}").into();
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, text)
}
