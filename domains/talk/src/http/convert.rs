//! Between `ruma`'s ids and the house's.

use super::Api;
use super::refuse::rejected;
use crate::{Accepted, Command};
use bongsu_base::{IdError, RecordId};
use bongsu_lane::{Priority, Request};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::MatrixError;
use std::str::FromStr;

/// An id of the house from one of `ruma`'s.
pub fn ours<T: FromStr<Err = IdError>>(id: impl AsRef<str>) -> Result<T, MatrixError> {
    id.as_ref()
        .parse()
        .map_err(|error: IdError| MatrixError::invalid_param(error.to_string()))
}

/// One of `ruma`'s ids from one of the house's, or from what the view holds.
pub fn theirs<T>(id: &str) -> Result<T, MatrixError>
where
    T: for<'a> TryFrom<&'a str>,
{
    T::try_from(id)
        .map_err(|_| MatrixError::internal(format!("`{id}` is in the view but no id of its kind")))
}

/// A count as Matrix writes it.
pub fn count(number: i64) -> ruma::UInt {
    ruma::UInt::new_saturating(u64::try_from(number).unwrap_or(0))
}

impl Api {
    /// Has a command carried out for `caller`. With a `name` that the client gave, the same name has the
    /// same outcome.
    pub(super) async fn submit(
        &self,
        caller: &Caller,
        priority: Priority,
        name: Option<(&[&str], &str)>,
        command: Command,
    ) -> Result<Accepted, MatrixError> {
        self.presence.active(&caller.user);
        let mut request = self.lane.request(caller.actor(), priority, command);
        let mut under_way = None;
        if let Some((scope, name)) = name {
            under_way = Some(self.sending.begin(caller));
            let who = [caller.user.as_str(), caller.device.as_str()];
            request.id = RecordId::named(&[&who[..], scope].concat(), name);
        }
        let decided = self.decide(request).await;
        drop(under_way);
        decided
    }

    pub(super) async fn decide(&self, request: Request<Command>) -> Result<Accepted, MatrixError> {
        self.lane
            .submit(request)
            .await?
            .outcome
            .map_err(|why| rejected(&why))
    }
}
