//! The connections that come in, each served until it is over.

use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

/// How long a connection may take to send the head of a request, from its beginning or from the end
/// of the request before (F-WH-10). Proxies keep an idle connection for a minute, and should be the
/// ones that close it: a request that is on its way then would be lost.
pub(super) const HEAD_LIMIT: Duration = Duration::from_secs(75);

/// The longest head of a request. Ours are a tenth of that, and anybody may send one; the library would
/// take four hundred kilobytes.
const HEAD_BYTES_MAX: usize = 16 * 1_024;

/// After an error of the listener, such as too many open files.
const BREATH: Duration = Duration::from_millis(200);

/// Takes connections until `stop`, and then waits until those that are there have had their answers.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    head_limit: Duration,
    stop: CancellationToken,
) {
    let open = TaskTracker::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_limit);
    http.max_buf_size(HEAD_BYTES_MAX);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "a connection could not be taken");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        send_at_once(&stream);
        let service = TowerToHyperService::new(router.clone());
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let stop = stop.clone();
        open.spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                debug!(%error, "a connection broke");
            }
        });
    }
    drop(listener);
    open.close();
    open.wait().await;
}

/// A frame of speech is small and must not wait for the next one.
fn send_at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "a connection keeps its delay");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    /// F-WH-09: the longest head is read, and one that is longer is refused before it is.
    #[tokio::test]
    async fn a_head_is_read_up_to_its_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(async || "well"));
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, router, HEAD_LIMIT, stop.clone()));
        for (bytes, status) in [(HEAD_BYTES_MAX - 1, "200"), (HEAD_BYTES_MAX + 1, "431")] {
            let begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
            let head = format!("{begin}{}\r\n\r\n", "x".repeat(bytes - begin.len() - 4));
            assert_eq!(head.len(), bytes);
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(str::from_utf8(&answer).unwrap(), format!("HTTP/1.1 {status}"));
        }
        stop.cancel();
    }

    /// F-WH-10.
    #[tokio::test]
    async fn a_head_that_comes_byte_by_byte_is_not_waited_for() {
        let limit = Duration::from_millis(300);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(async || "well"));
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(listener, router, limit, stop.clone()));

        let began = Instant::now();
        let mut slow = TcpStream::connect(address).await.unwrap();
        let drip = async {
            for byte in b"GET / HTTP/1.1\r\nHost: somewhere\r\nX: ".iter().chain([b'x'; 500].iter())
            {
                if slow.write_all(&[*byte]).await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(20)).await;
                if slow.try_read(&mut [0; 64]).is_ok_and(|read| read == 0) {
                    break;
                }
            }
        };
        timeout(Duration::from_secs(10), drip).await.expect("the connection is closed");
        assert!(began.elapsed() >= limit && began.elapsed() < Duration::from_secs(5));

        let mut whole = TcpStream::connect(address).await.unwrap();
        whole.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut answer = [0; 15];
        whole.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        stop.cancel();
        timeout(Duration::from_secs(5), serving).await.expect("it ends").unwrap();
    }
}
