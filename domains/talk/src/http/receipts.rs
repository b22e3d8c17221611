//! Read receipts and markers.

use super::Api;
use super::convert::ours;
use super::refuse::ruled;
use crate::command::{Command, Receipt};
use crate::state::relations::is_root;
use crate::{Rejected, apply};
use axum::extract::State;
use bongsu_lane::{Priority, Refusal};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::read_marker::set_read_marker;
use ruma::api::client::receipt::create_receipt;
use ruma::api::client::receipt::create_receipt::v3::ReceiptType;
use ruma::events::receipt::ReceiptThread;

impl Api {
    /// Moves receipts, unless the rules refuse it, which is seen before anything is written.
    async fn move_receipts(&self, caller: &Caller, command: Receipt) -> Result<(), MatrixError> {
        let look = self.lane.read(|view| {
            let user = caller.user.as_str();
            let marks = match apply::may_move_receipts(view.db(), user, &command) {
                Ok((_, marks)) => marks,
                Err(why) => return Ok(Err(why)),
            };
            for (_, event) in marks {
                if command.thread == event.id().as_str()
                    && !is_root(view.db(), event.position.as_i64())?
                {
                    return Ok(Err(Refusal::Rejected(Rejected::NotInThread)));
                }
            }
            Ok(Ok(()))
        });
        ruled(look.await)?;
        let command = Command::Receipt(command);
        self.submit(caller, Priority::Background, None, command)
            .await
            .map(drop)
    }
}

pub async fn receipt(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<create_receipt::v3::Request>,
) -> Answer<create_receipt::v3::Response> {
    let thread = match &request.thread {
        ReceiptThread::Unthreaded => String::new(),
        ReceiptThread::Main => "main".to_owned(),
        ReceiptThread::Thread(root) => root.to_string(),
        other => {
            return Err(MatrixError::invalid_param(format!(
                "`{other:?}` is no thread"
            )));
        }
    };
    let event = Some(ours(&request.event_id)?);
    let room = ours(&request.room_id)?;
    let mut command = Receipt {
        room,
        read: None,
        read_private: None,
        fully_read: None,
        thread,
    };
    if request.receipt_type == ReceiptType::FullyRead && !command.thread.is_empty() {
        return Err(MatrixError::invalid_param("`m.fully_read` has no threads"));
    }
    match request.receipt_type {
        ReceiptType::Read => command.read = event,
        ReceiptType::ReadPrivate => command.read_private = event,
        ReceiptType::FullyRead => command.fully_read = event,
        other => {
            return Err(MatrixError::invalid_param(format!(
                "`{other}` is no type of receipt"
            )));
        }
    }
    api.move_receipts(&caller, command).await?;
    Ok(Reply(create_receipt::v3::Response::new()))
}

pub async fn markers(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<set_read_marker::v3::Request>,
) -> Answer<set_read_marker::v3::Response> {
    let command = Receipt {
        room: ours(&request.room_id)?,
        read: request.read_receipt.map(ours).transpose()?,
        read_private: request.private_read_receipt.map(ours).transpose()?,
        fully_read: request.fully_read.map(ours).transpose()?,
        thread: String::new(),
    };
    api.move_receipts(&caller, command).await?;
    Ok(Reply(set_read_marker::v3::Response::new()))
}
