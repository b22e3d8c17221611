//! Identity → talk: somebody who shows themselves differently does so in all their rooms.

use bongsu_base::UserId;
use bongsu_talk::Command;
use bongsu_talk::command::Profile;

pub fn command(
    user: UserId,
    displayname: Option<String>,
    avatar_url: Option<String>,
) -> (&'static str, Command) {
    (
        "show profile",
        Command::ShowProfile {
            user,
            profile: Profile {
                displayname,
                avatar_url,
            },
        },
    )
}
