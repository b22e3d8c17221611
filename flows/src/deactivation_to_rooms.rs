//! Identity → talk: who has closed their account leaves all rooms, and takes along what they wrote if they
//! asked for that.

use bongsu_base::UserId;
use bongsu_talk::Command;

pub fn commands(user: UserId, erase: bool) -> Vec<(&'static str, Command)> {
    let mut commands = vec![("leave all", Command::LeaveAll { user: user.clone() })];
    let shown = user.clone();
    commands.push((
        "show avatar",
        Command::ShowAvatar {
            user: shown,
            url: None,
        },
    ));
    if erase {
        commands.push(("erase", Command::Erase { user }));
    }
    commands
}
