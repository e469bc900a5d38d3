//! The settings as people may look at them.

use url::Url;

/// Stands for a secret that is set.
pub(super) const MASK: &str = "***";

/// The settings without their secrets: keys and tokens, the store's address, passwords in other addresses.
pub(super) fn masked(table: &toml::Table) -> toml::Table {
    let mut masked = table.clone();
    for (key, value) in &mut masked {
        mask(value, matches!(key.as_str(), "key" | "token" | "secret" | "app_secret" | "verify_token"));
    }
    if let Some(url) = masked.get_mut("store").and_then(|store| store.get_mut("url")) {
        mask(url, true);
    }
    masked
}

fn mask(value: &mut toml::Value, is_secret: bool) {
    match value {
        toml::Value::Table(table) => *table = masked(table),
        toml::Value::Array(items) => items.iter_mut().for_each(|item| mask(item, false)),
        toml::Value::String(text) if is_secret && !text.is_empty() => MASK.clone_into(text),
        toml::Value::String(text) => {
            if let Ok(mut url) = Url::parse(text)
                && url.password().is_some()
                && url.set_password(Some(MASK)).is_ok()
            {
                *text = url.into();
            }
        }
        _ => {}
    }
}
