//! Makes streams, as far as their servers allow. Does not know what is in them.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};

use super::nats::StreamConnection;

/// The copies of a stream if there are enough servers: one of them may be lost.
const REPLICAS: usize = 3;

/// How long servers know the identifiers of messages, which nodes do not use: the shortest time that
/// servers take. A server that starts reads the stream of this time before it does anything else.
const IDENTIFIERS_KNOWN: Duration = Duration::from_millis(100);

/// Makes a stream of all messages whose subjects begin with `subjects`, unless it is there.
///
/// It is not compressed. A server deletes a message for good only where it stands alone; and when all
/// servers of a compressed stream were killed at once, none of them could read it again (NATS 2.15.1,
/// `smb.truncate: error reading compression reader`).
///
/// # Errors
/// The servers cannot make it, or do not answer.
pub(super) async fn make(
    connection: &StreamConnection,
    (stream, subjects): (&str, &str),
) -> anyhow::Result<()> {
    let config = Config {
        name: stream.to_owned(),
        subjects: vec![format!("{subjects}.>")],
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        allow_direct: true,
        duplicate_window: IDENTIFIERS_KNOWN,
        ..Config::default()
    };
    if connection.client.server_info().cluster.is_some() {
        let several = Config { num_replicas: REPLICAS, ..config.clone() };
        match create(connection, several).await {
            Err(error) if !is_about_replicas(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(stream, %error, "the stream is stored by one server only");
            }
            Ok(()) => return Ok(()),
        }
    }
    create(connection, Config { num_replicas: 1, ..config }).await
}

/// Lets several servers store a stream that one server stores, if there are enough by now: when it was
/// made, its servers may not have known each other.
///
/// # Errors
/// The servers do not answer.
pub(super) async fn spread(connection: &StreamConnection, stream: &str) -> anyhow::Result<()> {
    if connection.client.server_info().cluster.is_none() {
        return Ok(());
    }
    let config = match connection.context.get_stream(stream).await {
        Ok(stream) => stream.cached_info().config.clone(),
        Err(error) if is_missing(&error.kind()) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if config.num_replicas > 1 {
        return Ok(()); // also if the operator has chosen another number
    }
    let several = Config { num_replicas: REPLICAS, ..config };
    match connection.context.update_stream(several).await.map_err(anyhow::Error::from) {
        Ok(_) => tracing::info!(stream, "the stream is stored by {REPLICAS} servers from now on"),
        Err(error) if is_about_replicas(&error) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Whether there is a stream with this name.
///
/// # Errors
/// The servers do not answer.
pub(super) async fn exists(connection: &StreamConnection, stream: &str) -> anyhow::Result<bool> {
    match connection.context.get_stream(stream).await {
        Ok(_) => Ok(true),
        Err(error) if is_missing(&error.kind()) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn is_missing(error: &GetStreamErrorKind) -> bool {
    match error {
        GetStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::STREAM_NOT_FOUND,
        _ => false,
    }
}

/// Makes the stream. It may be there, with options that the operator has changed.
async fn create(connection: &StreamConnection, config: Config) -> anyhow::Result<()> {
    match connection.context.create_stream(config).await {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            CreateStreamErrorKind::JetStream(error)
                if error.error_code() == ErrorCode::STREAM_NAME_EXIST =>
            {
                Ok(())
            }
            _ => Err(error.into()),
        },
    }
}

fn is_about_replicas(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<async_nats::jetstream::context::CreateStreamError>();
    let codes = [
        ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED,
        ErrorCode::CLUSTER_NO_PEERS,
        ErrorCode::INSUFFICIENT_RESOURCES,
    ];
    error.is_some_and(|error| match error.kind() {
        CreateStreamErrorKind::JetStream(error) => codes.contains(&error.error_code()),
        _ => false,
    })
}
