//! Positions as clients carry them: `s<position>`, `.<epoch>` if the log was restored or moved since its
//! beginning, and, from a sync, `_<typing>_<presence>`. A position means the same in every data centre; who
//! typed and was there is of no consequence elsewhere.

use super::Api;
use bongsu_base::{Epoch, Epochs, Position};
use bongsu_web_kit::matrix::MatrixError;
use std::time::Duration;

/// How long a client that comes from another data centre waits until this one has caught up.
const CATCH_UP: Duration = Duration::from_secs(5);
/// When it asks again that is further than this data centre.
const SOON: Duration = Duration::from_secs(1);

/// A client's place in everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Up to where it knows all events.
    pub position: Position,
    /// The life of the log that the position comes from.
    pub epoch: Epoch,
    /// Up to which change it knows who is typing.
    pub typing: u64,
    /// Up to which change it knows who is there.
    pub presence: u64,
}

impl Token {
    /// The place after `position` in `epoch`, of a page of history.
    fn at(position: i64, epoch: Epoch) -> Self {
        Self {
            position: Position::from_i64(position).unwrap_or_default(),
            epoch,
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
            let (position, epoch) = position.split_once('.').unwrap_or((position, "0"));
            let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
            if ![position, epoch, typing, presence].iter().all(digits) {
                return None;
            }
            let position = Position::from_i64(position.parse().ok()?)?;
            Some(Self {
                position,
                epoch: Epoch(epoch.parse().ok()?),
                typing: typing.parse().ok()?,
                presence: presence.parse().ok()?,
            })
        };
        parsed().ok_or_else(|| {
            MatrixError::invalid_param("the token is not one that this server gave out")
        })
    }
}

/// Where a client is that was at `token` in an earlier life of the log: there, or at the end of what the
/// later ones took over. `None` when the token comes from a life that has not been heard of here.
fn settle(token: Token, epochs: &Epochs) -> Option<Token> {
    let (epoch, seq) = (epochs.current(), token.position.seq());
    let kept = epochs.keep(token.epoch, seq)?;
    let position = if kept == seq {
        token.position
    } else {
        Position::end_of(kept)
    };
    Some(Token {
        position,
        epoch,
        ..token
    })
}

impl Api {
    /// The place after `position`.
    pub(super) fn token_at(&self, position: i64) -> Token {
        Token::at(position, self.epoch())
    }

    /// The life that the log is in.
    pub(super) fn epoch(&self) -> Epoch {
        self.lane.epochs().current()
    }

    /// The place that a client brings along, once this data centre's view has reached it.
    ///
    /// # Errors
    /// When the text is not a token, or the view does not come so far in a few seconds.
    pub(super) async fn place(&self, text: &str) -> Result<Token, MatrixError> {
        let token = Token::parse(text)?;
        let token = settle(token, self.lane.epochs()).ok_or_else(|| {
            MatrixError::unavailable(SOON, "this data centre has not heard of your position yet")
        })?;
        self.lane.reach(token.position.seq(), CATCH_UP).await?;
        Ok(token)
    }

    /// The same for a token that need not be there.
    pub(super) async fn place_if_any(
        &self,
        text: Option<&str>,
    ) -> Result<Option<Token>, MatrixError> {
        match text.filter(|text| !text.is_empty()) {
            Some(text) => self.place(text).await.map(Some),
            None => Ok(None),
        }
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s{}", self.position.as_i64())?;
        if self.epoch > Epoch(0) {
            write!(f, ".{}", self.epoch)?;
        }
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
    use bongsu_base::Seq;

    #[test]
    fn tokens_round_trip_and_foreign_ones_are_refused() {
        for token in [
            Token::at(0, Epoch(0)),
            Token::at(1 << 40, Epoch(0)),
            Token::at(1 << 40, Epoch(3)),
            Token {
                typing: 7,
                ..Token::at(5, Epoch(0))
            },
            Token {
                presence: 9,
                ..Token::at(5, Epoch(12))
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
            "s5.",
            "s5.x",
            "s5.1.1",
            "s5_1.1",
            "s5.4294967296",
            "s+5",
            "s99999999999999999999",
        ] {
            assert!(Token::parse(foreign).is_err(), "{foreign}");
        }
    }

    #[test]
    fn a_position_of_an_earlier_log_stays_good_as_far_as_it_was_kept() {
        let restored = Epochs::default().after_restoring(Seq(100));
        let at = |seq, index, epoch| {
            let position = Position::new(Seq(seq), index).as_i64();
            Token::at(position, Epoch(epoch))
        };
        let end = Token::at(Position::end_of(Seq(100)).as_i64(), Epoch(1));
        for (token, settled) in [
            (at(40, 3, 0), Some(at(40, 3, 1))),
            (at(101, 0, 0), Some(end)),
            (at(5_000, 2, 1), Some(at(5_000, 2, 1))),
            (at(1, 0, 2), None),
        ] {
            assert_eq!(settle(token, &restored), settled, "{token}");
        }
    }
}
