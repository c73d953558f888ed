//! A wire between two programs of this machine, which may be slow, cut, deaf or silent. It looks at no byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How the wire is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wire {
    Sound,
    /// Each piece takes its time.
    Slow(Duration),
    /// Every connection ends in the middle of the next piece.
    Cut,
    /// What is asked is lost, and what is told arrives.
    Deaf,
    /// Everything is lost.
    Silent,
}

/// One end of a wire; dropped, nothing goes through.
pub(crate) struct Proxy {
    port: u16,
    state: watch::Sender<Wire>,
    served: JoinHandle<()>,
}

impl Proxy {
    /// A wire to a port of this machine.
    pub(crate) async fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("there should be a port");
        let port = listener.local_addr().expect("a listener should have an address").port();
        let state = watch::Sender::new(Wire::Sound);
        let wire = state.subscribe();
        let served = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await {
                    connect(client, server, &wire);
                }
            }
        });
        Self { port, state, served }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn become_(&self, wire: Wire) {
        self.state.send_replace(wire);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.served.abort();
        self.state.send_replace(Wire::Cut);
    }
}

fn connect(client: TcpStream, server: TcpStream, wire: &watch::Receiver<Wire>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let is_dead = Arc::new(AtomicBool::new(false));
    for (from, to, loses) in [(from_client, to_server, Wire::Deaf), (from_server, to_client, Wire::Silent)] {
        let way = Way { wire: wire.clone(), loses, is_dead: Arc::clone(&is_dead) };
        tokio::spawn(way.carry(from, to));
    }
}

/// One direction of a connection.
struct Way {
    wire: watch::Receiver<Wire>,
    /// How the wire is when it loses what goes this way.
    loses: Wire,
    /// A connection that has lost something never carries anything again, and nobody is told.
    is_dead: Arc<AtomicBool>,
}

impl Way {
    async fn carry(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut piece = vec![0; 4096];
        while let Ok(size @ 1..) = from.read(&mut piece).await {
            let state = *self.wire.borrow();
            if state == self.loses || state == Wire::Silent {
                self.is_dead.store(true, Ordering::Relaxed);
            }
            if self.is_dead.load(Ordering::Relaxed) {
                continue;
            }
            if let Wire::Slow(pause) = state {
                tokio::time::sleep(pause).await;
            }
            let whole = if state == Wire::Cut { size / 2 } else { size };
            if to.write_all(&piece[..whole]).await.is_err() || state == Wire::Cut {
                return;
            }
        }
        // Not even that the other side has hung up.
        if self.is_dead.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}
