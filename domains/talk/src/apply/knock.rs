//! Asking to be asked in (Matrix v1.19, join rules `knock` and `knock_restricted`).

use super::Ruled;
use crate::outcome::Rejected;
use crate::state::rooms::Room;
use crate::state::version;
use bongsu_lane::Refusal;

/// Whether somebody with the membership `current` may knock at `room`. Says whether anything would
/// change.
pub fn may_knock(room: &Room, current: &str) -> Ruled<bool> {
    let why = match current {
        "ban" => Rejected::Banned {
            who: "you are".to_owned(),
        },
        "join" => Rejected::WrongMembership("you are in this room already".to_owned()),
        "invite" => {
            Rejected::WrongMembership("you are invited to this room already; join it".to_owned())
        }
        _ if !version::knockable(&room.version, &room.join_rule) => Rejected::NotKnockable,
        _ => return Ok(current != "knock"),
    };
    Err(Refusal::Rejected(why))
}
