//! The clients' side of TLS 1.3. rustls makes the handshake; afterwards records are decrypted where
//! they were received, because the load must cost less than the server. Knows no socket.

use anyhow::{Context, bail};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, Iv, MessageDecrypter, MessageEncrypter, OutboundChunks,
    OutboundPlainMessage,
};
use rustls::{ClientConnection, ConnectionTrafficSecrets, ContentType, ProtocolVersion};

/// The bytes before each record: its type, its version and its length (RFC 8446, section 5.1).
const HEADER_BYTES: usize = 5;

/// The largest text in a record.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// The TLS of one client: a handshake, and then records.
pub(super) struct LoadTls {
    /// None after the handshake.
    shaking: Option<Box<ClientConnection>>,
    /// None until then.
    keys: Option<RecordKeys>,
    /// The beginning of an incomplete record.
    held: Vec<u8>,
    /// Encrypted bytes that the socket has not taken.
    pub(super) unsent: Vec<u8>,
}

/// The keys of a connection, each with the number of its next record.
struct RecordKeys {
    opener: (Box<dyn MessageDecrypter>, u64),
    sealer: (Box<dyn MessageEncrypter>, u64),
}

impl LoadTls {
    /// The beginning of a handshake: its first message is unsent.
    pub(super) fn begin(connection: ClientConnection) -> anyhow::Result<LoadTls> {
        let shaking = Some(Box::new(connection));
        let mut tls = LoadTls { shaking, keys: None, held: Vec::new(), unsent: Vec::new() };
        tls.shake(&[])?;
        Ok(tls)
    }

    pub(super) fn is_shaking(&self) -> bool {
        self.keys.is_none()
    }

    /// Copies the beginning of an incomplete record to that of a buffer, and returns its length. The
    /// next bytes follow there.
    pub(super) fn put_held(&self, buffer: &mut [u8]) -> usize {
        let length = self.held.len();
        buffer[..length].copy_from_slice(&self.held);
        length
    }

    /// Decrypts all complete records in `bytes`, which begin with what was held, and returns the
    /// length of their text, which then is at the beginning. Before the end of the handshake there is
    /// none.
    pub(super) fn open(&mut self, bytes: &mut [u8]) -> anyhow::Result<usize> {
        let Some(keys) = &mut self.keys else {
            self.shake(bytes)?;
            return Ok(0);
        };
        let (mut next, mut end) = (0, 0);
        while let Some(&[kind, _, _, high, low]) = bytes.get(next..next + HEADER_BYTES) {
            let start = next + HEADER_BYTES;
            let behind = start + usize::from(u16::from_be_bytes([high, low]));
            let Some(record) = bytes.get_mut(start..behind) else {
                break;
            };
            let text = keys.open(kind, record)?;
            bytes.copy_within(start..start + text, end);
            end += text;
            next = behind;
        }
        self.held.clear();
        self.held.extend_from_slice(&bytes[next..]);
        Ok(end)
    }

    /// Moves text to the unsent bytes, encrypted; before the end of the handshake it stays.
    pub(super) fn seal(&mut self, text: &mut Vec<u8>) -> anyhow::Result<()> {
        let Some(keys) = &mut self.keys else {
            return Ok(());
        };
        for piece in text.chunks(TEXT_BYTES_MAX) {
            self.unsent.extend(keys.seal(piece)?);
        }
        text.clear();
        Ok(())
    }

    /// Goes on with the handshake.
    fn shake(&mut self, mut received: &[u8]) -> anyhow::Result<()> {
        let mut connection = self.shaking.take().context("the handshake has failed")?;
        while !received.is_empty() {
            connection.read_tls(&mut received)?;
            connection.process_new_packets()?;
        }
        while connection.wants_write() {
            connection.write_tls(&mut self.unsent)?;
        }
        if connection.is_handshaking() {
            self.shaking = Some(connection);
        } else {
            // A server sends nothing more before it has the client's last message of the handshake.
            self.keys = Some(RecordKeys::of(*connection)?);
        }
        Ok(())
    }
}

impl RecordKeys {
    fn of(connection: ClientConnection) -> anyhow::Result<RecordKeys> {
        let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.tls13());
        let cipher = suite.context("the server speaks no TLS 1.3")?.aead_alg;
        let secrets = connection.dangerous_extract_secrets()?;
        let ((read, reading), (written, writing)) = (secrets.rx, secrets.tx);
        let (key, iv) = key(reading)?;
        let opener = cipher.decrypter(key, iv);
        let (key, iv) = self::key(writing)?;
        Ok(RecordKeys { opener: (opener, read), sealer: (cipher.encrypter(key, iv), written) })
    }

    /// Decrypts a record in its place, and returns the length of its text; none if it is not for the
    /// client, but a ticket or the end.
    fn open(&mut self, kind: u8, record: &mut [u8]) -> anyhow::Result<usize> {
        let (opener, number) = &mut self.opener;
        let record = InboundOpaqueMessage::new(kind.into(), ProtocolVersion::TLSv1_2, record);
        let text = opener.decrypt(record, *number).context("a record cannot be decrypted")?;
        *number += 1;
        Ok(if text.typ == ContentType::ApplicationData { text.payload.len() } else { 0 })
    }

    fn seal(&mut self, text: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (sealer, number) = &mut self.sealer;
        let record = OutboundPlainMessage {
            typ: ContentType::ApplicationData,
            version: ProtocolVersion::TLSv1_2,
            payload: OutboundChunks::Single(text),
        };
        let sealed = sealer.encrypt(record, *number)?;
        *number += 1;
        Ok(sealed.encode())
    }
}

