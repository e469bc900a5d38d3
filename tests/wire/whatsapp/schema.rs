//! What the adapter sends, against Meta's own description of its API.
