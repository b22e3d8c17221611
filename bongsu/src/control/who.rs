//! Which of the machine's accounts administers, for the audit log.

use axum::Extension;
use axum::extract::Request;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::IncomingStream;
use bongsu_lane::SystemAccount;
use nix::unistd::{Uid, User, geteuid};
use tokio::net::UnixListener;

/// The account of whoever is at the other end of the socket (Linux, `unix(7)`, `SO_PEERCRED`), where the system says.
#[derive(Debug, Clone, Copy)]
pub struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let credentials = stream.io().peer_cred();
        Self(credentials.ok().map(|credentials| credentials.uid()))
    }
}

/// Puts the account of whoever connected to the socket into the request.
pub async fn by_socket(
    ConnectInfo(Peer(uid)): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(uid) = uid {
        // The machine may ask a directory elsewhere for the name.
        let account = tokio::task::spawn_blocking(move || account(uid)).await;
        request
            .extensions_mut()
            .insert(account.unwrap_or(SystemAccount { uid, name: None }));
    }
    next.run(request).await
}

/// The account that this process runs with, for its own requests.
pub fn own() -> Extension<SystemAccount> {
    Extension(account(geteuid().as_raw()))
}

fn account(uid: u32) -> SystemAccount {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    let name = user.map(|user| user.name);
    SystemAccount { uid, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_its_name_where_the_machine_knows_one() {
        assert_eq!(account(0).to_string(), "root (uid 0)");
        let nobody = 4_000_000_123;
        assert_eq!(account(nobody).to_string(), "uid 4000000123");
    }
}
