//! Talk's refusals in Matrix's words.

use crate::Rejected;
use bongsu_lane::{ReadError, Refusal};
use bongsu_web_kit::matrix::MatrixError;
use http::StatusCode;
use ruma::api::error::ErrorKind;
use std::time::Duration;

/// The longest that anybody is told to wait.
const A_DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What a rejected command answers.
pub fn rejected(why: &Rejected) -> MatrixError {
    let message = why.to_string();
    match why {
        Rejected::NoSuchEvent | Rejected::NoSuchAlias => MatrixError::not_found(message),
        Rejected::NoSuchRoom
        | Rejected::NotJoined
        | Rejected::NotInvited
        | Rejected::Banned { .. }
        | Rejected::PowerTooLow { .. }
        | Rejected::PowerNotAbove(_)
        | Rejected::WrongMembership(_) => MatrixError::forbidden(message),
        Rejected::AliasTaken | Rejected::RoomExists => {
            MatrixError::new(StatusCode::BAD_REQUEST, ErrorKind::RoomInUse, message)
        }
        Rejected::BadContent(what) if what.contains("larger than") => {
            MatrixError::too_large(message)
        }
        Rejected::BadContent(_) => MatrixError::bad_json(message),
        Rejected::Reserved(_) => MatrixError::invalid_param(message),
        Rejected::NotKnockable => MatrixError::forbidden(message),
        Rejected::BadReference(_) => MatrixError::invalid_param(message),
        Rejected::BadRoomState(_) => MatrixError::new(
            StatusCode::BAD_REQUEST,
            ErrorKind::InvalidRoomState,
            message,
        ),
        Rejected::MediaExists => MatrixError::new(
            StatusCode::CONFLICT,
            ErrorKind::CannotOverwriteMedia,
            message,
        ),
        Rejected::NoSuchMedia => MatrixError::not_found(message),
        Rejected::NotYours(_) | Rejected::OverQuota { .. } => MatrixError::forbidden(message),
        Rejected::TooManyReserved { wait_ms, .. } => {
            let wait = u64::try_from(*wait_ms).unwrap_or(0).min(A_DAY_MS);
            MatrixError::limited(Duration::from_millis(wait), message)
        }
        Rejected::BadRelation(_) => {
            MatrixError::new(StatusCode::BAD_REQUEST, ErrorKind::Unknown, message)
        }
        Rejected::DuplicateAnnotation => MatrixError::new(
            StatusCode::BAD_REQUEST,
            ErrorKind::DuplicateAnnotation,
            message,
        ),
        Rejected::NotInThread => MatrixError::invalid_param(message),
        Rejected::NotRedactable(_) => MatrixError::forbidden(message),
        Rejected::RoomBlocked | Rejected::RoomNotEmpty => MatrixError::forbidden(message),
        Rejected::NoSuchReport => MatrixError::not_found(message),
        Rejected::Outdated => MatrixError::new(StatusCode::CONFLICT, ErrorKind::Unknown, message),
    }
}

/// What a rule says that was asked before the append.
pub fn refusal(why: Refusal<Rejected>) -> MatrixError {
    match why {
        Refusal::Rejected(why) => rejected(&why),
        Refusal::Local(error) => MatrixError::internal(error),
    }
}

/// A rule's answer out of a look at the view.
pub fn ruled<T>(look: Result<Result<T, Refusal<Rejected>>, ReadError>) -> Result<T, MatrixError> {
    look?.map_err(refusal)
}
