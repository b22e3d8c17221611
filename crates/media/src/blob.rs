//! What a blob is called.

use object_store::path::Path;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The folder in which blobs stand, by the first two digits of their ids.
pub(crate) const BLOBS: &str = "blobs";

/// A blob's id: the BLAKE3 hash of its content. As text, 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobId([u8; 32]);

/// A text is not a blob's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a blob's id has 64 lower-case hexadecimal digits")]
pub struct NotABlobId;

/// A blob that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blob {
    /// Its id.
    pub hash: BlobId,
    /// Its length.
    pub bytes: u64,
}

impl BlobId {
    /// The id with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The id's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The id of the blob with this content.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(*blake3::hash(content).as_bytes())
    }

    /// Where the blob stands in the store.
    pub(crate) fn path(&self) -> Path {
        let text = self.to_string();
        let (folder, name) = text.split_at(2);
        Path::from_iter([BLOBS, folder, name])
    }

    /// The first byte of its hash, after which its folder is called.
    pub(crate) const fn folder(&self) -> u8 {
        self.0[0]
    }

    /// Where the blobs whose hash begins with this byte stand.
    pub(crate) fn folder_path(folder: u8) -> Path {
        Path::from_iter([BLOBS, &data_encoding::HEXLOWER.encode(&[folder])])
    }

    /// The blob that stands at `path`, if one does.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let mut parts = path.parts();
        let (top, folder, name) = (parts.next()?, parts.next()?, parts.next()?);
        if top.as_ref() != BLOBS || folder.as_ref().len() != 2 || parts.next().is_some() {
            return None;
        }
        format!("{}{}", folder.as_ref(), name.as_ref()).parse().ok()
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobId({self})")
    }
}

impl FromStr for BlobId {
    type Err = NotABlobId;

    fn from_str(text: &str) -> Result<Self, NotABlobId> {
        let bytes = data_encoding::HEXLOWER
            .decode(text.as_bytes())
            .map_err(|_| NotABlobId)?;
        bytes.try_into().map(Self).map_err(|_| NotABlobId)
    }
}

impl TryFrom<String> for BlobId {
    type Error = NotABlobId;

    fn try_from(text: String) -> Result<Self, NotABlobId> {
        text.parse()
    }
}

impl From<BlobId> for String {
    fn from(id: BlobId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_text_and_its_place() {
        let id = BlobId::of(b"hello");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(BlobId::at(&id.path()), Some(id));
        assert!(id.path().prefix_matches(&BlobId::folder_path(id.folder())));
        assert_eq!(
            id.path().as_ref()[..9],
            format!("blobs/{}/", &id.to_string()[..2])
        );
    }

    #[test]
    fn other_texts_and_places_are_not_ids() {
        let check = |text: &str| assert_eq!(text.parse::<BlobId>(), Err(NotABlobId), "{text}");
        check("");
        check("../../etc/passwd");
        check(&"a".repeat(63));
        check(&"A".repeat(64));
        check(&"a".repeat(66));
        for path in ["blobs/ab", "blobs/abc/d", "uploads/ab/cd", "blobs/ab/cd/ef"] {
            assert_eq!(BlobId::at(&Path::from(path)), None, "{path}");
        }
    }
}
