//! Counting tokens for budgets.

/// Longest stretch that is counted at once, in bytes. The tokenizer takes time squared over a text without spaces, and a
/// stranger may send one.
const STRETCH: usize = 4096;

/// How many tokens `text` is to models with the `o200k_base` vocabulary; near enough for others. The vocabulary is
/// loaded once, at the first call.
pub fn count_tokens(text: &str) -> usize {
    let tokenizer = tiktoken_rs::o200k_base_singleton();
    let (mut rest, mut tokens) = (text, 0);
    while !rest.is_empty() {
        let (stretch, after) = rest.split_at(rest.floor_char_boundary(STRETCH));
        tokens += tokenizer.count_ordinary(stretch);
        rest = after;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_in_both_languages() {
        assert_eq!(count_tokens(""), 0);
        assert_eq!(count_tokens("Where is my order?"), 5);
        assert!((5..12).contains(&count_tokens("Где мой заказ М-123456?")));
    }

    #[test]
    fn hostile_texts_are_counted_too() {
        for text in ["а".repeat(50_000), " ".repeat(50_000), "\u{1f600}".repeat(5_000), "<|endoftext|>".repeat(99)] {
            assert!(count_tokens(&text) > 99);
        }
    }
}
