//! Letting somebody sign in once without the password: a second device of the person who asks.

use super::{Cx, Verdict, owner, proof};
use crate::command::{Accepted, LOGIN_TOKEN_LASTS, PermitSignIn};
use crate::state::login_token;

pub(super) fn apply(cx: &mut Cx<'_>, command: &PermitSignIn) -> Verdict {
    let user = &command.user;
    let found = owner::account_of(cx, user)?;
    if let Some(denial) = proof::judge(cx, user, Some(&found), &command.proof)? {
        return Ok(Accepted::Denied(denial));
    }
    let now = cx.time();
    login_token::purge(cx.db(), now)?;
    let until = now + LOGIN_TOKEN_LASTS;
    login_token::insert(cx.db(), &command.token, user, found.generation, until)?;
    Ok(Accepted::Done)
}
