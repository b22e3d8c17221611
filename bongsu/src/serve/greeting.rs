//! What to do next, for whoever started the server.

use crate::config::{BankAt, Config, WhoMayRegister};
use crate::say;
use bongsu_base::ServerName;

/// Says it.
pub fn greet(base_url: &str, server_name: &ServerName, config: &Config) {
    let data = config.data.display();
    let begin = match config.registration {
        WhoMayRegister::Open => "Choose \"create account\" there: registration is open.".to_owned(),
        WhoMayRegister::Token => {
            "Choose \"create account\" there, with the registration token.".to_owned()
        }
        WhoMayRegister::Closed => {
            format!(
                "Sign in there with an account that you make: bongsu user add NAME --data {data}"
            )
        }
    };
    say::line(format_args!(
        "
Bongsu serves {server_name} at {base_url}

  1. Open {base_url}/ in a browser: the state, and how to connect.
  2. In a Matrix client (Element, Fluffychat, Cinny, nheko), choose the homeserver {base_url}
  3. {begin}

  Ids look like @mina:{server_name}. The data are in {data}.
  Stop with Ctrl-C or SIGTERM; `bongsu --help` says what else there is.
"
    ));
    if config.bank == BankAt::Here {
        tracing::warn!(
            "the bank is simulated: no real money moves; `[pay.bank]` in the configuration names another"
        );
    }
}
