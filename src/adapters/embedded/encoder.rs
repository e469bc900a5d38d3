//! multilingual-e5-small from the numbers of pieces to a vector, on rten.

use half::f16;
use rten::{ModelOptions, NodeId, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

use std::sync::Arc;

use super::vocabulary::SPECIALS;

/// Length of a vector.
pub(super) const WIDTH: usize = 384;
/// Weights that share a scale.
const BLOCK: usize = 32;
/// Bytes of such weights: a scale of two bytes, then half a byte each.
const BLOCK_BYTES: usize = 2 + BLOCK / 2;
/// Bytes of a piece's embedding.
const ROW_BYTES: usize = WIDTH / BLOCK * BLOCK_BYTES;

/// The network, ready to run on any thread.
pub(super) struct Encoder {
    network: rten::Model,
    words: NodeId,
    embedding: NodeId,
    table: &'static [[u8; ROW_BYTES]],
}

/// Why there is no vector: the library's words, which name operators and shapes, never a text.
#[derive(Debug, thiserror::Error)]
pub(super) enum EncoderError {
    /// The weights aren't those this was written for.
    #[error("the weights are damaged: {0}")]
    Weights(String),
    /// Running failed.
    #[error("the network failed: {0}")]
    Run(String),
}

impl Encoder {
    /// Reads `encoder.onnx` and `words.bin`, with the embeddings of so many pieces.
    pub(super) fn read(network: &'static [u8], table: &'static [u8], pieces: usize) -> Result<Self, EncoderError> {
        let (table, rest) = table.as_chunks();
        if !rest.is_empty() || table.len() != pieces + SPECIALS as usize {
            return Err(EncoderError::Weights("there is not one embedding for each piece".to_owned()));
        }
        let weights = |error: &dyn std::fmt::Display| EncoderError::Weights(error.to_string());
        let mut options = ModelOptions::with_all_ops();
        // Costs 20 MB and some milliseconds now, saves a fifth of every run.
        options.prepack_weights(true);
        let network = options.load_static_slice(network).map_err(|error| weights(&error))?;
        let words = network.node_id("words").map_err(|error| weights(&error))?;
        let embedding = network.node_id("embedding").map_err(|error| weights(&error))?;
        Ok(Self { network, words, embedding, table })
    }

    /// The vector of a text, of length 1; runs on the pool's threads and waits for them.
    pub(super) fn encode(&self, tokens: &[u32], pool: &Arc<ThreadPool>) -> Result<Vec<f32>, EncoderError> {
        let mut words = Vec::with_capacity(tokens.len() * WIDTH);
        for token in tokens {
            let row = self.table.get(*token as usize);
            row.ok_or_else(|| EncoderError::Run("no such piece".to_owned()))?.as_chunks().0.iter().for_each(|block| {
                words.extend(weights(block));
            });
        }
        let words = NdTensor::from_data([tokens.len(), WIDTH], words);
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(pool)));
        let [vector] = self
            .network
            .run_n(vec![(self.words, words.view().into())], [self.embedding], Some(options))
            .map_err(|error| EncoderError::Run(error.to_string()))?;
        let vector: NdTensor<f32, 1> = vector.try_into().map_err(|_| EncoderError::Run("no vector came".to_owned()))?;
        let vector = vector.into_data();
        // Also false for what is not a number.
        let whole = vector.len() == WIDTH && (vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 0.01;
        if whole { Ok(vector) } else { Err(EncoderError::Run("the vector has not length 1".to_owned())) }
    }
}

/// The weights of a block: nibbles around 8, times the scale.
fn weights(block: &[u8; BLOCK_BYTES]) -> impl Iterator<Item = f32> {
    let [low, high, nibbles @ ..] = block;
    let scale = f16::from_le_bytes([*low, *high]).to_f32();
    let first = nibbles.iter().map(|byte| byte & 15);
    let second = nibbles.iter().map(|byte| byte >> 4);
    first.chain(second).map(move |nibble| (f32::from(nibble) - 8.0) * scale)
}
