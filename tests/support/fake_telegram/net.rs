//! The server: a listener that goes down and comes up, and connections that can be cut.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::routing::any;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{Shared, api, webhook};

/// Runs until the server is no more wanted.
pub(super) async fn run(shared: Arc<Shared>) {
    let app = Router::new().route("/{bot}/{method}", any(api::answer)).with_state(Arc::clone(&shared));
    let serve = async {
        let mut wanted = shared.wanted.subscribe();
        let mut address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        loop {
            let listener = TcpListener::bind(address).await.expect("the port is free");
            address = listener.local_addr().expect("an address");
            let cut = CancellationToken::new();
            let listener = CuttableListener { listener, cut: cut.clone() };
            let app = app.clone().into_make_service_with_connect_info::<Wire>();
            shared.listening.send_replace(Some(address));
            tokio::select! {
                result = axum::serve(listener, app) => result.expect("axum serves for ever"),
                _ = wanted.wait_for(|wanted| *wanted != Some(true)) => {}
            }
            cut.cancel();
            shared.listening.send_replace(None);
            let again = wanted.wait_for(|wanted| *wanted != Some(false)).await.is_ok_and(|wanted| wanted.is_some());
            if !again {
                break;
            }
        }
    };
    tokio::select! {
        () = serve => {}
        () = webhook::deliver(&shared) => {}
    }
}

/// The connection on which a call came.
#[derive(Clone)]
pub(super) struct Wire(CancellationToken);

impl Wire {
    /// Resets the connection: what is written to it from now on does not arrive.
    pub(super) fn cut(&self) {
        self.0.cancel();
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        Wire(stream.io().cut.clone())
    }
}

struct CuttableListener {
    listener: TcpListener,
    cut: CancellationToken,
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (CuttableStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Closing means a reset, not a good-bye.
        stream.set_zero_linger().expect("a socket option");
        let cut = self.cut.child_token();
        (CuttableStream { stream, is_cut: Box::pin(cut.clone().cancelled_owned()), cut }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

struct CuttableStream {
    stream: TcpStream,
    cut: CancellationToken,
    is_cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl CuttableStream {
    /// The stream, while it is not cut; registers to be woken by the cut.
    fn whole(&mut self, context: &mut Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        if self.cut.is_cancelled() || self.is_cut.as_mut().poll(context).is_ready() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(Pin::new(&mut self.stream))
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.whole(cx)?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.whole(cx)?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.whole(cx)?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
