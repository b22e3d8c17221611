//! Positions as clients carry them: `s<position>` and, from a sync, `_<typing>_<presence>`. A position
//! means the same in every data centre; who typed and was there is of no consequence elsewhere.

use bongsu_base::Position;
use bongsu_web_kit::matrix::MatrixError;

/// A client's place in everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Up to where it knows all events.
    pub position: Position,
    /// Up to which change it knows who is typing.
    pub typing: u64,
    /// Up to which change it knows who is there.
    pub presence: u64,
}

impl Token {
    /// The place after `position`, of a page of history.
    pub fn at(position: i64) -> Self {
        Self {
            position: Position::from_i64(position).unwrap_or_default(),
            typing: 0,
            presence: 0,
        }
    }

    /// Reads what [`Self::to_string`] wrote.
    pub fn parse(text: &str) -> Result<Self, MatrixError> {
        let parsed = || {
            let rest = text.strip_prefix('s')?;
            let (position, rest) = rest.split_once('_').unwrap_or((rest, "0"));
            let (typing, presence) = rest.split_once('_').unwrap_or((rest, "0"));
            let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
            if !digits(position) || !digits(typing) || !digits(presence) {
                return None;
            }
            let position = Position::from_i64(position.parse().ok()?)?;
            Some(Self {
                position,
                typing: typing.parse().ok()?,
                presence: presence.parse().ok()?,
            })
        };
        parsed().ok_or_else(|| {
            MatrixError::invalid_param("the token is not one that this server gave out")
        })
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s{}", self.position.as_i64())?;
        match (self.typing, self.presence) {
            (0, 0) => Ok(()),
            (typing, 0) => write!(f, "_{typing}"),
            (typing, presence) => write!(f, "_{typing}_{presence}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_foreign_ones_are_refused() {
        for token in [
            Token::at(0),
            Token::at(1 << 40),
            Token {
                typing: 7,
                ..Token::at(5)
            },
            Token {
                presence: 9,
                ..Token::at(5)
            },
        ] {
            assert_eq!(Token::parse(&token.to_string()).ok(), Some(token));
        }
        for foreign in [
            "",
            "s",
            "5",
            "s-5",
            "t5",
            "s5_",
            "s5_x",
            "s5_1_",
            "s5_1_1_1",
            "s+5",
            "s99999999999999999999",
        ] {
            assert!(Token::parse(foreign).is_err(), "{foreign}");
        }
    }
}
