//! Identity → talk: who has closed their account leaves all rooms.

use bongsu_base::UserId;
use bongsu_talk::Command;

pub fn command(user: UserId) -> (&'static str, Command) {
    ("leave all", Command::LeaveAll { user })
}