fn key(secrets: ConnectionTrafficSecrets) -> anyhow::Result<(AeadKey, Iv)> {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } => Ok((key, iv)),
        _ => bail!("the load does not know this cipher"),
    }
}

#[expect(clippy::expect_used, reason = "a failed step fails the test")]
#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::sync::Arc;

    use rustls::crypto::aws_lc_rs::default_provider;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ServerConfig, ServerConnection};

    use super::*;
    use crate::load::pinned::PinnedServer;
    use crate::server::make_pair;

    /// A server with this certificate and its key.
    fn server_with(pair: &str) -> ServerConnection {
        let chain = CertificateDer::from_pem_slice(pair.as_bytes()).expect("it has a certificate");
        let key = PrivateKeyDer::from_pem_slice(pair.as_bytes()).expect("it has a key");
        let settings = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS 1.3 is known")
            .with_no_client_auth()
            .with_single_cert(vec![chain], key)
            .expect("they belong together");
        ServerConnection::new(Arc::new(settings)).expect("there are random bytes")
    }

    fn client_of(pair: &str) -> LoadTls {
        let pinned = PinnedServer::with(pair).expect("it has a certificate");
        let connection = pinned.connection().expect("there are random bytes");
        LoadTls::begin(connection).expect("its first message is ready")
    }

    /// Brings the unsent bytes of the client to the server, and returns those of the server.
    fn exchange(client: &mut LoadTls, server: &mut ServerConnection) -> Vec<u8> {
        let unsent = std::mem::take(&mut client.unsent);
        let mut unsent = unsent.as_slice();
        while !unsent.is_empty() {
            server.read_tls(&mut unsent).expect("memory takes it");
            server.process_new_packets().expect("the client keeps to the protocol");
        }
        let mut sent = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut sent).expect("memory takes it");
        }
        sent
    }

    /// A client after its handshake, and its server. The server's bytes come in pieces.
    fn connected() -> (LoadTls, ServerConnection) {
        let pair = make_pair().expect("there are random bytes");
        let (mut client, mut server) = (client_of(&pair), server_with(&pair));
        while client.is_shaking() {
            for piece in exchange(&mut client, &mut server).chunks_mut(300) {
                assert_eq!(client.open(piece).expect("the certificate is the right one"), 0);
            }
        }
        (client, server)
    }

    #[test]
    fn text_is_decrypted_whatever_pieces_it_comes_in() {
        for size in [1, 999, 60_000] {
            let (mut client, mut server) = connected();
            let text = [b'x'; 40_000];
            let mut sent = exchange(&mut client, &mut server); // with tickets
            server.writer().write_all(&text).expect("there is space");
            server.send_close_notify();
            sent.extend(exchange(&mut client, &mut server));
            let (mut received, mut buffer) = (Vec::new(), vec![0; 80_000]);
            for piece in sent.chunks(size) {
                let held = client.put_held(&mut buffer);
                let end = held + piece.len();
                buffer[held..end].copy_from_slice(piece);
                let length = client.open(&mut buffer[..end]).expect("no bit has changed");
                received.extend_from_slice(&buffer[..length]);
            }
            assert!(received == text, "{} bytes in pieces of {size}", received.len());
        }
    }

    #[test]
    fn text_waits_for_the_end_of_the_handshake_and_is_encrypted() {
        let pair = make_pair().expect("there are random bytes");
        let mut text = vec![b'x'; 20_000];
        client_of(&pair).seal(&mut text).expect("there is nothing to do");
        assert_eq!(text.len(), 20_000);
        let (mut client, mut server) = connected();
        client.seal(&mut text).expect("there are numbers left");
        assert!(text.is_empty());
        server.set_buffer_limit(None);
        exchange(&mut client, &mut server);
        let mut received = vec![0; 20_000];
        server.reader().read_exact(&mut received).expect("the server has all of it");
        assert!(received.iter().all(|byte| *byte == b'x'));
    }

    #[test]
    fn another_certificate_and_a_changed_record_are_refused() {
        let [own, other] = [(); 2].map(|()| make_pair().expect("there are random bytes"));
        let (mut client, mut server) = (client_of(&own), server_with(&other));
        let mut shown = exchange(&mut client, &mut server);
        let error = client.open(&mut shown).err();
        let error = error.expect("it is another certificate").to_string();
        assert!(error.contains("not the certificate of the server"), "{error}");
        let (mut client, mut server) = connected();
        exchange(&mut client, &mut server);
        server.writer().write_all(b"hello").expect("there is space");
        let mut sent = exchange(&mut client, &mut server);
        sent[7] ^= 1;
        assert!(client.open(&mut sent).is_err());
    }
}
