//! Identity → talk: somebody who shows themselves differently does so in all their rooms, and their
//! picture is kept for as long as they show it.

use bongsu_base::UserId;
use bongsu_talk::Command;
use bongsu_talk::command::Profile;

pub fn commands(
    user: UserId,
    displayname: Option<String>,
    avatar_url: Option<String>,
) -> Vec<(&'static str, Command)> {
    let avatar = Command::ShowAvatar {
        user: user.clone(),
        url: avatar_url.clone(),
    };
    let profile = Profile {
        displayname,
        avatar_url,
    };
    vec![
        ("show profile", Command::ShowProfile { user, profile }),
        ("show avatar", avatar),
    ]
}
