//! Writing a file.

use super::refused::Refused;
use super::{House, Rights, file};
use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, Request, State};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, header};
use object_store::{ObjectStoreExt, WriteMultipart};
use tokio::time::timeout;

/// How much is written at once: the least that S3 takes as a part.
const PIECE: usize = 5 << 20;
/// Pieces of one file that may be on their way to the store while the next one arrives.
const IN_FLIGHT: usize = 1;

/// The file is there once all of it has come, and not before.
pub(super) async fn put(
    State(house): State<House>,
    Path((store, name)): Path<(String, String)>,
    request: Request,
) -> Result<StatusCode, Refused> {
    let offer = house.offer(&store)?;
    if offer.rights != Rights::ReadAndPut {
        return Err(Refused::MayNotPut);
    }
    let name = file(&name)?;
    let announced = announced(request.headers());
    if announced.is_some_and(|bytes| bytes > house.put_bytes) {
        return Err(Refused::TooLong(house.put_bytes));
    }
    let _place = house.transfer()?;
    let upload = offer.store.put_multipart(&name).await?;
    let mut writer = WriteMultipart::new_with_chunk_size(upload, PIECE);
    match house.write(&mut writer, request.into_body()).await {
        Ok(()) => {
            writer.finish().await?;
            Ok(StatusCode::NO_CONTENT)
        }
        Err(refused) => {
            if let Err(error) = writer.abort().await {
                tracing::warn!(%error, "a file that did not come whole could not be removed");
            }
            Err(refused)
        }
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

impl House {
    async fn write(&self, writer: &mut WriteMultipart, body: Body) -> Result<(), Refused> {
        let mut pieces = body.into_data_stream();
        let mut bytes = 0_u64;
        while let Some(piece) = self.next(&mut pieces).await? {
            bytes = bytes.saturating_add(piece.len() as u64);
            if bytes > self.put_bytes {
                return Err(Refused::TooLong(self.put_bytes));
            }
            self.pace.take(piece.len()).await;
            writer.wait_for_capacity(IN_FLIGHT).await?;
            writer.put(piece);
        }
        Ok(())
    }

    async fn next(&self, pieces: &mut BodyDataStream) -> Result<Option<Bytes>, Refused> {
        let next = timeout(self.patience, pieces.next()).await;
        let next = next.map_err(|_| Refused::BrokeOff("nothing came for a while".to_owned()))?;
        next.transpose()
            .map_err(|error| Refused::BrokeOff(error.to_string()))
    }
}
