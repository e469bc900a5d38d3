//! `firstline chat`: a customer in the terminal.

use std::io::{IsTerminal, Write};
use std::pin::pin;

use anyhow::Context as _;
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::output;
use crate::adapters::terminal::{Heard, Line, TerminalClient};
use crate::config::Config;

/// How many earlier messages are shown.
const HISTORY: usize = 10;

/// What is said when the stream ends.
const STOPPED: &str = "the Firstline that was talked to has stopped";

pub(super) async fn run(config: &Config, name: &str) -> anyhow::Result<()> {
    let base = format!("http://{}/", config.server.listen).parse().context("server.listen is no address")?;
    let (client, history, position) = TerminalClient::connect(base, name).await?;
    let mut heard = pin!(client.lines(position).await?);
    if !std::io::stdin().is_terminal() {
        return answer_typed(&client, heard, name).await;
    }
    for line in history.iter().skip(history.len().saturating_sub(HISTORY)) {
        show(line, name);
    }
    output::line(&format!("You write as {name}. An empty line or Ctrl-D ends."));
    let mut typed = BufReader::new(tokio::io::stdin()).lines();
    loop {
        let _ = write!(std::io::stdout(), "> ").and_then(|()| std::io::stdout().flush());
        tokio::select! {
            words = typed.next_line() => match words? {
                Some(words) if !words.trim().is_empty() => client.say(words.trim()).await?,
                Some(_) | None => return Ok(()),
            },
            heard = heard.next() => match heard.context(STOPPED)? {
                Heard::Line(line) if line.author != "customer" => show(&line, name),
                Heard::Line(_) | Heard::Status(_) => {}
            }
        }
    }
}

/// Says what comes through a pipe, and waits for the answer to it: from the bot, or that people have the conversation.
async fn answer_typed(
    client: &TerminalClient,
    mut heard: impl Stream<Item = Heard> + Unpin,
    name: &str,
) -> anyhow::Result<()> {
    let mut typed = BufReader::new(tokio::io::stdin()).lines();
    let mut said = 0_usize;
    while let Some(words) = typed.next_line().await? {
        if !words.trim().is_empty() {
            client.say(words.trim()).await?;
            said += 1;
        }
    }
    // Who had the conversation when this began: one that is only now handed over still gets the bot's notice.
    let mut with_people = None;
    while said > 0 || with_people != Some(true) {
        match heard.next().await.context(STOPPED)? {
            Heard::Status(who) => {
                with_people.get_or_insert(who == "queued" || who == "human");
            }
            Heard::Line(line) => {
                show(&line, name);
                if line.author == "customer" {
                    said = said.saturating_sub(1);
                } else if said == 0 {
                    return Ok(());
                }
            }
        }
    }
    output::line("(people have this conversation: the answer comes when one of them writes)");
    Ok(())
}

fn show(line: &Line, name: &str) {
    let who = match line.author.as_str() {
        "customer" => name,
        "bot" => "bot",
        _ => line.name.as_deref().unwrap_or("operator"),
    };
    output::line(&format!("{who}: {}", line.text));
    for source in &line.sources {
        output::line(&format!("    [{}]", source.title));
    }
}
