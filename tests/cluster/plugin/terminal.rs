//! A terminal that is none: what a program prints when somebody seems to look.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A program on a terminal of its own.
pub(super) struct Terminal {
    program: Child,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts a program on a terminal of so many columns.
    pub(super) fn start(mut command: Command, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal should open");
        grantpt(&master).expect("the terminal should be ours");
        unlockpt(&master).expect("the terminal should unlock");
        let name = ptsname(&master, Vec::new()).expect("the terminal should have a name");
        let open = || {
            let flags = OFlags::RDWR | OFlags::NOCTTY;
            Stdio::from(rustix::fs::open(&name, flags, Mode::empty()).expect("the other side should open"))
        };
        let (input, output, errors) = (open(), open(), open());
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).expect("a terminal has a size");
        let program =
            command.stdin(input).stdout(output).stderr(errors).spawn().expect("the program should start");
        // The command holds the other side open; without it, reading ends with the program.
        drop(command);
        let shown = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut from = File::from(master);
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                kept.lock().expect("nobody panicked").extend_from_slice(&buffer[..length]);
            }
        });
        Self { program, shown }
    }

    /// Everything that was shown so far.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("nobody panicked")).into_owned()
    }

    /// Waits for the end of the program, and returns everything that was shown.
    pub(super) fn finish(mut self) -> String {
        self.program.wait().expect("the program should end");
        // Whatever it wrote last is read by now or in a moment.
        for _ in 0..50 {
            if Arc::strong_count(&self.shown) == 1 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        self.shown()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
