//! `firstline operator`: the people who answer.

use anyhow::Context as _;
use serde_json::json;

use super::output;
use crate::app;
use crate::config::Config;

pub(super) async fn add(config: &Config, login: &str, name: Option<&str>, json: bool) -> anyhow::Result<()> {
    let store = app::open_store_beside(config).await?;
    let password = app::add_operator(&*store, login, name.unwrap_or(login)).await?;
    if json {
        return output::json(&json!({ "login": login, "one_time_password": password }));
    }
    output::line(&format!("{login} can log in with the one-time password {password}"));
    output::line("It must be changed at the first log-in.");
    Ok(())
}

pub(super) async fn list(config: &Config, json: bool) -> anyhow::Result<()> {
    let store = app::open_store_beside(config).await?;
    let operators = store.operators().await.context("operators can't be read")?;
    if json {
        let list: Vec<_> =
            operators.iter().map(|operator| json!({ "login": operator.login, "name": operator.name })).collect();
        return output::json(&list);
    }
    let rows = operators.into_iter().map(|operator| {
        let state = if operator.one_time_password { "has not logged in yet" } else { "" };
        vec![operator.login, operator.name, state.to_owned()]
    });
    output::table(&["login", "name", ""], rows.collect());
    Ok(())
}
