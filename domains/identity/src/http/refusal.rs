//! What the rules and the gateway refuse, in Matrix's form.

use crate::accounts::AccountError;
use crate::command::{Denial, Rejected};
use bongsu_base::Millis;
use bongsu_web_kit::AuthError;
use bongsu_web_kit::matrix::MatrixError;
use http::StatusCode;
use ruma::api::error::ErrorKind;
use std::time::Duration;

/// When to come back while too many sign in.
const SOON: Duration = Duration::from_secs(1);

impl From<AccountError> for MatrixError {
    fn from(error: AccountError) -> Self {
        let bad = |kind| Self::new(StatusCode::BAD_REQUEST, kind, error.to_string());
        match error {
            AccountError::Rejected(rejected) => rejected.into(),
            AccountError::Submit(error) => error.into(),
            AccountError::Read(error) => error.into(),
            AccountError::Busy => Self::limited(SOON, error.to_string()),
            AccountError::Locked { retry_after } => locked(retry_after),
            AccountError::NameCharacters | AccountError::Name(_) => bad(ErrorKind::InvalidUsername),
            AccountError::Password => bad(ErrorKind::WeakPassword),
            AccountError::Defect => Self::internal(error),
        }
    }
}

impl From<Rejected> for MatrixError {
    fn from(rejected: Rejected) -> Self {
        let bad = |kind| Self::new(StatusCode::BAD_REQUEST, kind, rejected.to_string());
        match rejected {
            Rejected::UserInUse => bad(ErrorKind::UserInUse),
            Rejected::NoSuchAccount | Rejected::NoSuchDevice => {
                Self::not_found(rejected.to_string())
            }
            Rejected::Deactivated => Self::new(
                StatusCode::FORBIDDEN,
                ErrorKind::UserDeactivated,
                rejected.to_string(),
            ),
            Rejected::SessionEnded | Rejected::UnknownRefreshToken => AuthError::Unknown.into(),
            Rejected::SessionExpired => AuthError::Expired.into(),
            Rejected::Locked => AuthError::Locked.into(),
            Rejected::Administrator => Self::forbidden(rejected.to_string()),
            Rejected::NotAllowed => Self::forbidden(rejected.to_string()),
            Rejected::FieldName => bad(ErrorKind::KeyTooLarge),
            Rejected::FieldTooLong | Rejected::DeviceName => bad(ErrorKind::TooLarge),
            Rejected::ProfileTooLarge => bad(ErrorKind::ProfileTooLarge),
            Rejected::Oauth(_) | Rejected::UnknownLoginToken => {
                Self::forbidden(rejected.to_string())
            }
        }
    }
}

impl From<Denial> for MatrixError {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::WrongPassword => Self::forbidden("the user name or the password is wrong"),
            Denial::Locked { retry_after } => locked(retry_after),
            Denial::Stale => {
                let message = "the password was changed at the same moment; try again";
                Self::unavailable(SOON, message)
            }
        }
    }
}

fn locked(retry_after: Millis) -> MatrixError {
    let retry_after = Duration::from_millis(u64::try_from(retry_after.0).unwrap_or(0));
    MatrixError::limited(retry_after, "too many wrong passwords; try again later")
}
