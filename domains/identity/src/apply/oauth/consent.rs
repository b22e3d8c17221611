//! Taking back what a client was let have.

use super::{Cx, Verdict, signed_in};
use crate::apply::ending;
use crate::command::Accepted;
use crate::command::oauth::ForgetConsent;
use crate::state::oauth::{consent, session};

pub(super) fn forget(cx: &mut Cx<'_>, command: &ForgetConsent) -> Verdict {
    let browser = signed_in(cx, &command.cookie)?;
    consent::remove(cx.db(), &browser.user, &command.client)?;
    for found in session::of_client(cx.db(), &browser.user, &command.client)? {
        ending::session(cx, &found)?;
    }
    Ok(Accepted::Done)
}

#[cfg(test)]
mod tests {
    use crate::command::Accepted;
    use crate::command::oauth::{Consent, ForgetConsent, Oauth};
    use crate::testing::{Bench, authorize, client_id, token};
    use bongsu_lane::Actor;

    #[test]
    fn what_is_taken_back_ends_the_clients_sessions() {
        let bench = Bench::with_session();
        let mut again = authorize(60, "openid");
        again.consent = Consent::Now { remember: true };
        let asked = bench.oauth(Actor::Nobody, Oauth::Authorize(again));
        assert_eq!(asked, Ok(Accepted::Done));
        assert_eq!(bench.count("oauth_consent"), 1);
        let forget = ForgetConsent {
            cookie: token(1),
            client: client_id("shop"),
        };
        let done = bench.oauth(Actor::Nobody, Oauth::ForgetConsent(forget));
        assert_eq!(done, Ok(Accepted::Done));
        assert_eq!(
            bench.count("oauth_consent") + bench.count("oauth_session"),
            0
        );
    }
}
