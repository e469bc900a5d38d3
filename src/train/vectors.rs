//! Rounded vectors of messages, kept in a file beside them: training needs no embedder then, and does not notice on which
//! processor they were made.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Steps of a rounded value in 1: values of unit vectors of hundreds of dimensions are well below a quarter.
const STEPS: f32 = 508.0;
const MAGIC: &[u8; 4] = b"FLTV";
const KEY: usize = 16;

/// Vectors by text.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    embedder: String,
    dimensions: usize,
    by_text: BTreeMap<[u8; KEY], Vec<i8>>,
}

impl Vectors {
    /// None yet, of this embedder.
    pub fn new(embedder: &str, dimensions: usize) -> Self {
        Self { embedder: embedder.to_owned(), dimensions, by_text: BTreeMap::new() }
    }

    /// Reads a file; `None` where it is none, or damaged.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let (dimensions, rest) = rest.split_first_chunk::<4>()?;
        let mut vectors =
            Self::new(std::str::from_utf8(name).ok()?, usize::try_from(u32::from_le_bytes(*dimensions)).ok()?);
        let entries = rest.chunks_exact(KEY + vectors.dimensions);
        if !entries.remainder().is_empty() {
            return None;
        }
        for entry in entries {
            let (key, values) = entry.split_first_chunk::<KEY>()?;
            vectors.by_text.insert(*key, values.iter().map(|byte| byte.cast_signed()).collect());
        }
        Some(vectors)
    }

    /// The file: the same bytes for the same vectors.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(u32::try_from(self.embedder.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(self.embedder.as_bytes());
        bytes.extend(u32::try_from(self.dimensions).unwrap_or(u32::MAX).to_le_bytes());
        for (key, values) in &self.by_text {
            bytes.extend(key);
            bytes.extend(values.iter().map(|value| value.cast_unsigned()));
        }
        bytes
    }

    /// Whose vectors these are, and how long.
    pub fn fingerprint(&self) -> (&str, usize) {
        (&self.embedder, self.dimensions)
    }

    /// The vector of a text, if it is there.
    pub fn get(&self, text: &str) -> Option<Vec<f32>> {
        let values = self.by_text.get(&key(text))?;
        Some(values.iter().map(|value| f32::from(*value) / STEPS).collect())
    }

    /// Keeps the vector of a text, rounded.
    pub fn insert(&mut self, text: &str, vector: &[f32]) {
        #[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
        let rounded = vector.iter().map(|value| (value * STEPS).round().clamp(-127.0, 127.0) as i8).collect();
        self.by_text.insert(key(text), rounded);
    }

    /// Drops what none of these texts needs.
    pub fn retain<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        let kept: std::collections::BTreeSet<[u8; KEY]> = texts.into_iter().map(key).collect();
        self.by_text.retain(|key, _| kept.contains(key));
    }
}

fn key(text: &str) -> [u8; KEY] {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let mut key = [0; KEY];
    key.copy_from_slice(&digest[..KEY]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut vectors = Vectors::new("an embedder", 3);
        vectors.insert("one", &[0.1, -0.2, 0.0]);
        vectors.insert("two", &[0.249, 1.0, -1.0]);
        let read = Vectors::read(&vectors.to_bytes()).unwrap();
        assert_eq!(read, vectors);
        let one = read.get("one").unwrap();
        assert!((one[0] - 0.1).abs() <= 0.5 / STEPS + 1e-6, "{one:?}");
        assert_eq!(read.get("three"), None);
        assert_eq!(Vectors::read(&vectors.to_bytes()[1..]), None);
        assert_eq!(Vectors::read(&vectors.to_bytes()[..40]), None);
    }
}
