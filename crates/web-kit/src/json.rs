//! JSON that is asked with: always an object.

use serde::de::DeserializeOwned;

/// Why a text is not the object that is wanted.
#[derive(Debug, thiserror::Error)]
pub enum NotAsked {
    /// It is no object at all.
    #[error("it has to be a JSON object")]
    NoObject,
    /// It is no JSON, or another object.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Reads a JSON object. What is read into a struct would be read from a list of its fields in their order, too.
///
/// # Errors
/// When the text is none, or not of the form of `T`.
pub fn object<T: DeserializeOwned>(text: &[u8]) -> Result<T, NotAsked> {
    let begins = text.iter().find(|byte| !byte.is_ascii_whitespace());
    if begins != Some(&b'{') {
        return Err(NotAsked::NoObject);
    }
    Ok(serde_json::from_slice(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Asked {
        name: Option<String>,
    }

    #[test]
    fn a_list_is_not_taken_for_an_object() {
        let name = |text: &str| object::<Asked>(text.as_bytes()).ok()?.name;
        assert_eq!(name(" \n{\"name\":\"mina\"} ").as_deref(), Some("mina"));
        for text in ["[\"mina\"]", "\"mina\"", "null", "1", "", " ", "{", "{}{}"] {
            assert!(object::<Asked>(text.as_bytes()).is_err(), "{text}");
        }
        let other = object::<Asked>(b"{\"name\":1}");
        assert!(matches!(other, Err(NotAsked::Json(_))), "{other:?}");
    }
}
