//! Vectors of an embedder in this program, kept from run to run: the same words have the same vector, and reading the articles
//! is most of what a small run would do.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use crate::domain::text::hex;
use crate::ports::model::{EmbedError, EmbedRole, Embedder, Fingerprint};

/// Bytes of a key: two among a billion texts are alike with a chance of 10^-21.
const KEY: usize = 16;

/// A file that has grown to so many bytes holds mostly what nobody asks for any more, and is begun anew.
const LARGEST: u64 = 64 << 20;

type Key = [u8; KEY];

/// An embedder that makes the vector of a text once.
pub struct KeptEmbedder {
    inner: Arc<dyn Embedder>,
    kept: Mutex<HashMap<Key, Vec<f32>>>,
    file: File,
}

impl KeptEmbedder {
    /// Reads what is kept in `dir` of this embedder, which must make the same vector of the same text every time. The file
    /// is records of a key and the vector, in the machine's order of bytes; one that was cut in the middle is left out.
    ///
    /// # Errors
    /// Where the directory can't be used.
    pub fn open(inner: Arc<dyn Embedder>, dir: &Path) -> io::Result<Self> {
        let Fingerprint { model, dimensions } = inner.fingerprint();
        let name = hex(&Sha256::digest(format!("{model} {dimensions}"))[..4]);
        fs::create_dir_all(dir)?;
        let path = dir.join(format!("vectors-{name}.bin"));
        if fs::metadata(&path).is_ok_and(|file| file.len() > LARGEST) {
            fs::remove_file(&path)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let bytes = fs::read(&path)?;
        let record = KEY + dimensions * size_of::<f32>();
        let whole = bytes.len() / record * record;
        if whole < bytes.len() {
            file.set_len(whole as u64)?;
        }
        let kept = bytes[..whole].chunks_exact(record).filter_map(|record| {
            let (key, vector) = record.split_first_chunk()?;
            Some((
                *key,
                vector.chunks_exact(4).filter_map(|four| four.try_into().ok().map(f32::from_ne_bytes)).collect(),
            ))
        });
        Ok(Self { kept: Mutex::new(kept.collect()), inner, file })
    }

    fn found(&self, keys: &[Key]) -> Vec<Option<Vec<f32>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().map(|key| kept.get(key).cloned()).collect()
    }

    /// Keeps a vector. A full disk costs the next run some time, and this one nothing.
    fn keep(&self, key: Key, vector: &[f32]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.insert(key, vector.to_owned()).is_none() {
            let numbers = vector.iter().flat_map(|number| number.to_ne_bytes());
            let record: Vec<u8> = key.into_iter().chain(numbers).collect();
            if let Err(error) = (&self.file).write_all(&record) {
                tracing::debug!(%error, "a vector can't be kept");
            }
        }
    }
}

fn key(text: &str, role: EmbedRole) -> Key {
    let role: &[u8] = match role {
        EmbedRole::Query => b"query ",
        EmbedRole::Passage => b"passage ",
    };
    let hash = Sha256::new().chain_update(role).chain_update(text).finalize();
    let mut key = [0; KEY];
    key.copy_from_slice(&hash[..KEY]);
    key
}

#[async_trait]
impl Embedder for KeptEmbedder {
    async fn embed(&self, texts: &[String], role: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError> {
        let keys: Vec<Key> = texts.iter().map(|text| key(text, role)).collect();
        let found = self.found(&keys);
        let mut missing: Vec<(&Key, &String)> =
            keys.iter().zip(texts).zip(&found).filter(|(_, found)| found.is_none()).map(|(one, _)| one).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let new: Vec<String> = missing.iter().map(|(_, text)| (*text).clone()).collect();
            let made = self.inner.embed(&new, role).await?;
            missing.iter().zip(&made).for_each(|((key, _), vector)| self.keep(**key, vector));
        }
        Ok(self.found(&keys).into_iter().flatten().collect())
    }

    fn fingerprint(&self) -> Fingerprint {
        self.inner.fingerprint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts the texts that it is asked for.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    #[async_trait]
    impl Embedder for Counting {
        async fn embed(&self, texts: &[String], role: EmbedRole) -> Result<Vec<Vec<f32>>, EmbedError> {
            self.0.fetch_add(texts.len(), Ordering::Relaxed);
            let role = if role == EmbedRole::Query { 1.0 } else { -1.0 };
            Ok(texts.iter().map(|text| vec![text.len() as f32, role]).collect())
        }

        fn fingerprint(&self) -> Fingerprint {
            Fingerprint { model: "counting".to_owned(), dimensions: 2 }
        }
    }

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[tokio::test]
    async fn a_text_is_encoded_once_and_what_was_cut_is_encoded_again() {
        let dir = tempfile::tempdir().unwrap();
        let counting = Arc::new(Counting::default());
        let open = || KeptEmbedder::open(Arc::clone(&counting) as Arc<dyn Embedder>, dir.path()).unwrap();
        let first = open();
        let vectors = first.embed(&texts(&["a", "bb", "a"]), EmbedRole::Query).await.unwrap();
        assert_eq!(vectors, [[1.0, 1.0], [2.0, 1.0], [1.0, 1.0]]);
        assert_eq!(first.embed(&texts(&["bb"]), EmbedRole::Passage).await.unwrap(), [[2.0, -1.0]]);
        assert_eq!(counting.0.load(Ordering::Relaxed), 3);

        let file = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
        let length = fs::metadata(&file).unwrap().len();
        OpenOptions::new().write(true).open(&file).unwrap().set_len(length - 3).unwrap();
        let again = open();
        assert_eq!(again.embed(&texts(&["bb", "a"]), EmbedRole::Query).await.unwrap(), [[2.0, 1.0], [1.0, 1.0]]);
        assert_eq!(counting.0.load(Ordering::Relaxed), 3, "both were kept");
        again.embed(&texts(&["bb"]), EmbedRole::Passage).await.unwrap();
        assert_eq!(counting.0.load(Ordering::Relaxed), 4, "the last record had been cut");
        assert_eq!(open().embed(&texts(&["bb"]), EmbedRole::Passage).await.unwrap(), [[2.0, -1.0]]);
        assert_eq!(counting.0.load(Ordering::Relaxed), 4, "and is whole now");
    }
}
