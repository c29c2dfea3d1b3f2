//! The story as it is printed: chapters, and lines with a time, somebody, and what came of it.

use std::io;

use mizan::clock::Clock;

use crate::cli::output;

/// Prints what happens, with the time of the story's clock.
pub struct Timeline {
    clock: Clock,
}

impl Timeline {
    /// A timeline by this clock.
    pub fn new(clock: Clock) -> Self {
        Self { clock }
    }

    /// Begins the story.
    pub fn title(&self, title: &str) -> io::Result<()> {
        let date = self.clock.now().format("%A %-d %B %Y");
        output::print(&format!(
            "\n{}\n{date}, by the story's own clock (UTC)\n",
            output::bold(title)
        ))
    }

    /// Begins a chapter, or a page of the books.
    pub fn chapter(&self, title: &str) -> io::Result<()> {
        output::print(&format!("\n{}\n", output::bold(title)))
    }

    /// Says what somebody did, and what came of it.
    pub fn line(&self, who: &str, what: &str, result: &str) -> io::Result<()> {
        let time = self.clock.now().format("%H:%M:%S");
        let text = format!("  {time}  {who:<8} {what:<40} {result}");
        output::print(&format!("{}\n", text.trim_end()))
    }
}
