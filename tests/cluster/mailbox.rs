//! A mail server that keeps what it is sent.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What came so far: each message with its headers.
#[derive(Clone, Default)]
pub(crate) struct Mailbox(Arc<Mutex<Vec<String>>>);

impl Mailbox {
    /// Listens on a port until the process ends.
    pub(crate) fn listen(port: u16) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port should be free for the mailbox");
        let mailbox = Self::default();
        let kept = mailbox.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                thread::spawn(move || kept.converse(stream));
            }
        });
        mailbox
    }

    /// Every message so far, in order of arrival.
    pub(crate) fn messages(&self) -> Vec<String> {
        self.0.lock().expect("no thread should have panicked").clone()
    }

    /// SMTP as far as a sender needs it. A sender that goes away ends it.
    fn converse(&self, mut stream: TcpStream) {
        let Ok(reader) = stream.try_clone() else { return };
        let mut lines = BufReader::new(reader).lines().map_while(Result::ok);
        let mut say = |text: &str| stream.write_all(format!("{text}\r\n").as_bytes()).is_ok();
        if !say("220 mailbox") {
            return;
        }
        while let Some(line) = lines.next() {
            let verb = line.split(' ').next().unwrap_or_default().to_uppercase();
            let answer = match verb.as_str() {
                "DATA" => {
                    if !say("354 go on") {
                        return;
                    }
                    let text: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                    self.0.lock().expect("no thread should have panicked").push(text.join("\n"));
                    "250 kept"
                }
                "QUIT" => "221 bye",
                _ => "250 mailbox",
            };
            if !say(answer) {
                return;
            }
        }
    }
}
