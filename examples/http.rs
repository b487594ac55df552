//! Calls over HTTP as tasks: a server that has trouble is asked again, and what a failed call was
//! answered is kept.
//!
//! Prints:
//! ```text
//! flaky: completed, answered "fine now" after 2 tries
//! missing: failed (http_status), answered "no such page", status 404
//! ```

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use loom::workers::HttpRequest;
use loom::{HttpBase, Task, TaskRequest};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = start_server()?;
    let engine = loom::open("tasks.db").await?;
    // Decides what to ask for a task; a real one would add its key in a header.
    let resolve =
        move |task: &Task| Ok(HttpRequest::get(format!("http://{server}/{}", task.prompt)));
    engine.register("ask", HttpBase::new(resolve))?;

    let flaky = engine.submit(TaskRequest::new("ask", "flaky")).await?;
    let missing = engine.submit(TaskRequest::new("ask", "missing")).await?;

    let task = engine.wait(flaky.id).await?;
    let tries = &task.metadata["attempts"];
    println!("flaky: {}, answered {:?} after {tries} tries", task.status, task.result);

    let task = engine.wait(missing.id).await?;
    let code = task.failure.map_or("", |code| code.as_str());
    let status = &task.metadata["status_code"];
    println!("missing: {} ({code}), answered {:?}, status {status}", task.status, task.result);
    Ok(engine.close().await?)
}

/// A server on this machine that does not know `/missing`, and is busy when first asked for `/flaky`.
fn start_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        let mut was_busy = false;
        for stream in listener.incoming().flatten() {
            // A client that has hung up misses only its own answer.
            let _ = answer(stream, &mut was_busy);
        }
    });
    Ok(address)
}

fn answer(mut stream: TcpStream, was_busy: &mut bool) -> io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let call = lines.next().transpose()?.unwrap_or_default();
    lines.find(|line| line.as_ref().map_or(true, String::is_empty));
    let (status, body) = match call.split(' ').nth(1) {
        Some("/flaky") if *was_busy => ("200 OK", "fine now"),
        Some("/flaky") => ("503 Service Unavailable", "busy"),
        _ => ("404 Not Found", "no such page"),
    };
    *was_busy |= body == "busy";
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
