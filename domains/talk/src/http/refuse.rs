//! Talk's refusals in Matrix's words.

use crate::Rejected;
use bongsu_lane::{ReadError, Refusal};
use bongsu_web_kit::matrix::MatrixError;
use http::StatusCode;
use ruma::api::error::ErrorKind;

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
