//! The embedder that is measured.

use std::env;

use firstline::adapters::embedded::EmbeddedEmbedder;
use firstline::adapters::openai::OpenAiEmbedder;
use firstline::config::Config;
use firstline::ports::model::Embedder;

/// The embedded one, or that at `FIRSTLINE_EMBEDDER_URL`.
pub(crate) fn embedder() -> Box<dyn Embedder> {
    let Ok(url) = env::var("FIRSTLINE_EMBEDDER_URL") else {
        return Box::new(EmbeddedEmbedder::load().expect("the embedded weights are whole"));
    };
    let mut settings = Config::defaults().embedder;
    settings.url = url;
    settings.name = env::var("FIRSTLINE_EMBEDDER_NAME").unwrap_or_else(|_| "e5".to_owned());
    let dimensions = env::var("FIRSTLINE_EMBEDDER_DIMENSIONS").ok();
    settings.dimensions = dimensions.map_or(384, |text| text.parse().expect("dimensions are a number"));
    settings.query_prefix = "query: ".to_owned();
    settings.passage_prefix = "passage: ".to_owned();
    settings.within = jiff::SignedDuration::from_secs(600);
    Box::new(OpenAiEmbedder::new(&settings).expect("the settings make an embedder"))
}
