//! Progress bars: one look for all that takes long. Nothing is drawn where no terminal is.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that says what is being done, how much of it, and for how long still.
pub fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} {eta}").expect("the template is written here");
    ProgressBar::new(0).with_message(what).with_style(style)
}

/// So many of so many are done.
pub fn show(bar: &ProgressBar, done: u64, of: u64) {
    bar.set_length(of);
    bar.set_position(done);
}
