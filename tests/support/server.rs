//! What fakes of a wire have in common: a state whose changes can be waited for, a listener that goes down and comes up,
//! and connections that can be cut.
//!
//! A server runs on a thread of its own: the test may block, and the program under test may be killed and started again,
//! while this keeps its state.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part of it")]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// What the server and its controls share.
pub struct Shared<S> {
    state: Mutex<S>,
    /// Bumped with every change of the state.
    pub changes: watch::Sender<u64>,
    /// Whether it should listen, and whether it does; `None` ends the server.
    wanted: watch::Sender<Option<bool>>,
    listening: watch::Sender<Option<SocketAddr>>,
}

impl<S: Send + 'static> Shared<S> {
    pub fn new(state: S) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(state),
            changes: watch::Sender::new(0),
            wanted: watch::Sender::new(Some(true)),
            listening: watch::Sender::new(None),
        })
    }

    /// Serves `app` on a free port, with what goes on beside it, until [`Self::end`].
    pub async fn serve<B>(
        self: &Arc<Self>,
        app: Router,
        beside: impl FnOnce(Arc<Self>) -> B + Send + 'static,
    ) -> SocketAddr
    where
        B: Future<Output = ()>,
    {
        let mut listening = self.listening.subscribe();
        let shared = Arc::clone(self);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let beside = beside(Arc::clone(&shared));
            runtime.block_on(async {
                tokio::select! {
                    () = listen(&shared, app) => {}
                    () = beside => {}
                }
            });
        });
        listening.wait_for(Option::is_some).await.expect("the server runs").expect("an address")
    }

    pub fn lock(&self) -> MutexGuard<'_, S> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// The state, to be changed: whoever waits looks again when this is dropped.
    pub fn change(&self) -> Change<'_, S> {
        Change { state: Some(self.lock()), changes: &self.changes }
    }

    /// Waits until something holds, looking after each change here. Whether it came to hold.
    pub async fn wait(&self, within: Duration, holds: impl Fn() -> bool) -> bool {
        let mut changes = self.changes.subscribe();
        let wait = async {
            while !holds() {
                changes.changed().await.expect("the server runs");
            }
        };
        tokio::time::timeout(within, wait).await.is_ok()
    }

    /// Breaks all connections and refuses new ones, until [`Self::come_up`].
    pub async fn go_down(&self) {
        self.wanted.send_replace(Some(false));
        self.listening.subscribe().wait_for(Option::is_none).await.expect("the server runs");
    }

    /// Listens again, on the same port.
    pub async fn come_up(&self) {
        self.wanted.send_replace(Some(true));
        self.listening.subscribe().wait_for(Option::is_some).await.expect("the server runs");
    }

    /// Ends the server.
    pub fn end(&self) {
        self.wanted.send_replace(None);
    }
}

pub struct Change<'a, S> {
    state: Option<MutexGuard<'a, S>>,
    changes: &'a watch::Sender<u64>,
}

impl<S> std::ops::Deref for Change<'_, S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.state.as_deref().expect("held until dropped")
    }
}

impl<S> std::ops::DerefMut for Change<'_, S> {
    fn deref_mut(&mut self) -> &mut S {
        self.state.as_deref_mut().expect("held until dropped")
    }
}

impl<S> Drop for Change<'_, S> {
    fn drop(&mut self) {
        self.state.take();
        self.changes.send_modify(|count| *count += 1);
    }
}

/// Runs until the server is no more wanted.
async fn listen<S>(shared: &Shared<S>, app: Router) {
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
}

/// The connection on which a call came.
#[derive(Clone)]
pub struct Wire(CancellationToken);

impl Wire {
    /// Resets the connection: what is written to it from now on does not arrive.
    pub fn cut(&self) {
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
