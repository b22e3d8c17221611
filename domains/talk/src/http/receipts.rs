//! Read receipts and markers.

use super::Api;
use super::convert::ours;
use crate::command::{Command, Receipt};
use axum::extract::State;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::read_marker::set_read_marker;
use ruma::api::client::receipt::create_receipt;
use ruma::api::client::receipt::create_receipt::v3::ReceiptType;
use ruma::events::receipt::ReceiptThread;

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
    api.submit(
        &caller,
        Priority::Background,
        None,
        Command::Receipt(command),
    )
    .await?;
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
    api.submit(
        &caller,
        Priority::Background,
        None,
        Command::Receipt(command),
    )
    .await?;
    Ok(Reply(set_read_marker::v3::Response::new()))
}
