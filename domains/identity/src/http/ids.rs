//! Ids between the wire's types and the house's.

use super::Api;
use bongsu_base::{DeviceId, IdError, UserId};
use bongsu_web_kit::matrix::MatrixError;
use ruma::{OwnedDeviceId, OwnedServerName, OwnedUserId};

pub fn user(id: &ruma::UserId) -> Result<UserId, MatrixError> {
    id.as_str()
        .parse()
        .map_err(|error: IdError| MatrixError::invalid_param(error.to_string()))
}

pub fn device(id: &ruma::DeviceId) -> Result<DeviceId, MatrixError> {
    id.as_str()
        .parse()
        .map_err(|error: IdError| MatrixError::invalid_param(error.to_string()))
}

pub fn user_out(id: &UserId) -> Result<OwnedUserId, MatrixError> {
    OwnedUserId::try_from(id.as_str()).map_err(MatrixError::internal)
}

/// The name of this installation.
pub fn server_out(api: &Api) -> Result<OwnedServerName, MatrixError> {
    let name = api.accounts.config().server_name.as_str();
    OwnedServerName::try_from(name).map_err(MatrixError::internal)
}

pub fn device_out(id: &DeviceId) -> OwnedDeviceId {
    id.as_str().into()
}
